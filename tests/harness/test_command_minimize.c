// The command: --minimize, --explain and --tolerant.
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/process.h"

#include "core/trace/trace.h"

#define MINIMIZE FAILING "--minimize --trace t.trace "

// A campaign minimizes its first failing trace: both files are written and named, and the smaller
// one replays to the same kind.
static void test_campaign_minimizes_its_first_trace(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE "--format json");
    check_status(&ended, 1);
    json_t *report = parse(ended.out);
    const json_t *violation = json_object_get(report, "first_violation");
    const json_t *minimized = json_object_get(report, "minimized");
    const json_t *before = json_object_get(minimized, "before");
    static const char *const names[] = {"deviations", "decisions", "preemptions", "operations"};
    for (size_t i = 0; i < 4; i++)
        assert_true(count_of(minimized, names[i]) <= count_of(before, names[i]));
    assert_true(count_of(minimized, "deviations") < count_of(before, "deviations"));
    assert_int_equal(count_of(before, "decisions"), count_of(violation, "decisions"));
    assert_true(count_of(minimized, "tries") > 1);
    assert_string_equal(text_of(violation, "trace"), "t.trace");
    assert_string_equal(text_of(minimized, "trace"), "t.trace.min");
    assert_true(json_array_size(json_object_get(report, "explanation")) >= 2);
    struct ended replayed = run("--replay t.trace.min --format json");
    check_status(&replayed, 1);
    json_t *replay = parse(replayed.out);
    assert_string_equal(text_of(json_object_get(replay, "recorded_violation"), "kind"),
                        text_of(violation, "kind"));
    json_decref(replay);
    json_decref(report);
    forget(&replayed);
    forget(&ended);
    ended = run("--replay t.trace");
    check_status(&ended, 1);
    forget(&ended);
}

// The same command gives the same files.
static void test_minimizing_repeats(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE "--quiet");
    check_status(&ended, 1);
    assert_string_equal(ended.out, "");
    forget(&ended);
    char *first = read_text(in_folder("t.trace.min"));
    ended = run("--replay t.trace --minimize --quiet");
    check_status(&ended, 1);
    forget(&ended);
    char *second = read_text(in_folder("t.trace.min"));
    assert_true(strlen(first) > 100);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

// Text: what it was and is, both files, and why it fails.
static void test_minimized_text(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE);
    check_status(&ended, 1);
    assert_non_null(strstr(ended.out, "minimized in "));
    assert_non_null(strstr(ended.out, "--replay 't.trace' --verbose"));
    assert_non_null(strstr(ended.out, "--replay 't.trace.min' --verbose"));
    assert_non_null(strstr(ended.out, "\nexplanation\n   1  "));
    assert_non_null(strstr(ended.out, "That is the violation, program-error in service-"));
    assert_string_equal(ended.err, ""); // no progress: that is no terminal
    forget(&ended);
}

static void test_clean_campaign_has_nothing_to_minimize(void **state) {
    (void)state;
    struct ended ended = run("--iterations 10 --minimize --format json");
    check_status(&ended, 0);
    json_t *report = parse(ended.out);
    assert_null(json_object_get(report, "minimized"));
    json_decref(report);
    forget(&ended);
}

static void test_explain_a_replay(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE "--quiet");
    forget(&ended);
    ended = run("--replay t.trace.min --explain");
    check_status(&ended, 1);
    assert_true(strncmp(ended.out, "reproduced: program-error in ", 29) == 0);
    assert_non_null(strstr(ended.out, "\nexplanation\n   1  "));
    assert_non_null(strstr(ended.out, "The nearest execution that passes parts from this one"));
    forget(&ended);
}

// Takes the [index]-th decision out of a trace, whose checksum then fits again.
static void drop_decision(const char *name, uint32_t index) {
    struct sct_trace trace;
    struct error error;
    assert_true(sct_trace_read(in_folder(name), &trace, &error));
    assert_true(index < trace.decision_count);
    trace.decision_count--;
    memmove(trace.decisions + index, trace.decisions + index + 1,
            (trace.decision_count - index) * sizeof *trace.decisions);
    char *text = sct_trace_format(&trace);
    assert_true(sct_trace_write(in_folder(name), text, &error));
    free(text);
    sct_trace_free(&trace);
}

// A recording that lacks a decision is not replayed strictly, but tolerantly: it says where it left
// the recording.
static void test_tolerant_replay(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE "--quiet");
    forget(&ended);
    ended = run("--replay t.trace --tolerant");
    check_status(&ended, 1);
    assert_null(strstr(ended.out, "left the recording"));
    forget(&ended);
    drop_decision("t.trace", 3);
    ended = run("--replay t.trace");
    check_status(&ended, 4);
    forget(&ended);
    ended = run("--replay t.trace --tolerant --format json");
    json_t *report = parse(ended.out);
    assert_int_equal(count_of(report, "left_at"), 3);
    bool is_reproduced = json_is_true(json_object_get(report, "reproduced"));
    check_status(&ended, is_reproduced ? 1 : 4);
    json_decref(report);
    forget(&ended);
    ended = run("--replay t.trace --tolerant");
    assert_non_null(strstr(ended.out, "left the recording at decision 3: "));
    forget(&ended);
}

// A trace that is not reproduced is not minimized.
static void test_minimizing_what_does_not_reproduce(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE "--quiet");
    forget(&ended);
    unlink(in_folder("t.trace.min"));
    drop_decision("t.trace", 3);
    ended = run("--replay t.trace --minimize");
    check_status(&ended, 4);
    assert_true(access(in_folder("t.trace.min"), F_OK) != 0);
    forget(&ended);
}

static void test_minimized_trace_that_cannot_be_written(void **state) {
    (void)state;
    struct ended ended = run(FAILING "--minimize --format json --trace /dev/full");
    check_status(&ended, 1);
    json_t *report = parse(ended.out);
    assert_true(json_is_null(json_object_get(json_object_get(report, "minimized"), "trace")));
    assert_non_null(strstr(ended.err, "here is the minimized trace:\nmtcheck-trace "));
    json_decref(report);
    forget(&ended);
}

// Ctrl-C while a trace is being minimized: status 130, and the best so far is written, which still
// fails the same way. The trace is one whose minimisation takes thousands of tries, and the signal
// comes as soon as the process listens to it, which it does when it begins.
static void test_interrupted_minimisation(void **state) {
    (void)state;
    struct ended ended =
        run("--model schema-upgrade --test over-migration --bug 1 --trace t.trace --quiet");
    check_status(&ended, 1);
    forget(&ended);
    char line[] = "--replay t.trace --minimize --format json";
    pid_t child = start(split(line), "stdout");
    await_handler(child, SIGINT);
    kill(child, SIGINT);
    ended = finish(child);
    check_status(&ended, 130);
    json_t *report = parse(ended.out);
    const json_t *minimized = json_object_get(report, "minimized");
    assert_true(json_is_false(json_object_get(minimized, "complete")));
    assert_string_equal(text_of(minimized, "trace"), "t.trace.min");
    json_decref(report);
    forget(&ended);
    ended = run("--replay t.trace.min");
    check_status(&ended, 1);
    assert_non_null(strstr(ended.out, "reproduced: update-lost in "));
    forget(&ended);
}

// The page and the text report are about the minimized execution: the explanation is in the page,
// and both traces are named.
static void test_reports_about_the_minimum(void **state) {
    (void)state;
    struct ended ended = run(MINIMIZE "--report page.html");
    check_status(&ended, 1);
    assert_non_null(strstr(ended.out, "where everyone stands"));
    assert_true(strstr(ended.out, "\nexplanation\n") < strstr(ended.out, "where everyone stands"));
    forget(&ended);
    struct sct_trace trace;
    struct error error;
    char decisions[40];
    assert_true(sct_trace_read(in_folder("t.trace.min"), &trace, &error));
    snprintf(decisions, sizeof decisions, "\"decisions\":%u,", (unsigned)trace.decision_count);
    sct_trace_free(&trace);
    char *page = read_text(in_folder("page.html"));
    assert_non_null(strstr(page, decisions));
    assert_non_null(strstr(page, "\"is_minimized\":true"));
    assert_non_null(strstr(page, "--replay 't.trace.min' --verbose"));
    assert_non_null(strstr(page, "--replay 't.trace' --verbose  # before it was minimized"));
    assert_non_null(strstr(page, "\"explanation\":[\""));
    free(page);
    ended = run("--replay t.trace.min --tolerant --explain --report again.html");
    check_status(&ended, 1);
    forget(&ended);
    page = read_text(in_folder("again.html"));
    assert_non_null(strstr(page, decisions));
    assert_non_null(strstr(page, "\"is_minimized\":false"));
    assert_non_null(strstr(page, "\"explanation\":[\""));
    free(page);
}

static void test_options_that_contradict(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"--tolerant", "--tolerant: expected --replay"},
        {"--explain", "--explain: expected --replay"},
        {"--list bugs --minimize", "--list and --minimize contradict"},
        {"--minimize=yes", "--minimize: expected no value"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct ended ended = run(lines[i][0]);
        check_refused(&ended, lines[i][0], lines[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_campaign_minimizes_its_first_trace),
        TEST(test_minimizing_repeats),
        TEST(test_minimized_text),
        TEST(test_clean_campaign_has_nothing_to_minimize),
        TEST(test_explain_a_replay),
        TEST(test_tolerant_replay),
        TEST(test_minimizing_what_does_not_reproduce),
        TEST(test_minimized_trace_that_cannot_be_written),
        TEST(test_interrupted_minimisation),
        TEST(test_reports_about_the_minimum),
        TEST(test_options_that_contradict),
    };
    return cmocka_run_group_tests_name("command_minimize", tests, NULL, NULL);
}
