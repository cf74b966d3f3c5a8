#define _GNU_SOURCE // pthread_rwlock_clockrdlock
#include "core/threads/rwlock.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/objects.h"
#include "core/posix/time.h"

#include <errno.h>
#include <pthread.h>

static struct sct_rwlock *new_rwlock(const pthread_rwlock_t *lock) {
    ASSERT(posix_controls());
    struct sct_rwlock *record = posix_object_new(lock, POSIX_RWLOCK, sizeof *record);
    sct_rwlock_init(record, posix_object_title(lock, POSIX_RWLOCK));
    return record;
}

static struct sct_rwlock *record_of(const pthread_rwlock_t *lock) {
    ASSERT(posix_controls());
    struct sct_rwlock *record = posix_object_find(lock, POSIX_RWLOCK);
    return record ? record : new_rwlock(lock);
}

// To read again while one reads is allowed, and counted, as POSIX has it.
// glibc notices who writes already (EDEADLK); who reads already would wait for itself.
static void check_mine(const struct sct_rwlock *record, bool for_writing, const char *where) {
    if (record->writer == sct_self() || (for_writing && sct_rwlock_reads(record)))
        posix_violate(SCT_KIND_DEADLOCK, where, "rwlock '%s' is locked again by the one who %s",
                      record->object.name, record->writer ? "writes" : "reads");
}

static int read_lock(pthread_rwlock_t *lock, const char *where) {
    struct sct_rwlock *record = record_of(lock);
    check_mine(record, false, where);
    sct_rwlock_read_at(record, where, SCT_WAIT_FOR_EVER);
    ASSERT(sct_rwlock_reads(record) && !record->writer);
    return 0;
}

static int write_lock(pthread_rwlock_t *lock, const char *where) {
    struct sct_rwlock *record = record_of(lock);
    check_mine(record, true, where);
    sct_rwlock_write_at(record, where, SCT_WAIT_FOR_EVER);
    ASSERT(record->writer == sct_self() && record->reader_count == 0);
    return 0;
}

// How a timed call ends.
static int timed_result(bool is_locked, clockid_t clock, const struct timespec *deadline) {
    ASSERT(posix_is_deadline(deadline));
    if (!is_locked)
        posix_time_reaches(clock, deadline);
    return is_locked ? 0 : ETIMEDOUT;
}

static int read_lock_until(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *deadline,
                           const char *where) {
    struct sct_rwlock *record = record_of(lock);
    if (!posix_is_deadline(deadline))
        return EINVAL;
    check_mine(record, false, where);
    // POSIX: a deadline that has passed is no reason to fail where the lock is free.
    bool is_locked = posix_is_past(clock, deadline)
                         ? sct_rwlock_try_read_at(record, where)
                         : sct_rwlock_read_at(record, where, posix_patience(deadline));
    ASSERT(!is_locked || sct_rwlock_reads(record)); // it may have read before
    return timed_result(is_locked, clock, deadline);
}

static int write_lock_until(pthread_rwlock_t *lock, clockid_t clock,
                            const struct timespec *deadline, const char *where) {
    struct sct_rwlock *record = record_of(lock);
    if (!posix_is_deadline(deadline))
        return EINVAL;
    check_mine(record, true, where);
    // As above: a free lock is taken however late it is.
    bool is_locked = posix_is_past(clock, deadline)
                         ? sct_rwlock_try_write_at(record, where)
                         : sct_rwlock_write_at(record, where, posix_patience(deadline));
    ASSERT(!is_locked || record->writer == sct_self());
    return timed_result(is_locked, clock, deadline);
}

// ---- Hooks -------------------------------------------------------------------------------------

HOOK int pthread_rwlock_init(pthread_rwlock_t *restrict lock,
                             const pthread_rwlockattr_t *restrict attributes) {
    // For what it refuses. Whom the attributes prefer makes no difference: here nobody is
    // preferred.
    int error = REAL(pthread_rwlock_init)(lock, attributes);
    if (posix_controls() && error == 0)
        new_rwlock(lock);
    return error;
}

HOOK int pthread_rwlock_destroy(pthread_rwlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_rwlock_destroy)(lock);
    sct_rwlock_destroy_at(record_of(lock), WHERE);
    posix_object_end(lock);
    return 0;
}

HOOK int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
    return posix_controls() ? read_lock(lock, WHERE) : REAL(pthread_rwlock_rdlock)(lock);
}

HOOK int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
    return posix_controls() ? write_lock(lock, WHERE) : REAL(pthread_rwlock_wrlock)(lock);
}

HOOK int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_rwlock_tryrdlock)(lock);
    // No check for a lock of one's own: a try does not wait for itself, it fails.
    return sct_rwlock_try_read_at(record_of(lock), WHERE) ? 0 : EBUSY;
}

HOOK int pthread_rwlock_trywrlock(pthread_rwlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_rwlock_trywrlock)(lock);
    return sct_rwlock_try_write_at(record_of(lock), WHERE) ? 0 : EBUSY;
}

HOOK int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock,
                                    const struct timespec *restrict deadline) {
    return posix_controls() ? read_lock_until(lock, CLOCK_REALTIME, deadline, WHERE)
                            : REAL(pthread_rwlock_timedrdlock)(lock, deadline);
}

HOOK int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock,
                                    const struct timespec *restrict deadline) {
    return posix_controls() ? write_lock_until(lock, CLOCK_REALTIME, deadline, WHERE)
                            : REAL(pthread_rwlock_timedwrlock)(lock, deadline);
}

HOOK int pthread_rwlock_clockrdlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                                    const struct timespec *restrict deadline) {
    return posix_controls() ? read_lock_until(lock, clock, deadline, WHERE)
                            : REAL(pthread_rwlock_clockrdlock)(lock, clock, deadline);
}

HOOK int pthread_rwlock_clockwrlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                                    const struct timespec *restrict deadline) {
    return posix_controls() ? write_lock_until(lock, clock, deadline, WHERE)
                            : REAL(pthread_rwlock_clockwrlock)(lock, clock, deadline);
}

HOOK int pthread_rwlock_unlock(pthread_rwlock_t *lock) {
    if (!posix_controls())
        return REAL(pthread_rwlock_unlock)(lock);
    sct_rwlock_release_at(record_of(lock), WHERE);
    return 0;
}
