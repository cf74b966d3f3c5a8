// Calls of the direct world wait for states of the migration. A migration that skips a state (bugs
// 9 to 11) must be found by what it does to the tables, not by a call that waits for ever.
#include "tests/harness/run.h"

#include "harness/migrating/app.h"
#include "harness/migrating/workload.h"
#include "model/table/filter.h"

// ---- One call that waits for the skipped state -------------------------------------------------

enum { RUNS = 500 };

static enum patience patience;
static size_t calls;
static size_t begun[MT_STATE_COUNT]; // of them, by the state in which they began

static void wait_and_query(struct app *app) {
    if (app->arrived_state > MT_USE_OLD_HIDE_METADATA)
        return; // too late to wait
    app_await_state(app, MT_PREFER_OLD, patience);
    app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
    calls++;
    begun[app->view.state]++;
}

static void set_up(void *bugs) {
    struct tables_options options = {.choose = uniform_choice};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    app_add(world, "service-0", wait_and_query);
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
}

// Every execution passes: one reader alone sees nothing wrong.
static void run_calls(enum bug bug, enum patience how) {
    struct run run;
    patience = how;
    calls = 0;
    memset(begun, 0, sizeof begun);
    run_open(&run, "default", bug, "random", 1);
    run.program = (struct sct_program){.setup = set_up, .context = &run.bugs};
    for (uint64_t i = 0; i < RUNS; i++) {
        run_passing(&run, i);
    }
    run_close(&run);
    assert_true(calls > RUNS / 2);
}

// Where the state is pushed, a call that holds it begins in it.
static void test_a_state_that_comes(void **state) {
    (void)state;
    run_calls(NO_BUG, HOLD);
    assert_int_equal(begun[MT_PREFER_OLD], calls);
    run_calls(NO_BUG, HOLD_TO_END);
    assert_int_equal(begun[MT_PREFER_OLD], calls);
}

// Where it is skipped, the call begins in the state before it, which it holds up to then.
static void test_a_skipped_state_that_is_held(void **state) {
    (void)state;
    run_calls(BUG_MIGRATE_SKIP_PREFER_OLD, HOLD);
    assert_int_equal(begun[MT_USE_OLD_HIDE_METADATA], calls);
    run_calls(BUG_MIGRATE_SKIP_PREFER_OLD, HOLD_TO_END);
    assert_int_equal(begun[MT_USE_OLD_HIDE_METADATA], calls);
}

// A call that only waits begins when the next state has arrived.
static void test_a_skipped_state_that_is_awaited(void **state) {
    (void)state;
    run_calls(BUG_MIGRATE_SKIP_PREFER_OLD, AWAIT_ARRIVAL);
    assert_int_equal(begun[MT_USE_OLD_HIDE_METADATA] + begun[MT_PREFER_OLD], 0);
}

// ---- The default test --------------------------------------------------------------------------

enum { DEFAULT_RUNS = 2000 }; // each of the bugs shows in one execution of 100 at least

static void count_violations(enum bug bug, const char *test) {
    struct run run;
    uint64_t found = 0;
    run_open(&run, test, bug, "portfolio", 1);
    for (uint64_t i = 0; i < DEFAULT_RUNS; i++) {
        const struct sct_result *result = sct_engine_run(
            run.engine, &run.program, sct_strategy_for(run.strategy, i), sct_execution_seed(1, i));
        if (result->outcome != SCT_VIOLATED)
            continue;
        if (strcmp(result->violation.kind, SCT_KIND_DEADLOCK) == 0 ||
            strcmp(result->violation.kind, SCT_KIND_LIVELOCK) == 0)
            fail_msg("%s: %s", bug_info(bug)->name, result->violation.message);
        found++;
    }
    assert_true(found > 0);
    run_close(&run);
}

// No call waits for ever, and something else is found: with annotations and without.
static void test_default_finds_what_skipping_does(void **state) {
    (void)state;
    static const enum bug bugs[] = {BUG_MIGRATE_SKIP_PREFER_OLD,
                                    BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES,
                                    BUG_INSERT_BEHIND_MIGRATOR};
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        count_violations(bugs[i], "default");
        count_violations(bugs[i], "history");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_state_that_comes),
        cmocka_unit_test(test_a_skipped_state_that_is_held),
        cmocka_unit_test(test_a_skipped_state_that_is_awaited),
        cmocka_unit_test(test_default_finds_what_skipping_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
