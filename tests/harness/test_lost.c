// Whatever the system under test does to its process, the command has a finding with a trace that
// replays, or says what it does not know. Each test is named after its line in the list of what was
// once lost.
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/process.h"

#include <sys/resource.h>

// What a command line does: status 1, one violation of that kind, and a trace that reproduces it.
static void check_found(const char *test, const char *options, const char *kind) {
    char line[200];
    snprintf(line, sizeof line, "--test %s %s --trace t.trace", test, options);
    struct ended ended = run(line);
    check_status(&ended, 1);
    if (!strstr(ended.out, kind))
        fail_msg("%s: expected '%s', found '%.400s'", test, kind, ended.out);
    forget(&ended);
    ended = run("--replay t.trace");
    check_status(&ended, 1);
    assert_non_null(strstr(ended.out, "reproduced: "));
    forget(&ended);
}

static void check_found_everywhere(const char *test, const char *kind) {
    check_found(test, "", kind);
    check_found(test, "--jobs 2", kind);
    check_found(test, "--strategy dfs", kind);
}

static void test_1_3_what_was_left_does_not_reproduce(void **state) {
    (void)state;
    static const char *const lines[] = {"--test left-over --trace t.trace",
                                        "--test left-over --jobs 2 --trace t.trace"};
    for (size_t i = 0; i < 2; i++) {
        struct ended ended = run(lines[i]);
        check_status(&ended, 3);
        assert_non_null(strstr(ended.err, "did not repeat: in a fresh process"));
        forget(&ended);
    }
    assert_int_equal(for_files(".trace", NULL), 0);
}

static void test_1_3_an_end_by_what_was_left(void **state) {
    (void)state;
    struct ended ended = run("--test left-over-kill --trace t.trace");
    check_status(&ended, 3);
    assert_non_null(strstr(ended.err, "killed by signal 9"));
    assert_non_null(strstr(ended.err, "in a fresh process"));
    forget(&ended);
}

static void test_2_1_stacks(void **state) {
    (void)state;
    check_found_everywhere("beyond", "crash");
    check_found_everywhere("alloca", "stack-overflow");
}

static void test_2_2_exit(void **state) {
    (void)state;
    check_found_everywhere("exit", "exit");
    check_found_everywhere("exit-at-once", "exit");
    check_found_everywhere("fork", "exit");
}

// What no handler sees.
static void test_2_2_the_process_ends(void **state) {
    (void)state;
    check_found("system-call", "", "process-end");
    check_found("system-call", "--jobs 2", "process-end");
    check_found("system-call", "--strategy dfs", "process-end");
    check_found("system-call", "--strategy dfs --jobs 2", "process-end");
    check_found("kill", "--strategy dfs --jobs 2", "process-end");
    check_found("kill", "", "process-end");
    check_found("kill", "--format json", "process-end");
}

// The status of a campaign that finds something, with a stack of 64 KiB: for the present, or for
// good. In a process of its own, whose limit it is.
static int run_with_little_stack(bool is_for_good) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
    limit.rlim_cur = 64 * 1024;
    if (is_for_good)
        limit.rlim_max = limit.rlim_cur;
    pid_t child = fork_or_fail();
    if (child == 0) {
        if (setrlimit(RLIMIT_STACK, &limit) != 0)
            _exit(99);
        _exit(run("--test exit").status);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static void test_2_5_little_stack(void **state) {
    (void)state;
    assert_int_equal(run_with_little_stack(false), 1);
    assert_int_equal(run_with_little_stack(true), 3);
    char *err = read_text(in_folder("stderr"));
    assert_string_equal(err, "misdeeds: the stack may have 64 KiB (ulimit -s): expected 512 or "
                             "more\n");
    free(err);
}

#ifdef __SANITIZE_ADDRESS__
// The sanitizer reports once in a process, and the second report ends it: of a campaign, which goes
// on, and of a replay, which runs the trace once more to tell of it.
static void test_2_10_use_after_free(void **state) {
    (void)state;
    check_found_everywhere("freed", "crash");
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_1_3_what_was_left_does_not_reproduce),
        TEST(test_1_3_an_end_by_what_was_left),
        TEST(test_2_1_stacks),
        TEST(test_2_2_exit),
        TEST(test_2_2_the_process_ends),
        TEST(test_2_5_little_stack),
#ifdef __SANITIZE_ADDRESS__
        TEST(test_2_10_use_after_free),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
