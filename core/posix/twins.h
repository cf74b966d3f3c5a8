// Threads that begin alike, for searches that try one order of them only (--symmetry;
// core/search/sleep.h has the argument).
//
// Of one kin are threads that one thread creates in a row, in one step, with the same function,
// argument and detach state, where between the creations it accesses no memory that the compiler
// tells of and makes nothing. They are told apart by handles, and so may be nothing but joined: by
// whoever has created them, in a row, with nothing in between but a look at a handle, and with
// results that are equal if somebody takes them. A program that does more with a handle that the
// tester sees (pthread_self in one of them, a detach, a signal, another access between two of the
// joins) is refused. What it does not see the program may not do: compare handles by order, or
// addresses of variables of different threads, or make values of either.
#ifndef CORE_POSIX_TWINS_H
#define CORE_POSIX_TWINS_H

#include "core/posix/thread.h"
#include "core/posix/world.h"

struct posix_kin;

// To be called when an execution begins.
void posix_twins_begin(void);

// The running thread has created [thread], whose task is to be started: of which kin it is.
void posix_twins_add(struct posix_thread *thread);

// The running thread, in the call that returns to [caller], has joined [thread], and takes its
// result or not.
void posix_twins_joined(const struct posix_thread *thread, bool takes_result, const void *caller);

// It does something else with the handle of [thread]; it, or the program, is about to end.
void posix_twins_named(const struct posix_thread *thread, const void *caller);
void posix_twins_end(void);

// It accesses memory, or learns something of what others have done.
void posix_twins_look(const void *address, size_t bytes, bool writes, const void *caller);
static inline void posix_twins_access(const void *address, size_t bytes, bool writes,
                                      const void *caller) {
    if (__builtin_expect(posix_world.twins_maker != NULL, 0))
        posix_twins_look(address, bytes, writes, caller);
}

#endif
