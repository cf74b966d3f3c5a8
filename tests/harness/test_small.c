// The small tests under exhaustive search: the state cache changes nothing but the time.
#include "tests/harness/small.h"
#include "tests/support/ends.h"

// ---- Tests -------------------------------------------------------------------------------------

// The protocol as it is has no violation within one delay, with the cache and without.
static void test_small_is_clean_within_a_delay(void **state) {
    (void)state;
    assert_int_equal(expect_same_ends("small-1-0", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-1", NO_BUG, "dfs:delay=0"), 0);
    assert_int_equal(expect_same_ends("small-4-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-5-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-9-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-10-1", NO_BUG, "dfs:delay=0"), 0);
}

// A stream's state, its windows and what its reader forgets: nothing is lost by them.
static void test_small_streams_are_the_same(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    assert_int_equal(expect_same_ends("small-2-0", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-2-2", NO_BUG, "dfs:delay=1"), 0);
    expect_same_ends("small-2-2", BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM, "dfs:delay=1");
    expect_same_ends("small-2-1", BUG_QUERY_STREAMED_LOCK, "dfs:delay=1");
    expect_same_ends("small-10-0", BUG_ENSURE_PARTITION_SWITCHED_FROM_POPULATED, "dfs:delay=1");
}

// The same for bugs that only some interleavings meet.
static void test_small_interleavings_are_the_same(void **state) {
    (void)state;
    static const enum bug bugs[] = {
        BUG_QUERY_ATOMIC_FILTER_SHADOWING, BUG_ENSURE_PARTITION_SWITCHED_FROM_POPULATED,
        BUG_MIGRATE_SKIP_PREFER_OLD,       BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES,
        BUG_INSERT_BEHIND_MIGRATOR,
    };
    if (ARENA_POISONS)
        skip();
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++)
        expect_same_ends("small-3-1", bugs[i], "dfs:delay=1");
}

// A bug's violations are the same with the cache as without: bug 6 needs two delays here.
static void test_small_finds_the_same_violations(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip(); // half a million executions
    assert_true(expect_same_ends("small-1-0", BUG_DELETE_PRIMARY_KEY, "dfs:delay=2") > 0);
}

// What tasks say that they no longer depend on they do not: with all of it kept there are several
// times as many states, but tables come to hold the same, from first to last.
static void test_small_loses_nothing_by_forgetting(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip(); // 2.5 million states
    expect_nothing_lost("small-3-0", "dfs");
    expect_nothing_lost("small-4-0", "dfs");
    expect_nothing_lost("small-5-0", "dfs");
    if (!getenv("MTCHECK_FULL"))
        return;
    expect_nothing_lost("small-1-0", "dfs"); // 19 million
    expect_nothing_lost("small-2-0", "dfs"); // 8 million
}

// A random walk comes to no end that the search has not seen.
static void test_small_covers_random_walks(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    expect_covers_walks("small-3-0", 20000);
}

// ---- Sleep sets --------------------------------------------------------------------------------

// What steps say that they touch is all that they touch: no state is lost, whether the protocol is
// right or not.
static void test_small_states_are_the_same_by_sleep_sets(void **state) {
    (void)state;
    static const struct {
        const char *test;
        enum bug bug;
    } cases[] = {
        {"small-3-0", NO_BUG},
        {"small-3-0", BUG_DELETE_IF_EXISTS_NOT_LINEARIZABLE},
        {"small-4-0", NO_BUG},
        {"small-4-0", BUG_QUERY_STREAMED_LOCK},
        {"small-4-0", BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM},
        {"small-4-0", BUG_MISSING_ANNOTATION},
        {"small-5-0", NO_BUG},
        {"small-5-0", BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED},
        {"small-8-0", NO_BUG},
        {"small-8-1", BUG_UNKNOWN_TAKEN_FOR_NOT_DONE},
    };
    if (ARENA_POISONS)
        skip(); // without snapshots it takes minutes
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_same_states(cases[i].test, cases[i].bug);
}

// Going back by copying memory finds, in the same order, what running every prefix again does.
static void test_small_is_the_same_by_snapshots(void **state) {
    (void)state;
    expect_same_search("small-1", NO_BUG, "dfs");
    expect_same_search("small-1", BUG_DELETE_PRIMARY_KEY, "dfs:delay=2");
    expect_same_search("small-1", BUG_METADATA_IN_LAST_STATE, "dfs:preempt=1");
}

// ---- Bugs --------------------------------------------------------------------------------------

static void expect_found(enum bug bug) {
    struct run run;
    struct sct_campaign campaign;
    run_open(&run, "small-1-1", bug, "dfs:preempt=0", 1);
    struct sct_search *way = sct_search_open(&(struct sct_search_options){
        .program = &run.program, .strategy = run.strategy, .cache_bytes = 1 << 24});
    sct_campaign_run(
        run.engine,
        &(struct sct_campaign_options){
            .program = &run.program, .strategy = run.strategy, .iterations = 5000, .search = way},
        &campaign);
    if (campaign.violations == 0)
        fail_msg("bug %d is not found", (int)bug);
    sct_campaign_free(&campaign);
    sct_search_close(way);
    run_close(&run);
}

// With the cache, bugs that any write or query can meet are found soon: the first 500 to 700
// executions have them, before the search has seen much of the tree.
static void test_small_finds_bugs(void **state) {
    (void)state;
    static const enum bug bugs[] = {
        BUG_DELETE_NO_LEAVE_TOMBSTONES_ETAG,
        BUG_DELETE_PRIMARY_KEY,
        BUG_TOMBSTONE_OUTPUT_ETAG,
        BUG_DELETE_IF_EXISTS_EMPTY_BATCH,
        BUG_MISSING_ANNOTATION,
        BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED,
        BUG_ENSURE_SWITCHED_IN_LAST_STATE,
        BUG_METADATA_IN_LAST_STATE,
    };
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++)
        expect_found(bugs[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_is_clean_within_a_delay),
        cmocka_unit_test(test_small_finds_the_same_violations),
        cmocka_unit_test(test_small_streams_are_the_same),
        cmocka_unit_test(test_small_interleavings_are_the_same),
        cmocka_unit_test(test_small_loses_nothing_by_forgetting),
        cmocka_unit_test(test_small_covers_random_walks),
        cmocka_unit_test(test_small_states_are_the_same_by_sleep_sets),
        cmocka_unit_test(test_small_is_the_same_by_snapshots),
        cmocka_unit_test(test_small_finds_bugs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
