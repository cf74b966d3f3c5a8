// Stackful coroutines: pooled, guarded stacks and the only context switch of the project.
//
// A switch saves the callee-saved registers and swaps stack pointers (own code for x86-64 and
// AArch64, ucontext elsewhere or with -DSCT_UCONTEXT). The floating-point control words are not
// switched: code under test must not change rounding modes across a scheduling point. Each
// coroutine has its errno, 0 at first; other thread-local variables are shared, unless they are
// given thread pointers of their own. All sanitizer calls about stacks are in this file. Nothing
// here knows machines or choices.
//
// Abandoned coroutines are normal: an execution that ends early leaves them suspended, no clean-up
// code of theirs runs, and their stacks are used again. Code in a coroutine therefore owns nothing
// but arena memory.
#ifndef CORE_CORO_CORO_H
#define CORE_CORO_CORO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One coroutine. The program's own stack is represented by a zeroed one, initialised by the first
// switch away from it.
struct sct_coro {
    void *stack_pointer;      // where it continues
    void *thread_pointer;     // while it runs; NULL: the process's own
    int errno_kept;           // while it is suspended
    uint32_t number;          // how many were made before
    size_t place;             // in the pool's order, while it is taken
    void (*function)(void *); // must not return
    void *argument;
    char *stack_low; // lowest usable byte; NULL: the program's own stack
    size_t stack_bytes;
    // Here a second cache line begins.
    struct sct_coro *next_made; // all coroutines of the pool
    void *context;              // ucontext only
    void *fake_stack;           // AddressSanitizer only
};

struct sct_coro_pool {
    struct sct_coro *made_list; // the last made first
    struct sct_coro **order;    // all: the taken ones, then the free ones
    size_t taken_count;
    size_t touched_count; // the most ever taken: those behind are in the order of being made
    size_t made_count;
    size_t order_capacity;
    size_t stack_bytes, guard_bytes; // of each, multiples of the page
};

// Whether a suspended coroutine can be copied and put back at the same addresses: all of it is its
// struct sct_coro and what lies above its stack pointer. Not so with ucontext, nor where a
// sanitizer knows more of a stack than what it holds.
bool sct_coro_can_be_copied(void);

// [stack_bytes] per coroutine and below them [guard_bytes] that nobody can touch, rounded up to
// pages. No stack is made before it is needed.
void sct_coro_pool_init(struct sct_coro_pool *pool, size_t stack_bytes, size_t guard_bytes);

void sct_coro_pool_deinit(struct sct_coro_pool *pool);

// Makes stacks until there are [count], so that taking one does not have to.
void sct_coro_pool_reserve(struct sct_coro_pool *pool, size_t count);

// Takes back every coroutine, suspended ones too. Who is taken when is then as it was at first.
void sct_coro_pool_reset(struct sct_coro_pool *pool);

// A coroutine that will run [function]([argument]) when first switched to. The function must end by
// switching away for good. FAIL_RESOURCE when the system gives no more stacks.
struct sct_coro *sct_coro_take(struct sct_coro_pool *pool, void (*function)(void *),
                               void *argument);

// What others have left on the stack of [coro], which was just taken, is zero, as on a new one, as
// far down as anything was left: behind 2 KiB of zeros there is taken to be nothing.
void sct_coro_clear_stack(struct sct_coro *coro);

// The same from [at] down, of a suspended one; how many bytes below its stack pointer are not to be
// taken for such zeros.
void sct_coro_clear_below(struct sct_coro *coro, char *at);
size_t sct_coro_left(const struct sct_coro *coro);

// Gives [coro] back for reuse. It may be the running one: then it must switch away next.
void sct_coro_give_back(struct sct_coro_pool *pool, struct sct_coro *coro);

// Suspends [from] (the running one) and continues [to]. Returns when somebody switches to [from].
void sct_coro_switch(struct sct_coro *from, struct sct_coro *to);

// The running [coro] has thread-local variables of its own from now on: [thread_pointer] is a
// thread pointer of the system's, whose block is in order (one that a kernel thread has or had), or
// NULL, the process's own. A coroutine that is taken begins with NULL.
void sct_coro_use_thread_pointer(struct sct_coro *coro, void *thread_pointer);

// The thread pointer in force: in a kernel thread of its own, what others may be given.
void *sct_coro_thread_pointer(void);

// Stores up to [max] return addresses of the suspended [coro], innermost first; returns how many (0
// with ucontext).
uint32_t sct_coro_backtrace(const struct sct_coro *coro, const void **addresses, uint32_t max);

// sct_frames_bottom of the suspended [coro]; 0 with ucontext, and if it has not begun.
uintptr_t sct_coro_bottom(const struct sct_coro *coro, bool (*is_inside)(const void *code));

// Whether [address] lies in the guard below one of the pool's stacks.
bool sct_coro_in_guard(const struct sct_coro_pool *pool, const void *address);

#endif
