// Variables of calls that have returned.
//
// A thread's variables lie above its stack pointer. What lies below it, of a thread that waits for
// its turn as of the one that runs, belonged to calls that have returned, and what lies on the
// stack of one that has ended to nobody: whoever accesses that has a pointer that has outlived what
// it points to. Where another call of that thread has taken the place meanwhile it is another
// variable, and not told from it. Of a block within a call that has ended nothing is known:
// compilers tell of calls alone.
#ifndef CORE_POSIX_FRAMES_H
#define CORE_POSIX_FRAMES_H

#include "core/memory/shadow.h"

#include <stdbool.h>
#include <stdint.h>

#define POSIX_KIND_USE_AFTER_RETURN "use-after-return"

struct posix_thread;

// From the lowest to the highest byte of all stacks that threads have had.
struct posix_stacks_span {
    uintptr_t low, bytes;
};
extern struct posix_stacks_span posix_stacks_span;

static inline bool posix_may_be_stack(const void *address) {
    return (uintptr_t)address - posix_stacks_span.low < posix_stacks_span.bytes;
}

// Nobody has a stack: to be called when an execution begins.
void posix_frames_begin(void);

// [self], which is running, begins on its stack.
void posix_frames_add(const struct posix_thread *self);

// The running thread accesses [bytes] bytes at [address] in the call that returns to [caller]: a
// violation if they lie on a stack and belong to no call that is under way.
void posix_frames_check(const void *address, size_t bytes, enum sct_access_kind kind,
                        const void *caller);

// The same for an object that the running thread uses: [what], such as "mutex".
void posix_frames_check_object(const void *address, const char *what);

#endif
