// A migration by portions of several partitions, by one copier and by several, over tables that
// execute batches one by one or in groups: with any call refused and any answer lost it ends, at
// the second try, with every row in the new table.
#include "tests/support/faulty_world.h"

#include "tests/support/test.h"

enum { ROWS = 7, COPIERS = 2 };

static const struct ct_key keys[ROWS] = {{"a", "0"}, {"b", "0"}, {"b", "1"}, {"b", "2"},
                                         {"c", "0"}, {"d", "0"}, {"e", "0"}};

// ---- Tables that take groups -------------------------------------------------------------------

static int groups; // of more than one batch

// In another order than they were given, which nobody may rely on.
static void execute_all(struct ct_table *of, const char *where, struct ct_write *writes_of,
                        size_t count, struct arena *result_arena) {
    int due = notes_due;
    groups += count > 1;
    for (size_t i = count; i-- > 0;) {
        notes_due = 0;
        writes_of[i].outcome =
            faulty_execute(of, where, &writes_of[i].batch, result_arena, writes_of[i].results);
        due += notes_due;
    }
    notes_due = due;
}

static const struct ct_table_ops ops_of_groups = {.version = CT_TABLE_VERSION,
                                                  .execute = faulty_execute,
                                                  .query = faulty_query,
                                                  .open_stream = faulty_open,
                                                  .execute_all = execute_all};

// ---- A table at a service ----------------------------------------------------------------------

enum { COMPARISONS_MAX = 15, SERVICE_ROWS = 20 };

static size_t answer_rows; // at most

static size_t comparisons(const struct ct_filter *filter) {
    if (filter->kind == CT_FILTER_COMPARE)
        return 1;
    return comparisons(filter->left) +
           (filter->kind == CT_FILTER_NOT ? 0 : comparisons(filter->right));
}

static struct ct_outcome query_service(struct ct_table *of, const char *where,
                                       const struct ct_filter *filter, struct arena *result_arena,
                                       struct ct_rows *rows) {
    assert_in_range(comparisons(filter), 1, COMPARISONS_MAX);
    struct ct_outcome outcome = faulty_query(of, where, filter, result_arena, rows);
    return outcome.kind == CT_SUCCEEDED && rows->count > answer_rows
               ? ct_refusal(CT_ERROR_NOT_ONE_INSTANT, 0)
               : outcome;
}

static struct ct_table_limits limits_of_service(struct ct_table *of) {
    (void)of;
    return (struct ct_table_limits){.query_rows = answer_rows};
}

static const struct ct_table_ops ops_of_service = {.version = CT_TABLE_VERSION,
                                                   .execute = faulty_execute,
                                                   .query = query_service,
                                                   .open_stream = faulty_open,
                                                   .limits = limits_of_service};

// ---- The world ---------------------------------------------------------------------------------

struct kind {
    bool takes_groups;
    size_t copiers, copy_rows;
};

static const struct kind kinds[] = {{false, 0, 1},       {false, 0, 3},       {false, COPIERS, 3},
                                    {true, 0, 3},        {true, COPIERS, 2},  {true, COPIERS, 4},
                                    {false, COPIERS, 1}, {true, COPIERS, 10}, {true, 0, 10}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void insert(struct ct_table *of, struct ct_key key) {
    struct ct_property property = ct_bool("a", true);
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_INSERT, ct_row_new(&arena, key, NULL, &property, 1));
    assert_int_equal(ct_execute(of, &batch, &arena, &result).kind, CT_SUCCEEDED);
}

static void open_kind(const struct kind *kind) {
    static struct mt_copier copiers[COPIERS];
    open_world();
    old_table.backend = open_backend("old-");
    for (int i = 0; i < ROWS; i++)
        insert(old_table.backend, keys[i]);
    old_table.table.ops = new_table.table.ops = kind->takes_groups ? &ops_of_groups : &faulty_ops;
    for (int i = 0; i < COPIERS; i++)
        copiers[i] = (struct mt_copier){&old_table.table, &new_table.table};
    instance = mt_open(&(struct mt_options){.old_table = &old_table.table,
                                            .new_table = &new_table.table,
                                            .config = &service.config,
                                            .env = &env,
                                            .copy_rows = kind->copy_rows,
                                            .copiers = copiers,
                                            .copier_count = kind->copiers});
    calls = writes = notes_due = groups = 0;
}

static size_t count_rows(struct ct_table *of) {
    struct ct_stream *stream;
    const struct ct_row *row;
    size_t count = 0;
    ct_open_stream(of, NULL, &stream);
    while (ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row)
        count++;
    ct_stream_close(stream);
    return count;
}

// The end of a migration that has met a fault, or not.
static void migrate(void) {
    struct ct_outcome outcome = mt_migrate(instance);
    assert_int_equal(notes_due, 0);
    if (outcome.kind != CT_SUCCEEDED) {
        assert_true(ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
        assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
    }
    assert_int_equal(notes_due, 0);
    assert_int_equal(count_rows(old_table.backend), 0);
    assert_int_equal(count_rows(new_table.backend), ROWS);
}

// ---- The tests ---------------------------------------------------------------------------------

static void test_any_call_fails(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        bool is_over = false;
        for (int n = 1; !is_over; n++) {
            open_kind(&kinds[k]);
            fails_at = n;
            fails_for = 1;
            migrate();
            is_over = calls < n;
        }
    }
}

static void test_any_answer_is_lost(void **state) {
    (void)state;
    for (int k = 0; k < 2 * KINDS; k++) {
        bool is_over = false;
        for (int n = 1; !is_over; n++) {
            open_kind(&kinds[k / 2]);
            lost_are_done = k % 2;
            loses_at = n;
            loses_for = 1;
            migrate();
            is_over = writes < n;
        }
    }
}

// Partitions of every state, rows of which the new table has some, all or none.
static void test_what_was_begun(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        open_kind(&kinds[k]);
        mt_config_service_init(&service, &env, MT_PREFER_OLD, false);
        struct ct_property property = ct_bool("a", false);
        struct ct_batch batch = ct_batch_new(&arena, 1);
        struct ct_op_result result;
        ct_batch_add(&batch, CT_INSERT_OR_REPLACE,
                     ct_row_new(&arena, (struct ct_key){"c", "0"}, NULL, &property, 1));
        // PREFER_OLD leaves the partition POPULATED ...
        assert_int_equal(ct_execute(mt_interface(instance), &batch, &arena, &result).kind,
                         CT_SUCCEEDED);
        assert_int_equal(count_rows(old_table.backend), ROWS + 2);
        mt_config_service_init(&service, &env, MT_PREFER_NEW, false);
        batch.count = 0;
        ct_batch_add(&batch, CT_REPLACE, ct_row_new(&arena, keys[2], CT_ANY_ETAG, &property, 1));
        // ... PREFER_NEW SWITCHED, with one of its rows copied and written.
        assert_int_equal(ct_execute(mt_interface(instance), &batch, &arena, &result).kind,
                         CT_SUCCEEDED);
        assert_int_equal(count_rows(new_table.backend), 1);
        notes_due = 0;
        migrate();
    }
}

// What cannot be moved is named, wherever it stands, and rows of other partitions are not lost.
static void test_immovable(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        open_kind(&kinds[k]);
        struct ct_property property = ct_bool("_mtable_deleted", true);
        struct ct_batch batch = ct_batch_new(&arena, 1);
        struct ct_op_result result;
        ct_batch_add(&batch, CT_INSERT,
                     ct_row_new(&arena, (struct ct_key){"c", "1"}, NULL, &property, 1));
        ct_execute(old_table.backend, &batch, &arena, &result);
        struct ct_outcome outcome = mt_migrate(instance);
        assert_true(ct_failed_with(outcome, CT_STATUS_BAD_REQUEST));
        assert_non_null(strstr(outcome.message, "row 'c' '1'"));
        batch.operations[0] = (struct ct_operation){
            CT_DELETE, ct_row_new(&arena, (struct ct_key){"c", "1"}, CT_ANY_ETAG, NULL, 0)};
        ct_execute(old_table.backend, &batch, &arena, &result);
        migrate();
    }
}

// Several batches go together where the table gains by it.
static void test_groups(void **state) {
    (void)state;
    open_kind(&(struct kind){true, 0, 10});
    migrate();
    assert_int_equal(groups, 4); // marks, copies, and the clean-up of either table
    open_kind(&(struct kind){false, 0, 10});
    migrate();
    assert_int_equal(groups, 0);
}

static void open_service(void) {
    open_world();
    old_table.backend = open_backend("old-");
    for (int i = 0; i < SERVICE_ROWS; i++)
        insert(old_table.backend, (struct ct_key){"p", arena_printf(&arena, "%02d", i)});
    old_table.table.ops = new_table.table.ops = &ops_of_service;
    instance = mt_open(&(struct mt_options){.old_table = &old_table.table,
                                            .new_table = &new_table.table,
                                            .config = &service.config,
                                            .env = &env,
                                            .copy_rows = 100});
    calls = writes = notes_due = 0;
}

// Any answer of a service is lost, whose filters are short and whose answers may be too short for a
// batch's range.
static void test_service(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        bool is_over = false;
        answer_rows = k < 2 ? 1000 : 4;
        for (int n = 1; !is_over; n++) {
            open_service();
            lost_are_done = k % 2;
            loses_at = n;
            loses_for = 1;
            struct ct_outcome outcome = mt_migrate(instance);
            is_over = writes < n;
            if (outcome.kind != CT_SUCCEEDED) {
                assert_server_error(outcome);
                assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
            }
            assert_int_equal(count_rows(old_table.backend), 0);
            assert_int_equal(count_rows(new_table.backend), SERVICE_ROWS);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_any_call_fails), ARENA_TEST(test_any_answer_is_lost),
        ARENA_TEST(test_what_was_begun), ARENA_TEST(test_immovable),
        ARENA_TEST(test_groups),         ARENA_TEST(test_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
