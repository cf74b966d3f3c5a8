// Locks and latches under the engine's control, for tasks and for activities alike.
//
// Storage is the caller's, in the arena. None of these calls is a scheduling point while nobody has
// to wait; put [sct_point] before an acquisition whose order matters between tasks.
#ifndef CORE_ENGINE_SYNC_H
#define CORE_ENGINE_SYNC_H

#include "core/engine/wait.h"

// Those who wait for something, in order.
struct sct_waiters {
    struct sct_queue queue;
    struct digest identity; // for reduced searches
};

void sct_waiters_init(struct sct_waiters *waiters);

// Whether anybody waits, stopped ones included.
static inline bool sct_waiters_any(const struct sct_waiters *waiters) {
    return waiters->queue.first;
}

// Waits until the next sct_waiters_wake. The caller tests its condition again afterwards, and does
// the same whether it has waited or not.
void sct_waiters_wait(struct sct_waiters *waiters, const char *waits_for);

// Wakes those who wait now; who queues again meanwhile is not woken again.
void sct_waiters_wake(struct sct_waiters *waiters);

// Not recursive. Freed when the holder's machine is stopped.
struct sct_mutex {
    struct sct_strand *holder;                // NULL: free
    struct sct_mutex *next_held, **link_held; // among those of the holder
    struct sct_queue tasks;                   // that wait: enabled exactly while it is free
    struct sct_queue activities;              // likewise, parked
    struct digest identity;                   // for systematic searches
    struct sct_edge *edge;                    // from those who have held it
};

void sct_mutex_init(struct sct_mutex *mutex);

// Takes the mutex in this very step if it is free. Else waits, a scheduling point: a task is
// enabled exactly while the mutex is free, and takes it when it is chosen (another may come first).
void sct_mutex_acquire(struct sct_mutex *mutex, const char *waits_for);

// Frees the mutex, which the caller holds (program error otherwise): the first activity that waits
// takes it in this very step, else tasks compete for it.
void sct_mutex_release(struct sct_mutex *mutex);

// A count that can be waited for until it is 0.
struct sct_latch {
    size_t count;
    struct sct_queue waiters;
    struct digest identity; // for systematic searches
    struct sct_edge *edge;  // from those who have counted
};

void sct_latch_init(struct sct_latch *latch, size_t count);

// Subtracts one (asserted > 0); at 0 wakes everybody who waits.
void sct_latch_count_down(struct sct_latch *latch);

void sct_latch_wait(struct sct_latch *latch, const char *waits_for);

#endif
