// Tests of leases that are small enough to be searched to their end: one partition, one row in the
// old table at first, an application process with one call (the row written, deleted, or all rows
// read), begun when its process has come to a state that is chosen, while the whole migration runs.
// All clocks run at the same rate. A fault may befall any request, once, which is a choice at each.
// In the end the checks of the test `production` hold.
//
// small-p-1: nothing goes wrong.
//
// small-p-2: over tables in files the application stands still or dies.
//
// small-p-3: over tables at a server a request of the application is refused, lost, not answered,
// late or slow, or the application dies.
//
// small-p-4: there is a second migrator, and the first one stands still or dies.
//
// small-p-5: as small-p-2, and the migrator dies where it expels.
#include "harness/production/network.h"
#include "harness/production/programs.h"
#include "harness/production/show.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"
#include "model/table/row.h"
#include "model/config/control.h"

// The longest fault takes three leases, and a push is delayed by little more than one.
enum { LEASE_MS = 1000, TIME_MAX = 16 };
static const uint64_t lease = (uint64_t)LEASE_MS * 1000000;

#define LEASES(tenths) ((uint64_t)LEASE_MS * 100000 * (tenths))
#define BEATS(count) ((uint64_t)LEASE_MS * 1000000 / 3 * (count)) // from one to another

// ---- Faults ------------------------------------------------------------------------------------

// Numbers do not count in a menu: each of these may befall any request of its moment.
static const struct fault of_files[] = {
    {FAULT_STALL_WITHIN, MOMENT_REQUEST, 0, LEASES(30)},
    {FAULT_STALL_BEFORE, MOMENT_WRITE, 0, LEASES(30)},
    {FAULT_DEATH_AFTER, MOMENT_REQUEST, 0, LEASES(30)},
};

static const struct fault of_servers[] = {
    {FAULT_REFUSED, MOMENT_REQUEST, 0, 0},
    {FAULT_LOST_REQUEST, MOMENT_REQUEST, 0, 0},
    {FAULT_LOST_ANSWER, MOMENT_REQUEST, 0, 0},
    // Less than half a lease, for which a request is under way at most, so that it lands; and more
    // than the caller waits.
    {FAULT_LATE, MOMENT_REQUEST, 0, LEASES(4)},
    {FAULT_DELAYED, MOMENT_REQUEST, 0, LEASES(5)},
    {FAULT_SLOW_ANSWER, MOMENT_REQUEST, 0, BEATS(4)},
    {FAULT_DEATH_LATE, MOMENT_REQUEST, 0, LEASES(4)},
};

// So long that its migrator can die meanwhile, and come back.
static const struct fault of_expelled[] = {
    {FAULT_STALL_WITHIN, MOMENT_WRITE, 0, LEASES(50)},
};

static const struct fault of_migrators[] = {
    {FAULT_STALL_AFTER, MOMENT_REQUEST, 0, LEASES(30)},
    {FAULT_DEATH_AFTER, MOMENT_REQUEST, 0, LEASES(30)},
};

static const struct fault of_expulsions[] = {
    {FAULT_DEATH_AFTER, MOMENT_EXPULSION, 0, LEASES(10)},
};

struct menu {
    const struct fault *faults;
    uint32_t count;
};

#define MENU(faults) \
    { faults, sizeof(faults) / sizeof(faults)[0] }

struct small {
    bool is_of_files;
    bool may_be_empty; // at first
    bool may_pause;    // before the call
    struct menu application, migrator;
    uint32_t migrators;
    uint64_t delay; // of the first one; the second one comes half a lease later
};

static const struct small sizes[] = {
    {.migrators = 1},
    {.is_of_files = true,
     .may_be_empty = true,
     .application = MENU(of_files),
     .migrators = 1,
     .delay = LEASES(1)},
    {.may_pause = true, .application = MENU(of_servers), .migrators = 1, .delay = LEASES(1)},
    {.migrator = MENU(of_migrators), .migrators = 2, .delay = LEASES(1)},
    {.is_of_files = true,
     .may_be_empty = true,
     .application = MENU(of_expelled),
     .migrator = MENU(of_expulsions),
     .migrators = 1,
     .delay = LEASES(1)},
};

// ---- The world ---------------------------------------------------------------------------------

// The row's contents say "at-first", so that a read tells the row from the one that the call
// writes.
static void load(struct production *world, bool may_be_empty) {
    struct ct_table *table = ct_memory_table_interface(world->stores[STORE_OLD].table);
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_INSERT, calls_row(0, "at-first"));
    if (!may_be_empty || sct_choose(2, "empty") == 0)
        ASSERT(ct_execute(table, &batch, sct_arena(), &result).kind == CT_SUCCEEDED);
    table_log_init(&world->log, sct_arena(), ct_memory_rows(world->stores[STORE_OLD].table));
}

static void add_application(struct production *world, const struct small *small) {
    struct app_plan *plan = ARENA_NEW(sct_arena(), struct app_plan);
    *plan = (struct app_plan){.calls = 1, .keys = 1, .make = calls_make_small};
    // A choice, and so all states are searched in one test, whose executions share what comes
    // before.
    plan->wanted[0] = (enum mt_state)sct_choose(MT_STATE_COUNT, "state");
    plan->pause = small->may_pause && sct_choose(2, "pause") == 1 ? BEATS(8) : 0;
    struct process *process = programs_add_application(world, "service-0", 100, plan);
    process->menu = small->application.faults;
    process->menu_count = small->application.count;
}

static void add_migrators(struct production *world, const struct small *small) {
    static const char *const names[] = {"migrator-0", "migrator-1"};
    for (uint32_t i = 0; i < small->migrators; i++) {
        struct migrator_plan *plan = ARENA_NEW(sct_arena(), struct migrator_plan);
        *plan = (struct migrator_plan){.delay = small->delay + i * LEASES(5), .copy_rows = 1};
        struct process *process = programs_add_migrator(world, names[i], 100, plan);
        process->menu = i == 0 ? small->migrator.faults : NULL;
        process->menu_count = i == 0 ? small->migrator.count : 0;
    }
}

static void set_up(void *bugs, const struct small *small) {
    struct production *world = ARENA_NEW(sct_arena(), struct production);
    sct_context_set(world);
    sct_touch_after_waits(&sct_access_none);
    world->bugs = bugs;
    world->lease = lease;
    // In a livelock time goes on, so its states all differ: without a bound the search would not
    // end.
    world->time.limit = TIME_MAX * lease;
    world->is_of_files = small->is_of_files;
    // A counter of the table would make writes of different rows depend on each other.
    world->etags_per_key = true;
    network_init(world);
    load(world, small->may_be_empty);
    programs_write_config(world, MT_USE_OLD_HIDE_METADATA);
    add_application(world, small);
    add_migrators(world, small);
    for (uint32_t i = 1; i < world->process_count; i++) // the first one has written the row
        process_start(world->processes[i]);
    world_time_start(&world->time);
}

static void finish(void *world) {
    programs_check_end(world);
}

static void add_digest(void *world, struct digest *state) {
    digest_add(state, programs_digest(world));
}

#define SMALL(number, text)                                           \
    static void setup_##number(void *bugs) {                          \
        set_up(bugs, &sizes[number - 1]);                             \
    }                                                                 \
    extern const struct subject_test scenario_small_p_##number;       \
    const struct subject_test scenario_small_p_##number = {           \
        .name = "small-p-" #number,                                   \
        .summary = "for dfs: leases, a process with one call; " text, \
        .program = {.setup = setup_##number,                          \
                    .finish = finish,                                 \
                    .digest = add_digest,                             \
                    .tasks_observe = true,                            \
                    .is_copyable = true},                             \
        .is_reducible = true,                                         \
        .view = &production_view,                                     \
    };

SMALL(1, "nothing goes wrong")
SMALL(2, "over files, it stands still or dies")
SMALL(3, "at a server, a request of it goes astray")
SMALL(4, "two migrators, of which one stands still or dies")
SMALL(5, "over files, it stands still or dies, and the migrator dies where it expels")
