// Every optional bug of a model: found within its budget from three seeds, replayed,
// and absent when it is not injected. The campaigns are in bug_cases.def.
#define _POSIX_C_SOURCE 200809L // strdup
#include "tests/harness/run.h"

static const uint64_t seeds[] = {1, 2, 3};
enum { MEASURED = 200000, MEASURED_LEASES = 20000 };
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

// Clean campaigns are about false alarms, of which ten times slower sanitizers find no more.
enum { CLEAN_MAX = ARENA_POISONS ? 500 : 30000 };

struct bug_case {
    enum bug bug;
    const char *test, *strategy, *kind; // no kind: nothing is found
    uint64_t found;                     // in so many as it was measured in
    uint64_t budget;
};

static const struct bug_case observable[] = {
#define BUG_CASE(symbol, test, strategy, kind, found, budget) \
    {BUG_##symbol, test, strategy, kind, found, budget},
#define BUG_UNOBSERVABLE(symbol, test, strategy, runs)
#include "tests/harness/cases.def"
#undef BUG_CASE
#undef BUG_UNOBSERVABLE
};
enum { OBSERVABLE = sizeof observable / sizeof observable[0] };

static const struct bug_case unobservable[] = {
#define BUG_CASE(symbol, test, strategy, kind, found, budget)
#define BUG_UNOBSERVABLE(symbol, test, strategy, runs) \
    {BUG_##symbol, test, strategy, NULL, 0, runs},
#include "tests/harness/cases.def"
#undef BUG_CASE
#undef BUG_UNOBSERVABLE
    {.bug = NO_BUG}, // the end: there may be none
};

// The text of a trace of the engine's last run, with the header of [like].
static char *capture_again(const struct run *run, const struct sct_trace *like) {
    struct sct_trace again = run_describe(run, like->iteration);
    sct_trace_capture(&again, run->engine, sct_engine_last_result(run->engine));
    char *text = sct_trace_format(&again);
    sct_trace_free(&again);
    return text;
}

// Writes and reads the trace and replays it twice: confirmed, and its own trace is the same text.
static void check_round_trip(struct run *run, const struct sct_trace *found) {
    char *text = sct_trace_format(found);
    struct sct_trace trace;
    struct error error = {{0}};
    if (!sct_trace_parse(strdup(text), strlen(text), &trace, &error))
        fail_msg("%s", error.text);
    for (int i = 0; i < 2; i++) {
        if (!run_replay(run, &trace, &error))
            fail_msg("%s", error.text);
        char *again = capture_again(run, &trace);
        assert_string_equal(again, text);
        free(again);
    }
    sct_trace_free(&trace);
    free(text);
}

// The bug is found within its budget from every seed, as the kind that is listed; the recorded
// execution replays to the same violation, byte by byte.
static void test_found_and_replayed(void **state) {
    const struct bug_case *bug_case = *(const struct bug_case **)*state;
    for (size_t i = 0; i < SEEDS; i++) {
        struct run run;
        struct search search;
        run_open(&run, bug_case->test, bug_case->bug, bug_case->strategy, seeds[i]);
        run_search(&run, bug_case->kind, 0, bug_case->budget, &search);
        assert_true(search.is_found);
        assert_true(run.bugs.reached[bug_case->bug] > 0);
        check_round_trip(&run, &search.trace);
        sct_trace_free(&search.trace);
        run_close(&run);
    }
}

// The recorded execution does not fail without the bug: it diverges, or ends otherwise.
static void test_not_reproduced_without_the_bug(void **state) {
    const struct bug_case *bug_case = *(const struct bug_case **)*state;
    struct run run;
    struct search search;
    struct error difference = {{0}};
    run_open(&run, bug_case->test, bug_case->bug, bug_case->strategy, 1);
    run_search(&run, bug_case->kind, 0, bug_case->budget, &search);
    assert_true(search.is_found);
    run.bugs.on = 0;
    assert_false(run_replay(&run, &search.trace, &difference));
    assert_string_not_equal(difference.text, "");
    sct_trace_free(&search.trace);
    run_close(&run);
}

// Whether an earlier case has the same clean campaign, at least as long.
static bool is_covered(size_t index) {
    for (size_t i = 0; i < OBSERVABLE; i++)
        if (i != index && strcmp(observable[i].test, observable[index].test) == 0 &&
            strcmp(observable[i].strategy, observable[index].strategy) == 0 &&
            (observable[i].budget > observable[index].budget ||
             (observable[i].budget == observable[index].budget && i < index)))
            return true;
    return false;
}

// With no bug the same campaigns find nothing, although the sites of the bugs are passed: some so
// seldom that all seeds count.
static void test_clean_without_bugs(void **state) {
    (void)state;
    for (size_t c = 0; c < OBSERVABLE; c++) {
        uint64_t budget = observable[c].budget < CLEAN_MAX ? observable[c].budget : CLEAN_MAX;
        uint64_t reached = 0;
        for (size_t i = 0; i < SEEDS && !is_covered(c); i++) {
            struct run run;
            struct search search;
            run_open(&run, observable[c].test, NO_BUG, observable[c].strategy, seeds[i]);
            struct sct_campaign campaign = run_search(&run, NULL, 0, budget, &search);
            if (search.is_found)
                print_error("%s %s seed %d: %s\n", observable[c].test, observable[c].strategy,
                            (int)seeds[i], search.trace.message);
            assert_false(search.is_found);
            assert_int_equal(campaign.iterations_run, budget);
            assert_int_equal(campaign.violations, 0);
            assert_int_equal(campaign.step_limit_hits, 0);
            reached += run.bugs.reached[observable[c].bug];
            run_close(&run);
        }
        assert_true(reached > 0 || is_covered(c));
    }
}

// A bug without observable effect: its site is passed, and nothing is found.
static void test_unobservable(void **state) {
    (void)state;
    for (size_t c = 0; unobservable[c].bug != NO_BUG; c++) {
        struct run run;
        struct search search;
        uint64_t runs = ARENA_POISONS ? unobservable[c].budget / 10 : unobservable[c].budget;
        run_open(&run, unobservable[c].test, unobservable[c].bug, unobservable[c].strategy, 1);
        run_search(&run, NULL, 0, runs, &search);
        assert_false(search.is_found);
        assert_true(run.bugs.reached[unobservable[c].bug] > 0);
        run_close(&run);
    }
}

// Every bug of the model has one line in bug_cases.def, or some as not observable.
static void test_every_bug_has_a_case(void **state) {
    (void)state;
    for (int bug = 0; bug < BUG_COUNT; bug++) {
        if (!subject_variant(subject_find(models, MODEL_NAME), bug_info((enum bug)bug)->name).name)
            continue;
        size_t found = 0, others = 0;
        for (size_t i = 0; i < OBSERVABLE; i++)
            found += observable[i].bug == (enum bug)bug;
        for (size_t i = 0; unobservable[i].bug != NO_BUG; i++)
            others += unobservable[i].bug == (enum bug)bug;
        assert_true(found + (others > 0) == 1);
    }
}

// The budgets are as large as their measured rates ask for, and not much larger.
static void test_budgets_have_their_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < OBSERVABLE; i++) {
        bool is_of_leases = strcmp(observable[i].test, "production") == 0;
        struct sct_rate rate =
            sct_rate_fixed(observable[i].found, is_of_leases ? MEASURED_LEASES : MEASURED);
        assert_true(sct_miss_probability(rate.low95, observable[i].budget) < 1e-6);
        uint64_t much_less = observable[i].budget / 3;
        assert_true(sct_miss_probability(rate.low95, much_less) > 1e-6);
    }
}

enum { SAME_FOR_ALL = 4 };

int main(void) {
    static struct CMUnitTest tests[2 * OBSERVABLE + SAME_FOR_ALL];
    static const struct bug_case *cases[OBSERVABLE];
    static char names[2 * OBSERVABLE][120];
    size_t count = 0;
    for (size_t i = 0; i < OBSERVABLE; i++) {
        const char *name = bug_info(observable[i].bug)->name;
        cases[i] = &observable[i];
        snprintf(names[count], sizeof names[0], "test_found_and_replayed %s", name);
        tests[count] = (struct CMUnitTest){.name = names[count],
                                           .test_func = test_found_and_replayed,
                                           .initial_state = (void *)&cases[i]};
        count++;
        snprintf(names[count], sizeof names[0], "test_not_reproduced_without_the_bug %s", name);
        tests[count] = (struct CMUnitTest){.name = names[count],
                                           .test_func = test_not_reproduced_without_the_bug,
                                           .initial_state = (void *)&cases[i]};
        count++;
    }
    const struct CMUnitTest same[SAME_FOR_ALL] = {
        cmocka_unit_test(test_clean_without_bugs),
        cmocka_unit_test(test_unobservable),
        cmocka_unit_test(test_every_bug_has_a_case),
        cmocka_unit_test(test_budgets_have_their_reason),
    };
    memcpy(&tests[count], same, sizeof same);
    return _cmocka_run_group_tests("bugs", tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
