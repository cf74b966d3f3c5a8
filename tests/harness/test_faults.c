#include "tests/support/programs.h"

#include "bugs/bugs.h"
#include "harness/models.h"

// What the faults of a number of executions of the default test were.
struct faults {
    size_t victims[3]; // service-0, service-1 or service-2, the migrator
    size_t count;
};

static void count_fault(struct faults *faults, const struct sct_result *result, const char *draw) {
    uint32_t victim = 0;
    for (uint32_t i = 0; i < result->decision_count; i++) {
        struct sct_decision decision = sct_engine_decision(engine, i);
        if (strcmp(decision.label, "victim") == 0)
            victim = decision.answer == decision.count - 1 ? 2 : decision.answer % 2;
        if (strcmp(decision.label, "migrator") == 0 && decision.answer > 0)
            victim = 2;
        if (strcmp(decision.label, draw) != 0)
            continue;
        faults->victims[victim]++;
        faults->count++;
    }
}

// Runs the test [count] times: nothing is wrong in any execution.
static struct faults run_test_of(const char *name, const char *test, uint64_t count,
                                 const char *draw) {
    const struct subject *model = subject_find(models, name);
    struct bug_set bugs = {0};
    const struct sct_program program = subject_program(model, subject_test(model, test), &bugs);
    struct sct_strategy *strategy = new_strategy("random");
    struct faults faults = {.count = 0};
    for (uint64_t seed = 0; seed < count; seed++) {
        const struct sct_result *result = run_with(strategy, &program, seed);
        assert_passed(result);
        count_fault(&faults, result, draw);
    }
    sct_strategy_free(strategy);
    return faults;
}

static struct faults run_default(const char *draw) {
    return run_test_of("migrating-table", "default", 4000, draw);
}

// One execution in eight has a fault, that is 500 of 4000, deviation 21; each machine has a third.
static void assert_all_are_victims(struct faults faults) {
    assert_in_range(faults.count, 400, 600);
    for (int i = 0; i < 3; i++)
        assert_in_range(faults.victims[i], 100, 240);
}

// Server errors befall every machine.
static void test_default_test_draws_server_errors(void **state) {
    (void)state;
    assert_all_are_victims(run_default("backend call that fails"));
}

// So do deaths, five of six of them the migrator's. One execution in three has one; two in three
// where machines gather at a push, which is four of nine free executions (five of twelve) and all
// chases (four of twelve). That is 2025 of 4000, deviation 32, and of them 1687 (31) of the
// migrator, four of five of which fall in a push, the others after some calls.
static void test_default_test_draws_deaths(void **state) {
    (void)state;
    struct faults pushes = run_default("deadly push");
    struct faults calls = run_default("backend calls before the death");
    assert_int_equal(pushes.count, pushes.victims[2]);
    struct faults all = {.count = pushes.count + calls.count};
    for (int i = 0; i < 3; i++)
        all.victims[i] = pushes.victims[i] + calls.victims[i];
    assert_in_range(all.count, 1910, 2140);
    for (int i = 0; i < 2; i++)
        assert_in_range(all.victims[i], 95, 230);
    assert_in_range(all.victims[2], 1570, 1810);
    assert_true(pushes.count > calls.victims[2]);
}

// Calls of the second model fail, too, in one execution of six: 333 of 2000, deviation 17.
static void test_schema_upgrade_draws_server_errors(void **state) {
    (void)state;
    static const char *const tests[] = {"default", "over-migration"};
    for (int i = 0; i < 2; i++) {
        struct faults faults = run_test_of("schema-upgrade", tests[i], 2000, "call that fails");
        assert_in_range(faults.count, 250, 420);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_default_test_draws_server_errors),
        ENGINE_TEST(test_default_test_draws_deaths),
        ENGINE_TEST(test_schema_upgrade_draws_server_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
