#include "tests/support/programs.h"

#include "harness/migrating/forbidden.h"
#include "harness/models.h"
#include "model/migrating/migrating.h"
#include "model/table/row.h"

static int spoiled, indices_above_0;

static void draw_one(void *argument) {
    (void)argument;
    static const char *const rows[] = {"0", "1", "2"};
    struct ct_batch batch = ct_batch_new(sct_arena(), FORBIDDEN_BATCH_ROOM);
    uint32_t count = 1 + sct_choose(3, "operations");
    for (uint32_t i = 0; i < count; i++)
        ct_batch_add(&batch, CT_INSERT,
                     ct_row_new(sct_arena(), (struct ct_key){"", rows[i]}, NULL, NULL, 0));
    const struct ct_table_limits limits = {0};
    size_t expected = 0, actual = 0;
    sct_check(!forbidden_expected(&batch, limits, &expected), "wrong",
              "a proper batch is forbidden");
    sct_check(mt_check_batch(&batch, &actual) == CT_ERROR_NONE, "wrong",
              "a proper batch is refused");
    forbidden_spoil(&batch);
    sct_check(forbidden_expected(&batch, limits, &expected), "wrong", "a spoiled batch is proper");
    sct_check(mt_check_batch(&batch, &actual) != CT_ERROR_NONE, "wrong",
              "a spoiled batch is accepted");
    sct_check(expected == actual, "wrong", "operation %zu is forbidden, not %zu", actual, expected);
    spoiled++;
    indices_above_0 += expected > 0;
}

static void one_batch(void *context) {
    (void)context;
    start("m", draw_one, NULL);
}

// What is drawn to be forbidden is, and the oracle and MigratingTable name the same operation.
static void test_spoiled_batches_are_forbidden(void **state) {
    (void)state;
    spoiled = indices_above_0 = 0;
    for (uint64_t seed = 0; seed < 1000; seed++)
        assert_passed(run_random(one_batch, seed));
    assert_int_equal(spoiled, 1000);
    // Two kinds of five are refused behind the first operation, the others in two cases of five.
    assert_true(indices_above_0 > 500 && indices_above_0 < 900);
}

static int targeted;

static void draw_filters(void *argument) {
    (void)argument;
    struct arena *arena = sct_arena();
    const struct ct_filter *rest = NULL;
    if (sct_choose(2, "rest") == 1)
        rest = ct_filter_compare_bool(arena, "a", CT_EQ, true);
    const struct ct_filter *proper = ct_filter_and(arena, ct_filter_in_partition(arena, "p"), rest);
    sct_check(!forbidden_query_expected(proper), "wrong", "a proper query is forbidden");
    const struct ct_filter *filter = forbidden_filter("p", rest);
    sct_check(forbidden_query_expected(filter), "wrong", "a spoiled query is proper");
    targeted += ct_filter_partition(proper) != NULL && ct_filter_partition(filter) == NULL;
}

static void one_query(void *context) {
    (void)context;
    start("m", draw_filters, NULL);
}

// Queries are drawn to be refused likewise: the oracle and the tables' own test agree.
static void test_spoiled_queries_are_forbidden(void **state) {
    (void)state;
    targeted = 0;
    for (uint64_t seed = 0; seed < 300; seed++)
        assert_passed(run_random(one_query, seed));
    assert_int_equal(targeted, 300);
}

static size_t forbidden_calls(const struct sct_result *result) {
    size_t calls = 0;
    for (uint32_t i = 0; i < result->decision_count; i++)
        calls += strcmp(sct_engine_decision(engine, i).label, "what is forbidden") == 0;
    return calls;
}

// The default test makes forbidden calls, and they are answered as they should be. One batch in 32
// is one; 1000 executions have about 2500 batches, so that fewer than 30 are out of the question.
static void test_default_test_makes_forbidden_calls(void **state) {
    (void)state;
    const struct subject *model = subject_find(models, "migrating-table");
    struct bug_set bugs = {0};
    const struct sct_program program =
        subject_program(model, subject_test(model, "default"), &bugs);
    struct sct_strategy *strategy = new_strategy("random");
    size_t calls = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const struct sct_result *result = run_with(strategy, &program, seed);
        assert_passed(result);
        calls += forbidden_calls(result);
    }
    sct_strategy_free(strategy);
    assert_true(calls > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_spoiled_batches_are_forbidden),
        ENGINE_TEST(test_spoiled_queries_are_forbidden),
        ENGINE_TEST(test_default_test_makes_forbidden_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
