#define _GNU_SOURCE // mkdtemp
#include "tests/support/programs.h"

#include "core/base/hash.h"
#include "core/trace/trace.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// ---- A trace to work on ------------------------------------------------------------------------

static void step_and_choose(void *argument) {
    (void)argument;
    for (int i = 0; i < 3; i++) {
        step("old.execute (batch)");
        text_add(&story, "%u", sct_choose(5, "row"));
    }
}

static void last_word(void *argument) {
    step_and_choose(argument);
    sct_violation("wrong-answer", "expected '%s', got %s: in brief \"no\"", "a b", story.data);
}

static void violating(void *context) {
    (void)context;
    start("service", step_and_choose, NULL);
    start("client", last_word, NULL);
}

static void passing(void *context) {
    (void)context;
    start("service", step_and_choose, NULL);
    start("client", step_and_choose, NULL);
}

static void quiet(void *context) {
    (void)context;
}

static struct sct_trace capture(void (*setup)(void *)) {
    const struct sct_result *result = run_random(setup, 5);
    struct sct_trace trace = {
        .model = "the model",
        .test = "a test",
        .bug = "none",
        .steps_max = 10000,
        .strategy = "pct:3",
        .calibration = {.decisions_max = 17, .tasks_max = 2},
        .seed = UINT64_MAX,
        .iteration = 0,
    };
    sct_trace_capture(&trace, engine, result);
    return trace;
}

static char *text_of(void (*setup)(void *)) {
    struct sct_trace trace = capture(setup);
    char *text = sct_trace_format(&trace);
    sct_trace_free(&trace);
    return text;
}

// ---- Round trip --------------------------------------------------------------------------------

static void assert_round_trip(void (*setup)(void *)) {
    char *text = text_of(setup);
    struct sct_trace trace;
    struct error error;
    if (!sct_trace_parse(strdup(text), strlen(text), &trace, &error))
        fail_msg("%s", error.text);
    char *again = sct_trace_format(&trace);
    assert_string_equal(again, text);
    sct_trace_free(&trace);
    free(again);
    free(text);
}

// Formatting, parsing and formatting gives identical bytes, for every outcome.
static void test_trace_round_trip_is_identical(void **state) {
    (void)state;
    assert_round_trip(violating);
    assert_round_trip(passing);
    assert_round_trip(quiet);
    assert_round_trip(endless_tasks);
}

// Parsing gives back every field that formatting was given.
static void test_trace_parse_gives_back_the_fields(void **state) {
    (void)state;
    struct sct_trace written = capture(violating), trace;
    struct error error;
    char *text = sct_trace_format(&written);
    assert_true(sct_trace_parse(text, strlen(text), &trace, &error));
    assert_string_equal(trace.model, written.model);
    assert_string_equal(trace.test, written.test);
    assert_string_equal(trace.bug, written.bug);
    assert_string_equal(trace.strategy, written.strategy);
    assert_int_equal(trace.steps_max, written.steps_max);
    assert_int_equal(trace.calibration.decisions_max, written.calibration.decisions_max);
    assert_int_equal(trace.calibration.tasks_max, written.calibration.tasks_max);
    assert_true(trace.seed == written.seed && trace.iteration == written.iteration);
    assert_int_equal(trace.outcome, SCT_VIOLATED);
    assert_string_equal(trace.kind, "wrong-answer");
    assert_string_equal(trace.machine, "client");
    assert_string_equal(trace.message, written.message);
    assert_true(trace.fingerprint == written.fingerprint);
    assert_int_equal(trace.decision_count, written.decision_count);
    for (uint32_t i = 0; i < trace.decision_count; i++) {
        assert_int_equal(trace.decisions[i].kind, written.decisions[i].kind);
        assert_int_equal(trace.decisions[i].count, written.decisions[i].count);
        assert_int_equal(trace.decisions[i].answer, written.decisions[i].answer);
    }
    sct_trace_free(&trace);
    sct_trace_free(&written);
}

// A captured trace does not depend on the engine: it survives further runs and the engine's end.
static void test_trace_outlives_the_engine(void **state) {
    open_engine(state);
    struct sct_trace trace = capture(violating);
    char *text = sct_trace_format(&trace);
    char message[1024];
    strcpy(message, trace.message);
    run_random(passing, 1);
    close_engine(state);
    assert_string_equal(trace.message, message);
    assert_int_equal(trace.decisions[0].kind, SCT_DECISION_SCHEDULE);
    sct_trace_free(&trace);
    free(text);
}

static const char *forgettable(char *buffer, const char *text) {
    return text ? strcpy(buffer, text) : NULL;
}

// A copy has the same text as its original, and needs nothing of it any more.
static void test_trace_copy_owns_its_texts(void **state) {
    (void)state;
    enum { COUNT = 9, BYTES = 32 };
    static const char *const words[] = {"client", "", NULL, "old.execute (batch)"};
    char buffers[COUNT][3][BYTES];
    struct sct_decision decisions[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        decisions[i] = (struct sct_decision){
            .kind = i % 2 ? SCT_DECISION_VALUE : SCT_DECISION_SCHEDULE,
            .count = 3,
            .answer = i % 3,
            .machine = forgettable(buffers[i][0], words[i % 4]),
            .label = forgettable(buffers[i][1], i % 2 ? "" : "row"),
            .where = forgettable(buffers[i][2], words[(i + 1) % 4]),
        };
    struct sct_trace original = {.decision_count = COUNT, .decisions = decisions}, copy;
    strcpy(original.message, "the message");
    char *expected = sct_trace_format(&original);
    sct_trace_copy(&copy, &original);
    memset(&original, 'x', sizeof original);
    memset(buffers, 'x', sizeof buffers);
    memset(decisions, 'x', sizeof decisions);
    char *found = sct_trace_format(&copy);
    assert_string_equal(found, expected);
    assert_string_equal(copy.message, "the message");
    assert_string_equal(copy.decisions[0].where, "");
    assert_true(copy.decisions[1].where == NULL);
    assert_string_equal(copy.decisions[2].where, "old.execute (batch)");
    assert_true(copy.decisions[2].machine == NULL);
    sct_trace_free(&copy);
    free(expected);
    free(found);
}

// ---- Damaged texts -----------------------------------------------------------------------------

// A copy of [text] in which the first [from] is [to].
static char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("the trace has no '%s'", from);
    size_t before = (size_t)(at - text), bytes = strlen(text) + strlen(to) + 1;
    char *result = malloc(bytes);
    snprintf(result, bytes, "%.*s%s%s", (int)before, text, to, at + strlen(from));
    return result;
}

// The last line, which holds the checksum.
static char *last_line(char *text) {
    char *at = text + strlen(text) - 1;
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

// Replaces the checksum by the right one, so that only the damage itself is wrong.
static void reseal(char *text) {
    char *line = last_line(text);
    char checksum[32];
    snprintf(checksum, sizeof checksum, "checksum %016" PRIx64 "\n",
             hash_bytes(text, (size_t)(line - text)));
    assert_int_equal(strlen(line), strlen(checksum));
    strcpy(line, checksum);
}

// Takes [text] over; the error must be one line and say [part], which names the place.
static void assert_rejected(char *text, size_t length, const char *part) {
    struct sct_trace trace;
    struct error error = {{0}};
    if (sct_trace_parse(text, length, &trace, &error))
        fail_msg("accepted, though there is an error: %s", part);
    if (!strstr(error.text, part) || strchr(error.text, '\n'))
        fail_msg("'%s' does not say '%s'", error.text, part);
    sct_trace_free(&trace);
}

// One change of a good trace, with a right checksum, is refused in the line where it stands.
static void test_trace_parse_names_the_damaged_line(void **state) {
    (void)state;
    const struct {
        const char *from, *to, *place;
    } edits[] = {
        {"mtcheck-trace 2", "mtcheck-trace 3", "line 1:"},
        {"mtcheck-trace 2", "mtcheck-trace 02x", "line 1:"},
        {"mtcheck-trace 2", "mtcheck-trace 2\r", "line 1:"},
        {"mtcheck-trace 2", "\xef\xbb\xbfmtcheck-trace 2", "line 1:"},
        {"mtcheck-trace 2\n", "", "line 1:"},
        {"model the model", "mode the model", "line 2:"},
        {"model the model", "model ", "line 2:"},
        {"model the model\n", "", "line 2:"},
        {"test a test", "test", "line 3:"},
        {"max-steps 10000", "max-steps -1", "line 5:"},
        {"max-steps 10000", "max-steps 100000001", "line 5:"},
        {"max-steps 10000", "max-steps 10000 ", "line 5:"},
        {"calibration 17 2", "calibration 17", "line 7:"},
        {"calibration 17 2", "calibration 17 2 3", "line 7:"},
        {"seed 18446744073709551615", "seed 18446744073709551616", "line 8:"},
        {"seed 18446744073709551615", "seed 0x1", "line 8:"},
        {"seed 18446744073709551615", "seed 184467440737095516150000", "line 8:"},
        {"iteration 0", "iteration +0", "line 9:"},
        {"outcome violation", "outcome diverged", "line 10:"},
        {"outcome violation", "outcome passed", "line 11:"},
        {"kind wrong-answer\n", "", "line 11:"},
        {"fingerprint ", "fingerprint G", "line 14:"},
        {"decisions ", "decisions 4294967295\nwere ", "line 15:"},
        {"decisions ", "decisions 9999999999999999999", "line 15:"},
        {"decisions ", "decisions 1", "line "},
        {"\n0 schedule 2", "\n1 schedule 2", "line 16:"},
        {"\n0 schedule 2", "\n0 Schedule 2", "line 16:"},
        {"\n0 schedule 2", "\n0 schedule 1", "line 16:"},
        {"\n0 schedule 2 ", "\n0 schedule 2 2", "line 16:"},
        {"\n0 schedule 2 ", "\n0 schedule 2  ", "line 16:"},
        {"\n0 schedule 2 ", "\n0 schedule 32768 ", "line 16:"},
        {"\n0 schedule 2 ", "\n\n0 schedule 2 ", "line 16:"},
    };
    char *text = text_of(violating);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *damaged = replace(text, edits[i].from, edits[i].to);
        reseal(damaged);
        assert_rejected(damaged, strlen(damaged), edits[i].place);
    }
    free(text);
}

// A name longer than a trace can hold is refused, not cut.
static void test_trace_parse_refuses_a_long_name(void **state) {
    (void)state;
    char name[200] = "model ";
    memset(name + 6, 'x', 100);
    char *text = text_of(violating);
    char *damaged = replace(text, "model the model", name);
    reseal(damaged);
    assert_rejected(damaged, strlen(damaged), "line 2:");
    free(text);
}

// A text cut off at any byte is refused in a line that exists, or the one behind the last.
static void test_trace_parse_refuses_every_truncation(void **state) {
    (void)state;
    char *text = text_of(violating);
    size_t lines = 0;
    for (size_t length = 0; length < strlen(text); length++) {
        char place[32];
        snprintf(place, sizeof place, "line %zu:", lines + 1);
        assert_rejected(strndup(text, length), length, place);
        lines += text[length] == '\n';
    }
    free(text);
}

// Any bit that flips in any byte is noticed.
static void test_trace_parse_refuses_every_flipped_bit(void **state) {
    (void)state;
    char *text = text_of(violating);
    size_t length = strlen(text);
    for (size_t i = 0; i < 8 * length; i++) {
        char *damaged = strdup(text);
        damaged[i / 8] = (char)(damaged[i / 8] ^ 1 << i % 8);
        assert_rejected(damaged, length, "line ");
    }
    free(text);
}

// A NUL byte in the middle does not hide what follows.
static void test_trace_parse_refuses_a_nul_byte(void **state) {
    (void)state;
    char *text = text_of(violating);
    size_t length = strlen(text);
    char *damaged = strdup(text);
    strchr(damaged, '\n')[1] = '\0';
    assert_rejected(damaged, length, "line 2: expected text, found a NUL byte");
    // Behind the end too: the file has it.
    char *longer = calloc(1, length + 2);
    strcpy(longer, text);
    assert_rejected(longer, length + 1, "found a NUL byte");
    free(text);
}

// Where line [number] of [text] begins.
static const char *line_at(const char *text, size_t number) {
    while (number-- > 1)
        text = strchr(text, '\n') + 1;
    return text;
}

// [text] with line [number] [copies] times.
static char *with_line_copies(const char *text, size_t number, int copies) {
    const char *line = line_at(text, number), *next = line_at(text, number + 1);
    char *result = calloc(1, 2 * strlen(text) + 1);
    strncat(result, text, (size_t)(line - text));
    while (copies-- > 0)
        strncat(result, line, (size_t)(next - line));
    return strcat(result, next);
}

// A line that is missing or there twice is noticed, whichever it is.
static void test_trace_parse_refuses_lost_and_doubled_lines(void **state) {
    (void)state;
    char *text = text_of(violating);
    size_t lines = 0;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    for (size_t number = 1; number <= lines; number++) {
        char *lost = with_line_copies(text, number, 0);
        assert_rejected(lost, strlen(lost), "line ");
        char *doubled = with_line_copies(text, number, 2);
        assert_rejected(doubled, strlen(doubled), "line ");
    }
    free(text);
}

// The whole file with the line ends of another system is not taken for a trace.
static void test_trace_parse_refuses_crlf(void **state) {
    (void)state;
    char *text = text_of(violating);
    char *damaged = calloc(1, 2 * strlen(text) + 1), *out = damaged;
    for (const char *in = text; *in; in++) {
        if (*in == '\n')
            *out++ = '\r';
        *out++ = *in;
    }
    assert_rejected(damaged, strlen(damaged), "line 1:");
    free(text);
}

static void assert_refuses_addition(const char *addition) {
    char *text = text_of(violating);
    char *damaged = calloc(1, strlen(text) + strlen(addition) + 1);
    strcat(strcpy(damaged, text), addition);
    assert_rejected(damaged, strlen(damaged), "line ");
    free(text);
}

// Whatever follows the checksum is refused.
static void test_trace_parse_refuses_additions(void **state) {
    (void)state;
    assert_refuses_addition("\n");
    assert_refuses_addition(" ");
    assert_refuses_addition("x");
    assert_refuses_addition("more\n");
    assert_refuses_addition("more\nand more\n");
    assert_refuses_addition("checksum 0123456789abcdef\n");
}

// A checksum of the right form but of another text is told apart from other damage.
static void test_trace_parse_explains_a_wrong_checksum(void **state) {
    (void)state;
    char *text = text_of(violating);
    char *damaged = replace(text, "bug none", "bug some");
    struct sct_trace trace;
    struct error error;
    assert_false(sct_trace_parse(damaged, strlen(damaged), &trace, &error));
    assert_non_null(strstr(error.text, "wrong checksum"));
    sct_trace_free(&trace);
    free(text);
}

// Nothing at all is no trace.
static void test_trace_parse_refuses_nothing(void **state) {
    (void)state;
    assert_rejected(strdup(""), 0, "line 1:");
    assert_rejected(strdup("\n"), 1, "line 1:");
}

// ---- Files -------------------------------------------------------------------------------------

static char folder[64];

static char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int open_engine_and_folder(void **state) {
    strcpy(folder, "/tmp/mtcheck-trace-XXXXXX");
    return mkdtemp(folder) ? open_engine(state) : -1;
}

static int close_engine_and_folder(void **state) {
    unlink(path_of("a.trace"));
    rmdir(folder);
    return close_engine(state);
}

static size_t files_in_folder(void) {
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

// What was written is read back, over an older file too, and no other file is left behind.
static void test_trace_write_and_read_are_inverse(void **state) {
    (void)state;
    struct error error;
    void (*const programs[])(void *) = {violating, passing, violating};
    for (int i = 0; i < 3; i++) {
        char *text = text_of(programs[i]);
        assert_true(sct_trace_write(path_of("a.trace"), text, &error));
        assert_int_equal(files_in_folder(), 1);
        struct sct_trace trace;
        assert_true(sct_trace_read(path_of("a.trace"), &trace, &error));
        char *again = sct_trace_format(&trace);
        assert_string_equal(again, text);
        sct_trace_free(&trace);
        free(again);
        free(text);
    }
}

static void assert_not_written(const char *path) {
    struct error error = {{0}};
    assert_false(sct_trace_write(path, "text\n", &error));
    assert_non_null(strstr(error.text, path));
}

// A full device, a folder that does not exist and a folder in the file's place are errors that name
// the path.
static void test_trace_write_reports_failure(void **state) {
    (void)state;
    assert_not_written("/dev/full");
    assert_not_written(path_of("no-folder/a.trace"));
    assert_not_written(folder);
    assert_int_equal(files_in_folder(), 0);
}

// A special file is written in place.
static void test_trace_write_accepts_a_special_file(void **state) {
    (void)state;
    struct error error;
    assert_true(sct_trace_write("/dev/null", "text\n", &error));
}

static void assert_not_read(const char *path, const char *reason) {
    struct sct_trace trace;
    struct error error = {{0}};
    assert_false(sct_trace_read(path, &trace, &error));
    assert_non_null(strstr(error.text, path));
    assert_non_null(strstr(error.text, reason));
    sct_trace_free(&trace);
}

// A missing file, a folder, an empty and a damaged file are errors that name the path.
static void test_trace_read_reports_failure(void **state) {
    (void)state;
    struct error error;
    assert_not_read(path_of("none.trace"), "No such file");
    assert_not_read(folder, "Is a directory");
    assert_not_read("/dev/null", "line 1:");
    assert_true(sct_trace_write(path_of("a.trace"), "mtcheck-trace 1\nmodel x\n", &error));
    assert_not_read(path_of("a.trace"), "line 3:");
}

#define FILE_TEST(name) \
    cmocka_unit_test_setup_teardown(name, open_engine_and_folder, close_engine_and_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_trace_round_trip_is_identical),
        ENGINE_TEST(test_trace_parse_gives_back_the_fields),
        cmocka_unit_test(test_trace_outlives_the_engine),
        cmocka_unit_test(test_trace_copy_owns_its_texts),
        ENGINE_TEST(test_trace_parse_names_the_damaged_line),
        ENGINE_TEST(test_trace_parse_refuses_a_long_name),
        ENGINE_TEST(test_trace_parse_refuses_every_truncation),
        ENGINE_TEST(test_trace_parse_refuses_every_flipped_bit),
        ENGINE_TEST(test_trace_parse_refuses_a_nul_byte),
        ENGINE_TEST(test_trace_parse_refuses_lost_and_doubled_lines),
        ENGINE_TEST(test_trace_parse_refuses_crlf),
        ENGINE_TEST(test_trace_parse_refuses_additions),
        ENGINE_TEST(test_trace_parse_explains_a_wrong_checksum),
        ENGINE_TEST(test_trace_parse_refuses_nothing),
        FILE_TEST(test_trace_write_and_read_are_inverse),
        FILE_TEST(test_trace_write_reports_failure),
        FILE_TEST(test_trace_write_accepts_a_special_file),
        FILE_TEST(test_trace_read_reports_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
