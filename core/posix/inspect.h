// What can be seen of a program between two of its steps, for reports: its locks, its atomics, its
// source. Looks only; by name, in the order of names.
#ifndef CORE_POSIX_INSPECT_H
#define CORE_POSIX_INSPECT_H

#include <stdint.h>

struct posix_lock_state {
    const char *name, *kind;
    char held_by[100], waited_for_by[200]; // names of threads, "a, b"; "": nobody
};

void posix_locks_inspect(void (*visit)(void *context, const struct posix_lock_state *state),
                         void *context);

// Atomic variables that were used in an execution that is told: the newest value of each.
void posix_atomics_inspect(void (*visit)(void *context, const char *name, uint64_t value),
                           void *context);

// The line of source at [place], a text of posix_place; NULL if it cannot be read. Lives to the end
// of the process.
const char *posix_source_line(const char *place);

#endif
