#define _GNU_SOURCE // sigaction
#include "core/engine/inside.h"
#include "tests/support/programs.h"

#include <signal.h>
#include <stdlib.h>

// ---- Programs ----------------------------------------------------------------------------------

static void three_steps(void *argument) {
    (void)argument;
    for (int i = 0; i < 3; i++)
        step("step");
    text_add(&story, "%s%u", sct_machine_name(sct_machine_self()), sct_choose(10, "a digit"));
}

static void two_tasks(void *context) {
    (void)context;
    start("a", three_steps, NULL);
    start("b", three_steps, NULL);
}

static void (*misdeed)(void); // of the present test

static void misbehave(void *argument) {
    (void)argument;
    step("before");
    misdeed();
}

static void misbehaving_task(void *context) {
    two_tasks(context);
    start("culprit", misbehave, NULL);
}

static void misbehave_in_phase(void *context) {
    (void)context;
    misdeed();
}

static void assert_goes_on(void) {
    for (uint64_t seed = 0; seed < 3; seed++) {
        assert_passed(run_random(two_tasks, seed));
        assert_int_equal(story.length, 4);
    }
}

// The misdeed of a machine ends its execution with this violation, every time; others are not
// affected.
static void assert_found(void (*deed)(void), const char *kind, const char *message) {
    misdeed = deed;
    for (uint64_t seed = 0; seed < 3; seed++) {
        assert_violation(run_random(misbehaving_task, seed), kind, "culprit", message);
        assert_goes_on();
    }
}

// ---- Outcomes ----------------------------------------------------------------------------------

static bool has_finished;

static void note_finish(void *context) {
    (void)context;
    has_finished = true;
}

static void wait_for_ever(void *argument) {
    (void)argument;
    sct_park("what nobody gives");
}

static void end_after_a_step(void *argument) {
    (void)argument;
    step("last");
    sct_end();
}

static void end_itself(void *context) {
    (void)context;
    start("waiter", wait_for_ever, NULL);
    start("end", end_after_a_step, NULL);
}

// Who ends the execution leaves others waiting, which is no deadlock then, and the end is checked.
static void test_end_passes_whatever_is_unfinished(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        has_finished = false;
        const struct sct_program program = {.setup = end_itself, .finish = note_finish};
        struct sct_strategy *strategy = new_strategy("random");
        assert_passed(run_with(strategy, &program, seed));
        sct_strategy_free(strategy);
        assert_true(has_finished);
        assert_goes_on();
    }
}

static void block_after_a_step(void *argument) {
    (void)argument;
    step("last");
    sct_block();
}

static void take_a_step(void *argument) {
    (void)argument;
    step("one");
    sct_check(false, "wrong", "after a step");
}

static void block(void *context) {
    (void)context;
    start("waiter", wait_for_ever, NULL);
    start("block", block_after_a_step, NULL);
}

static void block_beside_another(void *context) {
    block(context);
    start("other", take_a_step, NULL);
}

// Who never goes on leaves others waiting, which is no deadlock, and nothing to check at the end;
// what others do is seen.
static void test_block_passes_where_nothing_else_can_run(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        has_finished = false;
        const struct sct_program program = {.setup = block, .finish = note_finish};
        const struct sct_program beside = {.setup = block_beside_another};
        struct sct_strategy *strategy = new_strategy("random");
        assert_passed(run_with(strategy, &program, seed));
        assert_false(has_finished);
        assert_string_equal(run_with(strategy, &beside, seed)->violation.kind, "wrong");
        sct_strategy_free(strategy);
        assert_goes_on();
    }
}

// Two tasks of three points each pass, and the result counts what happened.
static void test_run_passes_and_counts(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(two_tasks);
    assert_passed(result);
    assert_ptr_equal(sct_engine_last_result(engine), result);
    assert_string_equal(story.data, "a0b0");
    assert_int_equal(result->task_count, 2);
    // a's start and its three points; b is alone afterwards.
    assert_int_equal(result->schedule_count, 4);
    assert_int_equal(result->decision_count, 4 + 2);
    // Setup, three points and the end of each task.
    assert_int_equal(result->point_count, 1 + 4 + 4);
}

static void no_tasks(void *context) {
    (void)context;
}

// A program without tasks passes without a decision.
static void test_run_passes_without_tasks(void **state) {
    (void)state;
    const struct sct_result *result = run_random(no_tasks, 1);
    assert_passed(result);
    assert_int_equal(result->decision_count, 0);
}

static void violate(void) {
    sct_check(1 + 1 == 2, "never", "arithmetic");
    sct_violation("wrong-answer", "got %d,\nnot '%s'", 41, "42");
}

// A failed check is a violation of its kind; its message is one line.
static void test_run_reports_a_failed_check(void **state) {
    (void)state;
    assert_found(violate, "wrong-answer", "got 41, not '42'");
}

static void violate_silently(void) {
    sct_violation("wrong-answer", "%s", "");
}

// A violation has a message, whatever the system under test says.
static void test_run_replaces_an_empty_message(void **state) {
    (void)state;
    assert_found(violate_silently, "wrong-answer", "(no message)");
}

static void violate_at_length(void) {
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    sct_violation("wrong-answer", "%s", text);
}

// An overlong message is cut to what a violation can hold.
static void test_run_cuts_a_long_message(void **state) {
    (void)state;
    misdeed = violate_at_length;
    const struct sct_result *result = run_random(misbehaving_task, 1);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_int_equal(strlen(result->violation.message), sizeof result->violation.message - 1);
}

static void fail_assertion(void) {
    ASSERT(story.length > 4000);
}

// A failed assertion anywhere is a violation that tells its place.
static void test_run_reports_a_failed_assertion(void **state) {
    (void)state;
    assert_found(fail_assertion, SCT_KIND_ASSERTION, "assertion failed: story.length > 4000");
    const struct sct_result *result = run_random(misbehaving_task, 1);
    assert_non_null(strstr(result->violation.where, "tests/core/engine/test_execution.c:"));
}

static void break_contract(void) {
    REQUIRE(story.length > 4000, "the story is too short: %d", 7);
}

// A broken contract is a violation of its own kind.
static void test_run_reports_a_program_error(void **state) {
    (void)state;
    assert_found(break_contract, SCT_KIND_PROGRAM_ERROR, "the story is too short: 7");
}

static void exhaust_arena(void) {
    for (;;)
        arena_alloc(sct_arena(), 1 << 20);
}

// A full arena is out of memory, and empty again in the next execution.
static void test_run_reports_a_full_arena(void **state) {
    (void)state;
    misdeed = exhaust_arena;
    const struct sct_result *result = run_random(misbehaving_task, 1);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_OUT_OF_MEMORY);
    assert_goes_on();
}

// ---- Faults ------------------------------------------------------------------------------------

static volatile uintptr_t bad_address = 16;

static void write_wildly(void) {
    *(volatile int *)bad_address = 1;
}

static void abort_itself(void) {
    abort();
}

static void raise_fpe(void) {
    raise(SIGFPE);
}

static void raise_ill(void) {
    raise(SIGILL);
}

static void raise_bus(void) {
    raise(SIGBUS);
}

// Fatal signals end the execution with a crash, not the program.
static void test_run_survives_fatal_signals(void **state) {
    open_catching_engine();
    assert_found(write_wildly, SCT_KIND_CRASH, "SIGSEGV: invalid memory access");
    assert_found(abort_itself, SCT_KIND_CRASH, "SIGABRT: abort() was called");
    assert_found(raise_fpe, SCT_KIND_CRASH, "SIGFPE: arithmetic fault");
    assert_found(raise_ill, SCT_KIND_CRASH, "SIGILL: illegal instruction");
    assert_found(raise_bus, SCT_KIND_CRASH, "SIGBUS: invalid memory access");
    close_engine(state);
}

static volatile unsigned depth_wanted = UINT32_MAX;

static unsigned descend(unsigned depth) {
    volatile char frame[512];
    frame[depth % sizeof frame] = (char)depth;
    if (depth == depth_wanted)
        return 0;
    return descend(depth + 1) + (unsigned)frame[depth % sizeof frame];
}

static void recurse_forever(void) {
    depth_wanted = descend(0);
}

// Endless recursion runs into the guard of its stack and is told from other crashes.
static void test_run_survives_a_stack_overflow(void **state) {
    open_catching_engine();
    assert_found(recurse_forever, SCT_KIND_STACK_OVERFLOW, "the stack of a coroutine overflowed");
    close_engine(state);
}

static volatile unsigned spins;

static void spin_forever(void) {
    for (;;)
        spins++;
}

// A loop without scheduling points is noticed by the CPU time that it takes.
static void test_run_survives_an_endless_loop(void **state) {
    open_catching_engine();
    misdeed = spin_forever;
    assert_violation(run_random(misbehaving_task, 1), SCT_KIND_HANG, "culprit",
                     "it runs and runs without a scheduling point (endless loop)");
    assert_goes_on();
    close_engine(state);
}

// Closing the engine gives back the signal handlers that it found.
static void test_close_restores_signal_handlers(void **state) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGVTALRM};
    enum { COUNT = sizeof signals / sizeof signals[0] };
    struct sigaction before[COUNT], after;
    for (int i = 0; i < COUNT; i++)
        sigaction(signals[i], NULL, &before[i]);
    open_catching_engine();
    misdeed = raise_fpe;
    run_random(misbehaving_task, 1);
    close_engine(state);
    for (int i = 0; i < COUNT; i++) {
        sigaction(signals[i], NULL, &after);
        assert_true(after.sa_handler == before[i].sa_handler);
    }
}

// ---- Limits ------------------------------------------------------------------------------------

static void endless_task(void *context) {
    (void)context;
    start("m", step_forever, NULL);
    start("n", step_forever, NULL);
}

static void choose_forever(void *argument) {
    (void)argument;
    for (;;)
        sct_choose(2, "again");
}

static void endless_chooser(void *context) {
    (void)context;
    start("m", choose_forever, NULL);
}

// An execution is cut off at the given number of scheduling points, and at the room for its
// decisions; the next one is not affected.
static void test_run_stops_at_the_step_limit(void **state) {
    const struct sct_engine_options options = {.steps_max = 100};
    engine = sct_engine_open(&options);
    const struct sct_result *result = run_random(endless_task, 1);
    assert_int_equal(result->outcome, SCT_STEP_LIMIT);
    // The hundredth point led to the last decision.
    assert_int_equal(result->decision_count, 100);
    assert_int_equal(result->schedule_count, 100);
    result = run_random(endless_chooser, 1);
    assert_int_equal(result->outcome, SCT_STEP_LIMIT);
    assert_goes_on();
    close_engine(state);
}

// A limit that is just enough, for the 9 points of two tasks, does not cut off; one less does.
static void test_run_does_not_stop_before_the_step_limit(void **state) {
    const struct sct_engine_options enough = {.steps_max = 9}, too_few = {.steps_max = 8};
    engine = sct_engine_open(&enough);
    assert_passed(run_random(two_tasks, 1));
    close_engine(state);
    engine = sct_engine_open(&too_few);
    assert_int_equal(run_random(two_tasks, 1)->outcome, SCT_STEP_LIMIT);
    close_engine(state);
}

// ---- Setup and finish --------------------------------------------------------------------------

static void assert_found_in_setup(void (*deed)(void), const char *kind) {
    misdeed = deed;
    const struct sct_result *result = run_random(misbehave_in_phase, 1);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, kind);
    assert_string_equal(result->violation.machine, "harness");
    assert_int_equal(result->decision_count, 0);
    assert_goes_on();
}

// Whatever goes wrong in setup is a violation blamed on the harness.
static void test_run_finds_faults_in_setup(void **state) {
    open_catching_engine();
    assert_found_in_setup(violate, "wrong-answer");
    assert_found_in_setup(fail_assertion, SCT_KIND_ASSERTION);
    assert_found_in_setup(write_wildly, SCT_KIND_CRASH);
    assert_found_in_setup(recurse_forever, SCT_KIND_STACK_OVERFLOW);
    close_engine(state);
}

static void assert_found_in_finish(void (*deed)(void), const char *kind) {
    misdeed = deed;
    const struct sct_program program = {.setup = two_tasks, .finish = misbehave_in_phase};
    const struct sct_result *result = run_stay_program(&program);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, kind);
    assert_string_equal(result->violation.machine, "harness");
    assert_int_equal(result->decision_count, 6);
    assert_goes_on();
}

// Whatever goes wrong in finish is a violation after all decisions of the execution.
static void test_run_finds_faults_in_finish(void **state) {
    open_catching_engine();
    assert_found_in_finish(violate, "wrong-answer");
    assert_found_in_finish(fail_assertion, SCT_KIND_ASSERTION);
    assert_found_in_finish(abort_itself, SCT_KIND_CRASH);
    assert_found_in_finish(recurse_forever, SCT_KIND_STACK_OVERFLOW);
    assert_found_in_finish(spin_forever, SCT_KIND_HANG);
    close_engine(state);
}

static void tell_phase(void *context) {
    text_add(&story, "%s", (const char *)context);
    step("ignored in atomic phases");
}

static void setup_phase(void *context) {
    tell_phase(context);
    two_tasks(context);
}

// Setup comes before the machines and finish after them; both get the context and are atomic.
static void test_run_calls_setup_and_finish_in_order(void **state) {
    (void)state;
    char context[] = "|";
    const struct sct_program program = {
        .setup = setup_phase, .finish = tell_phase, .context = context};
    assert_passed(run_stay_program(&program));
    assert_string_equal(story.data, "|a0b0|");
}

static void setup_own_context(void *context) {
    two_tasks(context);
    tell_phase(context);
    char *own = arena_alloc(sct_arena(), sizeof "own");
    memcpy(own, "own", sizeof "own");
    sct_context_set(own);
}

// Setup puts a context of the execution's own in the place of the program's: finish gets that one,
// and whoever looks at the end. The next execution begins with the program's again.
static void test_setup_gives_the_execution_its_context(void **state) {
    (void)state;
    char context[] = "|";
    struct sct_program program = {
        .setup = setup_own_context, .finish = tell_phase, .context = context};
    assert_passed(run_stay_program(&program));
    assert_string_equal(story.data, "|a0b0own");
    assert_string_equal(sct_context(), "own");
    program.setup = two_tasks;
    assert_passed(run_stay_program(&program));
    assert_string_equal(story.data, "a0b0|");
}

static void get_stuck(void *argument) {
    (void)argument;
    sct_park("nothing");
}

static void stuck_task(void *context) {
    (void)context;
    start("m", get_stuck, NULL);
}

// After a deadlock finish is not called: the end that it would check was not reached.
static void test_run_skips_finish_after_a_deadlock(void **state) {
    (void)state;
    char context[] = "|";
    const struct sct_program program = {
        .setup = stuck_task, .finish = tell_phase, .context = context};
    assert_int_equal(run_stay_program(&program)->outcome, SCT_VIOLATED);
    assert_string_equal(story.data, "");
}

static void choose_in_setup(void *context) {
    two_tasks(context);
    text_add(&story, "%u", sct_choose(100, "size"));
}

// Setup may choose; the decision is the harness's.
static void test_run_records_choices_of_setup(void **state) {
    (void)state;
    assert_passed(run_random(choose_in_setup, 1));
    struct sct_decision decision = sct_engine_decision(engine, 0);
    assert_int_equal(decision.kind, SCT_DECISION_VALUE);
    assert_int_equal(decision.count, 100);
    assert_string_equal(decision.machine, "harness");
    assert_string_equal(decision.label, "size");
}

// ---- Decisions ---------------------------------------------------------------------------------

// Each decision tells who was chosen or asked, for what, and among how many.
static void test_decisions_describe_the_execution(void **state) {
    (void)state;
    assert_passed(run_stay(two_tasks));
    struct sct_decision first = sct_engine_decision(engine, 0);
    assert_int_equal(first.kind, SCT_DECISION_SCHEDULE);
    assert_int_equal(first.count, 2);
    assert_int_equal(first.answer, 0);
    assert_string_equal(first.machine, "a");
    assert_string_equal(first.label, "main");
    struct sct_decision second = sct_engine_decision(engine, 1);
    assert_string_equal(second.label, "step");
    assert_string_equal(second.where, "here:1");
    struct sct_decision digit = sct_engine_decision(engine, 4);
    assert_int_equal(digit.kind, SCT_DECISION_VALUE);
    assert_int_equal(digit.count, 10);
    assert_string_equal(digit.machine, "a");
    assert_string_equal(digit.label, "a digit");
}

static void choose_at_the_limits(void *context) {
    (void)context;
    uint32_t only = sct_choose(1, "no choice");
    uint32_t large = sct_choose(SCT_CHOICES_MAX, "a large choice");
    text_add(&story, "%u %s", only, large < SCT_CHOICES_MAX ? "in range" : "out of range");
}

static void choose_nothing(void *context) {
    (void)context;
    sct_choose(story.length > 4000, "nothing");
}

static void choose_too_much(void *context) {
    (void)context;
    sct_choose(SCT_CHOICES_MAX + 1, "too much");
}

// One alternative is no decision, 32,767 are the most; none and more are mistakes.
static void test_choose_accepts_1_to_32767_alternatives(void **state) {
    (void)state;
    const struct sct_result *result = run_random(choose_at_the_limits, 3);
    assert_passed(result);
    assert_string_equal(story.data, "0 in range");
    assert_int_equal(result->decision_count, 1);
    assert_int_equal(sct_engine_decision(engine, 0).count, SCT_CHOICES_MAX);
    assert_string_equal(run_random(choose_nothing, 3)->violation.kind, SCT_KIND_ASSERTION);
    assert_string_equal(run_random(choose_too_much, 3)->violation.kind, SCT_KIND_ASSERTION);
}

// ---- Determinism -------------------------------------------------------------------------------

// The seed determines everything, also after other executions, crashes among them.
static void test_run_is_determined_by_the_seed(void **state) {
    open_catching_engine();
    enum { SEEDS = 100 };
    static uint64_t fingerprints[SEEDS];
    static char stories[SEEDS][16];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fingerprints[seed] = run_random(two_tasks, seed)->fingerprint;
        strcpy(stories[seed], story.data);
    }
    misdeed = recurse_forever;
    run_random(misbehaving_task, 1);
    for (uint64_t seed = SEEDS; seed-- > 0;) {
        assert_true(run_random(two_tasks, seed)->fingerprint == fingerprints[seed]);
        assert_string_equal(story.data, stories[seed]);
    }
    close_engine(state);
}

// Different decisions have different fingerprints, equal ones equal ones: "a" or "b" first, and one
// digit of ten each.
static void test_fingerprint_tells_executions_apart(void **state) {
    (void)state;
    uint64_t first = run_random(two_tasks, 1)->fingerprint;
    int different = 0;
    for (uint64_t seed = 2; seed < 52; seed++)
        different += run_random(two_tasks, seed)->fingerprint != first;
    // The likeliest execution has the probability 1/16 * 1/100: 50 runs rarely repeat the first.
    assert_true(different >= 48);
}

// ---- Notes -------------------------------------------------------------------------------------

static void note_twice(void *argument) {
    (void)argument;
    sct_note("value %d", 1);
    sct_choose(2, "a bit");
    if (sct_narrating())
        sct_note("value %d", 2);
}

static void noting_task(void *context) {
    (void)context;
    sct_note("setting up");
    start("m", note_twice, NULL);
}

static uint32_t decisions_told;

// Lines about decisions begin with a sign.
static void listen(void *context, uint32_t decision, const char *machine, const char *line) {
    if (*line == '.' || *line == '>')
        decisions_told += !strstr(line, "(forced");
    else
        text_add(context, "%u %s: %s\n", decision, machine, line);
}

// Notes are told with the number of the next decision and the machine; without a narrator nobody
// hears them.
static void test_notes_reach_the_narrator(void **state) {
    (void)state;
    char buffer[200];
    struct text heard = text_in(buffer, sizeof buffer);
    run_stay(noting_task);
    assert_false(sct_narrating());
    sct_engine_narrate(engine, listen, &heard);
    run_stay(noting_task);
    sct_engine_narrate(engine, NULL, NULL);
    run_stay(noting_task);
    assert_string_equal(heard.data, "0 harness: setting up\n0 m: value 1\n1 m: value 2\n");
}

// The narrator hears of every decision too, and listening changes none of them.
static void test_decisions_reach_the_narrator(void **state) {
    (void)state;
    char buffer[200];
    struct text heard = text_in(buffer, sizeof buffer);
    uint64_t fingerprint = run_random(two_tasks, 1)->fingerprint;
    decisions_told = 0;
    sct_engine_narrate(engine, listen, &heard);
    const struct sct_result *result = run_random(two_tasks, 1);
    assert_true(result->fingerprint == fingerprint);
    assert_int_equal(decisions_told, result->decision_count);
}

static bool was_inside;

static void look_around(void *context) {
    (void)context;
    was_inside = sct_engine_inside();
}

// Code of an execution knows that it is inside; the engine's owner knows that it is not.
static void test_inside_is_true_during_executions_only(void **state) {
    (void)state;
    assert_false(sct_engine_inside());
    assert_passed(run_random(look_around, 1));
    assert_true(was_inside);
    assert_false(sct_engine_inside());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_run_passes_and_counts),
        ENGINE_TEST(test_run_passes_without_tasks),
        ENGINE_TEST(test_end_passes_whatever_is_unfinished),
        ENGINE_TEST(test_block_passes_where_nothing_else_can_run),
        ENGINE_TEST(test_run_reports_a_failed_check),
        ENGINE_TEST(test_run_replaces_an_empty_message),
        ENGINE_TEST(test_run_cuts_a_long_message),
        ENGINE_TEST(test_run_reports_a_failed_assertion),
        ENGINE_TEST(test_run_reports_a_program_error),
        ENGINE_TEST(test_run_reports_a_full_arena),
        cmocka_unit_test(test_run_survives_fatal_signals),
        cmocka_unit_test(test_run_survives_a_stack_overflow),
        cmocka_unit_test(test_run_survives_an_endless_loop),
        cmocka_unit_test(test_close_restores_signal_handlers),
        cmocka_unit_test(test_run_stops_at_the_step_limit),
        cmocka_unit_test(test_run_does_not_stop_before_the_step_limit),
        cmocka_unit_test(test_run_finds_faults_in_setup),
        cmocka_unit_test(test_run_finds_faults_in_finish),
        ENGINE_TEST(test_run_calls_setup_and_finish_in_order),
        ENGINE_TEST(test_setup_gives_the_execution_its_context),
        ENGINE_TEST(test_run_skips_finish_after_a_deadlock),
        ENGINE_TEST(test_run_records_choices_of_setup),
        ENGINE_TEST(test_decisions_describe_the_execution),
        ENGINE_TEST(test_choose_accepts_1_to_32767_alternatives),
        cmocka_unit_test(test_run_is_determined_by_the_seed),
        ENGINE_TEST(test_fingerprint_tells_executions_apart),
        ENGINE_TEST(test_notes_reach_the_narrator),
        ENGINE_TEST(test_decisions_reach_the_narrator),
        ENGINE_TEST(test_inside_is_true_during_executions_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
