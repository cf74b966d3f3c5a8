// What every environment of a protocol within an execution has in common: arenas, locks and latches
// are the engine's, and are forgotten with the execution as a whole.
#ifndef HARNESS_TABLE_EXECUTION_ENV_H
#define HARNESS_TABLE_EXECUTION_ENV_H

#include "core/engine/sync.h"
#include "model/table/env.h"

// A lock of the environment.
struct ct_lock {
    struct sct_mutex mutex;
    struct sct_access access; // what taking it touches; unknown, unless its creator says more
};

struct arena *execution_arena_open(struct ct_env *env);
void execution_arena_keep(struct ct_env *env, struct arena *arena, size_t mark);
void execution_arena_close(struct ct_env *env, struct arena *arena);
struct ct_lock *execution_lock_create(struct ct_env *env);
void execution_lock_destroy(struct ct_env *env, struct ct_lock *lock);
void execution_lock_release(struct ct_env *env, struct ct_lock *lock);
struct ct_latch *execution_latch_create(struct ct_env *env, size_t count);
void execution_latch_count_down(struct ct_env *env, struct ct_latch *latch);
void execution_latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch);
void execution_latch_destroy(struct ct_env *env, struct ct_latch *latch);

// The members of a struct ct_env_ops that are the same in every environment. The user's to add:
// annotate, lock_create and latch_wait (those above, or more), lock_acquire, start, now, sleep; and
// observed and forget, if states are compared. Of the functions above only execution_latch_wait
// suspends; none is a scheduling point.
#define EXECUTION_ENV_OPS                                                                   \
    .version = CT_ENV_VERSION, .arena_open = execution_arena_open,                          \
    .arena_reset = execution_arena_keep, .arena_close = execution_arena_close,              \
    .lock_destroy = execution_lock_destroy, .lock_release = execution_lock_release,         \
    .latch_create = execution_latch_create, .latch_count_down = execution_latch_count_down, \
    .latch_destroy = execution_latch_destroy

#endif
