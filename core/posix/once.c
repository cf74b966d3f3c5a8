#include "core/posix/atomic.h"
#include "core/posix/hook.h"
#include "core/posix/images.h"
#include "core/posix/objects.h"
#include "core/threads/lock.h"

#include <pthread.h>
#include <threads.h>

// The first one runs the function with the lock held; who comes meanwhile waits for the lock. C++
// does the same for its local statics, in two calls.
_Static_assert(sizeof(pthread_once_t) == sizeof(int), "a state is an int");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "C11's is POSIX's");

struct once {
    struct sct_lock lock;
    bool is_done;
};

static struct once *record_of(const void *control) {
    struct once *record = posix_object_find(control, POSIX_ONCE);
    ASSERT(posix_controls());
    if (record)
        return record;
    int state; // glibc's __PTHREAD_ONCE_DONE, 2, or bytes of a guard: done before main
    memcpy(&state, control, sizeof state);
    record = posix_object_new(control, POSIX_ONCE, sizeof *record);
    sct_lock_init(&record->lock, posix_object_title(control, POSIX_ONCE));
    record->is_done = state != 0;
    return record;
}

static void run_once(const void *control, void (*function)(void), const char *where) {
    struct once *record = record_of(control);
    sct_lock_acquire_at(&record->lock, where);
    // The bytes of the control stay as they are: whoever comes later looks at the record, in this
    // execution as in the next one.
    if (!record->is_done)
        function();
    ASSERT(record->lock.holder == sct_self());
    record->is_done = true;
    sct_lock_release_at(&record->lock, where);
}

// ---- Libraries of others -----------------------------------------------------------------------

// What such a library does once it does once in the process, since its variables are not put back:
// as calls under control these would be missing from later executions, and what they allocate would
// be gone. No thread of the program's comes between.
static bool is_of_process(const void *control) {
    return posix_controls() && posix_is_foreign(control);
}

static const uint64_t *process_guard; // that is being done: the tester works meanwhile

static void leave_guard(const uint64_t *guard) {
    // Guards that open and close within it pass through as the tester's do: only its own end is the
    // end of that.
    if (guard == process_guard)
        posix_leave_tool();
    process_guard = guard == process_guard ? NULL : process_guard;
}

// ---- Local statics of C++ ----------------------------------------------------------------------

// Itanium C++ ABI, "One-time construction API": the first byte of the 64-bit guard is not 0 (on
// ARM: its lowest bit is set) once the object is made; compiled code loads it with acquire, and
// calls these only if it is not.

// What the program looks at itself is an atomic variable.
static void open_guard(uint64_t *guard, const void *caller) {
    ASSERT(posix_controls());
    posix_atomic_store((struct posix_atomic){guard, 1, caller}, 1, SCT_RELEASE);
}

int __cxa_guard_acquire(uint64_t *guard);
HOOK int __cxa_guard_acquire(uint64_t *guard) {
    if (is_of_process(guard)) {
        int begins = REAL(__cxa_guard_acquire)(guard);
        if (begins) {
            process_guard = guard;
            posix_enter_tool();
        }
        return begins;
    }
    if (!posix_controls())
        return REAL(__cxa_guard_acquire)(guard);
    struct once *record = record_of(guard);
    // Told to begin, the caller keeps the lock until it releases or aborts the guard: who comes
    // meanwhile waits for the lock, as the ABI has it.
    sct_lock_acquire_at(&record->lock, WHERE);
    if (!record->is_done)
        return 1;
    sct_lock_release_at(&record->lock, WHERE);
    return 0;
}

void __cxa_guard_release(uint64_t *guard);
HOOK void __cxa_guard_release(uint64_t *guard) {
    if (!posix_controls()) {
        REAL(__cxa_guard_release)(guard);
        leave_guard(guard);
        return;
    }
    struct once *record = record_of(guard);
    // The guard before the lock: who waits for the lock then finds it done.
    record->is_done = true;
    open_guard(guard, CALLER);
    sct_lock_release_at(&record->lock, WHERE);
}

// The constructor has thrown: the next one who comes tries again.
void __cxa_guard_abort(uint64_t *guard);
HOOK void __cxa_guard_abort(uint64_t *guard) {
    if (posix_controls()) {
        sct_lock_release_at(&record_of(guard)->lock, WHERE);
        return;
    }
    REAL(__cxa_guard_abort)(guard);
    leave_guard(guard);
}

// ---- POSIX and C11 -----------------------------------------------------------------------------

HOOK int pthread_once(pthread_once_t *control, void (*function)(void)) {
    if (!posix_controls())
        return REAL(pthread_once)(control, function);
    if (is_of_process(control)) {
        posix_enter_tool();
        int error = REAL(pthread_once)(control, function);
        posix_leave_tool();
        return error;
    }
    run_once(control, function, WHERE);
    return 0;
}

HOOK void call_once(once_flag *flag, void (*function)(void)) {
    if (posix_controls())
        run_once(flag, function, WHERE);
    else
        REAL(call_once)(flag, function);
}
