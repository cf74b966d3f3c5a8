// The options of `mtcheck run` that are about programs.
#ifndef HARNESS_PROGRAMS_OPTIONS_H
#define HARNESS_PROGRAMS_OPTIONS_H

#include "core/base/text.h"
#include "core/posix/world.h"

// A command line taken apart: what is for the program, what is for the tester, and the rest, which
// every command takes.
struct program_command {
    struct posix_options options;
    int argc; // of the program
    char **argv;
    int rest_count;
    char **rest; // [0] is left for the name of the command
};

// Takes apart PROGRAM [OPTION]... [-- ARGUMENT]...; the vectors are made with malloc.
bool program_command_parse(int argc, char **argv, struct program_command *command,
                           struct error *error);

// The trace that is to be replayed; NULL: none is.
const char *program_command_replay(const struct program_command *command);

// What `mtcheck run --help` says of them.
extern const char program_options_help[];

#endif
