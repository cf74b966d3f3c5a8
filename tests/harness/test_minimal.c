// The minimal traces of the optional bugs, in tests/traces/minimal, replayed; and minimisation of
// what campaigns find. To record them again: scripts/reproduce [--model MODEL] --record
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/run.h"

#include "core/trace/minimize.h"
#include "harness/report/execution/explain.h"

#include <dirent.h>

#ifdef CASES_OF_SCHEMA_UPGRADE
#define FOLDER "tests/traces/minimal/schema-upgrade/"
#define SEARCHED BUG_BLIND_UPDATE, BUG_WORKER_OVERWRITES
#elif defined CASES_OF_DUAL_WRITE
#define FOLDER "tests/traces/minimal/dual-write/"
#define OPERATIONS 6 // each of its two services makes three, whatever happens
#define SEARCHED BUG_DUAL_COPIER_OVERWRITES, BUG_DUAL_COPY_TOO_EARLY
#else
#define FOLDER "tests/traces/minimal/"
#define SEARCHED BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM, BUG_DELETE_PRIMARY_KEY
#endif

#ifndef OPERATIONS
#define OPERATIONS 3
#endif

// The goals of the medians over all bugs.
enum { DEVIATIONS_GOAL = 20, PREEMPTIONS_GOAL = 4, OPERATIONS_GOAL = OPERATIONS };

static const enum bug observable[] = {
#define BUG_CASE(symbol, test, strategy, kind, found, budget) BUG_##symbol,
#define BUG_UNOBSERVABLE(symbol, test, strategy, runs)
#include "tests/harness/cases.def"
#undef BUG_CASE
#undef BUG_UNOBSERVABLE
};
enum { OBSERVABLE = sizeof observable / sizeof observable[0] };

static void read_golden(enum bug bug, struct sct_trace *trace) {
    char path[200];
    struct error error = {{0}};
    const struct bug_info *info = bug_info(bug);
    snprintf(path, sizeof path, FOLDER "bug-%02d-%s.trace", info->number, info->name);
    if (!sct_trace_read(path, trace, &error))
        fail_msg("%s", error.text);
}

// What minimising [trace] gives.
static struct sct_minimum minimize(struct run *run, const struct sct_trace *trace,
                                   struct sct_plan *plan) {
    struct sct_replay replay;
    struct sct_minimum minimum;
    sct_replay_init(&replay, trace);
    const struct sct_minimize_options options = {
        .program = &run->program, .start = &replay.base, .seed = trace->seed};
    assert_true(sct_minimize(run->engine, &options, plan, &minimum));
    return minimum;
}

// The explanation says once what the line of [bug] does wrong, where it is passed.
static void check_bug_line(const struct explanation *explanation, const struct bug_info *bug) {
    char words[600];
    size_t count = 0;
    snprintf(words, sizeof words, "passes the line of bug %d (%s)", bug->number, bug->summary);
    for (size_t i = 0; i < explanation->count; i++)
        count += strstr(explanation->lines[i], words) != NULL;
    if (count != 1)
        fail_msg("the line of %s is told %zu times", bug->name, count);
}

// Every observable bug has one; it replays to the violation it states, and the explanation names
// the bug's line and ends in what would have to be different.
static void test_minimal_traces_replay(void **state) {
    (void)state;
    for (size_t i = 0; i < OBSERVABLE; i++) {
        struct sct_trace trace;
        struct run run;
        struct error error = {{0}};
        struct sct_plan plan = {0};
        struct explanation explanation = {0};
        struct sct_replay replay;
        read_golden(observable[i], &trace);
        assert_string_equal(trace.model, MODEL_NAME);
        assert_string_equal(trace.bug, bug_info(observable[i])->name);
        assert_int_equal(trace.outcome, SCT_VIOLATED);
        run_open(&run, trace.test, observable[i], "random", 1);
        if (!run_replay(&run, &trace, &error))
            fail_msg("%s: %s", trace.bug, error.text);
        sct_replay_init(&replay, &trace);
        sct_plan_record(run.engine, &run.program, &replay.base, 0, &plan);
        explain(
            &(struct explaining){
                .engine = run.engine, .program = &run.program, .what = &run.what, .plan = &plan},
            &explanation);
        assert_true(explanation.count >= 2);
        const char *last = explanation.lines[explanation.count - 1];
        assert_true(strstr(last, "The nearest execution that passes") ||
                    strstr(last, "differs in one answer only"));
        assert_null(strstr(last, "(the machines to take")); // but what for it has waited
        check_bug_line(&explanation, bug_info(observable[i]));
        explanation_free(&explanation);
        sct_plan_free(&plan);
        run_close(&run);
        sct_trace_free(&trace);
    }
}

static int compare(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint32_t median(uint32_t *values) {
    qsort(values, OBSERVABLE, sizeof *values, compare);
    return values[OBSERVABLE / 2];
}

// The medians keep to the goals. Measured by a follower: the traces alone do not say what a
// preemption is.
static void test_minimal_traces_are_small(void **state) {
    (void)state;
    uint32_t deviations[OBSERVABLE] = {0}, preemptions[OBSERVABLE], operations[OBSERVABLE];
    for (size_t i = 0; i < OBSERVABLE; i++) {
        struct sct_trace trace;
        struct run run;
        struct sct_replay replay;
        struct sct_follower follower;
        read_golden(observable[i], &trace);
        run_open(&run, trace.test, observable[i], "random", 1);
        sct_replay_init(&replay, &trace);
        sct_follower_init(&follower);
        follower.leader = &replay.base;
        operations[i] =
            sct_engine_run(run.engine, &run.program, &follower.base, 0)->operation_count;
        preemptions[i] = follower.preemption_count;
        for (uint32_t j = 0; j < trace.decision_count; j++)
            deviations[i] += trace.decisions[j].answer > 0;
        sct_follower_free(&follower);
        run_close(&run);
        sct_trace_free(&trace);
    }
    assert_true(median(deviations) <= DEVIATIONS_GOAL);
    assert_true(median(preemptions) <= PREEMPTIONS_GOAL);
    assert_true(median(operations) <= OPERATIONS_GOAL);
}

// A failure found by a campaign becomes smaller and stays what it is, whatever the bug.
static void test_minimizing_what_a_campaign_found(void **state) {
    (void)state;
    static const enum bug bugs[] = {SEARCHED};
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        struct run run;
        struct search search;
        struct sct_plan plan = {0};
        run_open(&run, "default", bugs[i], "pct:3", 1);
        run_search(&run, NULL, 0, 20000, &search);
        assert_true(search.is_found);
        struct sct_minimum minimum = minimize(&run, &search.trace, &plan);
        assert_string_equal(sct_engine_last_result(run.engine)->violation.kind, search.trace.kind);
        assert_true(minimum.now.operations <= minimum.before.operations);
        assert_true(minimum.now.deviations < minimum.before.deviations);
        assert_false(minimum.reached_limit);
        sct_plan_free(&plan);
        sct_trace_free(&search.trace);
        run_close(&run);
    }
}

// The folder holds one trace for each observable bug and nothing else.
static void test_no_stale_minimal_trace(void **state) {
    (void)state;
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += strstr(entry->d_name, ".trace") != NULL;
    closedir(folder);
    assert_int_equal(count, OBSERVABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minimal_traces_replay),
        cmocka_unit_test(test_minimal_traces_are_small),
        cmocka_unit_test(test_minimizing_what_a_campaign_found),
        cmocka_unit_test(test_no_stale_minimal_trace),
    };
    return cmocka_run_group_tests_name("minimal", tests, NULL, NULL);
}
