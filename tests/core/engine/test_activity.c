// Parked tasks and activities: the waiting part of core/engine/machine.h.
#include "tests/support/programs.h"

// ---- Park and wake -----------------------------------------------------------------------------

static struct sct_strand *sleeper;

static void sleep_once(void *argument) {
    (void)argument;
    sleeper = sct_self();
    text_add(&story, "s");
    sct_park("the waker");
    text_add(&story, "S");
}

static void wake_once(void *argument) {
    (void)argument;
    text_add(&story, "w");
    sct_wake(sleeper);
    text_add(&story, "W");
}

static void sleeper_and_waker(void *context) {
    (void)context;
    start("sleeper", sleep_once, NULL);
    start("waker", wake_once, NULL);
}

// A parked task lets others run; waking it is not a scheduling point.
static void test_wake_enables_a_parked_task(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(sleeper_and_waker);
    assert_passed(result);
    assert_string_equal(story.data, "swWS");
    // Both could run at the beginning only: the waker was alone until it ended.
    assert_int_equal(result->schedule_count, 1);
}

static void park_in_setup(void *context) {
    (void)context;
    sct_park("Godot");
}

// Setup is atomic: waiting there is a deadlock at once.
static void test_park_in_an_atomic_phase_is_a_deadlock(void **state) {
    (void)state;
    assert_violation(run_stay(park_in_setup), SCT_KIND_DEADLOCK, "harness",
                     "an atomic phase waits for Godot");
}

static void wake_the_living(void *argument) {
    (void)argument;
    sct_wake(sct_self());
}

static void self_waker(void *context) {
    (void)context;
    start("m", wake_the_living, NULL);
}

// Waking what does not wait is a mistake of the caller.
static void test_wake_asserts_that_the_strand_waits(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(self_waker);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_ASSERTION);
}

// ---- Activities --------------------------------------------------------------------------------

static struct sct_strand *activities[3];

static void wait_twice(void *argument) {
    size_t index = *(const size_t *)argument;
    activities[index] = sct_self();
    text_add(&story, "%zu", index);
    sct_park("the first wake");
    text_add(&story, "%zu", index);
    sct_park("the second wake");
    text_add(&story, "%zu!", index);
}

static size_t zero = 0, one = 1;

static void start_and_wake(void *argument) {
    (void)argument;
    text_add(&story, "(");
    sct_activity_start("first", wait_twice, &zero);
    text_add(&story, ",");
    sct_activity_start("second", wait_twice, &one);
    text_add(&story, ",");
    for (int i = 0; i < 2; i++) {
        sct_wake(activities[1]);
        sct_wake(activities[0]);
        text_add(&story, ",");
    }
    text_add(&story, ")");
}

static void activity_owner(void *context) {
    (void)context;
    start("m", start_and_wake, NULL);
}

// Starting and waking run the activity until it waits or ends, then control comes back; none of it
// is a scheduling point.
static void test_activity_runs_until_it_waits(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(activity_owner);
    assert_passed(result);
    assert_string_equal(story.data, "(0,1,10,1!0!,)");
    assert_int_equal(result->decision_count, 0);
    assert_int_equal(result->task_count, 1);
}

static void wait_then_wake_next(void *argument) {
    size_t index = *(const size_t *)argument;
    activities[index] = sct_self();
    sct_park("its turn");
    text_add(&story, "%zu<", index);
    if (index > 0)
        sct_wake(activities[index - 1]);
    text_add(&story, ">%zu", index);
}

static void wake_a_chain(void *argument) {
    (void)argument;
    static size_t indices[] = {0, 1, 2};
    for (size_t i = 0; i < 3; i++)
        sct_activity_start("link", wait_then_wake_next, &indices[i]);
    sct_wake(activities[2]);
    text_add(&story, ".");
}

static void chain_owner(void *context) {
    (void)context;
    start("m", wake_a_chain, NULL);
}

// Wakes nest: whom an activity wakes runs within its step, and control unwinds in reverse.
static void test_wake_of_activities_nests(void **state) {
    (void)state;
    assert_passed(run_stay(chain_owner));
    assert_string_equal(story.data, "2<1<0<>0>1>2.");
}

static void point_inside(void *argument) {
    (void)argument;
    text_add(&story, "a");
    step("inside the activity");
    text_add(&story, "b");
}

static void start_point_inside(void *argument) {
    (void)argument;
    sct_activity_start("pointer", point_inside, NULL);
    text_add(&story, "c");
}

static void tell_x(void *argument) {
    (void)argument;
    text_add(&story, "x");
}

static void point_in_activity(void *context) {
    (void)context;
    start("m", start_point_inside, NULL);
    start("other", tell_x, NULL);
}

// A scheduling point in an activity suspends the whole task: its owner goes on only afterwards.
static void test_activity_shares_the_turn_of_its_task(void **state) {
    (void)state;
    bool was_interrupted = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        assert_passed(run_random(point_in_activity, seed));
        bool is_interrupted = strcmp(story.data, "axbc") == 0;
        assert_true(is_interrupted || strcmp(story.data, "xabc") == 0 ||
                    strcmp(story.data, "abcx") == 0);
        was_interrupted |= is_interrupted;
    }
    assert_true(was_interrupted);
}

static void wake_from_elsewhere(void *argument) {
    (void)argument;
    sct_wake(activities[0]);
}

static void start_only(void *argument) {
    (void)argument;
    sct_activity_start("first", wait_twice, &zero);
    sct_receive(1, true, "nothing");
}

static void foreign_waker(void *context) {
    (void)context;
    start("m", start_only, NULL);
    start("other", wake_from_elsewhere, NULL);
}

// An activity can be woken by its own task only.
static void test_wake_asserts_that_the_activity_is_its_own(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(foreign_waker);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_ASSERTION);
    assert_string_equal(result->violation.machine, "other");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_wake_enables_a_parked_task),
        ENGINE_TEST(test_park_in_an_atomic_phase_is_a_deadlock),
        ENGINE_TEST(test_wake_asserts_that_the_strand_waits),
        ENGINE_TEST(test_activity_runs_until_it_waits),
        ENGINE_TEST(test_wake_of_activities_nests),
        ENGINE_TEST(test_activity_shares_the_turn_of_its_task),
        ENGINE_TEST(test_wake_asserts_that_the_activity_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
