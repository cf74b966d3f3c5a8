#include "core/posix/aside.h"
#include "core/base/assert.h"
#include "core/engine/execution.h"

#include <stdbool.h>
#include <ucontext.h>

enum { STACK_BYTES = 512 * 1024 }; // the debugging information of large programs is read on it

static ucontext_t here, there;
static char stack[STACK_BYTES];
static void (*present_work)(void *argument);
static void *present_argument;
static bool is_aside;

void posix_aside_begin(void) {
    is_aside = false;
}

static void enter(void) {
    present_work(present_argument);
}

// Of the contexts of libc, not of the pool's coroutines: whose turn it is does not change.
__attribute__((noinline)) void posix_aside(void (*work)(void *argument), void *argument) {
    if (is_aside || !sct_engine_inside()) {
        work(argument); // of an address, what is asked for may ask for others
        return;
    }
    is_aside = true;
    present_work = work;
    present_argument = argument;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, enter, 0);
    swapcontext(&here, &there);
    ASSERT(is_aside);
    is_aside = false;
}
