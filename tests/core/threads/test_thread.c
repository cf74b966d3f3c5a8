#include "tests/support/every.h"

#include "core/campaign/campaign.h"
#include "core/threads/thread.h"

static struct sct_thread *worker;
static int answer = 42;
static bool has_ended;

static void visit_passed(const struct sct_result *result) {
    assert_passed(result);
}

static void *work(void *argument) {
    step("work");
    has_ended = true;
    return argument;
}

static void *work_and_exit(void *argument) {
    step("work");
    has_ended = true;
    sct_thread_exit(argument);
}

static void *join_worker(void *argument) {
    (void)argument;
    const int *result = sct_thread_join(worker);
    sct_check(has_ended, "wrong", "a thread was joined before its end");
    sct_check(result == &answer, "wrong", "its result is another");
    return NULL;
}

static void joined(void *context) {
    has_ended = false;
    bool exits = context;
    worker = sct_thread_create("worker", exits ? work_and_exit : work, &answer);
    sct_thread_create("joiner", join_worker, NULL);
}

// Whoever joins waits for the end and gets the result, returned or given to exit. One who waits is
// not enabled, so there are 3 executions: the joiner's start among the worker's 2 steps.
static void test_thread_join_waits_for_the_end(void **state) {
    (void)state;
    const struct sct_program program = {.setup = joined};
    assert_int_equal(run_every(&program, visit_passed), 3);
    const struct sct_program exiting = {.setup = joined, .context = &has_ended};
    assert_int_equal(run_every(&exiting, visit_passed), 3);
}

static void *create_and_join(void *argument) {
    (void)argument;
    has_ended = false;
    worker = sct_thread_create("worker", work, &answer);
    sct_check(strcmp(sct_thread_name(worker), "worker") == 0, "wrong", "its name is another");
    return join_worker(NULL);
}

static void creating(void *context) {
    (void)context;
    sct_thread_create("creator", create_and_join, NULL);
}

// A thread may create others; one that waits for the only other one leaves nothing to choose.
static void test_thread_created_by_a_thread(void **state) {
    (void)state;
    assert_int_equal(run_every_setup(creating, visit_passed), 1);
}

static void *join_self(void *argument) {
    (void)argument;
    sct_thread_join(sct_thread_self());
    return NULL;
}

static void *join_twice(void *argument) {
    (void)argument;
    sct_thread_join(worker);
    sct_thread_join(worker);
    return NULL;
}

static void *join_detached(void *argument) {
    (void)argument;
    sct_thread_detach(worker);
    sct_thread_join(worker);
    return NULL;
}

static void *detach_twice(void *argument) {
    (void)argument;
    sct_thread_detach(worker);
    sct_thread_detach(worker);
    return NULL;
}

static void *detach_joined(void *argument) {
    (void)argument;
    sct_thread_join(worker);
    sct_thread_detach(worker);
    return NULL;
}

static const struct misuse {
    void *(*function)(void *);
    const char *message;
} misuses[] = {
    {join_self, "thread 'culprit' joins itself"},
    {join_twice, "thread 'worker' is joined twice"},
    {join_detached, "thread 'worker' is joined although it was detached"},
    {detach_twice, "thread 'worker' is detached twice"},
    {detach_joined, "thread 'worker' is detached although it was joined"},
};

static void misusing(void *context) {
    worker = sct_thread_create("worker", work, NULL);
    sct_thread_create("culprit", ((const struct misuse *)context)->function, NULL);
}

// What POSIX calls an error or undefined is a program error.
static void test_thread_misuse_is_a_program_error(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        struct misuse misuse = misuses[i];
        const struct sct_program program = {.setup = misusing, .context = &misuse};
        assert_violation(run_stay_program(&program), SCT_KIND_PROGRAM_ERROR, "culprit",
                         misuse.message);
    }
}

static void exit_from_task(void *argument) {
    (void)argument;
    sct_check(!sct_thread_self(), "wrong", "a task is a thread");
    sct_thread_exit(NULL);
}

static void task_only(void *context) {
    (void)context;
    sct_check(!sct_thread_self(), "wrong", "setup is a thread");
    start("culprit", exit_from_task, NULL);
}

// A task that is no thread cannot exit as one.
static void test_thread_exit_outside_a_thread(void **state) {
    (void)state;
    assert_violation(run_stay(task_only), SCT_KIND_PROGRAM_ERROR, "culprit",
                     "only a thread can be ended by sct_thread_exit");
}

static void *join_other(void *argument) {
    sct_thread_join(*(struct sct_thread **)argument);
    return NULL;
}

static void circle(void *context) {
    (void)context;
    static struct sct_thread *threads[2];
    threads[0] = sct_thread_create("a", join_other, &threads[1]);
    threads[1] = sct_thread_create("b", join_other, &threads[0]);
}

static void visit_circle(const struct sct_result *result) {
    assert_violation(result, SCT_KIND_DEADLOCK, "a",
                     "nothing can run: a (thread) waits for thread b; b (thread) waits for thread "
                     "a");
}

// Two that join each other are a deadlock, always.
static void test_thread_joining_each_other_is_a_deadlock(void **state) {
    (void)state;
    assert_int_equal(run_every_setup(circle, visit_circle), 2);
}

static void join_in_setup(void *context) {
    (void)context;
    sct_thread_join(sct_thread_create("worker", work, NULL));
}

// Setup is atomic: it cannot wait for a thread.
static void test_thread_setup_cannot_wait(void **state) {
    (void)state;
    assert_violation(run_stay(join_in_setup), SCT_KIND_DEADLOCK, "harness",
                     "an atomic phase waits for thread worker");
}

static void *yield_to_flag(void *argument) {
    (void)argument;
    while (!has_ended)
        sct_thread_yield();
    return NULL;
}

static void spinner(void *context) {
    (void)context;
    has_ended = false;
    sct_thread_create("spinner", yield_to_flag, NULL);
    sct_thread_create("worker", work, NULL);
}

static int turn;

// Whoever's turn it is not yields.
static void *pass_on(void *argument) {
    int own = (int)(uintptr_t)argument;
    for (int i = 0; i < 3; i++) {
        while (turn != own)
            sct_thread_yield();
        turn = 1 - own;
    }
    return NULL;
}

static void relay(void *context) {
    (void)context;
    turn = 1;
    sct_thread_create("a", pass_on, (void *)(uintptr_t)0);
    sct_thread_create("b", pass_on, (void *)(uintptr_t)1);
}

// A yield lets others go on: a spinning thread ends under a random walk.
static void test_thread_yield_is_a_scheduling_point(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++)
        assert_passed(run_random(spinner, seed));
}

// By default the one who yields gives way, so that a search, a minimal trace and a strategy of
// priorities do not spin: the worker ends at once, and the spinner looks once or twice.
static void test_thread_yield_gives_way(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(spinner);
    assert_passed(result);
    assert_true(result->point_count < 10);
    struct sct_strategy *pct = new_strategy("pct:1");
    for (uint64_t seed = 0; seed < 100; seed++) {
        result = run_with(pct, &(struct sct_program){.setup = spinner}, seed);
        assert_passed(result);
        assert_true(result->point_count < 10);
    }
    sct_strategy_free(pct);
}

// Two who yield to each other both go on: the second of them is not starved by the first.
static void test_thread_yield_is_fair_among_those_who_yield(void **state) {
    (void)state;
    struct sct_strategy *pct = new_strategy("pct:1");
    for (uint64_t seed = 0; seed < 100; seed++)
        assert_true(run_with(pct, &(struct sct_program){.setup = relay}, seed)->point_count < 20);
    sct_strategy_free(pct);
}

// With bounds a search of one who spins has an end, and nothing is cut off.
static void test_thread_yield_can_be_searched(void **state) {
    (void)state;
    static const char *const specs[] = {"dfs:preempt=2", "dfs:delay=2"};
    for (int i = 0; i < 2; i++) {
        struct sct_campaign campaign;
        struct sct_strategy *strategy = new_strategy(specs[i]);
        sct_campaign_run(
            engine,
            &(struct sct_campaign_options){.program = &(struct sct_program){.setup = spinner},
                                           .strategy = strategy,
                                           .iterations = 10000},
            &campaign);
        assert_true(campaign.search.is_exhausted);
        assert_int_equal(campaign.step_limit_hits, 0);
        sct_campaign_free(&campaign);
        sct_strategy_free(strategy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_thread_join_waits_for_the_end),
        ENGINE_TEST(test_thread_created_by_a_thread),
        ENGINE_TEST(test_thread_misuse_is_a_program_error),
        ENGINE_TEST(test_thread_exit_outside_a_thread),
        ENGINE_TEST(test_thread_joining_each_other_is_a_deadlock),
        ENGINE_TEST(test_thread_setup_cannot_wait),
        ENGINE_TEST(test_thread_yield_is_a_scheduling_point),
        ENGINE_TEST(test_thread_yield_gives_way),
        ENGINE_TEST(test_thread_yield_is_fair_among_those_who_yield),
        ENGINE_TEST(test_thread_yield_can_be_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
