// The small tests under exhaustive search: the state cache changes nothing but the time.
#include "tests/harness/run.h"

#include "core/base/digest.h"

// ---- Ends --------------------------------------------------------------------------------------

// The distinct ends of executions: the violation's kind, or what the tables hold.
enum { ENDS_MAX = 1 << 14 };

static struct ends {
    uint64_t digests[ENDS_MAX];
    size_t count;
} ends;

static const struct sct_program *program;

static void add_end(struct digest digest) {
    for (size_t i = 0; i < ends.count; i++)
        if (ends.digests[i] == digest.low)
            return;
    assert_true(ends.count < ENDS_MAX);
    ends.digests[ends.count++] = digest.low;
}

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    struct digest digest = {0, 0};
    if (result->outcome == SCT_VIOLATED)
        digest = digest_fold_text(digest, result->violation.kind);
    else if (result->outcome == SCT_PASSED)
        program->digest(program->context, &digest);
    else
        return;
    add_end(digest);
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// With a cache if there is an [explorer].
static struct sct_campaign search_by(const char *test, enum bug bug, const char *spec,
                                     enum sct_reduction reduction, struct sct_explorer *explorer) {
    struct run run;
    struct sct_campaign campaign;
    run_open(&run, test, bug, spec, 1);
    program = &run.program;
    ends.count = 0;
    struct sct_reducer *reducer =
        reduction == SCT_REDUCE_NONE ? NULL : sct_reducer_new(reduction, run.strategy->path);
    if (explorer)
        sct_explorer_init(explorer, program, run.strategy->path, 1 << 26);
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = program,
                                                    .strategy = run.strategy,
                                                    .iterations = SCT_UNLIMITED,
                                                    .keep_going = true,
                                                    .explorer = explorer,
                                                    .reducer = reducer,
                                                    .repeat_every = 1000,
                                                    .after_counted = note_end},
                     &campaign);
    assert_false(campaign.unrepeatable.is_found);
    assert_true(campaign.search.is_exhausted);
    sct_campaign_free(&campaign);
    if (explorer)
        sct_explorer_deinit(explorer);
    sct_reducer_free(reducer);
    run_close(&run);
    qsort(ends.digests, ends.count, sizeof *ends.digests, compare_numbers);
    return campaign;
}

static struct sct_campaign search(const char *test, enum bug bug, const char *spec, bool has_cache,
                                  struct sct_explorer *explorer) {
    return search_by(test, bug, spec, SCT_REDUCE_NONE, has_cache ? explorer : NULL);
}

// Searches with and without cache; both give the same ends, and the cache runs fewer executions.
static uint64_t expect_same_ends(const char *test, enum bug bug, const char *spec) {
    static struct ends without;
    struct sct_explorer explorer;
    struct sct_campaign plain = search(test, bug, spec, false, NULL);
    without = ends;
    struct sct_campaign cached = search(test, bug, spec, true, &explorer);
    if (ends.count != without.count ||
        memcmp(ends.digests, without.digests, ends.count * sizeof *ends.digests) != 0)
        fail_msg("%s, bug %d, %s: %zu ends without cache, %zu with", test, (int)bug, spec,
                 without.count, ends.count);
    assert_true(cached.iterations_run < plain.iterations_run);
    return cached.violations;
}

// ---- Tests -------------------------------------------------------------------------------------

// The protocol as it is has no violation within one delay, with the cache and without.
static void test_small_is_clean_within_a_delay(void **state) {
    (void)state;
    assert_int_equal(expect_same_ends("small-1-0", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-1", NO_BUG, "dfs:delay=0"), 0);
    assert_int_equal(expect_same_ends("small-4-1", NO_BUG, "dfs:delay=1"), 0);
    assert_int_equal(expect_same_ends("small-5-1", NO_BUG, "dfs:delay=1"), 0);
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

// ---- What is reached ---------------------------------------------------------------------------

// The distinct contents of tables and configurations on their way that a search meets, whatever the
// tasks have observed.
static struct sct_states contents;
static struct digest contents_sum;
static const struct sct_program *watched;

static void make_room(void) {
    struct sct_states larger;
    if (contents.count < contents.capacity)
        return;
    sct_states_grow(&contents, &larger);
    sct_states_deinit(&contents);
    contents = larger;
}

static void add_watched(void *context, struct digest *state) {
    struct digest present = {0, 0};
    uint64_t entry;
    bool is_complete;
    watched->digest(context, &present);
    digest_add(state, present);
    make_room();
    present = digest_fold(present, 0);
    if (sct_states_visit(&contents, present, (struct sct_budget){0, 0}, &entry, &is_complete) ==
        SCT_VISIT_NEW)
        digest_add(&contents_sum, present);
}

static uint64_t search_watched(const char *test, bool forgets_nothing) {
    struct run run;
    struct sct_campaign campaign;
    struct sct_explorer explorer;
    run_open(&run, test, NO_BUG, "dfs", 1);
    struct sct_program watching = run.program;
    watched = &run.program;
    watching.digest = add_watched;
    sct_states_init(&contents, UINT64_C(1) << 30);
    contents_sum = (struct digest){0, 0};
    sct_explorer_init(&explorer, &watching, run.strategy->path, UINT64_C(1) << 33);
    explorer.forgets_nothing = forgets_nothing;
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = &watching,
                                                    .strategy = run.strategy,
                                                    .iterations = SCT_UNLIMITED,
                                                    .explorer = &explorer},
                     &campaign);
    assert_true(campaign.search.is_exhausted && campaign.violations == 0);
    sct_campaign_free(&campaign);
    sct_explorer_deinit(&explorer);
    sct_states_deinit(&contents);
    run_close(&run);
    return explorer.states_met;
}

static void expect_nothing_lost(const char *test) {
    uint64_t states = search_watched(test, false);
    struct digest expected = contents_sum;
    uint64_t all_states = search_watched(test, true);
    if (!digest_equal(contents_sum, expected))
        fail_msg("%s: not the same contents are reached when tasks forget nothing", test);
    assert_true(states < all_states);
}

// What tasks say that they no longer depend on they do not: with all of it kept there are several
// times as many states, but tables come to hold the same, from first to last.
static void test_small_loses_nothing_by_forgetting(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip(); // 2.5 million states
    expect_nothing_lost("small-3-0");
    expect_nothing_lost("small-4-0");
    expect_nothing_lost("small-5-0");
    if (!getenv("MTCHECK_FULL"))
        return;
    expect_nothing_lost("small-1-0"); // 19 million
    expect_nothing_lost("small-2-0"); // 8 million
}

// A random walk comes to no end that the search has not seen.
static void test_small_covers_random_walks(void **state) {
    (void)state;
    static struct ends all;
    struct run run;
    struct sct_explorer explorer;
    struct sct_campaign campaign;
    if (ARENA_POISONS)
        skip();
    search("small-3-0", NO_BUG, "dfs", true, &explorer);
    all = ends;
    ends.count = 0;
    run_open(&run, "small-3-0", NO_BUG, "random", 1);
    program = &run.program;
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = program,
                                                    .strategy = run.strategy,
                                                    .iterations = 20000,
                                                    .after_counted = note_end},
                     &campaign);
    sct_campaign_free(&campaign);
    run_close(&run);
    assert_true(ends.count > all.count / 4);
    for (size_t i = 0; i < ends.count; i++)
        assert_non_null(bsearch(&ends.digests[i], all.digests, all.count, sizeof *all.digests,
                                compare_numbers));
}

// ---- Sleep sets --------------------------------------------------------------------------------

// Exactly as many states, and the same ends, by fewer transitions.
static void expect_same_states(const char *test, enum bug bug) {
    static struct ends all;
    struct sct_explorer whole, reduced;
    search_by(test, bug, "dfs", SCT_REDUCE_NONE, &whole);
    all = ends;
    search_by(test, bug, "dfs", SCT_REDUCE_SLEEP, &reduced);
    if (reduced.states_met != whole.states_met || ends.count != all.count ||
        memcmp(ends.digests, all.digests, ends.count * sizeof *ends.digests) != 0)
        fail_msg("%s, bug %d: %llu states and %zu ends, with sleep sets %llu and %zu", test,
                 (int)bug, (unsigned long long)whole.states_met, all.count,
                 (unsigned long long)reduced.states_met, ends.count);
    assert_true(reduced.transitions < whole.transitions);
}

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
    };
    if (ARENA_POISONS)
        skip(); // without snapshots it takes minutes
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_same_states(cases[i].test, cases[i].bug);
}

// ---- Snapshots ---------------------------------------------------------------------------------

static struct digest story; // of all that the user could see, execution by execution

static void note_story(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    story = digest_fold(digest_fold(story, iteration), result->outcome);
    story = digest_fold(story, result->fingerprint);
    if (result->outcome == SCT_VIOLATED)
        story = digest_fold_text(story, result->violation.message);
}

static struct sct_campaign search_with(size_t snapshot_bytes, enum bug bug, const char *spec,
                                       struct sct_explorer *explorer) {
    struct run run;
    struct sct_campaign campaign;
    run_open(&run, "small-1", bug, spec, 1);
    sct_explorer_init(explorer, &run.program, run.strategy->path, 1 << 26);
    story = (struct digest){0, 0};
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = &run.program,
                                                    .strategy = run.strategy,
                                                    .iterations = 20000,
                                                    .keep_going = true,
                                                    .explorer = explorer,
                                                    .repeat_every = 1000,
                                                    .snapshot_bytes = snapshot_bytes,
                                                    .after_counted = note_story},
                     &campaign);
    assert_false(campaign.unrepeatable.is_found);
    sct_campaign_free(&campaign);
    sct_explorer_deinit(explorer);
    run_close(&run);
    return campaign;
}

static void expect_same_search(enum bug bug, const char *spec) {
    struct sct_explorer replayed, copied;
    struct sct_campaign by_replay = search_with(SCT_NO_SNAPSHOTS, bug, spec, &replayed);
    struct digest story_by_replay = story;
    struct sct_campaign by_copy = search_with(0, bug, spec, &copied);
    assert_true(digest_equal(story, story_by_replay));
    assert_int_equal(by_copy.iterations_run, by_replay.iterations_run);
    assert_int_equal(by_copy.fingerprint, by_replay.fingerprint);
    assert_int_equal(by_copy.violations, by_replay.violations);
    assert_int_equal(copied.states_met, replayed.states_met);
    assert_int_equal(copied.transitions, replayed.transitions);
}

// Going back by copying memory finds, in the same order, what running every prefix again does.
static void test_small_is_the_same_by_snapshots(void **state) {
    (void)state;
    expect_same_search(NO_BUG, "dfs");
    expect_same_search(BUG_DELETE_PRIMARY_KEY, "dfs:delay=2");
    expect_same_search(BUG_METADATA_IN_LAST_STATE, "dfs:preempt=1");
}

// ---- Bugs --------------------------------------------------------------------------------------

static void expect_found(enum bug bug) {
    struct run run;
    struct sct_explorer explorer;
    struct sct_campaign campaign;
    run_open(&run, "small-1-1", bug, "dfs:preempt=0", 1);
    sct_explorer_init(&explorer, &run.program, run.strategy->path, 1 << 24);
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = &run.program,
                                                    .strategy = run.strategy,
                                                    .iterations = 5000,
                                                    .explorer = &explorer},
                     &campaign);
    if (campaign.violations == 0)
        fail_msg("bug %d is not found", (int)bug);
    sct_campaign_free(&campaign);
    sct_explorer_deinit(&explorer);
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
