#define _GNU_SOURCE // pthread_mutex_clocklock
#include "core/posix/mutex.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/objects.h"
#include "core/posix/time.h"

#include <errno.h>
#include <string.h>
#include <threads.h>

// ---- Records -----------------------------------------------------------------------------------

// nptl/pthreadP.h of glibc: the type stands in the low bits of the kind.
_Static_assert(PTHREAD_MUTEX_NORMAL == 0, "all zero bytes are a normal mutex");
_Static_assert((PTHREAD_MUTEX_RECURSIVE | PTHREAD_MUTEX_ERRORCHECK | PTHREAD_MUTEX_ADAPTIVE_NP) ==
                   3,
               "a type has two bits");

// PTHREAD_MUTEX_TIMED_NP is the normal one; the adaptive one behaves like that.
static int type_of(int kind) {
    kind &= 3; // beside it stand the protocol, robustness and sharing
    return kind == PTHREAD_MUTEX_ADAPTIVE_NP ? PTHREAD_MUTEX_NORMAL : kind;
}

// As glibc writes it into the kind.
enum { ROBUST_BIT = 16 };
_Static_assert((ROBUST_BIT & 3) == 0, "no part of the type");

static struct posix_mutex *new_mutex(const pthread_mutex_t *mutex, int type) {
    ASSERT(posix_controls());
    ASSERT(type >= PTHREAD_MUTEX_NORMAL && type <= PTHREAD_MUTEX_ERRORCHECK);
    struct posix_mutex *record = posix_object_new(mutex, POSIX_MUTEX, sizeof *record);
    sct_lock_init(&record->lock, posix_object_title(mutex, POSIX_MUTEX));
    record->type = type;
    record->is_robust = mutex->__data.__kind & ROBUST_BIT;
    // So that threads that end look through the table only where it may have one.
    posix_world.has_robust = posix_world.has_robust || record->is_robust;
    return record;
}

// Whether the bytes are those of a static initialiser: all zero but the type. (Memory from malloc
// is zero, too, as fresh pages are: a mutex in it that was not initialised is not noticed.)
static bool is_initial(const pthread_mutex_t *mutex) {
    pthread_mutex_t copy = *mutex, zero;
    copy.__data.__kind = 0;
    memset(&zero, 0, sizeof zero);
    return memcmp(&copy, &zero, sizeof zero) == 0;
}

struct posix_mutex *posix_mutex_of(pthread_mutex_t *mutex, const char *where) {
    ASSERT(posix_controls());
    struct posix_mutex *record = posix_object_find(mutex, POSIX_MUTEX);
    if (__builtin_expect(record != NULL, 1))
        return record;
    if (!is_initial(mutex))
        posix_violate(SCT_KIND_PROGRAM_ERROR, where, "a mutex is used that was not initialised");
    return new_mutex(mutex, type_of(mutex->__data.__kind));
}

static bool is_mine(const struct posix_mutex *record) {
    return record->lock.holder == sct_self();
}

// ---- Operations --------------------------------------------------------------------------------

// The caller holds the mutex already. No scheduling point: nobody else can tell the difference.
static int lock_again(struct posix_mutex *record, const char *where) {
    ASSERT(is_mine(record));
    if (record->type == PTHREAD_MUTEX_RECURSIVE) {
        record->depth++;
        return 0;
    }
    if (record->type == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    posix_violate(SCT_KIND_DEADLOCK, where, "mutex '%s' is locked again by the one who holds it",
                  record->lock.object.name);
}

int posix_mutex_taken(struct posix_mutex *record, const char *where) {
    ASSERT(is_mine(record) && record->depth == 0);
    ASSERT(record->is_robust || !record->has_dead_owner);
    if (!record->has_dead_owner)
        return 0;
    if (!record->is_unrecoverable)
        return EOWNERDEAD;
    // Given back in a step of its own: those who wait for it come to know the same, one by one.
    sct_lock_release_at(&record->lock, where);
    return ENOTRECOVERABLE;
}

static int lock(pthread_mutex_t *mutex, const char *where) {
    struct posix_mutex *record = posix_mutex_of(mutex, where);
    if (is_mine(record))
        return lock_again(record, where);
    sct_lock_acquire_at(&record->lock, where);
    return posix_mutex_taken(record, where);
}

static int try_lock(pthread_mutex_t *mutex, const char *where) {
    struct posix_mutex *record = posix_mutex_of(mutex, where);
    // POSIX, pthread_mutex_trylock: locked by anybody, the caller too, is busy, but for recursive
    // ones.
    if (is_mine(record))
        return record->type == PTHREAD_MUTEX_RECURSIVE ? lock_again(record, where) : EBUSY;
    return sct_lock_try_at(&record->lock, where) ? posix_mutex_taken(record, where) : EBUSY;
}

static int lock_until(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *deadline,
                      const char *where) {
    struct posix_mutex *record = posix_mutex_of(mutex, where);
    if (!posix_is_deadline(deadline))
        return EINVAL;
    if (posix_patience(deadline) == SCT_WAIT_FOR_EVER)
        return lock(mutex, where);
    if (is_mine(record) && record->type != PTHREAD_MUTEX_NORMAL)
        return lock_again(record, where);
    // A normal mutex of one's own is never free before the deadline: the wait times out at once, as
    // time is virtual.
    bool is_locked = is_mine(record) ? false
                     : posix_is_past(clock, deadline)
                         ? sct_lock_try_at(&record->lock, where)
                         : sct_lock_acquire_timed_at(&record->lock, where);
    if (!is_locked)
        posix_time_reaches(clock, deadline);
    return is_locked ? posix_mutex_taken(record, where) : ETIMEDOUT;
}

static int unlock(pthread_mutex_t *mutex, const char *where) {
    struct posix_mutex *record = posix_mutex_of(mutex, where);
    if (!is_mine(record) && record->type != PTHREAD_MUTEX_NORMAL)
        return EPERM;
    if (record->depth > 0) {
        ASSERT(record->type == PTHREAD_MUTEX_RECURSIVE);
        record->depth--;
        return 0;
    }
    record->is_unrecoverable = record->has_dead_owner; // nobody has said that it is mended
    // A normal one that another holds, which POSIX leaves undefined, is misuse that this tells of.
    sct_lock_release_at(&record->lock, where);
    ASSERT(!is_mine(record));
    return 0;
}

static void find_robust(void *found, enum posix_kind kind, const void *record,
                        const void *address) {
    const struct posix_mutex *mutex = record;
    (void)address;
    if (kind == POSIX_MUTEX && mutex->is_robust && is_mine(mutex))
        *(struct posix_mutex **)found = (struct posix_mutex *)(uintptr_t)mutex;
}

void posix_mutexes_abandon(void) {
    // One at a time: to release one is a step, after which the table may have grown.
    for (struct posix_mutex *mutex;; mutex->depth = 0) {
        mutex = NULL;
        if (posix_world.has_robust)
            posix_objects_visit(find_robust, &mutex);
        if (!mutex)
            return;
        ASSERT(mutex->is_robust && is_mine(mutex));
        mutex->has_dead_owner = true;
        sct_lock_release_at(&mutex->lock, NULL);
    }
}

// ---- Hooks -------------------------------------------------------------------------------------

HOOK int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    // By the C library as well: it checks the attributes and writes type and robustness into the
    // kind, from where the record has them.
    int error = REAL(pthread_mutex_init)(mutex, attributes);
    if (posix_controls() && error == 0)
        new_mutex(mutex, type_of(mutex->__data.__kind));
    return error;
}

HOOK int pthread_mutex_destroy(pthread_mutex_t *mutex) {
    if (!posix_controls())
        return REAL(pthread_mutex_destroy)(mutex);
    const char *where = WHERE;
    sct_lock_destroy_at(&posix_mutex_of(mutex, where)->lock, where);
    posix_object_end(mutex);
    return 0;
}

HOOK int pthread_mutex_lock(pthread_mutex_t *mutex) {
    return posix_controls() ? lock(mutex, WHERE) : REAL(pthread_mutex_lock)(mutex);
}

HOOK int pthread_mutex_trylock(pthread_mutex_t *mutex) {
    return posix_controls() ? try_lock(mutex, WHERE) : REAL(pthread_mutex_trylock)(mutex);
}

HOOK int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex,
                                 const struct timespec *restrict deadline) {
    return posix_controls() ? lock_until(mutex, CLOCK_REALTIME, deadline, WHERE)
                            : REAL(pthread_mutex_timedlock)(mutex, deadline);
}

HOOK int pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock,
                                 const struct timespec *restrict deadline) {
    return posix_controls() ? lock_until(mutex, clock, deadline, WHERE)
                            : REAL(pthread_mutex_clocklock)(mutex, clock, deadline);
}

HOOK int pthread_mutex_consistent(pthread_mutex_t *mutex) {
    if (!posix_controls())
        return REAL(pthread_mutex_consistent)(mutex);
    struct posix_mutex *record = posix_mutex_of(mutex, WHERE);
    if (!is_mine(record) || !record->has_dead_owner)
        return EINVAL;
    // No point: nobody else can tell before it is unlocked, and that is one.
    record->has_dead_owner = false;
    return 0;
}

HOOK int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    return posix_controls() ? unlock(mutex, WHERE) : REAL(pthread_mutex_unlock)(mutex);
}

// ---- C11 ---------------------------------------------------------------------------------------

// mtx_t has the layout of pthread_mutex_t: glibc casts one to the other (nptl/mtx_lock.c).
_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mtx_t is a pthread_mutex_t");
_Static_assert(_Alignof(mtx_t) == _Alignof(pthread_mutex_t), "a mtx_t is a pthread_mutex_t");

static pthread_mutex_t *posix_of(mtx_t *mutex) {
    return (pthread_mutex_t *)mutex;
}

static int c11_result(int error) {
    return error == 0           ? thrd_success
           : error == EBUSY     ? thrd_busy
           : error == ETIMEDOUT ? thrd_timedout
                                : thrd_error;
}

HOOK int mtx_init(mtx_t *mutex, int type) {
    int result = REAL(mtx_init)(mutex, type);
    // mtx_timed makes no difference: any mutex can be waited for with a deadline here.
    if (posix_controls() && result == thrd_success)
        new_mutex(posix_of(mutex),
                  type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    return result;
}

HOOK void mtx_destroy(mtx_t *mutex) {
    if (!posix_controls()) {
        REAL(mtx_destroy)(mutex);
        return;
    }
    const char *where = WHERE;
    sct_lock_destroy_at(&posix_mutex_of(posix_of(mutex), where)->lock, where);
    posix_object_end(mutex);
}

HOOK int mtx_lock(mtx_t *mutex) {
    return posix_controls() ? c11_result(lock(posix_of(mutex), WHERE)) : REAL(mtx_lock)(mutex);
}

HOOK int mtx_trylock(mtx_t *mutex) {
    return posix_controls() ? c11_result(try_lock(posix_of(mutex), WHERE))
                            : REAL(mtx_trylock)(mutex);
}

HOOK int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict deadline) {
    return posix_controls()
               ? c11_result(lock_until(posix_of(mutex), CLOCK_REALTIME, deadline, WHERE))
               : REAL(mtx_timedlock)(mutex, deadline);
}

HOOK int mtx_unlock(mtx_t *mutex) {
    return posix_controls() ? c11_result(unlock(posix_of(mutex), WHERE)) : REAL(mtx_unlock)(mutex);
}
