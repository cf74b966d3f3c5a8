// Executions are functions of scenario, bug, strategy, seed and iteration, and of nothing else.
#include "tests/harness/run.h"

enum { ITERATIONS = ARENA_POISONS ? 40 : 250 };

// Every strategy that is registered, and some with parameters of their own.
static const char *const more_strategies[] = {"pct:1", "pct:2", "pct:5"};
enum { MORE = sizeof more_strategies / sizeof more_strategies[0] };

static const char *strategy_at(size_t index) {
    if (index < MORE)
        return more_strategies[index];
    const struct sct_strategy_ops *ops = sct_strategy_at(index - MORE);
    if (!ops)
        return NULL;
    return ops->is_wrapper ? "fair:pct" : ops->name;
}

static struct sct_campaign run_range(struct run *run, uint64_t first, uint64_t count) {
    struct sct_campaign campaign;
    sct_campaign_run(run->engine,
                     &(struct sct_campaign_options){.program = &run->program,
                                                    .strategy = run->strategy,
                                                    .seed = run->seed,
                                                    .first_iteration = first,
                                                    .iterations = count,
                                                    .keep_going = true},
                     &campaign);
    sct_campaign_free(&campaign);
    return campaign;
}

static void assert_same(const struct sct_campaign *a, const struct sct_campaign *b) {
    assert_true(a->fingerprint == b->fingerprint);
    assert_int_equal(a->iterations_run, b->iterations_run);
    assert_int_equal(a->violations, b->violations);
    assert_int_equal(a->decisions, b->decisions);
    assert_int_equal(a->points, b->points);
    assert_int_equal(a->distinct_behaviours, b->distinct_behaviours);
    assert_int_equal(a->step_limit_hits, b->step_limit_hits);
}

static struct sct_campaign run_once(const char *test, enum bug bug, const char *strategy,
                                    uint64_t seed) {
    struct run run;
    run_open(&run, test, bug, strategy, seed);
    struct sct_campaign campaign = run_range(&run, 0, ITERATIONS);
    run_close(&run);
    return campaign;
}

static const struct subject_test *const *tests_of_model(void) {
    return subject_find(models, MODEL_NAME)->tests;
}

// Calls [check] with every scenario of the model and every strategy.
static void for_all(void (*check)(const char *test, const char *strategy)) {
    for (size_t t = 0; tests_of_model()[t]; t++)
        for (size_t s = 0; strategy_at(s); s++)
            check(tests_of_model()[t]->name, strategy_at(s));
}

static void check_twice(const char *test, const char *strategy) {
    struct sct_campaign first = run_once(test, NO_BUG, strategy, 7);
    struct sct_campaign second = run_once(test, NO_BUG, strategy, 7);
    assert_same(&first, &second);
    assert_int_equal(first.iterations_run, ITERATIONS);
    first = run_once(test, BUG_DELETE_PRIMARY_KEY, strategy, 7);
    second = run_once(test, BUG_DELETE_PRIMARY_KEY, strategy, 7);
    assert_same(&first, &second);
}

// Every scenario under every strategy, with and without a bug, in two engines one after the other:
// the campaigns are equal in all counts and in the fingerprint.
static void test_same_twice(void **state) {
    (void)state;
    for_all(check_twice);
}

static void check_one_by_one(const char *test, const char *strategy) {
    struct run run;
    uint64_t fingerprint = 0, decisions = 0, violations = 0;
    run_open(&run, test, BUG_MISSING_ANNOTATION, strategy, 3);
    if (run.strategy->path) { // each execution of a search follows from the one before
        run_close(&run);
        return;
    }
    struct sct_campaign whole = run_range(&run, 0, ITERATIONS);
    for (uint64_t i = ITERATIONS; i-- > 0;) {
        struct sct_campaign one = run_range(&run, i, 1);
        fingerprint += one.fingerprint; // a campaign's is the sum of its iterations'
        decisions += one.decisions;
        violations += one.violations;
    }
    run_close(&run);
    assert_true(fingerprint == whole.fingerprint);
    assert_int_equal(decisions, whole.decisions);
    assert_int_equal(violations, whole.violations);
}

// Each iteration run alone, from the last to the first, is the one of the campaign.
static void test_iteration_alone(void **state) {
    (void)state;
    for_all(check_one_by_one);
}

// The fingerprint of a single iteration in a fresh engine, which has run nothing before, is the one
// in an engine that has run others.
static void test_no_memory_of_earlier_executions(void **state) {
    (void)state;
    struct run run;
    run_open(&run, "fast16", NO_BUG, "pct:3", 1);
    run_range(&run, 0, 50);
    struct sct_campaign late = run_range(&run, 123, 1);
    run_close(&run);
    run_open(&run, "fast16", NO_BUG, "pct:3", 1);
    struct sct_campaign fresh = run_range(&run, 123, 1);
    run_close(&run);
    assert_same(&late, &fresh);
}

// Another seed, scenario, strategy or iteration is another campaign.
static void test_differences(void **state) {
    (void)state;
    struct sct_campaign base = run_once("fast16", NO_BUG, "random", 1);
    struct sct_campaign other = run_once("fast16", NO_BUG, "random", 2);
    assert_true(base.fingerprint != other.fingerprint);
    other = run_once("fast16", NO_BUG, "pct:3", 1);
    assert_true(base.fingerprint != other.fingerprint);
    other = run_once("default", NO_BUG, "random", 1);
    assert_true(base.fingerprint != other.fingerprint);
    // Nearly every execution of the random workload is a behaviour of its own.
    assert_true(base.distinct_behaviours > ITERATIONS * 9 / 10);
}

// Listening to an execution does not change it.
static void note(void *context, uint32_t decision, const char *machine, const char *line) {
    (void)decision;
    (void)machine;
    *(size_t *)context += strlen(line) > 0;
}

// A narrated campaign has the fingerprint of the silent one, in every scenario.
static void test_narration_changes_nothing(void **state) {
    (void)state;
    for (size_t t = 0; tests_of_model()[t]; t++) {
        struct run run;
        size_t lines = 0;
        run_open(&run, tests_of_model()[t]->name, NO_BUG, "random", 5);
        struct sct_campaign silent = run_range(&run, 0, 30);
        sct_engine_narrate(run.engine, note, &lines);
        struct sct_campaign told = run_range(&run, 0, 30);
        run_close(&run);
        assert_same(&silent, &told);
        assert_true(lines > 30);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_twice),
        cmocka_unit_test(test_iteration_alone),
        cmocka_unit_test(test_no_memory_of_earlier_executions),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_narration_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
