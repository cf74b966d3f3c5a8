// production: the lease service, its clients and two migrators as they run in production, over
// tables in files or at a server, in virtual time. Judged by the history of the calls, by what the
// migration leaves, and by the promise that everything ends.
#include "core/engine/monitor.h"
#include "harness/migrating/show.h"
#include "harness/production/calls.h"
#include "harness/production/network.h"
#include "harness/production/show.h"
#include "harness/subject/subject.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "harness/table/log_check.h"
#include "harness/table/retell.h"
#include "model/config/holder.h"
#include "model/config/member.h"
#include "model/memory/memory_table.h"
#include "model/migrating/migrating.h"
#include "model/migrating/state.h"
#include "model/table/row.h"

enum {
    LEASE_MS = 1000,
    APPS = 2,
    MIGRATORS = 2,
    CALLS = 3,
    FAULTS = 3,    // at most, of an execution
    REQUESTS = 48, // a fault falls at one of so many requests of its process
    WRITES = 6,    // or of so many batches
    STEPS_MAX = 200000,
    MEMORY_BYTES = 4 * 1024 * 1024,
    TEXT_BYTES = 800,
};

#define MIGRATION "m"

// What goes wrong in an execution.
enum theme { THEME_ANY, THEME_ANY_TOO, THEME_EXPULSION, THEME_LATE_BATCH, THEME_COUNT };

// ---- Applications ------------------------------------------------------------------------------

struct app_plan {
    enum mt_state wanted[CALLS]; // a call waits until its process has come so far
    uint32_t made;
    uint32_t keys;
};

static struct mt_table *open_instance(struct process *process, struct mt_config *config,
                                      struct mt_lease *lease, size_t copy_rows) {
    struct mt_guard *guards = ARENA_ARRAY(sct_arena(), struct mt_guard, 2);
    mt_guard_init(&guards[0], &process->bounded[STORE_OLD], lease);
    mt_guard_init(&guards[1], &process->bounded[STORE_NEW], lease);
    return mt_open(&(struct mt_options){.old_table = &guards[0].table,
                                        .new_table = &guards[1].table,
                                        .config = config,
                                        .env = &process->env,
                                        .copy_rows = copy_rows,
                                        .bugs = process->world->bugs});
}

static void rest(struct process *process, uint64_t time) {
    process->env.ops->sleep(&process->env, HERE, time);
}

static void run_member(void *member) {
    mt_member_run(member);
}

static void make_calls(struct process *process, const struct mt_member *member,
                       struct application *application) {
    struct production *world = process->world;
    struct app_plan *plan = process->program_data;
    while (plan->made < CALLS) {
        enum mt_state wanted = plan->wanted[plan->made];
        while (member->mirror.current < wanted && !world->has_ended)
            rest(process, world->lease / 5);
        plan->made++; // also if the process dies in it
        calls_make(application);
    }
}

static void run_application(struct process *process) {
    const struct app_plan *plan = process->program_data;
    struct mt_member *member = ARENA_NEW(sct_arena(), struct mt_member);
    mt_member_init(member, &(struct mt_member_options){.env = &process->env,
                                                       .control = &process->bounded[STORE_CONTROL],
                                                       .migration = MIGRATION,
                                                       .id = process_id(process),
                                                       .about = process->name,
                                                       .bugs = process->world->bugs});
    struct mt_table *instance =
        open_instance(process, mt_member_config(member), mt_member_lease(member), 0);
    while (mt_member_join(member).kind != CT_SUCCEEDED)
        rest(process, process->world->lease / 4);
    sct_task_start(process->machine, "lease", run_member, member);
    struct application application = {
        .process = process, .table = mt_interface(instance), .keys = plan->keys};
    make_calls(process, member, &application);
    mt_member_leave(member);
}

// ---- Migrators ---------------------------------------------------------------------------------

struct migrator_plan {
    uint64_t delay;
    size_t copy_rows;
    bool undoes; // goes to PREFER_OLD and back again, if it is the first
};

static void run_holder(void *holder) {
    mt_holder_run(holder);
}

static void check_migration(struct ct_outcome outcome) {
    if (outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
        return;
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_outcome(&text, outcome, NULL, 0);
    sct_violation(outcome.kind == CT_PROGRAM_ERROR ? SCT_KIND_PROGRAM_ERROR : KIND_CALL_FAILED,
                  "the migration ended with %s", buffer);
}

// Begins a migration and gives it up.
static struct ct_outcome migrate_and_undo(struct process *process, struct mt_holder *holder,
                                          struct mt_table *instance) {
    struct mt_config *config = mt_holder_config(holder);
    if (holder->row.state == MT_USE_OLD_HIDE_METADATA &&
        config->ops->push(config, HERE, MT_PREFER_OLD).kind == CT_SUCCEEDED)
        rest(process, process->world->lease / 2);
    struct ct_outcome outcome = mt_undo(instance);
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT))
        outcome = ct_success(); // another has gone further
    return outcome;
}

// One try: true when the migration is over.
static bool migrate_once(struct process *process, struct mt_holder *holder,
                         struct mt_table *instance) {
    const struct migrator_plan *plan = process->program_data;
    struct ct_outcome outcome = mt_holder_take(holder);
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT))
        return true;
    if (outcome.kind == CT_SUCCEEDED)
        outcome = plan->undoes ? migrate_and_undo(process, holder, instance) : mt_migrate(instance);
    check_migration(outcome);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = mt_holder_release(holder, !plan->undoes);
    if (outcome.kind != CT_SUCCEEDED)
        rest(process, process->world->lease / 4);
    return outcome.kind == CT_SUCCEEDED;
}

static void end_migration(struct production *world) {
    if (world->has_ended)
        return;
    world->has_ended = true;
    table_log_settle(&world->log);
}

static void run_migrator(struct process *process) {
    const struct migrator_plan *plan = process->program_data;
    struct production *world = process->world;
    if (process->incarnation == 1)
        rest(process, plan->delay);
    struct mt_holder *holder = ARENA_NEW(sct_arena(), struct mt_holder);
    struct mt_holder_options options = {.env = &process->env,
                                        .control = &process->bounded[STORE_CONTROL],
                                        .migration = MIGRATION,
                                        .id = process_id(process),
                                        .fenced_count = STORE_COUNT,
                                        .bugs = world->bugs};
    for (int i = 0; i < STORE_COUNT; i++)
        options.fenced[i] = &process->bounded[i];
    mt_holder_init(holder, &options);
    struct mt_table *instance =
        open_instance(process, mt_holder_config(holder), mt_holder_lease(holder), plan->copy_rows);
    sct_task_start(process->machine, "lease", run_holder, holder);
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the migration to end");
    while (!migrate_once(process, holder, instance))
        continue;
    sct_monitor_cold(&monitor);
    if (!plan->undoes)
        end_migration(world);
    mt_holder_stop(holder);
}

// ---- The world ---------------------------------------------------------------------------------

static uint32_t draw_rate(void) {
    static const uint32_t rates[] = {100, 99, 101};
    return rates[sct_choose(3, "rate of a clock")];
}

static void write_config(struct production *world) {
    struct process *operator= network_add(world, "operator", 100, NULL, NULL);
    struct mt_control control;
    struct mt_control_config config = {
        .version = 1, .holder = "", .lease_ms = LEASE_MS, .progress = ""};
    mt_control_init(&control, &operator->env, &operator->bounded[STORE_CONTROL], MIGRATION, NULL);
    mt_control_until(&control, UINT64_MAX / 1000, UINT64_MAX / 2000);
    struct ct_outcome outcome = mt_control_write_config(&control, sct_arena(), &config);
    ASSERT(outcome.kind == CT_SUCCEEDED);
}

static struct process *add_application(struct production *world, const char *name, uint32_t keys) {
    struct app_plan *plan = ARENA_NEW(sct_arena(), struct app_plan);
    plan->keys = keys;
    for (int i = 0; i < CALLS; i++) {
        enum mt_state least = i > 0 ? plan->wanted[i - 1] : MT_USE_OLD_HIDE_METADATA;
        plan->wanted[i] =
            least + (enum mt_state)sct_choose((uint32_t)(MT_STATE_COUNT - least), "state");
    }
    return network_add(world, name, draw_rate(), run_application, plan);
}

static struct process *add_migrator(struct production *world, const char *name, bool undoes) {
    struct migrator_plan *plan = ARENA_NEW(sct_arena(), struct migrator_plan);
    plan->delay = sct_choose(8, "delay") * world->lease / 2;
    plan->copy_rows = 1 + 2 * sct_choose(2, "rows copied at once");
    plan->undoes = undoes;
    return network_add(world, name, draw_rate(), run_migrator, plan);
}

static enum fault_kind draw_kind(const struct production *world) {
    static const enum fault_kind of_files[] = {
        FAULT_REFUSED,      FAULT_DELAYED,     FAULT_STALL_BEFORE, FAULT_STALL_WITHIN,
        FAULT_STALL_WITHIN, FAULT_STALL_AFTER, FAULT_DEATH_BEFORE, FAULT_DEATH_AFTER};
    static const enum fault_kind of_servers[] = {
        FAULT_REFUSED,      FAULT_LOST_REQUEST, FAULT_LOST_ANSWER,  FAULT_LATE,
        FAULT_LATE,         FAULT_DELAYED,      FAULT_STALL_BEFORE, FAULT_STALL_AFTER,
        FAULT_DEATH_BEFORE, FAULT_DEATH_LATE,   FAULT_DEATH_LATE,   FAULT_DEATH_AFTER};
    if (world->is_of_files)
        return of_files[sct_choose(sizeof of_files / sizeof of_files[0], "fault")];
    return of_servers[sct_choose(sizeof of_servers / sizeof of_servers[0], "fault")];
}

// Parts of a lease: shorter than it, and longer than others wait.
static uint64_t draw_duration(const struct production *world) {
    static const uint32_t quarters[] = {1, 2, 3, 4, 6, 12};
    return world->lease * quarters[sct_choose(6, "duration")] / 4;
}

// For which a request is under way that is answered by nobody: less than the longest, half a lease.
static uint64_t draw_lateness(const struct production *world) {
    return world->lease * (1 + sct_choose(7, "lateness")) / 16;
}

// A batch of an application lands when the call that sent it may have ended.
static void draw_late_batch(struct production *world, struct process *application) {
    struct fault *fault = &application->faults[0];
    world->is_of_files = false;
    fault->kind = FAULT_LATE;
    fault->moment = MOMENT_WRITE;
    fault->number = 1 + sct_choose(WRITES, "request");
    fault->duration = draw_lateness(world);
}

static void draw_faults(struct production *world, struct process *const *processes,
                        uint32_t count) {
    uint32_t faults = sct_choose(FAULTS + 1, "faults");
    for (uint32_t i = 0; i < faults; i++) {
        struct process *victim = processes[sct_choose(count, "victim")];
        bool is_of_writes = sct_choose(2, "at a batch") == 1;
        struct fault *fault = &victim->faults[i];
        fault->kind = draw_kind(world);
        fault->moment = is_of_writes ? MOMENT_WRITE : MOMENT_REQUEST;
        fault->number = 1 + sct_choose(is_of_writes ? WRITES : REQUESTS, "request");
        fault->duration = fault->kind == FAULT_LATE || fault->kind == FAULT_DEATH_LATE
                              ? draw_lateness(world)
                              : draw_duration(world);
    }
}

// An application is stopped, within a transaction or before a read, for so long that it is
// expelled, and perhaps the migrator does not survive that.
static void draw_expulsion(struct production *world, struct process *application,
                           struct process *migrator) {
    struct fault *stop = &application->faults[0];
    bool is_of_reads = sct_choose(3, "at a read") == 2;
    world->is_of_files = true;
    stop->kind = is_of_reads ? FAULT_STALL_BEFORE : FAULT_STALL_WITHIN;
    stop->moment = is_of_reads ? MOMENT_READ : MOMENT_WRITE;
    stop->number = 1 + sct_choose(WRITES, "request");
    stop->duration = world->lease * (3 + sct_choose(6, "duration"));
    if (sct_choose(2, "death") == 0)
        return;
    migrator->faults[0] = (struct fault){.kind = FAULT_DEATH_AFTER,
                                         .moment = MOMENT_EXPULSION,
                                         .number = 1,
                                         .duration = draw_duration(world)};
}

static void setup(void *bugs) {
    struct production *world = ARENA_NEW(sct_arena(), struct production);
    sct_context_set(world);
    struct process *processes[APPS + MIGRATORS];
    uint32_t count = 0;
    world->bugs = bugs;
    world->lease = mt_nanoseconds(LEASE_MS);
    world->is_of_files = sct_choose(2, "tables in files") == 1;
    network_init(world);
    enum theme theme = (enum theme)sct_choose(THEME_COUNT, "theme");
    bool has_expulsion = theme == THEME_EXPULSION;
    // Which shows in partitions that are otherwise empty.
    uint32_t keys = 1 + (has_expulsion ? 0 : sct_choose(CALLS_KEYS, "keys"));
    calls_load(world, keys);
    write_config(world);
    processes[count++] = add_application(world, "service-0", keys);
    processes[count++] = add_application(world, "service-1", keys);
    processes[count++] = add_migrator(world, "migrator-0", false);
    if (sct_choose(2, "second migrator") == 1)
        processes[count++] = add_migrator(world, "migrator-1", sct_choose(3, "undoes") == 2);
    if (has_expulsion)
        draw_expulsion(world, processes[0], processes[APPS]);
    else if (theme == THEME_LATE_BATCH)
        draw_late_batch(world, processes[0]);
    else
        draw_faults(world, processes, count);
    for (uint32_t i = 0; i < count; i++)
        process_start(processes[i]);
    world_time_start(&world->time);
}

// ---- The end -----------------------------------------------------------------------------------

static struct log_checker *checker; // one for all executions of this process

static void check_history(struct production *world) {
    char buffer[TEXT_BYTES];
    struct text blocked = text_in(buffer, sizeof buffer);
    if (!checker)
        checker = log_checker_open(
            &(struct lin_limits){.steps_max = STEPS_MAX, .memory_bytes = MEMORY_BYTES});
    enum lin_verdict verdict = log_check(checker, &world->log, &blocked);
    if (verdict == LIN_UNKNOWN)
        sct_check_gave_up();
    sct_check(verdict != LIN_NOT_LINEARIZABLE, KIND_NOT_LINEARIZABLE,
              "no order of the calls explains %s", buffer);
}

static void check_tables(const struct production *world) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct ct_rows old_rows = ct_memory_rows(world->stores[STORE_OLD].table);
    struct ct_rows new_rows = ct_memory_rows(world->stores[STORE_NEW].table);
    describe_rows(&text, old_rows);
    sct_check(old_rows.count == 0, KIND_FINAL_STATE, "the old table keeps %s", buffer);
    for (size_t i = 0; i < new_rows.count; i++) {
        text = text_in(buffer, sizeof buffer);
        describe_row(&text, new_rows.rows[i]);
        sct_check(!ct_row_property(new_rows.rows[i], MT_DELETED_PROPERTY), KIND_FINAL_STATE,
                  "the new table keeps metadata: %s", buffer);
    }
}

static void finish(void *context) {
    struct production *world = context;
    sct_check(world->has_ended, KIND_FINAL_STATE, "the migration has not ended");
    table_log_final(&world->log, ct_memory_rows(world->stores[STORE_NEW].table));
    check_history(world);
    check_tables(world);
}

extern const struct subject_test scenario_production;
const struct subject_test scenario_production = {
    .name = "production",
    .summary =
        "leases, deadlines, two migrators; processes stall and die, requests are lost or late",
    .program = {.setup = setup, .finish = finish},
    .view = &production_view,
};
