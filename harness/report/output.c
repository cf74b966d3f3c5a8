#define _POSIX_C_SOURCE 200809L // open_memstream
#include "harness/report/output.h"
#include "core/base/assert.h"
#include "core/base/file.h"
#include "core/base/grow.h"

#include <stdlib.h>

static const char memory_name[] = "a report";

void output_begin(struct output *output) {
    *output = (struct output){.stream = NULL};
    output->stream = open_memstream(&output->bytes, &output->size);
    if (!output->stream)
        grow_failed(0, memory_name);
}

bool output_end(struct output *output, const char *path, struct error *error) {
    ASSERT(output->stream);
    if (fclose(output->stream) != 0)
        grow_failed(output->size, memory_name);
    bool is_written = file_write(path, output->bytes, output->size, error);
    free(output->bytes);
    *output = (struct output){.stream = NULL};
    return is_written;
}
