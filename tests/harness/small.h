// Exhaustive searches of the small tests, compared: with the state cache and without, with all that
// tasks have observed and without what they forget, by copying memory and by replay.
#ifndef TESTS_HARNESS_SMALL_H
#define TESTS_HARNESS_SMALL_H

#include "tests/harness/run.h"
#include "tests/support/searches.h"

#include "core/base/digest.h"

// ---- Ends --------------------------------------------------------------------------------------

static const struct sct_program *program;

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    struct digest digest = {0, 0};
    if (result->outcome == SCT_VIOLATED)
        digest = digest_fold_text(digest, result->violation.kind);
    else if (result->outcome == SCT_PASSED)
        program->digest(sct_context(), &digest);
    else
        return;
    ends_add(digest);
}

// With a cache if there is an [explorer].
static struct sct_campaign search_by(const char *test, enum bug bug, const char *spec,
                                     enum sct_reduction reduction, struct sct_explorer *explorer) {
    struct run run;
    run_open(&run, test, bug, spec, 1);
    program = &run.program;
    struct sct_campaign campaign =
        search_whole(&(struct whole_search){.engine = run.engine,
                                            .options = {.program = &run.program,
                                                        .strategy = run.strategy,
                                                        .reduction = reduction,
                                                        .cache_bytes = explorer ? 1 << 26 : 0},
                                            .iterations = SCT_UNLIMITED,
                                            .repeat_every = 1000,
                                            .note_end = note_end},
                     explorer);
    assert_true(campaign.search.is_exhausted);
    run_close(&run);
    return campaign;
}

static inline struct sct_campaign search(const char *test, enum bug bug, const char *spec,
                                         bool has_cache, struct sct_explorer *explorer) {
    return search_by(test, bug, spec, SCT_REDUCE_NONE, has_cache ? explorer : NULL);
}

// Searches with and without cache; both give the same ends, and the cache runs fewer executions.
static inline uint64_t expect_same_ends(const char *test, enum bug bug, const char *spec) {
    static struct ends without;
    struct sct_explorer explorer;
    struct sct_campaign plain = search(test, bug, spec, false, NULL);
    without = ends;
    struct sct_campaign cached = search(test, bug, spec, true, &explorer);
    if (!ends_equal(&ends, &without))
        fail_msg("%s, bug %d, %s: %zu ends without cache, %zu with", test, (int)bug, spec,
                 without.count, ends.count);
    assert_true(cached.iterations_run < plain.iterations_run);
    return cached.violations;
}

// Exactly as many states, and the same ends, by fewer transitions.
static inline void expect_same_states(const char *test, enum bug bug) {
    static struct ends all;
    struct sct_explorer whole, reduced;
    search_by(test, bug, "dfs", SCT_REDUCE_NONE, &whole);
    all = ends;
    search_by(test, bug, "dfs", SCT_REDUCE_SLEEP, &reduced);
    if (reduced.states_met != whole.states_met || !ends_equal(&ends, &all))
        fail_msg("%s, bug %d: %llu states and %zu ends, with sleep sets %llu and %zu", test,
                 (int)bug, (unsigned long long)whole.states_met, all.count,
                 (unsigned long long)reduced.states_met, ends.count);
    assert_true(reduced.transitions < whole.transitions);
}

// [walks] random walks come to many ends, but to none that the search has not seen.
static inline void expect_covers_walks(const char *test, uint64_t walks) {
    static struct ends all;
    struct run run;
    struct sct_explorer explorer;
    struct sct_campaign campaign;
    search(test, NO_BUG, "dfs", true, &explorer);
    all = ends;
    ends.count = 0;
    run_open(&run, test, NO_BUG, "random", 1);
    program = &run.program;
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = program,
                                                    .strategy = run.strategy,
                                                    .iterations = walks,
                                                    .after_counted = note_end},
                     &campaign);
    sct_campaign_free(&campaign);
    run_close(&run);
    assert_true(ends.count > all.count / 4);
    for (size_t i = 0; i < ends.count; i++)
        assert_non_null(
            bsearch(&ends.digests[i], all.digests, all.count, sizeof *all.digests, ends_compare));
}

// ---- What is reached ---------------------------------------------------------------------------

// The distinct states of the program beside its tasks (tables, configurations on their way, a
// fleet) that a search meets, whatever the tasks have observed.
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

static uint64_t search_watched(const char *test, const char *spec, bool forgets_nothing) {
    struct run run;
    struct sct_campaign campaign;
    run_open(&run, test, NO_BUG, spec, 1);
    struct sct_program watching = run.program;
    watched = &run.program;
    watching.digest = add_watched;
    sct_states_init(&contents, UINT64_C(1) << 30);
    contents_sum = (struct digest){0, 0};
    struct sct_search *way =
        sct_search_open(&(struct sct_search_options){.program = &watching,
                                                     .strategy = run.strategy,
                                                     .cache_bytes = UINT64_C(1) << 33,
                                                     .forgets_nothing = forgets_nothing});
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = &watching,
                                                    .strategy = run.strategy,
                                                    .iterations = SCT_UNLIMITED,
                                                    .search = way},
                     &campaign);
    assert_true(campaign.search.is_exhausted && campaign.violations == 0);
    uint64_t states_met = sct_search_explorer(way)->states_met;
    sct_campaign_free(&campaign);
    sct_search_close(way);
    sct_states_deinit(&contents);
    run_close(&run);
    return states_met;
}

// With what tasks forget and with all of it kept the same contents are reached, in fewer states.
static inline void expect_nothing_lost(const char *test, const char *spec) {
    uint64_t states = search_watched(test, spec, false);
    struct digest expected = contents_sum;
    uint64_t all_states = search_watched(test, spec, true);
    if (!digest_equal(contents_sum, expected))
        fail_msg("%s: not the same contents are reached when tasks forget nothing", test);
    assert_true(states < all_states);
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

static struct sct_campaign search_with(size_t snapshot_bytes, const char *test, enum bug bug,
                                       const char *spec, struct sct_explorer *explorer) {
    struct run run;
    struct sct_campaign campaign;
    run_open(&run, test, bug, spec, 1);
    struct sct_search *way =
        sct_search_open(&(struct sct_search_options){.program = &run.program,
                                                     .strategy = run.strategy,
                                                     .cache_bytes = 1 << 26,
                                                     .snapshot_bytes = snapshot_bytes});
    story = (struct digest){0, 0};
    sct_campaign_run(run.engine,
                     &(struct sct_campaign_options){.program = &run.program,
                                                    .strategy = run.strategy,
                                                    .iterations = 20000,
                                                    .keep_going = true,
                                                    .search = way,
                                                    .repeat_every = 1000,
                                                    .after_counted = note_story},
                     &campaign);
    assert_false(campaign.unrepeatable.is_found);
    sct_campaign_free(&campaign);
    *explorer = *sct_search_explorer(way);
    sct_search_close(way);
    run_close(&run);
    return campaign;
}

static inline void expect_same_search(const char *test, enum bug bug, const char *spec) {
    struct sct_explorer replayed, copied;
    struct sct_campaign by_replay = search_with(SCT_NO_SNAPSHOTS, test, bug, spec, &replayed);
    struct digest story_by_replay = story;
    struct sct_campaign by_copy = search_with(0, test, bug, spec, &copied);
    assert_true(digest_equal(story, story_by_replay));
    assert_int_equal(by_copy.iterations_run, by_replay.iterations_run);
    assert_int_equal(by_copy.fingerprint, by_replay.fingerprint);
    assert_int_equal(by_copy.violations, by_replay.violations);
    assert_int_equal(copied.states_met, replayed.states_met);
    assert_int_equal(copied.transitions, replayed.transitions);
}

#endif
