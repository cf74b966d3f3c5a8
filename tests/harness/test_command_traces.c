// The command as a process: the traces it writes, replays and refuses.
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/process.h"

#include "core/base/hash.h"
#include "core/trace/trace.h"

#include <inttypes.h>

// ---- Traces on disk ----------------------------------------------------------------------------

// Without --trace the trace has the documented name, in the working directory, and nothing else is
// left there.
static void test_default_trace_name(void **state) {
    (void)state;
    char name[200];
    struct ended ended = run(FAILING "--seed 5 --format json");
    check_status(&ended, 1);
    json_t *report = parse(ended.out);
    const json_t *violation = json_object_get(report, "first_violation");
    snprintf(name, sizeof name, "mtcheck-migrating-table-6-5-%d.trace",
             (int)count_of(violation, "iteration"));
    assert_string_equal(text_of(violation, "trace"), name);
    assert_int_equal(access(in_folder(name), R_OK), 0);
    assert_int_equal(for_files("", NULL), 3); // with stdout and stderr
    json_decref(report);
    forget(&ended);
}

// A trace that cannot be written is no reason to lose the violation: status 1, the error is named,
// and the whole trace is on standard error.
static void test_trace_to_a_full_disk(void **state) {
    (void)state;
    static const char *const places[] = {"/dev/full", "no/such/folder/x.trace"};
    static const char *const reasons[] = {"No space left on device", "No such file"};
    for (size_t i = 0; i < 2; i++) {
        char line[200];
        snprintf(line, sizeof line, FAILING "--format json --trace %s", places[i]);
        struct ended ended = run(line);
        check_status(&ended, 1);
        assert_true(strncmp(ended.err, "mtcheck: ", 9) == 0);
        assert_non_null(strstr(ended.err, places[i]));
        assert_non_null(strstr(ended.err, reasons[i]));
        char *text = strchr(ended.err, '\n') + 1;
        struct sct_trace trace;
        struct error error = {{0}};
        bool is_whole = sct_trace_parse(strdup(text), strlen(text), &trace, &error);
        if (!is_whole)
            fail_msg("%s", error.text);
        sct_trace_free(&trace);
        json_t *report = parse(ended.out);
        assert_true(
            json_is_null(json_object_get(json_object_get(report, "first_violation"), "trace")));
        json_decref(report);
        forget(&ended);
    }
}

// A passing iteration run alone is written when a trace is asked for, and replays with status 0.
static void test_trace_of_a_passing_iteration(void **state) {
    (void)state;
    struct ended ended = run("--test fast16 --only-iteration 7 --trace pass.trace");
    check_status(&ended, 0);
    forget(&ended);
    char *text = read_text(in_folder("pass.trace"));
    assert_non_null(strstr(text, "\noutcome passed\n"));
    assert_non_null(strstr(text, "\niteration 7\n"));
    free(text);
    ended = run("--replay pass.trace");
    check_status(&ended, 0);
    assert_non_null(strstr(ended.out, "reproduced: ended as recorded"));
    forget(&ended);
    ended = run("--test fast16 --only-iteration 8");
    check_status(&ended, 0);
    forget(&ended);
    assert_int_equal(for_files(".trace", NULL), 1);
}

// An iteration run alone writes the same trace as the campaign that found it.
static void test_only_iteration_is_the_campaign_s(void **state) {
    (void)state;
    char line[200];
    struct ended ended = run(FAILING "--format json --trace a.trace");
    json_t *report = parse(ended.out);
    snprintf(line, sizeof line, FAILING "--trace b.trace --only-iteration %d",
             (int)count_of(json_object_get(report, "first_violation"), "iteration"));
    json_decref(report);
    forget(&ended);
    ended = run(line);
    check_status(&ended, 1);
    forget(&ended);
    char *a = read_text(in_folder("a.trace")), *b = read_text(in_folder("b.trace"));
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void check_replays(const char *name) {
    char buffer[300];
    struct text line = text_in(buffer, sizeof buffer);
    text_add(&line, "--replay %s --quiet", name);
    struct ended ended = run(line.data);
    check_status(&ended, 1);
    forget(&ended);
}

// --keep-going writes one trace per group of violations, each of which replays.
static void test_keep_going_traces(void **state) {
    (void)state;
    struct ended ended = run("--test fast16 --bug 2 --iterations 1500 --keep-going --format json");
    check_status(&ended, 1);
    json_t *report = parse(ended.out);
    const json_t *groups = json_object_get(report, "violation_groups");
    size_t count = json_array_size(groups);
    json_int_t violations = 0;
    assert_true(count >= 2);
    assert_int_equal(count_of(report, "iterations_run"), 1500);
    for (size_t i = 0; i < count; i++) {
        const json_t *group = json_array_get(groups, i);
        violations += count_of(group, "count");
        assert_int_equal(access(in_folder(text_of(group, "trace")), R_OK), 0);
    }
    assert_int_equal(violations, count_of(report, "violations"));
    assert_int_equal(for_files(".trace", NULL), count);
    json_decref(report);
    forget(&ended);
    char names[32][256];
    count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry = readdir(entries); entry && count < 32; entry = readdir(entries))
        if (strstr(entry->d_name, ".trace"))
            snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
    closedir(entries);
    for (size_t i = 0; i < count; i++)
        check_replays(names[i]);
}

// ---- Replay ------------------------------------------------------------------------------------

static void copy_golden(const char *name) {
    char path[500];
    snprintf(path, sizeof path, "%s/tests/traces/bug-06-DeletePrimaryKey.trace", source);
    char *text = read_text(path);
    assert_true(strlen(text) > 1000);
    write_text(name, text, strlen(text));
    free(text);
}

// A good trace is reproduced with status 1, in text and JSON, and is narrated step by step.
static void test_replay(void **state) {
    (void)state;
    copy_golden("good.trace");
    struct ended ended = run("--replay good.trace");
    check_status(&ended, 1);
    assert_true(strncmp(ended.out, "reproduced: program-error in service-", 37) == 0);
    assert_string_equal(ended.err, "");
    forget(&ended);
    ended = run("--replay good.trace --format json");
    check_status(&ended, 1);
    json_t *report = parse(ended.out);
    assert_true(json_is_true(json_object_get(report, "reproduced")));
    assert_string_equal(text_of(json_object_get(report, "recorded_violation"), "kind"),
                        "program-error");
    json_decref(report);
    forget(&ended);
    ended = run("--replay good.trace --verbose");
    check_status(&ended, 1);
    assert_true(line_count(ended.out) > 30);
    assert_non_null(strstr(ended.out, "reproduced: "));
    forget(&ended);
    ended = run("--replay good.trace --quiet");
    check_status(&ended, 1);
    assert_string_equal(ended.out, "");
    forget(&ended);
}

// Replaces the last line of [text] by the right checksum; malloc.
static char *seal(const char *text) {
    size_t end = strlen(text) - 1;
    while (end > 0 && text[end - 1] != '\n')
        end--;
    char *sealed = malloc(end + 40);
    assert_non_null(sealed);
    memcpy(sealed, text, end);
    snprintf(sealed + end, 40, "checksum %016" PRIx64 "\n", hash_bytes(text, end));
    return sealed;
}

// A copy of [text] in which the first [from] is [to]; malloc.
static char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("no '%s' in the trace", from);
    char *result = malloc(strlen(text) + strlen(to) + 1);
    assert_non_null(result);
    size_t before = (size_t)(at - text);
    memcpy(result, text, before);
    sprintf(result + before, "%s%s", to, at + strlen(from));
    return result;
}

// A trace of another program does not reproduce: status 4, and the step, what was recorded and what
// happened are named.
static void test_replay_of_another_program(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
    } edits[] = {{"\nbug DeletePrimaryKey\n", "\nbug none\n"},
                 {"\nbug DeletePrimaryKey\n", "\nbug MissingAnnotation\n"},
                 {"\ntest fast16\n", "\ntest default\n"},
                 {"\nmax-steps 5000\n", "\nmax-steps 30\n"},
                 {"\noutcome violation\n", "\noutcome passed\n"},
                 {"\nmessage ", "\nmessage not "}};
    copy_golden("good.trace");
    char *good = read_text(in_folder("good.trace"));
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *edited = replace(good, edits[i].from, edits[i].to);
        if (strstr(edits[i].to, "passed")) { // has no violation, then
            char *from = strstr(edited, "kind "), *to = strstr(edited, "fingerprint ");
            memmove(from, to, strlen(to) + 1);
        }
        char *sealed = seal(edited);
        write_text("other.trace", sealed, strlen(sealed));
        free(edited);
        free(sealed);
        struct ended ended = run("--replay other.trace");
        check_status(&ended, 4);
        assert_true(strncmp(ended.out, "not reproduced: ", 16) == 0);
        bool is_named = strstr(ended.out, "recorded ") && strstr(ended.out, "met ");
        if (strstr(ended.out, "the recording ends here"))
            is_named = strstr(ended.out, " was asked for") != NULL;
        else if (strstr(ended.out, "the execution ended;"))
            is_named = strstr(ended.out, "; the recording has ") != NULL;
        if (i < 5) // the last one differs in its words only
            is_named = is_named && strstr(ended.out, "decision ");
        if (!is_named)
            fail_msg("%s: %s", edits[i].to, ended.out);
        forget(&ended);
        ended = run("--replay other.trace --format json");
        check_status(&ended, 4);
        json_t *report = parse(ended.out);
        assert_true(json_is_false(json_object_get(report, "reproduced")));
        assert_true(strlen(text_of(report, "difference")) > 10);
        json_decref(report);
        forget(&ended);
    }
    free(good);
}

// At the first question that differs from the recorded one, in its number of alternatives or its
// kind, the replay stops: that decision is named with both.
static void test_replay_stops_where_it_differs(void **state) {
    (void)state;
    static const struct {
        const char *to, *message;
    } edits[] = {
        {"\n0 schedule 3 ", "not reproduced: decision 0: recorded a schedule choice of 3 ("},
        {"\n0 value 2 ", "not reproduced: decision 0: recorded a value choice of 2 ("},
    };
    copy_golden("good.trace");
    char *good = read_text(in_folder("good.trace"));
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *edited = replace(good, "\n0 schedule 2 ", edits[i].to);
        char *sealed = seal(edited);
        write_text("other.trace", sealed, strlen(sealed));
        free(edited);
        free(sealed);
        struct ended ended = run("--replay other.trace");
        check_status(&ended, 4);
        assert_true(strncmp(ended.out, edits[i].message, strlen(edits[i].message)) == 0);
        assert_non_null(strstr(ended.out, "), met a schedule choice of 2\n"));
        forget(&ended);
    }
    free(good);
}

// ---- Damaged traces ----------------------------------------------------------------------------

static void check_damaged(const char *text, size_t length, const char *what, const char *needle) {
    write_text("damaged.trace", text, length);
    struct ended ended = run("--replay damaged.trace");
    char whole[100];
    snprintf(whole, sizeof whole, "damaged: %s", what);
    if (!strstr(ended.err, "damaged.trace"))
        fail_msg("%s: the file is not named: %s", whole, ended.err);
    check_refused(&ended, whole, needle);
}

// Traces changed in one place, some with a checksum that fits: each is refused with the number of
// the line and what was expected there.
static void test_damaged_traces(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        bool sealed;
        const char *needle;
    } edits[] = {
        {"mtcheck-trace 1", "mtcheck-trace 3", true, "line 1: expected version 1"},
        {"mtcheck-trace 1", "mtcheck-trace one", true, "line 1: expected version 1"},
        {"mtcheck-trace 1", "something else", true, "line 1: expected 'mtcheck-trace ...'"},
        {"model migrating-table\n", "", true, "line 2: expected 'model ...'"},
        {"model migrating-table", "model", true, "line 2: expected 'model ...'"},
        {"model migrating-table", "model nothing", true, "unknown model 'nothing'"},
        {"test fast16", "test nothing", true, "unknown test 'nothing'"},
        {"bug DeletePrimaryKey", "bug Nothing", true, "unknown bug 'Nothing'"},
        {"bug DeletePrimaryKey\n", "bug DeletePrimaryKey\nbug DeletePrimaryKey\n", true,
         "line 5: expected 'max-steps ...'"},
        {"max-steps 5000", "max-steps 100000001", true, "line 5: expected a number in range"},
        {"max-steps 5000", "max-steps -1", true, "line 5: expected"},
        {"calibration ", "calibration x", true, "line 7: expected two numbers"},
        {"seed 1\n", "seed 18446744073709551616\n", true, "line 8: expected"},
        {"iteration ", "iteration x", true, "line 9: expected"},
        {"outcome violation", "outcome odd", true, "line 10: expected 'outcome passed'"},
        {"outcome violation", "outcome passed", true, "line 11: expected 'fingerprint ...'"},
        {"kind program-error\n", "", true, "line 11: expected 'kind ...'"},
        {"fingerprint ", "fingerprint xyz", true, "line 14: expected"},
        {"\ndecisions ", "\ndecisions 9", true, "line "},
        {"\ndecisions ", "\ndecisions -", true, "line 15: expected"},
        {"\nchecksum ", "\n9 value 2 0 x\nchecksum ", true, "expected 'checksum ...'"},
        {"\n3 ", "\n4 ", true, "line 19: expected decision 3, found 4"},
        {"\n5 ", "\n5 odd ", true, "line 21: expected 'INDEX schedule|value"},
        {"\n0 schedule 2 ", "\n0 schedule 1 ", true, "line 16: expected an answer below"},
        {"\n0 schedule 2 ", "\n0 schedule 2 7", true, "line 16: expected an answer below"},
        {"\n0 schedule 2 ", "\n0 schedule 2 -", true, "line 16: expected"},
        {"\n0 schedule 2 ", "\n0 schedule 99999 ", true, "line 16: expected"},
        {"\n0 schedule", "\n0 value", false, "wrong checksum"},
        {"seed 1\n", "seed 2\n", false, "wrong checksum: expected"},
        {"\nchecksum ", "\nchecksum x", false, "expected"},
        {"\nchecksum ", "\nsum ", false, "expected 'checksum ...'"},
    };
    copy_golden("good.trace");
    char *good = read_text(in_folder("good.trace"));
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *edited = replace(good, edits[i].from, edits[i].to);
        char *text = edits[i].sealed ? seal(edited) : strdup(edited);
        check_damaged(text, strlen(text), edits[i].to, edits[i].needle);
        free(edited);
        free(text);
    }
    free(good);
}

// The compact lines of version 2, damaged in one place, with a checksum that fits: each is refused
// with the number of the line. Undamaged the trace is read (and not reproduced: nobody ran it).
static void test_damaged_lines_of_defaults(void **state) {
    (void)state;
    static const char whole[] =
        "mtcheck-trace 2\nmodel migrating-table\ntest fast16\nbug none\nmax-steps 5000\n"
        "strategy random\ncalibration 5 2\nseed 1\niteration 0\noutcome passed\n"
        "fingerprint 0123456789abcdef\ndecisions 7\n"
        "0 default 3: s2 a one; v3 b two; s2 a three\n"
        "3 schedule 2 1 a one\n"
        "4 default 3: v2 a x; v2 a y; v2 a z\n"
        "checksum 0\n";
    static const char form[] = "line 13: expected 'INDEX default N: s|vCOUNT LABEL; ...'";
    static const struct {
        const char *from, *to, *needle;
    } edits[] = {
        {"default 3: s2", "default 0: s2", form},
        {"default 3: s2", "default 9: s2", form},
        {"default 3: s2", "default 4: s2", form},
        {"default 3: s2", "default 2: s2", form},
        {"default 3: s2", "default three: s2", form},
        {"default 3: s2", "default -3: s2", form},
        {"default 3: s2", "default 3 s2", form},
        {"default 3: s2", "default 3:s2", form},
        {"default 3: s2", "default : s2", form},
        {"s2 a one;", "x2 a one;", form},
        {"s2 a one;", "s1 a one;", form},
        {"s2 a one;", "s a one;", form},
        {"s2 a one;", "s99999999 a one;", form},
        {"s2 a one;", "s2 ;", form},
        {"s2 a one;", "s2 a one,", form},
        {"v3 b two; ", "v3 b two;", form},
        {"v3 b two; ", "", form},
        {"s2 a three\n", "s2 a three;\n", form},
        {"s2 a three\n", "\n", form},
        {"0 default", "0 defaults", "line 13: expected 'INDEX schedule|value"},
        {"4 default", "5 default", "line 15: expected decision 4, found 5"},
        {"decisions 7", "decisions 5", "line 15: expected at most 1 decisions more, found 3"},
        {"decisions 7", "decisions 8", "line 16: expected"},
        {"trace 2", "trace 1", "line 13: expected 'INDEX schedule|value"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *edited = replace(whole, edits[i].from, edits[i].to);
        char *text = seal(edited);
        check_damaged(text, strlen(text), edits[i].to, edits[i].needle);
        free(edited);
        free(text);
    }
    char *text = seal(whole);
    write_text("whole.trace", text, strlen(text));
    free(text);
    struct ended ended = run("--replay whole.trace");
    check_status(&ended, 4);
    forget(&ended);
}

// Traces that are cut off, empty, followed by something, or no text at all.
static void test_mutilated_traces(void **state) {
    (void)state;
    copy_golden("good.trace");
    char *good = read_text(in_folder("good.trace"));
    size_t length = strlen(good);
    check_damaged("", 0, "empty", "line 1: expected 'mtcheck-trace ...', found the end");
    check_damaged("\n", 1, "one empty line", "line 1: expected");
    check_damaged(good, length - 1, "without the last newline", "cut off");
    check_damaged(good, length / 2, "half", "line ");
    check_damaged(good, length - 26, "without the checksum", "expected 'checksum ...'");
    for (size_t cut = 1; cut < length; cut += length / 23)
        check_damaged(good, cut, "cut off", "line ");
    char *more = malloc(length + 2);
    assert_non_null(more);
    sprintf(more, "%sx", good);
    check_damaged(more, length + 1, "a byte more", "line ");
    sprintf(more, "%s\n", good);
    check_damaged(more, length + 1, "a line more", "line ");
    memcpy(more, good, length);
    more[length / 2] = '\0';
    check_damaged(more, length, "a NUL byte", "NUL");
    for (size_t i = 0; i < length; i++)
        more[i] = (char)(rand() % 255 + 1);
    check_damaged(more, length, "noise", "line 1");
    free(more);
    free(good);
    struct ended ended = run("--replay .");
    check_refused(&ended, "a folder", "cannot read the trace '.': Is a directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_default_trace_name),
        TEST(test_trace_to_a_full_disk),
        TEST(test_trace_of_a_passing_iteration),
        TEST(test_only_iteration_is_the_campaign_s),
        TEST(test_keep_going_traces),
        TEST(test_replay),
        TEST(test_replay_of_another_program),
        TEST(test_replay_stops_where_it_differs),
        TEST(test_damaged_traces),
        TEST(test_damaged_lines_of_defaults),
        TEST(test_mutilated_traces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
