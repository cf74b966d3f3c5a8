// What the command says of checks that reach a limit. The checker of histories is replaced by one
// that always does.
#define _POSIX_C_SOURCE 200809L // fileno, dup
#include "tests/support/test.h"

#include "harness/mtcheck.h"
#include "harness/table/log_check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct log_checker {
    int unused;
};

struct log_checker *log_checker_open(const struct lin_limits *limits) {
    static struct log_checker only;
    (void)limits;
    return &only;
}

void log_checker_close(struct log_checker *checker) {
    (void)checker;
}

enum lin_verdict log_check(struct log_checker *checker, const struct table_log *log,
                           struct text *blocked) {
    (void)checker;
    (void)log;
    (void)blocked;
    return LIN_UNKNOWN;
}

// Runs the command in this process; its exit status, and its standard output in [out].
static int run_command(char **words, int count, char *out, size_t bytes) {
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    int status = mtcheck_main(count, words);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    out[fread(out, 1, bytes - 1, file)] = '\0';
    fclose(file);
    return status;
}

static int run_history_test(const char *format, const char *jobs, char *out, size_t bytes) {
    char *words[] = {"mtcheck", "--test",     "history",  "--iterations", "200",
                     "--jobs",  (char *)jobs, "--format", (char *)format, NULL};
    return run_command(words, sizeof words / sizeof words[0] - 1, out, bytes);
}

// Each is counted, whatever the number of jobs, and is no violation: the status is 0.
static void test_unknown_checks_are_counted(void **state) {
    (void)state;
    static const char *const jobs[] = {"1", "3"};
    static char out[1 << 20];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run_history_test("json", jobs[i], out, sizeof out), 0);
        json_t *report = json_loads(out, 0, NULL);
        assert_non_null(report);
        assert_int_equal(json_integer_value(json_object_get(report, "checks_unknown")), 200);
        assert_int_equal(json_integer_value(json_object_get(report, "violations")), 0);
        json_decref(report);
    }
}

static void test_unknown_checks_are_told(void **state) {
    (void)state;
    static char out[1 << 16];
    assert_int_equal(run_history_test("text", "1", out, sizeof out), 0);
    assert_non_null(strstr(out, "200 checks reached a limit: their verdict is unknown"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_checks_are_counted),
        cmocka_unit_test(test_unknown_checks_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
