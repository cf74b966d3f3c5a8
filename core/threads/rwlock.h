// Read-write locks of POSIX, under control.
//
// Held by one writer or by any number of readers; a reader may take it several times and releases
// it as often. Neither side is preferred, unless that is allowed: who waits competes with those who
// come later. Every call
// but init is a scheduling point before its effect. Misuse is a violation of kind `program-error`.
// Storage, names and lifetime: see core/threads/object.h.
//
// Stability: stays within 0.2: names, arguments, what is a scheduling point.
#ifndef CORE_THREADS_RWLOCK_H
#define CORE_THREADS_RWLOCK_H

#include "core/base/api.h"
#include "core/threads/object.h"

struct sct_reading;

struct sct_rwlock {
    struct sct_object object;
    struct sct_strand *writer;    // NULL: none
    struct sct_reading *readings; // who reads, and how many times
    uint32_t reader_count;        // sum of those
    struct digest held;           // the same, where states are compared
    struct sct_queue readers, writers;
    struct sct_queue held_back; // readers who wait for no writer to wait
    struct sct_edge *read_edge; // from those who have read to those who write
};

// From now on, in this execution, a reader may have to wait while a writer waits, even one who
// reads already: POSIX leaves that open, and systems differ. A value choice each; for setup, off at
// first.
SCT_API void sct_rwlock_allow_waiting(void);

SCT_API void sct_rwlock_init(struct sct_rwlock *lock, const char *name);

// Program errors: it is held; somebody waits for it or is about to take it.
#define sct_rwlock_destroy(lock) sct_rwlock_destroy_at((lock), HERE)

// Waits until nobody writes. Program error: the caller writes.
#define sct_rwlock_read(lock) ((void)sct_rwlock_read_at((lock), HERE, SCT_WAIT_FOR_EVER))

// Waits until nobody reads or writes. Program error: the caller does.
#define sct_rwlock_write(lock) ((void)sct_rwlock_write_at((lock), HERE, SCT_WAIT_FOR_EVER))

// The same, but may time out while it has to wait (a value choice); whether it has the lock.
#define sct_rwlock_read_timed(lock) sct_rwlock_read_at((lock), HERE, SCT_WAIT_TIMED)
#define sct_rwlock_write_timed(lock) sct_rwlock_write_at((lock), HERE, SCT_WAIT_TIMED)

// The same, without waiting; whether it has the lock.
#define sct_rwlock_try_read(lock) sct_rwlock_try_read_at((lock), HERE)
#define sct_rwlock_try_write(lock) sct_rwlock_try_write_at((lock), HERE)

// Ends the writing, or one reading, of the caller. Program error: it does neither.
#define sct_rwlock_release(lock) sct_rwlock_release_at((lock), HERE)

// Whether the caller holds [lock] for reading. Not a scheduling point.
bool sct_rwlock_reads(const struct sct_rwlock *lock);

SCT_API void sct_rwlock_destroy_at(struct sct_rwlock *lock, const char *where);
SCT_API bool sct_rwlock_read_at(struct sct_rwlock *lock, const char *where,
                                enum sct_patience patience);
SCT_API bool sct_rwlock_write_at(struct sct_rwlock *lock, const char *where,
                                 enum sct_patience patience);
SCT_API bool sct_rwlock_try_read_at(struct sct_rwlock *lock, const char *where);
SCT_API bool sct_rwlock_try_write_at(struct sct_rwlock *lock, const char *where);
SCT_API void sct_rwlock_release_at(struct sct_rwlock *lock, const char *where);

#endif
