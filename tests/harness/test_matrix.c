// The small version of scripts/bugs: the default test with the portfolio finds every optional bug
// of the migrating table within its budget from three seeds, and nothing without a bug.
#include "tests/harness/run.h"

static const uint64_t seeds[] = {1, 2, 3};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

// The rates below: executions of one campaign of seed 1 (mtcheck --keep-going --format json).
enum { MEASURED = 100000, MEASURED_RARE = 1000000 };

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
    {BUG_QUERY_ATOMIC_FILTER_SHADOWING, 513, 2936},
    {BUG_QUERY_STREAMED_FILTER_SHADOWING, 286, 5440},
    {BUG_QUERY_STREAMED_LOCK, 4545, 312},
    {BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM, 2817, 504},
    {BUG_DELETE_NO_LEAVE_TOMBSTONES_ETAG, 14393, 96},
    {BUG_DELETE_PRIMARY_KEY, 24652, 56},
    {BUG_ENSURE_PARTITION_SWITCHED_FROM_POPULATED, 1073, 1368},
    {BUG_TOMBSTONE_OUTPUT_ETAG, 13344, 104},
    {BUG_MIGRATE_SKIP_PREFER_OLD, 26755, 48},
    {BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES, 36131, 32},
    {BUG_INSERT_BEHIND_MIGRATOR, 38245, 32},
    {BUG_DELETE_IF_EXISTS_EMPTY_BATCH, 3388, 416},
    {BUG_MISSING_ANNOTATION, 28952, 48},
    {BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED, 28000, 48},
    {BUG_ENSURE_SWITCHED_IN_LAST_STATE, 13459, 104},
    {BUG_METADATA_IN_LAST_STATE, 9761, 144},
    {BUG_MIGRATE_RESUME_WITHOUT_BARRIER, 37, 53024},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

// Found by the default test in less than one execution of 10,000: too rare for a budget that a test
// can afford. [found] of MEASURED_RARE; their own cases find them (bug_cases.def).
static const struct rare {
    enum bug bug;
    uint64_t found;
    const char *reason;
} rare[] = {
    {BUG_DELETE_IF_EXISTS_NOT_LINEARIZABLE, 37,
     "a batch of the last state deletes an absent row and writes another; between its query and "
     "its submission a machine that is also there must add the first and leave the second alone"},
    {BUG_QUERY_STREAMED_KEEP_OLD_STREAM, 14,
     "a stream opened before the copy pass ends must stand before a copied row until another "
     "machine is in the last state and deletes it, and read on before it takes that state itself"},
};
enum { RARE = sizeof rare / sizeof rare[0] };

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

// The longest campaign has the executions of all others.
static void test_clean_without_bugs(void **state) {
    (void)state;
    uint64_t longest = 0;
    for (size_t i = 0; i < CELLS; i++)
        longest = cells[i].budget > longest ? cells[i].budget : longest;
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
    for (size_t i = 0; i < RARE; i++) {
        assert_true(sct_rate_fixed(rare[i].found, MEASURED_RARE).high95 < 1e-4);
        assert_non_null(rare[i].reason);
    }
}

// Every bug of the model stands in one list; bug 4 in none, since nothing shows it.
static void test_every_bug_has_its_cell(void **state) {
    (void)state;
    for (int bug = 0; bug < BUG_COUNT; bug++) {
        if (bug_info((enum bug)bug)->model != BUG_MODEL_MIGRATING_TABLE)
            continue;
        size_t count = bug == BUG_QUERY_STREAMED_SAVE_NEW_CONFIG;
        for (size_t i = 0; i < CELLS; i++)
            count += cells[i].bug == (enum bug)bug;
        for (size_t i = 0; i < RARE; i++)
            count += rare[i].bug == (enum bug)bug;
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
