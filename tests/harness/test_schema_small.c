// The small tests of the schema upgrade under exhaustive search: one of them has every optional
// bug, the model as it is has no violation in any, and the state cache changes nothing but the
// time.
#define MODEL_NAME "schema-upgrade"
#include "tests/harness/small.h"

#include "harness/schema/workload.h"
#include "harness/table/transport.h"

static const enum bug bugs[] = {
    BUG_HYBRID_BEFORE_TOLERANT, BUG_BLIND_UPDATE,          BUG_OLD_CLIENT_REPLACES,
    BUG_WORKER_OVERWRITES,      BUG_WORKER_SKIPS_CONFLICT, BUG_TRUST_DEFAULT,
    BUG_HYBRID_DOWNGRADE,       BUG_MERGE_ON_REMOVE,       BUG_SKIP_HYBRID,
};
enum { BUGS = sizeof bugs / sizeof bugs[0] };

// ---- The model ---------------------------------------------------------------------------------

// Whole searches; the larger ones, of seconds each, are scripts/prove's.
static void test_schema_small_is_clean(void **state) {
    (void)state;
    struct sct_explorer explorer;
    assert_int_equal(search("small-1", NO_BUG, "dfs", true, &explorer).violations, 0);
    if (ARENA_POISONS)
        return;
    assert_int_equal(search("small-3-0", NO_BUG, "dfs", true, &explorer).violations, 0);
    assert_int_equal(search("small-2-0", NO_BUG, "dfs", true, &explorer).violations, 0);
}

// Two requests are enough for every bug.
static void test_schema_small_refutes_every_bug(void **state) {
    (void)state;
    struct sct_explorer explorer;
    for (size_t i = 0; i < BUGS; i++)
        if (search("small-1-0", bugs[i], "dfs", true, &explorer).violations == 0)
            fail_msg("bug %d is not found", (int)bugs[i]);
}

// ---- The state cache ---------------------------------------------------------------------------

static void test_schema_small_is_the_same_within_delays(void **state) {
    (void)state;
    assert_int_equal(expect_same_ends("small-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-2-1", NO_BUG, "dfs:delay=0"), 0);
    if (ARENA_POISONS)
        return; // a million executions
    assert_int_equal(expect_same_ends("small-1-1", NO_BUG, "dfs:delay=3"), 0);
    assert_int_equal(expect_same_ends("small-2-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-3-0", NO_BUG, "dfs:delay=0"), 0);
    assert_int_equal(expect_same_ends("small-4-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-5-2", NO_BUG, "dfs:delay=1"), 0);
}

// Three delays are enough for every bug.
static void test_schema_small_finds_the_same_violations(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    for (size_t i = 0; i < BUGS; i++)
        assert_true(expect_same_ends("small-1-0", bugs[i], "dfs:delay=3") > 0);
}

static void test_schema_small_loses_nothing_by_forgetting(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    expect_nothing_lost("small-1", "dfs");
    // Without forgetting, whole searches are out of reach here.
    expect_nothing_lost("small-2-0", "dfs:delay=3");
    expect_nothing_lost("small-3-1", "dfs:delay=1");
    expect_nothing_lost("small-4-1", "dfs:delay=3");
    expect_nothing_lost("small-5-2", "dfs:delay=2");
}

static void test_schema_small_covers_random_walks(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    expect_covers_walks("small-1-1", 20000);
    expect_covers_walks("small-2-0", 20000);
}

static void test_schema_small_is_the_same_by_snapshots(void **state) {
    (void)state;
    expect_same_search("small-1", NO_BUG, "dfs");
    expect_same_search("small-5", NO_BUG, "dfs");
    expect_same_search("small-4-1", BUG_WORKER_SKIPS_CONFLICT, "dfs:delay=2");
    expect_same_search("small-2-1", BUG_OLD_CLIENT_REPLACES, "dfs:preempt=1");
}

// What steps say that they touch of the fleet, the ledger and the table is all that they touch: no
// state is lost, whether the roll-out is right or not.
static void test_schema_small_states_are_the_same_by_sleep_sets(void **state) {
    (void)state;
    expect_same_states("small-1", NO_BUG);
    for (size_t i = 0; i < BUGS; i++)
        expect_same_states("small-1-0", bugs[i]);
    if (ARENA_POISONS)
        return; // without snapshots it takes minutes
    expect_same_states("small-1-1", BUG_OLD_CLIENT_REPLACES);
    expect_same_states("small-3-0", NO_BUG);
}

// ---- The ledger --------------------------------------------------------------------------------

// Of the ledger while its one party is busy: before and after another version of the entry.
struct telling {
    enum schema_operation operation;
    struct digest idle, before, after;
};

static void tell(void *context) {
    struct telling *telling = context;
    struct tables *tables = ARENA_NEW(sct_arena(), struct tables);
    struct ledger *ledger = ARENA_NEW(sct_arena(), struct ledger);
    struct ct_row *row = workload_first_entry(0);
    tables_init(tables, &(struct tables_options){.is_plain = true});
    tables_load(tables, &row, 1);
    ledger_open(ledger, tables);
    ledger->party_count = 1;
    ledger->parties[0].client = ARENA_NEW(sct_arena(), struct client);
    telling->idle = ledger_digest(ledger);
    ledger_begin(ledger, &ledger->parties[0], &(struct errand){.operation = telling->operation});
    telling->before = ledger_digest(ledger);
    tables_load(tables, &row, 1); // with another ETag
    telling->after = ledger_digest(ledger);
}

static struct telling tell_of(enum schema_operation operation) {
    struct run run;
    struct telling telling = {.operation = operation};
    run_open(&run, "small-1", NO_BUG, "random", 1);
    const struct sct_result *result = sct_engine_run(
        run.engine, &(struct sct_program){.setup = tell, .context = &telling}, run.strategy, 0);
    assert_int_equal(result->outcome, SCT_PASSED);
    run_close(&run);
    return telling;
}

// What it remembers of the table's history belongs to the state as far as a check will look at it:
// the versions that a read may return, for an update only that the entry has been there, for the
// worker nothing. The searches above cannot tell, for no check fails while the table itself is
// right.
static void test_schema_ledger_tells_what_it_will_look_at(void **state) {
    (void)state;
    struct telling reads = tell_of(ERRAND_READ);
    assert_false(digest_equal(reads.before, reads.idle));
    assert_false(digest_equal(reads.after, reads.before));
    struct telling scans = tell_of(ERRAND_SCAN);
    assert_false(digest_equal(scans.after, scans.before));
    struct telling updates = tell_of(ERRAND_UPDATE);
    assert_false(digest_equal(updates.before, updates.idle));
    assert_true(digest_equal(updates.after, updates.before));
    struct telling upgrades = tell_of(ERRAND_UPGRADE);
    assert_true(digest_equal(upgrades.after, upgrades.idle));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_small_is_clean),
        cmocka_unit_test(test_schema_small_refutes_every_bug),
        cmocka_unit_test(test_schema_small_is_the_same_within_delays),
        cmocka_unit_test(test_schema_small_finds_the_same_violations),
        cmocka_unit_test(test_schema_small_loses_nothing_by_forgetting),
        cmocka_unit_test(test_schema_small_covers_random_walks),
        cmocka_unit_test(test_schema_small_is_the_same_by_snapshots),
        cmocka_unit_test(test_schema_small_states_are_the_same_by_sleep_sets),
        cmocka_unit_test(test_schema_ledger_tells_what_it_will_look_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
