#include "tests/support/chance.h"
#include "tests/support/programs.h"

static void one_point(void *argument) {
    (void)argument;
    step("only");
}

static void no_point(void *argument) {
    (void)argument;
}

static void three_tasks_of_3(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++)
        start("m", two_points, NULL);
}

static void three_tasks_of_2(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++)
        start("m", one_point, NULL);
}

static void three_tasks_of_1(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++)
        start("m", no_point, NULL);
}

static struct sct_strategy *delay_with(const char *spec, uint32_t k) {
    struct sct_strategy *strategy = new_strategy(spec);
    strategy->calibration.decisions_max = k;
    rng_seed(&strategy->rng, 1);
    return strategy;
}

// An alternative is numbered by how many tasks are passed over for it.
static uint32_t count_delays(const struct sct_result *result) {
    uint32_t delays = 0;
    for (uint32_t i = 0; i < result->decision_count; i++)
        delays += sct_engine_decision(engine, i).answer;
    return delays;
}

// ---- The base schedule -------------------------------------------------------------------------

// With the delay points out of reach (32 among 10^9 decisions; one falls below 10 in none of 100
// executions but with probability 3 * 10^-5) every execution is the one that stays where it is and
// goes on in round-robin order.
static void test_delay_base_schedule_is_round_robin(void **state) {
    (void)state;
    uint64_t base = run_stay(three_tasks_of_3)->fingerprint;
    const struct sct_program program = {.setup = three_tasks_of_3};
    struct sct_strategy *strategy = delay_with("delay:32", 1000000000);
    for (uint64_t seed = 0; seed < 100; seed++)
        assert_true(run_with(strategy, &program, seed)->fingerprint == base);
    sct_strategy_free(strategy);
}

// Round-robin without preemption: the current task while it is enabled, then the next slot.
static void test_delay_base_schedule_goes_on_in_order(void **state) {
    (void)state;
    struct sct_strategy *strategy = delay_with("delay:1", 1000000000);
    strategy->ops->begin(strategy);
    struct sct_schedule_point point = {.enabled = SLOTS(0x2d), .count = 4, .ordinal = 1};
    static const unsigned next[] = {0, 2, 2, 3, 5, 5, 0};
    for (point.current = 0; point.current < 7; point.current++)
        assert_int_equal(strategy->ops->pick(strategy, &point), next[point.current]);
    sct_strategy_free(strategy);
}

// ---- Delays ------------------------------------------------------------------------------------

// No execution has more than D delays, and with room for them (8 decisions) some have all D: one in
// 8!/(8-D)! / 9^D at least, 10 % for D = 5.
static void test_delay_bounds_delays(void **state) {
    (void)state;
    static const char *const specs[] = {"delay:1", "delay:2", "delay:5"};
    const struct sct_program program = {.setup = three_tasks_of_3};
    for (int s = 0; s < 3; s++) {
        struct sct_strategy *strategy = delay_with(specs[s], 8);
        uint32_t most = 0;
        for (uint64_t seed = 0; seed < 3000; seed++) {
            uint32_t delays = count_delays(run_with(strategy, &program, seed));
            assert_true(delays <= strategy->parameter);
            most = delays > most ? delays : most;
        }
        assert_int_equal(most, strategy->parameter);
        sct_strategy_free(strategy);
    }
}

// The one delay of delay:1 is at each of 20 decisions, or at none, equally often: 1,000 of 21,000,
// and chi-square over 21 cells stays below 20 + 5 sqrt(40) = 51.6.
static void test_delay_points_are_uniform(void **state) {
    (void)state;
    enum { K = 20 };
    struct sct_strategy *strategy = delay_with("delay:1", K);
    uint64_t cells[K + 1] = {0};
    for (int i = 0; i < 1000 * (K + 1); i++) {
        strategy->ops->begin(strategy);
        struct sct_schedule_point point = {.enabled = SLOTS(3), .count = 2};
        uint32_t delayed_at = 0, delays = 0;
        for (point.ordinal = 1; point.ordinal <= K + 5; point.ordinal++) {
            if (strategy->ops->pick(strategy, &point) != 0) {
                delayed_at = point.ordinal;
                delays++;
            }
        }
        assert_true(delays <= 1 && delayed_at <= K);
        cells[delayed_at]++;
    }
    sct_strategy_free(strategy);
    assert_uniform(cells, K + 1);
}

// Delays that fall together pass over several tasks: with the only decision of ten tasks, delay:32
// passes over as many as there are points there, modulo ten. At k = 1 these are B(32, 1/2), so each
// task is picked; the least likely residue has a probability of 1/50 at least (100 +- 50 of 5,000).
static void test_delay_points_may_fall_together(void **state) {
    (void)state;
    struct sct_strategy *strategy = delay_with("delay:32", 1);
    uint64_t seen[10] = {0};
    for (int i = 0; i < 5000; i++) {
        strategy->ops->begin(strategy);
        struct sct_schedule_point point = {.enabled = SLOTS(1023), .count = 10, .ordinal = 1};
        seen[strategy->ops->pick(strategy, &point)]++;
    }
    sct_strategy_free(strategy);
    for (int i = 0; i < 10; i++)
        assert_true(seen[i] > 50);
}

// ---- Reach -------------------------------------------------------------------------------------

enum { DECISIONS_MAX = 16, SCHEDULES_MAX = 64 };

// Answers with the first alternatives that are asked for, and counts them.
static uint32_t answers[DECISIONS_MAX], alternatives[DECISIONS_MAX], asked;

static unsigned pick_answer(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    (void)strategy;
    alternatives[asked] = point->count;
    return sct_alternative_slot(point, answers[asked++]);
}

// To the next sequence of answers that has at most [bound] delays, in lexical order.
static bool advance(uint32_t bound) {
    uint32_t delays = 0;
    for (uint32_t i = 0; i < asked; i++)
        delays += answers[i];
    while (asked-- > 0) {
        if (answers[asked] + 1 < alternatives[asked] && delays < bound) {
            answers[asked]++;
            return true;
        }
        delays -= answers[asked];
        answers[asked] = 0;
    }
    return false;
}

// All executions with at most [bound] delays.
static uint32_t enumerate(const struct sct_program *program, uint32_t bound,
                          uint64_t *fingerprints) {
    static const struct sct_strategy_ops ops = {.name = "answers",
                                                .size = sizeof(struct sct_strategy),
                                                .begin = stay_begin,
                                                .pick = pick_answer,
                                                .choose = stay_choose};
    struct sct_strategy strategy = {.ops = &ops};
    memset(answers, 0, sizeof answers);
    uint32_t count = 0;
    do {
        asked = 0;
        fingerprints[count] = run_with(&strategy, program, 0)->fingerprint;
        assert_true(++count < SCHEDULES_MAX);
    } while (advance(bound));
    return count;
}

static void expect_all_reached(void (*setup)(void *), const char *spec, uint32_t k,
                               uint32_t expected) {
    const struct sct_program program = {.setup = setup};
    struct sct_strategy *strategy = delay_with(spec, k);
    uint64_t fingerprints[SCHEDULES_MAX], seen[SCHEDULES_MAX] = {0};
    uint32_t count = enumerate(&program, strategy->parameter, fingerprints);
    assert_int_equal(count, expected);
    for (uint64_t seed = 0; seed < 5000; seed++) {
        const struct sct_result *result = run_with(strategy, &program, seed);
        assert_true(result->schedule_count <= k);
        uint32_t i = 0;
        while (i < count && fingerprints[i] != result->fingerprint)
            i++;
        assert_true(i < count);
        seen[i]++;
    }
    sct_strategy_free(strategy);
    for (uint32_t i = 0; i < count; i++)
        if (seen[i] == 0)
            fail_msg("%s: schedule %u of %u is never reached", spec, i, count);
}

// Every schedule with at most D delays occurs, those with fewer too, also where every execution has
// the same number of decisions. With D points in 0..k the rarest has a probability of (k+1)^-D at
// least, 1/216 for k = 5 and D = 3: 5,000 runs miss one of the schedules with less than 64 e^-23.
// Three tasks of one step have two decisions, of three alternatives and of two: 3 of the 6 orders
// need at most one delay, 5 two and 6 three. Tasks of two steps: the base schedule has four
// decisions, so 1 + 4 need at most one delay; a recursion over the steps left counts 15 and 30.
static void test_delay_reaches_all_schedules_in_its_bound(void **state) {
    (void)state;
    expect_all_reached(three_tasks_of_1, "delay:1", 2, 3);
    expect_all_reached(three_tasks_of_1, "delay:2", 2, 5);
    expect_all_reached(three_tasks_of_1, "delay:3", 2, 6);
    expect_all_reached(three_tasks_of_2, "delay:1", 5, 5);
    expect_all_reached(three_tasks_of_2, "delay:2", 5, 15);
    expect_all_reached(three_tasks_of_2, "delay:3", 5, 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_delay_base_schedule_is_round_robin),
        cmocka_unit_test(test_delay_base_schedule_goes_on_in_order),
        ENGINE_TEST(test_delay_bounds_delays),
        cmocka_unit_test(test_delay_points_are_uniform),
        cmocka_unit_test(test_delay_points_may_fall_together),
        ENGINE_TEST(test_delay_reaches_all_schedules_in_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
