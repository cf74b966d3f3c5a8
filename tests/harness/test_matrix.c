// The small version of scripts/bugs: the default test with the portfolio finds every optional bug
// of the migrating table within its budget from three seeds, and nothing without a bug.
#include "tests/harness/cells.h"

static const struct cell cells[] = {
    {BUG_QUERY_ATOMIC_FILTER_SHADOWING, 1441, 1008},
    {BUG_QUERY_STREAMED_FILTER_SHADOWING, 1491, 976},
    {BUG_QUERY_STREAMED_LOCK, 6776, 208},
    {BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM, 4503, 312},
    {BUG_QUERY_STREAMED_SAVE_NEW_CONFIG, 1320, 1104},
    {BUG_DELETE_NO_LEAVE_TOMBSTONES_ETAG, 24329, 56},
    {BUG_DELETE_PRIMARY_KEY, 43863, 32},
    {BUG_ENSURE_PARTITION_SWITCHED_FROM_POPULATED, 1685, 856},
    {BUG_TOMBSTONE_OUTPUT_ETAG, 25797, 48},
    {BUG_MIGRATE_SKIP_PREFER_OLD, 7770, 176},
    {BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES, 3870, 368},
    {BUG_INSERT_BEHIND_MIGRATOR, 2714, 528},
    {BUG_DELETE_IF_EXISTS_EMPTY_BATCH, 7135, 192},
    {BUG_DELETE_IF_EXISTS_NOT_LINEARIZABLE, 72, 24520},
    {BUG_MISSING_ANNOTATION, 36186, 32},
    {BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED, 42986, 32},
    {BUG_ENSURE_SWITCHED_IN_LAST_STATE, 14748, 96},
    {BUG_METADATA_IN_LAST_STATE, 12161, 112},
    {BUG_QUERY_STREAMED_KEEP_OLD_STREAM, 210, 7560},
    {BUG_MIGRATE_RESUME_WITHOUT_BARRIER, 1080, 1352},
    {BUG_QUERY_OR_FILTER_ACCEPTED, 2119, 680},
    {BUG_FILTER_SEES_METADATA, 1272, 1144},
    {BUG_UNKNOWN_TAKEN_FOR_NOT_DONE, 1672, 864},
    {BUG_KEYS_OF_EITHER_SIDE, 1642, 880},
    {BUG_KEYS_OF_NEGATED_AND, 652, 2288},
    {BUG_NEGATED_METADATA_SENT, 71, 24912},
    {BUG_RANGE_IN_BATCH_ORDER, 1237, 1176},
    {BUG_ABSENT_WITHOUT_STATE, 29, 71128},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

// The longest campaign has the executions of all others. About false alarms, of which ten times
// slower sanitizers find no more.
enum { CLEAN_MAX = ARENA_POISONS ? 2000 : 120000 };

static void test_clean_without_bugs(void **state) {
    (void)state;
    uint64_t longest = 0;
    for (size_t i = 0; i < CELLS; i++)
        longest = cells[i].budget > longest ? cells[i].budget : longest;
    longest = longest > CLEAN_MAX ? CLEAN_MAX : longest;
    expect_clean("default", longest, cells, CELLS);
}

static void test_budgets_have_their_reason(void **state) {
    (void)state;
    expect_reasons(cells, CELLS);
}

static void test_every_bug_has_its_cell(void **state) {
    (void)state;
    expect_all_bugs(cells, CELLS, BUG_MODEL_MIGRATING_TABLE, 0, 29);
}

int main(void) {
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_clean_without_bugs),
        cmocka_unit_test(test_budgets_have_their_reason),
        cmocka_unit_test(test_every_bug_has_its_cell),
    };
    return run_cells("matrix", cells, CELLS, others, sizeof others / sizeof others[0]);
}
