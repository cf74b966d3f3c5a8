#include "tests/support/chance.h"
#include "tests/support/programs.h"

struct schedule {
    uint64_t fingerprint;
    double probability; // product of 1 / enabled tasks
    uint64_t seen;
};

enum { SCHEDULES = 20, RUNS = 40000 };

// The product over the last run's decisions.
static double probability_of_run(const struct sct_result *result) {
    double probability = 1;
    for (uint32_t i = 0; i < result->decision_count; i++)
        probability /= sct_engine_decision(engine, i).count;
    return probability;
}

static size_t count_run(struct schedule *schedules, size_t count, const struct sct_result *result) {
    size_t i = 0;
    while (i < count && schedules[i].fingerprint != result->fingerprint)
        i++;
    if (i == SCHEDULES)
        fail_msg("more than %d schedules", SCHEDULES);
    if (i == count)
        schedules[count++] = (struct schedule){result->fingerprint, probability_of_run(result), 0};
    schedules[i].seen++;
    return count;
}

// Two tasks of three segments have C(6,3) = 20 schedules. Each has the product of 1/2 over the
// decisions at which both could run, 1/8 to 1/32; these add up to 1. Over 40,000 runs the rarest is
// expected 1,250 times, and chi-square over 20 cells stays below 19 + 5 sqrt(38) = 49.8.
static void test_random_gives_schedules_their_probabilities(void **state) {
    (void)state;
    const struct sct_program program = {.setup = two_walkers};
    struct sct_strategy *strategy = new_strategy("random");
    struct schedule schedules[SCHEDULES];
    size_t count = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++)
        count = count_run(schedules, count, run_with(strategy, &program, seed));
    sct_strategy_free(strategy);
    double total = 0, statistic = 0;
    for (size_t i = 0; i < count; i++) {
        double expected = RUNS * schedules[i].probability;
        double excess = (double)schedules[i].seen - expected;
        statistic += excess * excess / expected;
        total += schedules[i].probability;
    }
    assert_int_equal(count, SCHEDULES);
    assert_true(fabs(total - 1) < 1e-12);
    assert_true(chi_square_fits(statistic, SCHEDULES));
}

enum { TASKS = 5 };

// Each of five tasks runs first with probability 1/5: 4,000 of 20,000 runs, and chi-square over 5
// cells stays below 4 + 5 sqrt(8) = 18.1.
static void test_random_picks_uniformly_among_the_enabled(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    rng_seed(&strategy->rng, 1);
    strategy->ops->begin(strategy);
    static const unsigned slots[TASKS] = {0, 3, 31, 32, 63};
    struct sct_slots enabled = {.last = 0};
    for (int i = 0; i < TASKS; i++)
        sct_slots_add(&enabled, slots[i]);
    struct sct_schedule_point point = {
        .enabled = &enabled, .count = TASKS, .current = 7, .ordinal = 1};
    uint64_t seen[SCT_TASKS_MAX] = {0}, cells[TASKS];
    for (int i = 0; i < 20000; i++)
        seen[strategy->ops->pick(strategy, &point)]++;
    for (int i = 0; i < TASKS; i++)
        cells[i] = seen[slots[i]];
    sct_strategy_free(strategy);
    assert_int_equal(cells[0] + cells[1] + cells[2] + cells[3] + cells[4], 20000);
    assert_uniform(cells, TASKS);
}

// Each of seven values is chosen with probability 1/7: 4,000 of 28,000, and chi-square over 7 cells
// stays below 6 + 5 sqrt(12) = 23.3. The same under PCT.
static void test_random_chooses_values_uniformly(void **state) {
    (void)state;
    static const char *const specs[] = {"random", "pct"};
    for (int i = 0; i < 2; i++) {
        struct sct_strategy *strategy = new_strategy(specs[i]);
        rng_seed(&strategy->rng, 1);
        strategy->ops->begin(strategy);
        uint64_t cells[7] = {0};
        for (int j = 0; j < 28000; j++) {
            uint32_t value = strategy->ops->choose(strategy, 7);
            assert_true(value < 7);
            cells[value]++;
        }
        sct_strategy_free(strategy);
        assert_uniform(cells, 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_random_gives_schedules_their_probabilities),
        cmocka_unit_test(test_random_picks_uniformly_among_the_enabled),
        cmocka_unit_test(test_random_chooses_values_uniformly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
