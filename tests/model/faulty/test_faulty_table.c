#include "tests/support/direct_world.h"
#include "tests/support/failures.h"

#include "model/faulty/faulty_table.h"
#include "model/table/error.h"

static struct direct_world world;
static struct ct_faulty_table table;
static struct ct_memory_table *memory;
static struct ct_fault_at fault_at;

static int set_up(void **state) {
    (void)state;
    arena_init(&world.arena, 1 << 26);
    fail_handler_set(raise_in_test);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fail_handler_set(NULL);
    arena_deinit(&world.arena);
    return 0;
}

// A table with the row p/1, whose call [number] has a fault.
static void open_table(uint64_t number, enum ct_fault_kind kind) {
    memory = ct_memory_table_open(
        &(struct ct_memory_options){.arena = &world.arena, .etag_prefix = "inner-"});
    struct ct_key key = {"p", "1"};
    direct_put(memory, ct_row_new(&world.arena, key, NULL, NULL, 0), &world.arena);
    fault_at = (struct ct_fault_at){number, {.kind = kind}};
    ct_faulty_init(&table, &(struct ct_faulty_options){.inner = ct_memory_table_interface(memory),
                                                       .decide = ct_decide_fault_at,
                                                       .context = &fault_at});
}

static struct ct_outcome insert(const char *row, struct ct_row **entity) {
    static struct ct_op_result result;
    struct ct_batch batch = ct_batch_new(&world.arena, 1);
    struct ct_key key = {"p", row};
    *entity = ct_row_new(&world.arena, key, "mine", NULL, 0);
    ct_batch_add(&batch, CT_INSERT, *entity);
    return ct_execute(&table.table, &batch, &world.arena, &result);
}

// Each fault of a batch: what the caller is told, and what the inner table has then. No entity
// changes but of a batch that succeeds.
static void test_batch(void **state) {
    (void)state;
    static const struct {
        enum ct_fault_kind kind;
        enum ct_outcome_kind outcome;
        size_t rows;
    } cases[] = {{CT_NO_FAULT, CT_SUCCEEDED, 2},
                 {CT_REFUSED, CT_STORAGE_ERROR, 1},
                 {CT_ANSWER_LOST, CT_UNKNOWN, 2},
                 {CT_REQUEST_LOST, CT_UNKNOWN, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ct_row *entity;
        open_table(1, cases[i].kind);
        struct ct_outcome outcome = insert("2", &entity);
        assert_int_equal(outcome.kind, cases[i].outcome);
        if (outcome.kind == CT_STORAGE_ERROR)
            assert_int_equal(outcome.status, CT_STATUS_SERVER_ERROR);
        assert_int_equal(ct_memory_rows(memory).count, cases[i].rows);
        assert_int_equal(strcmp(entity->etag, "mine") == 0, outcome.kind != CT_SUCCEEDED);
        // The next call is well; a refusal that was lost is not known either.
        assert_int_equal(insert("3", &entity).kind, CT_SUCCEEDED);
        open_table(1, cases[i].kind);
        outcome = insert("1", &entity);
        assert_true(outcome.kind == cases[i].outcome ||
                    ct_failed_with(outcome, CT_STATUS_CONFLICT));
    }
}

// A read that goes wrong is a server error, whatever is lost, and made again it gives the same.
static void test_reads(void **state) {
    (void)state;
    for (int kind = CT_REFUSED; kind <= CT_REQUEST_LOST; kind++)
        for (uint64_t n = 1; n <= 4; n++) {
            struct ct_rows rows;
            struct ct_stream *stream;
            const struct ct_row *row = NULL;
            const struct ct_filter *filter = ct_filter_in_partition(&world.arena, "p");
            unsigned failures = 0;
            open_table(n, (enum ct_fault_kind)kind);
            while (ct_query(&table.table, filter, &world.arena, &rows).kind != CT_SUCCEEDED)
                failures++;
            assert_int_equal(rows.count, 1);
            while (ct_open_stream(&table.table, NULL, &stream).kind != CT_SUCCEEDED)
                failures++;
            while (ct_stream_read(stream, &row).kind != CT_SUCCEEDED)
                failures++;
            assert_string_equal(row->key.row, "1");
            while (ct_stream_read(stream, &row).kind != CT_SUCCEEDED)
                failures++;
            assert_null(row);
            ct_stream_close(stream);
            assert_int_equal(failures, 1);
        }
}

static uint64_t slept;

static void count_sleep(void *context, uint64_t nanoseconds) {
    (void)context;
    slept += nanoseconds;
}

// A call that is late is well otherwise.
static void test_delay(void **state) {
    (void)state;
    struct ct_row *entity;
    open_table(2, CT_NO_FAULT);
    fault_at.fault.delay = 7;
    table.options.sleep = count_sleep;
    assert_int_equal(insert("2", &entity).kind, CT_SUCCEEDED);
    assert_int_equal(slept, 0);
    assert_int_equal(insert("3", &entity).kind, CT_SUCCEEDED);
    assert_int_equal(slept, 7);
    table.options.sleep = NULL; // the process sleeps
    fault_at.number = 3;
    assert_int_equal(insert("4", &entity).kind, CT_SUCCEEDED);
}

// What it is to be unable to do it refuses, and sends nothing.
static void test_limits(void **state) {
    (void)state;
    struct ct_rows rows;
    struct ct_row *entity;
    open_table(0, CT_NO_FAULT);
    table.options.limits.query_rows = 1;
    const struct ct_filter *filter = ct_filter_in_partition(&world.arena, "p");
    assert_int_equal(ct_query(&table.table, filter, &world.arena, &rows).kind, CT_SUCCEEDED);
    insert("2", &entity);
    struct ct_outcome outcome = ct_query(&table.table, filter, &world.arena, &rows);
    assert_true(ct_failed_with(outcome, CT_STATUS_TOO_LARGE));
    assert_int_equal(ct_error_of(outcome), CT_ERROR_NOT_ONE_INSTANT);
    assert_int_equal(ct_limits(&table.table).query_rows, 1);
}

// A whole migration whose n-th call of one of the tables goes wrong, for every n, and is made again
// where it ended: every row is moved, and nothing of the protocol is left.
static void test_migration(void **state) {
    (void)state;
    enum { ROWS = 3 };
    for (int side = 0; side < 2; side++)
        for (int kind = CT_REFUSED; kind <= CT_REQUEST_LOST; kind++)
            for (uint64_t n = 1;; n++) {
                direct_reset(&world, MT_USE_OLD_HIDE_METADATA);
                struct recording_table *around = side ? &world.new_table : &world.old_table;
                fault_at = (struct ct_fault_at){n, {.kind = (enum ct_fault_kind)kind}};
                ct_faulty_init(&table, &(struct ct_faulty_options){.inner = around->inner,
                                                                   .decide = ct_decide_fault_at,
                                                                   .context = &fault_at});
                around->inner = &table.table;
                for (int i = 0; i < ROWS; i++) {
                    struct ct_key key = {"p", arena_printf(&world.arena, "%d", i)};
                    struct ct_property property = ct_int64("n", i);
                    direct_put(world.old_memory, ct_row_new(&world.arena, key, NULL, &property, 1),
                               &world.arena);
                }
                direct_clear(&world);
                struct ct_outcome outcome = mt_migrate(world.instance);
                for (int i = 0; i < 2 && outcome.kind != CT_SUCCEEDED; i++) {
                    assert_true(ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
                    outcome = mt_migrate(world.instance);
                }
                assert_int_equal(outcome.kind, CT_SUCCEEDED);
                struct ct_rows rows = ct_memory_rows(world.new_memory);
                assert_int_equal(rows.count, ROWS);
                for (size_t i = 0; i < ROWS; i++)
                    assert_int_equal(rows.rows[i]->property_count, 1);
                assert_int_equal(ct_memory_rows(world.old_memory).count, 0);
                if (n > table.calls) {
                    assert_true(n > 10);
                    break;
                }
            }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(test_batch), TEST(test_reads), TEST(test_delay),
                                       TEST(test_limits), TEST(test_migration)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
