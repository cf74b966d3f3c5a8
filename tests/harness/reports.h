// Reports of the command, and campaigns of several processes, for tests that compare them.
//
// Needs _GNU_SOURCE.
#ifndef TESTS_HARNESS_REPORTS_H
#define TESTS_HARNESS_REPORTS_H

#include "tests/harness/process.h"
#include "core/base/number.h"

// The report without what may differ between two runs.
static inline json_t *report_of(const char *text) {
    json_t *report = parse(text);
    json_object_del(report, "elapsed_seconds");
    json_object_del(report, "executions_per_second");
    return report;
}

static inline json_t *run_report(const char *line, int status) {
    struct ended ended = run(line);
    check_status(&ended, status);
    json_t *report = report_of(ended.out);
    forget(&ended);
    return report;
}

static inline void assert_same_report(const json_t *left, const json_t *right) {
    if (json_equal(left, right))
        return;
    char *a = json_dumps(left, JSON_SORT_KEYS), *b = json_dumps(right, JSON_SORT_KEYS);
    fail_msg("the reports differ: %.600s; %.600s", a, b);
}

static inline size_t trace_count(void) {
    return for_files(".trace", NULL);
}

static inline void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static inline pid_t start_line(const char *line) {
    char copy[1000];
    snprintf(copy, sizeof copy, "%s", line);
    unlink(in_folder("stdout"));
    return start(split(copy), "stdout");
}

static inline void wait_for_traces(size_t count) {
    for (int i = 0; i < SECONDS_MAX * 100 && trace_count() < count; i++)
        sleep_ms(10);
    assert_true(trace_count() >= count);
}

// Processes whose parent ended become this one's: then none may be left, after a moment.
static inline void assert_no_orphans(void) {
    pid_t left = 0;
    for (int i = 0; i < 500 && left >= 0; i++) {
        left = waitpid(-1, NULL, WNOHANG);
        if (left == 0)
            sleep_ms(10);
    }
    assert_int_equal(left, -1);
    assert_int_equal(errno, ECHILD);
}

// Some child of that process, or 0.
static inline pid_t child_of(pid_t parent) {
    char path[100];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
    char *text = read_text(path);
    uint64_t child = 0;
    number_scan(text, 10, INT32_MAX, &child);
    free(text);
    return (pid_t)child;
}

// Some worker of the campaign that the witness [process] watches, once it has one.
static inline pid_t worker_of(pid_t process) {
    for (int i = 0; i < SECONDS_MAX * 100; i++) {
        pid_t campaign = child_of(process), worker = campaign > 0 ? child_of(campaign) : 0;
        if (worker > 0)
            return worker;
        sleep_ms(10);
    }
    fail_msg("process %d has no workers", process);
    return 0;
}

// Hundredths of a second of a processor that [process] has used; 0 if there is none.
static inline unsigned long ticks_of(pid_t process) {
    char path[100];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = process > 0 ? fopen(path, "r") : NULL;
    unsigned long user = 0, kernel = 0;
    if (file && fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                       &user, &kernel) != 2)
        user = kernel = 0;
    if (file)
        fclose(file);
    return user + kernel;
}

// Waits until the campaign that the witness [process] watches, or a worker of it, has surely run
// executions: by the time that it had, which a busy machine gives late.
static inline void wait_for_executions(pid_t process) {
    enum { TICKS = 30 };
    for (int i = 0; i < SECONDS_MAX * 100; i++) {
        pid_t campaign = child_of(process), worker = campaign > 0 ? child_of(campaign) : 0;
        if (ticks_of(campaign) >= TICKS || ticks_of(worker) >= TICKS)
            return;
        sleep_ms(10);
    }
    fail_msg("process %d does nothing", process);
}

// [child] is killed where it is. Resumed from checkpoint "c", and once more when it is complete, it
// comes to the [expected] report, by [report], and so many [traces].
static inline void assert_survives(pid_t child, json_t *(*report)(const char *line, int status),
                                   int status, const json_t *expected, size_t traces) {
    kill(child, SIGKILL);
    struct ended ended = finish(child);
    forget(&ended);
    assert_no_orphans();
    for (int again = 0; again < 2; again++) {
        json_t *resumed = report("--resume c -j 2 --format json", status);
        assert_same_report(resumed, expected);
        assert_int_equal(trace_count(), traces);
        json_decref(resumed);
    }
}

#endif
