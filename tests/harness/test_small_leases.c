// The small tests of leases under exhaustive search: clean as the protocol is, each bug of leases
// has one of them, and neither the state cache nor sleep sets lose anything.
#include "tests/harness/small.h"

// The smallest test that has each bug.
static const struct {
    enum bug bug;
    const char *test;
} cases[] = {
    {BUG_REGISTER_AFTER_READING, "small-p-1"},       {BUG_LEASE_FROM_ANSWER, "small-p-3"},
    {BUG_REQUEST_OUTLIVES_LEASE, "small-p-2"},       {BUG_EXPEL_WITHOUT_WAITING, "small-p-1"},
    {BUG_EXPEL_WITHOUT_DELETING, "small-p-2"},       {BUG_NO_FENCE_AFTER_EXPULSION, "small-p-5"},
    {BUG_UNKNOWN_ENDS_SUBSCRIPTION, "small-p-3"},    {BUG_TAKE_OVER_WITHOUT_WAITING, "small-p-4"},
    {BUG_ACKNOWLEDGE_BEFORE_CALLS_END, "small-p-3"}, {BUG_UNKNOWN_IS_RETRIED, "small-p-3"},
    {BUG_SUCCESSOR_WITHOUT_FENCE, "small-p-5"},      {BUG_LATE_ANSWER_BELIEVED, "small-p-2"},
    {BUG_PUSH_WAITS_FOR_THE_DEAD, "small-p-2"},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static uint64_t violations_of(const char *test, enum bug bug) {
    struct run run;
    struct sct_campaign campaign;
    run_open(&run, test, bug, "dfs", 1);
    struct sct_search *way = sct_search_open(&(struct sct_search_options){
        .program = &run.program,
        .strategy = run.strategy,
        .reduction = SCT_REDUCE_SLEEP,
        .cache_bytes = 1 << 28,
    });
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = &run.program,
                                                    .strategy = run.strategy,
                                                    .iterations = SCT_UNLIMITED,
                                                    .search = way},
                     &campaign);
    uint64_t violations = campaign.violations;
    if (violations == 0)
        assert_true(campaign.search.is_exhausted && campaign.step_limit_hits == 0);
    sct_campaign_free(&campaign);
    sct_search_close(way);
    run_close(&run);
    return violations;
}

// The larger one, of a million states, is scripts/prove's.
static void test_small_leases_are_clean(void **state) {
    (void)state;
    assert_int_equal(violations_of("small-p-5", NO_BUG), 0);
    if (ARENA_POISONS)
        return;
    assert_int_equal(violations_of("small-p-2", NO_BUG), 0);
    assert_int_equal(violations_of("small-p-3", NO_BUG), 0);
    assert_int_equal(violations_of("small-p-4", NO_BUG), 0);
}

static void test_small_leases_refute_every_bug(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip(); // without snapshots it takes minutes
    for (size_t i = 0; i < CASES; i++)
        if (violations_of(cases[i].test, cases[i].bug) == 0)
            fail_msg("bug %d is not found by %s", (int)cases[i].bug, cases[i].test);
}

// What steps say that they touch is all that they touch: no state and no end is lost.
static void test_small_leases_are_the_same_by_sleep_sets(void **state) {
    (void)state;
    static struct ends all;
    static const char *const tests[] = {"small-p-4", "small-p-5"};
    if (ARENA_POISONS)
        skip();
    for (size_t i = 0; i < 2; i++) {
        struct sct_explorer whole, reduced;
        search_by(tests[i], NO_BUG, "dfs", SCT_REDUCE_NONE, &whole);
        all = ends;
        search_by(tests[i], NO_BUG, "dfs", SCT_REDUCE_SLEEP, &reduced);
        assert_int_equal(reduced.states_met, whole.states_met);
        assert_true(ends_equal(&ends, &all));
        assert_true(reduced.transitions < whole.transitions);
    }
}

// The digest has all that matters: where a state is met again nothing else follows. So what a
// search without a cache comes to within a delay the whole search has seen, too.
static void expect_all_ends(const char *test) {
    static struct ends within;
    struct sct_explorer explorer;
    search(test, NO_BUG, "dfs:delay=1", false, NULL);
    within = ends;
    search(test, NO_BUG, "dfs", true, &explorer);
    for (size_t i = 0; i < within.count; i++)
        assert_non_null(bsearch(&within.digests[i], ends.digests, ends.count, sizeof *ends.digests,
                                ends_compare));
}

static void test_small_leases_have_all_ends(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    expect_all_ends("small-p-2");
    expect_all_ends("small-p-3");
    expect_all_ends("small-p-4");
    expect_all_ends("small-p-5");
}

static void test_small_leases_lose_nothing_by_forgetting(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    expect_nothing_lost("small-p-5", "dfs");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_leases_are_clean),
        cmocka_unit_test(test_small_leases_refute_every_bug),
        cmocka_unit_test(test_small_leases_are_the_same_by_sleep_sets),
        cmocka_unit_test(test_small_leases_have_all_ends),
        cmocka_unit_test(test_small_leases_lose_nothing_by_forgetting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
