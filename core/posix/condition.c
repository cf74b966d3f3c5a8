#define _GNU_SOURCE // pthread_cond_clockwait
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/mutex.h"
#include "core/posix/objects.h"
#include "core/posix/time.h"

#include <errno.h>
#include <threads.h>

struct condition {
    struct sct_condition condition;
    clockid_t clock; // of its deadlines
};

// The clock stands in a bit of a word of glibc's (nptl/pthread_cond_init.c): also where the object
// was initialised before main, of which no call was seen here.
static clockid_t clock_of(const pthread_cond_t *condition) {
    return condition->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

static struct condition *new_condition(const pthread_cond_t *condition) {
    ASSERT(posix_controls());
    struct condition *record = posix_object_new(condition, POSIX_CONDITION, sizeof *record);
    sct_condition_init(&record->condition, posix_object_title(condition, POSIX_CONDITION));
    record->clock = clock_of(condition);
    return record;
}

static struct condition *record_of(const pthread_cond_t *condition) {
    ASSERT(posix_controls());
    struct condition *record = posix_object_find(condition, POSIX_CONDITION);
    return record ? record : new_condition(condition);
}

// A wait gives a recursive mutex back once: held more than once it is not released at all (POSIX,
// pthread_mutexattr_settype, advises against it), and nobody could ever signal under it.
static struct posix_mutex *held_mutex(pthread_mutex_t *mutex, const char *where) {
    struct posix_mutex *record = posix_mutex_of(mutex, where);
    if (record->depth > 0)
        posix_violate(SCT_KIND_PROGRAM_ERROR, where,
                      "a condition is waited for with mutex '%s' locked more than once",
                      record->lock.object.name);
    return record;
}

static int wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const char *where) {
    struct posix_mutex *held = held_mutex(mutex, where);
    sct_condition_wait_at(&record_of(condition)->condition, &held->lock, where);
    ASSERT(held->lock.holder == sct_self()); // also where the wait was spurious
    ASSERT(held->depth == 0);
    return posix_mutex_taken(held, where);
}

// The mutex is taken again. What is wrong with it matters more than that it is late: POSIX has both
// errors, and glibc that of the mutex.
static int timed_out(struct posix_mutex *mutex, const char *where) {
    int error = posix_mutex_taken(mutex, where);
    return error != 0 ? error : ETIMEDOUT;
}

// A deadline that has passed: others may take the mutex meanwhile, but nobody wakes the caller.
static int do_not_wait(struct posix_mutex *mutex, const char *where) {
    sct_lock_release_at(&mutex->lock, where);
    sct_lock_acquire_at(&mutex->lock, where);
    ASSERT(mutex->lock.holder == sct_self());
    return timed_out(mutex, where);
}

static int wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                      const struct timespec *deadline, const char *where) {
    struct condition *record = record_of(condition);
    struct posix_mutex *held = held_mutex(mutex, where);
    // Before the mutex is let go of: an error but that of the deadline leaves it as it is (POSIX,
    // pthread_cond_timedwait).
    if (!posix_is_deadline(deadline))
        return EINVAL;
    if (posix_is_past(clock, deadline))
        return do_not_wait(held, where);
    if (posix_patience(deadline) == SCT_WAIT_FOR_EVER)
        return wait(condition, mutex, where);
    bool was_woken = sct_condition_wait_timed_at(&record->condition, &held->lock, where);
    ASSERT(held->lock.holder == sct_self()); // however it has ended
    if (was_woken)
        return posix_mutex_taken(held, where);
    // Only now: while it waited others may have looked at clocks, and seen it earlier.
    posix_time_reaches(clock, deadline);
    return timed_out(held, where);
}

// ---- Hooks -------------------------------------------------------------------------------------

HOOK int pthread_cond_init(pthread_cond_t *restrict condition,
                           const pthread_condattr_t *restrict attributes) {
    // By the C library as well: it writes the clock that the attributes say into the object, where
    // clock_of finds it.
    int error = REAL(pthread_cond_init)(condition, attributes);
    if (posix_controls() && error == 0)
        new_condition(condition);
    return error;
}

HOOK int pthread_cond_destroy(pthread_cond_t *condition) {
    if (!posix_controls())
        return REAL(pthread_cond_destroy)(condition);
    sct_condition_destroy_at(&record_of(condition)->condition, WHERE);
    posix_object_end(condition);
    return 0;
}

HOOK int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex) {
    return posix_controls() ? wait(condition, mutex, WHERE)
                            : REAL(pthread_cond_wait)(condition, mutex);
}

HOOK int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                const struct timespec *restrict deadline) {
    return posix_controls()
               ? wait_until(condition, mutex, record_of(condition)->clock, deadline, WHERE)
               : REAL(pthread_cond_timedwait)(condition, mutex, deadline);
}

HOOK int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                clockid_t clock, const struct timespec *restrict deadline) {
    return posix_controls() ? wait_until(condition, mutex, clock, deadline, WHERE)
                            : REAL(pthread_cond_clockwait)(condition, mutex, clock, deadline);
}

HOOK int pthread_cond_signal(pthread_cond_t *condition) {
    if (!posix_controls())
        return REAL(pthread_cond_signal)(condition);
    sct_condition_signal_at(&record_of(condition)->condition, WHERE);
    return 0;
}

HOOK int pthread_cond_broadcast(pthread_cond_t *condition) {
    if (!posix_controls())
        return REAL(pthread_cond_broadcast)(condition);
    sct_condition_broadcast_at(&record_of(condition)->condition, WHERE);
    return 0;
}

// ---- C11 ---------------------------------------------------------------------------------------

// cnd_t and mtx_t have the layouts of POSIX's types: glibc casts them to those (nptl/cnd_wait.c).
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a cnd_t is a pthread_cond_t");
_Static_assert(_Alignof(cnd_t) == _Alignof(pthread_cond_t), "a cnd_t is a pthread_cond_t");

static pthread_cond_t *posix_of(cnd_t *condition) {
    return (pthread_cond_t *)condition;
}

HOOK int cnd_init(cnd_t *condition) {
    int result = REAL(cnd_init)(condition);
    if (posix_controls() && result == thrd_success)
        new_condition(posix_of(condition));
    return result;
}

HOOK void cnd_destroy(cnd_t *condition) {
    if (!posix_controls()) {
        REAL(cnd_destroy)(condition);
        return;
    }
    sct_condition_destroy_at(&record_of(posix_of(condition))->condition, WHERE);
    posix_object_end(condition);
}

HOOK int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    if (!posix_controls())
        return REAL(cnd_wait)(condition, mutex);
    // There is no error to pass on: that of a dead owner needs a robust mutex, which mtx_init does
    // not make.
    wait(posix_of(condition), (pthread_mutex_t *)mutex, WHERE);
    return thrd_success;
}

HOOK int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                       const struct timespec *restrict deadline) {
    if (!posix_controls())
        return REAL(cnd_timedwait)(condition, mutex, deadline);
    // C11, 7.26.3.5: a deadline is one of TIME_UTC.
    int error =
        wait_until(posix_of(condition), (pthread_mutex_t *)mutex, CLOCK_REALTIME, deadline, WHERE);
    return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

HOOK int cnd_signal(cnd_t *condition) {
    if (!posix_controls())
        return REAL(cnd_signal)(condition);
    sct_condition_signal_at(&record_of(posix_of(condition))->condition, WHERE);
    return thrd_success;
}

HOOK int cnd_broadcast(cnd_t *condition) {
    if (!posix_controls())
        return REAL(cnd_broadcast)(condition);
    sct_condition_broadcast_at(&record_of(posix_of(condition))->condition, WHERE);
    return thrd_success;
}
