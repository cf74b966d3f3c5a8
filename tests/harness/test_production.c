// The tests of leases: clean as they are, and the portfolio finds each of their bugs within its
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

enum { CLEAN = ARENA_POISONS ? 200 : 5000 };

static void test_clean_without_bugs(void **state) {
    (void)state;
    expect_clean("production", CLEAN, cells, CELLS);
}

static void test_copiers_are_clean(void **state) {
    (void)state;
    expect_clean("copiers", CLEAN, cells, CELLS);
}

static void test_budgets_have_their_reason(void **state) {
    (void)state;
    expect_reasons(cells, CELLS);
}

static void test_every_bug_has_its_cell(void **state) {
    (void)state;
    expect_all_bugs(cells, CELLS, BUG_MODEL_MIGRATING_TABLE, 30, 42);
}

int main(void) {
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_clean_without_bugs),
        cmocka_unit_test(test_copiers_are_clean),
        cmocka_unit_test(test_budgets_have_their_reason),
        cmocka_unit_test(test_every_bug_has_its_cell),
    };
    return run_cells("production", cells, CELLS, others, sizeof others / sizeof others[0]);
}
