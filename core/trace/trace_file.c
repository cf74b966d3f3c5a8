#define _GNU_SOURCE // "e" of fopen
#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sct_trace_write(const char *path, const char *text, struct error *error) {
    struct error inner;
    return file_write(path, text, strlen(text), &inner) ||
           error_set(error, "cannot write the trace '%.200s': %.250s", path, inner.text);
}

static char *read_whole(FILE *in, size_t *length, struct error *error) {
    struct sct_bytes bytes = {0};
    if (!sct_bytes_read(&bytes, in, SCT_TRACE_BYTES_MAX)) {
        error_set(error, "larger than %d bytes", SCT_TRACE_BYTES_MAX);
        sct_bytes_free(&bytes);
        return NULL;
    }
    *length = bytes.size;
    // The NUL that parsing relies on, which is not counted.
    sct_bytes_add(&bytes, "", 1);
    return (char *)bytes.data;
}

bool sct_trace_read(const char *path, struct sct_trace *trace, struct error *error) {
    *trace = (struct sct_trace){0};
    FILE *in = fopen(path, "re");
    if (!in)
        return error_set(error, "cannot read the trace '%.200s': %s", path, strerror(errno));
    struct error inner = {{0}};
    size_t length = 0;
    char *text = read_whole(in, &length, &inner);
    bool failed = ferror(in) != 0;
    // fclose may set it again.
    int saved = errno;
    fclose(in);
    if (failed) {
        free(text);
        return error_set(error, "cannot read the trace '%.200s': %s", path, strerror(saved));
    }
    if (text && sct_trace_parse(text, length, trace, &inner))
        return true;
    return error_set(error, "trace '%.100s': %.400s", path, inner.text);
}
