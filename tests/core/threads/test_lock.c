#include "tests/support/every.h"

#include "core/threads/lock.h"
#include "core/threads/thread.h"

#include <stdio.h>

static struct sct_lock lock, other_lock;
static struct sct_condition condition;
static int inside, value, counts[4];
static uint64_t deadlocks;

static void reset(void) {
    inside = value = 0;
    sct_lock_init(&lock, "l");
    sct_lock_init(&other_lock, "other");
    sct_condition_init(&condition, "c");
}

static void visit_passed(const struct sct_result *result) {
    assert_passed(result);
}

// ---- Mutexes -----------------------------------------------------------------------------------

static void *add_with_lock(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    sct_check(++inside == 1, "wrong", "two are inside");
    step("inside");
    inside--;
    value++;
    sct_lock_release(&lock);
    return NULL;
}

static void two_adders(void *context) {
    (void)context;
    reset();
    sct_thread_create("a", add_with_lock, NULL);
    sct_thread_create("b", add_with_lock, NULL);
}

// Two threads that lock, take a step and unlock: nobody else is ever inside, and a thread that
// waits is not enabled. So one of the two takes all its steps (start, acquire, inside, release)
// before the other acquires, and the other's start has 5 places among them: 2 * 5 executions.
static void test_lock_excludes_and_waiters_are_disabled(void **state) {
    (void)state;
    assert_int_equal(run_every_setup(two_adders, visit_passed), 10);
}

static void *acquire_and_end(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    return NULL;
}

static void *acquire_twice(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    sct_lock_acquire(&lock);
    return NULL;
}

static void *release(void *argument) {
    (void)argument;
    sct_lock_release(&lock);
    return NULL;
}

static void *destroy(void *argument) {
    (void)argument;
    sct_lock_destroy(&lock);
    return NULL;
}

static void *destroy_and_use(void *argument) {
    (void)argument;
    sct_lock_destroy(&lock);
    sct_lock_try(&lock);
    return NULL;
}

static void *wait_without_lock(void *argument) {
    (void)argument;
    sct_condition_wait(&condition, &lock);
    return NULL;
}

static void *wait_with_other_lock(void *argument) {
    (void)argument;
    sct_lock_acquire(&other_lock);
    sct_condition_wait(&condition, &other_lock);
    return NULL;
}

static void *wait_with_lock(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    sct_condition_wait(&condition, &lock);
    sct_lock_release(&lock);
    return NULL;
}

static void *destroy_condition(void *argument) {
    (void)argument;
    sct_condition_destroy(&condition);
    return NULL;
}

static void *use_uninitialised(void *argument) {
    sct_lock_acquire((struct sct_lock *)argument);
    return NULL;
}

struct misuse {
    void *(*first)(void *); // runs to its end or until it waits
    void *(*second)(void *);
    void *argument;
    const char *message;
};

static void misusing(void *context) {
    const struct misuse *misuse = context;
    reset();
    if (misuse->first)
        sct_thread_create("first", misuse->first, NULL);
    sct_thread_create("culprit", misuse->second, misuse->argument);
}

// Every misuse that POSIX calls an error or undefined is a program error of the one who does it.
static void test_lock_misuse_is_a_program_error(void **state) {
    (void)state;
    static struct sct_lock never;
    struct misuse misuses[] = {
        {NULL, acquire_twice, NULL, "lock 'l' is acquired by the one who holds it"},
        {NULL, release, NULL, "lock 'l' is released although nobody holds it"},
        {acquire_and_end, release, NULL, "lock 'l' is released by another than its holder"},
        {acquire_and_end, destroy, NULL, "lock 'l' is destroyed while it is held"},
        {NULL, destroy_and_use, NULL, "a lock is used after it was destroyed"},
        {NULL, wait_without_lock, NULL, "condition 'c' is waited for without its lock"},
        {wait_with_lock, wait_with_other_lock, NULL, "condition 'c' is waited for with two locks"},
        {wait_with_lock, destroy_condition, NULL,
         "condition 'c' is destroyed while somebody waits for it"},
        {NULL, use_uninitialised, &never,
         "a lock, thread or the like is used before it is initialised in this execution"},
    };
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        const struct sct_program program = {.setup = misusing, .context = &misuses[i]};
        assert_violation(run_stay_program(&program), SCT_KIND_PROGRAM_ERROR, "culprit",
                         misuses[i].message);
    }
}

static void stale(void *context) {
    (void)context;
    sct_thread_create("culprit", release, NULL);
}

// An object of an earlier execution is not one of this execution.
static void test_lock_of_an_earlier_execution_is_not_initialised(void **state) {
    (void)state;
    assert_passed(run_stay(two_adders));
    assert_violation(
        run_stay(stale), SCT_KIND_PROGRAM_ERROR, "culprit",
        "a lock, thread or the like is used before it is initialised in this execution");
}

static void *try_and_count(void *argument) {
    (void)argument;
    bool has_it = sct_lock_try(&lock);
    counts[has_it]++;
    if (has_it)
        sct_lock_release(&lock);
    return NULL;
}

static void adder_and_trier(void *context) {
    (void)context;
    reset();
    sct_thread_create("a", add_with_lock, NULL);
    sct_thread_create("t", try_and_count, NULL);
}

static void *time_out_and_count(void *argument) {
    (void)argument;
    bool has_it = sct_lock_acquire_timed(&lock);
    counts[has_it]++;
    if (has_it)
        sct_lock_release(&lock);
    return NULL;
}

static void adder_and_timer(void *context) {
    (void)context;
    reset();
    sct_thread_create("a", add_with_lock, NULL);
    sct_thread_create("t", time_out_and_count, NULL);
}

static void dead_holder_and_timer(void *context) {
    (void)context;
    reset();
    sct_thread_create("a", acquire_and_end, NULL);
    sct_thread_create("t", time_out_and_count, NULL);
}

// A try takes a free lock and refuses a held one; both happen, and it never waits.
static void test_lock_try_never_waits(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    run_every_setup(adder_and_trier, visit_passed);
    assert_true(counts[false] > 0 && counts[true] > 0);
}

// A timed acquisition may time out or not. Where the lock is never released it must time out in
// the end: no deadlock.
static void test_lock_timed_may_time_out(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    run_every_setup(adder_and_timer, visit_passed);
    assert_true(counts[false] > 0 && counts[true] > 0);
    run_every_setup(dead_holder_and_timer, visit_passed);
}

// ---- Condition variables -----------------------------------------------------------------------

static void *wait_for_value(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    while (value == 0)
        sct_condition_wait(&condition, &lock);
    value--;
    sct_lock_release(&lock);
    return NULL;
}

static void *set_and_signal(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    value++;
    sct_condition_signal(&condition);
    sct_lock_release(&lock);
    return NULL;
}

static bool is_spurious;

static void wait_and_signal(void *context) {
    (void)context;
    reset();
    if (is_spurious)
        sct_condition_allow_spurious();
    sct_thread_create("w", wait_for_value, NULL);
    sct_thread_create("s", set_and_signal, NULL);
}

// The textbook use has no execution that goes wrong, with spurious wake-ups or without.
static void test_condition_textbook_use_is_right(void **state) {
    (void)state;
    is_spurious = false;
    run_every_setup(wait_and_signal, visit_passed);
}

static void *wait_once(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    if (value == 0)
        sct_condition_wait(&condition, &lock);
    counts[value]++;
    sct_lock_release(&lock);
    return NULL;
}

static void wait_once_and_signal(void *context) {
    (void)context;
    reset();
    if (is_spurious)
        sct_condition_allow_spurious();
    sct_thread_create("w", wait_once, NULL);
    sct_thread_create("s", set_and_signal, NULL);
}

// Who waits without a loop is wrong only if waits may end without a signal, and that is off unless
// it is switched on.
static void test_condition_spurious_wakeups_are_a_choice(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    is_spurious = false;
    run_every_setup(wait_once_and_signal, visit_passed);
    assert_true(counts[0] == 0 && counts[1] > 0);
    is_spurious = true;
    run_every_setup(wait_once_and_signal, visit_passed);
    assert_true(counts[0] > 0);
    is_spurious = false;
}

static void only_waiter(void *context) {
    (void)context;
    reset();
    if (is_spurious)
        sct_condition_allow_spurious();
    sct_thread_create("w", wait_with_lock, NULL);
}

static void visit_deadlock(const struct sct_result *result) {
    if (result->outcome == SCT_PASSED)
        return;
    deadlocks++;
    assert_violation(result, SCT_KIND_DEADLOCK, "w",
                     "nothing can run: w (thread) waits for condition c");
}

// A wait without a signal is a deadlock; a spurious wake-up may prevent it but is not owed.
static void test_condition_wait_without_signal_is_a_deadlock(void **state) {
    (void)state;
    deadlocks = 0;
    assert_int_equal(run_every_setup(only_waiter, visit_deadlock), 1);
    assert_int_equal(deadlocks, 1);
    is_spurious = true;
    assert_int_equal(run_every_setup(only_waiter, visit_deadlock), 2);
    assert_int_equal(deadlocks, 2);
    is_spurious = false;
}

static int woken[2];
static int last_comer; // the waiter that came last

static void *wait_as(void *argument) {
    sct_lock_acquire(&lock);
    last_comer = *(int *)argument;
    sct_condition_wait(&condition, &lock);
    woken[*(int *)argument]++;
    sct_lock_release(&lock);
    return NULL;
}

static bool broadcasts;
static int woken_last_comers; // alone

static void *tell(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    if (broadcasts)
        sct_condition_broadcast(&condition);
    else
        sct_condition_signal(&condition);
    sct_lock_release(&lock);
    return NULL;
}

static void two_waiters(void *context) {
    (void)context;
    static int numbers[] = {0, 1};
    reset();
    memset(woken, 0, sizeof woken);
    sct_thread_create("w", wait_as, &numbers[0]);
    sct_thread_create("w", wait_as, &numbers[1]);
    sct_thread_create("s", tell, NULL);
}

static void visit_woken(const struct sct_result *result) {
    (void)result;
    assert_true(woken[0] + woken[1] <= (broadcasts ? 2 : 1));
    woken_last_comers += woken[last_comer] && !woken[1 - last_comer];
    counts[woken[0] + 2 * woken[1]]++;
}

// A signal wakes one of two, the first to come or the last; a broadcast wakes both. Before anybody
// waits either is lost.
static void test_condition_signal_wakes_any_one(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    broadcasts = false;
    woken_last_comers = 0;
    run_every_setup(two_waiters, visit_woken);
    assert_true(woken_last_comers > 0);
    assert_true(counts[0] > 0 && counts[1] > 0 && counts[2] > 0);
    broadcasts = true;
    run_every_setup(two_waiters, visit_woken);
    assert_true(counts[3] > 0);
}

static void *wait_timed(void *argument) {
    (void)argument;
    sct_lock_acquire(&lock);
    bool was_told = sct_condition_wait_timed(&condition, &lock);
    counts[was_told]++;
    sct_lock_release(&lock); // it is held again in either case
    return NULL;
}

static void timed_waiter(void *context) {
    (void)context;
    reset();
    sct_thread_create("w", wait_timed, NULL);
    sct_thread_create("s", tell, NULL);
}

// A timed wait ends by the signal or by time-out, with the lock held, and never deadlocks.
static void test_condition_timed_wait(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    broadcasts = false;
    run_every_setup(timed_waiter, visit_passed);
    assert_true(counts[false] > 0 && counts[true] > 0);
}

static void *stop_first(void *argument) {
    step("stop");
    sct_machine_stop(argument);
    sct_lock_acquire(&lock);
    sct_condition_signal(&condition);
    sct_lock_release(&lock);
    return NULL;
}

static void wait_as_task(void *argument) {
    wait_as(argument);
}

static void one_waiter_dies(void *context) {
    (void)context;
    static int numbers[] = {0, 1};
    reset();
    memset(woken, 0, sizeof woken);
    struct sct_machine *first = start("first", wait_as_task, &numbers[0]);
    sct_thread_create("second", wait_as, &numbers[1]);
    sct_thread_create("s", stop_first, first);
}

// A signal is not wasted on a waiter whose machine was stopped.
static void test_condition_stopped_waiter_is_passed_over(void **state) {
    (void)state;
    assert_passed(run_stay(one_waiter_dies));
    assert_int_equal(woken[0], 0);
    assert_int_equal(woken[1], 1);
}

// ---- What a deadlock tells ---------------------------------------------------------------------

static struct sct_lock pair[2];

static void *take_pair(void *argument) {
    int own = (int)(uintptr_t)argument;
    sct_lock_acquire(&pair[own]);
    sct_point("meanwhile", HERE, &sct_access_unknown);
    sct_lock_acquire(&pair[1 - own]);
    return NULL;
}

static void *keep_one(void *argument) {
    (void)argument;
    sct_lock_acquire(&pair[0]);
    return NULL;
}

static void init_pair(void) {
    sct_lock_init(&pair[0], "first");
    sct_lock_init(&pair[1], "second");
}

static void in_two_orders(void *context) {
    (void)context;
    init_pair();
    sct_thread_create("a", take_pair, (void *)(uintptr_t)0);
    sct_thread_create("b", take_pair, (void *)(uintptr_t)1);
}

static void after_the_end(void *context) {
    (void)context;
    init_pair();
    sct_thread_create("keeper", keep_one, NULL);
    sct_thread_create("b", take_pair, (void *)(uintptr_t)1);
}

static char deadlock_message[1024];

static void keep_deadlock(const struct sct_result *result) {
    if (result->outcome == SCT_VIOLATED)
        snprintf(deadlock_message, sizeof deadlock_message, "%s", result->violation.message);
}

// Who holds what, and whether he has ended.
static void test_lock_deadlock_tells_who_holds_what(void **state) {
    (void)state;
    run_every_setup(in_two_orders, keep_deadlock);
    assert_string_equal(deadlock_message,
                        "nothing can run: a (thread) waits for lock second, which b holds; b "
                        "(thread) waits for lock first, which a holds");
    run_every_setup(after_the_end, keep_deadlock);
    assert_string_equal(deadlock_message,
                        "nothing can run: b (thread) waits for lock first, which keeper holds "
                        "although it has ended");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_lock_excludes_and_waiters_are_disabled),
        ENGINE_TEST(test_lock_misuse_is_a_program_error),
        ENGINE_TEST(test_lock_of_an_earlier_execution_is_not_initialised),
        ENGINE_TEST(test_lock_try_never_waits),
        ENGINE_TEST(test_lock_timed_may_time_out),
        ENGINE_TEST(test_condition_textbook_use_is_right),
        ENGINE_TEST(test_condition_spurious_wakeups_are_a_choice),
        ENGINE_TEST(test_condition_wait_without_signal_is_a_deadlock),
        ENGINE_TEST(test_condition_signal_wakes_any_one),
        ENGINE_TEST(test_condition_timed_wait),
        ENGINE_TEST(test_condition_stopped_waiter_is_passed_over),
        ENGINE_TEST(test_lock_deadlock_tells_who_holds_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
