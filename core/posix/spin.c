#define _GNU_SOURCE // pthread_spinlock_t
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/objects.h"
#include "core/threads/lock.h"

#include <errno.h>
#include <pthread.h>

// As a lock that is waited for: a spin would only be steps without an effect, and who holds it goes
// on in any case. PTHREAD_PROCESS_SHARED makes no difference.
static struct sct_lock *new_lock(pthread_spinlock_t *lock) {
    ASSERT(posix_controls());
    struct sct_lock *record = posix_object_new((const void *)lock, POSIX_SPIN, sizeof *record);
    sct_lock_init(record, posix_object_title((const void *)lock, POSIX_SPIN));
    return record;
}

// One that was initialised before main is taken for free.
static struct sct_lock *record_of(pthread_spinlock_t *lock) {
    struct sct_lock *record = posix_object_find((const void *)lock, POSIX_SPIN);
    return record ? record : new_lock(lock);
}

HOOK int pthread_spin_init(pthread_spinlock_t *lock, int is_shared) {
    int error = REAL(pthread_spin_init)(lock, is_shared);
    if (posix_controls() && error == 0)
        new_lock(lock);
    return error;
}

HOOK int pthread_spin_destroy(pthread_spinlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_spin_destroy)(lock);
    sct_lock_destroy_at(record_of(lock), WHERE);
    posix_object_end((void *)(uintptr_t)lock);
    return 0;
}

HOOK int pthread_spin_lock(pthread_spinlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_spin_lock)(lock);
    struct sct_lock *record = record_of(lock);
    const char *where = WHERE;
    // Before the lock's own check, which would say misuse: a real one spins for ever here, or says
    // EDEADLK (POSIX).
    if (record->holder == sct_self())
        posix_violate(SCT_KIND_DEADLOCK, where, "spinlock '%s' is locked again by its holder",
                      record->object.name);
    sct_lock_acquire_at(record, where);
    ASSERT(record->holder == sct_self());
    return 0;
}

HOOK int pthread_spin_trylock(pthread_spinlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_spin_trylock)(lock);
    return sct_lock_try_at(record_of(lock), WHERE) ? 0 : EBUSY;
}

HOOK int pthread_spin_unlock(pthread_spinlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_spin_unlock)(lock);
    sct_lock_release_at(record_of(lock), WHERE);
    return 0;
}
