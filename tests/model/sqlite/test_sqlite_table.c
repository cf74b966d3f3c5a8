// What the conformance suite does not ask of a table in a file: that it stays, and for whom.
#include "tests/model/sqlite/store.h"

#include "core/base/clock.h"
#include "model/table/value.h"

#include <regex.h>
#include <sqlite3.h>
#include <string.h>

// Rows, their ETags and the count of ETags are there when the file is opened again; two tables of a
// file know nothing of each other.
static void test_stays(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t"), *other = open_named(path, "other");
    assert_int_equal(put_rows(table, "a", 2, 7).kind, CT_SUCCEEDED);
    assert_int_equal(number_in(other, "a", 0), -1);
    close_store(table);
    table = open_named(path, "t");
    assert_int_equal(number_in(table, "a", 1), 7);
    assert_int_equal(number_in(other, "a", 1), -1);
    close_store(table);
    close_store(other);
}

static const char *etag_of(struct ct_sqlite_table *table, const char *row) {
    struct ct_rows rows;
    struct ct_key key = {"p", row};
    assert_int_equal(
        ct_query(ct_sqlite_interface(table), ct_filter_point(&arena, key), &arena, &rows).kind,
        CT_SUCCEEDED);
    return rows.rows[0]->etag;
}

// No ETag is used twice: not after the row is gone, not by another instance; not by another file,
// unless both write in the same tenth of a microsecond.
static void test_etags_are_new(void **state) {
    (void)state;
    char second[128];
    snprintf(second, sizeof second, "%s.copy", path);
    struct ct_sqlite_table *table = open_named(path, "t"), *far = open_named(second, "t");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    assert_int_equal(put_rows(far, "a", 1, 1).kind, CT_SUCCEEDED);
    const char *first = etag_of(table, "a-0");
    assert_string_not_equal(first, etag_of(far, "a-0"));
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_DELETE,
                 ct_row_new(&arena, (struct ct_key){"p", "a-0"}, first, NULL, 0));
    assert_int_equal(ct_execute(ct_sqlite_interface(table), &batch, &arena, &result).kind,
                     CT_SUCCEEDED);
    close_store(table);
    table = open_named(path, "t");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    assert_string_not_equal(first, etag_of(table, "a-0"));
    close_store(table);
    close_store(far);
}

// Somebody else writes to the file.
static void run_sql(const char *sql) {
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static struct ct_outcome replace_if(struct ct_sqlite_table *table, const char *row,
                                    const char *etag) {
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_REPLACE, ct_row_new(&arena, (struct ct_key){"p", row}, etag, NULL, 0));
    return ct_execute(ct_sqlite_interface(table), &batch, &arena, &result);
}

static const struct ct_row *row_of(struct ct_sqlite_table *table, const char *row) {
    struct ct_rows rows;
    const struct ct_filter *point = ct_filter_point(&arena, (struct ct_key){"p", row});
    assert_int_equal(ct_query(ct_sqlite_interface(table), point, &arena, &rows).kind, CT_SUCCEEDED);
    assert_int_equal(rows.count, 1);
    return rows.rows[0];
}

// An ETag is a time as the service writes it, with every digit. No two are the same, in their
// order, and that of a row that is written alone is its Timestamp.
static void test_etags_are_times(void **state) {
    static const char form[] = "^W/\"datetime'([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})%3A([0-9]{2})%3A"
                               "([0-9]{2}\\.[0-9]{7}Z)'\"$";
    struct ct_sqlite_table *table = open_named(path, "t");
    regex_t pattern;
    regmatch_t parts[4];
    const char *before = "";
    int64_t ticks;
    (void)state;
    assert_int_equal(regcomp(&pattern, form, REG_EXTENDED), 0);
    assert_int_equal(put_rows(table, "a", 40, 1).kind, CT_SUCCEEDED);
    for (int i = 0; i < 40; i++) {
        const char *etag = etag_of(table, arena_printf(&arena, "a-%d", i));
        assert_int_equal(regexec(&pattern, etag, 0, NULL, 0), 0);
        assert_true(strcmp(before, etag) < 0);
        before = etag;
    }
    assert_int_equal(put_rows(table, "a", 1, 2).kind, CT_SUCCEEDED);
    const struct ct_row *row = row_of(table, "a-0");
    assert_true(strcmp(before, row->etag) < 0);
    assert_int_equal(regexec(&pattern, row->etag, 4, parts, 0), 0);
    const char *text = arena_printf(
        &arena, "%.*s:%.2s:%.11s", (int)(parts[1].rm_eo - parts[1].rm_so),
        row->etag + parts[1].rm_so, row->etag + parts[2].rm_so, row->etag + parts[3].rm_so);
    assert_true(ct_ticks_parse(text, strlen(text), &ticks));
    assert_int_equal(ticks, row->timestamp);
    regfree(&pattern);
    close_store(table);
}

// A row's ETag as it is written, and nothing that says the same otherwise.
static void test_etags_are_exact(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    run_sql("UPDATE entities SET number = 17953204960000000");
    static const char *const others[] = {
        "W/\"datetime'2026-11-22T04%3A08%3A16Z'\"",
        "W/\"datetime'2026-11-22T04%3a08%3a16.0000000Z'\"",
        "W/\"datetime'2026-11-22T04:08:16.0000000Z'\"",
        "W/\"datetime'2026-11-22T04%3A08%3A16.0000000'\"",
        "W/\"datetime'2026-11-22T05%3A08%3A16.00+01%3A00'\"",
        "W/\"datetime'2026-11-22T04%3A08%3A16.0000000Z'",
        "W/\"datetime'",
        "W/\"datetime'2026-11-22T04%3A08%3A16.0000001Z'\"",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_true(
            ct_failed_with(replace_if(table, "a-0", others[i]), CT_STATUS_PRECONDITION_FAILED));
    const char *own = "W/\"datetime'2026-11-22T04%3A08%3A16.0000000Z'\"";
    assert_string_equal(etag_of(table, "a-0"), own);
    assert_int_equal(replace_if(table, "a-0", own).kind, CT_SUCCEEDED);
    close_store(table);
}

// Files in which ETags were counted go on; and where the clock was set back, ETags do.
static void test_old_etags(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    run_sql("UPDATE entities SET number = 7; UPDATE file SET last_number = 7, name = 'abc'");
    close_store(table);
    table = open_named(path, "t");
    assert_string_equal(etag_of(table, "a-0"), "W/\"abc-7\"");
    assert_true(
        ct_failed_with(replace_if(table, "a-0", "W/\"abc-0\""), CT_STATUS_PRECONDITION_FAILED));
    assert_int_equal(replace_if(table, "a-0", "W/\"abc-7\"").kind, CT_SUCCEEDED);
    int64_t now = row_of(table, "a-0")->timestamp;
    run_sql("UPDATE file SET last_number = 22000000000000000");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    assert_string_equal(etag_of(table, "a-0"), "W/\"datetime'2039-09-18T23%3A06%3A40.0000001Z'\"");
    int64_t late = row_of(table, "a-0")->timestamp - now;
    assert_true(late >= 0 && late < 3600 * INT64_C(10000000));
    close_store(table);
}

static void refuse(const char *file, const char *name, const char *what) {
    struct error error = {""};
    struct ct_sqlite_table *table = ct_sqlite_open(
        &(struct ct_sqlite_options){.path = file, .name = name, .busy_ms = 0}, &error);
    assert_null(table);
    if (!strstr(error.text, what))
        fail_msg("expected '%s' in '%s'", what, error.text);
    assert_null(strchr(error.text, '\n'));
}

// A file of another kind is refused with one line that says so, and is not changed.
static void test_other_files(void **state) {
    (void)state;
    refuse("/nowhere/tables.db", "t", "cannot open");
    refuse(path, "", "1 to 255 bytes");
    FILE *out = fopen(path, "w");
    for (int i = 0; i < 200; i++)
        fputs("These are words, not tables.\n", out);
    fclose(out);
    refuse(path, "t", "not a database");
    unlink(path);
    run_sql("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)");
    refuse(path, "t", "another SQLite file");
    sqlite3 *database;
    sqlite3_stmt *statement;
    sqlite3_open(path, &database);
    sqlite3_prepare_v2(database, "PRAGMA journal_mode", -1, &statement, NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), "delete");
    sqlite3_finalize(statement);
    sqlite3_close(database);
    unlink(path);
    close_store(open_named(path, "t"));
    run_sql("PRAGMA user_version = 3");
    refuse(path, "t", "version 2, found 3");
}

// A row whose bytes are damaged is told as such: it is neither absent nor something else.
static void test_damaged_row(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    run_sql("UPDATE entities SET properties = substr(properties, 1, 7)");
    struct ct_rows rows;
    struct ct_key key = {"p", "a-0"};
    struct ct_table *interface = ct_sqlite_interface(table);
    assert_int_equal(ct_query(interface, ct_filter_point(&arena, key), &arena, &rows).kind,
                     CT_INTERNAL_ERROR);
    struct ct_stream *stream;
    const struct ct_row *row;
    assert_int_equal(ct_open_stream(interface, NULL, &stream).kind, CT_SUCCEEDED);
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_INTERNAL_ERROR);
    ct_stream_close(stream);
    close_store(table);
}

// Who holds the file's lock for longer than a batch waits makes it refused, and nothing is done;
// reading goes on. A fence waits for him too.
static void test_busy(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    sqlite3 *writer;
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    assert_int_equal(ct_sqlite_fence(table).kind, CT_SUCCEEDED);
    sqlite3_open(path, &writer);
    sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    assert_true(ct_failed_with(put_rows(table, "a", 1, 2), CT_STATUS_SERVER_ERROR));
    assert_true(ct_failed_with(ct_sqlite_fence(table), CT_STATUS_SERVER_ERROR));
    assert_int_equal(number_in(table, "a", 0), 1);
    sqlite3_exec(writer, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(writer);
    assert_int_equal(put_rows(table, "a", 1, 3).kind, CT_SUCCEEDED);
    assert_int_equal(number_in(table, "a", 0), 3);
    close_store(table);
}

// After its deadline a batch does nothing, and says so.
static void test_deadline(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    ct_sqlite_set_deadline(table, clock_seconds());
    assert_true(ct_failed_with(put_rows(table, "a", 1, 1), CT_STATUS_SERVER_ERROR));
    assert_int_equal(number_in(table, "a", 0), -1);
    ct_sqlite_set_deadline(table, clock_seconds() + 3600);
    assert_int_equal(put_rows(table, "a", 1, 2).kind, CT_SUCCEEDED);
    assert_int_equal(number_in(table, "a", 0), 2);
    close_store(table);
}

// 1,000 rows come in pages, in order, once each; what is written behind the reader while it reads
// is met, also if it was not there when the stream began.
static void test_long_stream(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    char name[16];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "%c", 'a' + i);
        assert_int_equal(put_rows(table, name, 100, i).kind, CT_SUCCEEDED);
    }
    struct ct_stream *stream;
    const struct ct_row *row, *last = NULL;
    size_t count = 0;
    assert_int_equal(ct_open_stream(ct_sqlite_interface(table), NULL, &stream).kind, CT_SUCCEEDED);
    while (ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row) {
        assert_true(!last || ct_key_compare(last->key, row->key) < 0);
        last = ct_row_clone(&arena, row);
        if (++count == 500)
            assert_int_equal(put_rows(table, "z", 3, 1).kind, CT_SUCCEEDED);
    }
    assert_int_equal(count, 1003);
    ct_stream_close(stream);
    close_store(table);
}

// The next [most] rows, or by a plain read the next one (0); how many came.
static size_t read_next(struct ct_stream *stream, size_t most, const struct ct_row **rows) {
    size_t count = 0;
    if (most > 0) {
        assert_int_equal(ct_stream_read_some(stream, most, &arena, rows, &count).kind,
                         CT_SUCCEEDED);
        assert_true(count <= most);
        return count;
    }
    assert_int_equal(ct_stream_read(stream, rows).kind, CT_SUCCEEDED);
    return *rows != NULL;
}

// Rows read several at a time, in turn with single ones, are those of a stream that is read singly:
// from pages of either kind, after none, one or all of a page was read.
static void test_some_of_a_stream(void **state) {
    enum { ROWS = 700, MOST = 300, SIZES = 13 };
    static const size_t sizes[SIZES] = {0, 1, 0, 0, 2, 100, 0, 299, 300, 1, 7, 0, 300};
    struct ct_sqlite_table *table = open_named(path, "t"), *other = open_named(path, "t");
    struct ct_stream *stream, *single;
    const struct ct_row *rows[MOST], *expected;
    size_t seen = 0, count = 1;
    (void)state;
    for (int first = 0; first < ROWS; first += 100)
        put_rows(table, arena_printf(&arena, "%c", 'a' + first / 100), 100, first);
    const struct ct_filter *filter = ct_filter_compare(&arena, CT_NE, ct_int32("n", 200));
    ct_open_stream(ct_sqlite_interface(table), filter, &stream);
    ct_open_stream(ct_sqlite_interface(other), filter, &single);
    for (int i = 0; count > 0; i = (i + 1) % SIZES) {
        count = read_next(stream, sizes[i], rows);
        for (size_t at = 0; at < count; at++, seen++) {
            assert_int_equal(ct_stream_read(single, &expected).kind, CT_SUCCEEDED);
            assert_true(ct_row_equal(rows[at], expected));
        }
    }
    assert_int_equal(seen, ROWS - 100);
    ct_stream_close(stream);
    ct_stream_close(single);
    close_store(other);
    close_store(table);
}

// The row that a page ended with may be gone when the next one is read: then none is passed over,
// and no more come than were asked for.
static void test_end_of_a_page_is_gone(void **state) {
    struct ct_sqlite_table *table = open_named(path, "t"), *other = open_named(path, "t");
    struct ct_stream *stream;
    const struct ct_row *rows[3] = {NULL, NULL, NULL};
    (void)state;
    put_rows(table, "a", 5, 1);
    ct_open_stream(ct_sqlite_interface(table), NULL, &stream);
    assert_int_equal(read_next(stream, 2, rows), 2);
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_DELETE, ct_row_new(&arena, rows[1]->key, CT_ANY_ETAG, NULL, 0));
    assert_int_equal(ct_execute(ct_sqlite_interface(other), &batch, &arena, &result).kind,
                     CT_SUCCEEDED);
    struct ct_key end = rows[1]->key;
    assert_int_equal(read_next(stream, 2, rows), 2);
    assert_true(ct_key_compare(end, rows[0]->key) < 0);
    assert_null(rows[2]);
    end = rows[1]->key;
    assert_int_equal(read_next(stream, 2, rows), 1);
    assert_true(ct_key_compare(end, rows[0]->key) < 0);
    assert_int_equal(read_next(stream, 2, rows), 0);
    ct_stream_close(stream);
    close_store(other);
    close_store(table);
}

// The keys that a filter excludes are not read: a row that is damaged outside of them is not met.
static void test_reads_only_the_range(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    assert_int_equal(put_rows(table, "a", 4, 1).kind, CT_SUCCEEDED);
    run_sql("UPDATE entities SET properties = x'ff' WHERE row_key < x'612d32'"); // below "a-2"
    static const char *const keys[] = {"a-3", "a-2"};
    struct ct_rows rows;
    const struct ct_filter *filter = ct_filter_rows(&arena, "p", keys, 2);
    assert_int_equal(ct_query(ct_sqlite_interface(table), filter, &arena, &rows).kind,
                     CT_SUCCEEDED);
    assert_int_equal(rows.count, 2);
    struct ct_stream *stream;
    const struct ct_row *row;
    run_sql("UPDATE entities SET properties = x'ff' WHERE row_key = x'612d33'"); // "a-3"
    static const char *const only[] = {"a-2"};
    filter = ct_filter_rows(&arena, "p", only, 1);
    assert_int_equal(ct_open_stream(ct_sqlite_interface(table), filter, &stream).kind,
                     CT_SUCCEEDED);
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
    assert_string_equal(row->key.row, "a-2");
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
    assert_null(row);
    ct_stream_close(stream);
    close_store(table);
}

// A row that fills more than a page by itself: the page behind it begins with it, and goes on.
static void test_stream_of_large_rows(void **state) {
    (void)state;
    enum { UNITS = 32000, BYTES = 3 * UNITS, PROPERTIES = 15, ROWS = 3 };
    struct ct_sqlite_table *table = open_named(path, "t");
    struct ct_property properties[PROPERTIES];
    char *text = arena_alloc(&arena, BYTES + 1);
    for (int i = 0; i < UNITS; i++)
        memcpy(text + 3 * i, "\xE2\x82\xAC", 4);
    for (int i = 0; i < PROPERTIES; i++)
        properties[i] = ct_string(arena_printf(&arena, "p%02d", i), text);
    for (int i = 0; i < ROWS; i++) {
        struct ct_batch batch = ct_batch_new(&arena, 1);
        struct ct_op_result result;
        struct ct_key key = {"p", arena_printf(&arena, "%d", i)};
        ct_batch_add(&batch, CT_INSERT, ct_row_new(&arena, key, NULL, properties, PROPERTIES));
        assert_int_equal(ct_execute(ct_sqlite_interface(table), &batch, &arena, &result).kind,
                         CT_SUCCEEDED);
    }
    struct ct_stream *stream;
    const struct ct_row *row;
    assert_int_equal(ct_open_stream(ct_sqlite_interface(table), NULL, &stream).kind, CT_SUCCEEDED);
    for (int i = 0; i <= ROWS; i++) {
        assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
        assert_true(i < ROWS ? row && row->key.row[0] == '0' + i : !row);
    }
    ct_stream_close(stream);
    close_store(table);
}

// ---- Many Inserts at once ----------------------------------------------------------------------

enum { MANY = 100 };

// Inserts the rows from [first] up to [end] in one batch; row [twice] is named as row 0.
static struct ct_outcome insert_rows(struct ct_sqlite_table *table, int first, int end, int twice,
                                     struct ct_op_result results[MANY]) {
    struct ct_batch batch = ct_batch_new(&arena, MANY);
    for (int i = first; i < end; i++) {
        struct ct_property property = ct_int32("n", i);
        struct ct_key key = {"p", arena_printf(&arena, "m-%d", i == twice ? 0 : i)};
        ct_batch_add(&batch, CT_INSERT, ct_row_new(&arena, key, NULL, &property, 1));
    }
    return ct_execute(ct_sqlite_interface(table), &batch, &arena, results);
}

// Each row has its own contents and the ETag that was told; the first that is there already is
// named, and then nothing was done. So is one that the same batch names twice, where a table takes
// more than the service.
static void test_many_inserts(void **state) {
    struct ct_op_result results[MANY];
    struct error error = {""};
    struct ct_outcome outcome;
    (void)state;
    struct ct_sqlite_table *table = ct_sqlite_open(
        &(struct ct_sqlite_options){.path = path, .name = "t", .batch_operations = 1000}, &error);
    for (int there = 0; there < MANY; there += 9) {
        outcome = insert_rows(table, there, there + 1, -1, results);
        assert_int_equal(outcome.kind, CT_SUCCEEDED);
        outcome = insert_rows(table, 0, MANY, -1, results);
        assert_true(ct_failed_with(outcome, CT_STATUS_CONFLICT));
        assert_int_equal(outcome.op_index, there);
        run_sql("DELETE FROM entities");
        if (there == 0)
            continue;
        outcome = insert_rows(table, 0, MANY, there, results);
        assert_true(ct_failed_with(outcome, CT_STATUS_CONFLICT));
        assert_int_equal(outcome.op_index, there);
        assert_int_equal(number_in(table, "m", 1), -1);
    }
    assert_int_equal(insert_rows(table, 0, MANY, -1, results).kind, CT_SUCCEEDED);
    for (int i = 0; i < MANY; i++) {
        const char *name = arena_printf(&arena, "m-%d", i);
        assert_int_equal(results[i].status, CT_STATUS_CREATED);
        assert_int_equal(number_in(table, "m", i), i);
        assert_string_equal(results[i].etag, etag_of(table, name));
        assert_string_equal(results[i].entity->key.row, name);
    }
    close_store(table);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)
    const struct CMUnitTest tests[] = {
        TEST(test_stays),
        TEST(test_etags_are_new),
        TEST(test_etags_are_times),
        TEST(test_etags_are_exact),
        TEST(test_old_etags),
        TEST(test_other_files),
        TEST(test_damaged_row),
        TEST(test_busy),
        TEST(test_deadline),
        TEST(test_long_stream),
        TEST(test_some_of_a_stream),
        TEST(test_end_of_a_page_is_gone),
        TEST(test_reads_only_the_range),
        TEST(test_many_inserts),
        TEST(test_stream_of_large_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
