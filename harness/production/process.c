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

static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    sct_point("lock", where, &sct_access_unknown);
    process_stand_still(process_of(env));
    sct_mutex_acquire(&lock->mutex, "a lock");
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    sct_task_start(process_of(env)->machine, name, function, argument);
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

static const struct ct_env_ops env_ops = {
    EXECUTION_ENV_OPS,
    .annotate = annotate,
    .lock_create = execution_lock_create,
    .lock_acquire = lock_acquire,
    .latch_wait = execution_latch_wait,
    .start = start,
    .now = now,
    .sleep = sleep_for,
};

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
