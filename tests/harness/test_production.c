// The test of leases: clean as they are, and the portfolio finds each of their bugs within its
// budget from three seeds.
#define CELLS_TEST "production"
enum { MEASURED = 20000 };
#include "tests/harness/cells.h"

static const struct cell cells[] = {
    {BUG_REGISTER_AFTER_READING, 10, 57608},      {BUG_LEASE_FROM_ANSWER, 4, 253512},
    {BUG_REQUEST_OUTLIVES_LEASE, 53, 6952},       {BUG_EXPEL_WITHOUT_WAITING, 15587, 16},
    {BUG_EXPEL_WITHOUT_DELETING, 206, 1544},      {BUG_NO_FENCE_AFTER_EXPULSION, 34, 11728},
    {BUG_UNKNOWN_ENDS_SUBSCRIPTION, 197, 1616},   {BUG_TAKE_OVER_WITHOUT_WAITING, 282, 1104},
    {BUG_ACKNOWLEDGE_BEFORE_CALLS_END, 58, 6272}, {BUG_UNKNOWN_IS_RETRIED, 207, 1536},
    {BUG_SUCCESSOR_WITHOUT_FENCE, 11, 50312},     {BUG_LATE_ANSWER_BELIEVED, 35, 11328},
    {BUG_PUSH_WAITS_FOR_THE_DEAD, 967, 304},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

enum { CLEAN = ARENA_POISONS ? 500 : 15000 };

static void test_clean_without_bugs(void **state) {
    struct run run;
    struct search search;
    (void)state;
    run_open(&run, "production", NO_BUG, "portfolio", 4);
    struct sct_campaign campaign = run_search(&run, NULL, 0, CLEAN, &search);
    if (search.is_found)
        print_error("%s\n", search.trace.message);
    assert_false(search.is_found);
    assert_int_equal(campaign.iterations_run, CLEAN);
    assert_int_equal(campaign.step_limit_hits, 0);
    for (size_t i = 0; i < CELLS; i++)
        assert_true(run.bugs.reached[cells[i].bug] > 0);
    run_close(&run);
}

static void test_budgets_have_their_reason(void **state) {
    (void)state;
    expect_reasons(cells, CELLS);
}

static void test_every_bug_has_its_cell(void **state) {
    (void)state;
    expect_all_bugs(cells, CELLS, BUG_MODEL_MIGRATING_TABLE, 30, 42);
}

enum { SAME_FOR_ALL = 3 };

int main(void) {
    static struct CMUnitTest tests[CELLS + SAME_FOR_ALL];
    static const struct cell *states[CELLS];
    list_cells(tests, cells, states, CELLS);
    const struct CMUnitTest same[SAME_FOR_ALL] = {
        cmocka_unit_test(test_clean_without_bugs),
        cmocka_unit_test(test_budgets_have_their_reason),
        cmocka_unit_test(test_every_bug_has_its_cell),
    };
    memcpy(&tests[CELLS], same, sizeof same);
    return _cmocka_run_group_tests("production", tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
