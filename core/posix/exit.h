// The end of the program, and verdicts about it.
#ifndef CORE_POSIX_EXIT_H
#define CORE_POSIX_EXIT_H

#include "core/posix/world.h"

// To be called before the first execution: handlers that constructors have registered are there in
// each; and when an execution begins.
void posix_exit_save(void);
void posix_exit_begin(void);

// As exit(): runs the handlers and ends the execution.
_Noreturn void posix_exit(int status);

// [self], which is running, ends, and others live: if it has exited, handlers of exit are left to
// whoever exits next.
void posix_exit_left(const struct posix_thread *self);

// A violation of [kind], whose message says where: the text of posix_place, or NULL.
_Noreturn void posix_violate(const char *kind, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define POSIX_KIND_EXIT_STATUS "exit-status"

#endif
