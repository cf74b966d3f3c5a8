#include "harness/production/process.h"

// The incarnation keeps what a dead process has left in the control table from being taken for its
// successor's.
const char *process_id(const struct process *process) {
    return arena_printf(sct_arena(), "%s.%u", process->name, process->incarnation);
}

// ---- Steps -------------------------------------------------------------------------------------

struct digest process_digest(const struct process *process) {
    const uint64_t words[] = {process->world->time.now, process->stalled_until, process->menu_count,
                              process->under_way,       process->incarnation,   process->is_dead,
                              process->call != NULL};
    struct digest digest = digest_of(words, sizeof words);
    return process->digest ? digest_fold_digest(digest, process->digest(process)) : digest;
}

// All that the tasks of a process share is one object, and each step of theirs may write it: so no
// two of them are taken for independent, whatever they touch.
void process_step(struct process *process) {
    process_touch(SCT_ACCESS_WRITE, PROCESS_MEMORY, process->number);
    if (sct_comparing())
        sct_observe_digest(process_digest(process));
}

// In a reduced search the step declares nothing beforehand: what it touches it says when it touches
// it.
void process_point(struct process *process, const char *label, const char *where) {
    sct_point(label, where, sct_reducing() ? &sct_access_none : &sct_access_unknown);
    process_stand_still(process);
}

void process_stand_still(struct process *process) {
    struct world_time *time = &process->world->time;
    // Again and again, for the stall may be made longer by another task of the process that meets a
    // fault. All tasks of it stand still, as threads do in a process that is stopped.
    while (time->now < process->stalled_until)
        world_time_sleep(time, process->stalled_until);
    process_step(process);
}

// What a task begins with.
struct beginning {
    struct process *process;
    void (*function)(void *);
    void *argument;
};

static void begin(void *argument) {
    const struct beginning *beginning = argument;
    process_step(beginning->process);
    beginning->function(beginning->argument);
}

void process_task(struct process *process, const char *name, void (*function)(void *),
                  void *argument) {
    struct beginning *beginning = ARENA_NEW(sct_arena(), struct beginning);
    *beginning = (struct beginning){process, function, argument};
    sct_task_start_with(process->machine, name, begin, beginning,
                        sct_reducing() ? &sct_access_none : &sct_access_unknown);
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
    process_point(process_of(env), "lock", where);
    sct_mutex_acquire(&lock->mutex, "a lock");
    process_step(process_of(env)); // it may have waited
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    process_task(process_of(env), name, function, argument);
}

static void latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    execution_latch_wait(env, where, latch);
    process_step(process_of(env));
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

static struct digest observed(struct ct_env *env) {
    (void)env;
    return sct_observed();
}

static void forget(struct ct_env *env, struct digest mark, const char *place, uint64_t value) {
    struct digest what = digest_fold_text((struct digest){value, 0}, place);
    sct_forget(mark, &what, sizeof what);
    process_step(process_of(env)); // what it has read in this step, too
}

#define ENV_OPS                                                                                \
    EXECUTION_ENV_OPS, .annotate = annotate, .lock_create = execution_lock_create,             \
                       .lock_acquire = lock_acquire, .latch_wait = latch_wait, .start = start, \
                       .now = now, .sleep = sleep_for

static const struct ct_env_ops env_ops = {ENV_OPS};
static const struct ct_env_ops comparing_env_ops = {
    ENV_OPS,
    .observed = observed,
    .forget = forget,
};

// ---- Life and death ----------------------------------------------------------------------------

struct process *process_new(struct production *world, const char *name, uint32_t rate,
                            void (*program)(struct process *process), void *data) {
    struct process *process = ARENA_NEW(sct_arena(), struct process);
    *process = (struct process){
        .env = {sct_comparing() ? &comparing_env_ops : &env_ops},
        .world = world,
        .machine = sct_machine_create(name),
        .name = name,
        // The clock does not begin with 0, which as a deadline or the end of a lease means that
        // there is none.
        .clock = {.time = &world->time, .offset = 1000, .rate = rate},
        .program = program,
        .program_data = data,
        .number = world->process_count,
    };
    ASSERT(world->process_count < PROCESSES_MAX);
    world->processes[world->process_count++] = process;
    return process;
}

static void run(void *argument) {
    struct process *process = argument;
    process->program(process);
}

void process_start(struct process *process) {
    process->incarnation++;
    process->is_dead = false;
    process->shared = NULL;
    process_task(process, "main", run, process);
}

// While a request of it is under way the call may still take effect, so it has not ended for the
// checker; afterwards it has, as unknown: done or not, but not later.
void process_log_lost_call(struct process *process) {
    struct logged_call *call = process->call;
    if (!process->is_dead || process->under_way > 0 || !call)
        return;
    process->call = NULL;
    table_log_return(process_log(process), call, ct_unknown("its process has died"), NULL,
                     (struct ct_rows){NULL, 0});
}
