#include "tests/model/memory/short_table.h"

// ---- The table of operations  ------------------------------------------------------------------

enum { PROGRAM_ERROR = -1 };

// A cell: the operation's If-Match; the status if the row is absent and if it is present; the
// properties afterwards in both cases (NULL: no row).
struct cell {
    enum ct_op_type type;
    const char *if_match;
    int when_absent, when_present;
    const char *absent_becomes, *present_becomes;
};

// The present row is 0:t1[a=1 b=1]; the entity has b=2 c=2.
static const struct cell cells[] = {
    {CT_INSERT, NULL, 201, 409, "b=2 c=2", "a=1 b=1"},
    {CT_INSERT, "t1", 201, 409, "b=2 c=2", "a=1 b=1"},
    {CT_REPLACE, "*", 404, 204, NULL, "b=2 c=2"},
    {CT_REPLACE, "t1", 404, 204, NULL, "b=2 c=2"},
    {CT_REPLACE, "t0", 404, 412, NULL, "a=1 b=1"},
    {CT_REPLACE, "t11", 404, 412, NULL, "a=1 b=1"},
    {CT_REPLACE, NULL, 404, PROGRAM_ERROR, NULL, "a=1 b=1"},
    {CT_REPLACE, "", 404, PROGRAM_ERROR, NULL, "a=1 b=1"},
    {CT_MERGE, "*", 404, 204, NULL, "a=1 b=2 c=2"},
    {CT_MERGE, "t1", 404, 204, NULL, "a=1 b=2 c=2"},
    {CT_MERGE, "t0", 404, 412, NULL, "a=1 b=1"},
    {CT_MERGE, NULL, 404, PROGRAM_ERROR, NULL, "a=1 b=1"},
    {CT_MERGE, "", 404, PROGRAM_ERROR, NULL, "a=1 b=1"},
    {CT_DELETE, "*", 404, 204, NULL, NULL},
    {CT_DELETE, "t1", 404, 204, NULL, NULL},
    {CT_DELETE, "t0", 404, 412, NULL, "a=1 b=1"},
    {CT_DELETE, NULL, 404, PROGRAM_ERROR, NULL, "a=1 b=1"},
    {CT_DELETE, "", 404, PROGRAM_ERROR, NULL, "a=1 b=1"},
    {CT_DELETE, "**", 204, 204, NULL, NULL},
    {CT_INSERT_OR_REPLACE, NULL, 204, 204, "b=2 c=2", "b=2 c=2"},
    {CT_INSERT_OR_REPLACE, "t0", 204, 204, "b=2 c=2", "b=2 c=2"},
    {CT_INSERT_OR_MERGE, NULL, 204, 204, "b=2 c=2", "a=1 b=2 c=2"},
    {CT_INSERT_OR_MERGE, "t0", 204, 204, "b=2 c=2", "a=1 b=2 c=2"},
};

static void assert_refused(struct ct_outcome outcome, int status) {
    if (status == PROGRAM_ERROR) {
        assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
        assert_non_null(outcome.message);
        return;
    }
    assert_true(ct_failed_with(outcome, (enum ct_status)status));
    assert_int_equal(outcome.op_index, 0);
}

static void assert_done(const struct cell *cell, const struct ct_op_result *result,
                        const struct ct_row *row, const char *new_etag) {
    bool deletes = cell->type == CT_DELETE;
    assert_ptr_equal(result->entity, row);
    assert_true(ct_string_equal(result->etag, deletes ? NULL : new_etag));
    assert_true(ct_string_equal(row->etag, deletes ? cell->if_match : new_etag));
}

static void check_cell(const struct cell *cell, bool present) {
    struct ct_memory_table *table = open_table();
    if (present)
        put(table, "0", "a=1 b=1");
    const char *new_etag = present ? "t2" : "t1";
    size_t revision = ct_memory_revision(table);
    int status = present ? cell->when_present : cell->when_absent;
    const char *left = present ? cell->present_becomes : cell->absent_becomes;
    struct ct_row *row = entity("0", cell->if_match, "b=2 c=2");
    struct ct_op_result result = {.etag = "untouched"};
    struct ct_outcome outcome = execute_one(table, cell->type, row, &result);
    bool succeeds = status == 201 || status == 204;
    if (succeeds) {
        assert_int_equal(outcome.kind, CT_SUCCEEDED);
        assert_int_equal(result.status, status);
        assert_done(cell, &result, row, new_etag);
    } else {
        assert_refused(outcome, status);
        assert_string_equal(result.etag, "untouched");
        assert_true(ct_string_equal(row->etag, cell->if_match));
    }
    assert_int_equal(ct_memory_revision(table), revision + (succeeds ? 1 : 0));
    const char *etag = succeeds ? new_etag : "t1";
    assert_rows(table, left ? arena_printf(&arena, "0:%s[%s]", etag, left) : "");
}

// Every cell of the table: status, effect, ETags, the caller's entity, the revision.
static void test_memory_table_follows_the_operation_table(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        check_cell(&cells[i], false);
        check_cell(&cells[i], true);
    }
}

// "**" on a Replace, which the builder refuses, is no ETag that anything has.
static void test_memory_table_knows_if_exists_on_deletes_only(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    struct ct_op_result result;
    struct ct_outcome outcome = execute_one(table, CT_REPLACE, entity("0", "**", ""), &result);
    assert_true(ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED));
}

// The stored row is a copy with timestamp 0: changing the entity later changes nothing.
static void test_memory_table_stores_copies(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_row *row = entity("0", NULL, "a=1");
    row->timestamp = 77;
    apply(table, CT_INSERT, row);
    row->properties[0].value.string = "9";
    row->key.row = "1";
    row->etag = "mine";
    assert_rows(table, "0:t1[a=1]");
    assert_int_equal(ct_memory_rows(table).rows[0]->timestamp, 0);
}

// ---- Batches -----------------------------------------------------------------------------------

// Operations run in order and see each other's effects; a key may come several times.
static void test_memory_table_executes_a_batch_in_order(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_row *first = entity("0", NULL, "a=1");
    struct ct_row *second = entity("0", "*", "b=2");
    struct ct_operation operations[] = {
        {CT_INSERT, first},
        {CT_MERGE, second},
        {CT_INSERT, entity("1", NULL, "")},
        {CT_DELETE, entity("1", "*", "")},
    };
    struct ct_batch batch = batch_of(4, operations);
    struct ct_op_result results[4];
    assert_int_equal(ct_execute(ct_memory_table_interface(table), &batch, &arena, results).kind,
                     CT_SUCCEEDED);
    const int statuses[] = {201, 204, 201, 204};
    for (int i = 0; i < 4; i++)
        assert_int_equal(results[i].status, statuses[i]);
    assert_string_equal(results[0].etag, "t1");
    assert_string_equal(results[1].etag, "t2");
    assert_string_equal(results[2].etag, "t3");
    assert_null(results[3].etag);
    assert_string_equal(first->etag, "t1");
    assert_string_equal(second->etag, "t2");
    assert_int_equal(ct_memory_revision(table), 1);
    assert_rows(table, "0:t2[a=1 b=2]");
}

// The failing operation leaves no trace of those before it: no rows, results, entity ETags,
// numbers.
static void test_memory_table_undoes_a_failed_batch(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    struct ct_row *replacing = entity("0", "t1", "a=2");
    struct ct_operation operations[] = {
        {CT_REPLACE, replacing},
        {CT_INSERT, entity("1", NULL, "")},
        {CT_REPLACE, entity("2", "*", "")},
        {CT_INSERT, entity("0", NULL, "")},
    };
    struct ct_batch batch = batch_of(4, operations);
    struct ct_op_result results[4];
    memset(results, 0x5a, sizeof results);
    struct ct_op_result untouched[4];
    memcpy(untouched, results, sizeof results);
    struct ct_outcome outcome =
        ct_execute(ct_memory_table_interface(table), &batch, &arena, results);
    assert_true(ct_failed_with(outcome, CT_STATUS_NOT_FOUND));
    assert_int_equal(outcome.op_index, 2);
    assert_memory_equal(results, untouched, sizeof results);
    assert_string_equal(replacing->etag, "t1");
    assert_int_equal(ct_memory_revision(table), 1);
    assert_rows(table, "0:t1[a=1]");
    put(table, "3", "");
    assert_rows(table, "0:t1[a=1],3:t2[]");
}

// A missing If-Match in the middle undoes the batch as well.
static void test_memory_table_undoes_a_batch_with_a_program_error(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    struct ct_operation operations[] = {
        {CT_INSERT, entity("1", NULL, "")},
        {CT_MERGE, entity("0", NULL, "")},
    };
    struct ct_batch batch = batch_of(2, operations);
    struct ct_op_result results[2];
    assert_int_equal(ct_execute(ct_memory_table_interface(table), &batch, &arena, results).kind,
                     CT_PROGRAM_ERROR);
    assert_rows(table, "0:t1[a=1]");
}

// An empty batch, a null key and two partitions are program errors.
static void test_memory_table_refuses_ill_formed_batches(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_row *elsewhere = entity("0", NULL, "");
    elsewhere->key.partition = "q";
    struct ct_operation operations[] = {{CT_INSERT, entity("0", NULL, "")}, {CT_INSERT, elsewhere}};
    struct ct_op_result results[2];
    for (size_t count = 0; count <= 2; count += 2) {
        struct ct_batch batch = batch_of(count, operations);
        assert_int_equal(ct_execute(ct_memory_table_interface(table), &batch, &arena, results).kind,
                         CT_PROGRAM_ERROR);
    }
    struct ct_outcome outcome = execute_one(table, CT_INSERT, entity(NULL, NULL, ""), results);
    assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
    assert_int_equal(ct_memory_revision(table), 0);
}

// A repeated key is refused with 400 and its index only where limits are enforced.
static void test_memory_table_enforces_limits_when_told(void **state) {
    (void)state;
    for (int enforce = 0; enforce < 2; enforce++) {
        struct ct_memory_options options = {
            .arena = &arena, .etag_prefix = "t", .enforce_limits = enforce};
        struct ct_memory_table *table = ct_memory_table_open(&options);
        struct ct_operation operations[] = {
            {CT_INSERT, entity("0", NULL, "")},
            {CT_DELETE, entity("0", "*", "")},
        };
        struct ct_batch batch = batch_of(2, operations);
        struct ct_op_result results[2];
        struct ct_outcome outcome =
            ct_execute(ct_memory_table_interface(table), &batch, &arena, results);
        assert_int_equal(ct_failed_with(outcome, CT_STATUS_BAD_REQUEST), enforce);
        assert_int_equal(outcome.op_index, enforce);
        assert_int_equal(ct_memory_revision(table), !enforce);
    }
}

// Numbers above 9 are written in full; a Delete takes none.
static void test_memory_table_numbers_etags(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_op_result result;
    for (int i = 1; i <= 1001; i++) {
        execute_one(table, CT_INSERT, entity("0", NULL, ""), &result);
        assert_string_equal(result.etag, arena_printf(&arena, "t%d", i));
        drop(table, "0");
    }
}

// A mirrored batch writes the given ETags and takes no numbers; a NULL ETag is stored as it is, and
// then passes under "*" only.
static void test_memory_table_mirrors_etags(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_row *first = entity("0", NULL, "a=1");
    struct ct_operation operations[] = {{CT_INSERT, first}, {CT_INSERT, entity("1", NULL, "")}};
    struct ct_batch batch = batch_of(2, operations);
    struct ct_op_result mirrored[2] = {{.etag = "x7"}, {.etag = NULL}};
    struct ct_op_result results[2];
    assert_int_equal(ct_memory_execute_mirror(table, &batch, mirrored, results).kind, CT_SUCCEEDED);
    assert_rows(table, "0:x7[a=1],1:-[]");
    assert_string_equal(first->etag, "x7");
    assert_string_equal(results[0].etag, "x7");
    assert_null(results[1].etag);
    struct ct_outcome outcome = execute_one(table, CT_REPLACE, entity("1", "-", ""), results);
    assert_true(ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED));
    apply(table, CT_REPLACE, entity("1", "*", "b=1"));
    assert_rows(table, "0:x7[a=1],1:t1[b=1]");
}

// Without a list a mirrored batch is an ordinary one.
static void test_memory_table_mirrors_nothing_without_a_list(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_operation operation = {CT_INSERT, entity("0", NULL, "")};
    struct ct_batch batch = batch_of(1, &operation);
    struct ct_op_result result;
    assert_int_equal(ct_memory_execute_mirror(table, &batch, NULL, &result).kind, CT_SUCCEEDED);
    assert_rows(table, "0:t1[]");
}

// ---- History -----------------------------------------------------------------------------------

// Every successful batch makes a revision, one that changed nothing too; old ones stay as they
// were.
static void test_memory_table_keeps_every_revision(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    assert_int_equal(ct_memory_revision(table), 0);
    put(table, "1", "a=1");
    put(table, "0", "");
    apply(table, CT_DELETE, entity("9", "**", ""));
    drop(table, "1");
    static const char *const expected[] = {"", "1:t1[a=1]", "0:t2[],1:t1[a=1]", "0:t2[],1:t1[a=1]",
                                           "0:t2[]"};
    assert_int_equal(ct_memory_revision(table), 4);
    for (size_t i = 0; i <= 4; i++) {
        struct ct_rows rows = ct_memory_rows_at(table, i);
        assert_string_equal(describe(rows.rows, rows.count, false), expected[i]);
    }
}

// The history grows without bound: 200 revisions of up to 200 rows each are all there.
static void test_memory_table_history_grows(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    for (int i = 0; i < 200; i++)
        put(table, arena_printf(&arena, "%d", i * 7919 % 200), "");
    for (size_t i = 0; i <= 200; i++) {
        struct ct_rows rows = ct_memory_rows_at(table, i);
        assert_int_equal(rows.count, i);
        for (size_t j = 1; j < i; j++)
            assert_true(ct_key_compare(rows.rows[j - 1]->key, rows.rows[j]->key) < 0);
    }
}

// A revision of the future is a mistake of the caller.
static void test_memory_table_asserts_the_revision(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    expect_assert_failure(ct_memory_rows_at(table, 1));
    assert_int_equal(failed_as, FAIL_ASSERTION);
}

// ---- Atomic queries ----------------------------------------------------------------------------

static const char *query(struct ct_memory_table *table, const char *filter) {
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(ct_memory_table_interface(table), parse(filter), &arena, &rows);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return describe(rows.rows, rows.count, false);
}

// Queries give the matching rows of now in key order.
static void test_memory_table_query_gives_matching_rows(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    static const char *const partitions[] = {"q", "o", "p", "p", "p"};
    static const char *const rows[] = {"5", "4", "3", "2", "1"};
    for (int i = 0; i < 5; i++) {
        struct ct_row *row = entity(rows[i], NULL, i % 2 ? "a=1" : "a=2");
        row->key.partition = partitions[i];
        apply(table, CT_INSERT, row);
    }
    const struct {
        const char *filter, *expected;
    } cases[] = {
        {"PartitionKey eq 'p'", "1:t5[a=2],2:t4[a=1],3:t3[a=2]"},
        {"PartitionKey eq 'z'", ""},
        {"PartitionKey eq ''", ""},
        {"(PartitionKey eq 'p') and (RowKey eq '2')", "2:t4[a=1]"},
        {"(PartitionKey eq 'p') and (RowKey eq '0')", ""},
        {"(PartitionKey eq 'p') and (RowKey eq '4')", ""},
        {"(PartitionKey eq 'p') and (RowKey eq '9')", ""},
        {"(PartitionKey eq 'p') and (RowKey ne '2')", "1:t5[a=2],3:t3[a=2]"},
        {"(PartitionKey eq 'p') and (RowKey eq true)", ""},
        {"(PartitionKey eq 'p') and (a eq '2')", "1:t5[a=2],3:t3[a=2]"},
        {"(PartitionKey eq 'p') and ((RowKey eq '1') or (RowKey eq '3'))", "1:t5[a=2],3:t3[a=2]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(query(table, cases[i].filter), cases[i].expected);
}

// A filter that does not target a partition syntactically is a program error, the empty one too.
static void test_memory_table_query_requires_a_partition(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    static const char *const filters[] = {"", "RowKey eq '0'", "PartitionKey ge 'p'",
                                          "(RowKey eq '0') and (PartitionKey eq 'p')",
                                          "(PartitionKey eq 'p') or (a eq '2')"};
    for (int i = 0; i < 5; i++) {
        struct ct_rows rows;
        struct ct_outcome outcome =
            ct_query(ct_memory_table_interface(table), parse(filters[i]), &arena, &rows);
        assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
    }
}

// A key has no U+0000, so that a filter whose literal goes on behind one matches no row.
static void test_memory_table_query_reads_the_whole_literal(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    for (size_t size = 1; size <= 3; size += 2) {
        struct ct_rows rows;
        struct ct_property operand = ct_string_of(CT_PARTITION_KEY, "p\0x", size);
        const struct ct_filter *filter = ct_filter_compare(&arena, CT_EQ, operand);
        struct ct_outcome outcome =
            ct_query(ct_memory_table_interface(table), filter, &arena, &rows);
        assert_int_equal(outcome.kind, CT_SUCCEEDED);
        assert_int_equal(rows.count, size == 1);
    }
}

// A result is a snapshot: later batches do not change it.
static void test_memory_table_query_result_stays(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    struct ct_rows rows;
    ct_query(ct_memory_table_interface(table), parse("PartitionKey eq 'p'"), &arena, &rows);
    put(table, "0", "a=2");
    drop(table, "0");
    assert_string_equal(describe(rows.rows, rows.count, false), "0:t1[a=1]");
}

static struct digest digest_of_contents(const struct ct_row *row) {
    return ct_row_digest(ct_row_clone(&arena, row)); // a copy knows none
}

// A table that keeps the digests of its rows has those that their contents have, after each kind of
// write; of a row that was got from there and changed nothing is known.
static void test_memory_table_keeps_digests_of_contents(void **state) {
    (void)state;
    struct ct_memory_table *table = ct_memory_table_open(
        &(struct ct_memory_options){.arena = &arena, .etag_prefix = "t", .keeps_digests = true});
    static const enum ct_op_type types[] = {CT_INSERT, CT_INSERT_OR_MERGE, CT_INSERT_OR_REPLACE,
                                            CT_MERGE, CT_REPLACE};
    struct digest before = {0, 0};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct ct_row *written = entity("0", "*", i % 2 ? "b=2" : "a=1");
        struct ct_op_result result;
        struct ct_batch batch = batch_of(1, &(struct ct_operation){types[i], written});
        assert_int_equal(ct_execute(ct_memory_table_interface(table), &batch, &arena, &result).kind,
                         CT_SUCCEEDED);
        assert_int_equal(ct_memory_rows(table).count, 1);
        const struct ct_row *row = ct_memory_rows(table).rows[0];
        assert_true(digest_equal(row->digest, digest_of_contents(row)));
        assert_true(digest_equal(ct_row_digest(row), row->digest));
        assert_false(digest_equal(row->digest, before)); // its ETag at least is another
        before = row->digest;
        struct ct_row *copy = ct_row_copy(&arena, row);
        copy->etag = "another";
        assert_false(digest_equal(ct_row_digest(copy), row->digest));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_memory_table_follows_the_operation_table),
        TEST(test_memory_table_knows_if_exists_on_deletes_only),
        TEST(test_memory_table_stores_copies),
        TEST(test_memory_table_executes_a_batch_in_order),
        TEST(test_memory_table_undoes_a_failed_batch),
        TEST(test_memory_table_undoes_a_batch_with_a_program_error),
        TEST(test_memory_table_refuses_ill_formed_batches),
        TEST(test_memory_table_enforces_limits_when_told),
        TEST(test_memory_table_numbers_etags),
        TEST(test_memory_table_mirrors_etags),
        TEST(test_memory_table_mirrors_nothing_without_a_list),
        TEST(test_memory_table_keeps_every_revision),
        TEST(test_memory_table_history_grows),
        TEST(test_memory_table_asserts_the_revision),
        TEST(test_memory_table_query_gives_matching_rows),
        TEST(test_memory_table_query_requires_a_partition),
        TEST(test_memory_table_query_reads_the_whole_literal),
        TEST(test_memory_table_query_result_stays),
        TEST(test_memory_table_keeps_digests_of_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
