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

// ---- For the readers ---------------------------------------------------------------------------

bool reader_next_line(struct reader *reader) {
    if (reader->next == reader->end)
        return false;
    size_t rest = (size_t)(reader->end - reader->next);
    const char *newline = memchr(reader->next, '\n', rest);
    reader->at = reader->next;
    reader->line_end = newline ? newline : reader->end;
    reader->next = newline ? newline + 1 : reader->end;
    reader->line++;
    while (reader->line_end > reader->at && strchr(" \t\r", reader->line_end[-1]) &&
           reader->line_end[-1])
        reader->line_end--;
    return true;
}

// printf, with file and line before it.
__attribute__((format(printf, 2, 3))) static bool fail(struct reader *reader, const char *format,
                                                       ...) {
    char message[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(reader->error, "%.150s:%" PRIu32 ": %s", reader->name, reader->line, message);
}

bool reader_expected(struct reader *reader, const char *expected) {
    char found[64];
    size_t length = 0;
    // Foreign bytes go to a terminal: only printable ones are shown as they are.
    for (const char *at = reader->at; at < reader->line_end && length + 1 < sizeof found; at++)
        found[length++] = (char)(*at >= ' ' && *at <= '~' ? *at : '.');
    found[length] = '\0';
    if (length == 0)
        return fail(reader, "expected %s, found the end of the line", expected);
    return fail(reader, "expected %s, found '%s'", expected, found);
}

static const char memory_name[] = "a history";

static void note_line(struct reader *reader) {
    struct record *record = reader->record;
    uint32_t count = record->history.event_count;
    GROW(record->lines, count, record->line_capacity, memory_name);
    ASSERT(count > 0); // the event was added
    record->lines[count - 1] = reader->line;
}

// Where the open operation of [process] is kept.
static uint32_t *open_call(struct reader *reader, uint32_t process) {
    ASSERT(process < READER_PROCESSES_MAX);
    // By process number, which is bounded: an array, with 0 for no open call.
    uint32_t known = reader->open_capacity;
    GROW(reader->open_calls, process + 1, reader->open_capacity, memory_name);
    for (; known < reader->open_capacity; known++)
        reader->open_calls[known] = 0;
    return &reader->open_calls[process];
}

bool reader_call(struct reader *reader, const struct sct_operation *call) {
    uint32_t *open = open_call(reader, call->process);
    if (*open != 0)
        return fail(reader, "process %" PRIu32 " calls, but its call of line %" PRIu32 " is open",
                    call->process,
                    reader->record->lines[reader->record->history.operations[*open - 1].called_at]);
    ASSERT(call->process < reader->open_capacity);
    *open = sct_history_call(&reader->record->history, call) + 1;
    note_line(reader);
    return true;
}

bool reader_find_open(struct reader *reader, uint32_t process, uint32_t function, uint32_t *index) {
    uint32_t open = *open_call(reader, process);
    if (open == 0)
        return fail(reader, "process %" PRIu32 " returns, but it has no call open", process);
    *index = open - 1;
    ASSERT(*index < reader->record->history.operation_count);
    const struct sct_operation *operation = &reader->record->history.operations[*index];
    if (operation->function != function)
        return fail(reader,
                    "process %" PRIu32
                    " returns from something else than its call of line %" PRIu32,
                    process, reader->record->lines[operation->called_at]);
    return true;
}

bool reader_return(struct reader *reader, uint32_t index, const uint64_t *output) {
    struct sct_history *history = &reader->record->history;
    ASSERT(index < history->operation_count);
    *open_call(reader, history->operations[index].process) = 0;
    if (output)
        sct_history_return(history, index, *output);
    else
        sct_history_return_unknown(history, index);
    note_line(reader);
    return true;
}

static bool add(struct reader *reader, struct strings *strings, struct span span,
                uint64_t *number) {
    *number = strings_add(strings, span.text, span.length);
    return *number != STRINGS_FULL || fail(reader, "too much text in this history");
}

bool reader_value(struct reader *reader, struct span span, uint64_t *value) {
    return add(reader, &reader->record->store.values, span, value);
}

bool reader_key(struct reader *reader, struct span span, uint64_t *key) {
    return add(reader, &reader->record->store.keys, span, key);
}

// ---- Files -------------------------------------------------------------------------------------

void record_free(struct record *record) {
    ASSERT(record->history.operation_count <= record->history.operation_capacity);
    sct_history_deinit(&record->history);
    store_deinit(&record->store);
    free(record->lines);
    *record = (struct record){0};
}

bool record_parse(struct record *record, const char *name, const char *text, size_t bytes,
                  const struct record_format *format, struct error *error) {
    ASSERT(format->read);
    *record = (struct record){0};
    sct_history_init(&record->history);
    store_init(&record->store);
    struct reader reader = {
        .name = name,
        .next = text,
        .end = text + bytes,
        .record = record,
        .error = error,
    };
    bool is_read = format->read(&reader);
    if (is_read && record->history.operation_count == 0)
        is_read = error_set(error, "%.200s: expected operations of the format %s, found none", name,
                            format->name);
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
    struct sct_bytes text = {0};
    sct_bytes_read(&text, file, SIZE_MAX);
    bool is_read = !ferror(file);
    if (!is_read)
        error_set(error, "cannot read history '%.200s': %s", path, strerror(errno));
    fclose(file);
    is_read =
        is_read && record_parse(record, path, (const char *)text.data, text.size, format, error);
    sct_bytes_free(&text);
    return is_read;
}
