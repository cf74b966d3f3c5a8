#define _GNU_SOURCE // pthread_attr_setstack
#include "core/posix/locals.h"
#include "core/base/assert.h"
#include "core/coro/coro.h"
#include "core/engine/machine.h"
#include "core/posix/real.h"
#include "core/posix/world.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Room for the block, which lies at the top of the stack, and for the little that lenders do.
enum { LENDER_BYTES = 256 * 1024 };

_Static_assert(LENDER_BYTES % 4096 == 0, "a stack is whole pages");

static void *blocks[POSIX_BLOCKS_MAX];
static sem_t is_lent;

// Signals are not for it. The real functions: to a hook its calls would be the program's.
static void *lend(void *index) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    ASSERT(!blocks[(uintptr_t)index]);
    blocks[(uintptr_t)index] = sct_coro_thread_pointer();
    REAL(sem_post)(&is_lent);
    // As long as the process: the C library frees a block with its thread.
    for (;;)
        REAL(pause)();
    return NULL;
}

// On a stack of its own: the C library would hand the lender's on after a fork, block and all (in
// the child it takes the stacks of all threads but one for free).
static void make(unsigned index) {
    pthread_attr_t attributes;
    pthread_t lender;
    void *stack = mmap(NULL, LENDER_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    ASSERT(!blocks[index]);
    REAL(sem_init)(&is_lent, 0, 0);
    pthread_attr_init(&attributes);
    if (stack == MAP_FAILED || pthread_attr_setstack(&attributes, stack, LENDER_BYTES) != 0 ||
        REAL(pthread_create)(&lender, &attributes, lend, (void *)(uintptr_t)index) != 0)
        fail_at(FAIL_RESOURCE, HERE, "the system gives no thread to borrow thread-local variables");
    pthread_attr_destroy(&attributes);
    while (REAL(sem_wait)(&is_lent) != 0)
        ; // a signal of the tester's
    ASSERT(blocks[index]);
}

void *posix_locals_block(unsigned index) {
    ASSERT(index > 0 && index < POSIX_BLOCKS_MAX); // 0 is the process's own
    if (!blocks[index]) {
        posix_enter_tool();
        make(index);
        posix_leave_tool();
    }
    return blocks[index];
}
