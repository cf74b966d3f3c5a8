// Golden traces: one recorded execution per observable bug, in tests/traces, replayed.
//
// They are the promise that a trace lives on: a change of the harness or the engine that breaks
// them breaks the traces of users, too. To record them again (from the root of the project):
//     MTCHECK_RECORD_TRACES=1 ctest --test-dir build -R harness/golden
// which takes the lowest failing iteration of seed 1 of each campaign in bug_cases.def. Commit the
// result only if you understand why the old traces had to go, alone, and say it.
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/run.h"

#include <dirent.h>

#ifdef CASES_OF_SCHEMA_UPGRADE
#define FOLDER "tests/traces/schema-upgrade/"
#elif defined CASES_OF_DUAL_WRITE
#define FOLDER "tests/traces/dual-write/"
#else
#define FOLDER "tests/traces/"
#endif

static const struct golden {
    enum bug bug;
    const char *test, *strategy, *kind;
    uint64_t budget; // of the search when recording
} golden[] = {
#define BUG_CASE(symbol, test, strategy, kind, found, budget) \
    {BUG_##symbol, test, strategy, kind, budget},
#define BUG_UNOBSERVABLE(symbol, test, strategy, runs)
#include "tests/harness/cases.def"
#undef BUG_CASE
#undef BUG_UNOBSERVABLE
};
enum { GOLDEN = sizeof golden / sizeof golden[0] };

static void golden_name(const struct golden *entry, char *name, size_t bytes) {
    const struct bug_info *info = bug_info(entry->bug);
    snprintf(name, bytes, "bug-%02d-%s.trace", info->number, info->name);
}

static void record(const struct golden *entry, const char *path) {
    struct run run;
    struct search search;
    struct error error = {{0}};
    run_open(&run, entry->test, entry->bug, entry->strategy, 1);
    run_search(&run, entry->kind, 0, entry->budget, &search);
    assert_true(search.is_found);
    char *text = sct_trace_format(&search.trace);
    bool is_written = sct_trace_write(path, text, &error);
    if (!is_written)
        print_error("%s\n", error.text);
    assert_true(is_written);
    free(text);
    sct_trace_free(&search.trace);
    run_close(&run);
}

// A golden trace says what its line in bug_cases.def says, and replays to the same violation.
static void test_golden_trace(void **state) {
    const struct golden *entry = *(const struct golden **)*state;
    char name[100], path[200];
    struct sct_trace trace;
    struct error error = {{0}};
    struct run run;
    golden_name(entry, name, sizeof name);
    snprintf(path, sizeof path, FOLDER "%s", name);
    if (getenv("MTCHECK_RECORD_TRACES"))
        record(entry, path);
    bool is_read = sct_trace_read(path, &trace, &error);
    if (!is_read)
        print_error("%s\n", error.text);
    assert_true(is_read);
    assert_string_equal(trace.model, MODEL_NAME);
    assert_string_equal(trace.test, entry->test);
    assert_string_equal(trace.bug, bug_info(entry->bug)->name);
    assert_int_equal(trace.outcome, SCT_VIOLATED);
    assert_string_equal(trace.kind, entry->kind);
    assert_int_equal(trace.seed, 1);
    run_open(&run, trace.test, entry->bug, "random", 1);
    bool is_confirmed = run_replay(&run, &trace, &error);
    if (!is_confirmed)
        print_error("%s: %s\n", path, error.text);
    assert_true(is_confirmed);
    run_close(&run);
    sct_trace_free(&trace);
}

static bool is_golden(const char *name) {
    for (size_t i = 0; i < GOLDEN; i++) {
        char expected[100];
        golden_name(&golden[i], expected, sizeof expected);
        if (strcmp(name, expected) == 0)
            return true;
    }
    return false;
}

// The folder holds golden traces only: none is left over from a bug that is gone.
static void test_no_stale_trace(void **state) {
    (void)state;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        const char *ending = strstr(entry->d_name, ".trace");
        if (ending && !is_golden(entry->d_name))
            fail_msg("unexpected: %s", entry->d_name);
    }
    closedir(folder);
}

int main(void) {
    static struct CMUnitTest tests[GOLDEN + 1];
    static const struct golden *entries[GOLDEN];
    for (size_t i = 0; i < GOLDEN; i++) {
        entries[i] = &golden[i];
        tests[i] = (struct CMUnitTest){.name = bug_info(golden[i].bug)->name,
                                       .test_func = test_golden_trace,
                                       .initial_state = (void *)&entries[i]};
    }
    tests[GOLDEN] = (struct CMUnitTest)cmocka_unit_test(test_no_stale_trace);
    return _cmocka_run_group_tests("golden", tests, GOLDEN + 1, NULL, NULL);
}
