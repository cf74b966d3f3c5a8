#define _GNU_SOURCE // sem_clockwait
#include "core/threads/semaphore.h"
#include "core/posix/hook.h"
#include "core/posix/objects.h"
#include "core/posix/time.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static struct sct_semaphore *new_semaphore(const sem_t *semaphore, unsigned value) {
    ASSERT(posix_controls());
    struct sct_semaphore *record = posix_object_new(semaphore, POSIX_SEMAPHORE, sizeof *record);
    sct_semaphore_init(record, posix_object_title(semaphore, POSIX_SEMAPHORE), value);
    return record;
}

// One that was initialised before main has its value in its first word: glibc's struct new_sem,
// with 64-bit atomics on little-endian machines (nptl/internaltypes.h), which x86-64 and AArch64
// are.
_Static_assert(SEM_VALUE_MAX == SCT_SEMAPHORE_MAX, "sem_init refuses what the record cannot hold");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the value is in the first word");

static struct sct_semaphore *record_of(const sem_t *semaphore) {
    ASSERT(posix_controls());
    struct sct_semaphore *record = posix_object_find(semaphore, POSIX_SEMAPHORE);
    unsigned value;
    memcpy(&value, semaphore, sizeof value);
    return record ? record : new_semaphore(semaphore, value);
}

static int wait_until(sem_t *semaphore, clockid_t clock, const struct timespec *deadline,
                      const char *where) {
    struct sct_semaphore *record = record_of(semaphore);
    ASSERT(posix_controls());
    bool is_past = posix_is_deadline(deadline) && posix_is_past(clock, deadline);
    errno = posix_is_deadline(deadline) ? ETIMEDOUT : EINVAL;
    if (errno == EINVAL)
        return -1;
    bool has_it = is_past ? sct_semaphore_try_at(record, where)
                          : sct_semaphore_wait_at(record, where, posix_patience(deadline));
    if (has_it)
        return 0;
    posix_time_reaches(clock, deadline);
    errno = ETIMEDOUT; // again: others have run meanwhile
    return -1;
}

HOOK int sem_init(sem_t *semaphore, int is_shared, unsigned value) {
    int result = REAL(sem_init)(semaphore, is_shared, value);
    if (posix_controls() && result == 0)
        new_semaphore(semaphore, value);
    return result;
}

HOOK int sem_destroy(sem_t *semaphore) {
    if (!posix_controls())
        return REAL(sem_destroy)(semaphore);
    sct_semaphore_destroy_at(record_of(semaphore), WHERE);
    posix_object_end(semaphore);
    return 0;
}

HOOK int sem_wait(sem_t *semaphore) {
    if (!posix_controls())
        return REAL(sem_wait)(semaphore);
    // Never EINTR: a signal that would be handled in a thread which waits here is refused
    // (signals.c).
    sct_semaphore_wait_at(record_of(semaphore), WHERE, SCT_WAIT_FOR_EVER);
    return 0;
}

HOOK int sem_trywait(sem_t *semaphore) {
    if (!posix_controls())
        return REAL(sem_trywait)(semaphore);
    if (sct_semaphore_try_at(record_of(semaphore), WHERE))
        return 0;
    errno = EAGAIN;
    return -1;
}

HOOK int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    return posix_controls() ? wait_until(semaphore, CLOCK_REALTIME, deadline, WHERE)
                            : REAL(sem_timedwait)(semaphore, deadline);
}

HOOK int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                       const struct timespec *restrict deadline) {
    return posix_controls() ? wait_until(semaphore, clock, deadline, WHERE)
                            : REAL(sem_clockwait)(semaphore, clock, deadline);
}

HOOK int sem_post(sem_t *semaphore) {
    if (!posix_controls())
        return REAL(sem_post)(semaphore);
    sct_semaphore_post_at(record_of(semaphore), WHERE);
    return 0;
}

HOOK int sem_getvalue(sem_t *restrict semaphore, int *restrict value) {
    if (!posix_controls())
        return REAL(sem_getvalue)(semaphore, value);
    // Never negative: how many wait is not told (POSIX leaves the choice; glibc's is this).
    *value = (int)sct_semaphore_value_at(record_of(semaphore), WHERE);
    ASSERT(*value >= 0);
    return 0;
}
