#include "tests/support/chance.h"
#include "tests/support/programs.h"

// ---- Planted bugs ------------------------------------------------------------------------------

// How many of [runs] executions violate, with a correct estimate [k] of the scheduling decisions.
// No execution may have more than [k] of them.
static uint64_t count_violations(const char *spec, void (*setup)(void *), uint32_t k,
                                 uint64_t runs) {
    const struct sct_program program = {.setup = setup};
    struct sct_strategy *strategy = new_strategy(spec);
    strategy->calibration.decisions_max = k;
    uint64_t violations = 0;
    for (uint64_t seed = 0; seed < runs; seed++) {
        const struct sct_result *result = run_with(strategy, &program, seed);
        assert_true(result->outcome == SCT_PASSED || result->outcome == SCT_VIOLATED);
        assert_true(result->schedule_count <= k);
        violations += result->outcome == SCT_VIOLATED;
    }
    sct_strategy_free(strategy);
    return violations;
}

static int started;

static void start_in_order(void *argument) {
    bool is_culprit = argument != NULL;
    sct_check(!is_culprit || started > 0, "planted", "the culprit is first");
    started++;
    step("again");
}

static void first_of_four(void *context) {
    (void)context;
    static int culprit;
    started = 0;
    for (int i = 0; i < 4; i++)
        start("m", start_in_order, i == 2 ? &culprit : NULL);
}

// Depth 1, one ordering constraint: the third of four tasks starts first. n = 4, d = 1: the bound
// is 1/n = 1/4, and the probability is exactly that: 5,000 +- 5 * 61 of 20,000 runs.
static void test_pct_finds_a_bug_of_depth_1(void **state) {
    (void)state;
    enum { RUNS = 20000 };
    uint64_t found = count_violations("pct:1", first_of_four, 10, RUNS);
    assert_chance_at_least(found, RUNS, 1 / 4.0);
    assert_chance(found, RUNS, 1 / 4.0);
}

enum { SEGMENT_POINTS = 9, GAP = 5 };

static int segment; // how far the walker got

static void walk(void *argument) {
    (void)argument;
    for (segment = 1; segment <= SEGMENT_POINTS; segment++)
        step("walk");
}

static void look_into_gap(void *argument) {
    (void)argument;
    sct_check(segment != GAP, "planted", "the gap was hit");
}

static void gap_of_ten(void *context) {
    (void)context;
    segment = 0;
    start("walker", walk, NULL);
    start("looker", look_into_gap, NULL);
}

// Depth 2: the looker runs between two given points of the walker, which has nine. n = 2, k = 10, d
// = 2: the bound is 1/(n k) = 1/20, and the probability is exactly that (the walker has the higher
// priority, 1/2; the change point is the sixth decision, 1/10): 1,000 +- 5 * 31 of 20,000 runs.
static void test_pct_finds_a_bug_of_depth_2(void **state) {
    (void)state;
    enum { RUNS = 20000 };
    uint64_t found = count_violations("pct:2", gap_of_ten, 10, RUNS);
    assert_chance_at_least(found, RUNS, 1 / 20.0);
    assert_chance(found, RUNS, 1 / 20.0);
}

// The planted bug of depth 2 needs its change point: with none PCT never finds it.
static void test_pct_without_change_points_misses_depth_2(void **state) {
    (void)state;
    assert_int_equal(count_violations("pct:1", gap_of_ten, 10, 2000), 0);
}

static int steps_of[2]; // of the outer and the inner task
static bool is_nested;  // the inner one has started in the gap of the outer one

static void be_outer(void *argument) {
    (void)argument;
    for (int i = 1; i <= 4; i++) {
        steps_of[0] = i;
        step("outer");
        bool was_overtaken = is_nested && steps_of[0] == 2 && steps_of[1] == 3;
        sct_check(!was_overtaken, "planted", "the inner task was interrupted in its gap");
    }
}

static void be_inner(void *argument) {
    (void)argument;
    is_nested = steps_of[0] == 2;
    for (int i = 1; i <= 4; i++) {
        steps_of[1] = i;
        step("inner");
    }
}

static void two_gaps(void *context) {
    (void)context;
    steps_of[0] = steps_of[1] = 0;
    is_nested = false;
    start("outer", be_outer, NULL);
    start("inner", be_inner, NULL);
}

// Depth 3: the inner task starts in one gap of the outer one, and the outer one goes on in one gap
// of the inner one. n = 2, k = 9 (five segments each, less the last), d = 3: the bound is 1/(n k^2)
// = 1/162. The probability is 1/2 (outer is higher) * 1/36 (the pair of change points) * 1/2 (the
// second lowers deeper) = 1/144: 347 +- 5 * 18.6 of 50,000 runs.
static void test_pct_finds_a_bug_of_depth_3(void **state) {
    (void)state;
    enum { RUNS = 50000 };
    uint64_t found = count_violations("pct:3", two_gaps, 9, RUNS);
    assert_chance_at_least(found, RUNS, 1 / 162.0);
    assert_chance(found, RUNS, 1 / 144.0);
}

// ---- Children ----------------------------------------------------------------------------------

static bool child_ran;

static void be_child(void *argument) {
    (void)argument;
    child_ran = true;
}

static void be_creator(void *argument) {
    (void)argument;
    sct_task_start(sct_machine_self(), "child", be_child, NULL);
    step("after the start");
    sct_check(!child_ran, "planted", "the child has overtaken its creator");
}

static void creator(void *context) {
    (void)context;
    child_ran = false;
    start("creator", be_creator, NULL);
}

// A child overtakes its creator at once in half of the runs, with any number of change points:
// 2,000 +- 5 * 31.6 of 4,000. (Inserted below the first task it would never: defect (a).)
static void test_pct_lets_a_child_overtake_its_creator(void **state) {
    (void)state;
    enum { RUNS = 4000 };
    static const char *const specs[] = {"pct:1", "pct:2", "pct:3"};
    for (int i = 0; i < 3; i++)
        assert_chance(count_violations(specs[i], creator, 1, RUNS), RUNS, 1 / 2.0);
}

// ---- What counts -------------------------------------------------------------------------------

static void walk_after_delay(void *argument) {
    for (int i = 0; i < 50; i++) {
        step("alone");
        sct_choose(3, "a value");
    }
    sct_task_start(sct_machine_self(), "looker", look_into_gap, NULL);
    walk(argument);
}

// With values in between, which do not count either.
static void walk_and_choose(void *argument) {
    (void)argument;
    for (segment = 1; segment <= SEGMENT_POINTS; segment++) {
        sct_choose(3, "a value");
        step("walk");
    }
}

static void gap_after_delay(void *context) {
    (void)context;
    segment = 0;
    start("walker", walk_after_delay, NULL);
}

static void gap_among_values(void *context) {
    (void)context;
    segment = 0;
    start("walker", walk_and_choose, NULL);
    start("looker", look_into_gap, NULL);
}

// Points at which one task only can run, and values, are no scheduling decisions (defect (c)). The
// walker that first goes 50 points alone has its ten decisions minus the one before its start, so
// the bug is at the fifth of nine: 1/18; with values in between it is 1/20 as ever.
static void test_pct_does_not_count_forced_points_and_values(void **state) {
    (void)state;
    enum { RUNS = 20000 };
    assert_chance(count_violations("pct:2", gap_after_delay, 9, RUNS), RUNS, 1 / 18.0);
    assert_chance(count_violations("pct:2", gap_among_values, 10, RUNS), RUNS, 1 / 20.0);
}

// ---- Change points -----------------------------------------------------------------------------

enum { K_MAX = 32 };

// Asks [strategy] for [k] decisions among 64 new tasks. Each change point hands over to a task not
// seen before, so the set of change points can be told from outside: bit i-1 of the result is the
// ordinal i. A change at the first decision leaves no trace but a change point that is missing.
static uint64_t observe_change_points(struct sct_strategy *strategy, uint32_t k, uint32_t count) {
    strategy->ops->begin(strategy);
    unsigned previous = 0;
    uint64_t changes = 0;
    for (uint32_t ordinal = 1; ordinal <= k; ordinal++) {
        struct sct_schedule_point point = {
            .enabled = SLOTS(UINT64_MAX),
            .count = 64,
            .fresh = SLOTS(ordinal == 1 ? UINT64_MAX : 0),
            .current = previous,
            .ordinal = ordinal,
        };
        unsigned slot = strategy->ops->pick(strategy, &point);
        if (ordinal > 1 && slot != previous)
            changes |= UINT64_C(1) << (ordinal - 1);
        previous = slot;
    }
    return changes | (sct_count_bits(changes) < count ? 1 : 0);
}

static struct sct_strategy *pct_with(const char *spec, uint32_t k) {
    struct sct_strategy *strategy = new_strategy(spec);
    strategy->calibration.decisions_max = k;
    rng_seed(&strategy->rng, 1);
    return strategy;
}

// With one change point the top task of two is lowered at each of 20 decisions equally often: 1,000
// of 20,000 each; chi-square over 20 cells stays below 49.8.
static void test_pct_change_point_is_uniform(void **state) {
    (void)state;
    struct sct_strategy *strategy = pct_with("pct:2", 20);
    uint64_t cells[20] = {0};
    for (int i = 0; i < 20000; i++)
        cells[__builtin_ctzll(observe_change_points(strategy, 20, 1))]++;
    sct_strategy_free(strategy);
    assert_uniform(cells, 20);
}

enum { PAIR_K = 6, PAIRS = 15 };

// The cell of a set of two points below PAIR_K.
static size_t pair_cell(uint64_t set) {
    unsigned low = (unsigned)__builtin_ctzll(set);
    unsigned high = 63 - (unsigned)__builtin_clzll(set);
    return high * (high - 1) / 2 + low;
}

// The peers' shuffle (defect (b)): exchanges each element with any, not with one of those left.
static uint64_t draw_two_of_biased_shuffle(struct rng *rng, uint32_t k) {
    uint32_t points[K_MAX];
    for (uint32_t i = 0; i < k; i++)
        points[i] = i;
    for (uint32_t i = k - 1; i >= 1; i--) {
        uint32_t j = rng_below(rng, k);
        uint32_t moved = points[i];
        points[i] = points[j];
        points[j] = moved;
    }
    return UINT64_C(1) << points[0] | UINT64_C(1) << points[1];
}

// Each of the 15 pairs of 6 decisions is the set of change points equally often: 2,000 of 30,000;
// chi-square over 15 cells stays below 14 + 5 sqrt(28) = 40.5. The peers' shuffle, judged in the
// same way, is far off.
static void test_pct_pairs_of_change_points_are_uniform(void **state) {
    (void)state;
    struct sct_strategy *strategy = pct_with("pct:3", PAIR_K);
    struct rng rng;
    rng_seed(&rng, 1);
    uint64_t ours[PAIRS] = {0}, biased[PAIRS] = {0};
    for (int i = 0; i < 30000; i++) {
        uint64_t set = observe_change_points(strategy, PAIR_K, 2);
        assert_int_equal(sct_count_bits(set), 2);
        ours[pair_cell(set)]++;
        biased[pair_cell(draw_two_of_biased_shuffle(&rng, PAIR_K))]++;
    }
    sct_strategy_free(strategy);
    assert_uniform(ours, PAIRS);
    assert_true(chi_square(biased, PAIRS) > 10 * 40.5);
}

// The first decision is one of two change points among 20 in 10 % of the runs, not in the 43 % of
// the peers' shuffle: 1,000 +- 5 * 30 of 10,000.
static void test_pct_does_not_prefer_the_first_decision(void **state) {
    (void)state;
    enum { RUNS = 10000 };
    struct sct_strategy *strategy = pct_with("pct:3", 20);
    struct rng rng;
    rng_seed(&rng, 1);
    uint64_t ours = 0, biased = 0;
    for (int i = 0; i < RUNS; i++) {
        ours += observe_change_points(strategy, 20, 2) & 1;
        biased += draw_two_of_biased_shuffle(&rng, 20) & 1;
    }
    sct_strategy_free(strategy);
    assert_chance(ours, RUNS, 1 / 10.0);
    assert_chance(biased, RUNS, 0.43);
}

// Change points are distinct: with as many as there are decisions, each decision is one.
static void test_pct_change_points_are_distinct(void **state) {
    (void)state;
    struct sct_strategy *strategy = pct_with("pct:32", 31);
    for (int i = 0; i < 100; i++)
        assert_true(observe_change_points(strategy, 31, 31) == (UINT64_C(1) << 31) - 1);
    sct_strategy_free(strategy);
}

// More change points wanted than decisions expected: all decisions there are, and no more.
static void test_pct_takes_no_more_change_points_than_decisions(void **state) {
    (void)state;
    struct sct_strategy *strategy = pct_with("pct:10", 3);
    for (int i = 0; i < 100; i++)
        assert_true(observe_change_points(strategy, 32, 3) == 7);
    sct_strategy_free(strategy);
}

// Of the two tasks lowered at two change points either one may drop deeper, in half of the runs:
// 5,000 +- 5 * 50 of 10,000.
static void test_pct_lowered_tasks_rank_either_way(void **state) {
    (void)state;
    enum { RUNS = 10000 };
    struct sct_strategy *strategy = pct_with("pct:3", 2);
    uint64_t first_is_higher = 0;
    for (int i = 0; i < RUNS; i++) {
        strategy->ops->begin(strategy);
        // Both decisions are change points, and each answer is the next lower task of three.
        struct sct_schedule_point point = {
            .enabled = SLOTS(7), .count = 3, .fresh = SLOTS(7), .ordinal = 1};
        unsigned second = strategy->ops->pick(strategy, &point);
        point.fresh = SLOTS(0), point.ordinal = 2;
        unsigned third = strategy->ops->pick(strategy, &point);
        unsigned first = 3 - second - third;
        point.enabled = SLOTS(1U << first | 1U << second), point.count = 2, point.ordinal = 3;
        first_is_higher += strategy->ops->pick(strategy, &point) == first;
    }
    sct_strategy_free(strategy);
    assert_chance(first_is_higher, RUNS, 1 / 2.0);
}

// Without change points the priorities of the beginning hold: the task that is first once is first
// whenever it can run, and each of four is it equally often, 2,500 of 10,000.
static void test_pct_priorities_last_and_are_uniform(void **state) {
    (void)state;
    struct sct_strategy *strategy = pct_with("pct:1", 10);
    uint64_t cells[4] = {0};
    for (int i = 0; i < 10000; i++) {
        strategy->ops->begin(strategy);
        struct sct_schedule_point point = {
            .enabled = SLOTS(15), .count = 4, .fresh = SLOTS(15), .ordinal = 1};
        unsigned top = strategy->ops->pick(strategy, &point);
        cells[top]++;
        point.fresh = SLOTS(0);
        for (point.ordinal = 2; point.ordinal < 20; point.ordinal++)
            assert_int_equal(strategy->ops->pick(strategy, &point), top);
    }
    sct_strategy_free(strategy);
    assert_uniform(cells, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_pct_finds_a_bug_of_depth_1),
        ENGINE_TEST(test_pct_finds_a_bug_of_depth_2),
        ENGINE_TEST(test_pct_without_change_points_misses_depth_2),
        ENGINE_TEST(test_pct_finds_a_bug_of_depth_3),
        ENGINE_TEST(test_pct_lets_a_child_overtake_its_creator),
        ENGINE_TEST(test_pct_does_not_count_forced_points_and_values),
        cmocka_unit_test(test_pct_change_point_is_uniform),
        cmocka_unit_test(test_pct_pairs_of_change_points_are_uniform),
        cmocka_unit_test(test_pct_does_not_prefer_the_first_decision),
        cmocka_unit_test(test_pct_change_points_are_distinct),
        cmocka_unit_test(test_pct_takes_no_more_change_points_than_decisions),
        cmocka_unit_test(test_pct_lowered_tasks_rank_either_way),
        cmocka_unit_test(test_pct_priorities_last_and_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
