#include "harness/history/record.h"
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/grow.h"
#include "harness/history/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct record_format formats[] = {
    {"native", "mtcheck's own: a register or a map", reader_native},
    {"jepsen-register", "Jepsen's log of a register with compare-and-set", reader_jepsen},
    {"kv", "a map of strings with put, get and append", reader_kv},
};

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

const struct record_format *record_format_find(const char *name) {
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

// ---- Files -------------------------------------------------------------------------------------

void record_free(struct record *record) {
    ASSERT(record->history.operation_count <= record->history.operation_capacity);
    sct_history_deinit(&record->history);
    store_deinit(&record->store);
    free(record->lines);
    *record = (struct record){0};
}

bool record_parse(struct record *record, const struct record_text *text,
                  const struct record_format *format, struct error *error) {
    ASSERT(format->read);
    *record = (struct record){0};
    sct_history_init(&record->history);
    store_init(&record->store);
    struct reader reader = {
        .name = text->name,
        .next = text->text,
        .end = text->text + text->bytes,
        .record = record,
        .error = error,
    };
    bool is_read = format->read(&reader);
    if (is_read && record->history.operation_count == 0)
        is_read = error_set(error, "%.200s: expected operations of the format %s, found none",
                            text->name, format->name);
    free(reader.open_calls);
    if (!is_read)
        record_free(record);
    return is_read;
}

bool record_read(struct record *record, const char *path, const struct record_format *format,
                 struct error *error) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(error, "cannot open history '%.200s': %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); // it is read in large pieces
    struct sct_bytes bytes = {0};
    sct_bytes_read(&bytes, file, SIZE_MAX);
    bool is_read = !ferror(file);
    if (!is_read)
        error_set(error, "cannot read history '%.200s': %s", path, strerror(errno));
    fclose(file);
    struct record_text text = {path, (const char *)bytes.data, bytes.size};
    is_read = is_read && record_parse(record, &text, format, error);
    sct_bytes_free(&bytes);
    return is_read;
}
