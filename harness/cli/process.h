// The command as a process: its exit statuses, signals, and failures outside an execution.
#ifndef HARNESS_CLI_PROCESS_H
#define HARNESS_CLI_PROCESS_H

#include <signal.h>

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_VIOLATION = 1,
    EXIT_USAGE = 2,
    EXIT_TOOL_FAILED = 3,
    EXIT_NO_VERDICT = 4,
    EXIT_INTERRUPTED = 130,
};

// Not 0 after the first SIGINT or SIGTERM; the second one ends the process.
extern volatile sig_atomic_t process_interrupted;

void process_catch_interrupts(void);

// From now on a failure of the tool itself, or a system under test that calls exit(), ends the
// process with EXIT_TOOL_FAILED and a line on standard error.
void process_watch_failures(void);

#endif
