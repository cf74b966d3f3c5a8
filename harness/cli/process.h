// The command as a process: signals, and failures outside an execution.
#ifndef HARNESS_CLI_PROCESS_H
#define HARNESS_CLI_PROCESS_H

#include "core/base/text.h"

#include <signal.h>

// Not 0 after the first SIGINT, SIGTERM or SIGHUP; the second one ends the process.
extern volatile sig_atomic_t process_interrupted;

void process_catch_interrupts(void);

// Standard streams that are closed are opened, to nothing: else the next file that is opened would
// be taken for one of them. Before any file is opened.
void process_open_streams(void);

// Asks for a stack that is large enough, if the process has less (ulimit -s). False, with what
// would be needed, if it does not get it.
bool process_has_stack(struct error *error);

// From now on a failure of the tool itself, or a system under test that calls exit(), ends the
// process with EXIT_TOOL_FAILED and a line on standard error.
void process_watch_failures(void);

#endif
