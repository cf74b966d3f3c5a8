// What the system under test does to the process is a finding, and the engine goes on.
#define _GNU_SOURCE // quick_exit, alloca
#include "tests/support/programs.h"

#include <alloca.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void (*misdeed)(void); // of the present test

static volatile unsigned returns; // so that no call is the last and needs no frame

static void misbehave(void *argument) {
    (void)argument;
    step("before");
    misdeed();
    returns++;
}

static void one_step(void *argument) {
    (void)argument;
    step("step");
}

static void misbehaving(void *context) {
    (void)context;
    start("a", one_step, NULL);
    start("culprit", misbehave, NULL);
}

static void behaving(void *context) {
    (void)context;
    start("a", one_step, NULL);
    start("b", one_step, NULL);
}

// The misdeed ends its execution with a violation of that kind, again and again.
static void assert_found(void (*deed)(void), const char *kind, const char *message) {
    misdeed = deed;
    for (uint64_t seed = 0; seed < 3; seed++) {
        const struct sct_result *result = run_random(misbehaving, seed);
        assert_int_equal(result->outcome, SCT_VIOLATED);
        assert_string_equal(result->violation.kind, kind);
        assert_string_equal(result->violation.machine, "culprit");
        if (message)
            assert_string_equal(result->violation.message, message);
        assert_passed(run_random(behaving, seed));
    }
}

// ---- 2.1: stacks -------------------------------------------------------------------------------

static volatile size_t beyond, place; // not on the stack that is written over

__attribute__((noinline)) static void write_beyond_array(void) {
    volatile char array[16];
    for (place = 0; place < sizeof array + beyond; place++)
        array[place] = (char)0xff;
}

// The frames of the callers are gone, up to the end of the stack, and the engine's own structures
// do not lie there.
static void test_write_beyond_an_array(void **state) {
    open_catching_engine();
    beyond = 200;
    assert_found(write_beyond_array, SCT_KIND_CRASH, NULL);
    close_engine(state);
}

static void test_write_beyond_the_stack(void **state) {
    open_catching_engine();
    beyond = 1 << 20;
    assert_found(write_beyond_array, SCT_KIND_CRASH, NULL);
    close_engine(state);
}

static volatile size_t large = 300 * 1024;

static void allocate_much(void) {
    volatile char *memory = alloca(large);
    memory[0] = 1;
}

// Larger than the stack and yet not beyond its guard.
static void test_frame_larger_than_the_stack(void **state) {
    open_catching_engine();
    assert_found(allocate_much, SCT_KIND_STACK_OVERFLOW, "the stack of a coroutine overflowed");
    close_engine(state);
}

static void damage_engine(void) {
    memset((void *)engine, 0xff, malloc_usable_size(engine)); // what the handler looks at
    raise(SIGSEGV);
}

// Then nothing can be said of the execution, but a line and a status can.
static void test_second_fault_in_the_handler(void **state) {
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        open_catching_engine();
        misdeed = damage_engine;
        run_random(misbehaving, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

// ---- 2.2: ends of the process ------------------------------------------------------------------

static void call_exit(void) {
    exit(0);
}

static void call_exit_at_once(void) {
    _exit(0);
}

static void call_Exit(void) {
    _Exit(7);
}

static void call_quick_exit(void) {
    quick_exit(0);
}

static void call_fork(void) {
    if (fork() == 0)
        _exit(0);
}

static void test_exit(void **state) {
    open_catching_engine();
    assert_found(call_exit, SCT_KIND_EXIT, "the process was to end here: exit(0)");
    assert_found(call_exit_at_once, SCT_KIND_EXIT, "the process was to end here: _exit(0)");
    assert_found(call_Exit, SCT_KIND_EXIT, "the process was to end here: _Exit(7)");
    assert_found(call_quick_exit, SCT_KIND_EXIT, "the process was to end here: quick_exit(0)");
    close_engine(state);
}

static void test_fork(void **state) {
    open_catching_engine();
    assert_found(call_fork, SCT_KIND_EXIT, "a second process was to begin here: fork()");
    close_engine(state);
}

// Outside of executions they are what they always were.
static void test_exit_outside(void **state) {
    open_catching_engine();
    pid_t child = fork();
    if (child == 0)
        exit(17);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 17);
    close_engine(state);
}

// ---- 2.7: errno --------------------------------------------------------------------------------

static int seen[2];

static void keep_errno(void *argument) {
    int index = *(const int *)argument;
    seen[index] = errno;
    errno = 100 + index;
    step("others");
    step("others");
    seen[index] = seen[index] == 0 ? errno : -1;
}

static void two_with_errno(void *context) {
    static const int indexes[] = {0, 1};
    (void)context;
    start("a", keep_errno, (void *)(uintptr_t)&indexes[0]);
    start("b", keep_errno, (void *)(uintptr_t)&indexes[1]);
}

// 0 at first, and nobody else's.
static void test_errno_is_of_the_task(void **state) {
    open_catching_engine();
    for (uint64_t seed = 0; seed < 20; seed++) {
        errno = EINTR;
        assert_passed(run_random(two_with_errno, seed));
        assert_int_equal(seen[0], 100);
        assert_int_equal(seen[1], 101);
        assert_int_equal(errno, EINTR);
    }
    close_engine(state);
}

// The tests in a process of their own: of what is tested here some would end it with status 0.
static int run_watched(int (*run)(void)) {
    int ends[2], failed = 1;
    if (pipe(ends) != 0)
        return 1;
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        failed = run();
        exit(write(ends[1], &failed, sizeof failed) == sizeof failed ? failed : 1);
    }
    close(ends[1]);
    if (process < 0 || read(ends[0], &failed, sizeof failed) != sizeof failed) {
        fputs("the process of the tests ended before they did\n", stderr);
        failed = 1;
    }
    waitpid(process, NULL, 0);
    return failed != 0;
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_beyond_an_array),
        cmocka_unit_test(test_write_beyond_the_stack),
        cmocka_unit_test(test_frame_larger_than_the_stack),
        cmocka_unit_test(test_second_fault_in_the_handler),
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_exit_outside),
        cmocka_unit_test(test_errno_is_of_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_watched(run_all);
}
