// How the command ends: the documented exit statuses (cli.md).
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

// Says on standard error what is wrong with the input; EXIT_USAGE.
int status_usage(const struct error *error);

// Flushes standard output; [status], unless that is clean and the report got lost, which must not
// look like success.
int status_flush(int status);

#endif
