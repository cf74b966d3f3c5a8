#define _GNU_SOURCE // fdopen
// Coverage: what is counted, what is not, and what the default test reaches.
#include "tests/support/counting.h"
#include "tests/support/fork.h"
#include "tests/support/test.h"

#include "core/base/arena.h"
#include "core/campaign/campaign.h"
#include "harness/mtcheck.h"
#include "harness/migrating/situations.h"
#include "harness/migrating/workload.h"
#include "harness/models.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IS_SLOW = ARENA_POISONS }; // AddressSanitizer

// ---- Campaigns ---------------------------------------------------------------------------------

static uint64_t violations; // of the last campaign

// Runs [count] executions from [first] on, adding to the counts.
static void run(const struct sct_program *program, const char *spec, uint64_t first, uint64_t count,
                uint64_t repeat_every) {
    struct error error;
    struct sct_engine *engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 5000});
    struct sct_strategy *strategy = sct_strategy_new(spec, &error);
    sct_calibrate(engine, program, "test", strategy, 1);
    struct sct_campaign campaign;
    const struct sct_campaign_options options = {
        .program = program,
        .strategy = strategy,
        .seed = 1,
        .first_iteration = first,
        .iterations = count,
        .keep_going = true,
        .repeat_every = repeat_every,
        .before_counted = begin_counting,
        .after_counted = end_counting,
    };
    sct_campaign_run(engine, &options, &campaign);
    violations = campaign.violations;
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
    sct_engine_close(engine);
}

static struct sct_program default_test(struct bug_set *bugs) {
    const struct subject *model = subject_find(models, "migrating-table");
    return subject_program(model, subject_test(model, "default"), bugs);
}

static int reset(void **state) {
    (void)state;
    coverage_reset(&migrating_coverage);
    coverage_reset(&migrating_situations);
    coverage_reset(&migrating_passings);
    coverage_reset(&migrating_standings);
    coverage_reset(&migrating_losses);
    migrating_counts_situations = true;
    return 0;
}

static uint64_t total(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < coverage_cell_count(&migrating_coverage); i++)
        sum += migrating_coverage.counts[i];
    return sum;
}

static uint64_t reached(enum coverage_operation operation, enum coverage_outcome outcome,
                        enum mt_state state, enum mt_partition_state partition) {
    return migrating_coverage_of((struct coverage_cell){operation, outcome, state, partition});
}

// ---- A hand-made scenario ----------------------------------------------------------------------

static void add(struct ct_batch *batch, enum ct_op_type type, const char *row, const char *etag) {
    struct ct_property property = is_happy(true);
    struct ct_key key = {THE_PARTITION, row};
    ct_batch_add(batch, type, ct_row_new(sct_arena(), key, etag, &property, 1));
}

static void execute_one(struct app *app, enum ct_op_type type, const char *row, const char *etag) {
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    add(&batch, type, row, etag);
    app_execute(app, &batch);
}

static void use_old_table(struct app *app) {
    struct arena *arena = sct_arena();
    execute_one(app, CT_INSERT, "1", NULL); // 409
    execute_one(app, CT_REPLACE, "9", "*"); // 404
    execute_one(app, CT_MERGE, "0", "no");  // 412
    struct ct_batch batch = ct_batch_new(arena, 2);
    add(&batch, CT_DELETE, "0", "*");
    add(&batch, CT_INSERT, "1", NULL); // 409: the Delete does not count
    app_execute(app, &batch);
    batch = ct_batch_new(arena, 2);
    add(&batch, CT_DELETE, "9", CT_IF_EXISTS_ETAG);
    add(&batch, CT_INSERT_OR_MERGE, "1", NULL);
    app_execute(app, &batch);
    const struct ct_filter *partition = ct_filter_in_partition(arena, THE_PARTITION);
    const struct ct_filter *happy = ct_filter_compare_bool(arena, IS_HAPPY, CT_EQ, true);
    app_query(app, partition);
    app_query(app, ct_filter_and(arena, partition, happy));
    app_stream(app, NULL); // four rows and the end
}

static void setup_old_table(void *bugs) {
    struct tables_options options = {.choose = uniform_choice};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    app_add(world, "service-0", use_old_table);
    world_start_direct(world);
}

// Every call of three executions is in its cell, and nothing else is.
static void test_coverage_counts_exactly_the_calls_made(void **state) {
    (void)state;
    struct bug_set bugs = {0};
    const struct sct_program program = {.setup = setup_old_table, .context = &bugs};
    run(&program, "random", 0, 3, 1);
    assert_int_equal(violations, 0);
    const enum mt_state in = MT_USE_OLD_HIDE_METADATA;
    const enum mt_partition_state none = MT_PARTITION_NONE;
    assert_int_equal(reached(OPERATION_INSERT, OUTCOME_409, in, none), 2 * 3);
    assert_int_equal(reached(OPERATION_REPLACE, OUTCOME_404, in, none), 3);
    assert_int_equal(reached(OPERATION_MERGE, OUTCOME_412, in, none), 3);
    assert_int_equal(reached(OPERATION_DELETE_IF_EXISTS, OUTCOME_SUCCESS, in, none), 3);
    assert_int_equal(reached(OPERATION_INSERT_OR_MERGE, OUTCOME_SUCCESS, in, none), 3);
    assert_int_equal(reached(OPERATION_QUERY, OUTCOME_SUCCESS, in, none), 3);
    assert_int_equal(reached(OPERATION_FILTERED_QUERY, OUTCOME_SUCCESS, in, none), 3);
    assert_int_equal(reached(OPERATION_STREAM_READ, OUTCOME_ROW, in, none), 4 * 3);
    assert_int_equal(reached(OPERATION_STREAM_READ, OUTCOME_END, in, none), 3);
    assert_int_equal(total(), (2 + 1 + 1 + 2 + 2 + 5) * 3);
}

static void write_in_two_states(struct app *app) {
    app_await_state(app, MT_PREFER_OLD, HOLD);
    execute_one(app, CT_DELETE, "0", "*");
    app_await_state(app, MT_USE_NEW_WITH_TOMBSTONES, HOLD);
    execute_one(app, CT_INSERT, "0", NULL);
}

static void setup_migration(void *bugs) {
    struct tables_options options = {.choose = uniform_choice};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    // From the start: the state that is awaited first must not have passed before.
    app_add(world, "service-0", write_in_two_states)->held_state = MT_PREFER_OLD;
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
}

// A call counts under the state that it ran in and what its partition was before it; the migrator
// makes no calls.
static void test_coverage_knows_states(void **state) {
    (void)state;
    struct bug_set bugs = {0};
    const struct sct_program program = {.setup = setup_migration, .context = &bugs};
    run(&program, "random", 0, 50, 0);
    assert_int_equal(violations, 0);
    assert_int_equal(reached(OPERATION_DELETE, OUTCOME_SUCCESS, MT_PREFER_OLD, MT_PARTITION_NONE),
                     50);
    assert_int_equal(reached(OPERATION_INSERT, OUTCOME_SUCCESS, MT_USE_NEW_WITH_TOMBSTONES,
                             MT_PARTITION_SWITCHED),
                     50);
    assert_int_equal(total(), 100);
    const size_t deleted[] = {OPERATION_DELETE, MT_PREFER_OLD, SENT_ALONE, MEANWHILE_NOTHING};
    size_t index = coverage_index(&migrating_situations, deleted);
    assert_int_equal(migrating_situations.counts[index], 50);
}

// ---- The default test --------------------------------------------------------------------------

enum { CELLS_MAX = 4096 };

// Counts are those of the executions that count, whatever is repeated, and parts add up.
static void test_coverage_is_a_sum(void **state) {
    (void)state;
    static uint64_t whole[CELLS_MAX];
    struct bug_set bugs = {0};
    const struct sct_program program = default_test(&bugs);
    size_t bytes = coverage_cell_count(&migrating_coverage) * sizeof(uint64_t);
    assert_true(bytes <= sizeof whole);
    run(&program, "portfolio", 0, 400, 0);
    memcpy(whole, migrating_coverage.counts, bytes);
    assert_true(total() > 400);
    reset(NULL);
    run(&program, "portfolio", 123, 277, 1);
    run(&program, "portfolio", 0, 123, 7);
    assert_memory_equal(whole, migrating_coverage.counts, bytes);
}

// The rule of the draws: in 200,000 executions each operation, sent in each manner, meets each
// state at least so often, and in it so often what may happen meanwhile. Nothing that is held
// impossible happens.
static void check_situations(bool is_long) {
    static const uint64_t least[MEANWHILE_COUNT] = {
        [MEANWHILE_NOTHING] = 300, [MEANWHILE_CREATED] = 40, [MEANWHILE_REWRITTEN] = 40,
        [MEANWHILE_REMOVED] = 40,  [MEANWHILE_FAULT] = 5,
    };
    for (size_t i = 0; i < coverage_cell_count(&migrating_situations); i++) {
        const char *why;
        char buffer[120];
        size_t values[COVERAGE_AXES];
        struct text name = text_in(buffer, sizeof buffer);
        uint64_t count = migrating_situations.counts[i];
        coverage_name(&migrating_situations, i, &name);
        coverage_values(&migrating_situations, i, values);
        enum coverage_expectation expected = coverage_expectation(&migrating_situations, i, &why);
        if (expected == COVERAGE_IMPOSSIBLE)
            assert_int_equal(count, 0);
        else if (expected == COVERAGE_REQUIRED && is_long &&
                 count < least[values[COVERAGE_AXES - 1]])
            fail_msg("only %llu times: %s", (unsigned long long)count, name.data);
    }
}

// Each required cell of [coverage] at least so often, if the campaign [is_long]; nothing that is
// held impossible.
static void check_floor(const struct coverage *coverage, bool is_long, uint64_t least) {
    for (size_t i = 0; i < coverage_cell_count(coverage); i++) {
        const char *why;
        char buffer[120];
        struct text name = text_in(buffer, sizeof buffer);
        uint64_t count = coverage->counts[i];
        coverage_name(coverage, i, &name);
        enum coverage_expectation expectation = coverage_expectation(coverage, i, &why);
        if (expectation == COVERAGE_IMPOSSIBLE && count > 0)
            fail_msg("reached: %s, although %s", name.data, why);
        if (expectation == COVERAGE_REQUIRED && is_long && count < least)
            fail_msg("only %llu times: %s", (unsigned long long)count, name.data);
    }
}

// What others believe, what they do while a call is between its backend calls, and what becomes of
// a batch whose answer is lost.
static void check_others(bool is_long) {
    check_floor(&migrating_standings, is_long, 100);
    check_floor(&migrating_passings, is_long, 20);
    check_floor(&migrating_losses, is_long, 15);
}

// Races are as even: in each state in which a batch has windows, of 1,000 operations at least 45
// meet a change of their row.
static void check_races(void) {
    uint64_t changed[MT_STATE_COUNT] = {0}, all[MT_STATE_COUNT] = {0};
    for (size_t i = 0; i < coverage_cell_count(&migrating_situations); i++) {
        size_t values[COVERAGE_AXES];
        coverage_values(&migrating_situations, i, values);
        all[values[1]] += migrating_situations.counts[i];
        size_t meanwhile = values[COVERAGE_AXES - 1];
        if (meanwhile >= MEANWHILE_CREATED && meanwhile <= MEANWHILE_REMOVED)
            changed[values[1]] += migrating_situations.counts[i];
    }
    for (size_t state = MT_PREFER_OLD; state < MT_STATE_COUNT; state++)
        assert_true(changed[state] * 1000 >= all[state] * 45);
}

// The rarest required cell is reached about 11 times by 200,000 executions. Nothing that is held
// impossible happens.
static void test_default_test_reaches_every_required_cell(void **state) {
    (void)state;
    // Where it is too slow for the first claim, a few for the second one.
    const uint64_t executions = IS_SLOW ? 5000 : 200000;
    struct bug_set bugs = {0};
    const struct sct_program program = default_test(&bugs);
    run(&program, "portfolio", 0, executions, 1000);
    assert_int_equal(violations, 0);
    for (size_t i = 0; i < coverage_cell_count(&migrating_coverage); i++) {
        const char *why;
        char buffer[120];
        struct text name = text_in(buffer, sizeof buffer);
        coverage_name(&migrating_coverage, i, &name);
        if (executions >= 200000 && coverage_is_missing(&migrating_coverage, i))
            fail_msg("not reached: %s", name.data);
        if (migrating_coverage.counts[i] > 0 &&
            coverage_expectation(&migrating_coverage, i, &why) == COVERAGE_IMPOSSIBLE)
            fail_msg("reached: %s, although %s", name.data, why);
    }
    check_situations(executions >= 200000);
    check_others(executions >= 200000);
    if (executions >= 200000)
        check_races();
}

// A migrator that skips PREFER_OLD makes its cells unreachable: each required one of them, which a
// sound run reaches, is missing and its name tells.
static void test_unreachable_cells_are_named(void **state) {
    (void)state;
    struct bug_set bugs = {0};
    bug_set_inject(&bugs, BUG_MIGRATE_SKIP_PREFER_OLD);
    const struct sct_program program = default_test(&bugs);
    run(&program, "portfolio", 0, 2000, 0);
    size_t named = 0;
    for (size_t i = 0; i < coverage_cell_count(&migrating_coverage); i++) {
        size_t values[COVERAGE_AXES];
        char buffer[120];
        struct text name = text_in(buffer, sizeof buffer);
        coverage_values(&migrating_coverage, i, values);
        coverage_name(&migrating_coverage, i, &name);
        assert_int_equal(coverage_index(&migrating_coverage, values), i);
        if (coverage_is_missing(&migrating_coverage, i))
            named += strstr(name.data, " PREFER_OLD ") != NULL;
    }
    // 20 lines of the table, in each of three partition states.
    assert_int_equal(named, 20 * 3);
}

// ---- The command -------------------------------------------------------------------------------

// Runs the command in a process of its own; its status, and in [errors] what it complained about.
static int run_command(char **words, int count, char *errors, size_t bytes) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork_or_fail();
    if (child == 0) {
        char *argv[16] = {NULL};
        memcpy(argv, words, (size_t)count * sizeof *argv);
        dup2(ends[1], STDERR_FILENO);
        _exit(mtcheck_main(count, argv));
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    errors[fread(errors, 1, bytes - 1, in)] = '\0';
    fclose(in);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// One execution reaches little: no verdict, and one line that names the cells.
static void test_command_requires_coverage(void **state) {
    (void)state;
    static char errors[65536];
    char *words[] = {"mtcheck", "-q", "-i", "1", "--require-coverage"};
    assert_int_equal(run_command(words, 4, errors, sizeof errors), 0);
    assert_string_equal(errors, "");
    assert_int_equal(run_command(words, 5, errors, sizeof errors), 4);
    assert_non_null(strstr(errors, "Delete 404 PREFER_OLD SWITCHED;"));
    assert_ptr_equal(strchr(errors, '\n'), errors + strlen(errors) - 1);
}

// A test without a list of what it reaches cannot be held to one.
static void test_command_requires_coverage_of_some_tests_only(void **state) {
    (void)state;
    static char errors[65536];
    char *words[] = {"mtcheck", "-q", "-i", "1", "--require-coverage", "--test", "case-1"};
    assert_int_equal(run_command(words, 7, errors, sizeof errors), 2);
    assert_non_null(strstr(errors, "--require-coverage"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_coverage_counts_exactly_the_calls_made, reset),
        cmocka_unit_test_setup(test_coverage_knows_states, reset),
        cmocka_unit_test_setup(test_coverage_is_a_sum, reset),
        cmocka_unit_test_setup(test_default_test_reaches_every_required_cell, reset),
        cmocka_unit_test_setup(test_unreachable_cells_are_named, reset),
        cmocka_unit_test(test_command_requires_coverage),
        cmocka_unit_test(test_command_requires_coverage_of_some_tests_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
