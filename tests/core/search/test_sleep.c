// Sleep sets over a state cache leave out transitions, never states.
#include "core/engine/inside.h"
#include "tests/support/automata.h"
#include "tests/support/searches.h"

#include "core/campaign/campaign.h"
#include "core/search/snapshot.h"

#include <stdlib.h>

// ---- Searching ---------------------------------------------------------------------------------

enum { CACHE_BYTES = 1 << 18 };

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    struct digest end = {1, 0};
    if (result->outcome == SCT_VIOLATED)
        end = digest_fold_text(end, result->violation.message);
    else if (result->outcome == SCT_PASSED)
        end = digest_cells();
    else
        return;
    ends_add(end);
}

struct findings {
    struct ends ends;
    struct sct_searched search;
    uint64_t states, transitions, cuts;
    uint64_t fingerprint;
};

static void search(const struct sct_program *program, enum sct_reduction reduction, bool has_cache,
                   size_t snapshot_bytes, struct findings *findings) {
    struct sct_explorer explorer = {.transitions = 0};
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_campaign campaign =
        search_whole(&(struct whole_search){.engine = engine,
                                            .options = {.program = program,
                                                        .strategy = strategy,
                                                        .reduction = reduction,
                                                        .cache_bytes = has_cache ? CACHE_BYTES : 0,
                                                        .snapshot_bytes = snapshot_bytes},
                                            .iterations = has_cache ? SCT_UNLIMITED : 4000,
                                            .repeat_every = 50,
                                            .note_end = note_end},
                     &explorer);
    *findings = (struct findings){ends,
                                  campaign.search,
                                  explorer.states.count,
                                  explorer.transitions,
                                  strategy->path->cuts,
                                  campaign.fingerprint};
    sct_strategy_free(strategy);
}

// ---- Generated programs ------------------------------------------------------------------------

static const struct sct_program program = {
    .setup = set_up, .digest = add_cells, .tasks_observe = true, .is_copyable = true};
static struct findings whole, cached, reduced, replayed;

// Exactly the same states and ends, by fewer transitions; loops that come back to a state included.
static void test_same_states_by_fewer_transitions(void **state) {
    (void)state;
    uint64_t transitions = 0, by_sleep = 0, with_cuts = 0, programs = ARENA_POISONS ? 200 : 2000;
    for (uint64_t seed = 1; seed <= programs; seed++) {
        draw_program(seed, OPCODES_AND_SPIN, true);
        search(&program, SCT_REDUCE_NONE, true, 0, &cached);
        search(&program, SCT_REDUCE_SLEEP, true, 0, &reduced);
        assert_true(cached.search.is_exhausted && reduced.search.is_exhausted);
        if (reduced.states != cached.states || !ends_equal(&reduced.ends, &cached.ends))
            fail_msg("program %llu: %llu states and %zu ends, with sleep sets %llu and %zu",
                     (unsigned long long)seed, (unsigned long long)cached.states, cached.ends.count,
                     (unsigned long long)reduced.states, reduced.ends.count);
        assert_true(reduced.transitions <= cached.transitions);
        transitions += cached.transitions;
        by_sleep += reduced.transitions;
        with_cuts += cached.cuts > 0;
    }
    assert_true(by_sleep < transitions * 4 / 5);
    assert_true(with_cuts > programs / 50 && with_cuts < programs / 2);
}

// The same ends as those of every execution there is. Programs too large for that are passed over.
static void test_same_ends_as_the_whole_tree(void **state) {
    (void)state;
    size_t compared = 0, programs = ARENA_POISONS ? 40 : 200;
    for (uint64_t seed = 1; compared < programs; seed++) {
        assert_true(seed < 10 * programs);
        draw_program(seed, OPCODES, true);
        search(&program, SCT_REDUCE_NONE, false, 0, &whole);
        if (!whole.search.is_exhausted)
            continue;
        search(&program, SCT_REDUCE_SLEEP, true, 0, &reduced);
        if (!ends_equal(&reduced.ends, &whole.ends))
            fail_msg("program %llu: %zu ends, with sleep sets and cache %zu",
                     (unsigned long long)seed, whole.ends.count, reduced.ends.count);
        compared++;
    }
}

// Tasks that begin quietly leave out decisions and states, and no end; all ways to search.
static void test_same_ends_of_tasks_that_begin_quietly(void **state) {
    (void)state;
    struct sct_program quiet = program;
    quiet.begins_quietly = true;
    size_t compared = 0, programs = ARENA_POISONS ? 30 : 150;
    uint64_t states = 0, of_quiet = 0;
    for (uint64_t seed = 1; compared < programs; seed++) {
        assert_true(seed < 20 * programs);
        draw_program(seed, OPCODES, true);
        if (lengths[1] == 0 || lengths[2] == 0)
            continue; // a task that ends at once does not begin quietly
        search(&program, SCT_REDUCE_NONE, false, 0, &whole);
        if (!whole.search.is_exhausted)
            continue;
        search(&program, SCT_REDUCE_NONE, true, 0, &cached);
        states += cached.states;
        for (int way = 0; way < 5; way++) {
            static const enum sct_reduction reductions[] = {SCT_REDUCE_NONE, SCT_REDUCE_NONE,
                                                            SCT_REDUCE_SLEEP, SCT_REDUCE_SLEEP,
                                                            SCT_REDUCE_DPOR};
            search(&quiet, reductions[way], way & 1, 0, &reduced);
            assert_true(reduced.search.is_exhausted);
            if (!ends_equal(&reduced.ends, &whole.ends))
                fail_msg("program %llu, way %d: %zu ends, whole %zu", (unsigned long long)seed, way,
                         reduced.ends.count, whole.ends.count);
            of_quiet += way == 1 ? reduced.states : 0;
        }
        compared++;
    }
    assert_true(of_quiet < states * 2 / 3);
}

// Going back by snapshots is the same search as running every prefix again, cache or not.
static void test_snapshots_know_who_sleeps(void **state) {
    (void)state;
    uint64_t restored = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        draw_program(seed, OPCODES, true);
        for (int has_cache = 0; has_cache < 2; has_cache++) {
            search(&program, SCT_REDUCE_SLEEP, has_cache, SCT_NO_SNAPSHOTS, &replayed);
            search(&program, SCT_REDUCE_SLEEP, has_cache, 0, &reduced);
            assert_int_equal(reduced.fingerprint, replayed.fingerprint);
            assert_int_equal(reduced.search.pruned, replayed.search.pruned);
            assert_int_equal(reduced.states, replayed.states);
            assert_int_equal(reduced.transitions, replayed.transitions);
            restored += reduced.search.restored;
        }
    }
    assert_true(restored > 0 || !sct_snapshots_work());
}

// ---- Generated automata ------------------------------------------------------------------------

static void expect_same_states_of_automata(uint64_t seed) {
    const struct sct_program cyclic = {
        .setup = set_up_automata, .digest = add_cells, .tasks_observe = true, .is_copyable = true};
    draw_automata(seed);
    search(&cyclic, SCT_REDUCE_NONE, true, 0, &cached);
    search(&cyclic, SCT_REDUCE_SLEEP, true, 0, &reduced);
    assert_true(cached.search.is_exhausted && reduced.search.is_exhausted);
    if (reduced.states != cached.states || !ends_equal(&reduced.ends, &cached.ends))
        fail_msg("automata %llu: %llu states and %zu ends, with sleep sets %llu and %zu",
                 (unsigned long long)seed, (unsigned long long)cached.states, cached.ends.count,
                 (unsigned long long)reduced.states, reduced.ends.count);
    if (seed % 20 != 0)
        return;
    search(&cyclic, SCT_REDUCE_SLEEP, true, SCT_NO_SNAPSHOTS, &replayed);
    assert_int_equal(reduced.fingerprint, replayed.fingerprint);
    assert_int_equal(reduced.transitions, replayed.transitions);
}

// Cycles cost some of the reduction, but no state.
static void test_same_states_of_automata(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= (ARENA_POISONS ? 50 : 500); seed++)
        expect_same_states_of_automata(seed);
}

// Nor does a limit of points: the same states are met within it. Tasks must not sleep above what it
// cuts off, which costs one of some thousand of these automata a state.
static void test_same_states_within_a_limit(void **state) {
    (void)state;
    for (uint32_t steps = 7; steps <= 9; steps += 2) {
        engine = sct_engine_open(&(struct sct_engine_options){.steps_max = steps});
        for (uint64_t seed = 1; seed <= (ARENA_POISONS ? 300 : 5000); seed++)
            expect_same_states_of_automata(seed);
        sct_engine_close(engine);
    }
}

// ---- Counts ------------------------------------------------------------------------------------

enum { WALKERS = 3, LENGTH = 4 };

static void walk(void *argument) {
    for (int i = 0; i < LENGTH; i++)
        *touch_cell((uint32_t)(uintptr_t)argument, SCT_ACCESS_WRITE) += 1;
}

static void walkers(void *context) {
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    for (uintptr_t i = 0; i < WALKERS; i++)
        sct_task_start_with(sct_machine_create("walker"), "main", walk, (void *)i,
                            &sct_access_none);
}

// Tasks that share nothing, of one step and LENGTH more each: every state but the first is met by
// one transition, and the end by one execution.
static void test_independent_tasks_have_no_transition_twice(void **state) {
    (void)state;
    const struct sct_program independent = {
        .setup = walkers, .digest = add_cells, .tasks_observe = true};
    const uint64_t states = (LENGTH + 2) * (LENGTH + 2) * (LENGTH + 2) - 1;
    search(&independent, SCT_REDUCE_SLEEP, true, 0, &reduced);
    assert_true(reduced.search.is_exhausted);
    assert_int_equal(reduced.states, states);
    assert_int_equal(reduced.transitions, states);
    assert_int_equal(reduced.search.executions, 1);
}

// ---- Free steps --------------------------------------------------------------------------------

// Declares nothing; in the second of its steps it touches a cell after all, and appends its number.
static void touch_late(void *argument) {
    const struct sct_access first = {.mode = SCT_ACCESS_WRITE, .object = 1};
    for (int i = 0; i < 3; i++) {
        sct_point("step", NULL, &sct_access_none);
        if (i != 1)
            continue;
        sct_touch(&first);
        world->cells[0] = 10 * world->cells[0] + (uint32_t)(uintptr_t)argument;
    }
}

static void late_ones(void *context) {
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    for (uintptr_t i = 1; i <= 3; i++)
        sct_task_start_with(sct_machine_create("late"), "main", touch_late, (void *)i,
                            &sct_access_none);
}

// Steps that touch nothing are taken alone, and nothing is lost where one does so after all: all
// six orders are met, by not many more executions.
static void test_steps_that_touch_something_after_all(void **state) {
    (void)state;
    const struct sct_program late = {.setup = late_ones};
    search(&late, SCT_REDUCE_SLEEP, false, SCT_NO_SNAPSHOTS, &reduced);
    assert_true(reduced.search.is_exhausted);
    assert_int_equal(reduced.ends.count, 6);
    assert_int_equal(reduced.search.executions, 6);
    assert_true(reduced.search.pruned <= 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_same_states_by_fewer_transitions),
        ENGINE_TEST(test_same_ends_as_the_whole_tree),
        ENGINE_TEST(test_same_ends_of_tasks_that_begin_quietly),
        ENGINE_TEST(test_snapshots_know_who_sleeps),
        ENGINE_TEST(test_same_states_of_automata),
        cmocka_unit_test(test_same_states_within_a_limit),
        ENGINE_TEST(test_independent_tasks_have_no_transition_twice),
        ENGINE_TEST(test_steps_that_touch_something_after_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
