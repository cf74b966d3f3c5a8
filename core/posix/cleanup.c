// What pthread_cleanup_push leaves behind when C code is compiled: a jump buffer for each open
// push. Whoever leaves the thread jumps to the last one, where the program's own code runs the
// routine and calls __pthread_unwind_next, which jumps to the one before. (C++ and -fexceptions
// unwind instead: not done here, see README.md.)
#include "core/posix/hook.h"
#include "core/posix/thread.h"

#include <pthread.h>
#include <setjmp.h>

// The buffer's first spare word links it to the one before.
static void **link_of(void *buffer) {
    return &((__pthread_unwind_buf_t *)buffer)->__pad[0];
}

void posix_clean_up(struct posix_thread *self) {
    __pthread_unwind_buf_t *buffer = self->cleanups;
    if (!buffer)
        return;
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
    posix_clean_up(posix_self());
    posix_thread_leave();
}
