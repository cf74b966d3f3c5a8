#include "tests/support/programs.h"

#include "core/trace/replay.h"

// ---- A program that can be changed -------------------------------------------------------------

// What is different from the program that was recorded.
static enum change {
    UNCHANGED,
    ONE_POINT_MORE,
    ONE_TASK_MORE,
    ONE_VALUE_MORE,
    OTHER_VALUE,
    OTHER_MESSAGE,
    OTHER_KIND,
    NO_BUG,
    ENDS_EARLY,
} change;

static int balance;

static void deposit(void *argument) {
    int amount = *(const int *)argument;
    int read = balance;
    sct_choose(change == OTHER_VALUE ? 4 : 3, "delay");
    if (change == ONE_VALUE_MORE)
        sct_choose(2, "new value");
    step("write");
    if (change == ONE_POINT_MORE)
        step("new point");
    balance = read + amount;
    step("end");
}

static int amounts[] = {1, 2};

static void bank(void *context) {
    (void)context;
    balance = 0;
    if (change == ENDS_EARLY)
        sct_violation("lost-update", "the balance is 0");
    for (int i = 0; i < (change == ONE_TASK_MORE ? 3 : 2); i++)
        start("client", deposit, &amounts[i % 2]);
}

static void check_balance(void *context) {
    (void)context;
    const char *subject = change == OTHER_MESSAGE ? "the account" : "the balance";
    const char *kind = change == OTHER_KIND ? "other-kind" : "lost-update";
    sct_check(change == NO_BUG || balance == 3, kind, "%s is %d", subject, balance);
}

static const struct sct_program program = {.setup = bank, .finish = check_balance};

// The first execution with [outcome], recorded; read back from its text if [as_text].
static struct sct_trace record(enum sct_outcome outcome, bool as_text) {
    struct sct_strategy *strategy = new_strategy("random");
    const struct sct_result *result;
    uint64_t seed = 0;
    change = UNCHANGED;
    do
        result = run_with(strategy, &program, seed++);
    while (result->outcome != outcome);
    sct_strategy_free(strategy);
    struct sct_trace trace = {
        .model = "bank", .test = "two", .bug = "none", .strategy = "random", .steps_max = 10000};
    sct_trace_capture(&trace, engine, result);
    if (!as_text)
        return trace;
    char *text = sct_trace_format(&trace);
    sct_trace_free(&trace);
    struct error error;
    if (!sct_trace_parse(text, strlen(text), &trace, &error))
        fail_msg("%s", error.text);
    return trace;
}

static bool replay_confirms(const struct sct_trace *trace, struct error *difference) {
    struct sct_replay replay;
    sct_replay_init(&replay, trace);
    const struct sct_result *result = run_with(&replay.base, &program, 99);
    return sct_replay_confirms(&replay, result, difference);
}

static void assert_confirmed(const struct sct_trace *trace) {
    struct error difference;
    if (!replay_confirms(trace, &difference))
        fail_msg("%s", difference.text);
}

// The difference says the step, what was recorded and what was met: all of [parts].
static void assert_differs(const struct sct_trace *trace, const char *const parts[3]) {
    struct error difference = {{0}};
    if (replay_confirms(trace, &difference))
        fail_msg("a changed program was confirmed");
    for (int i = 0; i < 3; i++)
        if (!strstr(difference.text, parts[i]))
            fail_msg("'%s' does not say '%s'", difference.text, parts[i]);
    assert_null(strchr(difference.text, '\n'));
}

#define ASSERT_DIFFERS(trace, ...) assert_differs((trace), (const char *const[3]){__VA_ARGS__})

// ---- Tests -------------------------------------------------------------------------------------

// A violation, and a pass, found by random search happen again, from memory and from the text.
static void test_replay_confirms_what_was_recorded(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sct_trace trace = record(i % 2 ? SCT_VIOLATED : SCT_PASSED, i / 2);
        assert_confirmed(&trace);
        assert_confirmed(&trace);
        sct_trace_free(&trace);
    }
}

// An execution that was cut off at the step limit is confirmed under the same limit.
static void test_replay_confirms_a_step_limit(void **state) {
    const struct sct_engine_options options = {.steps_max = 50};
    engine = sct_engine_open(&options);
    struct sct_trace trace = {.steps_max = 50};
    sct_trace_capture(&trace, engine, run_random(endless_tasks, 1));
    struct sct_replay replay;
    struct error difference;
    const struct sct_program endless_program = {.setup = endless_tasks};
    sct_replay_init(&replay, &trace);
    const struct sct_result *result = run_with(&replay.base, &endless_program, 0);
    assert_int_equal(result->outcome, SCT_STEP_LIMIT);
    assert_true(sct_replay_confirms(&replay, result, &difference));
    sct_trace_free(&trace);
    close_engine(state);
}

// Where the changed program asks for another number of tasks, another number of values or another
// kind of choice, replay diverges and says at which decision.
static void test_replay_notices_another_question(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, true);
    change = ONE_TASK_MORE;
    ASSERT_DIFFERS(&trace, "decision 0: ", "recorded a schedule choice of 2",
                   "met a schedule choice of 3");
    change = OTHER_VALUE;
    ASSERT_DIFFERS(&trace, "decision 1: ", "recorded a value choice of 3 (client delay)",
                   "met a value choice of 4");
    // As many alternatives, but of another kind.
    change = ONE_VALUE_MORE;
    ASSERT_DIFFERS(&trace, "decision 2: ", "recorded a schedule choice of 2",
                   "met a value choice of 2");
    sct_trace_free(&trace);
}

// The outcome of a diverged replay is its own kind: neither passed nor violated.
static void test_replay_diverges_with_an_outcome_of_its_own(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, true);
    change = OTHER_VALUE;
    struct sct_replay replay;
    sct_replay_init(&replay, &trace);
    assert_int_equal(run_with(&replay.base, &program, 0)->outcome, SCT_DIVERGED);
    // The same replay follows again once the program is what it was.
    change = UNCHANGED;
    struct error difference;
    assert_true(sct_replay_confirms(&replay, run_with(&replay.base, &program, 0), &difference));
    sct_trace_free(&trace);
}

// A program with one more point somewhere is not confirmed, whatever schedule was recorded.
static void test_replay_notices_one_point_more(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, false);
    change = ONE_POINT_MORE;
    struct error difference;
    assert_false(replay_confirms(&trace, &difference));
    assert_non_null(strstr(difference.text, "decision "));
    sct_trace_free(&trace);
}

// A recording that ends before the execution does is told as such.
static void test_replay_notices_a_recording_that_ends_early(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, false);
    trace.decision_count = 1;
    ASSERT_DIFFERS(&trace, "decision 1: ", "the recording ends here", "value choice of 3");
    trace.decision_count = 0;
    ASSERT_DIFFERS(&trace, "decision 0: ", "the recording ends here", "schedule choice of 2");
    sct_trace_free(&trace);
}

// An execution that ends before the recording does is no confirmation, though its violation is the
// recorded one.
static void test_replay_notices_an_execution_that_ends_early(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, false);
    strcpy(trace.message, "the balance is 0");
    change = ENDS_EARLY;
    ASSERT_DIFFERS(&trace, "decision 0: ", "the execution ended", "the recording has ");
    sct_trace_free(&trace);
}

// The same decisions but another message, kind or outcome: no confirmation either.
static void test_replay_notices_another_verdict(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, true);
    change = OTHER_MESSAGE;
    ASSERT_DIFFERS(&trace, "recorded lost-update", trace.message, "the account is ");
    change = OTHER_KIND;
    ASSERT_DIFFERS(&trace, "recorded lost-update", "met other-kind", trace.message);
    change = NO_BUG;
    ASSERT_DIFFERS(&trace, "recorded 'violation'", trace.message, "met 'passed'");
    sct_trace_free(&trace);
}

// A fingerprint that does not belong to the recorded decisions is noticed.
static void test_replay_notices_another_fingerprint(void **state) {
    (void)state;
    struct sct_trace trace = record(SCT_VIOLATED, false);
    trace.fingerprint ^= 1;
    ASSERT_DIFFERS(&trace, "fingerprint", "differs", "recorded");
    sct_trace_free(&trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_replay_confirms_what_was_recorded),
        cmocka_unit_test(test_replay_confirms_a_step_limit),
        ENGINE_TEST(test_replay_notices_another_question),
        ENGINE_TEST(test_replay_diverges_with_an_outcome_of_its_own),
        ENGINE_TEST(test_replay_notices_one_point_more),
        ENGINE_TEST(test_replay_notices_a_recording_that_ends_early),
        ENGINE_TEST(test_replay_notices_an_execution_that_ends_early),
        ENGINE_TEST(test_replay_notices_another_verdict),
        ENGINE_TEST(test_replay_notices_another_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
