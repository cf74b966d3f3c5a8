#define _POSIX_C_SOURCE 200809L
#include "model/posix/thread_env.h"
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/base/reserve.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

// What an arena keeps in memory when it is empty.
enum { KEPT_BYTES = 1 << 18, NANOSECONDS = 1000000000 };

struct pooled_arena {
    struct arena arena; // first member
    struct pooled_arena *next;
};

struct ct_lock {
    pthread_mutex_t mutex;
};

struct ct_latch {
    pthread_mutex_t mutex;
    pthread_cond_t is_zero;
    size_t count;
};

static struct thread_env *thread_env_of(struct ct_env *env) {
    return (struct thread_env *)env;
}

static void annotate(struct ct_env *env, const char *where,
                     const struct ct_annotation *annotation) {
    (void)env;
    (void)where;
    (void)annotation;
}

// ---- Arenas ------------------------------------------------------------------------------------

// Pooled: to reserve addresses is a call of the system, and a stream alone opens four arenas.
static struct arena *arena_open(struct ct_env *base) {
    struct thread_env *env = thread_env_of(base);
    pthread_mutex_lock(&env->mutex);
    struct pooled_arena *pooled = env->free;
    if (pooled)
        env->free = pooled->next;
    else
        env->arena_count++;
    pthread_mutex_unlock(&env->mutex);
    if (!pooled) {
        pooled = grow_new(1, sizeof *pooled, "the environment");
        arena_init(&pooled->arena, env->arena_bytes);
    }
    return &pooled->arena;
}

static void reset(struct ct_env *env, struct arena *arena, size_t mark) {
    size_t kept = thread_env_of(env)->kept_bytes;
    // Above what is kept pages go back to the system: one large call does not cost memory for ever.
    reserve_shrink(arena->base, arena->used, mark > kept ? mark : kept);
    arena_reset(arena, mark);
}

static void arena_close(struct ct_env *base, struct arena *arena) {
    struct thread_env *env = thread_env_of(base);
    struct pooled_arena *pooled = (struct pooled_arena *)(void *)arena;
    reset(base, arena, 0);
    pthread_mutex_lock(&env->mutex);
    pooled->next = env->free;
    env->free = pooled;
    pthread_mutex_unlock(&env->mutex);
}

// ---- Locks and latches -------------------------------------------------------------------------

static struct ct_lock *lock_create(struct ct_env *env) {
    (void)env;
    struct ct_lock *lock = grow_new(1, sizeof *lock, "the environment");
    pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

static void lock_destroy(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    (void)env;
    (void)where;
    pthread_mutex_lock(&lock->mutex);
}

static void lock_release(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    pthread_mutex_unlock(&lock->mutex);
}

static struct ct_latch *latch_create(struct ct_env *env, size_t count) {
    (void)env;
    struct ct_latch *latch = grow_new(1, sizeof *latch, "the environment");
    pthread_mutex_init(&latch->mutex, NULL);
    pthread_cond_init(&latch->is_zero, NULL);
    latch->count = count;
    return latch;
}

// Tells of the zero before it lets go of the mutex: whoever waits may destroy the latch then.
static void latch_count_down(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    pthread_mutex_lock(&latch->mutex);
    ASSERT(latch->count > 0);
    if (--latch->count == 0)
        pthread_cond_broadcast(&latch->is_zero);
    pthread_mutex_unlock(&latch->mutex);
}

static void latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    (void)env;
    (void)where;
    pthread_mutex_lock(&latch->mutex);
    while (latch->count > 0)
        pthread_cond_wait(&latch->is_zero, &latch->mutex);
    pthread_mutex_unlock(&latch->mutex);
}

static void latch_destroy(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    pthread_cond_destroy(&latch->is_zero);
    pthread_mutex_destroy(&latch->mutex);
    free(latch);
}

// ---- Threads -----------------------------------------------------------------------------------

struct started {
    struct thread_env *env;
    void (*function)(void *);
    void *argument;
};

static void count_threads(struct thread_env *env, bool begins) {
    pthread_mutex_lock(&env->mutex);
    if (begins)
        env->thread_count++;
    else if (--env->thread_count == 0)
        pthread_cond_broadcast(&env->ended);
    pthread_mutex_unlock(&env->mutex);
}

static void *run(void *argument) {
    struct started started = *(struct started *)argument;
    // Before the function runs: it may not return for as long as the process lives.
    free(argument);
    started.function(started.argument);
    count_threads(started.env, false);
    return NULL;
}

// A detached thread, so that nobody has to keep and join it.
static bool start_thread(struct started *started) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attributes, run, started);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

bool thread_env_start(struct thread_env *env, void (*function)(void *), void *argument) {
    struct started *started = grow_new(1, sizeof *started, "the environment");
    *started = (struct started){env, function, argument};
    count_threads(env, true);
    if (start_thread(started))
        return true;
    count_threads(env, false);
    free(started);
    return false;
}

static void start(struct ct_env *base, const char *name, void (*function)(void *), void *argument) {
    (void)name;
    if (!thread_env_start(thread_env_of(base), function, argument))
        function(argument);
}

// ---- Time --------------------------------------------------------------------------------------

static uint64_t now(struct ct_env *env) {
    (void)env;
    return clock_nanoseconds();
}

// To an absolute time, so that signals do not make it longer.
static void sleep_for(struct ct_env *env, const char *where, uint64_t nanoseconds) {
    (void)where;
    uint64_t end = now(env) + nanoseconds;
    struct timespec time = {.tv_sec = (time_t)(end / NANOSECONDS),
                            .tv_nsec = (long)(end % NANOSECONDS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

// ---- The environment ---------------------------------------------------------------------------

void thread_env_init(struct thread_env *env, size_t arena_bytes) {
    static const struct ct_env_ops ops = {
        .version = CT_ENV_VERSION,
        .annotate = annotate,
        .arena_open = arena_open,
        .arena_reset = reset,
        .arena_close = arena_close,
        .lock_create = lock_create,
        .lock_destroy = lock_destroy,
        .lock_acquire = lock_acquire,
        .lock_release = lock_release,
        .start = start,
        .latch_create = latch_create,
        .latch_count_down = latch_count_down,
        .latch_wait = latch_wait,
        .latch_destroy = latch_destroy,
        .now = now,
        .sleep = sleep_for,
    };
    *env = (struct thread_env){
        .env = {.ops = &ops}, .arena_bytes = arena_bytes, .kept_bytes = KEPT_BYTES};
    pthread_mutex_init(&env->mutex, NULL);
    pthread_cond_init(&env->ended, NULL);
}

// Threads are detached, so their number is all there is to wait for.
void thread_env_wait(struct thread_env *env) {
    pthread_mutex_lock(&env->mutex);
    while (env->thread_count > 0)
        pthread_cond_wait(&env->ended, &env->mutex);
    pthread_mutex_unlock(&env->mutex);
}

void thread_env_deinit(struct thread_env *env) {
    thread_env_wait(env);
    while (env->free) {
        struct pooled_arena *pooled = env->free;
        env->free = pooled->next;
        env->arena_count--;
        arena_deinit(&pooled->arena);
        free(pooled);
    }
    ASSERT(env->arena_count == 0);
    pthread_cond_destroy(&env->ended);
    pthread_mutex_destroy(&env->mutex);
}

size_t thread_env_arenas(struct thread_env *env) {
    pthread_mutex_lock(&env->mutex);
    size_t count = env->arena_count;
    pthread_mutex_unlock(&env->mutex);
    return count;
}
