// The small version of scripts/bugs: the default test with the portfolio finds every optional bug
// of the migrating table within its budget from three seeds, and nothing without a bug.
#include "tests/harness/run.h"

static const uint64_t seeds[] = {1, 2, 3};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

// The rates below: executions of one campaign of seed 1 (mtcheck --keep-going --format json).
enum { MEASURED = 100000 };

// As many as the members of the portfolio: the rates are theirs on average.
enum { ROTATION = 8 };

// [found] executions of MEASURED violated. At the lower 95 % bound p of that rate [budget]
// executions all miss with a probability of at most (1 - p)^budget < 1e-6. The members' rates
// differ, but whole rotations miss less often than this (the geometric mean of what they miss is at
// most the arithmetic one), and budgets are whole rotations.
struct cell {
    enum bug bug;
    uint64_t found, budget;
};

static const struct cell cells[] = {
    {BUG_QUERY_ATOMIC_FILTER_SHADOWING, 1432, 1016},
    {BUG_QUERY_STREAMED_FILTER_SHADOWING, 1395, 1040},
    {BUG_QUERY_STREAMED_LOCK, 5348, 264},
    {BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM, 2454, 584},
    {BUG_QUERY_STREAMED_SAVE_NEW_CONFIG, 487, 3120},
    {BUG_DELETE_NO_LEAVE_TOMBSTONES_ETAG, 17435, 80},
    {BUG_DELETE_PRIMARY_KEY, 34342, 40},
    {BUG_ENSURE_PARTITION_SWITCHED_FROM_POPULATED, 1286, 1136},
    {BUG_TOMBSTONE_OUTPUT_ETAG, 20694, 64},
    {BUG_MIGRATE_SKIP_PREFER_OLD, 6363, 216},
    {BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES, 2316, 616},
    {BUG_INSERT_BEHIND_MIGRATOR, 2564, 560},
    {BUG_DELETE_IF_EXISTS_EMPTY_BATCH, 4328, 328},
    {BUG_DELETE_IF_EXISTS_NOT_LINEARIZABLE, 32, 63112},
    {BUG_MISSING_ANNOTATION, 36117, 32},
    {BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED, 31544, 40},
    {BUG_ENSURE_SWITCHED_IN_LAST_STATE, 13314, 104},
    {BUG_METADATA_IN_LAST_STATE, 8471, 160},
    {BUG_QUERY_STREAMED_KEEP_OLD_STREAM, 49, 38104},
    {BUG_MIGRATE_RESUME_WITHOUT_BARRIER, 299, 5192},
    {BUG_QUERY_OR_FILTER_ACCEPTED, 2137, 672},
    {BUG_FILTER_SEES_METADATA, 1216, 1200},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static void test_found_within_budget(void **state) {
    const struct cell *cell = *(const struct cell **)*state;
    for (size_t i = 0; i < SEEDS; i++) {
        struct run run;
        struct search search;
        run_open(&run, "default", cell->bug, "portfolio", seeds[i]);
        run_search(&run, NULL, 0, cell->budget, &search);
        if (!search.is_found)
            print_error("seed %d: not found\n", (int)seeds[i]);
        assert_true(search.is_found);
        sct_trace_free(&search.trace);
        run_close(&run);
    }
}

// The longest campaign has the executions of all others. About false alarms, of which ten times
// slower sanitizers find no more.
enum { CLEAN_MAX = ARENA_POISONS ? 2000 : 120000 };

static void test_clean_without_bugs(void **state) {
    (void)state;
    uint64_t longest = 0;
    for (size_t i = 0; i < CELLS; i++)
        longest = cells[i].budget > longest ? cells[i].budget : longest;
    longest = longest > CLEAN_MAX ? CLEAN_MAX : longest;
    for (size_t i = 0; i < SEEDS; i++) {
        struct run run;
        struct search search;
        run_open(&run, "default", NO_BUG, "portfolio", seeds[i]);
        struct sct_campaign campaign = run_search(&run, NULL, 0, longest, &search);
        if (search.is_found)
            print_error("seed %d: %s\n", (int)seeds[i], search.trace.message);
        assert_false(search.is_found);
        assert_int_equal(campaign.iterations_run, longest);
        assert_int_equal(campaign.step_limit_hits, 0);
        for (size_t c = 0; c < CELLS; c++)
            assert_true(run.bugs.reached[cells[c].bug] > 0);
        run_close(&run);
    }
}

static void test_budgets_have_their_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < CELLS; i++) {
        struct sct_rate rate = sct_rate_fixed(cells[i].found, MEASURED);
        assert_int_equal(cells[i].budget % ROTATION, 0);
        assert_true(sct_miss_probability(rate.low95, cells[i].budget) < 1e-6);
        assert_true(sct_miss_probability(rate.low95, cells[i].budget / 2) > 1e-6);
    }
}

// Every bug of the model has its cell.
static void test_every_bug_has_its_cell(void **state) {
    (void)state;
    for (int bug = 0; bug < BUG_COUNT; bug++) {
        if (bug_info((enum bug)bug)->model != BUG_MODEL_MIGRATING_TABLE)
            continue;
        size_t count = 0;
        for (size_t i = 0; i < CELLS; i++)
            count += cells[i].bug == (enum bug)bug;
        assert_int_equal(count, 1);
    }
}

enum { SAME_FOR_ALL = 3 };

int main(void) {
    static struct CMUnitTest tests[CELLS + SAME_FOR_ALL];
    static const struct cell *states[CELLS];
    static char names[CELLS][120];
    for (size_t i = 0; i < CELLS; i++) {
        states[i] = &cells[i];
        snprintf(names[i], sizeof names[i], "test_found_within_budget %s",
                 bug_info(cells[i].bug)->name);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = test_found_within_budget,
                                       .initial_state = (void *)&states[i]};
    }
    const struct CMUnitTest same[SAME_FOR_ALL] = {
        cmocka_unit_test(test_clean_without_bugs),
        cmocka_unit_test(test_budgets_have_their_reason),
        cmocka_unit_test(test_every_bug_has_its_cell),
    };
    memcpy(&tests[CELLS], same, sizeof same);
    return _cmocka_run_group_tests("matrix", tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
