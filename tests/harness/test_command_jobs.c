// The command as several processes: jobs, shards, checkpoints, signals, and its reports for CI.
#define _GNU_SOURCE // prctl, open_memstream
#include "tests/harness/reports.h"

#include "core/base/arena.h"
#include "core/jobs/checkpoint.h"
#include "harness/report/campaign/report_ci.h"
#include "harness/models.h"
#include "harness/cli/version.h"

#include <sys/prctl.h>
#include <sys/resource.h>

// Workers take ranges of 256 executions. Under AddressSanitizer, which takes fifty times as long,
// there are fewer: those that keep going are still in more ranges than there are workers.
#if ARENA_POISONS
#define FEW "1100"
#define SEVERAL "1900"
#define MANY "3000"
#else
#define FEW "2100"
#define SEVERAL "3000"
#define MANY "6000"
#endif

#define KEEP_GOING "--bug 6 --keep-going --iterations " SEVERAL " --format json "

// ---- Jobs and shards ---------------------------------------------------------------------------

// The reports and the traces are the same for any number of workers: clean, to the first
// violation, and to the end; and 0 is some number.
static void test_jobs_change_nothing(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int status;
    } campaigns[] = {
        {"--iterations " FEW " --format json ", 0},
        {"--bug 3 --iterations 2000 --format json ", 1},
        {KEEP_GOING, 1},
    };
    static const char *const jobs[] = {"-j 2", "-j 7", "-j0"};
    for (size_t i = 0; i < sizeof campaigns / sizeof campaigns[0]; i++) {
        json_t *alone = run_report(campaigns[i].line, campaigns[i].status);
        size_t traces = trace_count();
        for (size_t j = 0; j < sizeof jobs / sizeof jobs[0]; j++) {
            char line[200];
            snprintf(line, sizeof line, "%s%s", campaigns[i].line, jobs[j]);
            json_t *together = run_report(line, campaigns[i].status);
            assert_same_report(together, alone);
            json_decref(together);
        }
        assert_int_equal(trace_count(), traces); // the same names
        json_decref(alone);
    }
}

// Every worker writes what one process would: the bytes of each group's trace.
static void test_jobs_write_the_same_traces(void **state) {
    (void)state;
    json_decref(run_report(KEEP_GOING "--trace one", 1));
    json_decref(run_report(KEEP_GOING "--trace two -j 3", 1));
    char *one = read_text(in_folder("one")), *two = read_text(in_folder("two"));
    assert_true(strlen(one) > 1000);
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static void test_bad_values(void **state) {
    (void)state;
    static const struct {
        const char *line, *needle;
    } cases[] = {
        {"--jobs -1", "--jobs: expected a number from 0 to 256, found '-1'"},
        {"-j 257", "found '257'"},
        {"-j two", "found 'two'"},
        {"--shard 3", "--shard: expected I/N with 0 <= I < N, found '3'"},
        {"--shard 3/3", "found '3/3'"},
        {"--shard 0/0", "found '0/0'"},
        {"--shard -1/3", "found '-1/3'"},
        {"--shard /3", "found '/3'"},
        {"--shard 1/3/5", "found '1/3/5'"},
        {"--shard 1/3 --only-iteration 4", "--only-iteration and --shard contradict"},
        {"--checkpoint c --only-iteration 4", "--checkpoint and --only-iteration contradict"},
        {"--replay t --jobs 2", "--replay and --jobs contradict"},
        {"--list bugs --junit j", "--list and --junit contradict"},
        {"--checkpoint /no/such/folder/c", "checkpoint '/no/such/folder/c': No such file"},
        {"--checkpoint /dev/full", "checkpoint '/dev/full': No space left on device"},
        {"--resume nothing", "checkpoint 'nothing': No such file"},
        {"--resume c --seed 3", "--resume and --seed contradict"},
        {"--resume c --bug 3", "--resume and --bug contradict"},
        {"--resume c --iterations 3", "--resume and --iterations contradict"},
        {"--resume c --shard 1/2", "--resume and --shard contradict"},
        {"--resume c --checkpoint d", "--resume and --checkpoint contradict"},
        {"--resume c --keep-going", "--resume and --keep-going contradict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run(cases[i].line);
        check_refused(&ended, cases[i].line, cases[i].needle);
    }
}

static struct ended run_merge(const char *words) {
    char line[1200];
    snprintf(line, sizeof line, "cd %s && exec %s %s >stdout 2>stderr", folder, MTCHECK_MERGE,
             words);
    unlink(in_folder("stdout"));
    int status = system(line);
    assert_true(WIFEXITED(status));
    return (struct ended){.status = WEXITSTATUS(status),
                          .out = read_text(in_folder("stdout")),
                          .err = read_text(in_folder("stderr"))};
}

static void write_shards(const char *campaign, int shards, int status) {
    for (int i = 0; i < shards; i++) {
        char line[300], name[20];
        snprintf(line, sizeof line, "%s --shard %d/%d", campaign, i, shards);
        struct ended ended = run(line);
        check_status(&ended, status);
        snprintf(name, sizeof name, "%d.json", i);
        write_text(name, ended.out, strlen(ended.out));
        forget(&ended);
    }
}

// The whole campaign's report is that of one process, where the header of merge.h claims it.
static void test_merged_shards_are_the_whole(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int status;
    } campaigns[] = {{"--iterations 1001 --format json --test fast16 --seed 5", 0},
                     {KEEP_GOING, 1}};
    for (size_t i = 0; i < sizeof campaigns / sizeof campaigns[0]; i++) {
        json_t *whole = run_report(campaigns[i].line, campaigns[i].status);
        write_shards(campaigns[i].line, 3, campaigns[i].status);
        struct ended ended = run_merge("2.json 0.json 1.json");
        check_status(&ended, campaigns[i].status);
        json_t *merged = report_of(ended.out);
        json_int_t distinct = count_of(whole, "distinct_behaviours");
        assert_true(count_of(merged, "distinct_behaviours") <= distinct);
        assert_true(count_of(merged, "distinct_behaviours_at_most") >= distinct);
        json_int_t estimate = count_of(merged, "distinct_behaviours_estimate");
        assert_in_range(estimate, distinct - distinct / 30, distinct + distinct / 30);
        json_object_del(merged, "distinct_behaviours_at_most");
        json_object_del(merged, "distinct_behaviours_estimate");
        json_object_set(merged, "distinct_behaviours",
                        json_object_get(whole, "distinct_behaviours"));
        assert_same_report(merged, whole);
        json_decref(merged);
        json_decref(whole);
        forget(&ended);
    }
}

// Shards that stop at a violation: the first of all, and the rate, are still those of one process.
static void test_merged_first_violation(void **state) {
    (void)state;
    static const char line[] = "--bug 3 --iterations 3000 --format json";
    json_t *whole = run_report(line, 1);
    write_shards(line, 3, 1);
    struct ended ended = run_merge("0.json 1.json 2.json");
    check_status(&ended, 1);
    json_t *merged = report_of(ended.out);
    assert_same_report(json_object_get(merged, "first_violation"),
                       json_object_get(whole, "first_violation"));
    assert_same_report(json_object_get(merged, "failure_rate"),
                       json_object_get(whole, "failure_rate"));
    json_decref(merged);
    json_decref(whole);
    forget(&ended);
}

// As another build would write it, in which the test decides differently.
static void write_foreign_shard(void) {
    char *text = read_text(in_folder("2.json"));
    json_t *report = parse(text);
    assert_int_equal(strlen(text_of(report, "probe")), 16);
    json_object_set_new(report, "probe", json_string("0123456789abcdef"));
    assert_int_equal(json_dump_file(report, in_folder("foreign.json"), 0), 0);
    json_decref(report);
    free(text);
}

// What is not all of one campaign is refused with the reason.
static void test_merge_refuses(void **state) {
    (void)state;
    write_shards("--iterations 300 --format json", 3, 0);
    struct ended other = run("--iterations 300 --format json --seed 2 --shard 2/3");
    write_text("seed.json", other.out, strlen(other.out));
    forget(&other);
    write_foreign_shard();
    write_text("list.json", "[1]", 3);
    write_text("cut.json", "{\"tool\": ", 9);
    static const struct {
        const char *words, *needle;
    } cases[] = {
        {"0.json 2.json", "expected a report of shard 1/3, found none"},
        {"0.json 1.json", "report '0.json': expected all of 3 shards, found 2"},
        {"0.json 1.json 1.json", "reports '1.json' and '1.json' are both of shard 1"},
        {"0.json 1.json seed.json", "are of different campaigns: seed"},
        {"0.json 1.json foreign.json", "are of builds in which the test decides differently"},
        {"list.json", "expected a campaign by --format json"},
        {"cut.json", "report 'cut.json': line 1:"},
        {"nothing.json", "cannot read 'nothing.json': No such file"},
        {"--bogus", "unknown option '--bogus'"},
        {"", "expected reports, found none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run_merge(cases[i].words);
        check_status(&ended, 2);
        assert_string_equal(ended.out, "");
        assert_int_equal(line_count(ended.err), 1);
        if (!strstr(ended.err, cases[i].needle))
            fail_msg("'%s': expected '%s', found '%s'", cases[i].words, cases[i].needle, ended.err);
        forget(&ended);
    }
}

// ---- Checkpoints -------------------------------------------------------------------------------

static void write_checkpoint(const char *text) {
    struct sct_checkpoint checkpoint;
    struct error error = {{0}};
    char path[200];
    snprintf(path, sizeof path, "%s", in_folder("c"));
    assert_true(sct_checkpoint_create(&checkpoint, path, text, &error));
    sct_checkpoint_close(&checkpoint);
}

// Headers of other versions, and those that make no sense, are refused, not run.
static void test_resume_of_other_checkpoints(void **state) {
    (void)state;
    char senseless[200], foreign[200], damaged[300];
    snprintf(senseless, sizeof senseless, "%s\n0\n--bogus\n", version_code);
    snprintf(foreign, sizeof foreign, "%s\n0123456789abcdef\n--seed=1\n", version_code);
    const struct {
        const char *text, *needle;
    } cases[] = {
        {"mtcheck 0.0.1\n--model=migrating-table\n", "found one of mtcheck 0.0.1"},
        {"", "found one of nothing"},
        {senseless, "checkpoint 'c': unknown option '--bogus'"},
        {foreign, "of a build in which the test decides differently"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_checkpoint(cases[i].text);
        struct ended ended = run("--resume c");
        check_refused(&ended, cases[i].text, cases[i].needle);
    }
    write_checkpoint(version_code);
    FILE *file = fopen(in_folder("c"), "r+");
    size_t size = fread(damaged, 1, sizeof damaged, file);
    fseek(file, (long)size - 3, SEEK_SET);
    fputc('#', file);
    fclose(file);
    struct ended ended = run("--resume c");
    check_refused(&ended, "damaged", "expected a file that --checkpoint has written");
}

// Killed at any moment, a campaign goes on to the same report and the same traces; resuming what is
// complete only reports it.
static void test_killed_campaigns_are_resumed(void **state) {
    (void)state;
    static const char campaign[] = "--bug 6 --keep-going --iterations " MANY " --format json ";
    json_t *expected = run_report(campaign, 1);
    size_t traces = trace_count();
    for (int round = 0; round < 3; round++) {
        for_files(".trace", remove_file);
        char line[200];
        snprintf(line, sizeof line, "%s --checkpoint c -j %d", campaign, round);
        pid_t child = start_line(line);
        wait_for_traces(1);
        sleep_ms(15 * round);
        assert_survives(child, run_report, 1, expected, traces);
    }
    json_decref(expected);
}

// A time limit that ends a campaign with violations does not end the one that goes on from there.
static void test_resume_after_a_time_limit(void **state) {
    (void)state;
    // Every execution has a violation, so the first has, which is run whatever the limit.
#define ALL_FAIL "--test case-1 --bug 1 --keep-going --iterations 600 --format json "
    json_t *expected = run_report(ALL_FAIL, 1);
    json_t *limited = run_report(ALL_FAIL "--checkpoint c --time-limit 0.000001", 1);
    assert_int_equal(count_of(limited, "iterations_run"), 1);
    json_t *resumed = run_report("--resume c --format json", 1);
    assert_same_report(resumed, expected);
    json_decref(limited);
    json_decref(resumed);
    json_decref(expected);
}

// ---- Signals -----------------------------------------------------------------------------------

#define ENDLESS "--bug 6 --keep-going --iterations unlimited --format json "

// Ctrl-C and its like: what was found is told and on disk, and no process is left behind.
static void test_interrupts(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int signal;
    } cases[] = {{ENDLESS, SIGINT},         {ENDLESS "-j 2", SIGINT},
                 {ENDLESS "-j 2", SIGTERM}, {ENDLESS, SIGHUP},
                 {ENDLESS "-j 2", SIGHUP},  {ENDLESS "-j 2 --checkpoint c", SIGINT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for_files(".trace", remove_file);
        pid_t child = start_line(cases[i].line);
        wait_for_traces(1);
        sleep_ms(50);
        kill(child, cases[i].signal);
        struct ended ended = finish(child);
        check_status(&ended, 130);
        json_t *report = parse(ended.out);
        assert_true(json_is_true(json_object_get(report, "interrupted")));
        json_t *groups = json_object_get(report, "violation_groups");
        assert_true(count_of(report, "violations") > 0);
        assert_int_equal(trace_count(), json_array_size(groups));
        assert_string_equal(ended.err, "");
        assert_no_orphans();
        json_decref(report);
        forget(&ended);
    }
}

// A worker that is killed is an error in every report, and the others end.
static void test_killed_worker(void **state) {
    (void)state;
    pid_t child = start_line("--iterations unlimited -j 2 --format json --junit j.xml");
    pid_t worker = worker_of(child);
    sleep_ms(50);
    kill(worker, SIGKILL);
    struct ended ended = finish(child);
    check_status(&ended, 3);
    assert_int_equal(line_count(ended.err), 1);
    assert_non_null(strstr(ended.err, "was killed by signal 9 in iteration "));
    json_t *report = parse(ended.out);
    assert_non_null(strstr(text_of(report, "failure"), "was killed by signal 9"));
    char *junit = read_text(in_folder("j.xml"));
    assert_non_null(strstr(junit, "errors=\"1\""));
    assert_non_null(strstr(junit, "<error type=\"tool\" message=\"worker "));
    assert_non_null(strstr(junit, "incomplete: migrating-table default"));
    assert_no_orphans();
    free(junit);
    json_decref(report);
    forget(&ended);
}

// ---- Full disks --------------------------------------------------------------------------------

// A checkpoint that cannot grow ends the campaign with the reason; what is in it can be resumed.
static void test_checkpoint_that_cannot_grow(void **state) {
    (void)state;
    // 80,000 bytes, in parts: some of them are in the file when it is full.
    static const char line[] = "--iterations 3000 --format json ";
    json_t *expected = run_report(line, 0);
    struct rlimit old, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = (struct rlimit){50000, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct ended ended = run("--iterations 3000 --quiet --checkpoint c");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    check_status(&ended, 3);
    assert_string_equal(ended.err, "mtcheck: checkpoint 'c': File too large\n");
    json_t *resumed = run_report("--resume c --format json", 0);
    assert_same_report(resumed, expected);
    json_decref(resumed);
    json_decref(expected);
    forget(&ended);
}

// A trace or a report that cannot be written: named, and never a success.
static void test_full_disk(void **state) {
    (void)state;
    struct ended ended = run(FAILING "--trace /dev/full -j 2");
    check_status(&ended, 1);
    assert_non_null(strstr(ended.err, "No space left on device; here it is:\nmtcheck-trace "));
    forget(&ended);
    ended = run(FAILING "--trace t --junit /dev/full");
    check_status(&ended, 1);
    assert_string_equal(ended.err, "mtcheck: cannot write '/dev/full': No space left on device\n");
    forget(&ended);
    ended = run("--iterations 10 --junit /dev/full");
    check_status(&ended, 3);
    forget(&ended);
}

// ---- Reports for CI ----------------------------------------------------------------------------

static bool has_xmllint(void) {
    return system("xmllint --version >/dev/null 2>&1") == 0;
}

static void assert_valid_junit(const char *name) {
    char line[1000];
    snprintf(line, sizeof line, "xmllint --noout --schema %s/tests/harness/junit.xsd '%s' 2>&1",
             source, in_folder(name));
    assert_int_equal(system(line), 0);
}

// Of a clean campaign, of one with violations and of none at all.
static void test_junit_is_valid(void **state) {
    (void)state;
    if (!has_xmllint())
        skip();
    static const struct {
        const char *line, *needle;
    } cases[] = {
        {"--iterations 10 --junit j.xml", "failures=\"0\" errors=\"0\""},
        {"--iterations 0 --junit j.xml", "tests=\"1\""},
        {"--bug 6 --iterations 3000 --keep-going --junit j.xml --trace a<&>\".trace",
         "trace a&lt;&amp;&gt;&quot;.trace"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run(cases[i].line);
        check_status(&ended, i == 2);
        char *junit = read_text(in_folder("j.xml"));
        assert_non_null(strstr(junit, cases[i].needle));
        assert_valid_junit("j.xml");
        free(junit);
        forget(&ended);
    }
}

// A campaign with one violation that says [message], as it is reported to CI.
struct example {
    struct sct_group group;
    struct sct_campaign campaign;
    struct group_trace trace;
    struct campaign_report run;
};

static void make_example(struct example *example, const char *message) {
    memset(example, 0, sizeof *example);
    example->group.violation.kind = "wrong, or worse";
    example->group.violation.where = "a,b:c.c:17";
    example->group.strategy = sct_strategy_new("random", &(struct error){{0}});
    example->group.count = 1;
    snprintf(example->group.violation.message, sizeof example->group.violation.message, "%s",
             message);
    snprintf(example->trace.path, sizeof example->trace.path, "50%%.trace");
    example->campaign =
        (struct sct_campaign){.iterations_run = 1, .violations = 1, .groups = &example->group};
    example->run =
        (struct campaign_report){.what = {.subject = models[0], .test = models[0]->tests[0]},
                                 .call = {"mtcheck", NULL},
                                 .strategy = "random",
                                 .traces = &example->trace};
}

// Bytes that XML cannot hold and texts that are not UTF-8 do not make the report invalid.
static void test_junit_of_any_bytes(void **state) {
    (void)state;
    if (!has_xmllint())
        skip();
    struct example example;
    struct error error = {{0}};
    make_example(&example, "\x01\x1b[31m ]]> \xff\xc0\x80 \xed\xa0\x80 \xef\xbf\xbe \xe2\x82");
    char path[200];
    snprintf(path, sizeof path, "%s", in_folder("j.xml"));
    assert_true(report_junit(path, &example.run, &example.campaign, &error));
    assert_valid_junit("j.xml");
    sct_strategy_free((struct sct_strategy *)(uintptr_t)example.group.strategy);
}

// Annotations: a line each, whatever is in the texts, by GitHub's rules of escaping.
static void test_github_escapes(void **state) {
    (void)state;
    struct example example;
    make_example(&example, "100 %\r\nof a:b,c::error::");
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    report_campaign_github(out, &example.run, &example.campaign);
    fclose(out);
    assert_int_equal(line_count(text), 1);
    assert_non_null(strstr(text, "::error file=a%2Cb%3Ac.c,line=17,title="));
    assert_non_null(strstr(text, "wrong%2C or worse in ::100 %25%0D%0Aof a:b,c::error::%0A"));
    assert_non_null(strstr(text, "--replay '50%25.trace'\n"));
    free(text);
    sct_strategy_free((struct sct_strategy *)(uintptr_t)example.group.strategy);
}

// The real thing: an annotation for a violation, at the place of the check, and a notice when it is
// clean.
static void test_github_format(void **state) {
    (void)state;
    struct ended ended = run(FAILING "--format github");
    check_status(&ended, 1);
    assert_true(strncmp(ended.out, "::error file=", 13) == 0);
    assert_non_null(strstr(ended.out, "harness/migrating/calls.c,line="));
    assert_non_null(strstr(ended.out, ",title=migrating-table fast16%3A program-error"));
    assert_int_equal(line_count(ended.out), 1);
    forget(&ended);
    ended = run("--iterations 100 --format github");
    check_status(&ended, 0);
    assert_true(strncmp(ended.out, "::notice title=migrating-table default::", 40) == 0);
    forget(&ended);
}

int main(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const struct CMUnitTest tests[] = {
        TEST(test_jobs_change_nothing),
        TEST(test_jobs_write_the_same_traces),
        TEST(test_bad_values),
        TEST(test_merged_shards_are_the_whole),
        TEST(test_merged_first_violation),
        TEST(test_merge_refuses),
        TEST(test_resume_of_other_checkpoints),
        TEST(test_killed_campaigns_are_resumed),
        TEST(test_resume_after_a_time_limit),
        TEST(test_interrupts),
        TEST(test_killed_worker),
        TEST(test_checkpoint_that_cannot_grow),
        TEST(test_full_disk),
        TEST(test_junit_is_valid),
        TEST(test_junit_of_any_bytes),
        TEST(test_github_escapes),
        TEST(test_github_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
