#include "tests/support/every.h"

#include "core/threads/barrier.h"
#include "core/threads/semaphore.h"
#include "core/threads/thread.h"

static struct sct_semaphore semaphore;
static struct sct_barrier barrier;
static int inside, most_inside, counts[2], arrived, serial_count;

static void visit_passed(const struct sct_result *result) {
    assert_passed(result);
}

// ---- Semaphores --------------------------------------------------------------------------------

static void *enter(void *argument) {
    (void)argument;
    sct_semaphore_wait(&semaphore);
    inside++;
    most_inside = inside > most_inside ? inside : most_inside;
    step("inside");
    inside--;
    sct_semaphore_post(&semaphore);
    return NULL;
}

static void three_for_two_places(void *context) {
    (void)context;
    inside = 0;
    sct_semaphore_init(&semaphore, "places", 2);
    for (int i = 0; i < 3; i++)
        sct_thread_create("t", enter, NULL);
}

static void two_for_one_place(void *context) {
    (void)context;
    inside = 0;
    sct_semaphore_init(&semaphore, "places", 1);
    for (int i = 0; i < 2; i++)
        sct_thread_create("t", enter, NULL);
}

// As many are inside as there are places: two sometimes, never three. With one place it is a mutex:
// 10 executions (see test_lock.c).
static void test_semaphore_counts_places(void **state) {
    (void)state;
    most_inside = 0;
    run_every_setup(three_for_two_places, visit_passed);
    assert_int_equal(most_inside, 2);
    assert_int_equal(run_every_setup(two_for_one_place, visit_passed), 10);
}

static void *wait_only(void *argument) {
    (void)argument;
    sct_semaphore_wait(&semaphore);
    return NULL;
}

static void nobody_posts(void *context) {
    (void)context;
    sct_semaphore_init(&semaphore, "items", 0);
    sct_thread_create("t", wait_only, NULL);
}

static void *wait_timed(void *argument) {
    (void)argument;
    counts[sct_semaphore_wait_timed(&semaphore)]++;
    return NULL;
}

static void *post_and_look(void *argument) {
    (void)argument;
    sct_semaphore_post(&semaphore);
    sct_check(sct_semaphore_value(&semaphore) <= 1, "wrong", "the value is too large");
    return NULL;
}

static void post_and_timed_wait(void *context) {
    (void)context;
    sct_semaphore_init(&semaphore, "items", 0);
    sct_thread_create("t", wait_timed, NULL);
    sct_thread_create("p", post_and_look, NULL);
}

static void timed_wait_alone(void *context) {
    (void)context;
    sct_semaphore_init(&semaphore, "items", 0);
    sct_thread_create("t", wait_timed, NULL);
}

// Without a post a wait is a deadlock and a timed wait times out; with one, both can happen.
static void test_semaphore_waits(void **state) {
    (void)state;
    assert_violation(run_stay(nobody_posts), SCT_KIND_DEADLOCK, "t",
                     "nothing can run: t (thread) waits for semaphore items");
    memset(counts, 0, sizeof counts);
    assert_int_equal(run_every_setup(timed_wait_alone, visit_passed), 2);
    assert_int_equal(counts[false], 2);
    run_every_setup(post_and_timed_wait, visit_passed);
    assert_true(counts[true] > 0 && counts[false] > 2);
}

static void *try_twice(void *argument) {
    (void)argument;
    sct_check(sct_semaphore_try(&semaphore), "wrong", "refused although there is one");
    sct_check(!sct_semaphore_try(&semaphore), "wrong", "taken although there is none");
    sct_semaphore_destroy(&semaphore);
    sct_semaphore_post(&semaphore);
    return NULL;
}

static void trying(void *context) {
    (void)context;
    sct_semaphore_init(&semaphore, "items", 1);
    sct_thread_create("culprit", try_twice, NULL);
}

static void *destroy_semaphore(void *argument) {
    (void)argument;
    sct_semaphore_destroy(&semaphore);
    return NULL;
}

static void destroying(void *context) {
    (void)context;
    nobody_posts(NULL);
    sct_thread_create("culprit", destroy_semaphore, NULL);
}

static void *post(void *argument) {
    (void)argument;
    sct_semaphore_post(&semaphore);
    return NULL;
}

static void overflowing(void *context) {
    (void)context;
    sct_semaphore_init(&semaphore, "items", SCT_SEMAPHORE_MAX);
    sct_thread_create("culprit", post, NULL);
}

// Use after destruction, destruction under a waiter, overflow.
static void test_semaphore_misuse_is_a_program_error(void **state) {
    (void)state;
    assert_violation(run_stay(trying), SCT_KIND_PROGRAM_ERROR, "culprit",
                     "a semaphore is used after it was destroyed");
    assert_violation(run_stay(destroying), SCT_KIND_PROGRAM_ERROR, "culprit",
                     "semaphore 'items' is destroyed while somebody waits for it");
    assert_violation(run_stay(overflowing), SCT_KIND_PROGRAM_ERROR, "culprit",
                     "semaphore 'items' is posted beyond its largest value");
}

// ---- Barriers ----------------------------------------------------------------------------------

enum { ROUNDS = 2 };

static void *pass_rounds(void *argument) {
    int count = *(int *)argument;
    for (int round = 1; round <= ROUNDS; round++) {
        arrived++;
        serial_count += sct_barrier_wait(&barrier);
        sct_check(arrived >= round * count, "wrong", "somebody passed before all had come");
    }
    return NULL;
}

static void passing(void *context) {
    arrived = serial_count = 0;
    int count = *(int *)context;
    sct_barrier_init(&barrier, "b", (uint32_t)count);
    for (int i = 0; i < count; i++)
        sct_thread_create("t", pass_rounds, context);
}

static void visit_rounds(const struct sct_result *result) {
    assert_passed(result);
    assert_int_equal(serial_count, ROUNDS);
}

// In every execution nobody passes before all have come, in each of two rounds, and one is told so.
static void test_barrier_lets_all_pass_together(void **state) {
    (void)state;
    for (int count = 1; count <= 3; count++) {
        const struct sct_program program = {.setup = passing, .context = &count};
        assert_true(run_every(&program, visit_rounds) >= 1);
    }
}

static void *wait_at_barrier(void *argument) {
    (void)argument;
    sct_barrier_wait(&barrier);
    return NULL;
}

static void *destroy_barrier(void *argument) {
    (void)argument;
    sct_barrier_destroy(&barrier);
    return NULL;
}

static void one_of_two(void *context) {
    sct_barrier_init(&barrier, "b", 2);
    sct_thread_create("t", wait_at_barrier, NULL);
    if (context)
        sct_thread_create("culprit", destroy_barrier, NULL);
}

static void of_nobody(void *context) {
    (void)context;
    sct_barrier_init(&barrier, "b", 0);
}

// Who comes alone waits for ever; destroying the barrier under him is an error, as is one for
// nobody.
static void test_barrier_errors(void **state) {
    (void)state;
    assert_violation(run_stay(one_of_two), SCT_KIND_DEADLOCK, "t",
                     "nothing can run: t (thread) waits for barrier b (1 of 2 have come)");
    const struct sct_program program = {.setup = one_of_two, .context = &barrier};
    assert_violation(run_stay_program(&program), SCT_KIND_PROGRAM_ERROR, "culprit",
                     "barrier 'b' is destroyed while somebody waits for it");
    assert_violation(run_stay(of_nobody), SCT_KIND_PROGRAM_ERROR, "harness",
                     "barrier 'b' counts nobody");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_semaphore_counts_places),
        ENGINE_TEST(test_semaphore_waits),
        ENGINE_TEST(test_semaphore_misuse_is_a_program_error),
        ENGINE_TEST(test_barrier_lets_all_pass_together),
        ENGINE_TEST(test_barrier_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
