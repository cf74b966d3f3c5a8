// What pthread_cleanup_push leaves behind when C code is compiled: a jump buffer for each open
// push. Whoever leaves the thread jumps to the last one, where the program's own code runs the
// routine and calls __pthread_unwind_next, which jumps to the one before. (C++ and -fexceptions
// unwind instead: not done here, see README.md.)
#include "core/posix/hook.h"
#include "core/posix/thread.h"

#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>

// <pthread.h> of glibc: the macro pthread_cleanup_push is __sigsetjmp and the registration below,
// its frame that of the function which uses it. So the buffers are where they stay valid, and are
// left in the opposite order, by the macro pthread_cleanup_pop or by leaving the thread.
_Static_assert(sizeof(((__pthread_unwind_buf_t *)NULL)->__pad) >= sizeof(void *),
               "the buffer has a spare word");
_Static_assert(offsetof(__pthread_unwind_buf_t, __cancel_jmp_buf) == 0,
               "longjmp finds the registers at the buffer's begin");

// The buffer's first spare word links it to the one before.
static void **link_of(void *buffer) {
    return &((__pthread_unwind_buf_t *)buffer)->__pad[0];
}

void posix_clean_up(struct posix_thread *self) {
    __pthread_unwind_buf_t *buffer = self->cleanups;
    if (!buffer)
        return;
    ASSERT(self == posix_self()); // whose stack the jump goes to
    // Unlinked first: what the routine pushes itself, and an exit in it, must not find it again.
    self->cleanups = *link_of(buffer);
    // Its first part is that of a jmp_buf, and says that no signal mask was saved behind it.
    void *start = buffer;
    longjmp(start, 1);
}

HOOK void __pthread_register_cancel(__pthread_unwind_buf_t *buffer) {
    if (!posix_controls()) {
        REAL(__pthread_register_cancel)(buffer);
        return;
    }
    struct posix_thread *self = posix_self();
    *link_of(buffer) = self->cleanups;
    self->cleanups = buffer;
}

HOOK void __pthread_unregister_cancel(__pthread_unwind_buf_t *buffer) {
    if (posix_controls())
        posix_self()->cleanups = *link_of(buffer);
    else
        REAL(__pthread_unregister_cancel)(buffer);
}

HOOK void __pthread_unwind_next(__pthread_unwind_buf_t *buffer) {
    if (!posix_controls())
        REAL(__pthread_unwind_next)(buffer);
    // The routine that was jumped to has run. If there is another one this does not return; else
    // all is cleaned up, and the thread is left as at pthread_exit.
    posix_clean_up(posix_self());
    posix_thread_leave();
}
