#include "tests/support/busy.h"
#include "tests/support/programs.h"

#include "core/campaign/campaign.h"

// ---- Programs ----------------------------------------------------------------------------------

// One execution in four is wrong.
static void be_wrong_at_times(void *argument) {
    two_points(argument);
    uint32_t value = sct_choose(40, "verdict");
    check_verdict(value);
}

static void sometimes_wrong(void *context) {
    (void)context;
    start("a", two_points, NULL);
    start("b", be_wrong_at_times, NULL);
}

static void endless_at_times(void *context) {
    if (sct_choose(4, "endless") == 0)
        endless_tasks(context);
}

static const struct sct_program correct = {.setup = two_walkers};
static const struct sct_program faulty = {.setup = sometimes_wrong};
static const struct sct_program endless = {.setup = endless_at_times};

// ---- Campaigns ---------------------------------------------------------------------------------

static struct sct_campaign_options options_for(const struct sct_program *program,
                                               struct sct_strategy *strategy) {
    return (struct sct_campaign_options){
        .program = program,
        .strategy = strategy,
        .seed = 1,
        .iterations = 100,
        .keep_going = true,
    };
}

static struct sct_campaign run_campaign(const struct sct_campaign_options *options) {
    struct sct_campaign campaign;
    story = text_in(story_buffer, sizeof story_buffer);
    sct_campaign_run(engine, options, &campaign);
    return campaign;
}

// A calibrated strategy.
static struct sct_strategy *calibrated(const char *spec, const struct sct_program *program) {
    struct sct_strategy *strategy = new_strategy(spec);
    sct_calibrate(engine, program, "model/test", strategy, 1);
    return strategy;
}

// Iteration i of a campaign is the execution of its seed, whatever ran before: each one alone gives
// the same counts and the fingerprints add up. The fingerprint of a campaign is the sum of those of
// its parts, in any order and however it is split.
static void test_campaign_iterations_are_independent(void **state) {
    (void)state;
    static const char *const specs[] = {"random", "pct:3"};
    for (int s = 0; s < 2; s++) {
        struct sct_strategy *strategy = calibrated(specs[s], &faulty);
        struct sct_campaign_options options = options_for(&faulty, strategy);
        struct sct_campaign whole = run_campaign(&options);
        uint64_t fingerprint = 0, violations = 0, decisions = 0, points = 0;
        options.iterations = 1;
        for (uint64_t i = 100; i-- > 0;) {
            options.first_iteration = i;
            struct sct_campaign alone = run_campaign(&options);
            fingerprint += alone.fingerprint;
            violations += alone.violations;
            decisions += alone.decisions;
            points += alone.points;
            sct_campaign_free(&alone);
        }
        assert_true(fingerprint == whole.fingerprint);
        assert_int_equal(violations, whole.violations);
        assert_int_equal(decisions, whole.decisions);
        assert_int_equal(points, whole.points);
        sct_campaign_free(&whole);
        sct_strategy_free(strategy);
    }
}

// Iteration i of a campaign is what sct_engine_run does with its seed: the first violation, found
// in a campaign, happens alone too.
static void test_campaign_iteration_can_be_run_alone(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("pct:2", &faulty);
    struct sct_campaign_options options = options_for(&faulty, strategy);
    struct sct_campaign campaign = run_campaign(&options);
    assert_non_null(campaign.groups);
    for (const struct sct_group *group = campaign.groups; group; group = group->next) {
        uint64_t seed = sct_execution_seed(options.seed, group->iteration);
        const struct sct_result *result = run_with(strategy, &faulty, seed);
        assert_violation(result, group->violation.kind, "b", group->violation.message);
        assert_int_equal(result->decision_count, group->decision_count);
    }
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

// The same campaign twice is the same; another seed, strategy or range is another.
static void test_campaign_fingerprint_depends_on_seed_and_strategy(void **state) {
    (void)state;
    struct sct_strategy *random = calibrated("random", &faulty);
    struct sct_strategy *pct = calibrated("pct:3", &faulty);
    struct sct_campaign_options options[5];
    for (int i = 0; i < 5; i++)
        options[i] = options_for(&faulty, random);
    options[2].seed = 2;
    options[3].strategy = pct;
    options[4].first_iteration = 1;
    struct sct_campaign campaigns[5];
    for (int i = 0; i < 5; i++)
        campaigns[i] = run_campaign(&options[i]);
    assert_true(campaigns[1].fingerprint == campaigns[0].fingerprint);
    for (int i = 2; i < 5; i++)
        assert_true(campaigns[i].fingerprint != campaigns[0].fingerprint);
    for (int i = 0; i < 5; i++)
        sct_campaign_free(&campaigns[i]);
    sct_strategy_free(random);
    sct_strategy_free(pct);
}

// Execution seeds do not repeat between neighbouring campaigns: 100 iterations of 100 seeds.
static void test_execution_seeds_do_not_overlap(void **state) {
    (void)state;
    struct sct_seen seen;
    sct_seen_init(&seen);
    for (uint64_t seed = 0; seed < 100; seed++)
        for (uint64_t iteration = 0; iteration < 100; iteration++)
            assert_true(sct_seen_add(&seen, sct_execution_seed(seed, iteration)));
    sct_seen_deinit(&seen);
}

// ---- Stopping ----------------------------------------------------------------------------------

// Without keep_going the campaign ends with its first violation, which is that of the campaign that
// keeps going.
static void test_campaign_stops_at_the_first_violation(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("random", &faulty);
    struct sct_campaign_options options = options_for(&faulty, strategy);
    struct sct_campaign long_one = run_campaign(&options);
    options.keep_going = false;
    struct sct_campaign short_one = run_campaign(&options);
    assert_int_equal(short_one.violations, 1);
    assert_int_equal(short_one.iterations_run, long_one.groups->iteration + 1);
    assert_int_equal(short_one.groups->iteration, long_one.groups->iteration);
    assert_string_equal(short_one.groups->violation.message, long_one.groups->violation.message);
    // Inverse sampling, not a fixed number of runs.
    struct sct_rate rate = sct_rate_until_first(short_one.iterations_run);
    assert_memory_equal(&short_one.rate, &rate, sizeof rate);
    rate = sct_rate_fixed(long_one.violations, 100);
    assert_memory_equal(&long_one.rate, &rate, sizeof rate);
    sct_campaign_free(&long_one);
    sct_campaign_free(&short_one);
    sct_strategy_free(strategy);
}

// Without violations all iterations run.
static void test_campaign_runs_all_iterations(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("random", &correct);
    struct sct_campaign_options options = options_for(&correct, strategy);
    options.keep_going = false;
    options.iterations = 0;
    struct sct_campaign none = run_campaign(&options);
    assert_int_equal(none.iterations_run, 0);
    assert_true(none.rate.low95 <= 0 && none.rate.high95 >= 1);
    options.iterations = 77;
    struct sct_campaign all = run_campaign(&options);
    assert_int_equal(all.iterations_run, 77);
    assert_int_equal(all.violations, 0);
    assert_null(all.groups);
    assert_false(all.was_interrupted);
    sct_strategy_free(strategy);
}

// An unlimited campaign ends soon after its time is over.
static void test_campaign_stops_when_its_time_is_over(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("random", &correct);
    struct sct_campaign_options options = options_for(&correct, strategy);
    options.iterations = SCT_UNLIMITED;
    options.seconds_max = 0.1;
    struct sct_campaign campaign = run_campaign(&options);
    assert_true(campaign.iterations_run > 0);
    assert_true(campaign.elapsed_seconds >= 0.1 && campaign.elapsed_seconds < 5);
    assert_false(campaign.was_interrupted);
    sct_strategy_free(strategy);
}

static volatile sig_atomic_t interrupted;

static void interrupt(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)result;
    *(uint64_t *)context = iteration;
    interrupted = 1;
}

// The flag ends the campaign after the present execution, or before the first.
static void test_campaign_stops_when_interrupted(void **state) {
    (void)state;
    uint64_t last = 0;
    struct sct_strategy *strategy = calibrated("random", &faulty);
    struct sct_campaign_options options = options_for(&faulty, strategy);
    options.interrupted = &interrupted;
    options.on_violation = interrupt;
    options.context = &last;
    interrupted = 0;
    struct sct_campaign campaign = run_campaign(&options);
    assert_true(campaign.was_interrupted);
    assert_int_equal(campaign.iterations_run, last + 1);
    assert_int_equal(campaign.violations, 1);
    sct_campaign_free(&campaign);
    campaign = run_campaign(&options);
    assert_true(campaign.was_interrupted);
    assert_int_equal(campaign.iterations_run, 0);
    sct_strategy_free(strategy);
}

static uint32_t turns_before; // of the long executions, before somebody wants no more

static void go_round(void *argument) {
    (void)argument;
    for (uint32_t turn = 0;; turn++) {
        if (turn == turns_before)
            interrupted = 1;
        be_busy();
        step("turn");
    }
}

static void go_round_for_long(void *context) {
    (void)context;
    start("a", go_round, NULL);
}

// Nearly endless, as a test that fails must end, too: some ten seconds.
enum { LONG_STEPS = SCT_STEPS_LIMIT };

static const struct sct_program lengthy = {.setup = go_round_for_long};

static void open_engine_of_long_executions(void) {
    const struct sct_engine_options engine_options = {
        .steps_max = LONG_STEPS, .fair_after = LONG_STEPS, .catch_signals = true};
    engine = sct_engine_open(&engine_options);
}

// A long execution is left when its time is over or the flag is set, and counts for nothing.
static void test_campaign_leaves_a_long_execution(void **state) {
    open_engine_of_long_executions();
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = options_for(&lengthy, strategy);
    options.interrupted = &interrupted;
    options.repeat_every = 1;
    interrupted = 0;
    turns_before = 1000;
    struct sct_campaign campaign = run_campaign(&options);
    assert_true(campaign.was_interrupted);
    assert_int_equal(campaign.iterations_run, 0);
    assert_int_equal(campaign.fingerprint, 0);
    assert_int_equal(sct_engine_last_result(engine)->outcome, SCT_STOPPED);
    options.interrupted = NULL;
    options.seconds_max = 0.01;
    campaign = run_campaign(&options);
    assert_false(campaign.was_interrupted || campaign.unrepeatable.is_found);
    assert_int_equal(campaign.iterations_run, 0);
    sct_strategy_free(strategy);
    close_engine(state);
}

// Measuring stops as well: the first execution of the first strategy stands for all.
static void test_calibrate_leaves_a_long_execution(void **state) {
    open_engine_of_long_executions();
    struct sct_strategy *portfolio = new_strategy("portfolio");
    sct_engine_stop(engine, &interrupted, 0);
    interrupted = 0;
    turns_before = 1000;
    sct_calibrate(engine, &lengthy, "model/test", portfolio, 1);
    sct_engine_stop(engine, NULL, 0);
    assert_int_equal(sct_engine_last_result(engine)->outcome, SCT_STOPPED);
    for (size_t i = 0; i < sct_strategy_count(portfolio); i++)
        assert_int_equal(sct_strategy_member(portfolio, i)->calibration.tasks_max, 1);
    sct_strategy_free(portfolio);
    close_engine(state);
}

// Executions without a verdict are counted apart and do not end a campaign: one in four of 400, 100
// +- 5 * 8.7.
static void test_campaign_counts_step_limit_hits(void **state) {
    const struct sct_engine_options engine_options = {.steps_max = 100};
    engine = sct_engine_open(&engine_options);
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = options_for(&endless, strategy);
    options.keep_going = false;
    options.iterations = 400;
    struct sct_campaign campaign = run_campaign(&options);
    assert_int_equal(campaign.iterations_run, 400);
    assert_int_equal(campaign.violations, 0);
    assert_in_range(campaign.step_limit_hits, 57, 143);
    sct_strategy_free(strategy);
    close_engine(state);
}

// ---- Groups ------------------------------------------------------------------------------------

static void tell_iteration(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    text_add(&story, "%s%llu: %s", story.length ? "; " : "", (unsigned long long)iteration,
             result->violation.kind);
}

// Violations that differ in values only form one group: here three, told at once when new, ordered
// by their lowest iteration, with counts that add up.
static void test_campaign_groups_violations_by_pattern(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("random", &faulty);
    struct sct_campaign_options options = options_for(&faulty, strategy);
    options.iterations = 1000;
    options.on_violation = tell_iteration;
    struct sct_campaign campaign = run_campaign(&options);
    char buffer[200];
    struct text expected = text_in(buffer, sizeof buffer);
    uint64_t groups = 0, sum = 0, previous = 0;
    for (const struct sct_group *group = campaign.groups; group; group = group->next) {
        assert_true(groups == 0 || group->iteration > previous);
        previous = group->iteration;
        text_add(&expected, "%s%llu: %s", groups ? "; " : "", (unsigned long long)previous,
                 group->violation.kind);
        sum += group->count;
        groups++;
    }
    assert_int_equal(groups, 3);
    assert_int_equal(sum, campaign.violations);
    assert_string_equal(story.data, expected.data);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

// The first group is the first violation: no lower iteration violates.
static void test_campaign_first_group_is_the_lowest_iteration(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("random", &faulty);
    struct sct_campaign_options options = options_for(&faulty, strategy);
    options.first_iteration = 1000;
    struct sct_campaign campaign = run_campaign(&options);
    uint64_t first = campaign.groups->iteration;
    sct_campaign_free(&campaign);
    assert_true(first >= 1000);
    for (uint64_t i = 1000; i <= first; i++) {
        uint64_t seed = sct_execution_seed(options.seed, i);
        enum sct_outcome expected = i == first ? SCT_VIOLATED : SCT_PASSED;
        assert_int_equal(run_with(strategy, &faulty, seed)->outcome, expected);
    }
    sct_strategy_free(strategy);
}

// ---- Behaviours --------------------------------------------------------------------------------

// Two tasks of three segments have C(6,3) = 20 schedules; the rarest has the probability 1/32, so
// 2,000 runs miss one of them with less than 20 (31/32)^2000 < 10^-25.
static void test_campaign_counts_distinct_behaviours(void **state) {
    (void)state;
    struct sct_strategy *strategy = calibrated("random", &correct);
    struct sct_campaign_options options = options_for(&correct, strategy);
    options.iterations = 2000;
    struct sct_campaign campaign = run_campaign(&options);
    assert_int_equal(campaign.distinct_behaviours, 20);
    sct_strategy_free(strategy);
}

// ---- Calibration -------------------------------------------------------------------------------

static struct sct_calibration measure(const struct sct_program *program, const char *name,
                                      struct sct_strategy *strategy, uint64_t seed) {
    sct_calibrate(engine, program, name, strategy, seed);
    return strategy->calibration;
}

// Two tasks of three segments decide at most five times between them; calibration sees that, and
// sees the same every time.
static void test_calibrate_measures_the_program(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("pct:3");
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sct_calibration first = measure(&correct, "model/test", strategy, seed);
        run_random(sometimes_wrong, seed);
        struct sct_calibration second = measure(&correct, "model/test", strategy, seed);
        assert_memory_equal(&first, &second, sizeof first);
        assert_int_equal(first.tasks_max, 2);
        assert_in_range(first.decisions_max, 4, 5);
    }
    sct_strategy_free(strategy);
}

static void step_at_random(void *argument) {
    (void)argument;
    for (uint32_t i = sct_choose(1000, "steps"); i > 0; i--)
        step("step");
}

static void two_of_random_length(void *context) {
    (void)context;
    start("a", step_at_random, NULL);
    start("b", step_at_random, NULL);
}

// What is measured depends on seed, name and strategy, and on nothing else: the longest of 16
// random executions of up to 2,000 steps is hardly ever the same twice.
static void test_calibrate_depends_on_seed_name_and_strategy(void **state) {
    (void)state;
    const struct sct_program program = {.setup = two_of_random_length};
    struct sct_strategy *pct3 = new_strategy("pct:3"), *pct4 = new_strategy("pct:4");
    uint32_t measured[4];
    measured[0] = measure(&program, "m/t", pct3, 1).decisions_max;
    measured[1] = measure(&program, "m/t", pct3, 2).decisions_max;
    measured[2] = measure(&program, "m/u", pct3, 1).decisions_max;
    measured[3] = measure(&program, "m/t", pct4, 1).decisions_max;
    for (int i = 1; i < 4; i++)
        assert_int_not_equal(measured[i], measured[0]);
    assert_int_equal(measure(&program, "m/t", pct3, 1).decisions_max, measured[0]);
    sct_strategy_free(pct3);
    sct_strategy_free(pct4);
}

static void one_task(void *context) {
    (void)context;
    start("a", two_points, NULL);
}

// A program that decides nothing is measured as one decision and its tasks.
static void test_calibrate_measures_at_least_one_decision(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("pct:3");
    const struct sct_program lonely = {.setup = one_task};
    struct sct_calibration calibration = measure(&lonely, "m/t", strategy, 1);
    assert_int_equal(calibration.decisions_max, 1);
    assert_int_equal(calibration.tasks_max, 1);
    sct_strategy_free(strategy);
}

// What the hooks around executions that count have seen.
struct counted {
    uint64_t begun, ended;
    bool is_inside;
};

static void note_before(void *context, uint64_t iteration) {
    struct counted *counted = context;
    counted->is_inside = true;
    counted->begun += iteration;
}

static void note_after(void *context, uint64_t iteration, const struct sct_result *result) {
    struct counted *counted = context;
    (void)result;
    counted->is_inside = false;
    counted->ended += iteration;
}

static struct counted counted;
static uint64_t setups_inside, setups_outside;

static void setup_and_look(void *context) {
    two_walkers(context);
    if (counted.is_inside)
        setups_inside++;
    else
        setups_outside++;
}

// With every execution repeated, half of them and those of the calibration do not count.
static void test_campaign_tells_which_executions_count(void **state) {
    (void)state;
    const struct sct_program program = {.setup = setup_and_look};
    counted = (struct counted){0};
    setups_inside = setups_outside = 0;
    struct sct_strategy *strategy = calibrated("random", &program);
    struct sct_campaign_options options = options_for(&program, strategy);
    options.repeat_every = 1;
    options.before_counted = note_before;
    options.after_counted = note_after;
    options.context = &counted;
    struct sct_campaign campaign = run_campaign(&options);
    assert_int_equal(setups_inside, 100);
    assert_int_equal(setups_outside, 100 + SCT_CALIBRATION_RUNS);
    assert_int_equal(counted.begun, 99 * 100 / 2);
    assert_int_equal(counted.ended, 99 * 100 / 2);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

static unsigned hangs;

static void spin(void *argument) {
    (void)argument;
    step("begin");
    hangs++;
    for (volatile bool goes_on = true; goes_on;) {
    }
}

static void hanging(void *context) {
    (void)context;
    start("a", spin, NULL);
    start("b", spin, NULL);
}

// 2.4: one hang says what all the others would, each of which takes seconds.
static void test_calibrate_waits_for_one_hang(void **state) {
    open_catching_engine();
    const struct sct_program program = {.setup = hanging};
    struct sct_strategy *portfolio = new_strategy("portfolio");
    hangs = 0;
    sct_calibrate(engine, &program, "model/test", portfolio, 1);
    assert_int_equal(hangs, 1);
    for (size_t i = 0; i < sct_strategy_count(portfolio); i++)
        assert_int_equal(sct_strategy_member(portfolio, i)->calibration.tasks_max, 2);
    sct_strategy_free(portfolio);
    close_engine(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_campaign_iterations_are_independent),
        ENGINE_TEST(test_campaign_iteration_can_be_run_alone),
        ENGINE_TEST(test_campaign_fingerprint_depends_on_seed_and_strategy),
        cmocka_unit_test(test_execution_seeds_do_not_overlap),
        ENGINE_TEST(test_campaign_stops_at_the_first_violation),
        ENGINE_TEST(test_campaign_runs_all_iterations),
        ENGINE_TEST(test_campaign_stops_when_its_time_is_over),
        ENGINE_TEST(test_campaign_stops_when_interrupted),
        cmocka_unit_test(test_campaign_leaves_a_long_execution),
        cmocka_unit_test(test_calibrate_leaves_a_long_execution),
        cmocka_unit_test(test_campaign_counts_step_limit_hits),
        ENGINE_TEST(test_campaign_groups_violations_by_pattern),
        ENGINE_TEST(test_campaign_first_group_is_the_lowest_iteration),
        ENGINE_TEST(test_campaign_counts_distinct_behaviours),
        ENGINE_TEST(test_campaign_tells_which_executions_count),
        ENGINE_TEST(test_calibrate_measures_the_program),
        ENGINE_TEST(test_calibrate_depends_on_seed_name_and_strategy),
        ENGINE_TEST(test_calibrate_measures_at_least_one_decision),
        cmocka_unit_test(test_calibrate_waits_for_one_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
