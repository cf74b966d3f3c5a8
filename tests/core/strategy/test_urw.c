#include "tests/support/chance.h"
#include "tests/support/programs.h"

#include "core/campaign/campaign.h"

// ---- Uniformity --------------------------------------------------------------------------------

enum { CELLS_MAX = 1260 };

struct cells {
    uint64_t fingerprints[CELLS_MAX];
    uint64_t counts[CELLS_MAX];
    uint32_t count;
};

static void count_run(struct cells *cells, uint32_t cells_max, uint64_t fingerprint) {
    uint32_t i = 0;
    while (i < cells->count && cells->fingerprints[i] != fingerprint)
        i++;
    if (i == cells_max)
        fail_msg("more than %u interleavings", cells_max);
    cells->fingerprints[i] = fingerprint;
    cells->counts[i]++;
    cells->count += i == cells->count;
}

// Chi-square over the [count] interleavings of a program, [per_cell] executions for each.
static double statistic_of(const char *spec, void (*setup)(void *), uint32_t count,
                           uint32_t per_cell) {
    static struct cells cells;
    cells = (struct cells){.count = 0};
    const struct sct_program program = {.setup = setup};
    struct sct_strategy *strategy = new_strategy(spec);
    sct_calibrate(engine, &program, "model/test", strategy, 1);
    for (uint64_t seed = 0; seed < (uint64_t)count * per_cell; seed++)
        count_run(&cells, count, run_with(strategy, &program, seed)->fingerprint);
    sct_strategy_free(strategy);
    return chi_square(cells.counts, count);
}

static void expect_uniform(void (*setup)(void *), uint32_t count, uint32_t per_cell) {
    double statistic = statistic_of("urw", setup, count, per_cell);
    if (!chi_square_fits(statistic, count))
        fail_msg("urw: chi-square %.1f over %u cells", statistic, count);
    statistic = statistic_of("random", setup, count, per_cell);
    if (statistic < 10 * count)
        fail_msg("random: chi-square %.1f over %u cells", statistic, count);
}

// A task of as many steps as its argument says: its start and the points.
static void take_steps(void *argument) {
    for (int i = *(const int *)argument; i > 1; i--)
        step("again");
}

static int two = 2, three = 3, four = 4;

static void of_2_3_and_4_steps(void *context) {
    (void)context;
    start("a", take_steps, &two);
    start("b", take_steps, &three);
    start("c", take_steps, &four);
}

// Three tasks of 2, 3 and 4 steps have 9!/(2! 3! 4!) = 1,260 interleavings. 50 executions for each;
// chi-square over them stays below 1,259 + 5 sqrt(2,518) = 1,510. That of a random walk is more
// than 12,600.
static void test_urw_is_uniform_over_interleavings(void **state) {
    (void)state;
    expect_uniform(of_2_3_and_4_steps, 1260, 50);
}

static void start_child_midway(void *argument) {
    (void)argument;
    step("first");
    sct_task_start(sct_machine_self(), "child", take_steps, &two);
    step("second");
    step("third");
}

static void child_and_other(void *context) {
    (void)context;
    start("parent", start_child_midway, NULL);
    start("other", take_steps, &two);
}

// A parent of four steps starts a child of two in its second one: C(4,2) = 6 orders of the two, and
// C(8,2) = 28 ways to mix these six steps with the two of another task, 168 in all. 200 executions
// for each; chi-square stays below 167 + 5 sqrt(334) = 258.4.
static void test_urw_is_uniform_with_a_child(void **state) {
    (void)state;
    expect_uniform(child_and_other, 168, 200);
}

static void start_grandchild(void *argument) {
    (void)argument;
    step("first");
    sct_task_start(sct_machine_self(), "grandchild", take_steps, &two);
}

static void start_child_of_child(void *argument) {
    (void)argument;
    step("first");
    sct_task_start(sct_machine_self(), "child", start_grandchild, NULL);
}

static void grandchild_and_other(void *context) {
    (void)context;
    start("parent", start_child_of_child, NULL);
    start("other", take_steps, &three);
}

// Parent, child and grandchild of two steps each, started in the last one of their parent: one
// order of these six, so C(9,3) = 84 interleavings with three steps of another task. 200 executions
// for each; chi-square stays below 83 + 5 sqrt(166) = 147.4.
static void test_urw_is_uniform_with_a_grandchild(void **state) {
    (void)state;
    expect_uniform(grandchild_and_other, 84, 200);
}

static void start_child_and_walk(void *argument) {
    (void)argument;
    sct_task_start(sct_machine_self(), "child", take_steps, &three);
    for (int i = 0; i < 5; i++)
        step("again");
}

static void start_successor(void *argument) {
    (void)argument;
    sct_task_start(sct_machine_self(), "successor", start_child_and_walk, NULL);
}

static void child_below_its_parent(void *context) {
    (void)context;
    start("first", start_successor, NULL);
}

// The first task starts a second and ends; its place goes to the child of the second, which so
// comes before its parent in the order of slots. Five steps and three have C(8,3) = 56
// interleavings; 200 executions for each, and chi-square stays below 55 + 5 sqrt(110) = 107.4.
static void test_urw_is_uniform_with_a_child_in_a_lower_slot(void **state) {
    (void)state;
    expect_uniform(child_below_its_parent, 56, 200);
}

// ---- Weights -----------------------------------------------------------------------------------

enum { DECISIONS = 40000 };

// How often each of three tasks, known to the calibration by the signatures 1, 2, ..., is picked
// first when they have taken [steps] so far.
static void count_picks(const struct sct_calibration *calibration, const uint32_t *steps,
                        const struct sct_task_identity *identities, uint64_t *picks) {
    struct sct_strategy *strategy = new_strategy("urw");
    strategy->calibration = *calibration;
    rng_seed(&strategy->rng, 1);
    struct sct_slot slots[3];
    for (int i = 0; i < 3; i++)
        slots[i] = (struct sct_slot){.steps = steps[i], .identity = identities[i]};
    const struct sct_schedule_point point = {
        .enabled = SLOTS(7),
        .count = 3,
        .alive = SLOTS(7),
        .fresh = SLOTS(7),
        .ordinal = 1,
        .slots = slots,
    };
    for (int i = 0; i < DECISIONS; i++) {
        strategy->ops->begin(strategy);
        picks[strategy->ops->pick(strategy, &point)]++;
    }
    sct_strategy_free(strategy);
}

// Eight steps and two, of which none is taken, and a task that was not seen before counts as two:
// 8/12, 2/12 and 2/12 of 40,000, the latter 6,667 +- 5 * 75. Its own children are unknown.
static void test_urw_counts_an_unseen_task_as_the_shortest(void **state) {
    (void)state;
    const struct sct_calibration calibration = {.counts = {{{1, 0}, 8}, {{2, 0}, 2}, {{4, 3}, 100}},
                                                .count_count = 3};
    static const struct sct_task_identity identities[] = {{1, 0}, {2, 0}, {3, 0}};
    static const uint32_t steps[3];
    uint64_t picks[3] = {0};
    count_picks(&calibration, steps, identities, picks);
    assert_chance(picks[0], DECISIONS, 8 / 12.0);
    assert_chance(picks[1], DECISIONS, 2 / 12.0);
    assert_chance(picks[2], DECISIONS, 2 / 12.0);
}

// What is taken is no longer left, but a task that may run has at least one step to do: 8 - 3, 2 -
// 2 and 4 - 9 count as 5, 1 and 1 of 7; 1/7 of 40,000 is 5,714 +- 5 * 70.
static void test_urw_counts_steps_left_and_at_least_one(void **state) {
    (void)state;
    const struct sct_calibration calibration = {.counts = {{{1, 0}, 8}, {{2, 0}, 2}, {{3, 0}, 4}},
                                                .count_count = 3};
    static const struct sct_task_identity identities[] = {{1, 0}, {2, 0}, {3, 0}};
    static const uint32_t steps[] = {3, 2, 9};
    uint64_t picks[3] = {0};
    count_picks(&calibration, steps, identities, picks);
    assert_chance(picks[0], DECISIONS, 5 / 7.0);
    assert_chance(picks[1], DECISIONS, 1 / 7.0);
    assert_chance(picks[2], DECISIONS, 1 / 7.0);
}

// Without any calibration all tasks count as one step: chi-square over 3 cells of 40,000 stays
// below 2 + 5 sqrt(4) = 12.
static void test_urw_without_counts_is_a_random_walk(void **state) {
    (void)state;
    const struct sct_calibration calibration = {.decisions_max = 1};
    static const struct sct_task_identity identities[] = {{1, 0}, {2, 0}, {3, 0}};
    static const uint32_t steps[3];
    uint64_t picks[3] = {0};
    count_picks(&calibration, steps, identities, picks);
    assert_uniform(picks, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_urw_is_uniform_over_interleavings),
        ENGINE_TEST(test_urw_is_uniform_with_a_child),
        ENGINE_TEST(test_urw_is_uniform_with_a_grandchild),
        ENGINE_TEST(test_urw_is_uniform_with_a_child_in_a_lower_slot),
        cmocka_unit_test(test_urw_counts_an_unseen_task_as_the_shortest),
        cmocka_unit_test(test_urw_counts_steps_left_and_at_least_one),
        cmocka_unit_test(test_urw_without_counts_is_a_random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
