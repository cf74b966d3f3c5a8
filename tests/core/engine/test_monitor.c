// Liveness: a promise that no fair scheduling brings is a livelock, and nothing else is.
#include "tests/support/chance.h"
#include "tests/support/programs.h"

#include "core/campaign/campaign.h"
#include "core/engine/monitor.h"
#include "core/trace/replay.h"
#include "core/engine/sync.h"

#include <stdlib.h>

enum { STEPS = 1000, TAIL = STEPS / 2 };

static int open_short_engine(void **state) {
    (void)state;
    const struct sct_engine_options options = {.steps_max = STEPS};
    engine = sct_engine_open(&options);
    return 0;
}

#define SHORT_TEST(name) cmocka_unit_test_setup_teardown(name, open_short_engine, close_engine)

static void assert_livelock(const struct sct_result *result, const char *machine,
                            const char *beginning) {
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_LIVELOCK);
    assert_string_equal(result->violation.machine, machine);
    if (strncmp(result->violation.message, beginning, strlen(beginning)) != 0)
        fail_msg("'%s' does not begin with '%s'", result->violation.message, beginning);
}

// ---- Polite retries ----------------------------------------------------------------------------

// Two try-locks that two clients take in opposite order. Whoever fails to get the second backs off,
// too politely: it keeps the first and tries again. If each has its first, no schedule ends it.
static bool locked[2];

static void take_both(void *argument) {
    const int *order = argument;
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "both locks");
    for (int i = 0; i < 2; i++) {
        step("try");
        while (locked[order[i]])
            step("back off");
        locked[order[i]] = true;
    }
    sct_monitor_cold(&monitor);
    step("inside");
    locked[0] = locked[1] = false;
}

static void polite(void *context) {
    (void)context;
    static int forwards[] = {0, 1}, backwards[] = {1, 0};
    locked[0] = locked[1] = false;
    start("left", take_both, forwards);
    start("right", take_both, backwards);
}

static const struct sct_program polite_program = {.setup = polite};

static struct sct_campaign polite_campaign(const char *spec) {
    struct sct_strategy *strategy = new_strategy(spec);
    struct sct_campaign campaign;
    sct_calibrate(engine, &polite_program, "polite", strategy, 1);
    const struct sct_campaign_options options = {.program = &polite_program,
                                                 .strategy = strategy,
                                                 .seed = 1,
                                                 .iterations = 400,
                                                 .keep_going = true};
    sct_campaign_run(engine, &options, &campaign);
    sct_strategy_free(strategy);
    return campaign;
}

// Every strategy meets the livelock, each in more than 1 of 32 executions: sticky, which does most
// rarely, leaves the first task just where it must with probability 1/16, and then stays. In 400
// executions one of that rate is missed with probability (31/32)^400 = 3 * 10^-6. It is one group,
// whoever is blamed and wherever both stand, and no execution is left without a verdict.
static void test_livelock_is_found_and_named_under_every_strategy(void **state) {
    (void)state;
    static const char *const specs[] = {"random", "pct:3", "sticky",    "delay",
                                        "pos",    "urw",   "fair:pct:3"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        struct sct_campaign campaign = polite_campaign(specs[i]);
        assert_true(campaign.violations > 0);
        assert_true(campaign.violations < 400);
        assert_int_equal(campaign.step_limit_hits, 0);
        assert_string_equal(campaign.groups->violation.kind, SCT_KIND_LIVELOCK);
        assert_null(campaign.groups->next);
        assert_int_equal(campaign.groups->count, campaign.violations);
        sct_campaign_free(&campaign);
    }
}

// The length of executions is measured on those that end: pct and delay must hit the first four
// decisions (to each task's first lock), not the thousand of a livelock.
static void test_calibration_leaves_livelocks_out(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("pct:3");
    sct_calibrate(engine, &polite_program, "polite", strategy, 1);
    assert_in_range(strategy->calibration.decisions_max, 4, TAIL);
    sct_strategy_free(strategy);
}

// ---- Who is blamed -----------------------------------------------------------------------------

static struct sct_latch latch;

static void wait_for_worker(void *argument) {
    (void)argument;
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the job to end");
    sct_latch_wait(&latch, "the worker");
    sct_monitor_cold(&monitor);
}

static void try_for_ever(void *argument) {
    (void)argument;
    struct sct_monitor monitor = {0};
    step("start");
    sct_monitor_hot(&monitor, "an answer");
    for (;;)
        step("ask");
}

static void boss_and_worker(void *context) {
    (void)context;
    sct_latch_init(&latch, 1);
    start("boss", wait_for_worker, NULL);
    start("worker", try_for_ever, NULL);
}

// Who goes round in circles is blamed, not who waits for that although it has waited for longer.
// The other, alone, needs no decisions to go on for ever.
static void test_livelock_blames_the_one_that_runs(void **state) {
    (void)state;
    assert_violation(run_stay(boss_and_worker), SCT_KIND_LIVELOCK, "worker",
                     "waits for an answer since decision 1, also through 500 points of fair "
                     "scheduling {at the end: boss waits for the job to end since decision 1; boss "
                     "(main) waits for the worker; worker (main) runs: ask}");
    assert_int_equal(sct_engine_last_result(engine)->decision_count, 1);
}

// ---- Without a promise -------------------------------------------------------------------------

enum { LONG_STEPS = 4000, MARK_EVERY = 400 };
static const struct sct_access reads = {SCT_ACCESS_READ, 1, 0, 0};
static const struct sct_access writes = {SCT_ACCESS_WRITE, 1, 0, 0};
static enum { ONLY_LOOKS, STORES_THE_SAME, WRITES_NOW_AND_THEN, CALCULATES, YIELDS } spinning;

static void spin_as_asked(void *argument) {
    (void)argument;
    for (int i = 1;; i++) {
        sct_point("look", HERE, &reads);
        if (spinning == STORES_THE_SAME) {
            sct_point("store", HERE, &writes);
            sct_changed_nothing();
        } else if (spinning == WRITES_NOW_AND_THEN && i % MARK_EVERY == 0) {
            sct_point("store", HERE, &writes);
        } else if (spinning == CALCULATES) {
            sct_point("calculate", HERE, &sct_access_none);
        } else if (spinning == YIELDS) {
            sct_yield(HERE);
        }
    }
}

static void two_spinners(void *context) {
    (void)context;
    start("left", spin_as_asked, NULL);
    start("right", spin_as_asked, NULL);
}

// Two who only look, or change nothing, go round for ever; who writes, be it now and then, or
// calculates is merely long. A tail of fewer than 1,000 points says nothing.
static void test_spinners_are_seen_without_a_monitor(void **state) {
    (void)state;
    const struct sct_engine_options options = {.steps_max = LONG_STEPS};
    engine = sct_engine_open(&options);
    for (spinning = ONLY_LOOKS; spinning <= YIELDS; spinning++) {
        const struct sct_result *result = run_random(two_spinners, 1);
        if (spinning == WRITES_NOW_AND_THEN || spinning == CALCULATES) {
            assert_int_equal(result->outcome, SCT_STEP_LIMIT);
            continue;
        }
        assert_int_equal(result->outcome, SCT_VIOLATED);
        assert_string_equal(result->violation.kind, SCT_KIND_LIVELOCK);
        assert_non_null(strstr(result->violation.message,
                               "spins: nothing has changed through 2000 points of fair scheduling "
                               "{at the end: left (main) runs: "));
    }
    sct_engine_close(engine);
    spinning = ONLY_LOOKS;
    const struct sct_engine_options shorter = {.steps_max = 1900};
    engine = sct_engine_open(&shorter);
    assert_int_equal(run_random(two_spinners, 1)->outcome, SCT_STEP_LIMIT);
    sct_engine_close(engine);
}

// ---- No livelocks ------------------------------------------------------------------------------

static bool flag;

static void wait_for_flag(void *argument) {
    (void)argument;
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the flag");
    while (!flag)
        step("look");
    sct_monitor_cold(&monitor);
}

static void set_flag(void *argument) {
    (void)argument;
    step("before");
    flag = true;
}

static void spin(void *context) {
    (void)context;
    flag = false;
    start("spinner", wait_for_flag, NULL);
    start("setter", set_flag, NULL);
}

// What only an unfair scheduler starves gets its turn in the tail: two steps of the setter, which
// 500 points do not bring with probability 500 / 2^499. Half of the executions get so far.
static void test_starvation_is_no_livelock(void **state) {
    (void)state;
    const struct sct_program program = {.setup = spin};
    struct sct_strategy *strategy = new_strategy("pct:1");
    uint64_t starved = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const struct sct_result *result = run_with(strategy, &program, seed);
        assert_passed(result);
        starved += result->point_count > STEPS / 2;
    }
    sct_strategy_free(strategy);
    assert_in_range(starved, 421, 579);
    assert_passed(run_stay(spin));
}

static uint32_t calls, steps_of_call;

static void call_again_and_again(void *argument) {
    (void)argument;
    struct sct_monitor monitor = {0};
    for (uint32_t i = 0; i < calls; i++) {
        sct_monitor_hot(&monitor, "a call to return");
        for (uint32_t j = 0; j < steps_of_call; j++)
            step("call");
        sct_monitor_cold(&monitor);
    }
}

static void one_caller(void *context) {
    (void)context;
    start("caller", call_again_and_again, NULL);
}

static const struct sct_result *run_calls(uint32_t count, uint32_t steps) {
    calls = count;
    steps_of_call = steps;
    return run_stay(one_caller);
}

// A long execution is one in which every promise is kept, if late, and there is always another.
static void test_long_execution_is_no_livelock(void **state) {
    (void)state;
    assert_passed(run_calls(1, STEPS - 2)); // and the points of beginning and end
    assert_passed(run_calls((STEPS - 2) / 9, 9));
    assert_int_equal(run_calls(STEPS, 9)->outcome, SCT_STEP_LIMIT);
    // The second call begins before the tail and ends in it; the third begins in it.
    assert_int_equal(run_calls(5, 400)->outcome, SCT_STEP_LIMIT);
    assert_livelock(run_calls(2, 1000), "caller", "waits for a call to return since decision 0");
}

// ---- Loops of one task -------------------------------------------------------------------------

static void choose_for_ever(void *argument) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a six");
    for (;;)
        sct_choose(2, argument);
}

static void chooser(void *context) {
    (void)context;
    start("chooser", choose_for_ever, "coin");
}

static void loop_for_ever(void *argument) {
    (void)argument;
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "an end");
    for (volatile bool on = true; on;)
        continue;
}

static void looper(void *context) {
    (void)context;
    start("looper", loop_for_ever, NULL);
}

// A loop that only draws values is a livelock; one that does nothing of note, a hang.
static void test_endless_loops_within_a_step(void **state) {
    open_catching_engine();
    assert_livelock(run_random(chooser, 1), "chooser", "waits for a six since decision 0, also ");
    const struct sct_result *result = run_random(looper, 1);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_HANG);
    close_engine(state);
}

// ---- Stopped machines, quiescence --------------------------------------------------------------

static struct sct_machine *victim;
static struct sct_monitor monitors[3];

static void promise(void *argument) {
    sct_monitor_hot(argument, "what never comes");
}

static void stop_victim(void *argument) {
    while (!monitors[0].what || !monitors[1].what || !monitors[2].what)
        step("wait");
    sct_machine_stop(victim);
    sct_check(!monitors[0].what && monitors[1].what && !monitors[2].what, "planted",
              "the wrong promises are left");
    if (argument)
        sct_monitor_cold(&monitors[1]);
    sct_monitor_cold(&monitors[0]); // to no effect
}

static void stop_between(void *argument) {
    memset(monitors, 0, sizeof monitors);
    victim = start("victim", promise, &monitors[0]);
    start("other", promise, &monitors[1]);
    sct_task_start(victim, "again", promise, &monitors[2]);
    start("stopper", stop_victim, argument);
}

static void stop_and_keep(void *context) {
    (void)context;
    stop_between("cold");
}

static void stop_and_wait(void *context) {
    (void)context;
    stop_between(NULL);
}

// A stopped machine promises nothing; the promises of others stay, in whatever order they were
// made. One that is open when nothing can run is a deadlock, though nobody is waiting.
static void test_stop_makes_monitors_cold(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        assert_passed(run_random(stop_and_keep, seed));
        assert_violation(run_random(stop_and_wait, seed), SCT_KIND_DEADLOCK, "other",
                         "nothing can run: other waits for what never comes");
    }
}

static void stop_spinner(void *argument) {
    (void)argument;
    step("stop");
    sct_machine_stop(victim);
    for (;;)
        step("again");
}

static void one_stops_the_spinner(void *context) {
    (void)context;
    victim = start("worker", try_for_ever, NULL);
    start("killer", stop_spinner, NULL);
}

// Nor does it livelock, whatever its killer does.
static void test_stopped_machine_has_no_livelock(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++)
        assert_int_equal(run_random(one_stops_the_spinner, seed)->outcome, SCT_STEP_LIMIT);
}

static void promise_twice(void *argument) {
    sct_monitor_hot(argument, "one");
    sct_monitor_hot(argument, "two");
}

static void twice(void *context) {
    (void)context;
    memset(monitors, 0, sizeof monitors);
    start("m", promise_twice, &monitors[0]);
}

static void test_hot_twice_is_refused(void **state) {
    (void)state;
    const struct sct_result *result = run_random(twice, 1);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_ASSERTION);
}

// ---- The tail ----------------------------------------------------------------------------------

static uint32_t asked, drawn;

static unsigned stay_and_count(struct sct_strategy *strategy,
                               const struct sct_schedule_point *point) {
    asked++;
    return stay_pick(strategy, point);
}

static uint32_t draw_first(struct sct_strategy *strategy, uint32_t count) {
    drawn++;
    return stay_choose(strategy, count);
}

static void draw_for_ever(void *argument) {
    (void)argument;
    for (;; step("again"))
        sct_choose(2, "value");
}

static void two_draw(void *context) {
    (void)context;
    start("m", draw_for_ever, NULL);
    start("n", draw_for_ever, NULL);
}

static const struct sct_program two_draw_program = {.setup = two_draw};

// How often a decision (row 0: schedules, row 1: values) had each answer.
static void count_answers(uint32_t from, uint32_t to, uint64_t cells[2][2]) {
    for (uint32_t i = from; i < to; i++) {
        struct sct_decision decision = sct_engine_decision(engine, i);
        cells[decision.kind == SCT_DECISION_VALUE][decision.answer]++;
    }
}

// The strategy answers to half of the step bound (each point here is a decision with a value). Then
// schedules and values are uniform; chi-square over 2 cells stays below 1 + 5 sqrt(2). The tail
// is the execution's own: the same each time, another one for another seed.
static void test_tail_is_a_random_walk_whatever_the_strategy(void **state) {
    (void)state;
    static const struct sct_strategy_ops ops = {.name = "count",
                                                .size = sizeof(struct sct_strategy),
                                                .begin = stay_begin,
                                                .pick = stay_and_count,
                                                .choose = draw_first};
    struct sct_strategy strategy = {.ops = &ops};
    uint64_t before[2][2] = {{0}}, after[2][2] = {{0}}, fingerprints[20];
    asked = drawn = 0;
    for (uint64_t i = 0; i < 40; i++) {
        const struct sct_result *result = run_with(&strategy, &two_draw_program, i / 2);
        assert_int_equal(result->outcome, SCT_STEP_LIMIT);
        count_answers(0, STEPS, before);
        count_answers(STEPS, result->decision_count, after);
        assert_true(i % 2 == 0 || fingerprints[i / 2] == result->fingerprint);
        assert_true(i == 0 || i % 2 == 1 || fingerprints[i / 2 - 1] != result->fingerprint);
        fingerprints[i / 2] = result->fingerprint;
    }
    assert_int_equal(asked, 40 * TAIL);
    assert_int_equal(drawn, 40 * TAIL);
    assert_int_equal(before[0][1] + before[1][1], 0);
    assert_int_equal(after[0][0] + after[0][1], 40 * TAIL);
    assert_uniform(after[0], 2);
    assert_uniform(after[1], 2);
}

static uint64_t polite_fingerprint(const struct sct_engine_options *options, uint64_t seed,
                                   enum sct_outcome *outcome) {
    engine = sct_engine_open(options);
    const struct sct_result *result = run_random(polite, seed);
    uint64_t fingerprint = result->fingerprint;
    *outcome = result->outcome;
    sct_engine_close(engine);
    return fingerprint;
}

// An execution that ends before the tail is the same wherever the tail begins. In a tail of no
// points, or of fewer than options.livelock_points, there is no verdict.
static void test_tail_options(void **state) {
    (void)state;
    const struct sct_engine_options usual = {.steps_max = 100},
                                    early = {.steps_max = 100, .fair_after = 20};
    const struct sct_engine_options late = {.steps_max = 100, .fair_after = 200};
    const struct sct_engine_options just = {.steps_max = 100, .livelock_points = 50};
    const struct sct_engine_options longer = {.steps_max = 100, .livelock_points = 51};
    for (uint64_t seed = 0; seed < 20; seed++) {
        enum sct_outcome outcome, other;
        uint64_t fingerprint = polite_fingerprint(&usual, seed, &outcome);
        bool is_same = polite_fingerprint(&early, seed, &other) == fingerprint;
        assert_int_equal(other, outcome);
        assert_true(is_same == (outcome == SCT_PASSED));
        polite_fingerprint(&just, seed, &other);
        assert_int_equal(other, outcome);
        polite_fingerprint(&longer, seed, &other);
        assert_int_equal(other, outcome == SCT_PASSED ? SCT_PASSED : SCT_STEP_LIMIT);
        polite_fingerprint(&late, seed, &other);
        assert_int_equal(other, outcome == SCT_PASSED ? SCT_PASSED : SCT_STEP_LIMIT);
    }
}

// ---- Replay ------------------------------------------------------------------------------------

#define GOLDEN "tests/core/run/livelock.trace"

enum { GOLDEN_STEPS = 40 };

static int open_golden_engine(void **state) {
    (void)state;
    const struct sct_engine_options options = {.steps_max = GOLDEN_STEPS};
    engine = sct_engine_open(&options);
    return 0;
}

// The text of the first livelock under pct:2.
static char *record_livelock(void) {
    struct sct_strategy *strategy = new_strategy("pct:2");
    strategy->calibration.decisions_max = 4;
    struct sct_trace trace = {.model = "locks",
                              .test = "polite",
                              .bug = "none",
                              .strategy = "pct:2",
                              .calibration = strategy->calibration,
                              .steps_max = GOLDEN_STEPS};
    while (run_with(strategy, &polite_program, trace.seed)->outcome == SCT_PASSED)
        trace.seed++;
    sct_trace_capture(&trace, engine, sct_engine_last_result(engine));
    sct_strategy_free(strategy);
    char *text = sct_trace_format(&trace);
    sct_trace_free(&trace);
    return text;
}

static void assert_replays(struct sct_trace *trace) {
    struct error difference;
    struct sct_replay replay;
    sct_replay_init(&replay, trace);
    const struct sct_result *result = run_with(&replay.base, &polite_program, 99);
    if (!sct_replay_confirms(&replay, result, &difference))
        fail_msg("%s", difference.text);
    assert_livelock(result, trace->machine, "waits for both locks since decision ");
    sct_trace_free(trace);
}

// A livelock is reproduced from its trace alone, tail included.
static void test_replay_of_a_livelock(void **state) {
    (void)state;
    struct sct_trace trace;
    struct error error;
    char *text = record_livelock();
    assert_true(sct_trace_parse(text, strlen(text), &trace, &error));
    assert_replays(&trace);
}

// The recorded trace of an earlier version, too. To record it again (from the root of the project,
// only if you understand why it had to go):
//     MTCHECK_RECORD_TRACES=1 ctest --test-dir build -R core/monitor
static void test_golden_livelock(void **state) {
    (void)state;
    struct sct_trace trace;
    struct error error = {{0}};
    if (getenv("MTCHECK_RECORD_TRACES")) {
        char *text = record_livelock();
        assert_true(sct_trace_write(GOLDEN, text, &error));
        free(text);
    }
    if (!sct_trace_read(GOLDEN, &trace, &error))
        fail_msg("%s", error.text);
    assert_string_equal(trace.kind, SCT_KIND_LIVELOCK);
    assert_int_equal(trace.steps_max, GOLDEN_STEPS);
    assert_replays(&trace);
}

#define GOLDEN_TEST(name) cmocka_unit_test_setup_teardown(name, open_golden_engine, close_engine)

int main(void) {
    const struct CMUnitTest tests[] = {
        SHORT_TEST(test_livelock_is_found_and_named_under_every_strategy),
        SHORT_TEST(test_calibration_leaves_livelocks_out),
        cmocka_unit_test(test_spinners_are_seen_without_a_monitor),
        SHORT_TEST(test_livelock_blames_the_one_that_runs),
        SHORT_TEST(test_starvation_is_no_livelock),
        SHORT_TEST(test_long_execution_is_no_livelock),
        cmocka_unit_test(test_endless_loops_within_a_step),
        SHORT_TEST(test_stop_makes_monitors_cold),
        SHORT_TEST(test_stopped_machine_has_no_livelock),
        SHORT_TEST(test_hot_twice_is_refused),
        SHORT_TEST(test_tail_is_a_random_walk_whatever_the_strategy),
        cmocka_unit_test(test_tail_options),
        GOLDEN_TEST(test_replay_of_a_livelock),
        GOLDEN_TEST(test_golden_livelock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
