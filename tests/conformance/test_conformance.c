// One suite of what a chain table must do, for everything that claims to be one (subjects.def).
#include "tests/conformance/subjects.h"

#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/base/text.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- The tables under test ---------------------------------------------------------------------

static const struct subject subjects[] = {
#define SUBJECT(name, open, argument, close) {name, open, argument, close},
#include "tests/conformance/subjects.def"
#undef SUBJECT
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static struct arena arena; // of all calls of a test
static struct ct_table *table;

static void raise_in_test(enum fail_kind kind, const char *where, const char *message) {
    static char kept[400];
    (void)kind;
    snprintf(kept, sizeof kept, "%s", message);
    mock_assert(0, kept, where, 0);
}

static int open_subject(void **state) {
    const struct subject *subject = *state;
    arena_init(&arena, 1 << 26);
    fail_handler_set(raise_in_test);
    table = subject->open(&arena, subject->argument);
    return 0;
}

static int close_subject(void **state) {
    const struct subject *subject = *state;
    subject->close(table);
    fail_handler_set(NULL);
    arena_deinit(&arena);
    return 0;
}

// ---- Small words -------------------------------------------------------------------------------

static const struct ct_filter *parse(const char *text) {
    const struct ct_filter *filter = NULL;
    struct error error;
    assert_true(ct_filter_parse(&arena, text, &filter, &error));
    return filter;
}

static struct ct_row *entity(const char *partition, const char *row, const char *if_match,
                             const char *name, bool value) {
    struct ct_property property = ct_bool(name, value);
    return ct_row_new(&arena, (struct ct_key){partition, row}, if_match, &property, 1);
}

static struct ct_outcome execute_one(enum ct_op_type type, struct ct_row *row,
                                     struct ct_op_result *result) {
    struct ct_batch batch = ct_batch_new(&arena, 1);
    ct_batch_add(&batch, type, row);
    return ct_execute(table, &batch, &arena, result);
}

// Writes a row that must not fail; its ETag.
static const char *put(const char *partition, const char *row, const char *name, bool value) {
    struct ct_op_result result;
    struct ct_outcome outcome =
        execute_one(CT_INSERT_OR_REPLACE, entity(partition, row, NULL, name, value), &result);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return result.etag;
}

static struct ct_rows query(const char *text) {
    struct ct_rows rows;
    struct ct_outcome outcome = ct_query(table, parse(text), &arena, &rows);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return rows;
}

static const struct ct_row *get(const char *partition, const char *row) {
    const struct ct_filter *filter = ct_filter_point(&arena, (struct ct_key){partition, row});
    struct ct_rows rows;
    struct ct_outcome outcome = ct_query(table, filter, &arena, &rows);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    assert_true(rows.count <= 1);
    return rows.count ? rows.rows[0] : NULL;
}

static struct ct_stream *open_stream(const char *filter) {
    struct ct_stream *stream = NULL;
    struct ct_outcome outcome = ct_open_stream(table, parse(filter), &stream);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return stream;
}

static const struct ct_row *read_row(struct ct_stream *stream) {
    const struct ct_row *row = NULL;
    struct ct_key key = {NULL, NULL};
    bool knows_key = stream->ops->continuation_key != NULL;
    bool has_key = knows_key && ct_stream_continuation_key(stream, &key);
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
    if (knows_key && row)
        assert_true(has_key && ct_key_compare(key, row->key) <= 0);
    return row;
}

static void assert_error(struct ct_outcome outcome, enum ct_status status, size_t index) {
    assert_int_equal(outcome.kind, CT_STORAGE_ERROR);
    assert_int_equal(outcome.status, status);
    assert_int_equal(outcome.op_index, index);
}

static void assert_result(const struct ct_op_result *result, enum ct_status status) {
    assert_int_equal(result->status, status);
    assert_non_null(result->etag);
    assert_string_equal(result->entity->etag, result->etag);
}

static bool has(const struct ct_row *row, const char *name, bool value) {
    const struct ct_property *property = ct_row_property(row, name);
    return property && property->type == CT_BOOL && property->value.boolean == value;
}

// "p/r p/r ..." of [rows].
static const char *keys_of(struct ct_rows rows) {
    static char buffer[400];
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < rows.count; i++)
        text_add(&text, "%s%s/%s", i ? " " : "", rows.rows[i]->key.partition,
                 rows.rows[i]->key.row);
    return buffer;
}

// ---- Single operations -------------------------------------------------------------------------

// Insert makes a row with exactly the given properties, and refuses when the row exists.
static void test_insert(void **state) {
    (void)state;
    struct ct_op_result result;
    struct ct_row *row = entity("p", "r", "ignored", "a", true);
    assert_int_equal(execute_one(CT_INSERT, row, &result).kind, CT_SUCCEEDED);
    assert_result(&result, CT_STATUS_CREATED);
    assert_ptr_equal(result.entity, row);
    const struct ct_row *stored = get("p", "r");
    assert_non_null(stored);
    assert_string_equal(stored->etag, result.etag);
    assert_int_equal(stored->property_count, 1);
    assert_true(has(stored, "a", true));
    assert_error(execute_one(CT_INSERT, entity("p", "r", NULL, "b", true), &result),
                 CT_STATUS_CONFLICT, 0);
    assert_true(has(get("p", "r"), "a", true));
}

// Replace and Merge of an absent row are 404 whatever the If-Match, with a wrong one 412, and with
// "*" or the row's ETag they succeed.
static void test_conditional_update(void **state) {
    (void)state;
    static const enum ct_op_type types[] = {CT_REPLACE, CT_MERGE};
    for (size_t i = 0; i < 2; i++) {
        struct ct_op_result result;
        const char *row = i ? "m" : "r";
        assert_error(execute_one(types[i], entity("p", row, CT_ANY_ETAG, "b", true), &result),
                     CT_STATUS_NOT_FOUND, 0);
        assert_error(execute_one(types[i], entity("p", row, "x", "b", true), &result),
                     CT_STATUS_NOT_FOUND, 0);
        const char *etag = put("p", row, "a", true);
        assert_error(execute_one(types[i], entity("p", row, "x", "b", true), &result),
                     CT_STATUS_PRECONDITION_FAILED, 0);
        assert_false(has(get("p", row), "b", true));
        assert_int_equal(execute_one(types[i], entity("p", row, etag, "b", true), &result).kind,
                         CT_SUCCEEDED);
        assert_result(&result, CT_STATUS_NO_CONTENT);
        assert_string_not_equal(result.etag, etag);
        assert_true(has(get("p", row), "b", true));
        // A Merge keeps what it does not name, a Replace does not.
        assert_int_equal(has(get("p", row), "a", true), types[i] == CT_MERGE);
        assert_error(execute_one(types[i], entity("p", row, etag, "c", true), &result),
                     CT_STATUS_PRECONDITION_FAILED, 0);
        assert_int_equal(
            execute_one(types[i], entity("p", row, CT_ANY_ETAG, "b", false), &result).kind,
            CT_SUCCEEDED);
        assert_true(has(get("p", row), "b", false));
    }
}

// InsertOrReplace and InsertOrMerge always succeed, with 204 also when they insert; If-Match is
// ignored.
static void test_insert_or(void **state) {
    (void)state;
    static const enum ct_op_type types[] = {CT_INSERT_OR_REPLACE, CT_INSERT_OR_MERGE};
    for (size_t i = 0; i < 2; i++) {
        struct ct_op_result result;
        const char *row = i ? "m" : "r";
        assert_int_equal(execute_one(types[i], entity("p", row, "x", "a", true), &result).kind,
                         CT_SUCCEEDED);
        assert_result(&result, CT_STATUS_NO_CONTENT);
        assert_int_equal(execute_one(types[i], entity("p", row, "x", "b", true), &result).kind,
                         CT_SUCCEEDED);
        assert_result(&result, CT_STATUS_NO_CONTENT);
        assert_int_equal(has(get("p", row), "a", true), types[i] == CT_INSERT_OR_MERGE);
        assert_true(has(get("p", row), "b", true));
    }
}

// Delete removes under its condition and returns no ETag; the caller's entity keeps its If-Match.
static void test_delete(void **state) {
    (void)state;
    struct ct_op_result result;
    assert_error(execute_one(CT_DELETE, entity("p", "r", CT_ANY_ETAG, "a", true), &result),
                 CT_STATUS_NOT_FOUND, 0);
    const char *etag = put("p", "r", "a", true);
    assert_error(execute_one(CT_DELETE, entity("p", "r", "x", "a", true), &result),
                 CT_STATUS_PRECONDITION_FAILED, 0);
    assert_non_null(get("p", "r"));
    struct ct_row *row = entity("p", "r", etag, "a", true);
    assert_int_equal(execute_one(CT_DELETE, row, &result).kind, CT_SUCCEEDED);
    assert_int_equal(result.status, CT_STATUS_NO_CONTENT);
    assert_null(result.etag);
    assert_string_equal(row->etag, etag);
    assert_null(get("p", "r"));
    put("p", "r", "a", true);
    assert_int_equal(execute_one(CT_DELETE, entity("p", "r", CT_ANY_ETAG, "a", true), &result).kind,
                     CT_SUCCEEDED);
    assert_null(get("p", "r"));
}

// DeleteIfExists succeeds on an absent and on a present row alike.
static void test_delete_if_exists(void **state) {
    (void)state;
    struct ct_op_result result;
    for (int i = 0; i < 3; i++) {
        struct ct_row *row = entity("p", "r", CT_IF_EXISTS_ETAG, "a", true);
        assert_int_equal(execute_one(CT_DELETE, row, &result).kind, CT_SUCCEEDED);
        assert_int_equal(result.status, CT_STATUS_NO_CONTENT);
        assert_null(result.etag);
        assert_string_equal(row->etag, CT_IF_EXISTS_ETAG);
        assert_null(get("p", "r"));
        if (i == 0)
            put("p", "r", "a", true);
    }
}

// A deleted row can be inserted again, with only its new properties and another ETag.
static void test_insert_after_delete(void **state) {
    (void)state;
    static const enum ct_op_type types[] = {CT_INSERT, CT_INSERT_OR_REPLACE, CT_INSERT_OR_MERGE};
    for (size_t i = 0; i < 3; i++) {
        struct ct_op_result result;
        const char *etag = put("p", "r", "a", true);
        execute_one(CT_DELETE, entity("p", "r", CT_ANY_ETAG, "a", true), &result);
        assert_int_equal(execute_one(types[i], entity("p", "r", NULL, "b", true), &result).kind,
                         CT_SUCCEEDED);
        assert_string_not_equal(result.etag, etag);
        assert_int_equal(get("p", "r")->property_count, 1);
        assert_true(has(get("p", "r"), "b", true));
    }
}

// ---- Batches -----------------------------------------------------------------------------------

// A batch does all its operations in order and gives their results.
static void test_batch(void **state) {
    (void)state;
    put("p", "1", "a", true);
    put("p", "2", "a", true);
    struct ct_op_result results[3];
    struct ct_batch batch = ct_batch_new(&arena, 3);
    ct_batch_add(&batch, CT_INSERT, entity("p", "3", NULL, "a", true));
    ct_batch_add(&batch, CT_MERGE, entity("p", "1", CT_ANY_ETAG, "b", true));
    ct_batch_add(&batch, CT_DELETE, entity("p", "2", CT_ANY_ETAG, "b", true));
    assert_int_equal(ct_execute(table, &batch, &arena, results).kind, CT_SUCCEEDED);
    assert_result(&results[0], CT_STATUS_CREATED);
    assert_result(&results[1], CT_STATUS_NO_CONTENT);
    assert_null(results[2].etag);
    assert_string_not_equal(results[0].etag, results[1].etag);
    assert_string_equal(keys_of(query("PartitionKey eq 'p'")), "p/1 p/3");
}

// Among others a DeleteIfExists succeeds on absent and present rows alike, or is refused by a table
// that says so.
static void test_delete_if_exists_in_a_batch(void **state) {
    (void)state;
    put("p", "1", "a", true);
    struct ct_op_result results[3];
    struct ct_batch batch = ct_batch_new(&arena, 3);
    ct_batch_add(&batch, CT_INSERT, entity("p", "3", NULL, "a", true));
    ct_batch_add(&batch, CT_DELETE, entity("p", "9", CT_IF_EXISTS_ETAG, "b", true));
    ct_batch_add(&batch, CT_DELETE, entity("p", "1", CT_IF_EXISTS_ETAG, "b", true));
    struct ct_outcome outcome = ct_execute(table, &batch, &arena, results);
    if (ct_limits(table).no_delete_if_exists) {
        assert_error(outcome, CT_STATUS_BAD_REQUEST, 1);
        assert_string_equal(keys_of(query("PartitionKey eq 'p'")), "p/1");
        return;
    }
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    assert_null(results[1].etag);
    assert_null(results[2].etag);
    assert_string_equal(keys_of(query("PartitionKey eq 'p'")), "p/3");
}

// The first operation that fails decides, and nothing of the batch is done: no row, no ETag of an
// entity changes.
static void test_batch_all_or_nothing(void **state) {
    (void)state;
    const char *etag = put("p", "1", "a", true);
    struct ct_op_result results[3];
    struct ct_batch batch = ct_batch_new(&arena, 3);
    struct ct_row *first = entity("p", "0", "mine", "a", true);
    ct_batch_add(&batch, CT_INSERT_OR_REPLACE, first);
    ct_batch_add(&batch, CT_INSERT, entity("p", "1", NULL, "b", true));
    ct_batch_add(&batch, CT_DELETE, entity("p", "7", CT_ANY_ETAG, "b", true));
    assert_error(ct_execute(table, &batch, &arena, results), CT_STATUS_CONFLICT, 1);
    assert_string_equal(first->etag, "mine");
    assert_string_equal(keys_of(query("PartitionKey eq 'p'")), "p/1");
    const char *next = put("p", "2", "a", true);
    assert_string_not_equal(next, etag);
}

// An empty batch, and one with a null key, are the caller's errors; the table goes on.
static void test_ill_formed_batch(void **state) {
    (void)state;
    struct ct_op_result result;
    struct ct_batch empty = ct_batch_new(&arena, 1);
    assert_int_equal(ct_execute(table, &empty, &arena, &result).kind, CT_PROGRAM_ERROR);
    assert_int_equal(execute_one(CT_INSERT, entity(NULL, "r", NULL, "a", true), &result).kind,
                     CT_PROGRAM_ERROR);
    assert_int_equal(execute_one(CT_INSERT, entity("p", NULL, NULL, "a", true), &result).kind,
                     CT_PROGRAM_ERROR);
    put("p", "r", "a", true);
    assert_non_null(get("p", "r"));
}

// No two writes of a table ever get the same ETag, and rows of different keys do not share one.
static void test_etags_are_distinct(void **state) {
    (void)state;
    enum { WRITES = 12 };
    const char *etags[WRITES];
    for (size_t i = 0; i < WRITES; i++) {
        etags[i] = put("p", i % 3 == 0 ? "x" : "y", "a", true);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(etags[i], etags[k]);
    }
}

// All types of properties come back as they were written, under names in ordinal order; empty keys
// and odd characters are legal.
static void test_values(void **state) {
    (void)state;
    static const unsigned char bytes[CT_GUID_BYTES] = {0, 0xff, 9, '%', '\'', 10};
    struct ct_property properties[] = {
        ct_int32("number", -7),
        ct_string("Text", "it's 100 %\tor so"),
        ct_string("empty", ""),
        ct_string_of("nul", "a\0b", 3),
        ct_string("turtle", "\xf0\x9f\x90\xa2"),
        ct_bool("flag", false),
        ct_int64("least", INT64_MIN),
        ct_double("minus_zero", -0.0),
        ct_double("infinite", -INFINITY),
        ct_double("nan", NAN),
        ct_double("tiny", 5e-324),
        ct_datetime("first", CT_TICKS_MIN),
        ct_datetime("last", CT_TICKS_MAX),
        ct_guid("guid", bytes),
        ct_binary("bytes", bytes, 6),
        ct_binary("nothing", bytes, 0),
    };
    const size_t count = sizeof properties / sizeof properties[0];
    struct ct_op_result result;
    struct ct_row *row = ct_row_new(&arena, (struct ct_key){"", ""}, NULL, properties, count);
    assert_int_equal(execute_one(CT_INSERT, row, &result).kind, CT_SUCCEEDED);
    const struct ct_row *stored = get("", "");
    assert_non_null(stored);
    assert_int_equal(stored->property_count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(subject_same(&row->properties[i], &stored->properties[i]));
}

// Keys are in the order of their UTF-16 code units, in queries and streams and where filters
// compare them: supplementary characters come before U+E000 to U+FFFF.
static void test_order_of_keys(void **state) {
    (void)state;
    static const char *const keys[] = {"",
                                       "~",
                                       "\xc3\xa9",
                                       "\xed\x9f\xbf",
                                       "\xf0\x9f\x90\xa2",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbd"};
    enum { KEYS = sizeof keys / sizeof keys[0] };
    for (size_t i = 0; i < KEYS; i++) {
        put("p", keys[(3 * i) % KEYS], "a", true);
        put(keys[(5 * i) % KEYS], "p", "a", true);
    }
    struct ct_rows rows = query("PartitionKey eq 'p'");
    assert_int_equal(rows.count, KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        const char *text = arena_printf(&arena, "PartitionKey eq 'p' and RowKey ge '%s'", keys[i]);
        assert_string_equal(rows.rows[i]->key.row, keys[i]);
        assert_int_equal(query(text).count, KEYS - i);
    }
    struct ct_stream *stream = open_stream("RowKey eq 'p'");
    for (size_t i = 0; i < KEYS; i++)
        assert_string_equal(read_row(stream)->key.partition, keys[i]);
    assert_null(read_row(stream));
    ct_stream_close(stream);
}

// ---- Queries -----------------------------------------------------------------------------------

// A query gives the matching rows of its partition, in ordinal order.
static void test_query(void **state) {
    (void)state;
    static const char *const rows[] = {"a", "B", "0 ", "00", "0", "1"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put("p", rows[i], "odd", i % 2 == 1);
    put("q", "5", "odd", true);
    assert_string_equal(keys_of(query("PartitionKey eq 'p'")), "p/0 p/0  p/00 p/1 p/B p/a");
    assert_string_equal(keys_of(query("(PartitionKey eq 'p') and (odd eq true)")), "p/00 p/1 p/B");
    assert_string_equal(keys_of(query("(PartitionKey eq 'p') and (RowKey lt '1')")),
                        "p/0 p/0  p/00");
    assert_string_equal(keys_of(query("(PartitionKey eq 'p') and (none ne true)")), "");
    assert_string_equal(keys_of(query("PartitionKey eq 'nobody'")), "");
}

// A query that does not begin with its partition is the caller's error.
static void test_query_without_partition(void **state) {
    (void)state;
    static const char *const filters[] = {"", "odd eq true", "RowKey eq '1'", "PartitionKey gt 'p'",
                                          "(odd eq true) and (PartitionKey eq 'p')"};
    struct ct_rows rows;
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        assert_int_equal(ct_query(table, parse(filters[i]), &arena, &rows).kind, CT_PROGRAM_ERROR);
}

// ---- Streams -----------------------------------------------------------------------------------

static const char *stream_keys(const char *filter) {
    static const struct ct_row *found[20];
    struct ct_stream *stream = open_stream(filter);
    size_t count = 0;
    for (const struct ct_row *row = read_row(stream); row; row = read_row(stream))
        found[count++] = ct_row_clone(&arena, row); // it goes with the next read
    assert_null(read_row(stream));
    ct_stream_close(stream);
    return keys_of((struct ct_rows){.rows = found, .count = count});
}

// A stream over a quiet table gives all matching rows of all partitions once, in key order, and
// then the end again and again.
static void test_stream(void **state) {
    (void)state;
    assert_string_equal(stream_keys(""), "");
    put("q", "1", "odd", true);
    put("p", "2", "odd", false);
    put("p", "1", "odd", true);
    put("", "9", "odd", true);
    put("p", "3", "odd", true);
    struct ct_op_result result;
    execute_one(CT_DELETE, entity("p", "3", CT_ANY_ETAG, "a", true), &result);
    assert_string_equal(stream_keys(""), "/9 p/1 p/2 q/1");
    assert_string_equal(stream_keys("odd eq true"), "/9 p/1 q/1");
    assert_string_equal(stream_keys("PartitionKey ge 'p'"), "p/1 p/2 q/1");
}

// A row that stands all the time is given, whatever is written around it while the stream is open.
static void test_stream_during_writes(void **state) {
    (void)state;
    put("p", "3", "stays", true);
    put("p", "6", "stays", true);
    put("p", "9", "stays", true);
    struct ct_stream *stream = open_stream("stays eq true");
    for (const char *key = "369"; *key; key++) {
        const char *row = arena_printf(&arena, "%c", *key - 1);
        struct ct_op_result result;
        put("p", row, "passes", true);
        const struct ct_row *read = read_row(stream);
        assert_non_null(read);
        assert_int_equal(read->key.row[0], *key);
        execute_one(CT_DELETE, entity("p", row, CT_ANY_ETAG, "a", true), &result);
    }
    assert_null(read_row(stream));
    ct_stream_close(stream);
}

// ---- Random agreement --------------------------------------------------------------------------

static struct ct_batch random_batch(struct rng *rng) {
    static const char *const rows[] = {"0", "1", "2", "3"};
    static const char *const if_matches[] = {CT_ANY_ETAG, "x", CT_ANY_ETAG};
    size_t count = 1 + rng_below(rng, 3);
    uint32_t first = rng_below(rng, 4);
    struct ct_batch batch = ct_batch_new(&arena, count);
    for (size_t i = 0; i < count; i++) {
        enum ct_op_type type = (enum ct_op_type)rng_below(rng, CT_INSERT_OR_MERGE + 1);
        const char *if_match = if_matches[rng_below(rng, 3)];
        if (type == CT_DELETE && rng_below(rng, 2))
            if_match = CT_IF_EXISTS_ETAG;
        bool is_happy = rng_below(rng, 2) == 1;
        const char *name = rng_below(rng, 2) ? "a" : "b";
        ct_batch_add(&batch, type, entity("p", rows[(first + i) % 4], if_match, name, is_happy));
    }
    return batch;
}

// A long sequence of random batches has the same outcomes and leaves the same rows, ETags aside, as
// the reference table of the project.
static void test_random_agreement(void **state) {
    (void)state;
    enum { BATCHES = 300 };
    struct rng rng;
    rng_seed(&rng, 1);
    struct ct_table *reference =
        ct_memory_table_interface(ct_memory_table_open(&(struct ct_memory_options){
            .arena = &arena, .etag_prefix = "model-", .limits = ct_limits(table)}));
    for (int i = 0; i < BATCHES; i++) {
        struct ct_batch batch = random_batch(&rng);
        struct ct_batch copy = ct_batch_copy(&arena, &batch);
        struct ct_op_result results[3], expected_results[3];
        struct ct_outcome outcome = ct_execute(table, &batch, &arena, results);
        struct ct_outcome expected = ct_execute(reference, &copy, &arena, expected_results);
        assert_int_equal(outcome.kind, expected.kind);
        assert_int_equal(outcome.status, expected.status);
        assert_int_equal(outcome.op_index, expected.op_index);
        for (size_t k = 0; outcome.kind == CT_SUCCEEDED && k < batch.count; k++) {
            assert_int_equal(results[k].status, expected_results[k].status);
            assert_int_equal(!results[k].etag, !expected_results[k].etag);
        }
        struct ct_rows rows = query("PartitionKey eq 'p'"), expected_rows;
        ct_query(reference, parse("PartitionKey eq 'p'"), &arena, &expected_rows);
        assert_int_equal(rows.count, expected_rows.count);
        for (size_t k = 0; k < rows.count; k++) {
            assert_true(ct_key_equal(rows.rows[k]->key, expected_rows.rows[k]->key));
            assert_int_equal(rows.rows[k]->property_count, expected_rows.rows[k]->property_count);
            for (size_t n = 0; n < rows.rows[k]->property_count; n++)
                assert_true(ct_property_equal(&rows.rows[k]->properties[n],
                                              &expected_rows.rows[k]->properties[n]));
        }
    }
}

// ---- Groups ------------------------------------------------------------------------------------

static struct ct_write write_of(struct ct_batch batch) {
    return (struct ct_write){.batch = batch,
                             .results = ARENA_ARRAY(&arena, struct ct_op_result, batch.count)};
}

static struct ct_write write_row(enum ct_op_type type, struct ct_row *row) {
    struct ct_batch batch = ct_batch_new(&arena, 1);
    ct_batch_add(&batch, type, row);
    return write_of(batch);
}

static struct ct_write write_two(struct ct_row *first, struct ct_row *second) {
    struct ct_batch batch = ct_batch_new(&arena, 2);
    ct_batch_add(&batch, CT_INSERT, first);
    ct_batch_add(&batch, CT_INSERT, second);
    return write_of(batch);
}

// Each batch of a group has an outcome of its own: a refused one has done nothing, whatever it had
// begun with, and the others have.
static void test_group(void **state) {
    (void)state;
    put("b", "2", "a", true);
    const char *etag = put("d", "1", "a", true);
    struct ct_write writes[] = {
        write_two(entity("a", "1", NULL, "a", true), entity("a", "2", NULL, "a", true)),
        write_two(entity("b", "1", NULL, "a", true), entity("b", "2", NULL, "a", false)),
        write_row(CT_INSERT, entity("b", "3", NULL, "a", true)),
        write_of(ct_batch_new(&arena, 1)),
        write_row(CT_REPLACE, entity("d", "1", "x", "a", false)),
        write_row(CT_REPLACE, entity("d", "2", CT_ANY_ETAG, "a", false)),
        write_row(CT_INSERT_OR_MERGE, entity("e", "1", NULL, "a", true)),
    };
    ct_execute_all(table, writes, sizeof writes / sizeof writes[0], &arena);
    assert_int_equal(writes[0].outcome.kind, CT_SUCCEEDED);
    assert_result(&writes[0].results[1], CT_STATUS_CREATED);
    assert_string_equal(get("a", "2")->etag, writes[0].results[1].etag);
    assert_error(writes[1].outcome, CT_STATUS_CONFLICT, 1);
    assert_null(get("b", "1"));
    assert_true(has(get("b", "2"), "a", true));
    assert_int_equal(writes[2].outcome.kind, CT_SUCCEEDED);
    assert_non_null(get("b", "3"));
    assert_int_equal(writes[3].outcome.kind, CT_PROGRAM_ERROR);
    assert_error(writes[4].outcome, CT_STATUS_PRECONDITION_FAILED, 0);
    assert_string_equal(get("d", "1")->etag, etag);
    assert_error(writes[5].outcome, CT_STATUS_NOT_FOUND, 0);
    assert_int_equal(writes[6].outcome.kind, CT_SUCCEEDED);
    assert_result(&writes[6].results[0], CT_STATUS_NO_CONTENT);
}

// Many rows, each by a batch of its own, of which some are there.
static void test_group_of_inserts(void **state) {
    (void)state;
    enum { WRITES = 75, STEP = 7 };
    struct ct_write writes[WRITES];
    for (int i = 0; i < WRITES; i += STEP)
        put(arena_printf(&arena, "p%02d", i), "1", "old", true);
    for (int i = 0; i < WRITES; i++)
        writes[i] =
            write_row(CT_INSERT, entity(arena_printf(&arena, "p%02d", i), "1", NULL, "new", true));
    ct_execute_all(table, writes, WRITES, &arena);
    for (int i = 0; i < WRITES; i++) {
        const struct ct_row *row = get(arena_printf(&arena, "p%02d", i), "1");
        assert_true(has(row, i % STEP == 0 ? "old" : "new", true));
        if (i % STEP == 0) {
            assert_error(writes[i].outcome, CT_STATUS_CONFLICT, 0);
            continue;
        }
        assert_int_equal(writes[i].outcome.kind, CT_SUCCEEDED);
        assert_result(&writes[i].results[0], CT_STATUS_CREATED);
        assert_string_equal(row->etag, writes[i].results[0].etag);
    }
}

// ---- The list of tests -------------------------------------------------------------------------

static const struct {
    const char *name;
    CMUnitTestFunction function;
} tests[] = {
#define TEST(function) \
    { #function, function }
    TEST(test_insert),
    TEST(test_conditional_update),
    TEST(test_insert_or),
    TEST(test_delete),
    TEST(test_delete_if_exists),
    TEST(test_insert_after_delete),
    TEST(test_batch),
    TEST(test_delete_if_exists_in_a_batch),
    TEST(test_batch_all_or_nothing),
    TEST(test_ill_formed_batch),
    TEST(test_etags_are_distinct),
    TEST(test_values),
    TEST(test_order_of_keys),
    TEST(test_query),
    TEST(test_query_without_partition),
    TEST(test_stream),
    TEST(test_stream_during_writes),
    TEST(test_random_agreement),
    TEST(test_group),
    TEST(test_group_of_inserts),
};
enum { TESTS = sizeof tests / sizeof tests[0] };

int main(void) {
    static struct CMUnitTest all[SUBJECTS * TESTS];
    static char names[SUBJECTS * TESTS][100];
    for (size_t i = 0; i < SUBJECTS * TESTS; i++) {
        const struct subject *subject = &subjects[i / TESTS];
        snprintf(names[i], sizeof names[i], "%s of %s", tests[i % TESTS].name, subject->name);
        all[i] = (struct CMUnitTest){names[i], tests[i % TESTS].function, open_subject,
                                     close_subject, (void *)(uintptr_t)subject};
    }
    return cmocka_run_group_tests(all, NULL, NULL);
}
