// How a command ends, and what it says of itself on standard error: the documented exit statuses.
#ifndef HARNESS_CLI_STATUS_H
#define HARNESS_CLI_STATUS_H

#include "core/base/text.h"

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_VIOLATION = 1,
    EXIT_USAGE = 2,
    EXIT_TOOL_FAILED = 3,
    EXIT_NO_VERDICT = 4,
    EXIT_INTERRUPTED = 130,
};

// From now on messages begin with [name], which is kept.
void status_begin(const char *name);

// One line on standard error, "NAME: ...". What a terminal would obey in it is written as text.
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Says on standard error what is wrong with the input; EXIT_USAGE.
int status_usage(const struct error *error);

// Flushes standard output; [status], unless that is clean and the report got lost, which must not
// look like success.
int status_flush(int status);

#endif
