// Callers who share a transaction: each is answered as if it had been alone.
#include "tests/model/sqlite/together.h"

#include "core/base/clock.h"
#include "model/sqlite/catalog.h"
#include "model/sqlite/connection.h"
#include "tests/model/sqlite/failing_vfs.h"

#include <stdatomic.h>
#include <string.h>

static struct ct_sqlite_turn turn;
static struct caller callers[CALLERS_MAX];
static int commits;

static int count_commit(void *context) {
    (void)context;
    commits++;
    return 0;
}

static int open_callers(void **state) {
    make_store(state);
    open_turn(&turn, 60000);
    sqlite3_commit_hook(turn.writer->database, count_commit, NULL);
    for (int i = 0; i < CALLERS_MAX; i++)
        callers[i] = (struct caller){.table = open_in_turn(&turn)};
    return 0;
}

static int close_callers(void **state) {
    for (int i = 0; i < CALLERS_MAX; i++)
        close_store(callers[i].table);
    ct_sqlite_turn_close(&turn);
    return remove_store(state);
}

static struct ct_batch batch_of(enum ct_op_type type, const char *row, const char *etag) {
    struct ct_batch batch = ct_batch_new(&arena, CALLER_OPERATIONS);
    struct ct_property property = ct_int32("n", 1);
    ct_batch_add(&batch, type, ct_row_new(&arena, (struct ct_key){"p", row}, etag, &property, 1));
    return batch;
}

static void add_insert(struct ct_batch *batch, const char *row) {
    ct_batch_add(batch, CT_INSERT, ct_row_new(&arena, (struct ct_key){"p", row}, NULL, NULL, 0));
}

// A transaction for all, who get ETags of their own; whatever they read then is there.
static void test_share(void **state) {
    (void)state;
    for (int i = 0; i < CALLERS_MAX; i++)
        callers[i].batch = rows_of(arena_printf(&arena, "c%d", i), 2, i);
    commits = 0;
    run_together(&turn, callers, CALLERS_MAX);
    assert_int_equal(commits, 1);
    struct ct_sqlite_table *reader = open_named(path, "t");
    for (int i = 0; i < CALLERS_MAX; i++) {
        assert_int_equal(callers[i].outcome.kind, CT_SUCCEEDED);
        const char *name = arena_printf(&arena, "c%d", i);
        assert_int_equal(number_in(reader, name, 0), i);
        assert_int_equal(number_in(callers[i].table, name, 1), i);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(callers[i].etag, callers[k].etag);
    }
    close_store(reader);
}

// More than a transaction takes come all the same, in several.
static void test_many_operations(void **state) {
    (void)state;
    for (int i = 0; i < CALLERS_MAX; i++)
        callers[i].batch = rows_of(arena_printf(&arena, "c%d", i), CALLER_OPERATIONS, i);
    commits = 0;
    run_together(&turn, callers, CALLERS_MAX);
    assert_in_range(commits, 2, CALLERS_MAX / 2);
    for (int i = 0; i < CALLERS_MAX; i++)
        assert_int_equal(
            number_in(callers[i].table, arena_printf(&arena, "c%d", i), CALLER_OPERATIONS - 1), i);
}

enum {
    GOOD,
    CONFLICT,
    HALF, // its last operation is refused
    NO_MATCH,
    ABSENT,
    LATE,
    DROPPED,
    NAMELESS,
    GOOD_BY_NAME,
    KINDS,
};

// As a table that another process has dropped.
static void make_dropped(struct ct_sqlite_table *table) {
    bool is_done;
    ct_sqlite_create(table, "gone", &arena, &is_done);
    ct_sqlite_choose(table, "gone", &arena, &is_done);
    ct_sqlite_drop(table, "gone", &arena, &is_done);
    assert_true(is_done);
}

static void prepare_kinds(void) {
    assert_int_equal(put_rows(callers[0].table, "there", 1, 7).kind, CT_SUCCEEDED);
    callers[GOOD].batch = batch_of(CT_INSERT, "good", NULL);
    callers[CONFLICT].batch = batch_of(CT_INSERT, "there-0", NULL);
    callers[HALF].batch = batch_of(CT_INSERT, "half", NULL);
    add_insert(&callers[HALF].batch, "there-0");
    callers[NO_MATCH].batch = batch_of(CT_REPLACE, "there-0", "W/\"nobody's\"");
    callers[ABSENT].batch = batch_of(CT_MERGE, "nowhere", CT_ANY_ETAG);
    callers[LATE].batch = batch_of(CT_INSERT, "late", NULL);
    ct_sqlite_set_deadline(callers[LATE].table, clock_seconds());
    callers[DROPPED].batch = batch_of(CT_INSERT, "dropped", NULL);
    make_dropped(callers[DROPPED].table);
    callers[NAMELESS].batch = batch_of(CT_INSERT, "nameless", NULL);
    ct_sqlite_choose_to_write(callers[NAMELESS].table, "no such table");
    callers[GOOD_BY_NAME].batch = batch_of(CT_INSERT, "by name", NULL);
    ct_sqlite_choose_to_write(callers[GOOD_BY_NAME].table, "T");
}

static void expect_kinds(void) {
    static const struct {
        enum ct_status status;
        size_t index;
    } expected[KINDS] = {
        [CONFLICT] = {CT_STATUS_CONFLICT, 0},
        [HALF] = {CT_STATUS_CONFLICT, 1},
        [NO_MATCH] = {CT_STATUS_PRECONDITION_FAILED, 0},
        [ABSENT] = {CT_STATUS_NOT_FOUND, 0},
        [LATE] = {CT_STATUS_SERVER_ERROR, 0},
        [DROPPED] = {CT_STATUS_NOT_FOUND, 0},
        [NAMELESS] = {CT_STATUS_NOT_FOUND, 0},
    };
    for (int i = 0; i < KINDS; i++) {
        bool is_good = i == GOOD || i == GOOD_BY_NAME;
        assert_int_equal(callers[i].outcome.kind, is_good ? CT_SUCCEEDED : CT_STORAGE_ERROR);
        assert_int_equal(callers[i].outcome.status, expected[i].status);
        assert_int_equal(callers[i].outcome.op_index, expected[i].index);
    }
}

static bool is_there(const char *row) {
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(ct_sqlite_interface(callers[GOOD].table),
                 ct_filter_point(&arena, (struct ct_key){"p", row}), &arena, &rows);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return rows.count == 1;
}

static void expect_rows(void) {
    static const char *const absent[] = {"half", "nowhere", "late", "dropped", "nameless"};
    assert_true(is_there("good") && is_there("by name"));
    for (int i = 0; i < 5; i++)
        assert_false(is_there(absent[i]));
    assert_int_equal(number_in(callers[GOOD].table, "there", 0), 7);
}

// Of those that share a transaction some are refused, each for its own reason; the others are done.
static void test_some_are_refused(void **state) {
    (void)state;
    prepare_kinds();
    commits = 0;
    run_together(&turn, callers, KINDS);
    assert_int_equal(commits, 1);
    expect_kinds();
    expect_rows();
}

// One cannot go on at all, for a row that it reads is damaged: it alone is told so.
static void test_one_is_damaged(void **state) {
    (void)state;
    sqlite3 *other;
    assert_int_equal(put_rows(callers[0].table, "damaged", 1, 1).kind, CT_SUCCEEDED);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other,
                                  "UPDATE entities SET properties = substr(properties, 1, 7)", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    prepare_kinds();
    callers[KINDS].batch = batch_of(CT_MERGE, "damaged-0", CT_ANY_ETAG);
    commits = 0;
    run_together(&turn, callers, KINDS + 1);
    assert_int_equal(callers[KINDS].outcome.kind, CT_INTERNAL_ERROR);
    assert_int_equal(commits, 2); // of the two that are good
    expect_kinds();
    expect_rows();
}

// If nothing is done there is nothing to commit.
static void test_all_are_refused(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        callers[i].batch = batch_of(CT_DELETE, "nowhere", CT_ANY_ETAG);
    commits = 0;
    run_together(&turn, callers, 3);
    assert_int_equal(commits, 0);
    for (int i = 0; i < 3; i++)
        assert_true(ct_failed_with(callers[i].outcome, CT_STATUS_NOT_FOUND));
}

// Who has waited for too long has done nothing and is told so, also if others go on.
static void test_too_long(void **state) {
    (void)state;
    turn.wait_ms = 30;
    sqlite3 *holder = hold_file();
    for (int i = 0; i < 4; i++) {
        callers[i].batch = batch_of(CT_INSERT, arena_printf(&arena, "r%d", i), NULL);
        start_caller(&callers[i]);
    }
    await(&turn, 4);
    await(&turn, 1); // who has come first waits for the file, which has a time of its own
    let_go(holder);
    int done = 0;
    for (int i = 0; i < 4; i++) {
        join_caller(&callers[i]);
        bool is_done = callers[i].outcome.kind == CT_SUCCEEDED;
        assert_true(is_done || ct_failed_with(callers[i].outcome, CT_STATUS_SERVER_ERROR));
        assert_int_equal(is_there(arena_printf(&arena, "r%d", i)), is_done);
        done += is_done;
    }
    assert_int_equal(done, 1);
}

// Others have the file for longer than one waits for it: each is told so, and the turn goes on.
static void test_busy(void **state) {
    (void)state;
    turn.writer->busy_ms = 20;
    sqlite3 *holder = hold_file();
    for (int i = 0; i < 4; i++) {
        callers[i].batch = batch_of(CT_INSERT, arena_printf(&arena, "r%d", i), NULL);
        start_caller(&callers[i]);
    }
    for (int i = 0; i < 4; i++) {
        join_caller(&callers[i]);
        assert_true(ct_failed_with(callers[i].outcome, CT_STATUS_SERVER_ERROR));
    }
    let_go(holder);
    run_caller(&callers[0]);
    assert_int_equal(callers[0].outcome.kind, CT_SUCCEEDED);
    arena_deinit(&callers[0].arena);
}

// The log does not grow for ever while one writes after the other, and is emptied now and then.
static void test_log_begins_anew(void **state) {
    (void)state;
    enum { WRITES = 600 };
    int longest = 0, times = 0, before = 0;
    turn.writer->log_pages_due = 50;
    for (int i = 0; i < WRITES; i++) {
        assert_int_equal(put_rows(callers[i % 2].table, "r", 1, i).kind, CT_SUCCEEDED);
        int pages = turn.writer->log_pages;
        longest = pages > longest ? pages : longest;
        times += pages < before;
        before = pages;
    }
    assert_in_range(longest, 50, 60);
    assert_in_range(times, 10, WRITES / 20);
}

// Somebody who writes while pages are moved from the log to the file.
static struct caller *meddler; // or NULL: not any more
static atomic_bool has_meddled;

static void *meddle(void *context) {
    run_caller(context);
    atomic_store(&has_meddled, true);
    return NULL;
}

// He begins, and has written when this returns, or waits for the turn.
static void meddle_with_move(void) {
    struct caller *caller = meddler;
    if (!caller)
        return;
    meddler = NULL;
    assert_int_equal(pthread_create(&caller->thread, NULL, meddle, caller), 0);
    for (bool is_waiting = false; !is_waiting && !atomic_load(&has_meddled);) {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        pthread_mutex_lock(&turn.mutex);
        is_waiting = turn.waiting > 0;
        pthread_mutex_unlock(&turn.mutex);
    }
}

static void write_with_meddler(int number) {
    atomic_store(&has_meddled, false);
    callers[1].batch = rows_of("m", 1, number);
    meddler = &callers[1];
    assert_int_equal(put_rows(callers[0].table, "r", 1, number).kind, CT_SUCCEEDED);
    if (meddler)
        return;
    join_caller(&callers[1]);
    assert_int_equal(callers[1].outcome.kind, CT_SUCCEEDED);
}

// Where somebody writes whenever the log is being emptied it does not begin anew: until it is long,
// and all wait.
static void test_long_log(void **state) {
    (void)state;
    enum { WRITES = 500, DUE = 50, LONG = 4 * DUE };
    int longest = 0, times = 0, before = 0;
    turn.writer->log_pages_due = DUE;
    failing_vfs_watch_moves(meddle_with_move);
    for (int i = 0; i < WRITES; i++) {
        write_with_meddler(i);
        int pages = turn.writer->log_pages;
        longest = pages > longest ? pages : longest;
        times += pages < before;
        before = pages;
    }
    failing_vfs_watch_moves(NULL);
    assert_in_range(longest, LONG - 10, LONG + 10);
    assert_in_range(times, 2, WRITES / LONG * 4);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_callers, close_callers)
    const struct CMUnitTest tests[] = {
        TEST(test_share),          TEST(test_many_operations), TEST(test_some_are_refused),
        TEST(test_one_is_damaged), TEST(test_all_are_refused), TEST(test_too_long),
        TEST(test_busy),           TEST(test_log_begins_anew), TEST(test_long_log),
    };
    failing_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
