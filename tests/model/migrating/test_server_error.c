#include "tests/support/arena.h"

#include "model/config/service.h"
#include "model/migrating/migrating.h"
#include "model/table/filter.h"
#include "model/memory/memory_table.h"
#include "model/table/row.h"

#include <string.h>

// A MigratingTable over two tables of which the n-th call fails, without the engine.

static struct ct_env env;
static struct mt_config_service service;
static struct mt_table *instance;
static struct ct_table *table;
static int calls;               // of the backends
static int fails_at, fails_for; // the calls from that number on fail, so many of them
static int notes_due;           // calls executed, less those annotated

static bool call_fails(void) {
    calls++;
    return calls >= fails_at && calls < fails_at + fails_for;
}

// ---- Tables that fail --------------------------------------------------------------------------

struct faulty_table {
    struct ct_table table; // first member
    struct ct_table *backend;
};

struct faulty_stream {
    struct ct_stream stream; // first member
    struct ct_stream *backend;
};

static struct faulty_table old_table, new_table;

static struct ct_outcome faulty_execute(struct ct_table *of, const char *where,
                                        struct ct_batch *batch, struct arena *result_arena,
                                        struct ct_op_result *results) {
    struct ct_table *backend = ((struct faulty_table *)of)->backend;
    assert_int_equal(notes_due, 0);
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    notes_due++;
    return backend->ops->execute(backend, where, batch, result_arena, results);
}

static struct ct_outcome faulty_query(struct ct_table *of, const char *where,
                                      const struct ct_filter *filter, struct arena *result_arena,
                                      struct ct_rows *rows) {
    struct ct_table *backend = ((struct faulty_table *)of)->backend;
    assert_int_equal(notes_due, 0);
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    notes_due++;
    return backend->ops->query(backend, where, filter, result_arena, rows);
}

static struct ct_outcome faulty_read(struct ct_stream *stream, const char *where,
                                     const struct ct_row **row) {
    struct ct_stream *backend = ((struct faulty_stream *)stream)->backend;
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    return backend->ops->read(backend, where, row);
}

static void faulty_close(struct ct_stream *stream, const char *where) {
    struct ct_stream *backend = ((struct faulty_stream *)stream)->backend;
    backend->ops->close(backend, where);
}

static struct ct_outcome faulty_open(struct ct_table *of, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read = faulty_read, .close = faulty_close};
    struct ct_table *backend = ((struct faulty_table *)of)->backend;
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    struct faulty_stream *opened = ARENA_NEW(&arena, struct faulty_stream);
    opened->stream.ops = &ops;
    *stream = &opened->stream;
    return backend->ops->open_stream(backend, where, filter, &opened->backend);
}

static const struct ct_table_ops faulty_ops = {.version = CT_TABLE_VERSION,
                                               .execute = faulty_execute,
                                               .query = faulty_query,
                                               .open_stream = faulty_open};

// ---- A world in which nothing waits ------------------------------------------------------------

static void annotate(struct ct_env *of, const char *where, const struct ct_annotation *annotation) {
    (void)of;
    (void)where;
    (void)annotation;
    notes_due--;
}

static struct arena *arena_open(struct ct_env *of) {
    (void)of;
    return &arena;
}

static void arena_keep(struct ct_env *of, struct arena *kept, size_t mark) {
    (void)of;
    (void)kept;
    (void)mark;
}

static void arena_close(struct ct_env *of, struct arena *kept) {
    (void)of;
    (void)kept;
}

static struct ct_lock *lock_create(struct ct_env *of) {
    (void)of;
    return NULL;
}

static void lock_acquire(struct ct_env *of, const char *where, struct ct_lock *lock) {
    (void)of;
    (void)where;
    (void)lock;
}

static void lock_release(struct ct_env *of, struct ct_lock *lock) {
    (void)of;
    (void)lock;
}

static void lock_destroy(struct ct_env *of, struct ct_lock *lock) {
    (void)of;
    (void)lock;
}

static void start_at_once(struct ct_env *of, const char *name, void (*function)(void *),
                          void *argument) {
    (void)of;
    (void)name;
    function(argument);
}

static struct ct_latch *latch_create(struct ct_env *of, size_t count) {
    (void)of;
    (void)count;
    return NULL;
}

static void latch_use(struct ct_env *of, struct ct_latch *latch) {
    (void)of;
    (void)latch;
}

static void latch_wait(struct ct_env *of, const char *where, struct ct_latch *latch) {
    (void)of;
    (void)where;
    (void)latch;
}

static const struct ct_env_ops env_ops = {
    .version = CT_ENV_VERSION,
    .annotate = annotate,
    .arena_open = arena_open,
    .arena_reset = arena_keep,
    .arena_close = arena_close,
    .lock_create = lock_create,
    .lock_destroy = lock_destroy,
    .lock_acquire = lock_acquire,
    .lock_release = lock_release,
    .start = start_at_once,
    .latch_create = latch_create,
    .latch_count_down = latch_use,
    .latch_wait = latch_wait,
    .latch_destroy = latch_use,
};

static struct ct_outcome execute_row(struct ct_table *of, enum ct_op_type type, const char *row) {
    struct ct_property property = {.name = "a", .type = CT_BOOL, .value.boolean = true};
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type, ct_row_new(&arena, (struct ct_key){"p", row}, NULL, &property, 1));
    return ct_execute(of, &batch, &arena, &result);
}

static struct ct_table *open_backend(const char *prefix) {
    return ct_memory_table_interface(
        ct_memory_table_open(&(struct ct_memory_options){.arena = &arena, .etag_prefix = prefix}));
}

static struct ct_outcome push(enum mt_state state) {
    service.config.ops->push(&service.config, HERE, state);
    return ct_success();
}

// Rows "0" and "1" in the old table; clients in the first state.
static void open_world(void) {
    arena_reset(&arena, 0);
    env = (struct ct_env){.ops = &env_ops};
    old_table = (struct faulty_table){{&faulty_ops}, open_backend("old-")};
    new_table = (struct faulty_table){{&faulty_ops}, open_backend("new-")};
    execute_row(old_table.backend, CT_INSERT, "0");
    execute_row(old_table.backend, CT_INSERT, "1");
    mt_config_service_init(&service, &env, MT_USE_OLD_HIDE_METADATA, false);
    instance = mt_open(&(struct mt_options){.old_table = &old_table.table,
                                            .new_table = &new_table.table,
                                            .config = &service.config,
                                            .env = &env});
    table = mt_interface(instance);
    calls = fails_at = fails_for = notes_due = 0;
}

// Moves the world to [state] by the migrator's own means: in USE_NEW* the rows are in the new
// table.
static void open_world_in(enum mt_state state) {
    open_world();
    for (int next = MT_PREFER_OLD; next <= (int)state; next++) {
        if (next == MT_USE_NEW_WITH_TOMBSTONES) {
            execute_row(new_table.backend, CT_INSERT, "0");
            execute_row(new_table.backend, CT_INSERT, "1");
        }
        push((enum mt_state)next);
    }
}

static void assert_server_error(struct ct_outcome outcome) {
    assert_true(ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    assert_int_equal(outcome.op_index, 0);
    assert_int_equal(notes_due, 0);
}

// ---- Calls -------------------------------------------------------------------------------------

static struct ct_outcome replace_0(void) {
    return execute_row(table, CT_INSERT_OR_REPLACE, "0");
}

static struct ct_outcome query_all(void) {
    struct ct_rows rows;
    struct ct_outcome outcome = ct_query(table, ct_filter_in_partition(&arena, "p"), &arena, &rows);
    if (outcome.kind == CT_SUCCEEDED)
        assert_int_equal(rows.count, 2);
    return outcome;
}

// Fails the n-th backend call of [call] in [state] for n = 1, 2, ... until it makes fewer: each
// time the call returns the error, and the same call made again succeeds.
static void fail_each_call(enum mt_state state, struct ct_outcome (*call)(void)) {
    for (int n = 1;; n++) {
        open_world_in(state);
        fails_at = calls + n;
        fails_for = 1;
        struct ct_outcome outcome = call();
        if (outcome.kind == CT_SUCCEEDED) {
            assert_true(n > 1);
            return;
        }
        assert_server_error(outcome);
        assert_int_equal(call().kind, CT_SUCCEEDED);
        assert_int_equal(notes_due, 0);
    }
}

// Batches and queries pass the error of each of their backend calls up, in every state.
static void test_calls_pass_the_error_up(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        fail_each_call((enum mt_state)s, replace_0);
        fail_each_call((enum mt_state)s, query_all);
    }
}

// An error that persists ends the call, too: nothing is tried again.
static void test_persistent_error_ends_the_call(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (int n = 1; n <= 6; n++) {
            open_world_in((enum mt_state)s);
            fails_at = calls + n;
            fails_for = 1000;
            struct ct_outcome outcome = replace_0();
            if (outcome.kind == CT_SUCCEEDED)
                break;
            assert_server_error(outcome);
            assert_int_equal(calls, fails_at);
        }
}

// ---- Streams -----------------------------------------------------------------------------------

// Reads to the end; a read that fails is made again. The rows are "0" and "1", each once.
static void read_all(struct ct_stream *stream) {
    static const char *const expected[] = {"0", "1", NULL};
    for (size_t i = 0; i < 3; i++) {
        const struct ct_row *row = NULL;
        struct ct_outcome outcome = ct_stream_read(stream, &row);
        if (outcome.kind != CT_SUCCEEDED) {
            assert_server_error(outcome);
            outcome = ct_stream_read(stream, &row);
        }
        assert_int_equal(outcome.kind, CT_SUCCEEDED);
        assert_true(ct_string_equal(row ? row->key.row : NULL, expected[i]));
    }
}

// A start that fails gives no stream; after a read that fails the stream stands where it stood, in
// PREFER_NEW also where one of two tables has been read and the other fails.
static void test_failed_read_can_be_repeated(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (int n = 1; n <= 12; n++) {
            open_world_in((enum mt_state)s);
            if (s == MT_PREFER_NEW)
                replace_0(); // both tables have row 0
            fails_at = calls + n;
            fails_for = 1;
            struct ct_stream *stream = NULL;
            struct ct_outcome outcome = ct_open_stream(table, NULL, &stream);
            if (outcome.kind != CT_SUCCEEDED) {
                assert_server_error(outcome);
                assert_null(stream);
                assert_null(service.first); // no subscription is left
                continue;
            }
            read_all(stream);
            ct_stream_close(stream);
        }
}

// An error in a change of state has nobody to be told to but the reader: it stays.
static void test_error_in_a_change_of_state_fails_the_stream(void **state) {
    (void)state;
    open_world();
    struct ct_stream *stream = NULL;
    assert_int_equal(ct_open_stream(table, NULL, &stream).kind, CT_SUCCEEDED);
    fails_at = calls + 1;
    fails_for = 1;
    push(MT_PREFER_OLD);
    for (int i = 0; i < 2; i++) {
        const struct ct_row *row = NULL;
        assert_server_error(ct_stream_read(stream, &row));
        assert_null(row);
    }
    push(MT_PREFER_NEW); // does not wait for ever
    ct_stream_close(stream);
    assert_null(service.first);
}

// ---- The migrator ------------------------------------------------------------------------------

static size_t row_count(struct ct_table *backend) {
    struct ct_rows rows;
    ct_query(backend, ct_filter_in_partition(&arena, "p"), &arena, &rows);
    return rows.count;
}

// Whichever call fails: called again, the migrator ends, and the migration is what it should be.
static void test_migrator_can_be_called_again(void **state) {
    (void)state;
    for (int n = 1;; n++) {
        open_world();
        assert_int_equal(replace_0().kind, CT_SUCCEEDED);
        fails_at = calls + n;
        fails_for = 1;
        struct ct_outcome outcome = mt_migrate(instance);
        bool failed = outcome.kind != CT_SUCCEEDED;
        if (failed) {
            assert_server_error(outcome);
            assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
        }
        assert_int_equal(row_count(old_table.backend), 0);
        assert_int_equal(row_count(new_table.backend), 2);
        if (!failed) {
            assert_true(n > 10);
            return;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_calls_pass_the_error_up),
        ARENA_TEST(test_persistent_error_ends_the_call),
        ARENA_TEST(test_failed_read_can_be_repeated),
        ARENA_TEST(test_error_in_a_change_of_state_fails_the_stream),
        ARENA_TEST(test_migrator_can_be_called_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
