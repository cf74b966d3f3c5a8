// A cooperative world for tests: tasks run when the test says so, in the order in which they were
// started; waiting and sleeping call what others do meanwhile; the clock goes on when somebody
// sleeps. One for each program.
#ifndef TESTS_SUPPORT_STEP_ENV_H
#define TESTS_SUPPORT_STEP_ENV_H

#include "model/table/env.h"
#include "tests/support/test.h"

enum { TASKS_MAX = 16 };

struct ct_latch {
    size_t count;
};

struct ct_lock {
    bool is_held;
};

static struct arena arena; // the test's to open and close
static uint64_t time_now;
static struct {
    void (*function)(void *);
    void *argument;
} tasks[TASKS_MAX];
static size_t task_count, tasks_run;
static struct ct_latch *latches[TASKS_MAX]; // in the order of their creation
static size_t latch_count;
static void (*while_sleeping)(void); // what others do then
static void (*while_waiting)(void);  // likewise, once

static void run_tasks(void) {
    while (tasks_run < task_count) {
        size_t next = tasks_run++;
        tasks[next].function(tasks[next].argument);
    }
}

static struct arena *arena_open(struct ct_env *env) {
    (void)env;
    return &arena;
}

static void arena_keep(struct ct_env *env, struct arena *kept, size_t mark) {
    (void)env;
    (void)kept;
    (void)mark;
}

static void arena_close(struct ct_env *env, struct arena *kept) {
    (void)env;
    (void)kept;
}

static struct ct_lock *lock_create(struct ct_env *env) {
    (void)env;
    return ARENA_NEW(&arena, struct ct_lock);
}

static void lock_destroy(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    assert_false(lock->is_held);
}

static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    (void)env;
    (void)where;
    assert_false(lock->is_held);
    lock->is_held = true;
}

static void lock_release(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    lock->is_held = false;
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    (void)env;
    (void)name;
    assert_true(task_count < TASKS_MAX);
    tasks[task_count].function = function;
    tasks[task_count++].argument = argument;
}

static struct ct_latch *latch_create(struct ct_env *env, size_t count) {
    (void)env;
    struct ct_latch *latch = ARENA_NEW(&arena, struct ct_latch);
    latch->count = count;
    assert_true(latch_count < TASKS_MAX);
    return latches[latch_count++] = latch;
}

static void latch_count_down(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    assert_true(latch->count > 0);
    latch->count--;
}

static void latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    void (*others)(void) = while_waiting;
    (void)env;
    (void)where;
    while_waiting = NULL;
    if (others)
        others();
    assert_int_equal(latch->count, 0);
}

static void latch_destroy(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    (void)latch;
}

static uint64_t now(struct ct_env *env) {
    (void)env;
    return time_now;
}

static void sleep_for(struct ct_env *env, const char *where, uint64_t nanoseconds) {
    (void)env;
    (void)where;
    time_now += nanoseconds;
    if (while_sleeping)
        while_sleeping();
}

static const struct ct_env_ops env_ops = {.version = CT_ENV_VERSION,
                                          .arena_open = arena_open,
                                          .arena_reset = arena_keep,
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
                                          .sleep = sleep_for};
static struct ct_env env = {&env_ops};

// Before each test.
static void begin_world(void) {
    arena_init(&arena, 1 << 24);
    time_now = 1;
    task_count = tasks_run = latch_count = 0;
    while_sleeping = while_waiting = NULL;
}

#endif
