// Systematic searches by the command: by several processes, killed, and going on from a checkpoint.
#define _GNU_SOURCE // prctl
#include "tests/harness/reports.h"

#include "core/base/arena.h"

#include <sys/prctl.h>

#define CACHED "--strategy dfs --test small-5-0 --format json "
#define FAULTY "--strategy dfs:delay=" DELAYS " --test case-1 --bug 1 --keep-going --format json "
#define REDUCED_CACHED "--strategy dfs --reduce sleep --test small-8-0 --format json "
#define REDUCED "--strategy dfs --reduce sleep --cache off --test small-8-0 --bug 12 --format json "

// Under AddressSanitizer, which takes fifty times as long, there are fewer of all: a search with
// two delays has 1,800 executions, all of which fail, with three 36,000.
#if ARENA_POISONS
#define DELAYS "2"
#else
#define DELAYS "3"
#endif
enum { IS_SLOW = ARENA_POISONS, ROUNDS = IS_SLOW ? 1 : 3 };

// What depends neither on time nor on how often a prefix was run.
static json_t *search_report(const char *line, int status) {
    json_t *report = run_report(line, status);
    json_object_del(report, "coverage");
    json_object_del(json_object_get(report, "exhaustive"), "states_per_second");
    return report;
}

// The same without what executions count that go other ways to the same states, in another table.
static json_t *cached_report(const char *line, int status) {
    json_t *report = search_report(line, status);
    json_object_del(report, "fingerprint");
    json_object_del(report, "decisions");
    json_object_del(json_object_get(report, "exhaustive"), "bytes_per_state");
    return report;
}

// What is left of it in a reduced search, where who tries what depends on who comes first.
static json_t *reduced_report(const char *line, int status) {
    json_t *report = cached_report(line, status), *search = json_object_get(report, "exhaustive");
    static const char *const counted[] = {"iterations_run", "distinct_behaviours", "rate",
                                          "failure_rate", "strategies"};
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        json_object_del(report, counted[i]);
    static const char *const taken[] = {"executions", "estimate", "blocked_executions", "pruned",
                                        "transitions"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        json_object_del(search, taken[i]);
    assert_true(count_of(search, "states") > 0);
    return report;
}

// ---- Jobs --------------------------------------------------------------------------------------

// Without a cache the whole report and the traces are those of one process, to the end and to the
// first violation; with one, all but what is counted along the way.
static void test_jobs_find_the_same(void **state) {
    (void)state;
    static const struct {
        const char *line;
        int status;
        json_t *(*report)(const char *line, int status);
    } searches[] = {
        {CACHED, 0, cached_report},
        {"--strategy dfs --test small-4-0 --format json ", 0, cached_report},
        {FAULTY, 1, search_report},
        {"--strategy dfs:delay=2 --test small-1-0 --bug 6 --cache off --format json ", 1,
         search_report},
        {REDUCED, 1, search_report},
        {REDUCED_CACHED, 0, reduced_report},
        {"--model schema-upgrade --strategy dfs --reduce sleep --test small-1-1 --format json ", 0,
         reduced_report},
    };
    static const char *const jobs[] = {"-j 2", "-j 3", "-j 7"};
    size_t first = IS_SLOW ? 2 : 0, last = sizeof searches / sizeof searches[0] - (IS_SLOW ? 2 : 0);
    for (size_t i = first; i < last; i++) {
        char line[200];
        snprintf(line, sizeof line, "%s--trace one", searches[i].line);
        json_t *alone = searches[i].report(searches[i].line, searches[i].status);
        json_decref(searches[i].report(line, searches[i].status));
        size_t traces = trace_count();
        for (size_t j = 0; j < ROUNDS; j++) {
            snprintf(line, sizeof line, "%s%s", searches[i].line, jobs[j]);
            json_t *together = searches[i].report(line, searches[i].status);
            assert_same_report(together, alone);
            json_decref(together);
        }
        snprintf(line, sizeof line, "%s--trace two -j 3", searches[i].line);
        json_decref(searches[i].report(line, searches[i].status));
        assert_int_equal(trace_count(), traces);
        char *one = read_text(in_folder("one")), *two = read_text(in_folder("two"));
        assert_string_equal(one, two);
        assert_true(searches[i].status == 0 || strlen(one) > 500);
        free(one);
        free(two);
        json_decref(alone);
    }
}

// What cannot be shared is said, and done by one process.
static void test_jobs_of_a_lone_search(void **state) {
    (void)state;
    struct ended ended =
        run("--strategy dfs --reduce dpor --test small-8-0 --iterations 100 -j 2 --quiet");
    assert_string_equal(ended.err,
                        "mtcheck: --jobs 2: a search with --reduce dpor runs in one process\n");
    forget(&ended);
    ended = run("--strategy dfs --test small-8-0 --iterations 100 -j 2 --quiet");
    assert_string_equal(ended.err,
                        "mtcheck: --jobs 2: a search of some iterations runs in one process\n");
    forget(&ended);
    ended = run("--strategy dfs:delay=1 --test small-8-0 -j 2 --quiet");
    assert_string_equal(ended.err, "");
    forget(&ended);
}

static void test_full_cache_of_jobs(void **state) {
    (void)state;
    struct ended ended = run("--strategy dfs --test small-1-0 --cache 64K -j 2 --format json");
    check_status(&ended, 4);
    assert_non_null(strstr(ended.err, "the state cache is full ("));
    json_t *report = parse(ended.out);
    assert_true(json_is_false(json_object_get(report, "exhausted")));
    assert_true(json_is_true(json_object_get(json_object_get(report, "exhaustive"), "cache_full")));
    json_decref(report);
    forget(&ended);
}

// ---- Signals -----------------------------------------------------------------------------------

#define ENDLESS "--strategy dfs --test small-1-0 --cache off --format json "

static void test_killed_searcher(void **state) {
    (void)state;
    pid_t child = start_line(ENDLESS "-j 2");
    pid_t worker = worker_of(child);
    sleep_ms(50);
    kill(worker, SIGKILL);
    struct ended ended = finish(child);
    check_status(&ended, 3);
    assert_int_equal(line_count(ended.err), 1);
    assert_non_null(strstr(ended.err, "was killed by signal 9 after about "));
    json_t *report = parse(ended.out);
    assert_non_null(strstr(text_of(report, "failure"), "was killed by signal 9"));
    assert_true(json_is_false(json_object_get(report, "exhausted")));
    assert_no_orphans();
    json_decref(report);
    forget(&ended);
}

// An interrupt twice within a moment, as timeout(1) sends it, is one.
static void test_interrupted_search(void **state) {
    (void)state;
    static const char *const lines[] = {ENDLESS, ENDLESS "-j 2", ENDLESS "-j 2 --checkpoint c"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        pid_t child = start_line(lines[i]);
        wait_for_executions(child);
        kill(child, SIGTERM);
        sleep_ms(5);
        kill(child, SIGTERM);
        struct ended ended = finish(child);
        check_status(&ended, 130);
        json_t *report = parse(ended.out);
        assert_true(json_is_true(json_object_get(report, "interrupted")));
        assert_true(count_of(report, "iterations_run") > 0);
        assert_string_equal(ended.err, "");
        assert_no_orphans();
        json_decref(report);
        forget(&ended);
    }
}

// Nor is it one that a stopped process, a worker or the one that they work for, never hears.
static void test_interrupted_while_stopped(void **state) {
    (void)state;
    for (int is_worker = 0; is_worker < 2; is_worker++) {
        pid_t child = start_line(ENDLESS "-j 2 --checkpoint c");
        pid_t worker = worker_of(child), stopped = is_worker ? worker : child_of(child);
        sleep_ms(100);
        assert_true(stopped > 0);
        kill(stopped, SIGSTOP);
        sleep_ms(50);
        kill(child, SIGINT);
        struct ended ended = finish(child);
        check_status(&ended, 130);
        assert_no_orphans();
        forget(&ended);
    }
}

// ---- Checkpoints -------------------------------------------------------------------------------

static void wait_for_checkpoint(void) {
    for (int i = 0; i < SECONDS_MAX * 100 && access(in_folder("c"), R_OK) != 0; i++)
        sleep_ms(10);
}

// Killed at any moment, a search goes on to the same report and the same traces; resuming what is
// complete only reports it.
static void expect_survives(const char *search, int status,
                            json_t *(*report)(const char *line, int status)) {
    for_files(".trace", remove_file); // of the search before
    json_t *expected = report(search, status);
    size_t traces = trace_count();
    for (int round = 0; round < ROUNDS; round++) {
        for_files(".trace", remove_file);
        unlink(in_folder("c"));
        char line[300];
        snprintf(line, sizeof line, "%s --checkpoint c --checkpoint-every 0.01 -j %d", search,
                 round + 1);
        pid_t child = start_line(line);
        wait_for_checkpoint();
        sleep_ms(40 + 60 * round);
        assert_survives(child, report, status, expected, traces);
    }
    json_decref(expected);
}

static void test_killed_searches_are_resumed(void **state) {
    (void)state;
    if (!IS_SLOW)
        expect_survives(CACHED, 0, cached_report);
    expect_survives(FAULTY, 1, search_report);
    if (!IS_SLOW) {
        expect_survives(REDUCED, 1, search_report);
        expect_survives(REDUCED_CACHED, 0, reduced_report);
    }
}

// A search whose cache is full goes on from its last checkpoint with a larger one.
static void test_resume_with_a_larger_cache(void **state) {
    (void)state;
    if (IS_SLOW)
        return;
    json_t *expected = cached_report(CACHED, 0);
    struct ended ended = run(CACHED "--cache 1M -j 2 --checkpoint c --checkpoint-every 0.01");
    check_status(&ended, 4);
    forget(&ended);
    json_t *resumed = cached_report("--resume c --cache 64M --format json", 0);
    assert_same_report(resumed, expected);
    json_decref(resumed);
    json_decref(expected);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *line, *needle;
    } cases[] = {
        {"--strategy dfs --test small-1-0 --reduce dpor --checkpoint c",
         "--checkpoint and --reduce dpor contradict"},
        {"--resume c --reduce sleep", "--resume and --reduce contradict"},
        {"--strategy dfs --checkpoint /no/such/folder/c", "'/no/such/folder/c': No such file"},
        {"--strategy dfs --checkpoint /dev/null", "'/dev/null': expected a file, found something"},
        {"--checkpoint-every 3", "--checkpoint-every: expected --checkpoint or --resume too"},
        {"--checkpoint c --checkpoint-every 0", "--checkpoint-every: expected a positive number"},
        {"--resume c --cache off", "--cache: the search of the checkpoint has a cache"},
        {"--resume c --strategy dfs", "--resume and --strategy contradict"},
        {"--resume torn", "checkpoint 'torn': expected a complete one of a search"},
    };
    json_decref(run_report(CACHED "--checkpoint c --iterations 1000", 0));
    char bytes[20000];
    FILE *file = fopen(in_folder("c"), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    write_text("torn", bytes, size - 100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ended ended = run(cases[i].line);
        check_refused(&ended, cases[i].line, cases[i].needle);
    }
    json_decref(run_report("--resume c --time-limit 0.01 --format json", 0));
}

int main(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const struct CMUnitTest tests[] = {
        TEST(test_jobs_find_the_same),
        TEST(test_jobs_of_a_lone_search),
        TEST(test_full_cache_of_jobs),
        TEST(test_killed_searcher),
        TEST(test_interrupted_search),
        TEST(test_interrupted_while_stopped),
        TEST(test_killed_searches_are_resumed),
        TEST(test_resume_with_a_larger_cache),
        TEST(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
