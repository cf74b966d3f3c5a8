// Counting semaphores of POSIX, under control.
//
// Every call but init is a scheduling point before its effect. Misuse is a violation of kind
// `program-error`. Storage, names and lifetime: see core/threads/object.h.
//
// Stability: stays within 0.2: names, arguments, what is a scheduling point.
#ifndef CORE_THREADS_SEMAPHORE_H
#define CORE_THREADS_SEMAPHORE_H

#include "core/base/api.h"
#include "core/threads/object.h"

#define SCT_SEMAPHORE_MAX UINT32_C(0x7fffffff)

struct sct_semaphore {
    struct sct_object object;
    uint32_t value;
    struct sct_queue waiters;
};

// [value] is at most SCT_SEMAPHORE_MAX (a program error).
SCT_API void sct_semaphore_init(struct sct_semaphore *semaphore, const char *name, uint32_t value);

// Program error: somebody waits or is about to.
#define sct_semaphore_destroy(semaphore) sct_semaphore_destroy_at((semaphore), HERE)

// Waits until the value is not 0, and subtracts one.
#define sct_semaphore_wait(semaphore) \
    ((void)sct_semaphore_wait_at((semaphore), HERE, SCT_WAIT_FOR_EVER))

// As [sct_semaphore_wait], but may time out while it has to wait (a value choice); whether it has
// subtracted one.
#define sct_semaphore_wait_timed(semaphore) sct_semaphore_wait_at((semaphore), HERE, SCT_WAIT_TIMED)

// Subtracts one if the value is not 0; whether it did.
#define sct_semaphore_try(semaphore) sct_semaphore_try_at((semaphore), HERE)

// Adds one. Program error: the value is SCT_SEMAPHORE_MAX.
#define sct_semaphore_post(semaphore) sct_semaphore_post_at((semaphore), HERE)

// The value.
#define sct_semaphore_value(semaphore) sct_semaphore_value_at((semaphore), HERE)

SCT_API void sct_semaphore_destroy_at(struct sct_semaphore *semaphore, const char *where);
SCT_API bool sct_semaphore_wait_at(struct sct_semaphore *semaphore, const char *where,
                                   enum sct_patience patience);
SCT_API bool sct_semaphore_try_at(struct sct_semaphore *semaphore, const char *where);
SCT_API void sct_semaphore_post_at(struct sct_semaphore *semaphore, const char *where);
SCT_API uint32_t sct_semaphore_value_at(struct sct_semaphore *semaphore, const char *where);

#endif
