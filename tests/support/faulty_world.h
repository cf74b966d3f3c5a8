// A MigratingTable without the engine, over two tables of which the n-th call fails or is not
// answered.
#ifndef TESTS_SUPPORT_FAULTY_WORLD_H
#define TESTS_SUPPORT_FAULTY_WORLD_H

#include "tests/support/arena.h"

#include "model/config/service.h"
#include "model/migrating/migrating.h"
#include "model/table/filter.h"
#include "model/memory/memory_table.h"
#include "model/table/row.h"

#include <string.h>

static struct ct_env env;
static struct mt_config_service service;
static struct mt_table *instance;
static struct ct_table *table;
static int calls;               // of the backends
static int fails_at, fails_for; // the calls from that number on fail, so many of them
static int notes_due;           // calls executed, less those annotated
static int writes;              // batches, likewise
static int loses_at, loses_for; // the batches from that number on are not answered, so many of them
static bool lost_are_done;      // but done
static void (*meddle)(void);    // somebody else, before the batch [meddle_at]
static int meddle_at;
static struct ct_outcome refuses_with; // what the new table answers to every batch, unless success

static inline bool call_fails(void) {
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

static inline struct ct_outcome lose_answer(struct ct_table *backend, const struct ct_batch *batch,
                                            struct arena *result_arena) {
    struct ct_batch copy = ct_batch_copy(result_arena, batch);
    if (lost_are_done)
        ct_execute(backend, &copy, result_arena,
                   ARENA_ARRAY(result_arena, struct ct_op_result, copy.count));
    return ct_unknown("no answer");
}

static inline struct ct_outcome faulty_execute(struct ct_table *of, const char *where,
                                               struct ct_batch *batch, struct arena *result_arena,
                                               struct ct_op_result *results) {
    struct ct_table *backend = ((struct faulty_table *)of)->backend;
    assert_int_equal(notes_due, 0);
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    notes_due++;
    writes++;
    if (of == &new_table.table && refuses_with.kind != CT_SUCCEEDED)
        return refuses_with;
    if (meddle && writes == meddle_at) {
        meddle();
        meddle = NULL;
    }
    if (writes >= loses_at && writes < loses_at + loses_for)
        return lose_answer(backend, batch, result_arena);
    return backend->ops->execute(backend, where, batch, result_arena, results);
}

static inline struct ct_outcome faulty_query(struct ct_table *of, const char *where,
                                             const struct ct_filter *filter,
                                             struct arena *result_arena, struct ct_rows *rows) {
    struct ct_table *backend = ((struct faulty_table *)of)->backend;
    assert_int_equal(notes_due, 0);
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    notes_due++;
    return backend->ops->query(backend, where, filter, result_arena, rows);
}

static inline struct ct_outcome faulty_read(struct ct_stream *stream, const char *where,
                                            const struct ct_row **row) {
    struct ct_stream *backend = ((struct faulty_stream *)stream)->backend;
    if (call_fails())
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 3);
    return backend->ops->read(backend, where, row);
}

static inline void faulty_close(struct ct_stream *stream, const char *where) {
    struct ct_stream *backend = ((struct faulty_stream *)stream)->backend;
    backend->ops->close(backend, where);
}

static inline struct ct_outcome faulty_open(struct ct_table *of, const char *where,
                                            const struct ct_filter *filter,
                                            struct ct_stream **stream) {
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

static inline void annotate(struct ct_env *of, const char *where,
                            const struct ct_annotation *annotation) {
    (void)of;
    (void)where;
    (void)annotation;
    notes_due--;
}

static inline struct arena *arena_open(struct ct_env *of) {
    (void)of;
    return &arena;
}

static inline void arena_keep(struct ct_env *of, struct arena *kept, size_t mark) {
    (void)of;
    (void)kept;
    (void)mark;
}

static inline void arena_close(struct ct_env *of, struct arena *kept) {
    (void)of;
    (void)kept;
}

static inline struct ct_lock *lock_create(struct ct_env *of) {
    (void)of;
    return NULL;
}

static inline void lock_acquire(struct ct_env *of, const char *where, struct ct_lock *lock) {
    (void)of;
    (void)where;
    (void)lock;
}

static inline void lock_release(struct ct_env *of, struct ct_lock *lock) {
    (void)of;
    (void)lock;
}

static inline void lock_destroy(struct ct_env *of, struct ct_lock *lock) {
    (void)of;
    (void)lock;
}

static inline void start_at_once(struct ct_env *of, const char *name, void (*function)(void *),
                                 void *argument) {
    (void)of;
    (void)name;
    function(argument);
}

static inline struct ct_latch *latch_create(struct ct_env *of, size_t count) {
    (void)of;
    (void)count;
    return NULL;
}

static inline void latch_use(struct ct_env *of, struct ct_latch *latch) {
    (void)of;
    (void)latch;
}

static inline void latch_wait(struct ct_env *of, const char *where, struct ct_latch *latch) {
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

static inline struct ct_outcome execute_row(struct ct_table *of, enum ct_op_type type,
                                            const char *row) {
    struct ct_property property = ct_bool("a", true);
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type, ct_row_new(&arena, (struct ct_key){"p", row}, NULL, &property, 1));
    return ct_execute(of, &batch, &arena, &result);
}

static inline struct ct_table *open_backend(const char *prefix) {
    return ct_memory_table_interface(
        ct_memory_table_open(&(struct ct_memory_options){.arena = &arena, .etag_prefix = prefix}));
}

static inline struct ct_outcome push(enum mt_state state) {
    service.config.ops->push(&service.config, HERE, state);
    return ct_success();
}

// Rows "0" and "1" in the old table; clients in the first state.
static inline void open_world(void) {
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
    writes = loses_at = loses_for = 0;
    refuses_with = ct_success();
}

// Moves the world to [state] by the migrator's own means: in USE_NEW* the rows are in the new
// table.
static inline void open_world_in(enum mt_state state) {
    open_world();
    for (int next = MT_PREFER_OLD; next <= (int)state; next++) {
        if (next == MT_USE_NEW_WITH_TOMBSTONES) {
            execute_row(new_table.backend, CT_INSERT, "0");
            execute_row(new_table.backend, CT_INSERT, "1");
        }
        push((enum mt_state)next);
    }
}

// Calls of the virtual table.
static inline struct ct_outcome replace_0(void) {
    return execute_row(table, CT_INSERT_OR_REPLACE, "0");
}

static inline struct ct_outcome query_all(void) {
    struct ct_rows rows;
    struct ct_outcome outcome = ct_query(table, ct_filter_in_partition(&arena, "p"), &arena, &rows);
    if (outcome.kind == CT_SUCCEEDED)
        assert_int_equal(rows.count, 2);
    return outcome;
}

static inline void assert_server_error(struct ct_outcome outcome) {
    assert_true(ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    assert_int_equal(outcome.op_index, 0);
    assert_int_equal(notes_due, 0);
}

#endif
