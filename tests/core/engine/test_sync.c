#include "tests/support/programs.h"

#include "core/engine/sync.h"

static struct sct_mutex mutex;
static struct sct_latch latch;

// ---- Mutexes among tasks -----------------------------------------------------------------------

static int inside, waits;
static bool use_mutex;

static void enter_five_times(void *argument) {
    (void)argument;
    for (int i = 0; i < 5; i++) {
        step("acquire");
        waits += mutex.holder != NULL;
        if (use_mutex)
            sct_mutex_acquire(&mutex, "the mutex");
        sct_check(++inside == 1, "wrong", "two tasks are inside");
        step("inside");
        inside--;
        if (use_mutex)
            sct_mutex_release(&mutex);
    }
}

static void three_tasks(void *context) {
    (void)context;
    inside = 0;
    sct_mutex_init(&mutex);
    for (int i = 0; i < 3; i++)
        start("m", enter_five_times, NULL);
}

// Under 500 random schedules never two tasks hold the mutex, though they often have to wait for it;
// the control without the mutex finds two inside.
static void test_mutex_excludes_tasks(void **state) {
    (void)state;
    use_mutex = true;
    waits = 0;
    for (uint64_t seed = 0; seed < 500; seed++)
        assert_passed(run_random(three_tasks, seed));
    assert_true(waits > 500);
    use_mutex = false;
    assert_violation(run_random(three_tasks, 1), "wrong", "m", "two tasks are inside");
}

static void hold_and_end(void *argument) {
    (void)argument;
    sct_mutex_acquire(&mutex, "the mutex");
    step("inside");
}

static void never_released(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    start("first", hold_and_end, NULL);
    start("second", hold_and_end, NULL);
}

// A mutex that its holder never releases is reported as a deadlock of those who wait for it.
static void test_mutex_never_released_is_a_deadlock(void **state) {
    (void)state;
    assert_violation(run_stay(never_released), SCT_KIND_DEADLOCK, "second",
                     "nothing can run: second (main) waits for the mutex");
}

static void acquire_twice(void *argument) {
    (void)argument;
    sct_mutex_acquire(&mutex, "the mutex");
    sct_mutex_acquire(&mutex, "the mutex again");
}

static void recursive_holder(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    start("m", acquire_twice, NULL);
}

// A mutex is not recursive: its holder waits for itself.
static void test_mutex_is_not_recursive(void **state) {
    (void)state;
    assert_violation(run_stay(recursive_holder), SCT_KIND_DEADLOCK, "m",
                     "nothing can run: m (main) waits for the mutex again");
}

static void release_only(void *argument) {
    (void)argument;
    sct_mutex_release(&mutex);
}

static void foreign_release(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    start("holder", hold_and_end, NULL);
    start("thief", release_only, NULL);
}

static void free_release(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    start("m", release_only, NULL);
}

// Releasing somebody else's mutex, or a free one, is a program error of the one who does it.
static void test_mutex_release_by_another_is_a_program_error(void **state) {
    (void)state;
    const char *message = "a mutex is released by somebody who does not hold it";
    assert_violation(run_stay(foreign_release), SCT_KIND_PROGRAM_ERROR, "thief", message);
    assert_violation(run_stay(free_release), SCT_KIND_PROGRAM_ERROR, "m", message);
}

// ---- Mutexes among activities ------------------------------------------------------------------

static void lock_tell_unlock(void *argument) {
    const char *name = argument;
    text_add(&story, "%s?", name);
    sct_mutex_acquire(&mutex, "the mutex");
    text_add(&story, "%s", name);
    sct_mutex_release(&mutex);
    text_add(&story, "%s.", name);
}

static char name_a[] = "a", name_b[] = "b";

static void hand_off(void *argument) {
    (void)argument;
    sct_mutex_acquire(&mutex, "the mutex");
    sct_activity_start("a", lock_tell_unlock, name_a);
    sct_activity_start("b", lock_tell_unlock, name_b);
    text_add(&story, "|");
    sct_mutex_release(&mutex);
    text_add(&story, "|");
}

static void handing_owner(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    start("m", hand_off, NULL);
}

// A release hands the mutex to the waiting activities in order, all in one step and without a
// decision.
static void test_mutex_release_hands_over_to_activities(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(handing_owner);
    assert_passed(result);
    assert_string_equal(story.data, "a?b?|aa.bb.|");
    assert_int_equal(result->decision_count, 0);
}

static struct sct_strand *keeper;

static void lock_and_keep(void *argument) {
    sct_mutex_acquire(&mutex, "the mutex");
    text_add(&story, "%s", (const char *)argument);
    keeper = sct_self();
    sct_park("being woken with the mutex");
    sct_mutex_release(&mutex);
}

static void hand_to_keeper(void *argument) {
    (void)argument;
    sct_mutex_acquire(&mutex, "the mutex");
    sct_activity_start("a", lock_and_keep, name_a);
    sct_activity_start("b", lock_and_keep, name_b);
    sct_mutex_release(&mutex);
    text_add(&story, "|");
    sct_wake(keeper); // a: its release lets b in
    text_add(&story, "|");
    sct_wake(keeper);
}

static void keeping_owner(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    start("m", hand_to_keeper, NULL);
}

// Only the first activity gets the mutex; the second queues again and is not forgotten.
static void test_mutex_release_keeps_the_second_activity_waiting(void **state) {
    (void)state;
    assert_passed(run_stay(keeping_owner));
    assert_string_equal(story.data, "a|b|");
}

// ---- Latches -----------------------------------------------------------------------------------

static void wait_for_latch(void *argument) {
    (void)argument;
    sct_latch_wait(&latch, "the latch");
    sct_check(latch.count == 0, "wrong", "the latch is at %zu", latch.count);
    text_add(&story, "w");
}

static void count_down(void *argument) {
    (void)argument;
    step("count");
    text_add(&story, "c");
    sct_latch_count_down(&latch);
}

static size_t latch_start;

static void latch_program(void *context) {
    (void)context;
    sct_latch_init(&latch, latch_start);
    start("waiter", wait_for_latch, NULL);
    start("counter", count_down, NULL);
    start("waiter", wait_for_latch, NULL);
    start("counter", count_down, NULL);
}

// Everybody who waits goes on after the last count, under every schedule.
static void test_latch_opens_at_zero(void **state) {
    (void)state;
    latch_start = 2;
    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_passed(run_random(latch_program, seed));
        assert_string_equal(story.data, "ccww");
    }
}

// A latch that is never counted down to zero leaves its waiters in a deadlock.
static void test_latch_never_opened_is_a_deadlock(void **state) {
    (void)state;
    latch_start = 3;
    assert_violation(run_random(latch_program, 1), SCT_KIND_DEADLOCK, "waiter",
                     "nothing can run: waiter (main) waits for the latch; waiter (main) waits for "
                     "the latch");
}

// Counting below zero is a failed assertion.
static void test_latch_below_zero_is_an_assertion(void **state) {
    (void)state;
    latch_start = 1;
    const struct sct_result *result = run_random(latch_program, 1);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_ASSERTION);
    assert_string_equal(result->violation.machine, "counter");
}

// ---- Queues of waiters -------------------------------------------------------------------------

static struct sct_waiters waiters;

static void queue_twice(void *argument) {
    for (int i = 0; i < 2; i++) {
        sct_waiters_wait(&waiters, "the bell");
        text_add(&story, "%s", (const char *)argument);
    }
}

static void wake_twice(void *argument) {
    (void)argument;
    sct_activity_start("a", queue_twice, name_a);
    sct_activity_start("b", queue_twice, name_b);
    for (int i = 0; i < 3; i++) {
        sct_waiters_wake(&waiters);
        text_add(&story, "|");
    }
}

static void bell_owner(void *context) {
    (void)context;
    sct_waiters_init(&waiters);
    start("m", wake_twice, NULL);
}

// A wake goes to those who wait now, in order; who queues again meanwhile waits for the next one.
static void test_waiters_wake_spares_who_queues_again(void **state) {
    (void)state;
    assert_passed(run_stay(bell_owner));
    assert_string_equal(story.data, "ab|ab||");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_mutex_excludes_tasks),
        ENGINE_TEST(test_mutex_never_released_is_a_deadlock),
        ENGINE_TEST(test_mutex_is_not_recursive),
        ENGINE_TEST(test_mutex_release_by_another_is_a_program_error),
        ENGINE_TEST(test_mutex_release_hands_over_to_activities),
        ENGINE_TEST(test_mutex_release_keeps_the_second_activity_waiting),
        ENGINE_TEST(test_latch_opens_at_zero),
        ENGINE_TEST(test_latch_never_opened_is_a_deadlock),
        ENGINE_TEST(test_latch_below_zero_is_an_assertion),
        ENGINE_TEST(test_waiters_wake_spares_who_queues_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
