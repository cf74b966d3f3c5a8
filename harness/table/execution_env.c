#include "harness/table/execution_env.h"
#include "core/engine/inside.h"

struct ct_latch {
    struct sct_latch latch;
};

// One arena for all: an execution is short, and the next one empties it as a whole. That code under
// test lives without growing is seen outside of the checker.
struct arena *execution_arena_open(struct ct_env *env) {
    (void)env;
    return sct_arena();
}

void execution_arena_keep(struct ct_env *env, struct arena *arena, size_t mark) {
    (void)env;
    (void)arena;
    (void)mark;
}

void execution_arena_close(struct ct_env *env, struct arena *arena) {
    (void)env;
    (void)arena;
}

struct ct_lock *execution_lock_create(struct ct_env *env) {
    (void)env;
    struct ct_lock *lock = ARENA_NEW(sct_arena(), struct ct_lock);
    sct_mutex_init(&lock->mutex);
    lock->access = sct_access_unknown;
    return lock;
}

void execution_lock_destroy(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    (void)lock; // the arena's
}

void execution_lock_release(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    sct_mutex_release(&lock->mutex);
}

struct ct_latch *execution_latch_create(struct ct_env *env, size_t count) {
    (void)env;
    struct ct_latch *latch = ARENA_NEW(sct_arena(), struct ct_latch);
    sct_latch_init(&latch->latch, count);
    return latch;
}

void execution_latch_count_down(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    sct_latch_count_down(&latch->latch);
}

void execution_latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    (void)env;
    (void)where;
    sct_latch_wait(&latch->latch, "calls that began in an earlier configuration");
}

void execution_latch_destroy(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    (void)latch; // the arena's
}
