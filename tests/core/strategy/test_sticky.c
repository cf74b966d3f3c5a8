#include "tests/support/chance.h"
#include "tests/support/programs.h"

static struct sct_strategy *sticky(const char *spec) {
    struct sct_strategy *strategy = new_strategy(spec);
    rng_seed(&strategy->rng, 1);
    strategy->ops->begin(strategy);
    return strategy;
}

// Slots 2, 7, 12, ...: [count] of them.
static uint64_t every_fifth_slot(uint32_t count) {
    uint64_t slots = 0;
    for (uint32_t i = 0; i < count; i++)
        slots |= UINT64_C(1) << (2 + 5 * i);
    return slots;
}

// Leaving the current task takes B coins that all fall "switch", and then one of the n-1 others
// among n: 2^-B (n-1)/n. The rarest, sticky:5 of two, is 1/64: 625 +- 5 * 24.8 of 40,000 decisions.
static void test_sticky_switches_with_its_probability(void **state) {
    (void)state;
    enum { DECISIONS = 40000 };
    static const char *const specs[] = {"sticky:1", "sticky:2", "sticky:3", "sticky:5"};
    static const uint32_t counts[] = {2, 3, 10};
    for (int s = 0; s < 4; s++) {
        for (int c = 0; c < 3; c++) {
            struct sct_strategy *strategy = sticky(specs[s]);
            uint32_t n = counts[c];
            struct sct_schedule_point point = {
                .enabled = SLOTS(every_fifth_slot(n)), .count = n, .current = 7, .ordinal = 1};
            uint64_t switches = 0;
            for (int i = 0; i < DECISIONS; i++)
                switches += strategy->ops->pick(strategy, &point) != 7;
            double coins = 1.0 / (double)(1U << strategy->parameter);
            assert_chance(switches, DECISIONS, coins * (n - 1) / n);
            sct_strategy_free(strategy);
        }
    }
}

// Where it goes is uniform among the others: a switch in 3/8 of 40,000 decisions, some 5,000 for
// each of three, and chi-square over 3 cells stays below 2 + 5 sqrt(4) = 12.
static void test_sticky_switches_to_any_other_task(void **state) {
    (void)state;
    struct sct_strategy *strategy = sticky("sticky:1");
    struct sct_schedule_point point = {
        .enabled = SLOTS(every_fifth_slot(4)), .count = 4, .current = 12, .ordinal = 1};
    uint64_t seen[SCT_TASKS_MAX] = {0};
    for (int i = 0; i < 40000; i++)
        seen[strategy->ops->pick(strategy, &point)]++;
    sct_strategy_free(strategy);
    const uint64_t others[] = {seen[2], seen[7], seen[17]};
    assert_int_equal(seen[12] + others[0] + others[1] + others[2], 40000);
    assert_uniform(others, 3);
}

// A current task that is not enabled is left at once, for any of four: 5,000 of 20,000 decisions
// each, and chi-square over 4 cells stays below 3 + 5 sqrt(6) = 15.2. The most sticky is no
// different.
static void test_sticky_leaves_a_disabled_task(void **state) {
    (void)state;
    static const char *const specs[] = {"sticky", "sticky:30"};
    for (int s = 0; s < 2; s++) {
        struct sct_strategy *strategy = sticky(specs[s]);
        struct sct_schedule_point point = {
            .enabled = SLOTS(every_fifth_slot(4)), .count = 4, .current = 3, .ordinal = 1};
        uint64_t seen[SCT_TASKS_MAX] = {0};
        for (int i = 0; i < 20000; i++)
            seen[strategy->ops->pick(strategy, &point)]++;
        sct_strategy_free(strategy);
        const uint64_t cells[] = {seen[2], seen[7], seen[12], seen[17]};
        assert_int_equal(cells[0] + cells[1] + cells[2] + cells[3], 20000);
        assert_uniform(cells, 4);
    }
}

static void twenty_points(void *argument) {
    (void)argument;
    for (int i = 0; i < 20; i++)
        step("again");
}

static void two_tasks(void *context) {
    (void)context;
    start("a", twenty_points, NULL);
    start("b", twenty_points, NULL);
}

// Between two tasks that never wait every decision but the last is about staying (alternative 0) or
// leaving, and with B = 3, the default, it is left with probability 1/16. 2,000 executions have at
// least 20 decisions each; of 40,000 that is 2,500 +- 5 * 48.
static void test_sticky_stays_in_executions(void **state) {
    (void)state;
    const struct sct_program program = {.setup = two_tasks};
    struct sct_strategy *strategy = new_strategy("sticky");
    uint64_t switches = 0, decisions = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        const struct sct_result *result = run_with(strategy, &program, seed);
        assert_true(result->schedule_count >= 20);
        for (uint32_t i = 0; i < 20; i++)
            switches += sct_engine_decision(engine, i).answer != 0;
        decisions += 20;
    }
    sct_strategy_free(strategy);
    assert_chance(switches, decisions, 1 / 16.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sticky_switches_with_its_probability),
        cmocka_unit_test(test_sticky_switches_to_any_other_task),
        cmocka_unit_test(test_sticky_leaves_a_disabled_task),
        ENGINE_TEST(test_sticky_stays_in_executions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
