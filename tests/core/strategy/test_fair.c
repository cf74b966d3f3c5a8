#include "tests/support/chance.h"
#include "tests/support/programs.h"

enum { K = 50, PREFIX = 2 * K, TASKS = 4 };

static struct sct_strategy *fair_with(const char *spec, uint32_t k) {
    struct sct_strategy *strategy = new_strategy(spec);
    strategy->calibration.decisions_max = k;
    return strategy;
}

static unsigned pick_among_four(struct sct_strategy *strategy, uint32_t ordinal, unsigned current) {
    const struct sct_schedule_point point = {
        .enabled = SLOTS((1U << TASKS) - 1),
        .count = TASKS,
        .fresh = SLOTS(ordinal == 1 ? (1U << TASKS) - 1 : 0),
        .current = current,
        .ordinal = ordinal,
    };
    return strategy->ops->pick(strategy, &point);
}

// ---- Prefix and tail ---------------------------------------------------------------------------

// PCT without change points runs one task of four and starves the others. Under fair it does so for
// the prefix, 2k decisions; after that a task is passed over 200 times in a row with probability
// (3/4)^200 = 10^-25, in any of 500 executions of 1,000 decisions with less than 10^-18.
static void test_fair_starves_nobody_after_the_prefix(void **state) {
    (void)state;
    struct sct_strategy *strategy = fair_with("fair:pct:1", K);
    for (uint64_t seed = 0; seed < 500; seed++) {
        rng_seed(&strategy->rng, seed);
        strategy->ops->begin(strategy);
        unsigned top = pick_among_four(strategy, 1, 0), current = top;
        uint32_t last[TASKS] = {PREFIX, PREFIX, PREFIX, PREFIX};
        for (uint32_t ordinal = 2; ordinal <= PREFIX + 1000; ordinal++) {
            current = pick_among_four(strategy, ordinal, current);
            if (ordinal <= PREFIX) {
                assert_int_equal(current, top);
                continue;
            }
            last[current] = ordinal;
            for (int i = 0; i < TASKS; i++)
                assert_true(ordinal - last[i] < 200);
        }
    }
    sct_strategy_free(strategy);
}

// The tail begins with decision 2k+1 and is a random walk: each of the next ones takes each of four
// tasks with probability 1/4, whatever the inner strategy would do. 5,000 of 20,000 each, and
// chi-square over 4 cells stays below 3 + 5 sqrt(6) = 15.2.
static void test_fair_tail_is_uniform_from_its_first_decision(void **state) {
    (void)state;
    struct sct_strategy *strategy = fair_with("fair:pct:1", K);
    uint64_t cells[3][TASKS] = {{0}};
    for (uint64_t seed = 0; seed < 20000; seed++) {
        rng_seed(&strategy->rng, seed);
        strategy->ops->begin(strategy);
        unsigned top = pick_among_four(strategy, 1, 0);
        assert_int_equal(pick_among_four(strategy, PREFIX, top), top);
        for (uint32_t i = 0; i < 3; i++)
            cells[i][(pick_among_four(strategy, PREFIX + 1 + i, top) - top) % TASKS]++;
    }
    sct_strategy_free(strategy);
    for (int i = 0; i < 3; i++)
        assert_uniform(cells[i], TASKS);
}

// In the prefix it is the inner strategy, with the same calibration and a generator seeded from the
// outer one's: pct:3 has its change points where it would have them alone.
static void test_fair_prefix_is_the_inner_strategy(void **state) {
    (void)state;
    struct sct_strategy *fair = fair_with("fair:pct:3", K);
    struct sct_strategy *alone = fair_with("pct:3", K);
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct rng rng;
        rng_seed(&rng, seed);
        rng_seed(&fair->rng, seed);
        rng_seed(&alone->rng, rng_next(&rng));
        fair->ops->begin(fair);
        alone->ops->begin(alone);
        for (uint32_t ordinal = 1; ordinal <= PREFIX; ordinal++) {
            unsigned picked = pick_among_four(fair, ordinal, 0);
            assert_int_equal(picked, pick_among_four(alone, ordinal, 0));
        }
    }
    sct_strategy_free(fair);
    sct_strategy_free(alone);
}

// ---- Executions --------------------------------------------------------------------------------

static bool flag;

static void wait_for_flag(void *argument) {
    (void)argument;
    while (!flag)
        step("look");
}

static void set_flag(void *argument) {
    (void)argument;
    step("before");
    flag = true;
}

static void one_spins(void *context) {
    (void)context;
    flag = false;
    start("spinner", wait_for_flag, NULL);
    start("setter", set_flag, NULL);
}

// A task that looks for what another does, over and over: under PCT alone half of the executions,
// 500 +- 5 * 15.8 of 1,000, end only in the fair tail of the engine (after half of the step bound),
// and with a fair tail of its own none does.
static void test_fair_ends_what_ends_under_a_fair_scheduler(void **state) {
    (void)state;
    enum { RUNS = 1000, ENGINE_TAIL = 5000 };
    const struct sct_program program = {.setup = one_spins};
    struct sct_strategy *unfair = fair_with("pct:1", K);
    struct sct_strategy *fair = fair_with("fair:pct:1", K);
    uint64_t late = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        const struct sct_result *result = run_with(unfair, &program, seed);
        assert_passed(result);
        late += result->schedule_count >= ENGINE_TAIL;
        result = run_with(fair, &program, seed);
        assert_passed(result);
        // The setter's two steps after the prefix: not later than 200 times "spinner".
        assert_true(result->schedule_count < PREFIX + 200);
    }
    sct_strategy_free(unfair);
    sct_strategy_free(fair);
    assert_chance(late, RUNS, 1 / 2.0);
}

// ---- Values ------------------------------------------------------------------------------------

static uint32_t next_value;

static uint32_t choose_next(struct sct_strategy *strategy, uint32_t count) {
    (void)strategy;
    return next_value++ % count;
}

static void choose_and_spin(void *argument) {
    (void)argument;
    for (uint32_t i = 0; i < 10 * PREFIX; i++) {
        sct_check(sct_choose(7, "value") == i % 7, "planted", "not the inner strategy's value");
        step("again");
    }
}

static void spin(void *argument) {
    (void)argument;
    for (uint32_t i = 0; i < 10 * PREFIX; i++)
        step("again");
}

static void one_chooses(void *context) {
    (void)context;
    start("chooser", choose_and_spin, NULL);
    start("other", spin, NULL);
}

// Values come from the inner strategy, in the prefix and in the tail: here one that counts.
static void test_fair_takes_values_from_the_inner_strategy(void **state) {
    (void)state;
    const struct sct_program program = {.setup = one_chooses};
    struct sct_strategy *strategy = fair_with("fair:pct:2", K);
    const struct sct_strategy_ops *own = strategy->inner->ops;
    struct sct_strategy_ops counting = *own;
    counting.choose = choose_next;
    strategy->inner->ops = &counting;
    for (uint64_t seed = 0; seed < 20; seed++) {
        next_value = 0;
        assert_passed(run_with(strategy, &program, seed));
        assert_int_equal(next_value, 10 * PREFIX);
    }
    strategy->inner->ops = own;
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fair_starves_nobody_after_the_prefix),
        cmocka_unit_test(test_fair_tail_is_uniform_from_its_first_decision),
        cmocka_unit_test(test_fair_prefix_is_the_inner_strategy),
        ENGINE_TEST(test_fair_ends_what_ends_under_a_fair_scheduler),
        ENGINE_TEST(test_fair_takes_values_from_the_inner_strategy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
