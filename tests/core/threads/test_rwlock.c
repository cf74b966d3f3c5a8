#include "tests/support/every.h"

#include "core/threads/rwlock.h"
#include "core/threads/thread.h"

static struct sct_rwlock lock;
static int reading, writing, readers_seen_together, counts[2];

static void reset(void) {
    reading = writing = 0;
    sct_rwlock_init(&lock, "rw");
}

static void visit_passed(const struct sct_result *result) {
    assert_passed(result);
}

static void *read_once(void *argument) {
    (void)argument;
    sct_rwlock_read(&lock);
    reading++;
    sct_check(writing == 0, "wrong", "a reader beside a writer");
    readers_seen_together += reading == 2;
    step("reading");
    reading--;
    sct_rwlock_release(&lock);
    return NULL;
}

static void *write_once(void *argument) {
    (void)argument;
    sct_rwlock_write(&lock);
    sct_check(++writing == 1 && reading == 0, "wrong", "a writer beside another");
    step("writing");
    writing--;
    sct_rwlock_release(&lock);
    return NULL;
}

static void two_readers_and_a_writer(void *context) {
    (void)context;
    reset();
    sct_thread_create("r", read_once, NULL);
    sct_thread_create("r", read_once, NULL);
    sct_thread_create("w", write_once, NULL);
}

static void two_writers(void *context) {
    (void)context;
    reset();
    sct_thread_create("w", write_once, NULL);
    sct_thread_create("w", write_once, NULL);
}

// In every execution: readers may be together, a writer is alone. Two writers exclude each other as
// with a mutex: 10 executions (see test_lock.c).
static void test_rwlock_excludes_writers(void **state) {
    (void)state;
    readers_seen_together = 0;
    assert_true(run_every_setup(two_readers_and_a_writer, visit_passed) > 1000);
    assert_true(readers_seen_together > 0);
    assert_int_equal(run_every_setup(two_writers, visit_passed), 10);
}

static void *read_twice(void *argument) {
    (void)argument;
    sct_rwlock_read(&lock);
    sct_rwlock_read(&lock);
    sct_rwlock_release(&lock);
    sct_check(!sct_rwlock_try_write(&lock), "wrong", "a lock that is read was taken for writing");
    sct_rwlock_release(&lock);
    sct_check(sct_rwlock_try_write(&lock), "wrong", "a free lock was refused");
    sct_check(!sct_rwlock_try_read(&lock), "wrong", "a lock that is written was taken");
    sct_rwlock_release(&lock);
    sct_rwlock_destroy(&lock);
    return NULL;
}

static void reads_twice(void *context) {
    (void)context;
    reset();
    sct_thread_create("r", read_twice, NULL);
}

// A reader takes it twice and releases it twice; tries answer at once.
static void test_rwlock_readings_are_counted(void **state) {
    (void)state;
    assert_passed(run_stay(reads_twice));
}

static void *read_and_end(void *argument) {
    (void)argument;
    sct_rwlock_read(&lock);
    return NULL;
}

static void *release(void *argument) {
    (void)argument;
    sct_rwlock_release(&lock);
    return NULL;
}

static void *destroy(void *argument) {
    (void)argument;
    sct_rwlock_destroy(&lock);
    return NULL;
}

static void *read_then_write(void *argument) {
    (void)argument;
    sct_rwlock_read(&lock);
    sct_rwlock_write(&lock);
    return NULL;
}

static void *write_then_read(void *argument) {
    (void)argument;
    sct_rwlock_write(&lock);
    sct_rwlock_read(&lock);
    return NULL;
}

static void *write_twice(void *argument) {
    (void)argument;
    sct_rwlock_write(&lock);
    sct_rwlock_write(&lock);
    return NULL;
}

static struct misuse {
    void *(*first)(void *);
    void *(*second)(void *);
    const char *message;
} misuses[] = {
    {NULL, release, "rwlock 'rw' is released by one who does not hold it"},
    {read_and_end, release, "rwlock 'rw' is released by one who does not hold it"},
    {read_and_end, destroy, "rwlock 'rw' is destroyed while it is held"},
    {NULL, read_then_write, "rwlock 'rw' is taken for writing by one who reads"},
    {NULL, write_then_read, "rwlock 'rw' is taken for reading by the one who writes"},
    {NULL, write_twice, "rwlock 'rw' is taken for writing by the one who writes"},
};

static void misusing(void *context) {
    const struct misuse *misuse = context;
    reset();
    if (misuse->first)
        sct_thread_create("first", misuse->first, NULL);
    sct_thread_create("culprit", misuse->second, NULL);
}

// Releasing what one does not hold, destroying what is held, and waiting for oneself.
static void test_rwlock_misuse_is_a_program_error(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        const struct sct_program program = {.setup = misusing, .context = &misuses[i]};
        assert_violation(run_stay_program(&program), SCT_KIND_PROGRAM_ERROR, "culprit",
                         misuses[i].message);
    }
}

static void *write_timed(void *argument) {
    (void)argument;
    bool has_it = sct_rwlock_write_timed(&lock);
    counts[has_it]++;
    if (has_it)
        sct_rwlock_release(&lock);
    return NULL;
}

static void reader_and_timed_writer(void *context) {
    (void)context;
    reset();
    sct_thread_create("r", read_once, NULL);
    sct_thread_create("w", write_timed, NULL);
}

static void eternal_reader_and_timed_writer(void *context) {
    (void)context;
    reset();
    sct_thread_create("r", read_and_end, NULL);
    sct_thread_create("w", write_timed, NULL);
}

// A timed writer may get it or time out, and times out in the end if it never can.
static void test_rwlock_timed_may_time_out(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    run_every_setup(reader_and_timed_writer, visit_passed);
    assert_true(counts[false] > 0 && counts[true] > 0);
    run_every_setup(eternal_reader_and_timed_writer, visit_passed);
}

// ---- Waiting writers ---------------------------------------------------------------------------

static struct sct_rwlock shared;
static uint64_t deadlocks, ends;
static bool allows_waiting;

static void *read_inside(void *argument) {
    (void)argument;
    sct_rwlock_read(&shared);
    sct_rwlock_read(&shared);
    sct_rwlock_release(&shared);
    sct_rwlock_release(&shared);
    return NULL;
}

static void *write_perhaps_timed(void *argument) {
    bool has_written = argument ? sct_rwlock_write_timed(&shared) : true;
    if (!argument)
        sct_rwlock_write(&shared);
    if (has_written)
        sct_rwlock_release(&shared);
    return NULL;
}

static void twice_beside_a_writer(void *context) {
    if (allows_waiting)
        sct_rwlock_allow_waiting();
    sct_rwlock_init(&shared, "rw");
    sct_thread_create("reader", read_inside, NULL);
    sct_thread_create("writer", write_perhaps_timed, context);
}

static void count_deadlocks(const struct sct_result *result) {
    ends++;
    if (result->outcome == SCT_PASSED)
        return;
    deadlocks++;
    assert_violation(result, SCT_KIND_DEADLOCK, "reader",
                     "nothing can run: reader (thread) waits for rwlock rw, which reader reads; "
                     "writer (thread) waits for rwlock rw, which reader reads");
}

// Where a waiting writer may hold a reader back, one who reads already may wait for ever: for the
// writer, who waits for him. A writer who gives up lets him go on. Nobody is held back unless that
// is allowed.
static void test_rwlock_waiting_writers(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        allows_waiting = way & 1;
        deadlocks = ends = 0;
        const struct sct_program program = {.setup = twice_beside_a_writer,
                                            .context = way & 2 ? &shared : NULL};
        run_every(&program, count_deadlocks);
        assert_true(ends > 5);
        assert_int_equal(deadlocks > 0, way == 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_rwlock_excludes_writers),
        ENGINE_TEST(test_rwlock_readings_are_counted),
        ENGINE_TEST(test_rwlock_misuse_is_a_program_error),
        ENGINE_TEST(test_rwlock_timed_may_time_out),
        ENGINE_TEST(test_rwlock_waiting_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
