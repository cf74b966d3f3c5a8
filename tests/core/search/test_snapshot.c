// Going back by snapshots and running every prefix again are the same search.
#include "tests/support/generated.h"

#include "core/campaign/campaign.h"
#include "core/search/snapshot.h"

#include <stdlib.h>
#include <string.h>

// What a search saw: everything that its user could, execution by execution.
struct sight {
    struct digest ends; // outcomes, violations, final cells, in order
    struct sct_campaign campaign;
    uint64_t states, transitions;
};

static struct digest ends;

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    ends = digest_fold(digest_fold(ends, iteration), result->outcome);
    ends = digest_fold(digest_fold(ends, result->fingerprint), result->point_count);
    if (result->outcome == SCT_VIOLATED)
        ends = digest_fold_text(ends, result->violation.message);
    else
        ends = digest_fold_bytes(ends, world->cells, sizeof world->cells);
}

static struct sight search(const char *spec, bool has_cache, size_t snapshot_bytes) {
    const struct sct_program program = {
        .setup = set_up, .digest = add_cells, .tasks_observe = true, .is_copyable = true};
    struct sct_strategy *strategy = new_strategy(spec);
    struct sct_explorer explorer = {.states_met = 0};
    struct sight sight;
    ends = (struct digest){0, 0};
    struct sct_search *way =
        sct_search_open(&(struct sct_search_options){.program = &program,
                                                     .strategy = strategy,
                                                     .cache_bytes = has_cache ? 1 << 22 : 0,
                                                     .snapshot_bytes = snapshot_bytes});
    sct_campaign_run(engine,
                     &(struct sct_campaign_options){.program = &program,
                                                    .strategy = strategy,
                                                    .iterations = 5000,
                                                    .keep_going = true,
                                                    .search = way,
                                                    .repeat_every = 7,
                                                    .after_counted = note_end},
                     &sight.campaign);
    assert_false(sight.campaign.unrepeatable.is_found);
    if (has_cache)
        explorer = *sct_search_explorer(way);
    sight.states = explorer.states_met;
    sight.transitions = explorer.transitions;
    sight.ends = ends;
    sct_campaign_free(&sight.campaign);
    sct_search_close(way);
    sct_strategy_free(strategy);
    return sight;
}

static void expect_equal(const struct sight *a, const struct sight *b) {
    assert_true(digest_equal(a->ends, b->ends));
    assert_int_equal(a->campaign.iterations_run, b->campaign.iterations_run);
    assert_int_equal(a->campaign.fingerprint, b->campaign.fingerprint);
    assert_int_equal(a->campaign.violations, b->campaign.violations);
    assert_int_equal(a->campaign.decisions, b->campaign.decisions);
    assert_int_equal(a->campaign.points, b->campaign.points);
    assert_int_equal(a->states, b->states);
    assert_int_equal(a->transitions, b->transitions);
}

static void compare(const char *spec, bool has_cache) {
    uint64_t restored = 0, with_little_room = 0, executions = 0;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        draw_program(seed);
        struct sight replayed = search(spec, has_cache, SCT_NO_SNAPSHOTS);
        struct sight copied = search(spec, has_cache, 0);
        struct sight cramped = search(spec, has_cache, 16384); // two or three of them
        expect_equal(&replayed, &copied);
        expect_equal(&replayed, &cramped);
        assert_int_equal(replayed.campaign.search.restored, 0);
        executions += copied.campaign.iterations_run;
        restored += copied.campaign.search.restored;
        with_little_room += cramped.campaign.search.restored;
    }
    if (!sct_snapshots_work())
        return;
    // All but the first execution of each bound go on from one.
    assert_true(restored < executions && restored + 3 * 25 >= executions);
    assert_true(with_little_room > 0 && with_little_room <= restored);
}

static void test_both_ways_are_the_same_search(void **state) {
    (void)state;
    compare("dfs", false);
    compare("dfs", true);
}

static void test_both_ways_are_the_same_within_bounds(void **state) {
    (void)state;
    compare("dfs:delay=2", true);
    compare("dfs:preempt=2", false);
}

// A program that keeps something elsewhere is run from the beginning.
static uint32_t runs;

static void count_run(void *context) {
    (void)context;
    runs++;
    sct_choose(4, "value");
}

static void test_only_what_is_copyable_is_copied(void **state) {
    (void)state;
    struct sct_program program = {.setup = count_run};
    for (int is_copyable = 0; is_copyable < 2; is_copyable++) {
        struct sct_strategy *strategy = new_strategy("dfs");
        struct sct_campaign campaign;
        program.is_copyable = is_copyable;
        runs = 0;
        sct_campaign_run(engine,
                         &(struct sct_campaign_options){
                             .program = &program, .strategy = strategy, .iterations = 10},
                         &campaign);
        assert_int_equal(campaign.iterations_run, 4);
        assert_int_equal(runs, is_copyable && sct_snapshots_work() ? 1 : 4);
        sct_campaign_free(&campaign);
        sct_strategy_free(strategy);
    }
}

// Values in the stacks of tasks that begin and end: each has its own, whatever was there before.
static void deep(uint32_t depth, uint32_t *sum) {
    uint32_t local = sct_choose(2, "bit");
    step("deep");
    if (depth > 0)
        deep(depth - 1, sum);
    *sum = *sum * 2 + local;
}

static void child(void *argument) {
    uint32_t sum = 0;
    deep(2, &sum);
    *(uint32_t *)argument = sum;
}

static uint32_t *sums;
static uint64_t seen;

static void parent(void *argument) {
    for (uint32_t i = 0; i < 2; i++)
        sct_task_start(argument, "child", child, &sums[i]);
}

static void set_up_family(void *context) {
    (void)context;
    sums = ARENA_ARRAY(sct_arena(), uint32_t, 2);
    struct sct_machine *machine = sct_machine_create("family");
    sct_task_start(machine, "parent", parent, machine);
}

static void finish_family(void *context) {
    (void)context;
    seen |= UINT64_C(1) << (sums[0] * 8 + sums[1]);
}

static void test_stacks_come_back(void **state) {
    (void)state;
    const struct sct_program program = {
        .setup = set_up_family, .finish = finish_family, .is_copyable = true};
    struct sct_strategy *strategy = new_strategy("dfs:preempt=1");
    struct sct_campaign campaign;
    seen = 0;
    sct_campaign_run(engine,
                     &(struct sct_campaign_options){.program = &program,
                                                    .strategy = strategy,
                                                    .iterations = SCT_UNLIMITED,
                                                    .repeat_every = 11},
                     &campaign);
    assert_true(campaign.search.is_exhausted && !campaign.unrepeatable.is_found);
    assert_true(seen == UINT64_MAX);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

enum { LATE_MAX = 3 };

static void late_child(void *argument) {
    uint32_t local = 2 + sct_choose(2, "bit");
    step("late");
    step("later");
    *(uint32_t *)argument = local;
}

static void late_parent(void *argument) {
    sums[LATE_MAX] = sct_choose(LATE_MAX + 1, "children");
    for (uint32_t i = 0; i < sums[LATE_MAX]; i++)
        sct_task_start(argument, "child", late_child, &sums[i]);
}

static void set_up_late_family(void *context) {
    (void)context;
    sums = ARENA_ARRAY(sct_arena(), uint32_t, LATE_MAX + 1);
    memset(sums, 0, sizeof *sums * (LATE_MAX + 1));
    struct sct_machine *machine = sct_machine_create("family");
    sct_task_start(machine, "parent", late_parent, machine);
}

static void finish_late_family(void *context) {
    (void)context;
    uint32_t grown = 0;
    for (uint32_t i = 0; i < LATE_MAX; i++)
        grown += sums[i] >= 2;
    seen |= UINT64_C(1) << (grown == sums[LATE_MAX] ? grown : 63);
}

// An execution may have more tasks than all before it: the snapshot above, which knows of fewer
// stacks, leaves each of the others free once, in whatever order they were given back.
static void test_stacks_are_more_later(void **state) {
    (void)state;
    const struct sct_program program = {
        .setup = set_up_late_family, .finish = finish_late_family, .is_copyable = true};
    struct sct_strategy *strategy = new_strategy("dfs:preempt=1");
    struct sct_campaign campaign;
    seen = 0;
    sct_campaign_run(engine,
                     &(struct sct_campaign_options){
                         .program = &program, .strategy = strategy, .iterations = SCT_UNLIMITED},
                     &campaign);
    assert_true(campaign.search.is_exhausted && campaign.violations == 0);
    assert_int_equal(seen, (1 << (LATE_MAX + 1)) - 1);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_both_ways_are_the_same_search),
        ENGINE_TEST(test_both_ways_are_the_same_within_bounds),
        ENGINE_TEST(test_only_what_is_copyable_is_copied),
        ENGINE_TEST(test_stacks_come_back),
        ENGINE_TEST(test_stacks_are_more_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
