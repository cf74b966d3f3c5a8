#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/memory/memory_table.h"
#include "model/table/row.h"

#include <string.h>

// The answers a stream is given, and the counts it asked with.
static struct { size_t answers[16], counts[16], asked; } choices;

static size_t choose_scripted(void *context, size_t count) {
    assert_ptr_equal(context, &choices);
    assert_true(choices.asked < 16);
    choices.counts[choices.asked] = count;
    return choices.answers[choices.asked++];
}

static int setup(void **state) {
    memset(&choices, 0, sizeof choices);
    return open_arena(state);
}

static struct ct_memory_table *open_table(void) {
    return ct_memory_table_open(&(struct ct_memory_options){.arena = &arena,
                                                            .etag_prefix = "t",
                                                            .choose = choose_scripted,
                                                            .choose_context = &choices});
}

static struct ct_key key(const char *partition, const char *row) {
    return (struct ct_key){.partition = partition, .row = row};
}

// An entity of partition "p" with the string properties spelled in [text]: "a=1 b=2".
static struct ct_row *entity(const char *row, const char *if_match, const char *text) {
    struct ct_property properties[4];
    size_t count = 0;
    for (const char *at = text; *at; at += at[3] ? 4 : 3) {
        char *spelled = arena_zalloc(&arena, 4);
        spelled[0] = at[0];
        spelled[2] = at[2];
        properties[count++] =
            (struct ct_property){.name = spelled, .type = CT_STRING, .value.string = spelled + 2};
    }
    return ct_row_new(&arena, key("p", row), if_match, properties, count);
}

static struct ct_batch batch_of(size_t count, const struct ct_operation *operations) {
    struct ct_batch batch = ct_batch_new(&arena, count);
    memcpy(batch.operations, operations, count * sizeof *operations);
    batch.count = count;
    return batch;
}

static struct ct_outcome execute_one(struct ct_memory_table *table, enum ct_op_type type,
                                     struct ct_row *row, struct ct_op_result *result) {
    struct ct_operation operation = {.type = type, .entity = row};
    struct ct_batch batch = batch_of(1, &operation);
    return ct_execute(ct_memory_table_interface(table), &batch, &arena, result);
}

// Executes one operation that must succeed.
static void apply(struct ct_memory_table *table, enum ct_op_type type, struct ct_row *row) {
    struct ct_op_result result;
    assert_int_equal(execute_one(table, type, row, &result).kind, CT_SUCCEEDED);
}

static void put(struct ct_memory_table *table, const char *row, const char *properties) {
    apply(table, CT_INSERT_OR_REPLACE, entity(row, NULL, properties));
}

static void drop(struct ct_memory_table *table, const char *row) {
    apply(table, CT_DELETE, entity(row, "*", ""));
}

// "0:t1[a=1 b=2]", rows separated by commas; the end of a stream is "end".
static const char *describe(const struct ct_row *const *rows, size_t count, bool may_end) {
    char *buffer = arena_alloc(&arena, 1024);
    struct text text = text_in(buffer, 1024);
    for (size_t i = 0; i < count; i++) {
        const struct ct_row *row = rows[i];
        text_add(&text, "%s%s:%s[", i ? "," : "", row->key.row, row->etag ? row->etag : "-");
        for (size_t j = 0; j < row->property_count; j++)
            text_add(&text, "%s%s=%s", j ? " " : "", row->properties[j].name,
                     row->properties[j].value.string);
        text_add(&text, "]");
    }
    if (may_end)
        text_add(&text, "%send", count ? "," : "");
    return buffer;
}

static void assert_rows(const struct ct_memory_table *table, const char *expected) {
    struct ct_rows rows = ct_memory_rows(table);
    assert_string_equal(describe(rows.rows, rows.count, false), expected);
}

static const struct ct_filter *parse(const char *text) {
    const struct ct_filter *filter;
    struct error error;
    assert_true(ct_filter_parse(&arena, text, &filter, &error));
    return filter;
}

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

// ---- The valid-row rule by hand ----------------------------------------------------------------

static const char *valid(const struct ct_memory_table *table, size_t start, const char *filter,
                         const char *from) {
    struct ct_valid_rows rows =
        ct_memory_valid_rows(table, start, parse(filter), key("p", from), &arena);
    return describe(rows.rows, rows.count, rows.may_end);
}

// Without changes the answer is the next row, and only the end after the last.
static void test_valid_rows_of_a_quiet_table(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    assert_string_equal(valid(table, 0, "", ""), "end");
    put(table, "0", "a=1");
    put(table, "2", "a=2");
    assert_string_equal(valid(table, 2, "", ""), "0:t1[a=1]");
    assert_string_equal(valid(table, 2, "", "0"), "0:t1[a=1]");
    assert_string_equal(valid(table, 2, "", "0 "), "2:t2[a=2]");
    assert_string_equal(valid(table, 2, "", "2 "), "end");
    assert_string_equal(valid(table, 2, "a eq '2'", ""), "2:t2[a=2]");
    assert_string_equal(valid(table, 2, "a eq '3'", ""), "end");
}

// A row inserted before a row that was there all the time may be returned or not; a row inserted
// after it not yet.
static void test_valid_rows_with_rows_that_appear(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "5", "");
    put(table, "7", "");
    put(table, "3", "");
    assert_string_equal(valid(table, 1, "", ""), "5:t1[],3:t3[]");
    assert_string_equal(valid(table, 2, "", "3 "), "5:t1[]");
    assert_string_equal(valid(table, 0, "", ""), "5:t1[],7:t2[],3:t3[],end");
    assert_string_equal(valid(table, 1, "", "5 "), "7:t2[],end");
    assert_string_equal(valid(table, 2, "", "5 "), "7:t2[]");
}

// A row deleted on the way may still be returned, and bounds nothing.
static void test_valid_rows_with_rows_that_disappear(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "");
    put(table, "2", "");
    put(table, "3", "");
    drop(table, "1");
    assert_string_equal(valid(table, 3, "", ""), "1:t1[],2:t2[]");
    assert_string_equal(valid(table, 4, "", ""), "2:t2[]");
    drop(table, "3");
    assert_string_equal(valid(table, 3, "", "2 "), "3:t3[],end");
    drop(table, "2");
    assert_string_equal(valid(table, 3, "", ""), "1:t1[],2:t2[],3:t3[],end");
}

// All versions of the bounding row are valid, old to new: the key counts, not the contents.
static void test_valid_rows_with_rows_that_change(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "a=1");
    put(table, "2", "a=1");
    put(table, "1", "a=2");
    put(table, "1", "a=3");
    put(table, "2", "a=4");
    assert_string_equal(valid(table, 2, "", ""), "1:t1[a=1],1:t3[a=2],1:t4[a=3]");
    assert_string_equal(valid(table, 3, "", ""), "1:t3[a=2],1:t4[a=3]");
    assert_string_equal(valid(table, 2, "", "1 "), "2:t2[a=1],2:t5[a=4]");
}

// A row that is deleted and comes back does not bound, since it was absent in between.
static void test_valid_rows_with_rows_that_come_back(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "");
    put(table, "2", "");
    drop(table, "1");
    put(table, "1", "");
    assert_string_equal(valid(table, 2, "", ""), "1:t1[],2:t2[],1:t3[]");
}

// The filter is evaluated in every revision: what matched at any time may be returned, and only
// what matched at all times bounds.
static void test_valid_rows_with_matches_that_change(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "a=1");
    put(table, "2", "a=1");
    put(table, "1", "a=2");
    put(table, "1", "a=1");
    assert_string_equal(valid(table, 2, "a eq '1'", ""), "1:t1[a=1],2:t2[a=1],1:t4[a=1]");
    put(table, "2", "a=2");
    assert_string_equal(valid(table, 2, "a eq '1'", ""), "1:t1[a=1],2:t2[a=1],1:t4[a=1],end");
    assert_string_equal(valid(table, 2, "a eq '2'", ""), "1:t3[a=2],2:t5[a=2],end");
}

// Versions that are equal by value, as mirrored ETags make them, are one answer.
static void test_valid_rows_drops_equal_versions(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "2", "");
    for (int i = 0; i < 2; i++) {
        struct ct_operation operation = {CT_INSERT, entity("1", NULL, "a=1")};
        struct ct_batch batch = batch_of(1, &operation);
        struct ct_op_result mirrored = {.etag = "x"};
        struct ct_op_result result;
        ct_memory_execute_mirror(table, &batch, &mirrored, &result);
        drop(table, "1");
    }
    assert_string_equal(valid(table, 1, "", ""), "2:t1[],1:x[a=1]");
}

// Membership: by value; the end is NULL.
static void test_is_valid_row_compares_values(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "a=1");
    struct ct_row *same = ct_row_copy(&arena, ct_memory_rows(table).rows[0]);
    struct ct_row *other = ct_row_copy(&arena, same);
    other->etag = "t9";
    size_t mark = arena_mark(&arena);
    assert_true(ct_memory_is_valid_row(table, 1, NULL, ct_key_first(), same, &arena));
    assert_false(ct_memory_is_valid_row(table, 1, NULL, ct_key_first(), other, &arena));
    assert_false(ct_memory_is_valid_row(table, 1, NULL, ct_key_first(), NULL, &arena));
    assert_true(ct_memory_is_valid_row(table, 0, NULL, ct_key_first(), same, &arena));
    assert_true(ct_memory_is_valid_row(table, 0, NULL, ct_key_first(), NULL, &arena));
    assert_int_equal(arena_mark(&arena), mark);
}

// A start in the future is a mistake of the caller.
static void test_valid_rows_asserts_the_start(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    expect_assert_failure(ct_memory_valid_rows(table, 1, NULL, ct_key_first(), &arena));
    assert_int_equal(failed_as, FAIL_ASSERTION);
}

// ---- The valid-row rule by brute force ---------------------------------------------------------

// The definition of the valid-row rule word by word, with its own order, equality and filter.
enum { UNIVERSE = 6 };
static const char *const universe[UNIVERSE] = {"0", "0 ", "00", "1", "2", "a"};

// "Property a is [value]" (NULL: every row matches), in both forms.
struct simple_filter {
    const char *text, *value;
};

static bool simply_matches(const struct simple_filter *filter, const struct ct_row *row) {
    if (!filter->value)
        return true;
    for (size_t i = 0; i < row->property_count; i++)
        if (strcmp(row->properties[i].name, "a") == 0)
            return strcmp(row->properties[i].value.string, filter->value) == 0;
    return false;
}

// The row of D_j with the key number [k], or NULL.
static const struct ct_row *member(struct ct_rows snapshot, const struct simple_filter *filter,
                                   const char *from, int k) {
    for (size_t i = 0; i < snapshot.count; i++) {
        const struct ct_row *row = snapshot.rows[i];
        if (strcmp(row->key.row, universe[k]) == 0)
            return strcmp(row->key.row, from) >= 0 && simply_matches(filter, row) ? row : NULL;
    }
    return NULL;
}

// The number of the smallest key in every D_j, or UNIVERSE.
static int smallest_common(const struct ct_memory_table *table, size_t start,
                           const struct simple_filter *filter, const char *from) {
    for (int k = 0; k < UNIVERSE; k++) {
        bool in_all = true;
        for (size_t j = start; j <= ct_memory_revision(table); j++)
            in_all &= member(ct_memory_rows_at(table, j), filter, from, k) != NULL;
        if (in_all)
            return k;
    }
    return UNIVERSE;
}

// All versions in words, each once: the words hold everything that tells two versions apart here.
static const char *brute_force(const struct ct_memory_table *table, size_t start,
                               const struct simple_filter *filter, const char *from) {
    const char *seen[512];
    size_t count = 0;
    int last = smallest_common(table, start, filter, from);
    for (size_t j = start; j <= ct_memory_revision(table); j++) {
        for (int k = 0; k < UNIVERSE && k <= last; k++) {
            const struct ct_row *row = member(ct_memory_rows_at(table, j), filter, from, k);
            const char *words = row ? describe(&row, 1, false) : NULL;
            bool known = !row;
            for (size_t i = 0; i < count; i++)
                known = known || strcmp(seen[i], words) == 0;
            assert_true(count < 512);
            if (!known)
                seen[count++] = words;
        }
    }
    char *buffer = arena_alloc(&arena, 1024);
    struct text text = text_in(buffer, 1024);
    for (size_t i = 0; i < count; i++)
        text_add(&text, "%s%s", i ? "," : "", seen[i]);
    if (last == UNIVERSE)
        text_add(&text, "%send", count ? "," : "");
    return buffer;
}

// A batch of one or two operations that cannot fail; some with ETags that come again.
static void random_batch(struct ct_memory_table *table, struct rng *rng) {
    static const char *const properties[] = {"", "a=1", "a=2", "a=1 b=1", "b=1"};
    static const char *const etags[] = {"x", "y", NULL};
    struct ct_operation operations[2];
    struct ct_op_result mirrored[2];
    struct ct_op_result results[2];
    size_t count = 1 + rng_below(rng, 2);
    for (size_t i = 0; i < count; i++) {
        static const enum ct_op_type types[] = {CT_DELETE, CT_INSERT_OR_REPLACE,
                                                CT_INSERT_OR_MERGE};
        enum ct_op_type type = types[rng_below(rng, 3)];
        const char *row = universe[rng_below(rng, UNIVERSE)];
        operations[i].type = type;
        operations[i].entity =
            entity(row, type == CT_DELETE ? "**" : NULL, properties[rng_below(rng, 5)]);
        mirrored[i] = (struct ct_op_result){.etag = etags[rng_below(rng, 3)]};
    }
    struct ct_batch batch = batch_of(count, operations);
    bool mirrors = rng_below(rng, 3) == 0;
    struct ct_outcome outcome =
        ct_memory_execute_mirror(table, &batch, mirrors ? mirrored : NULL, results);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
}

// In 400 random histories of 12 batches, for every start, filter and position, the list is the one
// of the definition, in the same order.
static void test_valid_rows_agrees_with_brute_force(void **state) {
    (void)state;
    static const struct simple_filter filters[] = {{"", NULL}, {"a eq '1'", "1"}};
    struct rng rng;
    rng_seed(&rng, 17);
    for (int history = 0; history < 400; history++) {
        arena_reset(&arena, 0);
        struct ct_memory_table *table = open_table();
        for (int i = 0; i < 12; i++)
            random_batch(table, &rng);
        size_t mark = arena_mark(&arena);
        for (size_t start = 0; start <= 12; start++) {
            for (int k = -1; k < UNIVERSE; k++) {
                arena_reset(&arena, mark);
                const struct simple_filter *filter = &filters[rng_below(&rng, 2)];
                const char *from = k < 0 ? "" : universe[k];
                assert_string_equal(valid(table, start, filter->text, from),
                                    brute_force(table, start, filter, from));
            }
        }
    }
}

// ---- Streams -----------------------------------------------------------------------------------

static struct ct_stream *open_stream(struct ct_memory_table *table,
                                     const struct ct_filter *filter) {
    struct ct_stream *stream;
    struct ct_outcome outcome = ct_open_stream(ct_memory_table_interface(table), filter, &stream);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return stream;
}

static const char *read_row(struct ct_stream *stream) {
    const struct ct_row *row;
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
    return describe(&row, row ? 1 : 0, !row);
}

// On a quiet table a stream gives the matching rows in order and stays at the end; every answer is
// the only one, and after the end nothing is asked.
static void test_stream_gives_rows_then_the_end_for_ever(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    put(table, "1", "a=2");
    put(table, "2", "a=1");
    struct ct_stream *stream = open_stream(table, parse("a eq '1'"));
    assert_string_equal(read_row(stream), "0:t1[a=1]");
    assert_string_equal(read_row(stream), "2:t3[a=1]");
    assert_string_equal(read_row(stream), "end");
    put(table, "9", "a=1");
    assert_string_equal(read_row(stream), "end");
    assert_int_equal(choices.asked, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(choices.counts[i], 1);
    ct_stream_close(stream);
}

// Each read asks with the number of answers of that moment, the end last, and goes on behind the
// row that was picked, also behind one that is gone by now.
static void test_stream_picks_among_the_answers_of_the_moment(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "");
    put(table, "3", "");
    struct ct_stream *stream = open_stream(table, NULL);
    drop(table, "1");
    put(table, "2", "");
    put(table, "4", "");
    memcpy(choices.answers, (size_t[]){0, 1, 0, 1}, 4 * sizeof(size_t));
    assert_string_equal(read_row(stream), "1:t1[]"); // of 1, 3, 2
    assert_string_equal(read_row(stream), "2:t3[]"); // of 3, 2
    drop(table, "3");
    assert_string_equal(read_row(stream), "3:t2[]"); // of 3, 4, end
    assert_string_equal(read_row(stream), "end");    // of 4, end
    assert_int_equal(choices.asked, 4);
    const size_t counts[] = {3, 2, 3, 2};
    for (int i = 0; i < 4; i++)
        assert_int_equal(choices.counts[i], counts[i]);
}

// What happened before a stream was opened does not concern it.
static void test_stream_starts_at_the_revision_of_its_opening(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "");
    drop(table, "0");
    assert_string_equal(read_row(open_stream(table, NULL)), "end");
    assert_int_equal(choices.counts[0], 1);
}

// The empty keys are a row's too, and the stream goes on behind them.
static void test_stream_begins_with_the_first_key(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_row *row = entity("", NULL, "");
    row->key.partition = "";
    apply(table, CT_INSERT, row);
    put(table, "", "");
    struct ct_stream *stream = open_stream(table, NULL);
    assert_string_equal(read_row(stream), ":t1[]");
    assert_string_equal(read_row(stream), ":t2[]");
    assert_string_equal(read_row(stream), "end");
}

// Without a chooser the first answer is taken.
static void test_stream_without_a_chooser_takes_the_first(void **state) {
    (void)state;
    struct ct_memory_options options = {.arena = &arena, .etag_prefix = "t"};
    struct ct_memory_table *table = ct_memory_table_open(&options);
    put(table, "1", "");
    struct ct_stream *stream = open_stream(table, NULL);
    put(table, "0", "");
    assert_string_equal(read_row(stream), "1:t1[]");
}

// An answer outside the count is a mistake of the chooser.
static void test_stream_asserts_the_choice(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_stream *stream = open_stream(table, NULL);
    choices.answers[0] = 1;
    const struct ct_row *row;
    expect_assert_failure(ct_stream_read(stream, &row));
    assert_int_equal(failed_as, FAIL_ASSERTION);
}

// Closing twice does nothing; reading a closed stream is a program error.
static void test_stream_is_not_read_after_close(void **state) {
    (void)state;
    struct ct_stream *stream = open_stream(open_table(), NULL);
    assert_null(stream->ops->continuation_key);
    ct_stream_close(stream);
    ct_stream_close(stream);
    const struct ct_row *row;
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_PROGRAM_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_arena)

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
        TEST(test_memory_table_query_result_stays),
        TEST(test_valid_rows_of_a_quiet_table),
        TEST(test_valid_rows_with_rows_that_appear),
        TEST(test_valid_rows_with_rows_that_disappear),
        TEST(test_valid_rows_with_rows_that_change),
        TEST(test_valid_rows_with_rows_that_come_back),
        TEST(test_valid_rows_with_matches_that_change),
        TEST(test_valid_rows_drops_equal_versions),
        TEST(test_is_valid_row_compares_values),
        TEST(test_valid_rows_asserts_the_start),
        TEST(test_valid_rows_agrees_with_brute_force),
        TEST(test_stream_gives_rows_then_the_end_for_ever),
        TEST(test_stream_picks_among_the_answers_of_the_moment),
        TEST(test_stream_starts_at_the_revision_of_its_opening),
        TEST(test_stream_begins_with_the_first_key),
        TEST(test_stream_without_a_chooser_takes_the_first),
        TEST(test_stream_asserts_the_choice),
        TEST(test_stream_is_not_read_after_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
