// The options of `mtcheck run` that are about programs.
#ifndef HARNESS_PROGRAMS_OPTIONS_H
#define HARNESS_PROGRAMS_OPTIONS_H

#include "core/base/text.h"
#include "core/posix/world.h"

#include <stdio.h>

// A command line taken apart: what is for the program, what is for the tester, and the rest, which
// every command takes.
struct program_command {
    struct posix_options options;
    bool counts_graphs;
    bool isolates;    // each execution is in a process of its own
    bool proves;      // the verdict is one about all executions
    bool has_history; // it was given; else it may depend on what the options are for
    int argc;         // of the program
    char **argv;
    int rest_count;
    char **rest;              // [0] is left for the name of the command
    const char *suppressions; // a file; NULL: none
    struct text fixed;        // the options that fix an execution, each behind a space
    char fixed_bytes[1024];
};

// Takes apart PROGRAM [OPTION]... [-- ARGUMENT]...; the vectors are made with malloc.
bool program_command_parse(int argc, char **argv, struct program_command *command,
                           struct error *error);

// Changes what depends on whether all executions are to be gone through: loads choose from all
// stores, and a new thread begins at its creator's next point.
void program_options_search(struct program_command *command);

// What is given for the option of every command that is called [name] ("replay"); NULL: nothing.
const char *program_command_value(const struct program_command *command, const char *name);

// What `--help` says of them.
void program_options_print_help(FILE *out);

#endif
