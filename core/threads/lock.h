// Mutexes and condition variables of POSIX, under control, for threads and other tasks.
//
// Every call of an operation is a scheduling point before its effect and takes the place of the
// call from HERE; so operations are macros over functions that end in _at. A mutex is
// error-checking and not recursive; who waits for it competes with those who come later. It belongs
// to the one who acquired it, and stays held if that one ends. Misuse is a violation of kind
// `program-error`. Storage, names and lifetime: see core/threads/object.h. (The mutex of
// core/engine/sync.h is another thing: a part of the engine's transports, without scheduling
// points.)
//
// Stability: stays within 0.2: names, arguments, what is a scheduling point.
#ifndef CORE_THREADS_LOCK_H
#define CORE_THREADS_LOCK_H

#include "core/base/api.h"
#include "core/threads/object.h"

// ---- Mutexes -----------------------------------------------------------------------------------

struct sct_lock {
    struct sct_object object;
    struct sct_strand *holder; // NULL: free
    struct sct_queue waiters;
};

// Not a scheduling point.
SCT_API void sct_lock_init(struct sct_lock *lock, const char *name);

// Program errors: it is held; somebody waits for it or is about to take it. (So is the end of a
// wait for a condition with a lock that is destroyed.)
#define sct_lock_destroy(lock) sct_lock_destroy_at((lock), HERE)

// Waits until the lock is free, and takes it. Program error: the caller holds it.
#define sct_lock_acquire(lock) sct_lock_acquire_at((lock), HERE)

// Takes the lock if it is free; whether it did.
#define sct_lock_try(lock) sct_lock_try_at((lock), HERE)

// As [sct_lock_acquire], but may time out while the lock is not free (a value choice); whether it
// took it.
#define sct_lock_acquire_timed(lock) sct_lock_acquire_timed_at((lock), HERE)

// Program errors: the lock is free, or held by another.
#define sct_lock_release(lock) sct_lock_release_at((lock), HERE)

SCT_API void sct_lock_destroy_at(struct sct_lock *lock, const char *where);
SCT_API void sct_lock_acquire_at(struct sct_lock *lock, const char *where);
SCT_API bool sct_lock_try_at(struct sct_lock *lock, const char *where);
SCT_API bool sct_lock_acquire_timed_at(struct sct_lock *lock, const char *where);
SCT_API void sct_lock_release_at(struct sct_lock *lock, const char *where);

// ---- Condition variables -----------------------------------------------------------------------

struct sct_condition {
    struct sct_object object;
    struct sct_lock *lock; // of those who wait
    struct sct_queue waiters;
};

// From now on, in this execution, every wait for a condition may end without a signal: a value
// choice each. For setup; off at first.
SCT_API void sct_condition_allow_spurious(void);

// Not a scheduling point.
SCT_API void sct_condition_init(struct sct_condition *condition, const char *name);

// Program error: somebody waits.
#define sct_condition_destroy(condition) sct_condition_destroy_at((condition), HERE)

// Releases [lock] and waits for a signal, in one step; then acquires [lock] again. May end without
// a signal where that is allowed. Program errors: the caller does not hold [lock]; others wait with
// another lock.
#define sct_condition_wait(condition, lock) sct_condition_wait_at((condition), (lock), HERE)

// As [sct_condition_wait], but may time out (a value choice). False if it did; the lock is held all
// the same.
#define sct_condition_wait_timed(condition, lock) \
    sct_condition_wait_timed_at((condition), (lock), HERE)

// Ends the wait of one who waits, if there is one; which one is a value choice.
#define sct_condition_signal(condition) sct_condition_signal_at((condition), HERE)

// Ends the waits of all who wait.
#define sct_condition_broadcast(condition) sct_condition_broadcast_at((condition), HERE)

SCT_API void sct_condition_destroy_at(struct sct_condition *condition, const char *where);
SCT_API void sct_condition_wait_at(struct sct_condition *condition, struct sct_lock *lock,
                                   const char *where);
SCT_API bool sct_condition_wait_timed_at(struct sct_condition *condition, struct sct_lock *lock,
                                         const char *where);
SCT_API void sct_condition_signal_at(struct sct_condition *condition, const char *where);
SCT_API void sct_condition_broadcast_at(struct sct_condition *condition, const char *where);

#endif
