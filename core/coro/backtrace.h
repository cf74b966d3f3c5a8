// Backtraces by frame pointers, within one stack. Safe in signal handlers: reads nothing but that
// stack, allocates nothing. (The project is compiled with frame pointers.)
#ifndef CORE_CORO_BACKTRACE_H
#define CORE_CORO_BACKTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where code was interrupted or called.
struct sct_frame {
    uintptr_t program_counter; // a return address: behind the call; 0: unknown
    uintptr_t frame_pointer;
};

// The caller's own frame.
struct sct_frame sct_frame_here(void);

// The frame that a signal interrupted; [context] is the handler's third argument. Nothing (zeros)
// where the processor is not known.
struct sct_frame sct_frame_of_signal(const void *context);

// Stores up to [max] addresses of code, innermost first, of calls whose frames lie between [low]
// and [high]; returns how many.
uint32_t sct_backtrace(struct sct_frame from, const void *low, const void *high,
                       const void **addresses, uint32_t max);

// Of the innermost call between [low] and [high] that code made of which [is_inside] says no: an
// address that the caller's stack pointer was not below then (x86-64: the stack pointer itself).
// 0: there is none.
uintptr_t sct_frames_bottom(struct sct_frame from, const void *low, const void *high,
                            bool (*is_inside)(const void *code));

#endif
