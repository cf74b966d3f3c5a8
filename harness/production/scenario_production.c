// production: the lease service, its clients and two migrators as they run in production, over
// tables in files or at a server, in virtual time. Judged by the history of the calls, by what the
// migration leaves, and by the promise that everything ends. copiers: the same with several copiers
// in each migrator, over tables that may execute batches in groups.
#include "harness/production/network.h"
#include "harness/production/programs.h"
#include "harness/production/show.h"
#include "model/config/control.h"

enum {
    LEASE_MS = 1000,
    APPS = 2,
    MIGRATORS = 2,
    FAULTS = 3,    // at most, of an execution
    REQUESTS = 48, // a fault falls at one of so many requests of its process
    WRITES = 6,    // or of so many batches
    COPIERS = 2,
    COPY_ROWS = 3,      // at most
    COPY_REQUESTS = 12, // of a copy pass, more or less
};

// What goes wrong in an execution.
enum theme { THEME_ANY, THEME_ANY_TOO, THEME_EXPULSION, THEME_LATE_BATCH, THEME_COUNT };

// ---- The world ---------------------------------------------------------------------------------

// The bounds of what the protocol assumes of clocks: one part in a hundred (MT_DRIFT).
static uint32_t draw_rate(void) {
    static const uint32_t rates[] = {100, 99, 101};
    return rates[sct_choose(3, "rate of a clock")];
}

static struct process *add_application(struct production *world, const char *name, uint32_t keys) {
    struct app_plan *plan = ARENA_NEW(sct_arena(), struct app_plan);
    plan->keys = keys;
    plan->calls = PROGRAM_CALLS;
    plan->make = calls_make;
    for (int i = 0; i < PROGRAM_CALLS; i++) {
        // In order, for the migration goes only forward: a call that wanted an earlier state would
        // be made at once, in a later one.
        enum mt_state least = i > 0 ? plan->wanted[i - 1] : MT_USE_OLD_HIDE_METADATA;
        plan->wanted[i] =
            least + (enum mt_state)sct_choose((uint32_t)(MT_STATE_COUNT - least), "state");
    }
    return programs_add_application(world, name, draw_rate(), plan);
}

static struct process *add_migrator(struct production *world, const char *name, bool undoes) {
    struct migrator_plan *plan = ARENA_NEW(sct_arena(), struct migrator_plan);
    plan->delay = sct_choose(8, "delay") * world->lease / 2;
    plan->copy_rows = 1 + 2 * sct_choose(2, "rows copied at once");
    plan->undoes = undoes;
    return programs_add_migrator(world, name, draw_rate(), plan);
}

static void draw_copiers(struct process *migrator) {
    struct migrator_plan *plan = migrator->program_data;
    plan->copy_rows = 1 + sct_choose(COPY_ROWS, "rows copied at once");
    plan->copiers = COPIERS;
}

// Those that stand twice are drawn twice as often: what takes effect when its sender does not count
// any more is what leases are about. In a file nothing is lost or late: a request is executed in
// the caller's own step, or not at all.
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
// Drawn apart, for a fault at any request hits such a batch rarely.
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
        // A number that the process does not reach is no fault: many executions have fewer than
        // were drawn.
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
    // Three leases at least: one until it is taken for dead, the rest for what happens after the
    // push.
    stop->duration = world->lease * (3 + sct_choose(6, "duration"));
    if (sct_choose(2, "death") == 0)
        return;
    migrator->faults[0] = (struct fault){.kind = FAULT_DEATH_AFTER,
                                         .moment = MOMENT_EXPULSION,
                                         .number = 1,
                                         .duration = draw_duration(world)};
}

// While it copies, most often.
static void draw_fault_of_copier(struct production *world, struct process *migrator) {
    struct fault *fault = &migrator->faults[0];
    fault->kind = draw_kind(world);
    fault->moment = sct_choose(4, "at a read") == 3 ? MOMENT_READ : MOMENT_WRITE;
    fault->number = 1 + sct_choose(COPY_REQUESTS, "request");
    fault->duration = fault->kind == FAULT_LATE || fault->kind == FAULT_DEATH_LATE
                          ? draw_lateness(world)
                          : draw_duration(world);
}

// What goes wrong is drawn here, before anybody runs: what befalls a process does not depend on how
// the others were scheduled, and a minimized trace has them at its beginning.
static void set_up(void *bugs, bool has_copiers) {
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
    world->takes_groups = has_copiers && sct_choose(2, "groups") == 1;
    // Which shows in partitions that are otherwise empty.
    uint32_t keys = 1 + (has_expulsion ? 0 : sct_choose(CALLS_KEYS, "keys"));
    calls_load(world, keys);
    programs_write_config(world, MT_USE_OLD_HIDE_METADATA);
    processes[count++] = add_application(world, "service-0", keys);
    processes[count++] = add_application(world, "service-1", keys);
    processes[count++] = add_migrator(world, "migrator-0", false);
    if (sct_choose(2, "second migrator") == 1)
        processes[count++] = add_migrator(world, "migrator-1", sct_choose(3, "undoes") == 2);
    for (uint32_t i = APPS; has_copiers && i < count; i++)
        draw_copiers(processes[i]);
    if (has_expulsion)
        draw_expulsion(world, processes[0], processes[APPS]);
    else if (theme == THEME_LATE_BATCH)
        draw_late_batch(world, processes[0]);
    else if (has_copiers && theme == THEME_ANY_TOO)
        draw_fault_of_copier(world, processes[APPS]);
    else
        draw_faults(world, processes, count);
    for (uint32_t i = 0; i < count; i++)
        process_start(processes[i]);
    world_time_start(&world->time);
}

static void setup(void *bugs) {
    set_up(bugs, false);
}

static void setup_copiers(void *bugs) {
    set_up(bugs, true);
}

static void finish(void *world) {
    programs_check_end(world);
}

extern const struct subject_test scenario_production;
const struct subject_test scenario_production = {
    .name = "production",
    .summary =
        "leases, deadlines, two migrators; processes stall and die, requests are lost or late",
    .program = {.setup = setup, .finish = finish},
    .view = &production_view,
};

extern const struct subject_test scenario_copiers;
const struct subject_test scenario_copiers = {
    .name = "copiers",
    .summary = "production, and each migrator copies with two tasks at once, perhaps in groups",
    .program = {.setup = setup_copiers, .finish = finish},
    .view = &production_view,
};
