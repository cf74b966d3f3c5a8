#include "core/engine/inside.h"
#include "tests/support/searches.h"
#include "tests/support/generated.h"

#include "core/campaign/campaign.h"
#include "core/engine/monitor.h"

#include <stdio.h>
#include <stdlib.h>

// ---- The table of states -----------------------------------------------------------------------

static enum sct_visit visit(struct sct_states *states, uint64_t key, uint32_t points,
                            uint32_t bound, uint64_t *entry) {
    bool is_complete;
    return sct_states_visit(states, digest_fold((struct digest){0, 0}, key),
                            (struct sct_budget){points, bound}, entry, &is_complete);
}

// A state is known with the same budget or less, new with more; complete it is known with any
// number of points, but not with more of the bound.
static void test_states_compare_budgets(void **state) {
    (void)state;
    struct sct_states states;
    uint64_t entry, first;
    sct_states_init(&states, 1 << 16);
    assert_int_equal(visit(&states, 7, 10, 2, &first), SCT_VISIT_NEW);
    assert_int_equal(visit(&states, 7, 10, 2, &entry), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 7, 9, 1, &entry), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 8, 9, 1, &entry), SCT_VISIT_NEW);
    assert_int_equal(visit(&states, 7, 11, 2, &entry), SCT_VISIT_NEW);
    assert_int_equal(entry, first);
    assert_int_equal(visit(&states, 7, 11, 2, &entry), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 7, 5, 3, &entry), SCT_VISIT_NEW);
    assert_int_equal(states.count, 2);
    sct_states_complete(&states, entry);
    assert_int_equal(visit(&states, 7, 100000000, 3, &entry), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 7, 1, 4, &entry), SCT_VISIT_NEW);
    sct_states_deinit(&states);
}

// Filled to its capacity the table still finds every state, and says that it is full.
static void test_states_fill_up(void **state) {
    (void)state;
    struct sct_states states;
    uint64_t entry;
    sct_states_init(&states, 1 << 16);
    assert_true(states.capacity > 2000 && sct_states_bytes_each(&states) < 25);
    for (uint64_t i = 0; i < states.capacity; i++)
        assert_int_equal(visit(&states, i, 1, 0, &entry), SCT_VISIT_NEW);
    for (uint64_t i = 0; i < states.capacity; i++)
        assert_int_equal(visit(&states, i, 1, 0, &entry), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, states.capacity, 1, 0, &entry), SCT_VISIT_FULL);
    sct_states_clear(&states);
    assert_int_equal(visit(&states, 0, 1, 0, &entry), SCT_VISIT_NEW);
    sct_states_deinit(&states);
    assert_true(sct_states_collision(UINT64_C(1) << 32) == 0x1p-65);
}

// Filled, grown, and so on up to the limit: two tables are never larger than it together, every
// state is still known with its budget, and what was complete or becomes so is, whatever the
// number.
static void test_states_grow_up_to_their_limit(void **state) {
    (void)state;
    enum { LIMIT = 48 * 1024 * 1024 };
    struct sct_states states, larger;
    uint64_t entry, complete, met = 0;
    unsigned times = 0;
    sct_states_init(&states, LIMIT);
    assert_true(sct_states_can_grow(&states));
    assert_int_equal(visit(&states, met++, 7, 3, &complete), SCT_VISIT_NEW);
    for (; sct_states_can_grow(&states); times++) {
        while (visit(&states, met, 7, 3, &entry) == SCT_VISIT_NEW)
            met++;
        sct_states_grow(&states, &larger);
        complete = sct_states_moved(&states, &larger, complete);
        assert_true((states.bucket_count + larger.bucket_count) * 68 <= LIMIT);
        assert_true(larger.capacity > states.capacity && larger.count == met);
        sct_states_deinit(&states);
        states = larger;
        for (uint64_t i = 0; i < met; i++)
            assert_int_equal(visit(&states, i, 7, 3, &entry), SCT_VISIT_KNOWN);
    }
    assert_true(times == 3 && states.capacity > LIMIT / 4 * 3 / 24);
    sct_states_complete(&states, complete);
    assert_int_equal(visit(&states, 0, 8, 3, &entry), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 1, 8, 3, &entry), SCT_VISIT_NEW);
    sct_states_deinit(&states);
}

// ---- Final states ------------------------------------------------------------------------------

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (result->outcome == SCT_VIOLATED)
        ends_add(digest_fold_text((struct digest){1, 0}, result->violation.message));
    else if (result->outcome == SCT_PASSED && world)
        ends_add(digest_of(world->cells, sizeof world->cells));
}

static struct sct_campaign search(const char *spec, const struct sct_program *program,
                                  uint64_t cache_bytes, struct sct_explorer *explorer) {
    struct sct_strategy *strategy = new_strategy(spec);
    world = NULL; // that of an earlier engine
    struct sct_campaign campaign = search_whole(
        &(struct whole_search){
            .engine = engine,
            .options = {.program = program, .strategy = strategy, .cache_bytes = cache_bytes},
            .iterations = 10000,
            .repeat_every = 100,
            .note_end = note_end},
        explorer);
    sct_strategy_free(strategy);
    return campaign;
}

// With the cache and without the same ends are found, deadlocks and violations included. Programs
// too large to be searched without are passed over; most are not.
static void expect_same_ends(const char *spec, size_t programs) {
    const struct sct_program program = {
        .setup = set_up, .digest = add_cells, .tasks_observe = true};
    static struct ends without;
    size_t compared = 0;
    uint64_t executions = 0, with_cache = 0;
    for (uint64_t seed = 1; compared < programs; seed++) {
        assert_true(seed < 10 * programs);
        draw_program(seed);
        struct sct_explorer explorer;
        struct sct_campaign campaign = search(spec, &program, 0, NULL);
        if (!campaign.search.is_exhausted)
            continue;
        executions += campaign.iterations_run;
        without = ends;
        campaign = search(spec, &program, 1 << 22, &explorer);
        with_cache += campaign.iterations_run;
        assert_true(campaign.search.is_exhausted);
        if (!ends_equal(&ends, &without))
            fail_msg("%s, program %llu: %zu ends without cache, %zu with", spec,
                     (unsigned long long)seed, without.count, ends.count);
        compared++;
    }
    assert_true(with_cache < executions);
}

static void test_cache_finds_the_same_ends(void **state) {
    (void)state;
    expect_same_ends("dfs", 12);
}

static void test_cache_finds_the_same_ends_within_bounds(void **state) {
    (void)state;
    expect_same_ends("dfs:delay=2", 12);
    expect_same_ends("dfs:preempt=2", 12);
}

// ---- Counts ------------------------------------------------------------------------------------

static void walk(void *argument) {
    for (int i = 1; i < *(const int *)argument; i++)
        step("step");
}

static void independent(void *context) {
    (void)context;
    static const int lengths[] = {4, 5, 6};
    for (int i = 0; i < 3; i++)
        start("m", walk, (void *)(uintptr_t)&lengths[i]);
}

static void nothing_shared(void *context, struct digest *state) {
    (void)context;
    (void)state;
}

// Tasks of 4, 5 and 6 steps that share nothing: a state says how far each has come, so there are
// 5 * 6 * 7 - 1 with a task left. One execution comes to the end by the last step of each task; all
// others are pruned.
static void test_cache_merges_what_commutes(void **state) {
    (void)state;
    struct sct_explorer explorer;
    const struct sct_program program = {
        .setup = independent, .digest = nothing_shared, .tasks_observe = true};
    struct sct_campaign campaign = search("dfs", &program, 1 << 22, &explorer);
    assert_true(campaign.search.is_exhausted);
    assert_int_equal(explorer.states_met, 5 * 6 * 7 - 1);
    assert_int_equal(campaign.search.executions, 3);
}

static void spin(void *argument) {
    uint32_t *flag = argument;
    while (read_cell(0) == 0) {
        sct_forget((struct digest){0, 0}, "spin", 4);
        step("again");
    }
    (void)flag;
}

static void set_flag(void *argument) {
    (void)argument;
    step("before");
    world->cells[0] = 1;
}

static void spinning(void *context) {
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    start("spinner", spin, NULL);
    start("setter", set_flag, NULL);
}

// A loop that comes back to the same state is no end of the search: it is exhausted without coming
// to the limit of steps.
static void test_cache_closes_cycles(void **state) {
    (void)state;
    struct sct_explorer explorer;
    const struct sct_program program = {
        .setup = spinning, .digest = add_cells, .tasks_observe = true};
    struct sct_campaign campaign = search("dfs", &program, 1 << 22, &explorer);
    assert_true(campaign.search.is_exhausted);
    assert_int_equal(campaign.step_limit_hits, 0);
    assert_int_equal(ends.count, 1);
}

// Promises something, or does not, and keeps it at once if it is to; forgets which.
static void promise(void *is_kept) {
    struct digest mark = sct_observed();
    struct sct_monitor monitor = {0};
    if (sct_choose(2, "promises") == 1)
        sct_monitor_hot(&monitor, "a word to be kept");
    if (is_kept)
        sct_monitor_cold(&monitor);
    sct_forget(mark, "promised", 8);
    step("after");
    sct_monitor_cold(&monitor);
}

static void keep_promise(void *context) {
    (void)context;
    start("m", promise, "kept");
}

static void owe_promise(void *context) {
    (void)context;
    start("m", promise, NULL);
}

static uint64_t count_promising(void (*setup)(void *)) {
    struct sct_explorer explorer;
    const struct sct_program program = {
        .setup = setup, .digest = nothing_shared, .tasks_observe = true};
    struct sct_campaign campaign = search("dfs", &program, 1 << 22, &explorer);
    assert_true(campaign.search.is_exhausted);
    return explorer.states_met;
}

// A promise is part of the state until it is kept, and then no more: beside the state before it
// there is one that tells whether it was made, and none that tells that it was.
static void test_promises_are_of_the_state(void **state) {
    (void)state;
    assert_int_equal(count_promising(owe_promise), 1 + 2);
    assert_int_equal(count_promising(keep_promise), 1 + 1);
}

// A cache that is too small ends the search, which then is not exhausted.
static void test_cache_may_be_full(void **state) {
    (void)state;
    struct sct_explorer explorer;
    const struct sct_program program = {
        .setup = independent, .digest = nothing_shared, .tasks_observe = true};
    struct sct_campaign campaign = search("dfs", &program, 1 << 11, &explorer);
    assert_true(campaign.search.is_cache_full);
    assert_false(campaign.search.is_exhausted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_compare_budgets),
        cmocka_unit_test(test_states_fill_up),
        cmocka_unit_test(test_states_grow_up_to_their_limit),
        ENGINE_TEST(test_cache_finds_the_same_ends),
        ENGINE_TEST(test_cache_finds_the_same_ends_within_bounds),
        ENGINE_TEST(test_cache_merges_what_commutes),
        ENGINE_TEST(test_cache_closes_cycles),
        ENGINE_TEST(test_promises_are_of_the_state),
        ENGINE_TEST(test_cache_may_be_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
