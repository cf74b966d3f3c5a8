// The command's reports about one execution: the page, the exports, the text, the stop in a
// debugger.
#define _GNU_SOURCE // ptrace, WIFSTOPPED
#include "tests/harness/process.h"
#include "tests/support/fork.h"

#include <sys/ptrace.h>

#define PASSING "--only-iteration 3 --quiet "

static void copy_golden(const char *name) {
    char path[500];
    snprintf(path, sizeof path, "%s/tests/traces/bug-06-DeletePrimaryKey.trace", source);
    char *text = read_text(path);
    write_text(name, text, strlen(text));
    free(text);
}

static bool is_page(const char *name) {
    char *text = read_text(in_folder(name));
    bool is_whole = strncmp(text, "<!doctype html>", 15) == 0 && strstr(text, "</html>\n");
    free(text);
    return is_whole;
}

// Malformed options of reports, and those that make no sense together.
static void test_malformed_options(void **state) {
    (void)state;
    static const struct {
        const char *line, *needle;
    } cases[] = {
        {"--report=", "--report: expected a value"},
        {"--report a --report b", "--report: expected once"},
        {"--list bugs --report a", "--list and --report contradict"},
        {"--check-history a --export chrome b", "--check-history and --export contradict"},
        {"--export", "--export: expected a value"},
        {"--export svg a", "--export: expected 'shiviz' or 'chrome', and a file, found 'svg'"},
        {"--export chrome", "--export: expected a file after 'chrome'"},
        {"--export=shiviz", "--export: expected a file after 'shiviz'"},
        {"--export chrome a --export chrome b", "--export: expected one file for chrome"},
        {"--break-at 3", "--break-at: expected --replay too"},
        {"--replay a --break-at x", "--break-at: expected a decision's number, found 'x'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run(cases[i].line);
        check_refused(&ended, cases[i].line, cases[i].needle);
    }
}

// A campaign that fails, alone or by workers, a replay and a single passing execution write the
// files asked for; those of the same execution are the same.
static void test_files_are_written(void **state) {
    (void)state;
    struct ended ended =
        run(FAILING "--quiet --trace t --report a --export shiviz b --export=chrome c");
    check_status(&ended, 1);
    assert_string_equal(ended.out, "");
    assert_string_equal(ended.err, "");
    forget(&ended);
    assert_true(is_page("a"));
    char *chrome = read_text(in_folder("c")), *shiviz = read_text(in_folder("b"));
    json_decref(parse(chrome));
    assert_true(strncmp(shiviz, "(?<event>", 9) == 0);
    ended = run(FAILING "--quiet --trace t --export chrome d --jobs 3");
    check_status(&ended, 1);
    forget(&ended);
    ended = run("--replay t --quiet --export chrome e --export shiviz f");
    check_status(&ended, 1);
    forget(&ended);
    char *by_jobs = read_text(in_folder("d")), *replayed = read_text(in_folder("e"));
    char *again = read_text(in_folder("f"));
    assert_string_equal(by_jobs, chrome);
    assert_string_equal(replayed, chrome);
    assert_string_equal(again, shiviz);
    ended = run(PASSING "--report g");
    check_status(&ended, 0);
    forget(&ended);
    assert_true(is_page("g"));
    free(chrome), free(shiviz), free(by_jobs), free(replayed), free(again);
}

// Without a violation there is nothing to write about.
static void test_clean_campaign_writes_no_page(void **state) {
    (void)state;
    struct ended ended = run("--iterations 5 --quiet --report a");
    check_status(&ended, 0);
    forget(&ended);
    assert_int_equal(access(in_folder("a"), F_OK), -1);
}

// A file that cannot be written is named; what was found keeps its status, success does not.
static void test_files_that_cannot_be_written(void **state) {
    (void)state;
    static const char *const files[] = {"--report no/folder", "--report /dev/full",
                                        "--export chrome /dev/full", "--export shiviz no/folder"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, FAILING "--quiet --trace t %s", files[i]);
        struct ended ended = run(line);
        check_status(&ended, 1);
        assert_non_null(strstr(ended.err, "mtcheck: cannot write the "));
        assert_int_equal(line_count(ended.err), 1);
        forget(&ended);
        snprintf(line, sizeof line, PASSING "%s", files[i]);
        ended = run(line);
        check_status(&ended, 3);
        forget(&ended);
        snprintf(line, sizeof line, "--replay t --quiet %s", files[i]);
        ended = run(line);
        check_status(&ended, 1);
        forget(&ended);
    }
}

// The text of a failing campaign: the violation first, then the steps by machine, then where
// everyone stands; 80 columns in a pipe, apart from lines to be copied and the message.
static void test_text_of_a_failure(void **state) {
    (void)state;
    unsetenv("COLUMNS");
    struct ended ended = run("--bug 3 --trace t");
    check_status(&ended, 1);
    static const char *const parts[] = {
        "violation: stream-read-invalid in service-", "expected (-) and actual (+)", "  dec.  ",
        "where everyone stands", "failed: migrating-table default, bug 3"};
    const char *at = ended.out;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *part = strstr(at, parts[i]);
        if (!part)
            fail_msg("no '%s' (in this order) in '%s'", parts[i], ended.out);
        at = part;
    }
    assert_null(strchr(ended.out, '\033'));
    char *steps = strstr(ended.out, "  dec.  ");
    for (char *line = strtok(steps, "\n"); line && strncmp(line, "failed", 6) != 0;
         line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 80);
    forget(&ended);
}

// Without a debugger --break-at says what to do; so it does for a decision that there is not.
static void test_break_at_without_debugger(void **state) {
    (void)state;
    copy_golden("t");
    struct ended ended = run("--replay t --break-at 5");
    check_refused(&ended, "--break-at", "gdb --args mtcheck --replay");
    ended = run("--replay t --break-at 1000000");
    check_refused(&ended, "--break-at", "found 1000000");
}

// Waits until the traced [child] stops by a signal that is not of the timer, and returns it; 0 if
// it has ended, with its [status].
static int next_stop(pid_t child, int *status) {
    for (int number = 0;;) {
        assert_int_equal(ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)number), 0);
        assert_int_equal(waitpid(child, status, 0), child);
        if (!WIFSTOPPED(*status))
            return 0;
        number = WSTOPSIG(*status);
        if (number != SIGVTALRM)
            return number;
    }
}

// Under a debugger (here this test) the replay stops once, by SIGTRAP, and then ends as it does.
static void test_break_at_in_debugger(void **state) {
    (void)state;
    copy_golden("t");
    int status;
    pid_t child = fork_or_fail();
    assert_true(child >= 0);
    if (child == 0) {
        redirect(in_folder("out"), STDOUT_FILENO);
        redirect(in_folder("err"), STDERR_FILENO);
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1); // it cannot while it is traced
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        execl(MTCHECK_COMMAND, "mtcheck", "--replay", in_folder("t"), "--break-at", "40", NULL);
        _exit(99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status)) {
        assert_int_equal(WEXITSTATUS(status), 77); // no tracing allowed here
        skip();
    }
    assert_int_equal(next_stop(child, &status), SIGTRAP);
    char *told = read_text(in_folder("err"));
    assert_non_null(strstr(told, "mtcheck: stopped at decision 40: "));
    free(told);
    assert_int_equal(next_stop(child, &status), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_malformed_options),
        TEST(test_files_are_written),
        TEST(test_clean_campaign_writes_no_page),
        TEST(test_files_that_cannot_be_written),
        TEST(test_text_of_a_failure),
        TEST(test_break_at_without_debugger),
        TEST(test_break_at_in_debugger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
