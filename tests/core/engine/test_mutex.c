// A mutex that enables who waits for it only while it is free, beside one whose waiters are woken
// and try again: generated programs have the same ends with either, in fewer executions.
#include "tests/support/programs.h"
#include "tests/support/searches.h"

#include "core/base/rng.h"
#include "core/engine/inside.h"
#include "core/engine/sync.h"

enum { TASKS = 3, INSTRUCTIONS_MAX = 2, MUTEXES = 2, RUNS_MAX = 20000, CACHE_BYTES = 1 << 22 };
enum opcode { ADD, ADD_LATER, ADD_TO_BOTH, CHECK, KEEP, OPCODES };

static struct instruction {
    enum opcode code;
    uint32_t cell, value;
} program_text[TASKS][INSTRUCTIONS_MAX];
static uint32_t lengths[TASKS];

// The other one, of a queue alone.
struct tried_again {
    struct sct_strand *holder;
    struct sct_queue waiters;
};

static struct world {
    struct sct_mutex mutexes[MUTEXES];
    struct tried_again others[MUTEXES];
    uint32_t cells[MUTEXES];
    struct digest order; // in which they were taken
} * world;

static bool tries_again;

static void acquire(uint32_t i, uint32_t task) {
    struct tried_again *other = &world->others[i];
    step("acquire");
    if (!tries_again)
        sct_mutex_acquire(&world->mutexes[i], "the mutex");
    while (tries_again && other->holder)
        sct_linger(&other->waiters, "the mutex");
    other->holder = sct_self();
    world->order = digest_fold(world->order, task << 1 | i);
}

static void release(uint32_t i) {
    world->others[i].holder = NULL;
    if (tries_again)
        sct_queue_wake(&world->others[i].waiters);
    else
        sct_mutex_release(&world->mutexes[i]);
}

static void add(const struct instruction *at, uint32_t task) {
    acquire(at->cell, task);
    if (at->code == ADD_LATER)
        step("inside");
    if (at->code == ADD_TO_BOTH)
        acquire(1 - at->cell, task);
    world->cells[at->cell] = (world->cells[at->cell] * 2 + at->value) % 7;
    if (at->code == ADD_TO_BOTH)
        release(1 - at->cell);
    release(at->cell);
}

static void interpret(void *argument) {
    uint32_t task = (uint32_t)(uintptr_t)argument;
    for (const struct instruction *at = program_text[task]; at < program_text[task] + lengths[task];
         at++) {
        if (at->code == CHECK)
            sct_check(world->cells[at->cell] < 5, "large", "cell %u is large", at->cell);
        else if (at->code == KEEP && world->others[at->cell].holder != sct_self())
            acquire(at->cell, task);
        else if (at->code != KEEP)
            add(at, task);
    }
}

static void set_up(void *context) {
    static const char *const names[TASKS] = {"t0", "t1", "t2"};
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    for (int i = 0; i < MUTEXES; i++) {
        sct_mutex_init(&world->mutexes[i]);
        sct_queue_init(&world->others[i].waiters);
    }
    for (uintptr_t t = 0; t < TASKS; t++)
        start(names[t], interpret, (void *)t);
}

static void add_world(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(world->cells, sizeof world->cells));
    digest_add(state, digest_fold_digest((struct digest){1, 0}, world->order));
    for (int i = 0; i < MUTEXES; i++)
        digest_add(state, digest_fold((struct digest){2, 0},
                                      2U * (unsigned)i + (world->others[i].holder != NULL)));
}

static void draw_program(uint64_t seed) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (int t = 0; t < TASKS; t++) {
        lengths[t] = t == 0 ? INSTRUCTIONS_MAX : 1 + rng_below(&rng, INSTRUCTIONS_MAX);
        for (uint32_t i = 0; i < lengths[t]; i++) {
            program_text[t][i].code = (enum opcode)rng_below(&rng, OPCODES);
            program_text[t][i].cell = rng_below(&rng, MUTEXES);
            program_text[t][i].value = rng_below(&rng, 3);
        }
    }
}

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    struct digest end = digest_of(world->cells, sizeof world->cells);
    if (result->outcome == SCT_VIOLATED)
        end = digest_fold_text(end, result->violation.message);
    if (result->outcome == SCT_VIOLATED || result->outcome == SCT_PASSED)
        ends_add(digest_fold_digest(end, world->order));
}

static struct sct_campaign search(bool by_trying, uint64_t cache_bytes) {
    // Each step counts as having read all there is.
    static const struct sct_program program = {.setup = set_up, .digest = add_world};
    struct sct_search_options options = {
        .program = &program, .strategy = new_strategy("dfs"), .cache_bytes = cache_bytes};
    tries_again = by_trying;
    struct sct_campaign campaign = search_whole(
        &(struct whole_search){
            .engine = engine, .options = options, .iterations = RUNS_MAX, .note_end = note_end},
        NULL);
    sct_strategy_free(options.strategy);
    return campaign;
}

static void test_mutex_has_the_ends_of_trying_again(void **state) {
    (void)state;
    static struct ends expected;
    uint64_t compared = 0, violated = 0, executions = 0, of_trying = 0;
    for (uint64_t seed = 1; compared < (ARENA_POISONS ? 20 : 100); seed++) {
        draw_program(seed);
        struct sct_campaign whole = search(true, 0);
        if (!whole.search.is_exhausted)
            continue;
        expected = ends;
        struct sct_campaign campaign = search(false, 0);
        assert_true(campaign.search.is_exhausted);
        if (!ends_equal(&ends, &expected))
            fail_msg("seed %d: %zu ends in place of %zu", (int)seed, ends.count, expected.count);
        assert_true(search(false, CACHE_BYTES).search.is_exhausted);
        if (!ends_equal(&ends, &expected))
            fail_msg("seed %d: %zu ends with a cache in place of %zu", (int)seed, ends.count,
                     expected.count);
        assert_true(campaign.iterations_run <= whole.iterations_run);
        executions += campaign.iterations_run;
        of_trying += whole.iterations_run;
        violated += whole.violations > 0;
        compared++;
    }
    assert_true(violated > compared / 5); // most of them deadlocks
    assert_true(executions < of_trying * 19 / 20);
}

// ---- Waiting -----------------------------------------------------------------------------------

static uint32_t turns;

static void hold(void *argument) {
    (void)argument;
    acquire(0, 0);
    step("inside");
    step("still inside");
    release(0);
    step("outside");
    acquire(0, 0); // perhaps before who waits has come to its turn
    release(0);
}

static void wait_for_turn(void *argument) {
    (void)argument;
    acquire(0, 1);
    turns = sct_steps();
    release(0);
}

static void set_up_wait(void *context) {
    (void)context;
    world = ARENA_NEW(sct_arena(), struct world);
    sct_mutex_init(&world->mutexes[0]);
    start("holder", hold, NULL);
    start("waiter", wait_for_turn, NULL);
}

// Whoever waits takes one step to begin with, one to come to the mutex and one to have it, if it
// must wait; others may come first, and need not.
static void test_mutex_wakes_only_who_gets_it(void **state) {
    (void)state;
    tries_again = false;
    uint32_t seen = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_passed(run_random(set_up_wait, seed));
        assert_in_range(turns, 2, 3);
        seen |= 1U << turns;
        bool came_second = digest_equal(
            world->order,
            digest_fold(digest_fold(digest_fold((struct digest){0, 0}, 0), 0), 1 << 1));
        seen |= came_second && turns == 3 ? 1 : 0; // overtaken while it waited, or before
    }
    assert_int_equal(seen, 1 | 1 << 2 | 1 << 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_mutex_has_the_ends_of_trying_again),
        ENGINE_TEST(test_mutex_wakes_only_who_gets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
