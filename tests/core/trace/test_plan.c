#include "tests/support/programs.h"

#include "core/trace/plan.h"

// ---- Plans as data -----------------------------------------------------------------------------

// Values of the askers that the digits say, numbered from left to right.
static struct sct_plan plan_of(const char *askers) {
    static struct sct_plan_value values[64];
    struct sct_plan source = {.values = values,
                              .value_count = (uint32_t)strlen(askers),
                              .value_capacity = 64},
                    plan = {0};
    for (uint32_t i = 0; i < source.value_count; i++)
        values[i] = (struct sct_plan_value){.asker = (uint64_t)(askers[i] - '0'), .answer = i};
    sct_plan_copy(&plan, &source);
    return plan;
}

static void assert_answers(struct sct_plan *plan, const char *answers) {
    assert_int_equal(plan->value_count, strlen(answers));
    for (uint32_t i = 0; i < plan->value_count; i++)
        assert_int_equal(plan->values[i].answer, answers[i] - '0');
    sct_plan_free(plan);
}

static void test_values_are_dropped(void **state) {
    (void)state;
    for (uint32_t first = 0; first <= 5; first++)
        for (uint32_t count = 0; first + count <= 5; count++) {
            struct sct_plan plan = plan_of("11111");
            char expected[6] = "";
            for (uint32_t i = 0; i < 5; i++)
                if (i < first || i >= first + count)
                    strcat(expected, (const char[]){(char)('0' + i), '\0'});
            sct_plan_drop_values(&plan, first, count);
            assert_answers(&plan, expected);
        }
}

// Those of one asker alone, from the first one on, and no more than there are.
static void test_values_of_an_asker_are_dropped(void **state) {
    (void)state;
    static const struct {
        uint32_t first, count;
        const char *left;
    } cases[] = {
        {0, 1, "1234567"}, {0, 2, "134567"}, {0, 9, "1347"},    {1, 2, "024567"},
        {2, 1, "0134567"}, {2, 2, "013467"}, {7, 1, "0123456"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sct_plan plan = plan_of("12122112");
        sct_plan_drop_values_of_asker(&plan, cases[i].first, cases[i].count);
        assert_answers(&plan, cases[i].left);
    }
}

static void test_switches_are_dropped(void **state) {
    (void)state;
    struct sct_plan_switch switches[5];
    struct sct_plan source = {.switches = switches, .switch_count = 5, .switch_capacity = 5},
                    plan = {0};
    memset(switches, 0, sizeof switches);
    for (uint32_t i = 0; i < 5; i++)
        switches[i].step = i;
    sct_plan_copy(&plan, &source);
    sct_plan_drop_switches(&plan, 1, 3);
    assert_int_equal(plan.switch_count, 2);
    assert_int_equal(plan.switches[0].step, 0);
    assert_int_equal(plan.switches[1].step, 4);
    sct_plan_free(&plan);
}

// ---- Following ---------------------------------------------------------------------------------

static void step_and_choose(void *argument) {
    (void)argument;
    for (int i = 0; i < 4; i++) {
        step("step");
        text_add(&story, "%u", sct_choose(3, i % 2 ? "odd" : "even"));
    }
}

static void three_tasks(void *context) {
    (void)context;
    text_add(&story, "%u:", sct_choose(4, "setup"));
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        start(names[i], step_and_choose, NULL);
}

static const struct sct_program program = {.setup = three_tasks};

// What a plan was recorded of happens again when it is followed, and is the same plan.
static void test_what_was_recorded_happens_again(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_follower follower = {.plan = NULL};
    sct_follower_init(&follower);
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sct_plan plan = {0};
        story = text_in(story_buffer, sizeof story_buffer);
        uint64_t fingerprint =
            sct_plan_record(engine, &program, strategy, seed, &plan)->fingerprint;
        follower.plan = &plan;
        assert_true(run_with(&follower.base, &program, 0)->fingerprint == fingerprint);
        assert_int_equal(follower.seen.value_count, plan.value_count);
        assert_int_equal(follower.seen.switch_count, plan.switch_count);
        for (uint32_t i = 0; i < plan.value_count; i++)
            assert_int_equal(follower.seen.values[i].answer, plan.values[i].answer);
        sct_plan_free(&plan);
    }
    sct_follower_free(&follower);
    sct_strategy_free(strategy);
}

// A plan without entries is the default: the first alternative everywhere.
static void test_empty_plan_is_the_default(void **state) {
    (void)state;
    const struct sct_plan plan = {0};
    struct sct_follower follower = {.plan = NULL};
    sct_follower_init(&follower);
    follower.plan = &plan;
    uint64_t fingerprint = run_stay_program(&program)->fingerprint;
    assert_true(run_with(&follower.base, &program, 7)->fingerprint == fingerprint);
    assert_int_equal(follower.seen.switch_count, 0);
    assert_int_equal(follower.preemption_count, 0);
    sct_follower_free(&follower);
}

// Values belong to who asks for what: without the first one of a task its others stay its own.
static void test_values_belong_to_their_asker(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_follower follower = {.plan = NULL};
    char before[64];
    sct_follower_init(&follower);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sct_plan plan = {0};
        story = text_in(story_buffer, sizeof story_buffer);
        sct_plan_record(engine, &program, strategy, seed, &plan);
        strcpy(before, story.data);
        sct_plan_drop_values(&plan, 0, 1); // the one of the setup
        follower.plan = &plan;
        run_with(&follower.base, &program, 0);
        before[0] = '0';
        assert_string_equal(story.data, before);
        sct_plan_free(&plan);
    }
    sct_follower_free(&follower);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_dropped),
        cmocka_unit_test(test_values_of_an_asker_are_dropped),
        cmocka_unit_test(test_switches_are_dropped),
        ENGINE_TEST(test_what_was_recorded_happens_again),
        ENGINE_TEST(test_empty_plan_is_the_default),
        ENGINE_TEST(test_values_belong_to_their_asker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
