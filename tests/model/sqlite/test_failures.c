// A disk that fails at any one moment, or from one on.
#include "tests/model/sqlite/together.h"

#include "model/sqlite/connection.h"
#include "tests/model/sqlite/failing_vfs.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void copy_file(const char *from, const char *to) {
    char buffer[4096];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_non_null(out);
    for (size_t count; in && (count = fread(buffer, 1, sizeof buffer, in)) > 0;)
        assert_int_equal(fwrite(buffer, 1, count, out), count);
    if (in)
        fclose(in);
    fclose(out);
}

// What a machine would find that lost its power now: the file and its log, without their index.
static int32_t number_after_crash(void) {
    char from[128], copy[128], to[160];
    snprintf(copy, sizeof copy, "%s.copy", path);
    copy_file(path, copy);
    snprintf(from, sizeof from, "%s-wal", path);
    snprintf(to, sizeof to, "%s-wal", copy);
    copy_file(from, to);
    snprintf(to, sizeof to, "%s-shm", copy);
    unlink(to);
    struct ct_sqlite_table *table = open_named(copy, "t");
    int32_t number = number_in(table, "a", 0);
    for (int i = 1; i < 40; i++)
        assert_int_equal(number_in(table, "a", i), number); // no half batch
    close_store(table);
    return number;
}

// The n-th write or sync fails, alone, for every n of a batch of 40 rows: the batch is done or not,
// as it says, in the running process and after a crash; the next batch goes.
static void test_each_call_fails_once(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    assert_int_equal(put_rows(table, "a", 40, 0).kind, CT_SUCCEEDED);
    int32_t present = 0;
    unsigned refused = 0;
    for (unsigned n = 1;; n++) {
        failing_vfs_set(n, 1);
        struct ct_outcome outcome = put_rows(table, "a", 40, (int32_t)n);
        bool has_failed = failing_vfs_calls() >= n;
        failing_vfs_set(0, 0);
        assert_true(outcome.kind == CT_SUCCEEDED ||
                    ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
        if (outcome.kind == CT_SUCCEEDED)
            present = (int32_t)n;
        refused += outcome.kind != CT_SUCCEEDED;
        assert_int_equal(number_in(table, "a", 39), present);
        assert_int_equal(number_after_crash(), present);
        if (!has_failed)
            break;
    }
    assert_true(refused >= 2); // a write of the log and its sync at least
    close_store(table);
}

// From the n-th on everything fails: a batch that may have been written is of unknown outcome, and
// all that was answered before is there when the disk works again.
static void test_disk_dies(void **state) {
    (void)state;
    unsigned unknown = 0;
    for (unsigned n = 1; n <= 8; n++) {
        struct ct_sqlite_table *table = open_named(path, "t");
        failing_vfs_set(0, 0);
        assert_int_equal(put_rows(table, "a", 40, 0).kind, CT_SUCCEEDED);
        failing_vfs_set(n, UINT32_MAX);
        struct ct_outcome outcome = put_rows(table, "a", 40, 1);
        bool has_failed = failing_vfs_calls() >= n;
        int32_t after_crash = number_after_crash();
        failing_vfs_set(0, 0);
        unknown += outcome.kind == CT_UNKNOWN;
        if (outcome.kind == CT_SUCCEEDED)
            assert_int_equal(after_crash, 1);
        else if (outcome.kind != CT_UNKNOWN)
            assert_int_equal(after_crash, 0);
        assert_true(has_failed || outcome.kind == CT_SUCCEEDED);
        assert_int_equal(put_rows(table, "a", 40, 2).kind, CT_SUCCEEDED);
        assert_int_equal(number_in(table, "a", 7), 2);
        close_store(table);
    }
    assert_true(unknown >= 1);
}

// Two batches of 20 rows by one transaction, of rows of the same number.
static struct ct_outcome put_group(struct ct_sqlite_table *table, int32_t number) {
    struct ct_write writes[2];
    for (int w = 0; w < 2; w++)
        writes[w] = (struct ct_write){.batch = rows_of(w == 0 ? "a" : "b", 20, number),
                                      .results = ARENA_ARRAY(&arena, struct ct_op_result, 20)};
    ct_execute_all(ct_sqlite_interface(table), writes, 2, &arena);
    assert_int_equal(writes[0].outcome.kind, writes[1].outcome.kind);
    assert_int_equal(writes[0].outcome.status, writes[1].outcome.status);
    return writes[0].outcome;
}

// The n-th write or sync fails, alone, for every n of a group: all of it is done or nothing.
static void test_each_call_of_a_group_fails_once(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    assert_int_equal(put_group(table, 0).kind, CT_SUCCEEDED);
    int32_t present = 0;
    unsigned refused = 0;
    bool has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        failing_vfs_set(n, 1);
        struct ct_outcome outcome = put_group(table, (int32_t)n);
        has_failed = failing_vfs_calls() >= n;
        failing_vfs_set(0, 0);
        present = outcome.kind == CT_SUCCEEDED ? (int32_t)n : present;
        refused += ct_failed_with(outcome, CT_STATUS_SERVER_ERROR);
        assert_int_equal(number_in(table, "a", 19), present);
        assert_int_equal(number_in(table, "b", 0), present);
    }
    assert_true(refused >= 2);
    close_store(table);
}

enum { TOGETHER = 3 };

// Callers in one transaction, each with rows of its own, of the same number; what all were told.
static struct ct_outcome put_together(struct ct_sqlite_turn *turn, struct caller *callers,
                                      int32_t number) {
    for (int i = 0; i < TOGETHER; i++)
        callers[i].batch = rows_of(arena_printf(&arena, "c%d", i), CALLER_OPERATIONS, number);
    run_together(turn, callers, TOGETHER);
    for (int i = 1; i < TOGETHER; i++) {
        assert_int_equal(callers[i].outcome.kind, callers[0].outcome.kind);
        assert_int_equal(callers[i].outcome.status, callers[0].outcome.status);
    }
    return callers[0].outcome;
}

// The n-th write or sync fails, alone and then with all that follow, while callers share a
// transaction: each is told what has become of its batch.
static void test_failures_are_told_to_all(void **state) {
    (void)state;
    struct ct_sqlite_turn turn;
    struct caller callers[TOGETHER];
    int refused = 0, unknown = 0;
    open_turn(&turn, 60000);
    for (int i = 0; i < TOGETHER; i++)
        callers[i] = (struct caller){.table = open_in_turn(&turn)};
    int32_t present = -1;
    bool has_failed = true;
    for (int32_t number = 2; has_failed; number++) {
        unsigned n = (unsigned)number / 2;
        failing_vfs_set(n, number % 2 ? UINT32_MAX : 1);
        struct ct_outcome outcome = put_together(&turn, callers, number);
        has_failed = failing_vfs_calls() >= n;
        failing_vfs_set(0, 0);
        refused += ct_failed_with(outcome, CT_STATUS_SERVER_ERROR);
        unknown += outcome.kind == CT_UNKNOWN;
        if (outcome.kind == CT_SUCCEEDED)
            present = number;
        else if (outcome.kind == CT_UNKNOWN)
            present = number_in(callers[0].table, "c0", 0);
        for (int i = 0; i < TOGETHER; i++)
            for (int k = 0; k < CALLER_OPERATIONS; k++)
                assert_int_equal(number_in(callers[i].table, arena_printf(&arena, "c%d", i), k),
                                 present);
    }
    assert_true(refused >= 2 && unknown >= 1);
    for (int i = 0; i < TOGETHER; i++)
        close_store(callers[i].table);
    ct_sqlite_turn_close(&turn);
}

// [count] Inserts of rows of some 200 bytes, in the order of their keys.
static struct ct_write insertions(const char *row, size_t count) {
    struct ct_write write = {.batch = ct_batch_new(&arena, count),
                             .results = ARENA_ARRAY(&arena, struct ct_op_result, count)};
    for (size_t i = 0; i < count; i++) {
        struct ct_property property = ct_string("text", arena_printf(&arena, "%0180zu", i));
        struct ct_key key = {"p", arena_printf(&arena, "%s-%06zu", row, i)};
        ct_batch_add(&write.batch, CT_INSERT, ct_row_new(&arena, key, NULL, &property, 1));
    }
    return write;
}

// Rows that are inserted by groups need no copies of the pages that they go to: a portion that a
// migrator copies would write more of them than of rows.
static void test_insertions_keep_no_pages(void **state) {
    enum { ROWS = 1000, BATCHES = 3 };
    (void)state;
    struct ct_sqlite_options options = {.path = path, .name = "t", .batch_operations = ROWS};
    struct error error;
    struct ct_sqlite_table *table = ct_sqlite_open(&options, &error);
    struct ct_write writes[BATCHES] = {insertions("a", ROWS), insertions("b", ROWS),
                                       insertions("c", ROWS)};
    failing_vfs_set(0, 0);
    ct_execute_all(ct_sqlite_interface(table), writes, BATCHES, &arena);
    for (int w = 0; w < BATCHES; w++)
        assert_int_equal(writes[w].outcome.kind, CT_SUCCEEDED);
    assert_int_equal(failing_vfs_undo_files(), 0);
    close_store(table);
}

// ---- Bulk writers ------------------------------------------------------------------------------

static struct ct_sqlite_table *open_bulk(void) {
    struct error error = {""};
    struct ct_sqlite_options options = {
        .path = path, .name = "t", .is_relaxed = true, .batch_operations = 10000};
    struct ct_sqlite_table *table = ct_sqlite_open(&options, &error);
    if (!table)
        fail_msg("%s", error.text);
    return table;
}

static struct ct_outcome insert_rows(struct ct_sqlite_table *table, const char *row, size_t count) {
    struct ct_write write = insertions(row, count);
    return ct_execute(ct_sqlite_interface(table), &write.batch, &arena, write.results);
}

// So many rows of which a name begins with [row] can be read by whoever opens the file.
static void expect_rows(const char *row, size_t count) {
    struct ct_sqlite_table *table = open_named(path, "t");
    struct ct_rows rows;
    const struct ct_filter *filter = ct_filter_and(
        &arena, ct_filter_in_partition(&arena, "p"),
        ct_filter_and(
            &arena, ct_filter_compare_string(&arena, CT_ROW_KEY, CT_GE, row),
            ct_filter_compare_string(&arena, CT_ROW_KEY, CT_LT, arena_printf(&arena, "%s~", row))));
    assert_int_equal(ct_query(ct_sqlite_interface(table), filter, &arena, &rows).kind,
                     CT_SUCCEEDED);
    assert_int_equal(rows.count, count);
    close_store(table);
}

// A transaction's pages go to the log together, and are there for others when it is answered.
static void test_bulk_writes_are_few(void **state) {
    enum { ROWS = 1000 };
    (void)state;
    struct ct_sqlite_table *table = open_bulk();
    failing_vfs_set(0, 0);
    assert_int_equal(insert_rows(table, "a", ROWS).kind, CT_SUCCEEDED); // some 60 pages
    assert_in_range(failing_vfs_calls(), 1, 5);
    expect_rows("a", ROWS);
    close_store(table);
}

// The n-th write or sync fails, alone or with all that follow: what is told is so, for others, too,
// and the next batch goes.
static void test_bulk_writes_fail(void **state) {
    enum { ROWS = 1500 };
    (void)state;
    struct ct_sqlite_table *table = open_bulk();
    unsigned refused = 0;
    bool has_failed = true;
    for (unsigned k = 2; has_failed; k++) {
        const char *row = arena_printf(&arena, "%04u", k);
        failing_vfs_set(k / 2, k % 2 ? UINT32_MAX : 1);
        struct ct_outcome outcome = insert_rows(table, row, ROWS);
        has_failed = failing_vfs_calls() >= k / 2;
        failing_vfs_set(0, 0);
        refused += outcome.kind != CT_SUCCEEDED;
        if (outcome.kind != CT_UNKNOWN)
            expect_rows(row, outcome.kind == CT_SUCCEEDED ? ROWS : 0);
        assert_int_equal(insert_rows(table, arena_printf(&arena, "%s-next", row), 40).kind,
                         CT_SUCCEEDED);
    }
    assert_true(refused >= 4);
    close_store(table);
}

static unsigned moves, moves_unsynced;

static void look_at_move(void) {
    moves++;
    moves_unsynced += failing_vfs_has_unsynced();
}

// No commit is synced, but what is moved from the log into the file was: else a machine that fails
// meanwhile would leave a file of which half is new, and no log.
static void test_bulk_moves_are_synced(void **state) {
    (void)state;
    failing_vfs_watch_syncs("-wal");
    struct ct_sqlite_table *table = open_bulk();
    moves = moves_unsynced = 0;
    assert_int_equal(insert_rows(table, "a", 1000).kind, CT_SUCCEEDED);
    assert_true(failing_vfs_has_unsynced());
    failing_vfs_watch_moves(look_at_move);
    close_store(table); // the last one
    failing_vfs_watch_moves(NULL);
    assert_in_range(moves, 40, 200);
    assert_int_equal(moves_unsynced, 0);
}

// A transaction that is rolled back when something of it was gathered for the end of the log. (Most
// often SQLite reads while it rolls back, and has it written by that.)
static void roll_back(struct ct_sqlite_table *table) {
    static const unsigned char frames[9000] = {0xAB};
    sqlite3_file *log = NULL;
    sqlite3_int64 end;
    assert_int_equal(sqlite3_exec(table->database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_file_control(table->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    assert_int_equal(log->pMethods->xFileSize(log, &end), SQLITE_OK);
    assert_true(end > 0);
    assert_int_equal(log->pMethods->xWrite(log, frames, sizeof frames, end), SQLITE_OK);
    assert_int_equal(sqlite3_exec(table->database, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

// It does not go there later, when others have written in its place.
static void test_bulk_is_rolled_back(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_bulk(), *other = open_named(path, "t");
    assert_int_equal(put_rows(other, "other", 40, 0).kind, CT_SUCCEEDED);
    roll_back(table);
    assert_int_equal(put_rows(other, "other", 40, 1).kind, CT_SUCCEEDED);
    for (int i = 0; i < 40; i++)
        assert_int_equal(number_in(table, "other", i), 1);
    close_store(other);
    close_store(table);
    expect_rows("other", 40);
}

// A full disk refuses batches and keeps what it has; when there is room again it goes on.
static void test_full_disk(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_named(path, "t");
    struct rlimit before, small;
    assert_int_equal(put_rows(table, "a", 40, 0).kind, CT_SUCCEEDED);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 64 * 1024;
    setrlimit(RLIMIT_FSIZE, &small);
    struct ct_outcome outcome = ct_success();
    int32_t number = 0;
    while (outcome.kind == CT_SUCCEEDED && number < 1000)
        outcome = put_rows(table, "a", 40, ++number);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(outcome.kind == CT_UNKNOWN || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    int32_t found = number_in(table, "a", 0);
    assert_true(found == number - 1 || (found == number && outcome.kind == CT_UNKNOWN));
    assert_int_equal(put_rows(table, "a", 40, 5000).kind, CT_SUCCEEDED);
    assert_int_equal(number_in(table, "a", 39), 5000);
    close_store(table);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)
    const struct CMUnitTest tests[] = {
        TEST(test_each_call_fails_once),
        TEST(test_disk_dies),
        TEST(test_each_call_of_a_group_fails_once),
        TEST(test_failures_are_told_to_all),
        TEST(test_insertions_keep_no_pages),
        TEST(test_bulk_writes_are_few),
        TEST(test_bulk_writes_fail),
        TEST(test_bulk_moves_are_synced),
        TEST(test_bulk_is_rolled_back),
        TEST(test_full_disk),
    };
    failing_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
