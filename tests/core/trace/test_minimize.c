// Programs with a planted failure whose smallest execution is known.
#define _POSIX_C_SOURCE 200809L // strdup
#include "tests/support/busy.h"
#include "tests/support/programs.h"

#include "core/trace/minimize.h"
#include "core/trace/nearest.h"
#include "core/trace/replay.h"
#include "core/trace/episodes.h"

#include <stdlib.h>

enum { STARTS = 60 };

// ---- Programs ----------------------------------------------------------------------------------

static int shared;

// Loses an update if the other comes between its two steps and its value is 2.
static void writer(void *argument) {
    (void)argument;
    uint32_t calls = 1 + sct_choose(4, "calls");
    for (uint32_t i = 0; i < calls; i++) {
        sct_count_operation();
        sct_choose(5, "noise");
        uint32_t value = sct_choose(3, "value");
        step("read");
        int seen = shared;
        sct_note("reads %d", seen);
        step("write");
        sct_check(value != 2 || shared == seen, "lost-update", "update %d of value %u is lost",
                  seen, value);
        shared = seen + 1;
        sct_note("writes %d", shared);
    }
}

static void start_writers(void *context) {
    (void)context;
    shared = 0;
    start("first", writer, NULL);
    start("second", writer, NULL);
    start("third", writer, NULL);
}

// Fails with one or with all flags, not in between: not monotone.
static void raise_flags(void *context) {
    (void)context;
    uint32_t count = 0;
    for (int i = 0; i < 4; i++)
        count += sct_choose(2, "flag");
    sct_check(count != 1 && count != 4, "flags", "some flags are up");
}

// With the first alternative it fails in another way, with the second it never ends.
static void choose_failure(void *argument) {
    (void)argument;
    uint32_t noise = sct_choose(4, "noise");
    switch (sct_choose(4, "failure")) {
    case 0:
        sct_violation("other", "noise %u", noise);
    case 1:
        for (;;)
            step("again");
    case 2:
        sct_violation("planted", "noise of another pattern");
    default:
        sct_violation("planted", "noise %u", noise);
    }
}

static void start_chooser(void *context) {
    (void)context;
    start("chooser", choose_failure, NULL);
    start("idler", writer, NULL);
}

static bool is_raised;

static void raise_flag(void *argument) {
    (void)argument;
    step("raise");
    is_raised = true;
}

// Without a switch to whoever raises the flag it goes round and round, and fails all the same.
static void wait_for_flag(void *argument) {
    (void)argument;
    for (int i = 0; i < 1000 && !is_raised; i++)
        step("look");
    sct_violation("planted", "at the end");
}

static void start_waiter(void *context) {
    (void)context;
    is_raised = false;
    start("waiter", wait_for_flag, NULL);
    start("raiser", raise_flag, NULL);
}

// ---- Help --------------------------------------------------------------------------------------

// Minimises from the execution of "random" with [seed]. False if that does not fail.
static bool minimize_from(const struct sct_program *program, uint64_t seed,
                          struct sct_minimize_options *options, struct sct_minimum *minimum,
                          char **trace_text) {
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_plan plan = {0};
    options->program = program;
    options->start = strategy;
    options->start_seed = seed;
    options->seed = seed;
    story = text_in(story_buffer, sizeof story_buffer);
    bool is_failing = sct_minimize(engine, options, &plan, minimum);
    if (is_failing && trace_text) {
        struct sct_trace trace = {.model = "m", .test = "t", .bug = "none", .strategy = "random"};
        sct_trace_capture(&trace, engine, sct_engine_last_result(engine));
        *trace_text = sct_trace_format(&trace);
        sct_trace_free(&trace);
    }
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
    return is_failing;
}

static void assert_measures(const struct sct_measures *measures, uint32_t deviations,
                            uint32_t preemptions, uint32_t operations) {
    assert_int_equal(measures->deviations, deviations);
    assert_int_equal(measures->preemptions, preemptions);
    assert_int_equal(measures->operations, operations);
}

// A trace replays strictly to the violation that it states.
static void assert_replays(const struct sct_program *program, const char *text) {
    struct sct_trace trace;
    struct sct_replay replay;
    struct error error;
    assert_true(sct_trace_parse(strdup(text), strlen(text), &trace, &error));
    sct_replay_init(&replay, &trace);
    const struct sct_result *result = run_with(&replay.base, program, 0);
    if (!sct_replay_confirms(&replay, result, &error))
        fail_msg("%s", error.text);
    sct_trace_free(&trace);
}

// Minimises from the first failing start from [seed] on, which is returned.
static uint64_t next_start(const struct sct_program *program, uint64_t seed,
                           struct sct_minimum *minimum, char **text) {
    struct sct_minimize_options options = {0};
    while (!minimize_from(program, seed, &options, minimum, text))
        seed++;
    return seed;
}

// ---- Tests -------------------------------------------------------------------------------------

static const struct sct_program writers = {.setup = start_writers};

// From every failing start: one call of each of two tasks, one preemption, one value, and at most
// one switch more because the stopped task is not the first. Fewer operations or preemptions cannot
// fail: one task alone, or two one after the other, lose no update.
static void test_minimize_finds_the_known_minimum(void **state) {
    (void)state;
    uint64_t seed = 0;
    for (int i = 0; i < STARTS; i++, seed++) {
        struct sct_minimum minimum;
        char *text = NULL;
        seed = next_start(&writers, seed, &minimum, &text);
        assert_in_range(minimum.now.deviations, 2, 3);
        assert_measures(&minimum.now, minimum.now.deviations, 1, 2);
        assert_true(minimum.before.deviations >= 2);
        assert_false(minimum.reached_limit);
        assert_false(minimum.was_interrupted);
        assert_replays(&writers, text);
        free(text);
    }
}

static void test_minimize_makes_nothing_longer(void **state) {
    (void)state;
    const struct sct_program program = {.setup = start_waiter};
    uint64_t seed = 0;
    for (int i = 0; i < STARTS; i++, seed++) {
        struct sct_minimum minimum;
        seed = next_start(&program, seed, &minimum, NULL);
        assert_true(minimum.before.decisions < 1000);
        assert_true(minimum.now.decisions <= minimum.before.decisions);
    }
}

// A failure that comes and goes as answers are given back.
static void test_minimize_is_not_stopped_by_passing_subsets(void **state) {
    (void)state;
    const struct sct_program program = {.setup = raise_flags};
    uint64_t seed = 0;
    for (int i = 0; i < STARTS; i++, seed++) {
        struct sct_minimum minimum;
        seed = next_start(&program, seed, &minimum, NULL);
        assert_measures(&minimum.now, 1, 0, 0);
    }
}

// Another kind, another pattern and the step limit are not the same failure; another number is.
static void test_minimize_keeps_the_failure(void **state) {
    (void)state;
    const struct sct_program program = {.setup = start_chooser};
    int planted = 0;
    for (uint64_t seed = 0; planted < 10; seed++) {
        struct sct_minimum minimum;
        struct sct_minimize_options options = {.tries_max = 2000};
        char *text = NULL;
        if (!minimize_from(&program, seed, &options, &minimum, &text))
            continue;
        bool is_planted = strstr(text, "kind planted\nmachine chooser\nmessage noise 0\n");
        bool is_other = strstr(text, "kind other\nmachine chooser\nmessage noise 0\n");
        bool is_lost = strstr(text, "kind lost-update\n");
        bool is_pattern = strstr(text, "message noise of another pattern\n");
        assert_true(is_planted || is_other || is_lost || is_pattern);
        if (is_planted || is_pattern)
            assert_measures(&minimum.now, 1, 0, 0);
        if (is_other)
            assert_measures(&minimum.now, 0, 0, 0);
        planted += is_planted;
        free(text);
    }
}

static void test_minimize_is_deterministic(void **state) {
    (void)state;
    uint64_t seed = 0;
    for (int i = 0; i < 10; i++, seed++) {
        struct sct_minimum first, second;
        struct sct_minimize_options options = {0};
        char *first_text = NULL, *second_text = NULL;
        seed = next_start(&writers, seed, &first, &first_text);
        assert_true(minimize_from(&writers, seed, &options, &second, &second_text));
        assert_string_equal(first_text, second_text);
        assert_int_equal(first.tries, second.tries);
        free(first_text);
        free(second_text);
    }
}

static volatile sig_atomic_t stop_flag;

static void stop_now(void *context, const struct sct_minimum *minimum) {
    (void)context;
    assert_true(minimum->tries > 0);
    stop_flag = 1;
}

// Stopped before the first try the start itself comes out; later, something that still fails.
static void test_minimize_interrupted_keeps_the_best(void **state) {
    (void)state;
    struct sct_minimum minimum;
    char *text = NULL;
    uint64_t seed = next_start(&writers, 0, &minimum, NULL);
    stop_flag = 1;
    struct sct_minimize_options options = {.interrupted = &stop_flag};
    assert_true(minimize_from(&writers, seed, &options, &minimum, &text));
    assert_true(minimum.was_interrupted);
    assert_memory_equal(&minimum.now, &minimum.before, sizeof minimum.now);
    assert_replays(&writers, text);
    free(text);
    stop_flag = 0;
    options.progress = stop_now;
    assert_true(minimize_from(&writers, seed, &options, &minimum, &text));
    assert_replays(&writers, text);
    free(text);
}

static void test_minimize_respects_the_limit_of_tries(void **state) {
    (void)state;
    struct sct_minimum full, minimum;
    char *text = NULL;
    uint64_t seed = next_start(&writers, 0, &full, NULL);
    for (uint64_t limit = 1; limit <= 40; limit++) {
        struct sct_minimize_options options = {.tries_max = limit};
        assert_true(minimize_from(&writers, seed, &options, &minimum, &text));
        assert_true(minimum.reached_limit);
        assert_int_equal(minimum.tries, limit);
        assert_true(minimum.now.operations <= minimum.before.operations);
        assert_replays(&writers, text);
        free(text);
    }
}

// ---- Long executions ---------------------------------------------------------------------------

enum { LONG_TASKS = 3, LONG_STEPS = 1000 };

static int long_left;
static int long_steps = LONG_STEPS;
static int long_sum, long_total; // updates of the sum are lost, of the total none

static const struct sct_nearest_limits no_limits;

static void long_task(void *argument) {
    (void)argument;
    for (int i = 0; i < long_steps; i++) {
        int seen = long_sum;
        step("step");
        int added = (int)sct_choose(2, i % 2 ? "odd" : "even");
        long_sum = seen + added;
        long_total += added;
    }
    sct_check(--long_left > 0, "planted", "at the end");
}

static void check_sum(void *context) {
    (void)context;
    sct_check(long_sum == long_total, "lost", "an update is lost");
}

static void start_long(void *context) {
    (void)context;
    long_left = LONG_TASKS;
    long_sum = long_total = 0;
    for (int i = 0; i < LONG_TASKS; i++)
        start("task", long_task, NULL);
}

static const struct sct_program long_program = {.setup = start_long};

static void start_losing(void *context) {
    start_long(context);
    long_left++; // the sum alone is wrong
}

static const struct sct_program losing_program = {.setup = start_losing, .finish = check_sum};

// What following takes grows with the execution and the plan, not with their product: some 2 looks
// for an entry and 2 for a decision, where the product would be 10^6.
static void test_plan_is_followed_in_linear_time(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_plan plan = {0};
    struct sct_follower follower;
    sct_follower_init(&follower);
    sct_plan_record(engine, &long_program, strategy, 1, &plan);
    uint32_t entries = plan.value_count + plan.switch_count;
    assert_true(plan.switch_count > 1000);
    // Also where nobody asks for the first values of the plan: they stay untaken.
    for (int i = 0; i < 2; i++) {
        follower.plan = &plan;
        const struct sct_result *result = run_with(&follower.base, &long_program, 0);
        assert_int_equal(result->outcome, SCT_VIOLATED);
        assert_true(follower.looks < 8 * (uint64_t)(entries + result->decision_count));
        for (uint32_t j = 0; j < 100; j++)
            plan.values[j].question++;
    }
    sct_follower_free(&follower);
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
}

// After its limit a minimisation of thousands of entries does not go through all that it would have
// tried, which are millions of pairs: the loops that are under way, one in the other, end.
static void test_minimize_ends_with_its_limit(void **state) {
    (void)state;
    struct sct_minimum minimum;
    for (uint64_t limit = 1; limit < 200; limit += 50) {
        struct sct_minimize_options options = {.tries_max = limit};
        assert_true(minimize_from(&long_program, 1, &options, &minimum, NULL));
        assert_true(minimum.reached_limit);
        assert_in_range(minimum.looks, limit, limit + 100);
    }
}

// One update is lost of 90 or of 2,880: the tries, each of which takes as long as the execution,
// are hardly more. That many values are the default, and which of those are left out, makes none.
static void test_minimize_tries_grow_slowly(void **state) {
    (void)state;
    uint64_t few = 0;
    for (long_steps = 30; long_steps <= 960; long_steps *= 2) {
        struct sct_minimum minimum;
        struct sct_minimize_options options = {0};
        assert_true(minimize_from(&losing_program, 1, &options, &minimum, NULL));
        assert_false(minimum.reached_limit);
        assert_true(minimum.now.deviations <= 3);
        if (long_steps == 30)
            few = minimum.tries;
        assert_in_range(minimum.tries, 1, 4 * few);
    }
    long_steps = LONG_STEPS;
}

// ---- Tries that are long -----------------------------------------------------------------------

// Nearly endless, as a test that fails must end, too: some seconds.
enum { ENDLESS_STEPS = SCT_STEPS_LIMIT, ENDLESS_TURNS = ENDLESS_STEPS / 2 };

static bool has_gone_round; // to the end
static bool is_always_long;

// With the default it goes round, and somebody wants no more meanwhile; else it fails at once.
static void fail_or_go_round(void *argument) {
    (void)argument;
    bool is_long = sct_choose(2, "way") == 0 || is_always_long;
    for (int turn = 0; is_long && turn < ENDLESS_TURNS; turn++) {
        if (turn == 1000)
            stop_flag = 1;
        be_busy();
        step("turn");
    }
    has_gone_round |= is_long;
    sct_violation(is_long ? "other" : "planted", "at the end");
}

static void start_fail_or_go_round(void *context) {
    (void)context;
    start("task", fail_or_go_round, NULL);
}

static const struct sct_program rounds = {.setup = start_fail_or_go_round};

static void open_engine_of_long_executions(void) {
    const struct sct_engine_options engine_options = {
        .steps_max = ENDLESS_STEPS, .fair_after = ENDLESS_STEPS, .catch_signals = true};
    engine = sct_engine_open(&engine_options);
    stop_flag = has_gone_round = is_always_long = false;
}

// A try is left when the time is over or somebody wants no more: the failure stays as it was.
static void test_minimize_leaves_a_long_try(void **state) {
    open_engine_of_long_executions();
    struct sct_minimum minimum;
    struct sct_minimize_options by_time = {.seconds_max = 0.01};
    uint64_t seed = 0;
    while (!minimize_from(&rounds, seed, &by_time, &minimum, NULL))
        seed++;
    assert_true(minimum.reached_limit && !minimum.was_interrupted && !has_gone_round);
    assert_int_equal(minimum.now.deviations, 1);
    stop_flag = 0;
    struct sct_minimize_options by_wish = {.interrupted = &stop_flag};
    assert_true(minimize_from(&rounds, seed, &by_wish, &minimum, NULL));
    assert_true(minimum.was_interrupted && !has_gone_round);
    assert_int_equal(sct_engine_last_result(engine)->outcome, SCT_VIOLATED);
    stop_flag = 0;
    is_always_long = true;
    assert_false(minimize_from(&rounds, seed, &by_wish, &minimum, NULL));
    assert_true(minimum.was_interrupted && !has_gone_round);
    stop_flag = 0;
    close_engine(state);
}

static void test_nearest_leaves_a_long_try(void **state) {
    open_engine_of_long_executions();
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_plan plan = {0};
    uint64_t seed = 0;
    do {
        stop_flag = 0;
        sct_engine_stop(engine, &stop_flag, 0);
    } while (sct_plan_record(engine, &rounds, strategy, seed++, &plan)->outcome != SCT_VIOLATED);
    sct_engine_stop(engine, NULL, 0);
    const struct sct_nearest_limits limits = {.interrupted = &stop_flag};
    struct sct_nearest nearest = sct_nearest_find(engine, &rounds, &plan, &limits);
    assert_true(nearest.was_interrupted && !nearest.is_found && !has_gone_round);
    assert_int_equal(nearest.tries, 1);
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
    stop_flag = 0;
    close_engine(state);
}

static void test_nearest_can_be_interrupted(void **state) {
    (void)state;
    static const volatile sig_atomic_t interrupted = 1;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_plan plan = {0};
    sct_plan_record(engine, &long_program, strategy, 1, &plan);
    const struct sct_nearest_limits limits = {.interrupted = &interrupted};
    struct sct_nearest nearest = sct_nearest_find(engine, &long_program, &plan, &limits);
    assert_true(nearest.was_interrupted);
    assert_int_equal(nearest.tries, 0);
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
}

static void test_nearest_ends_with_its_limit(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_plan plan = {0};
    sct_plan_record(engine, &long_program, strategy, 1, &plan);
    struct sct_nearest nearest = sct_nearest_find(
        engine, &long_program, &plan, &(struct sct_nearest_limits){.seconds_max = 1e-9});
    assert_true(nearest.reached_limit);
    assert_false(nearest.is_found);
    assert_true(nearest.tries <= 1);
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
}

static void test_minimize_refuses_a_start_that_passes(void **state) {
    (void)state;
    struct sct_minimum minimum;
    struct sct_plan plan = {0};
    struct sct_strategy *strategy = new_strategy("delay:1");
    const struct sct_program passing = {.setup = start_writers};
    uint64_t seed = 0;
    while (run_with(strategy, &passing, seed)->outcome != SCT_PASSED)
        seed++;
    struct sct_replay replay;
    struct sct_trace trace = {.model = "m", .test = "t", .bug = "none", .strategy = "delay"};
    sct_trace_capture(&trace, engine, sct_engine_last_result(engine));
    sct_replay_init(&replay, &trace);
    struct sct_minimize_options options = {.program = &passing, .start = &replay.base};
    assert_false(sct_minimize(engine, &options, &plan, &minimum));
    sct_trace_free(&trace);
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
}

// ---- Plans -------------------------------------------------------------------------------------

// What was recorded as a plan and is followed is the same execution.
static void test_plan_repeats_any_execution(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_plan plan = {0};
    struct sct_follower follower;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint64_t fingerprint =
            sct_plan_record(engine, &writers, strategy, seed, &plan)->fingerprint;
        sct_follower_init(&follower);
        follower.plan = &plan;
        assert_true(sct_engine_run(engine, &writers, &follower.base, 0)->fingerprint ==
                    fingerprint);
        sct_follower_free(&follower);
    }
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
}

// An empty plan is the default execution.
static void test_empty_plan_stays(void **state) {
    (void)state;
    const struct sct_plan plan = {0};
    struct sct_follower follower;
    uint64_t fingerprint = run_stay(start_writers)->fingerprint;
    sct_follower_init(&follower);
    follower.plan = &plan;
    assert_true(sct_engine_run(engine, &writers, &follower.base, 0)->fingerprint == fingerprint);
    assert_int_equal(follower.seen.switch_count, 0);
    assert_int_equal(follower.preemption_count, 0);
    sct_follower_free(&follower);
}

// ---- Explaining --------------------------------------------------------------------------------

static void minimal_plan(struct sct_plan *plan) {
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_minimize_options options = {.program = &writers, .start = strategy};
    struct sct_minimum minimum;
    while (!sct_minimize(engine, &options, plan, &minimum))
        options.start_seed++;
    sct_strategy_free(strategy);
}

// The story of the smallest lost update: somebody reads, is stopped before it writes, somebody else
// reads and writes.
static void test_story_of_the_minimum(void **state) {
    (void)state;
    struct sct_plan plan = {0};
    struct sct_episodes told;
    minimal_plan(&plan);
    sct_episodes_tell(engine, &writers, &plan, NULL, &told);
    assert_string_equal(told.violation.kind, "lost-update");
    assert_int_equal(told.episode_count, 2);
    assert_true(told.episodes[0].is_stopped);
    assert_string_equal(told.episodes[0].stopped_before, "write");
    assert_string_equal(told.notes[told.episodes[0].first_note].line, "reads 0");
    assert_false(told.episodes[1].is_stopped);
    assert_int_equal(told.episodes[1].note_count, 2);
    assert_string_equal(told.notes[told.episodes[1].first_note + 1].line, "writes 1");
    assert_null(sct_episodes_next_note(&told, 0));
    sct_episodes_free(&told);
    sct_plan_free(&plan);
}

// Given back its preemption it passes, and that is the nearest that does.
static void test_nearest_passing_execution(void **state) {
    (void)state;
    struct sct_plan plan = {0};
    minimal_plan(&plan);
    struct sct_nearest nearest = sct_nearest_find(engine, &writers, &plan, &no_limits);
    assert_true(nearest.is_found);
    assert_true(nearest.is_switch);
    assert_false(nearest.reached_limit);
    assert_true(plan.switches[nearest.index].is_preemption);
    assert_int_equal(sct_engine_last_result(engine)->outcome, SCT_PASSED);
    sct_plan_free(&plan);
}

static void always_fail(void *context) {
    (void)context;
    sct_choose(3, "noise");
    sct_violation("planted", "always");
}

// Where only a value decides, it is named; where everything fails, nothing is.
static void test_nearest_names_a_value_or_nothing(void **state) {
    (void)state;
    struct sct_plan plan = {0};
    struct sct_strategy *strategy = new_strategy("random");
    const struct sct_program flags = {.setup = raise_flags}, always = {.setup = always_fail};
    struct sct_minimize_options options = {.program = &flags, .start = strategy};
    struct sct_minimum minimum;
    while (!sct_minimize(engine, &options, &plan, &minimum))
        options.start_seed++;
    struct sct_nearest nearest = sct_nearest_find(engine, &flags, &plan, &no_limits);
    assert_true(nearest.is_found);
    assert_false(nearest.is_switch);
    assert_int_equal(plan.values[nearest.index].answer, 1);
    assert_int_equal(plan.values[nearest.index].count, 2);
    sct_plan_record(engine, &always, strategy, 1, &plan);
    assert_false(sct_nearest_find(engine, &always, &plan, &no_limits).is_found);
    sct_plan_free(&plan);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_minimize_finds_the_known_minimum),
        ENGINE_TEST(test_minimize_makes_nothing_longer),
        ENGINE_TEST(test_minimize_is_not_stopped_by_passing_subsets),
        ENGINE_TEST(test_minimize_keeps_the_failure),
        ENGINE_TEST(test_minimize_is_deterministic),
        ENGINE_TEST(test_minimize_interrupted_keeps_the_best),
        ENGINE_TEST(test_minimize_respects_the_limit_of_tries),
        ENGINE_TEST(test_minimize_refuses_a_start_that_passes),
        ENGINE_TEST(test_plan_is_followed_in_linear_time),
        ENGINE_TEST(test_minimize_ends_with_its_limit),
        ENGINE_TEST(test_minimize_tries_grow_slowly),
        cmocka_unit_test(test_minimize_leaves_a_long_try),
        cmocka_unit_test(test_nearest_leaves_a_long_try),
        ENGINE_TEST(test_nearest_can_be_interrupted),
        ENGINE_TEST(test_nearest_ends_with_its_limit),
        ENGINE_TEST(test_plan_repeats_any_execution),
        ENGINE_TEST(test_empty_plan_stays),
        ENGINE_TEST(test_story_of_the_minimum),
        ENGINE_TEST(test_nearest_passing_execution),
        ENGINE_TEST(test_nearest_names_a_value_or_nothing),
    };
    return cmocka_run_group_tests_name("minimize", tests, NULL, NULL);
}
