#define _GNU_SOURCE // registers of ucontext_t
#include "core/coro/backtrace.h"
#include "core/base/assert.h"

#include <ucontext.h>

#if defined(__has_attribute)
#if __has_attribute(no_sanitize)
#define READS_FOREIGN_STACKS __attribute__((no_sanitize("address")))
#endif
#endif
#ifndef READS_FOREIGN_STACKS
#define READS_FOREIGN_STACKS
#endif

// What a frame pointer points to, on x86-64 and AArch64 alike.
struct saved {
    uintptr_t caller_frame;
    uintptr_t return_address;
};

// Not inlined: its own frame is what it looks at.
__attribute__((noinline)) READS_FOREIGN_STACKS struct sct_frame sct_frame_here(void) {
    const struct saved *saved = __builtin_frame_address(0);
    return (struct sct_frame){saved->return_address, saved->caller_frame};
}

struct sct_frame sct_frame_of_signal(const void *context) {
    const ucontext_t *registers = context;
    ASSERT(context);
    struct sct_frame frame = {0, 0};
#if defined(__x86_64__)
    frame.program_counter = (uintptr_t)registers->uc_mcontext.gregs[REG_RIP];
    frame.frame_pointer = (uintptr_t)registers->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
    frame.program_counter = (uintptr_t)registers->uc_mcontext.pc;
    frame.frame_pointer = (uintptr_t)registers->uc_mcontext.regs[29];
#else
    (void)registers;
#endif
    frame.program_counter += frame.program_counter != 0; // as if the instruction were a call
    return frame;
}

READS_FOREIGN_STACKS uintptr_t sct_frames_bottom(struct sct_frame from, const void *low,
                                                 const void *high,
                                                 bool (*is_inside)(const void *code)) {
    ASSERT(low < high && is_inside);
    uintptr_t first = (uintptr_t)low, last = (uintptr_t)high - sizeof(struct saved);
    uintptr_t frame = from.frame_pointer;
    while (frame >= first && frame <= last && frame % sizeof(uintptr_t) == 0) {
        const struct saved *saved = (const struct saved *)frame;
        // Above these two words is what the caller had before the call (System V ABI, 3.2.2). On
        // AArch64 the variables of whoever was called may lie there, too.
        if (!is_inside((const void *)saved->return_address))
            return saved->return_address ? frame + sizeof *saved : 0;
        if (saved->caller_frame <= frame)
            return 0;
        frame = saved->caller_frame;
    }
    return 0;
}

READS_FOREIGN_STACKS uint32_t sct_backtrace(struct sct_frame from, const void *low,
                                            const void *high, const void **addresses,
                                            uint32_t max) {
    ASSERT(low < high && addresses);
    uint32_t count = 0;
    // Whatever the words of a broken stack say, only words of this stack are read, ever higher up:
    // it ends.
    uintptr_t first = (uintptr_t)low, last = (uintptr_t)high - sizeof(struct saved);
    // Frame pointers and no unwind tables: they can be followed in a signal handler, on a stack
    // that may be broken, without a lock or memory. The build keeps them (-fno-omit-frame-pointer).
    if (from.program_counter && count < max)
        addresses[count++] = (const void *)from.program_counter;
    uintptr_t frame = from.frame_pointer;
    while (count < max && frame >= first && frame <= last && frame % sizeof(uintptr_t) == 0) {
        const struct saved *saved = (const struct saved *)frame;
        if (saved->return_address == 0)
            break;
        addresses[count++] = (const void *)saved->return_address;
        if (saved->caller_frame <= frame)
            break; // callers are higher up
        frame = saved->caller_frame;
    }
    return count;
}
