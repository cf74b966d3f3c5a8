#include "core/posix/hook.h"
#include "core/posix/objects.h"
#include "core/threads/lock.h"

#include <pthread.h>
#include <threads.h>

// The first one runs the function with the lock held; who comes meanwhile waits for the lock.
struct once {
    struct sct_lock lock;
    bool is_done;
};

static struct once *record_of(const void *control) {
    struct once *record = posix_object_find(control, POSIX_ONCE);
    if (record)
        return record;
    int state; // 2: done before main
    memcpy(&state, control, sizeof state);
    record = posix_object_new(control, POSIX_ONCE, sizeof *record);
    sct_lock_init(&record->lock, posix_object_title(control, POSIX_ONCE));
    record->is_done = state != 0;
    return record;
}

static void run_once(const void *control, void (*function)(void), const char *where) {
    struct once *record = record_of(control);
    sct_lock_acquire_at(&record->lock, where);
    if (!record->is_done)
        function();
    record->is_done = true;
    sct_lock_release_at(&record->lock, where);
}

HOOK int pthread_once(pthread_once_t *control, void (*function)(void)) {
    if (!posix_controls())
        return REAL(pthread_once)(control, function);
    run_once(control, function, WHERE);
    return 0;
}

HOOK void call_once(once_flag *flag, void (*function)(void)) {
    if (posix_controls())
        run_once(flag, function, WHERE);
    else
        REAL(call_once)(flag, function);
}
