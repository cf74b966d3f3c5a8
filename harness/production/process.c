#include "harness/production/process.h"

const char *process_id(const struct process *process) {
    return arena_printf(sct_arena(), "%s.%u", process->name, process->incarnation);
}

void process_stand_still(struct process *process) {
    struct world_time *time = &process->world->time;
    while (time->now < process->stalled_until)
        world_time_sleep(time, process->stalled_until);
}

// ---- The environment ---------------------------------------------------------------------------

struct ct_lock {
    struct sct_mutex mutex;
};

struct ct_latch {
    struct sct_latch latch;
};

static struct process *process_of(struct ct_env *env) {
    return (struct process *)env;
}

// Who judges here sees the calls alone.
static void annotate(struct ct_env *env, const char *where,
                     const struct ct_annotation *annotation) {
    (void)env;
    (void)where;
    (void)annotation;
}

// All arenas are the execution's, which is forgotten as a whole.
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
    return lock;
}

static void lock_destroy(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    (void)lock;
}

static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    sct_point("lock", where, &sct_access_unknown);
    process_stand_still(process_of(env));
    sct_mutex_acquire(&lock->mutex, "a lock");
}

static void lock_release(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    sct_mutex_release(&lock->mutex);
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    sct_task_start(process_of(env)->machine, name, function, argument);
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
    (void)latch;
}

static uint64_t now(struct ct_env *env) {
    return local_clock_now(&process_of(env)->clock);
}

static void sleep_for(struct ct_env *env, const char *where, uint64_t nanoseconds) {
    struct process *process = process_of(env);
    uint64_t until = local_clock_true(&process->clock, now(env) + nanoseconds);
    (void)where;
    world_time_sleep(&process->world->time, until);
    process_stand_still(process);
}

static const struct ct_env_ops env_ops = {.version = CT_ENV_VERSION,
                                          .annotate = annotate,
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

// ---- Life and death ----------------------------------------------------------------------------

struct process *process_new(struct production *world, const char *name, uint32_t rate,
                            void (*program)(struct process *process), void *data) {
    struct process *process = ARENA_NEW(sct_arena(), struct process);
    *process = (struct process){
        .env = {&env_ops},
        .world = world,
        .machine = sct_machine_create(name),
        .name = name,
        .clock = {.time = &world->time, .offset = 1000, .rate = rate},
        .program = program,
        .program_data = data,
    };
    return process;
}

static void run(void *argument) {
    struct process *process = argument;
    process->program(process);
}

void process_start(struct process *process) {
    process->incarnation++;
    process->is_dead = false;
    sct_task_start(process->machine, "main", run, process);
}

void process_log_lost_call(struct process *process) {
    struct logged_call *call = process->call;
    if (!process->is_dead || process->under_way > 0 || !call)
        return;
    process->call = NULL;
    table_log_return(&process->world->log, call, ct_unknown("its process has died"), NULL,
                     (struct ct_rows){NULL, 0});
}
