// The schema upgrade by the default test with the portfolio: every optional bug within its budget
// from three seeds, nothing without a bug, the same twice, and all that can be reached is. The same
// over a table that is being migrated.
#define MODEL_NAME "schema-upgrade"
#include "tests/harness/cells.h"

#include "harness/schema/coverage.h"

enum { CLEAN = ARENA_POISONS ? 500 : 20000, CLEAN_OVER_MIGRATION = ARENA_POISONS ? 200 : 3000 };

static const struct cell cells[] = {
    {BUG_HYBRID_BEFORE_TOLERANT, 3734, 376},
    {BUG_BLIND_UPDATE, 3377, 424},
    {BUG_OLD_CLIENT_REPLACES, 4070, 344},
    {BUG_WORKER_OVERWRITES, 4017, 352},
    {BUG_WORKER_SKIPS_CONFLICT, 981, 1496},
    {BUG_TRUST_DEFAULT, 4640, 304},
    {BUG_HYBRID_DOWNGRADE, 1111, 1320},
    {BUG_MERGE_ON_REMOVE, 63645, 16},
    {BUG_SKIP_HYBRID, 1719, 840},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static void test_budgets_have_their_reason(void **state) {
    (void)state;
    expect_reasons(cells, CELLS);
    expect_all_bugs(cells, CELLS, BUG_MODEL_SCHEMA_UPGRADE, 0, 99);
}

static void test_clean_without_bugs(void **state) {
    (void)state;
    expect_clean("default", CLEAN, cells, CELLS);
}

static void test_clean_over_migration(void **state) {
    (void)state;
    expect_clean("over-migration", CLEAN_OVER_MIGRATION, cells, CELLS);
}

// The bugs of the upgrade are seen through the MigratingTable, too.
static void test_found_over_migration(void **state) {
    (void)state;
    static const enum bug bugs[] = {BUG_WORKER_OVERWRITES, BUG_MERGE_ON_REMOVE, BUG_TRUST_DEFAULT};
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        struct run run;
        struct search search;
        run_open(&run, "over-migration", bugs[i], "portfolio", 1);
        run_search(&run, NULL, 0, 5000, &search);
        assert_true(search.is_found);
        sct_trace_free(&search.trace);
        run_close(&run);
    }
}

static uint64_t fingerprint(const char *test, uint64_t first) {
    struct run run;
    struct search search;
    run_open(&run, test, NO_BUG, "portfolio", 7);
    struct sct_campaign campaign = run_search(&run, NULL, first, 64, &search);
    run_close(&run);
    return campaign.fingerprint;
}

static void test_same_twice(void **state) {
    (void)state;
    static const char *const names[] = {"default", "over-migration"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t first = fingerprint(names[i], 0);
        assert_true(fingerprint(names[i], 0) == first);
        assert_true(fingerprint(names[i], 64) != first);
    }
}

static void test_default_test_reaches_every_required_cell(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    struct run run;
    struct search search;
    coverage_reset(&schema_coverage);
    run_open(&run, "default", NO_BUG, "portfolio", 1);
    sct_marks_count(true);
    run_search(&run, NULL, 0, MEASURED, &search);
    sct_marks_count(false);
    run_close(&run);
    for (size_t i = 0; i < coverage_cell_count(&schema_coverage); i++) {
        char buffer[120];
        const char *why;
        struct text name = text_in(buffer, sizeof buffer);
        coverage_name(&schema_coverage, i, &name);
        if (coverage_is_missing(&schema_coverage, i))
            fail_msg("not reached: %s", name.data);
        if (schema_coverage.counts[i] > 0 &&
            coverage_expectation(&schema_coverage, i, &why) == COVERAGE_IMPOSSIBLE)
            fail_msg("reached: %s", name.data);
    }
}

int main(void) {
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_budgets_have_their_reason),
        cmocka_unit_test(test_clean_without_bugs),
        cmocka_unit_test(test_clean_over_migration),
        cmocka_unit_test(test_found_over_migration),
        cmocka_unit_test(test_same_twice),
        cmocka_unit_test(test_default_test_reaches_every_required_cell),
    };
    return run_cells("schema", cells, CELLS, others, sizeof others / sizeof others[0]);
}
