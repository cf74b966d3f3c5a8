// Where pointers of the program may be at its end: what no way leads to from there is lost.
#ifndef CORE_POSIX_ROOTS_H
#define CORE_POSIX_ROOTS_H

#include <stddef.h>

typedef void posix_look_at(void *context, const void *memory, size_t bytes);

// Tells, in pieces, of the program's variables, and of its threads: of those that live stacks,
// registers, thread-local variables, thread-specific values and what they were given; of those that
// have ended what nobody has taken by a join. Not of the heap.
void posix_roots_visit(posix_look_at *look, void *context);

#endif
