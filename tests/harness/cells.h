// Optional bugs and what it takes to find them: a test (CELLS_TEST, else the default one) with the
// portfolio finds each within a budget that has its reason.
#ifndef TESTS_HARNESS_CELLS_H
#define TESTS_HARNESS_CELLS_H

#include "tests/harness/run.h"

static const uint64_t seeds[] = {1, 2, 3};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

// The rates: executions of one campaign of seed 1 (mtcheck --keep-going --format json).
#ifndef CELLS_TEST
#define CELLS_TEST "default"
enum { MEASURED = 100000 };
#endif

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

static inline void test_found_within_budget(void **state) {
    const struct cell *cell = *(const struct cell **)*state;
    for (size_t i = 0; i < SEEDS; i++) {
        struct run run;
        struct search search;
        run_open(&run, CELLS_TEST, cell->bug, "portfolio", seeds[i]);
        run_search(&run, NULL, 0, cell->budget, &search);
        if (!search.is_found)
            print_error("seed %d: not found\n", (int)seeds[i]);
        assert_true(search.is_found);
        sct_trace_free(&search.trace);
        run_close(&run);
    }
}

// So many executions of [test] without a bug, from each seed: no violation, none cut off, and every
// bug's place is passed.
static inline void expect_clean(const char *test, uint64_t executions, const struct cell *cells,
                                size_t count) {
    for (size_t i = 0; i < SEEDS; i++) {
        struct run run;
        struct search search;
        run_open(&run, test, NO_BUG, "portfolio", seeds[i]);
        struct sct_campaign campaign = run_search(&run, NULL, 0, executions, &search);
        if (search.is_found)
            print_error("seed %d: %s\n", (int)seeds[i], search.trace.message);
        assert_false(search.is_found);
        assert_int_equal(campaign.iterations_run, executions);
        assert_int_equal(campaign.step_limit_hits, 0);
        for (size_t c = 0; c < count; c++)
            assert_true(run.bugs.reached[cells[c].bug] > 0);
        run_close(&run);
    }
}

static inline void expect_reasons(const struct cell *cells, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct sct_rate rate = sct_rate_fixed(cells[i].found, MEASURED);
        double missed = sct_miss_probability(rate.low95, cells[i].budget);
        double much_less = sct_miss_probability(rate.low95, cells[i].budget / 2);
        if (missed >= 1e-6 || much_less <= 1e-6)
            print_error("%s: %g\n", bug_info(cells[i].bug)->name, missed);
        assert_int_equal(cells[i].budget % ROTATION, 0);
        assert_true(missed < 1e-6);
        assert_true(much_less > 1e-6);
    }
}

// Every bug of the model with a number from [first] to [last] has its cell.
static inline void expect_all_bugs(const struct cell *cells, size_t count, enum bug_model model,
                                   int first, int last) {
    for (int bug = 0; bug < BUG_COUNT; bug++) {
        const struct bug_info *info = bug_info((enum bug)bug);
        if (info->model != model || info->number < first || info->number > last)
            continue;
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += cells[i].bug == (enum bug)bug;
        assert_int_equal(found, 1);
    }
}

// Runs a test for each cell, then those in [others], at most CELLS_OTHERS_MAX.
enum { CELLS_MAX = 64, CELLS_OTHERS_MAX = 8 };

static inline int run_cells(const char *group, const struct cell *cells, size_t count,
                            const struct CMUnitTest *others, size_t other_count) {
    struct CMUnitTest tests[CELLS_MAX + CELLS_OTHERS_MAX];
    const struct cell *states[CELLS_MAX];
    ASSERT(count <= CELLS_MAX && other_count <= CELLS_OTHERS_MAX);
    for (size_t i = 0; i < count; i++) {
        states[i] = &cells[i];
        tests[i] = (struct CMUnitTest){.name = bug_info(cells[i].bug)->name,
                                       .test_func = test_found_within_budget,
                                       .initial_state = (void *)&states[i]};
    }
    memcpy(&tests[count], others, other_count * sizeof *others);
    return _cmocka_run_group_tests(group, tests, count + other_count, NULL, NULL);
}

#endif
