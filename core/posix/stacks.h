// In which calls, and holding which locks, the program accessed its memory: for the report of a
// race, whose earlier access is long over when the race is found.
//
// Kept only in executions that somebody listens to. A race is found in one that nobody does, and
// told by running that execution again, exactly: so nothing is paid for while looking.
#ifndef CORE_POSIX_STACKS_H
#define CORE_POSIX_STACKS_H

#include "core/base/text.h"
#include "core/memory/shadow.h"

// To be called when an execution begins.
void posix_stacks_begin(void);

// The running thread accesses [bytes] bytes at [address] in the call that returns to [place].
void posix_stacks_note(uintptr_t address, size_t bytes, enum sct_access_kind kind,
                       const void *place);

// Adds "write by main: q.c:41 (put) < main.c:12 (work)" for the last access of anybody to the eight
// bytes of [address]; false if none is known.
bool posix_stacks_tell_last(uintptr_t address, struct text *text);

// Adds "q.c:41 (put) < main.c:12 (work), holding lock" for the last such access of [thread] to the
// eight bytes of [address]; false if it is not known.
bool posix_stacks_tell(uintptr_t address, uint32_t thread, enum sct_access_kind kind,
                       const void *place, struct text *text);

#endif
