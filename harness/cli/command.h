// Commands: a command line over subjects. Parses, runs, reports; returns the documented exit
// status. mtcheck, the suites of core/run/runner.h and whatever else is run by this library are
// commands.
#ifndef HARNESS_CLI_COMMAND_H
#define HARNESS_CLI_COMMAND_H

#include "harness/cli/options.h"
#include "harness/report/execution/report.h"
#include "harness/subject/subject.h"

#include <stdio.h>

struct command {
    const char *name; // begins messages
    struct report_call call;
    // NULL after the last, the first is the default. Of other fronts than FRONT_MODELS: one.
    const struct subject *const *subjects;
    enum front front;
    const char *help;                 // what stands before the list of options
    void (*print_options)(FILE *out); // further ones, below that; NULL: there are none
};

// One command at a time; the process is the command's until it returns.
int command_run(const struct command *command, int argc, char **argv);

#endif
