// The command as a process: what it writes where others write too, closed streams, text of others.
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/process.h"
#include "tests/support/fork.h"

#include "core/trace/trace.h"
#include "harness/cli/process.h"

// Runs a line of the shell in the folder; its status. $MTCHECK and $MERGE are the commands.
static int shell(const char *line) {
    char buffer[1200];
    snprintf(buffer, sizeof buffer, "cd '%s' && MTCHECK='%s' MERGE='%s' && %s", folder,
             MTCHECK_COMMAND, MTCHECK_MERGE, line);
    int status = system(buffer);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

static char *text_in_folder(const char *name) {
    return read_text(in_folder(name));
}

static void assert_no_escapes(const char *text) {
    for (const char *c = text; *c; c++)
        assert_true((unsigned char)*c >= ' ' || *c == '\n');
}

// ---- Streams -----------------------------------------------------------------------------------

// With standard error closed messages go nowhere, and not into the next file that is opened.
static void test_closed_standard_error(void **state) {
    (void)state;
    assert_int_equal(shell("\"$MTCHECK\" --bug 6 --checkpoint c --trace no/folder/t -q 2>&-"), 1);
    struct ended ended = run("--resume c --format json --trace t");
    check_status(&ended, 1);
    json_decref(parse(ended.out));
    forget(&ended);
    char *checkpoint = text_in_folder("c");
    assert_null(strstr(checkpoint, "cannot write"));
    free(checkpoint);
}

// The next file that is opened is none of the standard streams, and what is written to standard
// output, closed as it was, fails.
static void test_closed_streams_are_opened(void **state) {
    (void)state;
    pid_t child = fork_or_fail();
    if (child == 0) {
        for (int stream = 0; stream <= 2; stream++)
            close(stream);
        process_open_streams();
        int file = open("/dev/null", O_WRONLY);
        _exit(file > 2 && write(STDOUT_FILENO, "x", 1) < 0 && write(STDERR_FILENO, "x", 1) == 1);
    }
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    assert_int_equal(WEXITSTATUS(status), 1);
}

// A text that nobody gets is the tool's failure, not a violation.
static void test_help_that_cannot_be_written(void **state) {
    (void)state;
    assert_int_equal(shell("\"$MTCHECK\" --help > /dev/full 2> stderr"), 3);
    assert_int_equal(shell("\"$MERGE\" --help > /dev/full 2> stderr"), 3);
    assert_int_equal(shell("\"$MERGE\" --version > /dev/full 2> stderr"), 3);
}

// ---- Checkpoints -------------------------------------------------------------------------------

#define ENDLESS "--iterations unlimited -q --checkpoint c"

static void test_one_campaign_a_checkpoint(void **state) {
    (void)state;
    static const char *const first[] = {ENDLESS, "--strategy dfs --test small-2 -q --checkpoint c"};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        char line[200];
        strcpy(line, first[i]);
        pid_t child = start(split(line), "first");
        while (access(in_folder("c.lock"), F_OK) != 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        await_handler(child, SIGINT);
        struct ended ended = run("--iterations 5 --checkpoint c");
        check_refused(&ended, "checkpoint", "checkpoint 'c': another campaign is writing it");
        ended = run("--resume c");
        check_refused(&ended, "resume", "checkpoint 'c': another campaign is writing it");
        kill(child, SIGINT);
        ended = finish(child);
        assert_int_equal(ended.status, 130);
        forget(&ended);
        assert_int_not_equal(access(in_folder("c.lock"), F_OK), 0);
    }
    struct ended ended = run("--iterations 5 --checkpoint c -q");
    check_status(&ended, 0);
    forget(&ended);
}

// ---- Names of files ----------------------------------------------------------------------------

// The line that replays a trace can be copied to a shell, whatever the file is called.
static void test_replay_line_of_any_name(void **state) {
    (void)state;
    static const char *const names[] = {"it's here", "a$(touch gone)`b`;c", "tab\there",
                                        "\x1b[31m"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *words[] = {"mtcheck", "--bug", "6", "--trace", (char *)(uintptr_t)names[i], NULL};
        struct ended ended = finish(start(words, "stdout"));
        check_status(&ended, 1);
        assert_no_escapes(ended.out);
        char *line = strstr(ended.out, "  replay     mtcheck ");
        assert_non_null(line);
        line += strlen("  replay     mtcheck ");
        *strchr(line, '\n') = '\0';
        char script[1000];
        int length = snprintf(script, sizeof script, "\"$MTCHECK\" %s", line);
        write_text("script", script, (size_t)length);
        assert_int_equal(shell("MTCHECK=\"$MTCHECK\" bash ./script > stdout 2> stderr"), 1);
        assert_int_not_equal(access(in_folder("gone"), F_OK), 0);
        forget(&ended);
    }
}

// Errors about a file name it without what a terminal would obey.
static void test_errors_about_hostile_names(void **state) {
    (void)state;
    char *words[] = {"mtcheck", "--replay",
                     "\x1b]0;title\x07\xc2\x9b"
                     "31m",
                     NULL};
    struct ended ended = finish(start(words, "stdout"));
    assert_no_escapes(ended.err);
    assert_non_null(strstr(ended.err, " ]0;title \\xc2\\x9b31m"));
    check_refused(&ended, "hostile", "cannot read the trace");
}

static void test_hostile_history(void **state) {
    (void)state;
    static const char history[] =
        "{:process 0, :type :invoke, :f :append, :key \"\x1b[2J\", :value \"\x1b]0;x\x07\"}\n"
        "{:process 0, :type :ok, :f :append, :key \"\x1b[2J\", :value \"\x1b]0;x\x07\"}\n"
        "{:process 1, :type :invoke, :f :get, :key \"\x1b[2J\", :value nil}\n"
        "{:process 1, :type :ok, :f :get, :key \"\x1b[2J\", :value \"\x1b[1m\"}\n";
    write_text("h", history, sizeof history - 1);
    struct ended ended = run("--check-history h --history-format kv");
    check_status(&ended, 1);
    assert_no_escapes(ended.out);
    assert_non_null(strstr(ended.out, "\\x1b[1m"));
    forget(&ended);
}

// ---- Merging -----------------------------------------------------------------------------------

// Two shards with a violation each.
static void make_shards(void) {
    assert_int_equal(
        shell("for i in 0 1; do \"$MTCHECK\" --bug 6 --keep-going -i 4000 --shard $i/2 "
              "--format json --trace /dev/null > $i.json; done; true"),
        0);
}

// A report whose counts contradict each other is refused.
static void test_merge_checks_counts(void **state) {
    (void)state;
    static const struct {
        const char *edit, *needle;
    } cases[] = {
        {".violations += 1", "its violations are not those of its violation_groups"},
        {".violation_groups[0].count += 1", "its violations are not those of"},
        {".violation_groups = []", "its violations are not those of"},
        {".iterations_run = 1", "it counts more than its iterations_run"},
        {".iterations_run += 7", "its counts are not those of its strategies"},
        {".strategies[0].iterations_run += 1", "its counts are not those of its strategies"},
        {".first_violation.iteration += 2", "its first_violation is not that of"},
    };
    if (system("command -v jq > /dev/null") != 0)
        skip();
    make_shards();
    assert_int_equal(shell("\"$MERGE\" 0.json 1.json > merged.json"), 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[300];
        snprintf(line, sizeof line, "jq '%s' 1.json > x.json && \"$MERGE\" 0.json x.json 2> err",
                 cases[i].edit);
        assert_int_equal(shell(line), 2);
        char *err = text_in_folder("err");
        if (!strstr(err, cases[i].needle))
            fail_msg("%s: %s", cases[i].edit, err);
        free(err);
    }
}

// Many groups and marks: each is there once, with the sum, the groups in the order of iterations.
static void test_merge_of_much(void **state) {
    (void)state;
    if (system("command -v jq > /dev/null") != 0)
        skip();
    make_shards();
    assert_int_equal(
        shell("for i in 0 1; do jq --argjson i $i '"
              ".violation_groups[0] as $g | .strategies[0] as $s | .iterations_run = 8000 | "
              ".violations = 4000 | .step_limit_hits = 0 | .distinct_behaviours = 1 | "
              ".strategies = [$s | .iterations_run = 8000 | .violations = 4000] | "
              ".violation_groups = [range(4000) | . as $n | $g | .iteration = 2 * $n + $i | "
              ".kind = \"k\\($n)\" | .message = \"m\" | .count = 1] | "
              ".first_violation.iteration = $i | "
              ".coverage.marks = ([range(10000) | {key: \"mark \\(.)\", value: 1}] | from_entries)"
              "' $i.json > big$i.json; done"),
        0);
    assert_int_equal(shell("\"$MERGE\" big0.json big1.json > merged.json"), 1);
    assert_int_equal(
        shell("jq -e '(.violation_groups | length == 4000 and all(.count == 2) and "
              "(map(.iteration) == (map(.iteration) | sort)) and .[0].iteration == 0) and "
              "(.coverage.marks | length == 10000 and all(. == 2))' merged.json > out"),
        0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_closed_standard_error),
        TEST(test_closed_streams_are_opened),
        TEST(test_help_that_cannot_be_written),
        TEST(test_one_campaign_a_checkpoint),
        TEST(test_replay_line_of_any_name),
        TEST(test_errors_about_hostile_names),
        TEST(test_hostile_history),
        TEST(test_merge_checks_counts),
        TEST(test_merge_of_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
