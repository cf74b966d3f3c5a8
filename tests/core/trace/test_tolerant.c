// Tolerant replay of a recording after the program was changed.
#include "tests/support/programs.h"

#include "core/trace/replay.h"
#include "core/trace/tolerant.h"

#include <stdlib.h>

// What is different from the program that was recorded.
static enum change { UNCHANGED, POINT_MORE, POINT_LESS, VALUE_MORE, MACHINE_LESS, FIXED } change;

static int balance;

static void deposit(void *argument) {
    (void)argument;
    if (change != POINT_LESS)
        step("begin");
    if (change == VALUE_MORE)
        sct_choose(2, "new value");
    int amount = 1 + (int)sct_choose(3, "amount");
    int read = balance;
    if (change == POINT_MORE)
        step("new point");
    step("write");
    sct_check(change == FIXED || balance == read, "lost-update", "%d is lost", balance - read);
    balance = read + amount;
    step("end");
}

static void bank(void *context) {
    (void)context;
    balance = 0;
    start("alice", deposit, NULL);
    start("bob", deposit, NULL);
    if (change != MACHINE_LESS)
        start("carol", deposit, NULL);
}

static const struct sct_program program = {.setup = bank};

// The first violation from [seed] on of the unchanged program, as read back from its text.
static struct sct_trace record(uint64_t *seed) {
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_trace trace = {.model = "m", .test = "t", .bug = "none", .strategy = "random"};
    struct error error;
    change = UNCHANGED;
    const struct sct_result *result = run_with(strategy, &program, *seed);
    while (result->outcome != SCT_VIOLATED)
        result = run_with(strategy, &program, ++*seed);
    sct_trace_capture(&trace, engine, result);
    sct_strategy_free(strategy);
    char *text = sct_trace_format(&trace);
    sct_trace_free(&trace);
    if (!sct_trace_parse(text, strlen(text), &trace, &error))
        fail_msg("%s", error.text);
    ++*seed;
    return trace;
}

static const struct sct_result *replay(const struct sct_trace *trace, enum change changed,
                                       struct sct_tolerant *tolerant) {
    change = changed;
    sct_tolerant_init(tolerant, trace);
    const struct sct_result *result = run_with(&tolerant->base, &program, 0);
    sct_tolerant_finish(tolerant, result);
    return result;
}

enum { TRACES = 50 };

// An unchanged program never leaves the recording.
static void test_tolerant_of_an_unchanged_program(void **state) {
    (void)state;
    uint64_t seed = 0;
    for (int i = 0; i < TRACES; i++) {
        struct sct_trace trace = record(&seed);
        struct sct_tolerant tolerant;
        const struct sct_result *result = replay(&trace, UNCHANGED, &tolerant);
        assert_false(tolerant.has_left);
        assert_true(result->fingerprint == trace.fingerprint);
        assert_string_equal(result->violation.message, trace.message);
        sct_trace_free(&trace);
    }
}

// A point or a value more or less: the violation is there still, as a rule (a point that is gone
// may take the race with it), and the place is told where the execution left the recording.
static void test_tolerant_of_small_changes(void **state) {
    (void)state;
    static const enum change changes[] = {POINT_MORE, POINT_LESS, VALUE_MORE};
    for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++) {
        uint64_t seed = 0;
        int reproduced = 0;
        for (int i = 0; i < TRACES; i++) {
            struct sct_trace trace = record(&seed);
            struct sct_tolerant tolerant;
            struct sct_replay strict;
            const struct sct_result *result = replay(&trace, changes[c], &tolerant);
            reproduced += result->outcome == SCT_VIOLATED;
            assert_true(tolerant.has_left);
            assert_true(strlen(tolerant.where.text) > 10);
            sct_replay_init(&strict, &trace);
            assert_int_not_equal(run_with(&strict.base, &program, 0)->outcome, SCT_VIOLATED);
            sct_trace_free(&trace);
        }
        assert_true(reproduced * 4 >= TRACES * 3);
    }
}

// A machine that is gone cannot be followed; the execution ends all the same.
static void test_tolerant_without_a_machine(void **state) {
    (void)state;
    uint64_t seed = 0;
    for (int i = 0; i < TRACES; i++) {
        struct sct_trace trace = record(&seed);
        struct sct_tolerant tolerant;
        const struct sct_result *result = replay(&trace, MACHINE_LESS, &tolerant);
        assert_true(result->outcome == SCT_PASSED || result->outcome == SCT_VIOLATED);
        assert_true(tolerant.has_left);
        sct_trace_free(&trace);
    }
}

static void test_tolerant_of_a_fix(void **state) {
    (void)state;
    uint64_t seed = 0;
    struct sct_trace trace = record(&seed);
    struct sct_tolerant tolerant;
    assert_int_equal(replay(&trace, FIXED, &tolerant)->outcome, SCT_PASSED);
    assert_true(tolerant.has_left); // it went on where the recording ends
    assert_non_null(strstr(tolerant.where.text, "the recording ends here"));
    sct_trace_free(&trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_tolerant_of_an_unchanged_program),
        ENGINE_TEST(test_tolerant_of_small_changes),
        ENGINE_TEST(test_tolerant_without_a_machine),
        ENGINE_TEST(test_tolerant_of_a_fix),
    };
    return cmocka_run_group_tests_name("tolerant", tests, NULL, NULL);
}
