// Second opinions: remarks about violations, checks that give up, and the fingerprint they go by.
#include "tests/support/programs.h"

#include "core/trace/replay.h"

#include <signal.h>
#include <stdio.h>

// ---- A program ---------------------------------------------------------------------------------

static void (*misdeed)(void);

static void be_suspended(void *argument) {
    (void)argument;
    for (int i = 0; i < 3; i++) {
        text_add(&story, "s");
        step("step");
    }
}

static void misbehave(void *argument) {
    (void)argument;
    step("before");
    misdeed();
}

static void setup(void *context) {
    (void)context;
    start("culprit", misbehave, NULL);
    start("bystander", be_suspended, NULL);
}

static int reviews;

static void review(void *context, const struct sct_violation *violation, struct text *remark) {
    reviews++;
    step("no scheduling point here");
    text_add(remark, "%s:\n%s by %s", (const char *)context, violation->kind, violation->machine);
}

static char context[] = "opinion";

static const struct sct_result *run_reviewed(void (*deed)(void)) {
    const struct sct_program program = {.setup = setup, .context = context, .review = review};
    misdeed = deed;
    reviews = 0;
    return run_stay_program(&program);
}

// ---- Remarks -----------------------------------------------------------------------------------

static void violate(void) {
    sct_violation("wrong-answer", "%d", 41);
}

static void fail_assertion(void) {
    ASSERT(1 + 1 == 3);
}

static void do_nothing(void) {
}

static void get_stuck(void) {
    sct_park("nothing");
}

// The remark is one line and the rest of the violation what it was; the review is atomic: no
// machine goes on, and nothing is decided.
static void test_review_remarks(void **state) {
    (void)state;
    const struct sct_program unreviewed = {.setup = setup};
    misdeed = violate;
    struct sct_result plain = *run_stay_program(&unreviewed);
    assert_string_equal(plain.violation.remark, "");
    const struct sct_result *result = run_reviewed(violate);
    assert_string_equal(story.data, "");
    assert_int_equal(reviews, 1);
    assert_string_equal(result->violation.remark, "opinion: wrong-answer by culprit");
    assert_string_equal(result->violation.kind, plain.violation.kind);
    assert_string_equal(result->violation.message, plain.violation.message);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_int_equal(result->decision_count, plain.decision_count);
    assert_int_equal(result->point_count, plain.point_count);
    assert_int_equal(result->fingerprint, plain.fingerprint);
}

// Deadlocks and failed assertions are reviewed too; what passes is not, and keeps no old remark.
static void test_review_of_other_ends(void **state) {
    (void)state;
    assert_string_equal(run_reviewed(get_stuck)->violation.remark, "opinion: deadlock by culprit");
    assert_string_equal(run_reviewed(fail_assertion)->violation.remark,
                        "opinion: assertion by culprit");
    assert_passed(run_reviewed(do_nothing));
    assert_int_equal(reviews, 0);
}

static void violate_at_the_end(void *unused) {
    (void)unused;
    violate();
}

static void test_review_of_the_final_check(void **state) {
    (void)state;
    const struct sct_program program = {
        .setup = setup, .finish = violate_at_the_end, .context = context, .review = review};
    misdeed = do_nothing;
    assert_string_equal(run_stay_program(&program)->violation.remark,
                        "opinion: wrong-answer by harness");
}

static void step_for_ever(void) {
    for (;;)
        step("again");
}

// A cut-off execution has no verdict and no remark.
static void test_no_review_at_the_step_limit(void **state) {
    (void)state;
    assert_int_equal(run_reviewed(step_for_ever)->outcome, SCT_STEP_LIMIT);
    assert_int_equal(reviews, 0);
}

// ---- What may have left anything behind --------------------------------------------------------

static void crash(void) {
    raise(SIGSEGV);
}

static void hang(void) {
    for (volatile int i = 0;; i++) {
    }
}

static int recurse(volatile int depth) {
    volatile char frame[1000];
    frame[0] = (char)depth;
    return depth < 0 ? frame[0] : recurse(depth + 1) + frame[0];
}

static void overflow(void) {
    recurse(0);
}

static void fill_arena(void) {
    for (;;)
        arena_alloc(sct_arena(), 1 << 20);
}

static void assert_not_reviewed(void (*deed)(void), const char *kind) {
    const struct sct_result *result = run_reviewed(deed);
    assert_string_equal(result->violation.kind, kind);
    assert_string_equal(result->violation.remark, "");
    assert_int_equal(reviews, 0);
}

static void test_no_review_after_a_crash(void **state) {
    open_catching_engine();
    assert_not_reviewed(crash, SCT_KIND_CRASH);
    assert_not_reviewed(hang, SCT_KIND_HANG);
    assert_not_reviewed(overflow, SCT_KIND_STACK_OVERFLOW);
    assert_not_reviewed(fill_arena, SCT_KIND_OUT_OF_MEMORY);
    assert_string_equal(run_reviewed(violate)->violation.remark,
                        "opinion: wrong-answer by culprit");
    close_engine(state);
}

static void review_badly(void *deed, const struct sct_violation *violation, struct text *remark) {
    (void)violation;
    text_add(remark, "half of");
    (*(void (**)(void))deed)();
}

static void assert_survives(void (*deed)(void), const char *remark) {
    const struct sct_program program = {.setup = setup, .context = &deed, .review = review_badly};
    misdeed = violate;
    const struct sct_result *result = run_stay_program(&program);
    assert_violation(result, "wrong-answer", "culprit", "41");
    assert_non_null(strstr(result->violation.remark, "the review failed: "));
    assert_non_null(strstr(result->violation.remark, remark));
}

// A review that fails changes nothing about what was found.
static void test_review_that_fails(void **state) {
    open_catching_engine();
    assert_survives(fail_assertion, "1 + 1 == 3");
    assert_survives(crash, "SIGSEGV");
    assert_survives(hang, "");
    assert_violation(run_reviewed(violate), "wrong-answer", "culprit", "41");
    close_engine(state);
}

// ---- Checks that give up, and replay -----------------------------------------------------------

static void draw(void) {
    text_add(&story, "%u ", sct_choose(1000, "number"));
}

static void finish(void *unused) {
    (void)unused;
    uint64_t fingerprint = sct_fingerprint_so_far();
    text_add(&story, "%llx", (unsigned long long)fingerprint);
    for (uint64_t i = 0; i < fingerprint % 4; i++)
        sct_check_gave_up();
}

// The fingerprint is that of the decisions, all of which are made in the final check; giving up is
// counted and does not end the execution. In a replay both are the same.
static void test_gave_up_counts_and_repeats(void **state) {
    (void)state;
    const struct sct_program program = {.setup = setup, .finish = finish};
    struct sct_strategy *strategy = new_strategy("random");
    uint32_t counts_seen = 0;
    misdeed = draw;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sct_result first = *run_with(strategy, &program, seed);
        char told[sizeof story_buffer];
        snprintf(told, sizeof told, "%s", story.data);
        assert_passed(&first);
        assert_int_equal(first.checks_unknown, first.fingerprint % 4);
        counts_seen |= 1u << first.checks_unknown;
        struct sct_trace trace = {
            .model = "m", .test = "t", .bug = "none", .strategy = "random", .steps_max = 10000};
        sct_trace_capture(&trace, engine, &first);
        struct sct_replay replay;
        sct_replay_init(&replay, &trace);
        const struct sct_result *again = run_with(&replay.base, &program, 99);
        assert_string_equal(story.data, told);
        assert_int_equal(again->checks_unknown, first.checks_unknown);
        sct_trace_free(&trace);
    }
    assert_int_equal(counts_seen, 15);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_review_remarks),
        ENGINE_TEST(test_review_of_other_ends),
        ENGINE_TEST(test_review_of_the_final_check),
        ENGINE_TEST(test_no_review_at_the_step_limit),
        cmocka_unit_test(test_no_review_after_a_crash),
        cmocka_unit_test(test_review_that_fails),
        ENGINE_TEST(test_gave_up_counts_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
