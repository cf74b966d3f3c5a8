// A report on its way to a file: made in memory, and written all or nothing (core/base/file.h).
#ifndef HARNESS_REPORT_OUTPUT_H
#define HARNESS_REPORT_OUTPUT_H

#include "core/base/text.h"

#include <stdio.h>

enum { REPORT_PATH_MAX = 4000 }; // bytes of a path that is named on the command line

struct output {
    FILE *stream; // write here
    char *bytes;
    size_t size;
};

void output_begin(struct output *output);

// Writes the file at [path] and forgets the rest. False with the reason, without the path.
bool output_end(struct output *output, const char *path, struct error *error);

#endif
