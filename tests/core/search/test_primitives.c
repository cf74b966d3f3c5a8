// Searches of programs of threads: with a state cache, reductions and snapshots they find the same
// as without.
#include "tests/support/primitives.h"
#include "tests/support/searches.h"

#include <stdlib.h>

enum { CACHE_BYTES = 1 << 22, RUNS_MAX = 4000 };

static struct digest (*digest_end)(void);

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (result->outcome == SCT_VIOLATED)
        ends_add(digest_fold_text((struct digest){1, 0}, result->violation.message));
    else if (result->outcome == SCT_PASSED)
        ends_add(digest_end());
}

static struct sct_campaign search(struct sct_search_options options) {
    options.strategy = new_strategy("dfs");
    struct sct_campaign campaign = search_whole(&(struct whole_search){.engine = engine,
                                                                       .options = options,
                                                                       .iterations = RUNS_MAX,
                                                                       .repeat_every = 100,
                                                                       .note_end = note_end},
                                                NULL);
    sct_strategy_free(options.strategy);
    return campaign;
}

// ---- Generated programs ------------------------------------------------------------------------

static void expect_same_ends(const struct sct_search_options *options, uint64_t programs) {
    struct sct_program plain = *options->program;
    plain.is_copyable = plain.begins_quietly = false;
    static struct ends expected;
    uint64_t compared = 0, executions = 0, violated = 0, with_them = 0;
    digest_end = digest_world;
    for (uint64_t seed = 1; compared < programs; seed++) {
        assert_true(seed < 10 * programs);
        draw_program(seed);
        struct sct_campaign whole = search((struct sct_search_options){.program = &plain});
        if (!whole.search.is_exhausted)
            continue;
        expected = ends;
        steps_in = options->program->begins_quietly;
        struct sct_campaign campaign = search(*options);
        steps_in = false;
        assert_true(campaign.search.is_exhausted);
        if (ends.count != expected.count ||
            memcmp(ends.digests, expected.digests, ends.count * sizeof *ends.digests) != 0)
            fail_msg("seed %d: %zu ends in place of %zu", (int)seed, ends.count, expected.count);
        compared++;
        violated += whole.violations > 0;
        executions += whole.iterations_run;
        with_them += campaign.search.executions;
    }
    assert_true(violated > programs / 5); // most of them deadlocks
    assert_true(with_them < executions);
}

static const struct sct_program generated = {
    .setup = set_up, .digest = add_cells, .tasks_observe = true, .is_copyable = true};
static const struct sct_program generated_unobserved = {
    .setup = set_up, .digest = add_cells, .is_copyable = true};

static void test_primitives_with_a_cache(void **state) {
    (void)state;
    expect_same_ends(
        &(struct sct_search_options){.program = &generated, .cache_bytes = CACHE_BYTES}, 150);
}

static void test_primitives_with_a_cache_and_tasks_that_observe_nothing(void **state) {
    (void)state;
    expect_same_ends(
        &(struct sct_search_options){.program = &generated_unobserved, .cache_bytes = CACHE_BYTES},
        150);
}

// In the whole tree it is their beginnings that they step in with. (Cells are not declared, so that
// there is no reduction; test_sleep.c has those.)
static void test_primitives_of_threads_that_begin_quietly(void **state) {
    (void)state;
    struct sct_program program = generated;
    program.begins_quietly = true;
    uint64_t programs = ARENA_POISONS ? 20 : 100;
    expect_same_ends(&(struct sct_search_options){.program = &program}, programs);
    expect_same_ends(&(struct sct_search_options){.program = &program, .cache_bytes = CACHE_BYTES},
                     programs);
}

// ---- Known programs ----------------------------------------------------------------------------

// The bank of core/TUTORIAL.md: two threads each want 60 of the 100 on an account. What they see of
// it they do not tell, and need not.
static struct bank {
    int balance[2];
    struct sct_lock locks[2];
} * bank;

static void *transfer(void *argument) {
    (void)argument;
    sct_lock_acquire(&bank->locks[0]);
    int seen = bank->balance[0];
    sct_lock_release(&bank->locks[0]);
    if (seen < 60)
        return NULL;
    sct_lock_acquire(&bank->locks[0]);
    bank->balance[0] -= 60;
    sct_lock_release(&bank->locks[0]);
    sct_lock_acquire(&bank->locks[1]);
    bank->balance[1] += 60;
    sct_lock_release(&bank->locks[1]);
    return NULL;
}

static void set_up_bank(void *context) {
    (void)context;
    bank = ARENA_NEW(sct_arena(), struct bank);
    bank->balance[0] = 100;
    sct_lock_init(&bank->locks[0], "lock-0");
    sct_lock_init(&bank->locks[1], "lock-1");
    sct_thread_create("alice", transfer, NULL);
    sct_thread_create("bob", transfer, NULL);
}

static void finish_bank(void *context) {
    (void)context;
    sct_check(bank->balance[0] >= 0, "overdrawn", "account 0 has %d", bank->balance[0]);
}

static void add_balance(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(bank->balance, sizeof bank->balance));
}

static struct digest digest_bank(void) {
    return digest_of(bank->balance, sizeof bank->balance);
}

static void nothing_shared(void *context, struct digest *state) {
    (void)context;
    (void)state;
}

static struct digest nothing(void) {
    return (struct digest){0, 0};
}

// Each of [count] threads takes its own lock first, then the next one's.
static struct sct_lock *ring;
static unsigned ring_count;

static void *take_two(void *argument) {
    unsigned own = (unsigned)(uintptr_t)argument;
    for (int meal = 0; meal < 2; meal++) {
        sct_lock_acquire(&ring[own]);
        sct_lock_acquire(&ring[(own + 1) % ring_count]);
        sct_lock_release(&ring[own]);
        sct_lock_release(&ring[(own + 1) % ring_count]);
    }
    return NULL;
}

static void set_up_ring(void *context) {
    static const char *const forks[] = {"fork-0", "fork-1", "fork-2"};
    static const char *const names[] = {"socrates", "plato", "aristotle"};
    ring_count = *(const unsigned *)context;
    ring = ARENA_ARRAY(sct_arena(), struct sct_lock, ring_count);
    for (unsigned i = 0; i < ring_count; i++)
        sct_lock_init(&ring[i], forks[i]);
    for (unsigned i = 0; i < ring_count; i++)
        sct_thread_create(names[i], take_two, (void *)(uintptr_t)i);
}

// Whole without anything; then with a cache, of tasks that observe and tasks that do not; by copies
// and by replay; by sleep sets with a cache, and by dpor.
static void expect_found(struct sct_program program, const char *kind, bool observes) {
    static struct ends expected;
    struct sct_campaign whole = search((struct sct_search_options){.program = &program});
    expected = ends;
    for (int way = 0; way < 16; way++) {
        struct sct_search_options options = {.program = &program};
        program.tasks_observe = way & 1 && observes;
        program.is_copyable = way & 2;
        options.cache_bytes = way & 4 ? CACHE_BYTES : 0;
        options.reduction = !(way & 8)                 ? SCT_REDUCE_NONE
                            : options.cache_bytes == 0 ? SCT_REDUCE_DPOR
                            : program.tasks_observe    ? SCT_REDUCE_SLEEP
                                                       : SCT_REDUCE_NONE;
        struct sct_campaign campaign = search(options);
        assert_true(campaign.search.is_exhausted);
        assert_true(campaign.violations > 0);
        assert_int_equal(ends.count, expected.count);
        assert_memory_equal(ends.digests, expected.digests, ends.count * sizeof *ends.digests);
    }
    if (!whole.search.is_exhausted)
        fail_msg("%s: too large", kind);
}

static void test_primitives_overdraw_the_bank(void **state) {
    (void)state;
    digest_end = digest_bank;
    expect_found(
        (struct sct_program){.setup = set_up_bank, .finish = finish_bank, .digest = add_balance},
        "overdrawn", false);
}

static void test_primitives_deadlock_in_a_ring(void **state) {
    (void)state;
    digest_end = nothing;
    unsigned two = 2;
    expect_found(
        (struct sct_program){.setup = set_up_ring, .digest = nothing_shared, .context = &two},
        "deadlock", true);
}

// Three of them are too many without a cache; that they all may wait is found with one.
static void test_primitives_let_philosophers_starve(void **state) {
    (void)state;
    unsigned three = 3;
    digest_end = nothing;
    const struct sct_program program = {
        .setup = set_up_ring, .digest = nothing_shared, .context = &three, .tasks_observe = true};
    struct sct_campaign campaign =
        search((struct sct_search_options){.program = &program, .cache_bytes = CACHE_BYTES});
    assert_true(campaign.search.is_exhausted && campaign.violations > 0);
    assert_int_equal(ends.count, 2); // all have eaten, or all wait
    struct sct_campaign reduced = search((struct sct_search_options){
        .program = &program, .cache_bytes = CACHE_BYTES, .reduction = SCT_REDUCE_SLEEP});
    assert_true(reduced.search.is_exhausted && reduced.violations > 0);
    assert_int_equal(ends.count, 2);
    assert_int_equal(reduced.search.states_met, campaign.search.states_met);
    assert_true(reduced.search.transitions < campaign.search.transitions);
}

// A thread that has ended leaves a value that nobody has read: it is in no thread's state.
static struct sct_atomic *left;
static struct sct_thread *writer;

static void *write_or_not(void *argument) {
    if (sct_choose(2, "coin") == 1)
        sct_atomic_store(left, 1);
    return argument;
}

static void *read_when_it_has_ended(void *argument) {
    sct_thread_join(writer);
    sct_check(sct_atomic_load(left) == 0, "left", "a value was left");
    return argument;
}

static void set_up_left(void *context) {
    (void)context;
    left = ARENA_NEW(sct_arena(), struct sct_atomic);
    sct_atomic_init(left, "left", 0);
    writer = sct_thread_create("writer", write_or_not, NULL);
    sct_thread_create("reader", read_when_it_has_ended, NULL);
}

static void test_primitives_keep_what_is_left(void **state) {
    (void)state;
    digest_end = nothing;
    expect_found((struct sct_program){.setup = set_up_left, .digest = nothing_shared}, "left",
                 true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_primitives_with_a_cache),
        ENGINE_TEST(test_primitives_with_a_cache_and_tasks_that_observe_nothing),
        ENGINE_TEST(test_primitives_of_threads_that_begin_quietly),
        ENGINE_TEST(test_primitives_overdraw_the_bank),
        ENGINE_TEST(test_primitives_deadlock_in_a_ring),
        ENGINE_TEST(test_primitives_let_philosophers_starve),
        ENGINE_TEST(test_primitives_keep_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
