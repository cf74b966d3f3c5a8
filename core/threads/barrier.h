// Barriers of POSIX, under control: so many wait until so many have come; then it begins anew.
//
// Every call but init is a scheduling point before its effect. Misuse is a violation of kind
// `program-error`. Storage, names and lifetime: see core/threads/object.h.
//
// Stability: stays within 0.2: names, arguments, what is a scheduling point.
#ifndef CORE_THREADS_BARRIER_H
#define CORE_THREADS_BARRIER_H

#include "core/base/api.h"
#include "core/threads/object.h"

struct sct_round;

struct sct_barrier {
    struct sct_object object;
    uint32_t count;   // how many must come
    uint32_t arrived; // of this round
    struct sct_round *round;
};

// [count] is at least 1 (a program error).
SCT_API void sct_barrier_init(struct sct_barrier *barrier, const char *name, uint32_t count);

// Program error: somebody waits.
#define sct_barrier_destroy(barrier) sct_barrier_destroy_at((barrier), HERE)

// Waits until as many have come as the barrier counts. True for exactly one of them, the last to
// come.
#define sct_barrier_wait(barrier) sct_barrier_wait_at((barrier), HERE)

SCT_API void sct_barrier_destroy_at(struct sct_barrier *barrier, const char *where);
SCT_API bool sct_barrier_wait_at(struct sct_barrier *barrier, const char *where);

#endif
