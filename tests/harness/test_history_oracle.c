// The two oracles of MigratingTable side by side: what the second one says of violations, and that
// it can be told a wrong annotation from a wrong outcome.
#include "tests/harness/run.h"

#include "harness/migrating/app.h"
#include "harness/migrating/history_oracle.h"
#include "harness/migrating/workload.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

static bool begins_with(const char *text, const char *words) {
    return words && strncmp(text, words, strlen(words)) == 0;
}

// Runs the default test with [bug]: the remark of every violation of [kind] begins with [words], or
// else with [others] (NULL: of none). How many there were of the former.
static uint32_t expect_remarks(enum bug bug, const char *kind, const char *words,
                               const char *others) {
    struct run run;
    uint32_t count = 0;
    run_open(&run, "default", bug, "portfolio", 1);
    for (uint64_t i = 0; i < 2000; i++) {
        const struct sct_result *result = sct_engine_run(
            run.engine, &run.program, sct_strategy_for(run.strategy, i), sct_execution_seed(1, i));
        assert_int_equal(result->checks_unknown, 0);
        if (result->outcome != SCT_VIOLATED || strcmp(result->violation.kind, kind) != 0)
            continue;
        bool is_first = begins_with(result->violation.remark, words);
        if (!is_first && !begins_with(result->violation.remark, others))
            fail_msg("iteration %d: '%s'", (int)i, result->violation.remark);
        count += is_first;
    }
    run_close(&run);
    return count;
}

// A backend call that is not annotated stops everything: the annotations' fault, and it is said so.
static void test_missing_annotation(void **state) {
    (void)state;
    assert_true(expect_remarks(BUG_MISSING_ANNOTATION, "deadlock",
                               "the calls so far are linearizable: the annotations are at fault",
                               NULL) > 0);
}

// A query that returns an old row is wrong by the history too, unless no call has seen more yet.
static void test_wrong_outcome(void **state) {
    (void)state;
    assert_true(expect_remarks(BUG_QUERY_ATOMIC_FILTER_SHADOWING, "outcome-mismatch",
                               "by the history alone a violation too: no order of the calls "
                               "explains a query ",
                               "the calls so far are linearizable without the annotations: these "
                               "are at fault, or no outcome shows the fault yet") > 0);
}

// A row that is missing may show first where its ETag is told to have changed: that it has an
// effect is no outcome yet, and never laid on the annotations alone.
static void test_change_of_a_missing_row(void **state) {
    (void)state;
    assert_true(expect_remarks(BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES, "spurious-change-invalid",
                               "the calls so far are linearizable without the annotations: these "
                               "are at fault, or no outcome shows the fault yet",
                               "by the history alone a violation too: ") > 0);
}

// Without annotations the history finds the stale row alone.
static void test_history_alone(void **state) {
    (void)state;
    struct run run;
    struct search search;
    run_open(&run, "history", BUG_QUERY_ATOMIC_FILTER_SHADOWING, "portfolio", 1);
    run_search(&run, NULL, 0, 5000, &search);
    assert_true(search.is_found);
    assert_string_equal(search.trace.kind, "not-linearizable");
    assert_true(begins_with(search.trace.message, "no order of the calls explains a query "));
    sct_trace_free(&search.trace);
    run_close(&run);
}

// ---- A planted linearization point -------------------------------------------------------------

static struct world *world;
static void (*annotate_truly)(struct ct_env *env, const char *where,
                              const struct ct_annotation *annotation);
static size_t annotations; // of the running query

// Reports the point of every query at its first backend call, whatever the protocol says.
static void annotate_early(struct ct_env *env, const char *where,
                           const struct ct_annotation *annotation) {
    struct ct_annotation early = *annotation;
    early.linearization_point = annotations++ == 0;
    annotate_truly(env, where, &early);
}

static void query_program(struct app *app) {
    app_await_state(app, MT_PREFER_NEW, HOLD);
    app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
}

static void insert_program(struct app *app) {
    struct ct_property property = is_happy(true);
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    app_await_state(app, MT_PREFER_NEW, HOLD);
    ct_batch_add(&batch, CT_INSERT,
                 ct_row_new(sct_arena(), (struct ct_key){THE_PARTITION, "5"}, NULL, &property, 1));
    app_execute(app, &batch);
}

static void setup_planted(void *bugs) {
    struct tables_options options = {.choose = uniform_choice};
    world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    world_log(world);
    struct app *reader = app_add(world, "service-0", query_program);
    app_add(world, "service-1", insert_program);
    app_add(world, "migrator", app_migrate);
    annotations = 0;
    static struct ct_env_ops ops;
    ops = *reader->client.env.ops;
    annotate_truly = ops.annotate;
    ops.annotate = annotate_early;
    reader->client.env.ops = &ops;
    world_start_direct(world);
}

static void review_planted(void *bugs, const struct sct_violation *violation, struct text *remark) {
    (void)bugs;
    history_oracle_review(world, violation, remark);
}

// A point reported too early is contradicted by the reference, not by the history.
static void test_planted_point(void **state) {
    (void)state;
    struct run run;
    uint32_t disagreements = 0;
    run_open(&run, "default", NO_BUG, "random", 1);
    run.program = (struct sct_program){
        .setup = setup_planted, .finish = NULL, .context = &run.bugs, .review = review_planted};
    for (uint64_t i = 0; i < 3000; i++) {
        const struct sct_result *result =
            sct_engine_run(run.engine, &run.program, run.strategy, sct_execution_seed(1, i));
        if (result->outcome != SCT_VIOLATED)
            continue;
        assert_string_equal(result->violation.kind, "outcome-mismatch");
        assert_non_null(strstr(result->violation.remark, "these are at fault"));
        disagreements++;
    }
    run_close(&run);
    assert_true(disagreements > 0);
}

// ---- A call that fails -----------------------------------------------------------------------

static struct ct_outcome damaged_query(struct ct_table *table, const char *where,
                                       const struct ct_filter *filter, struct arena *arena,
                                       struct ct_rows *rows) {
    (void)table, (void)where, (void)filter, (void)arena, (void)rows;
    return ct_internal_error("damaged");
}

static void setup_damaged(void *bugs) {
    static struct ct_table_ops damaged;
    struct tables_options options = {.choose = uniform_choice, .ignores_annotations = true};
    world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    world_log(world);
    struct ct_table *table = &app_add(world, "service-0", query_program)->client.old_table.table;
    damaged = *table->ops;
    damaged.query = damaged_query;
    table->ops = &damaged;
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
}

// Where annotations are not looked at, a call that ends with an internal error is named.
static void test_internal_error_is_named(void **state) {
    (void)state;
    struct run run;
    run_open(&run, "default", NO_BUG, "random", 1);
    run.program = (struct sct_program){.setup = setup_damaged, .context = &run.bugs};
    for (uint64_t i = 0; i < 20; i++) {
        const struct sct_result *result =
            sct_engine_run(run.engine, &run.program, run.strategy, sct_execution_seed(1, i));
        assert_int_equal(result->outcome, SCT_VIOLATED);
        assert_string_equal(result->violation.kind, "call-failed");
        assert_string_equal(result->violation.message, "a call failed: damaged");
    }
    run_close(&run);
}

// ---- The end -----------------------------------------------------------------------------------

static bool migrates_again;

// Gives row "0" of the new table another ETag, without anybody's write.
static void touch_row(struct app *app) {
    struct ct_table *table = ct_memory_table_interface(app->world->tables.backend[TABLE_NEW]);
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    struct ct_op_result result;
    struct ct_key key = {THE_PARTITION, "0"};
    ct_batch_add(&batch, CT_MERGE, ct_row_new(sct_arena(), key, CT_ANY_ETAG, NULL, 0));
    sct_check(ct_execute(table, &batch, sct_arena(), &result).kind == CT_SUCCEEDED, "planted",
              "no row");
}

static void migrate_and_touch(struct app *app) {
    app_migrate(app);
    app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
    touch_row(app);
    if (migrates_again)
        app_migrate(app);
}

static void setup_touched(void *bugs) {
    struct tables_options options = {.choose = uniform_choice, .ignores_annotations = true};
    world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    world_log(world);
    app_add(world, "migrator", migrate_and_touch);
    world_start_direct(world);
}

static void finish_touched(void *bugs) {
    (void)bugs;
    history_oracle_check(world);
}

static enum sct_outcome run_touched(bool again) {
    struct run run;
    migrates_again = again;
    run_open(&run, "default", NO_BUG, "random", 1);
    run.program = (struct sct_program){
        .setup = setup_touched, .finish = finish_touched, .context = &run.bugs};
    struct sct_result result = *sct_engine_run(run.engine, &run.program, run.strategy, 1);
    run_close(&run);
    if (result.outcome == SCT_VIOLATED)
        assert_string_equal(result.violation.kind, "not-linearizable");
    return result.outcome;
}

// When the migration has ended no ETag changes by itself any more; unless it begins again.
static void test_changed_etag_after_the_migration(void **state) {
    (void)state;
    assert_int_equal(run_touched(false), SCT_VIOLATED);
    assert_int_equal(run_touched(true), SCT_PASSED);
}

// Violations of the final check are reviewed, with the final contents.
static void test_final_state_is_reviewed(void **state) {
    (void)state;
    assert_true(expect_remarks(BUG_INSERT_BEHIND_MIGRATOR, "final-state",
                               "by the history alone a violation too: no order of the calls "
                               "explains the final contents",
                               NULL) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_annotation),
        cmocka_unit_test(test_wrong_outcome),
        cmocka_unit_test(test_change_of_a_missing_row),
        cmocka_unit_test(test_internal_error_is_named),
        cmocka_unit_test(test_history_alone),
        cmocka_unit_test(test_planted_point),
        cmocka_unit_test(test_changed_etag_after_the_migration),
        cmocka_unit_test(test_final_state_is_reviewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
