#include "harness/table/execution_env.h"
#include "core/engine/inside.h"

struct ct_latch {
    struct sct_latch latch;
};

static struct arena *arena_open(struct ct_env *env) {
    (void)env;
    return sct_arena();
}

static void arena_keep(struct ct_env *env, struct arena *arena, size_t mark) {
    (void)env;
    (void)arena;
    (void)mark;
}

static void arena_close(struct ct_env *env, struct arena *arena) {
    (void)env;
    (void)arena;
}

static struct ct_lock *lock_create(struct ct_env *env) {
    (void)env;
    struct ct_lock *lock = ARENA_NEW(sct_arena(), struct ct_lock);
    sct_mutex_init(&lock->mutex);
    lock->access = sct_access_unknown;
    return lock;
}

static void lock_destroy(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    (void)lock; // the arena's
}

static void lock_release(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    sct_mutex_release(&lock->mutex);
}

static struct ct_latch *latch_create(struct ct_env *env, size_t count) {
    (void)env;
    struct ct_latch *latch = ARENA_NEW(sct_arena(), struct ct_latch);
    sct_latch_init(&latch->latch, count);
    return latch;
}

static void latch_count_down(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    sct_latch_count_down(&latch->latch);
}

static void latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    (void)env;
    (void)where;
    sct_latch_wait(&latch->latch, "calls that began in an earlier configuration");
}

static void latch_destroy(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    (void)latch; // the arena's
}

const struct ct_env_ops execution_env_ops = {
    .version = CT_ENV_VERSION,
    .arena_open = arena_open,
    .arena_reset = arena_keep,
    .arena_close = arena_close,
    .lock_create = lock_create,
    .lock_destroy = lock_destroy,
    .lock_release = lock_release,
    .latch_create = latch_create,
    .latch_count_down = latch_count_down,
    .latch_wait = latch_wait,
    .latch_destroy = latch_destroy,
};
