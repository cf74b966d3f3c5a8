// The command as a process: its options, exit statuses and reports.
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/process.h"

// ---- Usage -------------------------------------------------------------------------------------

// Malformed command lines of every sort: unknown names, bad and missing values, contradictions,
// options of later versions. Each is named, with what was expected.
static const struct {
    const char *line, *needle;
} malformed[] = {
    {"--bogus", "unknown option '--bogus'"},
    {"--iteration 5", "unknown option '--iteration'"},
    {"-z", "unknown option '-z'"},
    {"--", "'--'"},
    {"-", "'-'"},
    {"stray", "expected an option, found 'stray'"},
    {"--iterations", "--iterations: expected a value"},
    {"-i", "--iterations: expected a value"},
    {"--iterations x", "--iterations: expected a number or 'unlimited', found 'x'"},
    {"--iterations -1", "found '-1'"},
    {"--iterations=", "--iterations: expected"},
    {"--iterations 1.5", "found '1.5'"},
    {"-i1e5", "found '1e5'"},
    {"--iterations 18446744073709551616", "found '18446744073709551616'"},
    {"--seed 0x1ffffffffffffffff", "--seed: expected a 64-bit number"},
    {"--seed 0x", "--seed: expected"},
    {"--seed banana", "found 'banana'"},
    {"--seed 1 --seed 2", "--seed: expected once"},
    {"--bug 99", "unknown bug '99'"},
    {"--bug NoSuchBug", "unknown bug 'NoSuchBug' of model migrating-table"},
    {"--bug deleteprimarykey", "unknown bug"},
    {"--bug=", "--bug: expected"},
    {"--bug 1 --bug 2", "--bug: expected once, found it twice"},
    {"--model nothing", "unknown model 'nothing' (see --list models)"},
    {"--test nothing", "unknown test 'nothing' of model migrating-table (see --list tests)"},
    {"--strategy nothing", "unknown strategy 'nothing' (see --list strategies)"},
    {"--strategy pct:0", "'pct:0': expected a number from 1"},
    {"--strategy pct:x", "'pct:x': expected"},
    {"--strategy pct:", "'pct:': expected"},
    {"--strategy dfs:3", "'dfs:3': expected 'dfs:delay=D' or 'dfs:preempt=P'"},
    {"--strategy dfs:delay=x", "'dfs:delay=x': expected a number from 0"},
    {"--strategy fair:dfs", "'fair:dfs': expected a simple strategy inside"},
    {"--strategy dfs --only-iteration 3", "--only-iteration and --strategy dfs contradict"},
    {"--cache 1M", "--cache: expected --strategy dfs"},
    {"--strategy dfs --cache 1X", "--cache: expected 'off' or a number of bytes"},
    {"--strategy dfs --cache 0", "--cache: expected 'off' or a number"},
    {"--strategy dfs --test fast16 --cache 1M",
     "--cache: a state cache wants a program that has a digest"},
    {"--strategy dfs --shard 1/3", "--shard and --strategy dfs contradict"},
    {"--strategy random:3", "'random' takes no parameter"},
    {"--format xml", "--format: expected 'text', 'json' or 'github', found 'xml'"},
    {"--color blue", "--color: expected 'auto', 'always' or 'never', found 'blue'"},
    {"--list everything", "--list: expected"},
    {"--list bugs --model nothing", "unknown model 'nothing'"},
    {"--time-limit 0", "--time-limit: expected a positive number of seconds, found '0'"},
    {"--time-limit -1", "found '-1'"},
    {"--time-limit nan", "found 'nan'"},
    {"--time-limit 1x", "found '1x'"},
    {"--max-steps 0", "--max-steps: expected a number from 1"},
    {"--max-steps 100000001", "--max-steps: expected a number from 1"},
    {"--only-iteration x", "--only-iteration: expected an iteration's number, found 'x'"},
    {"--keep-going=yes", "--keep-going: expected no value"},
    {"-vx", "--verbose: expected no value"},
    {"--verbose --quiet", "--verbose and --quiet contradict"},
    {"--replay a --list bugs", "--replay and --list contradict"},
    {"--replay a --seed 2", "--replay and --seed contradict"},
    {"--replay a --model migrating-table", "--replay and --model contradict"},
    {"--list tests --bug 3", "--list and --bug contradict"},
    {"--only-iteration 3 --keep-going", "--only-iteration and --keep-going contradict"},
    {"--replay no-such-file", "cannot read the trace 'no-such-file': No such file"},
};

static void test_malformed_command_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct ended ended = run(malformed[i].line);
        check_refused(&ended, malformed[i].line, malformed[i].needle);
    }
}

// What contains a line break is still refused with one line.
static void test_refusal_of_several_lines(void **state) {
    (void)state;
    static const char *const options[] = {"--test", "--strategy", "--bug", "--model",
                                          "--seed", "--replay",   "--x\ny"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char *words[] = {(char *)(uintptr_t) "mtcheck", (char *)(uintptr_t)options[i],
                         (char *)(uintptr_t) "a\nmtcheck: b", NULL};
        struct ended ended = finish(start(words, "stdout"));
        check_refused(&ended, options[i], "");
    }
}

// Help and version go to standard output, with status 0.
static void test_help_and_version(void **state) {
    (void)state;
    static const struct {
        const char *line, *begin;
    } cases[] = {{"--help", "Usage: mtcheck"},
                 {"-h", "Usage: mtcheck"},
                 {"--version", "mtcheck "},
                 {"-V", "mtcheck "}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run(cases[i].line);
        check_status(&ended, 0);
        assert_true(strncmp(ended.out, cases[i].begin, strlen(cases[i].begin)) == 0);
        assert_string_equal(ended.err, "");
        forget(&ended);
    }
}

// ---- Campaigns ---------------------------------------------------------------------------------

// A bounded search of a case goes to its end: all executions without a delay, and with one.
static void test_systematic_search(void **state) {
    (void)state;
    struct ended ended = run("--strategy dfs:delay=1 --test case-11 --format json");
    check_status(&ended, 0);
    json_t *report = parse(ended.out);
    const json_t *exhaustive = json_object_get(report, "exhaustive");
    assert_true(json_is_true(json_object_get(report, "exhausted")));
    assert_true(json_is_null(json_object_get(report, "failure_rate")));
    assert_int_equal(count_of(exhaustive, "executions") + count_of(exhaustive, "repeated"),
                     count_of(report, "iterations_run"));
    assert_int_equal(count_of(json_object_get(exhaustive, "bound"), "completed"), 1);
    json_decref(report);
    forget(&ended);
    ended = run("--strategy dfs --test case-11 --iterations 10");
    check_status(&ended, 0);
    assert_non_null(strstr(ended.out, "not exhausted: about "));
    forget(&ended);
    ended = run("--strategy dfs:delay=3 --test case-1 --bug 1 --trace x.trace");
    check_status(&ended, 1);
    forget(&ended);
    ended = run("--replay x.trace");
    check_status(&ended, 1);
    forget(&ended);
}

// A state cache without room is no verdict; with room its numbers are told.
static void test_state_cache(void **state) {
    (void)state;
    struct ended ended = run("--strategy dfs --test small-1-0 --cache 64K --format json");
    check_status(&ended, 4);
    assert_non_null(strstr(ended.err, "the state cache is full"));
    forget(&ended);
    ended = run("--strategy dfs:delay=0 --test small-1-0 --format json");
    check_status(&ended, 0);
    json_t *report = parse(ended.out);
    const json_t *exhaustive = json_object_get(report, "exhaustive");
    assert_true(json_is_true(json_object_get(report, "exhausted")));
    assert_true(count_of(exhaustive, "states") > 0);
    assert_true(real_of(exhaustive, "bytes_per_state") < 25);
    json_decref(report);
    forget(&ended);
}

// What a reduced search cannot be, or not together with.
static void test_reduction_usage(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *complaint;
    } cases[] = {
        {"--strategy dfs --reduce all", "--reduce: expected 'none', 'sleep' or 'dpor'"},
        {"--reduce dpor", "--reduce: expected --strategy dfs, found 'portfolio'"},
        {"--strategy dfs:delay=1 --test small-1-0 --reduce sleep",
         "--reduce: a reduction and a bound"},
        {"--strategy dfs --test small-1-0 --reduce dpor --cache 1M",
         "--reduce: dpor and a state cache contradict each other"},
        {"--strategy dfs --reduce dpor", "--reduce: test default does not declare all"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run(cases[i].arguments);
        check_status(&ended, 2);
        assert_non_null(strstr(ended.err, cases[i].complaint));
        forget(&ended);
    }
}

// A reduced search tells what it completed and what was blocked.
static void test_reduced_search(void **state) {
    (void)state;
    struct ended ended =
        run("--strategy dfs --test small-1-0 --reduce sleep --cache off --iterations 20000 "
            "--format json");
    check_status(&ended, 0);
    json_t *report = parse(ended.out);
    const json_t *exhaustive = json_object_get(report, "exhaustive");
    assert_true(json_is_false(json_object_get(report, "exhausted")));
    assert_true(count_of(exhaustive, "blocked_executions") > 0);
    assert_int_equal(
        count_of(exhaustive, "executions") + count_of(exhaustive, "blocked_executions"), 20000);
    json_decref(report);
    forget(&ended);
    ended = run("--strategy dfs --test small-1-0 --reduce dpor --iterations 100");
    check_status(&ended, 0);
    assert_non_null(strstr(ended.out, "executions completed; "));
    forget(&ended);
    ended = run("--strategy dfs --test small-1-0 --reduce sleep --cache 1M --iterations 100");
    check_status(&ended, 0);
    assert_non_null(strstr(ended.out, ", or one with nothing left to try"));
    forget(&ended);
}

// Without a violation 0, with one 1; the text report says what was found and how to replay it.
static void test_exit_statuses(void **state) {
    (void)state;
    struct ended ended = run("--iterations 50");
    check_status(&ended, 0);
    assert_non_null(strstr(ended.out, "clean: migrating-table default, "));
    assert_non_null(strstr(ended.out, "is excluded at 95 % confidence"));
    assert_string_equal(ended.err, "");
    forget(&ended);
    ended = run("--iterations 0");
    check_status(&ended, 0);
    forget(&ended);
    ended = run(FAILING "--trace x.trace");
    check_status(&ended, 1);
    assert_non_null(strstr(ended.out, "violation: program-error in service-"));
    assert_non_null(strstr(ended.out, "--replay 'x.trace'"));
    assert_string_equal(ended.err, "");
    forget(&ended);
    ended = run(FAILING "--quiet --trace x.trace");
    check_status(&ended, 1);
    assert_string_equal(ended.out, "");
    forget(&ended);
}

// A bug is taken by number and by name, and an option's value in all its spellings.
static void test_spellings(void **state) {
    (void)state;
    static const char *const lines[] = {
        "--test fast16 --bug 6 --iterations 1000 --seed 2 --format json",
        "--test=fast16 --bug=DeletePrimaryKey --iterations=1000 --seed=0x2 --format=json",
        "--test fast16 -b 6 -i 1000 -s 2 --format json",
        "--test fast16 -b6 -i1000 -s2 --format json",
        "--test fast16 -b 06 -i 01000 -s 02 --format json",
    };
    json_t *first = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct ended ended = run(lines[i]);
        check_status(&ended, 1);
        json_t *report = parse(ended.out);
        json_object_del(report, "elapsed_seconds");
        json_object_del(report, "executions_per_second");
        assert_true(!first || json_equal(first, report));
        if (!first)
            first = json_incref(report);
        json_decref(report);
        forget(&ended);
    }
    json_decref(first);
}

static void check_rate(const json_t *report) {
    const json_t *rate = json_object_get(report, "failure_rate");
    double low = real_of(rate, "low95"), high = real_of(rate, "high95");
    double estimate = real_of(rate, "estimate");
    assert_true(0 <= low && low <= estimate && estimate <= high && high <= 1);
}

// Every field of the contract, with its type, on a failing campaign.
static void test_json_of_a_failure(void **state) {
    (void)state;
    struct ended ended = run(FAILING "--seed 18446744073709551615 --format json --trace x.trace");
    check_status(&ended, 1);
    assert_string_equal(ended.err, "");
    json_t *report = parse(ended.out);
    assert_string_equal(text_of(report, "tool"), "mtcheck");
    assert_int_equal(count_of(report, "schema_version"), 1);
    assert_string_equal(text_of(report, "model"), "migrating-table");
    assert_string_equal(text_of(report, "test"), "fast16");
    assert_string_equal(text_of(report, "seed"), "18446744073709551615");
    assert_int_equal(strlen(text_of(report, "fingerprint")), 16);
    text_of(report, "version");
    text_of(report, "strategy");
    assert_int_equal(count_of(json_object_get(report, "bug"), "id"), 6);
    assert_string_equal(text_of(json_object_get(report, "bug"), "name"), "DeletePrimaryKey");
    assert_int_equal(count_of(report, "iterations"), 1000);
    json_int_t iterations_run = count_of(report, "iterations_run");
    assert_int_equal(count_of(report, "violations"), 1);
    assert_int_equal(count_of(report, "step_limit_hits"), 0);
    assert_true(json_is_false(json_object_get(report, "exhausted")));
    assert_true(real_of(report, "elapsed_seconds") > 0);
    assert_true(real_of(report, "executions_per_second") > 0);
    assert_true(count_of(report, "decisions") > iterations_run);
    assert_true(count_of(report, "distinct_behaviours") <= iterations_run);
    check_rate(report);
    const json_t *strategy = json_array_get(json_object_get(report, "strategies"), 0);
    text_of(strategy, "name");
    assert_int_equal(count_of(strategy, "iterations_run"), iterations_run);
    assert_int_equal(count_of(strategy, "violations"), 1);
    const json_t *violation = json_object_get(report, "first_violation");
    assert_int_equal(count_of(violation, "iteration"), iterations_run - 1);
    assert_string_equal(text_of(violation, "kind"), "program-error");
    assert_true(strncmp(text_of(violation, "machine"), "service-", 8) == 0);
    assert_null(strchr(text_of(violation, "message"), '\n'));
    text_of(violation, "strategy");
    assert_true(count_of(violation, "decisions") > 0);
    assert_string_equal(text_of(violation, "trace"), "x.trace");
    json_decref(report);
    forget(&ended);
}

// A clean campaign has null where nothing was found, and the exact one-sided bound.
static void test_json_of_a_clean_run(void **state) {
    (void)state;
    struct ended ended = run("--iterations 100 --format json");
    check_status(&ended, 0);
    json_t *report = parse(ended.out);
    assert_true(json_is_null(json_object_get(report, "bug")));
    assert_true(json_is_null(json_object_get(report, "first_violation")));
    assert_int_equal(count_of(report, "iterations_run"), 100);
    assert_int_equal(count_of(report, "violations"), 0);
    check_rate(report);
    double high = real_of(json_object_get(report, "failure_rate"), "high95");
    assert_true(high > 0.0295 && high < 0.0296); // 1 - 0.05^(1/100)
    json_decref(report);
    forget(&ended);
    assert_int_equal(for_files(".trace", NULL), 0);
}

// A drawn seed is printed, and gives the same campaign when it is given.
static void test_random_seed(void **state) {
    (void)state;
    struct ended ended = run("--iterations 20 --seed random --format json");
    check_status(&ended, 0);
    json_t *drawn = parse(ended.out);
    char line[200];
    snprintf(line, sizeof line, "--iterations 20 --format json --seed %s", text_of(drawn, "seed"));
    forget(&ended);
    ended = run(line);
    json_t *given = parse(ended.out);
    assert_string_equal(text_of(drawn, "fingerprint"), text_of(given, "fingerprint"));
    forget(&ended);
    ended = run("--iterations 20 --seed random --format json");
    json_t *other = parse(ended.out);
    assert_string_not_equal(text_of(drawn, "seed"), text_of(other, "seed"));
    forget(&ended);
    json_decref(drawn);
    json_decref(given);
    json_decref(other);
}

// A time limit ends an unlimited campaign, with status 0.
static void test_time_limit(void **state) {
    (void)state;
    struct ended ended = run("--iterations unlimited --time-limit 0.2 --format json");
    check_status(&ended, 0);
    json_t *report = parse(ended.out);
    assert_true(json_is_null(json_object_get(report, "iterations")));
    assert_true(count_of(report, "iterations_run") > 0);
    assert_true(real_of(report, "elapsed_seconds") >= 0.2);
    json_decref(report);
    forget(&ended);
}

// An execution that reaches the step bound is counted and is no violation.
static void test_step_limit(void **state) {
    (void)state;
    struct ended ended = run("--iterations 10 --max-steps 20 --format json");
    check_status(&ended, 4); // none came to an end: no verdict
    json_t *report = parse(ended.out);
    assert_int_equal(count_of(report, "step_limit_hits"), 10);
    json_decref(report);
    forget(&ended);
}

// Colours only where they were asked for.
static void test_color(void **state) {
    (void)state;
    struct ended ended = run("--iterations 1");
    assert_null(strchr(ended.out, '\033'));
    forget(&ended);
    ended = run("--iterations 1 --color always");
    assert_non_null(strchr(ended.out, '\033'));
    forget(&ended);
    ended = run("--iterations 1 --color never");
    assert_null(strchr(ended.out, '\033'));
    forget(&ended);
}

// ---- Listings ----------------------------------------------------------------------------------

// Every listing as text has one line per object of its JSON, which has the fields of the contract.
static void test_list(void **state) {
    (void)state;
    static const struct {
        const char *what, *member;
        size_t count_min;
    } cases[] = {{"bugs", "QueryStreamedLock", 19},
                 {"strategies", "pct", 2},
                 {"models", "migrating-table", 1},
                 {"tests", "case-10", 6}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[100];
        bool is_found = false;
        json_int_t last_id = 0;
        snprintf(line, sizeof line, "--list %s --format json", cases[i].what);
        struct ended ended = run(line);
        check_status(&ended, 0);
        json_t *array = parse(ended.out);
        assert_true(json_array_size(array) >= cases[i].count_min);
        for (size_t k = 0; k < json_array_size(array); k++) {
            const json_t *object = json_array_get(array, k);
            is_found |= strcmp(text_of(object, "name"), cases[i].member) == 0;
            assert_true(strlen(text_of(object, "summary")) > 10);
            assert_null(strchr(text_of(object, "summary"), '\n'));
            if (i == 0) {
                assert_true(k == 0 || count_of(object, "id") > last_id); // some are not in use
                last_id = count_of(object, "id");
                assert_true(strlen(text_of(object, "kind")) > 5);
            }
        }
        assert_true(is_found);
        forget(&ended);
        *strstr(line, " --format") = '\0';
        ended = run(line);
        check_status(&ended, 0);
        assert_int_equal(line_count(ended.out), json_array_size(array));
        assert_non_null(strstr(ended.out, cases[i].member));
        json_decref(array);
        forget(&ended);
    }
}

// ---- Outputs that fail, and interruption --------------------------------------------------------

// A report that cannot be written is an error: never status 0, and it is named.
static void test_output_that_fails(void **state) {
    (void)state;
    static const char *const lines[] = {
        "--iterations 5", "--iterations 5 --format json", "--help",      "--version",
        "--list bugs",    "--list bugs --format json",    "--list tests"};
    static const char *const places[] = {"/dev/full", NULL};
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            struct ended ended = run_to(places[p], lines[i]);
            check_status(&ended, 3);
            assert_true(strncmp(ended.err, "mtcheck: cannot write the report: ", 34) == 0);
            assert_int_equal(line_count(ended.err), 1);
            forget(&ended);
        }
        struct ended ended = run_to(places[p], FAILING "--trace x.trace");
        check_status(&ended, 1); // the violation is the more important news
        assert_non_null(strstr(ended.err, "cannot write the report"));
        forget(&ended);
        ended = run_to(places[p], "--replay x.trace");
        check_status(&ended, 1);
        assert_non_null(strstr(ended.err, "cannot write the report"));
        forget(&ended);
    }
}

// Once it writes a trace, if it is to do so; else after a moment.
static void check_interruption(int number, const char *arguments, bool is_to_find) {
    char copy[200];
    strcpy(copy, arguments);
    pid_t child = start(split(copy), "stdout");
    await_handler(child, number);
    for (int i = 0; i == 0 || (is_to_find && i < 600 && for_files(".trace", NULL) == 0); i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    kill(child, number);
    struct ended ended = finish(child);
    check_status(&ended, 130);
    assert_string_equal(ended.err, "");
    json_t *report = parse(ended.out);
    assert_true(json_is_true(json_object_get(report, "interrupted")));
    check_rate(report);
    json_decref(report);
    forget(&ended);
}

// Ctrl-C in an unlimited campaign: status 130 and the report of what was done; so does SIGTERM.
static void test_interruption(void **state) {
    (void)state;
    check_interruption(SIGINT, "--iterations unlimited --format json", false);
    check_interruption(SIGTERM, "--iterations unlimited --format json", false);
    check_interruption(
        SIGINT, "--iterations unlimited --keep-going --bug 6 --format json --trace i.trace", true);
    assert_true(for_files(".trace", NULL) >= 1); // what was found is on disk
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_malformed_command_lines),
        TEST(test_refusal_of_several_lines),
        TEST(test_help_and_version),
        TEST(test_exit_statuses),
        TEST(test_systematic_search),
        TEST(test_state_cache),
        TEST(test_reduction_usage),
        TEST(test_reduced_search),
        TEST(test_spellings),
        TEST(test_json_of_a_failure),
        TEST(test_json_of_a_clean_run),
        TEST(test_random_seed),
        TEST(test_time_limit),
        TEST(test_step_limit),
        TEST(test_color),
        TEST(test_list),
        TEST(test_output_that_fails),
        TEST(test_interruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
