// A MigratingTable without an engine: one thread, two memory tables, and a reference table that
// follows the reported linearization points. Every backend call and annotation is written down.
//
// The record: "old.execute A old.execute LP new.execute E(1) old.open old.read old.close". A is a
// plain annotation, LP a linearization point, E(k) a changed ETag of row k. A broken annotation
// protocol is recorded as "BROKEN(...)", which no expected record contains.
#ifndef TESTS_SUPPORT_DIRECT_WORLD_H
#define TESTS_SUPPORT_DIRECT_WORLD_H

#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/base/text.h"
#include "model/config/service.h"
#include "model/migrating/migrating.h"
#include "model/migrating/state.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/memory/memory_table.h"
#include "model/table/row.h"

#include <string.h>

struct direct_world;

struct recording_table {
    struct ct_table table; // first member
    struct direct_world *world;
    struct ct_table *inner;
    const char *name;
};

struct recording_stream {
    struct ct_stream stream; // first member
    struct recording_table *table;
    struct ct_stream *inner;
};

// The atomic call under way, and what the reference made of it.
struct direct_call {
    struct ct_batch batch;          // a copy with the original If-Match values
    const struct ct_filter *filter; // a query if batch.count is 0
    unsigned linearizations;
    struct ct_outcome outcome;
    struct ct_op_result *results;
    struct ct_rows rows;
};

struct direct_world {
    struct ct_env env; // first member
    struct arena arena;
    struct ct_table_limits limits; // of the two tables; kept when the rest is forgotten
    struct ct_memory_table *old_memory, *new_memory, *reference;
    struct recording_table old_table, new_table;
    struct mt_config_service service;
    struct mt_table *instance;
    struct ct_table *table; // the virtual table
    struct bug_set bugs;
    struct rng rng;
    bool choose_randomly; // which valid row a backend stream gives; else the first
    struct direct_call call;
    char record_buffer[1 << 14];
    struct text record;
    bool awaits_annotation;
    size_t annotatable, annotations; // counted since the last direct_clear
    size_t backend_calls;            // with the stream calls
    size_t fail_at;                  // the backend call (from 1) that answers 500; 0: none
    void (*interlude)(void);         // runs once, before the backend call [interlude_at]
    size_t interlude_at;
    unsigned locks_held;
};

// ---- The recording tables ----------------------------------------------------------------------

static inline void direct_record(struct direct_world *world, const char *table, const char *what) {
    text_add(&world->record, "%s%s%s", world->record.length ? " " : "", table, what);
}

// Counts a backend call; whether it must answer 500 instead of being made.
static inline bool direct_begin(struct recording_table *table, const char *what,
                                bool is_annotatable) {
    struct direct_world *world = table->world;
    if (world->interlude_at && world->backend_calls + 1 == world->interlude_at) {
        struct direct_call call = world->call;
        world->interlude_at = 0;
        world->interlude();
        world->call = call;
    }
    direct_record(world, table->name, what);
    if (world->awaits_annotation)
        direct_record(world, "BROKEN", "(call before annotation)");
    bool fails = ++world->backend_calls == world->fail_at;
    if (is_annotatable) {
        world->annotatable++;
        world->awaits_annotation = true;
    }
    return fails;
}

static inline struct ct_outcome direct_execute(struct ct_table *base, const char *where,
                                               struct ct_batch *batch, struct arena *arena,
                                               struct ct_op_result *results) {
    struct recording_table *table = (struct recording_table *)base;
    (void)where;
    if (direct_begin(table, "execute", true))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    return ct_execute(table->inner, batch, arena, results);
}

static inline struct ct_outcome direct_query(struct ct_table *base, const char *where,
                                             const struct ct_filter *filter, struct arena *arena,
                                             struct ct_rows *rows) {
    struct recording_table *table = (struct recording_table *)base;
    (void)where;
    if (direct_begin(table, "query", true))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    return ct_query(table->inner, filter, arena, rows);
}

static inline struct ct_outcome direct_read(struct ct_stream *base, const char *where,
                                            const struct ct_row **row) {
    struct recording_stream *stream = (struct recording_stream *)base;
    (void)where;
    if (direct_begin(stream->table, "read", false))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    return ct_stream_read(stream->inner, row);
}

static inline void direct_close(struct ct_stream *base, const char *where) {
    struct recording_stream *stream = (struct recording_stream *)base;
    (void)where;
    direct_record(stream->table->world, stream->table->name, "close");
    ct_stream_close(stream->inner);
}

static inline struct ct_outcome direct_open(struct ct_table *base, const char *where,
                                            const struct ct_filter *filter,
                                            struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read = direct_read, .close = direct_close};
    struct recording_table *table = (struct recording_table *)base;
    (void)where;
    if (direct_begin(table, "open", false))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    struct recording_stream *opened = ARENA_NEW(&table->world->arena, struct recording_stream);
    opened->stream.ops = &ops;
    opened->table = table;
    struct ct_outcome outcome = ct_open_stream(table->inner, filter, &opened->inner);
    if (outcome.kind == CT_SUCCEEDED)
        *stream = &opened->stream;
    return outcome;
}

// ---- The environment ---------------------------------------------------------------------------

struct ct_lock {
    bool is_held;
};

struct ct_latch {
    size_t count;
};

static inline struct direct_world *direct_world_of(struct ct_env *env) {
    return (struct direct_world *)env;
}

static inline void direct_linearize(struct direct_world *world,
                                    const struct ct_annotation *annotation) {
    struct direct_call *call = &world->call;
    call->linearizations++;
    if (call->batch.count == 0) {
        if (call->filter)
            call->outcome = ct_query(ct_memory_table_interface(world->reference), call->filter,
                                     &world->arena, &call->rows);
        return;
    }
    if (annotation->results && annotation->result_count != call->batch.count)
        direct_record(world, "BROKEN", "(number of results)");
    call->results = ARENA_ARRAY(&world->arena, struct ct_op_result, call->batch.count);
    call->outcome = ct_memory_execute_mirror(world->reference, &call->batch, annotation->results,
                                             call->results);
}

static inline void direct_change_etag(struct direct_world *world,
                                      const struct ct_annotation *annotation) {
    struct ct_batch batch = ct_batch_new(&world->arena, 1);
    ct_batch_add(&batch, CT_MERGE,
                 ct_row_new(&world->arena, annotation->key, CT_ANY_ETAG, NULL, 0));
    struct ct_op_result mirrored = {.etag = annotation->etag}, result;
    struct ct_outcome outcome =
        ct_memory_execute_mirror(world->reference, &batch, &mirrored, &result);
    if (outcome.kind != CT_SUCCEEDED)
        direct_record(world, "BROKEN", "(changed ETag of a row that does not exist)");
}

static inline void direct_annotate(struct ct_env *env, const char *where,
                                   const struct ct_annotation *annotation) {
    struct direct_world *world = direct_world_of(env);
    (void)where;
    if (!world->awaits_annotation)
        direct_record(world, "BROKEN", "(annotation without call)");
    world->awaits_annotation = false;
    world->annotations++;
    if (annotation->linearization_point && annotation->etag_changed)
        direct_record(world, "BROKEN", "(LP and changed ETag)");
    if (annotation->linearization_point) {
        direct_record(world, "", "LP");
        direct_linearize(world, annotation);
    } else if (annotation->etag_changed) {
        text_add(&world->record, " E(%s)", annotation->key.row);
        direct_change_etag(world, annotation);
    } else {
        direct_record(world, "", "A");
    }
}

// One arena for all, which is forgotten as a whole.
static inline struct arena *direct_arena_open(struct ct_env *env) {
    return &direct_world_of(env)->arena;
}

static inline void direct_arena_keep(struct ct_env *env, struct arena *arena, size_t mark) {
    (void)env;
    (void)arena;
    (void)mark;
}

static inline void direct_arena_close(struct ct_env *env, struct arena *arena) {
    (void)env;
    (void)arena;
}

static inline struct ct_lock *direct_lock_create(struct ct_env *env) {
    return ARENA_NEW(&direct_world_of(env)->arena, struct ct_lock);
}

static inline void direct_lock_destroy(struct ct_env *env, struct ct_lock *lock) {
    (void)env;
    assert_false(lock->is_held);
}

// With one thread a lock that is not free will never be.
static inline void direct_lock_acquire(struct ct_env *env, const char *where,
                                       struct ct_lock *lock) {
    (void)where;
    assert_false(lock->is_held);
    lock->is_held = true;
    direct_world_of(env)->locks_held++;
}

static inline void direct_lock_release(struct ct_env *env, struct ct_lock *lock) {
    assert_true(lock->is_held);
    lock->is_held = false;
    direct_world_of(env)->locks_held--;
}

static inline void direct_start(struct ct_env *env, const char *name, void (*function)(void *),
                                void *argument) {
    (void)env;
    (void)name;
    function(argument);
}

static inline struct ct_latch *direct_latch_create(struct ct_env *env, size_t count) {
    struct ct_latch *latch = ARENA_NEW(&direct_world_of(env)->arena, struct ct_latch);
    latch->count = count;
    return latch;
}

static inline void direct_latch_count_down(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    assert_true(latch->count > 0);
    latch->count--;
}

static inline void direct_latch_wait(struct ct_env *env, const char *where,
                                     struct ct_latch *latch) {
    (void)env;
    (void)where;
    assert_int_equal(latch->count, 0);
}

static inline void direct_latch_destroy(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    (void)latch;
}

// ---- The world ---------------------------------------------------------------------------------

static inline size_t direct_choose(void *context, size_t count) {
    struct direct_world *world = (struct direct_world *)context;
    return world->choose_randomly ? rng_below(&world->rng, (uint32_t)count) : 0;
}

static inline struct ct_memory_table *direct_memory(struct direct_world *world, const char *prefix,
                                                    struct ct_table_limits limits) {
    return ct_memory_table_open(&(struct ct_memory_options){.arena = &world->arena,
                                                            .etag_prefix = prefix,
                                                            .choose = direct_choose,
                                                            .choose_context = world,
                                                            .limits = limits});
}

static inline struct mt_table *direct_instance(struct direct_world *world,
                                               struct mt_config *config) {
    return mt_open(&(struct mt_options){.old_table = &world->old_table.table,
                                        .new_table = &world->new_table.table,
                                        .config = config,
                                        .env = &world->env,
                                        .bugs = &world->bugs});
}

static inline void direct_clear(struct direct_world *world) {
    world->record = text_in(world->record_buffer, sizeof world->record_buffer);
    world->awaits_annotation = false;
    world->annotatable = world->annotations = world->backend_calls = 0;
    world->fail_at = world->interlude_at = 0;
    world->call = (struct direct_call){.linearizations = 0};
}

static inline struct ct_table_limits direct_limits(struct ct_table *base) {
    return ct_limits(((struct recording_table *)base)->inner);
}

// Empty tables and one instance in [state]. Forgets whatever the world was before.
static inline void direct_reset(struct direct_world *world, enum mt_state state) {
    static const struct ct_table_ops table_ops = {.version = CT_TABLE_VERSION,
                                                  .execute = direct_execute,
                                                  .query = direct_query,
                                                  .open_stream = direct_open,
                                                  .limits = direct_limits};
    static const struct ct_env_ops env_ops = {.version = CT_ENV_VERSION,
                                              .annotate = direct_annotate,
                                              .arena_open = direct_arena_open,
                                              .arena_reset = direct_arena_keep,
                                              .arena_close = direct_arena_close,
                                              .lock_create = direct_lock_create,
                                              .lock_destroy = direct_lock_destroy,
                                              .lock_acquire = direct_lock_acquire,
                                              .lock_release = direct_lock_release,
                                              .start = direct_start,
                                              .latch_create = direct_latch_create,
                                              .latch_count_down = direct_latch_count_down,
                                              .latch_wait = direct_latch_wait,
                                              .latch_destroy = direct_latch_destroy};
    arena_reset(&world->arena, 0);
    world->env = (struct ct_env){.ops = &env_ops};
    world->bugs = (struct bug_set){.on = 0};
    world->choose_randomly = false;
    world->locks_held = 0;
    world->old_memory = direct_memory(world, "old-", world->limits);
    world->new_memory = direct_memory(world, "new-", world->limits);
    world->reference = direct_memory(world, "ref-", (struct ct_table_limits){0});
    world->old_table = (struct recording_table){
        {&table_ops}, world, ct_memory_table_interface(world->old_memory), "old."};
    world->new_table = (struct recording_table){
        {&table_ops}, world, ct_memory_table_interface(world->new_memory), "new."};
    mt_config_service_init(&world->service, &world->env, state, false);
    world->instance = direct_instance(world, &world->service.config);
    world->table = mt_interface(world->instance);
    direct_clear(world);
}

static inline void direct_push(struct direct_world *world, enum mt_state state) {
    world->service.config.ops->push(&world->service.config, HERE, state);
}

// ---- Data --------------------------------------------------------------------------------------

static inline struct ct_property direct_bool(const char *name, bool value) {
    return ct_bool(name, value);
}

static inline struct ct_property direct_int(const char *name, int32_t value) {
    return ct_int32(name, value);
}

static inline const struct ct_filter *direct_filter(struct direct_world *world, const char *text) {
    const struct ct_filter *filter = NULL;
    struct error error;
    assert_true(ct_filter_parse(&world->arena, text, &filter, &error));
    return filter;
}

// Writes [row] (InsertOrReplace) straight into [table]; its new ETag.
static inline const char *direct_put(struct ct_memory_table *table, struct ct_row *row,
                                     struct arena *arena) {
    struct ct_batch batch = ct_batch_new(arena, 1);
    ct_batch_add(&batch, CT_INSERT_OR_REPLACE, row);
    struct ct_op_result result;
    struct ct_outcome outcome =
        ct_execute(ct_memory_table_interface(table), &batch, arena, &result);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return result.etag;
}

// Puts [row], which is visible under [etag], into the reference.
static inline void direct_put_reference(struct direct_world *world, const struct ct_row *row,
                                        const char *etag) {
    struct ct_batch batch = ct_batch_new(&world->arena, 1);
    ct_batch_add(&batch, CT_INSERT_OR_REPLACE, ct_row_copy(&world->arena, row));
    struct ct_op_result mirrored = {.etag = etag}, result;
    struct ct_outcome outcome =
        ct_memory_execute_mirror(world->reference, &batch, &mirrored, &result);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
}

static inline void direct_put_meta(struct direct_world *world, const char *partition,
                                   enum mt_partition_state state) {
    if (state == MT_PARTITION_NONE)
        return;
    struct ct_property meta[] = {direct_bool(MT_DELETED_PROPERTY, false),
                                 direct_int(MT_PARTITION_STATE_PROPERTY, (int32_t)state)};
    direct_put(world->old_memory,
               ct_row_new(&world->arena, (struct ct_key){partition, MT_META_ROW}, NULL, meta, 2),
               &world->arena);
    if (state == MT_PARTITION_POPULATED)
        direct_put(
            world->old_memory,
            ct_row_new(&world->arena, (struct ct_key){partition, MT_ASSERTION_ROW}, NULL, meta, 1),
            &world->arena);
}

// ---- Calls, each compared with the reference
// -----------------------------------------------------

static inline bool direct_same_rows(struct ct_rows a, struct ct_rows b) {
    bool same = a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = ct_row_equal(a.rows[i], b.rows[i]);
    return same;
}

static inline bool direct_same_results(const struct ct_op_result *a, const struct ct_op_result *b,
                                       size_t count) {
    bool same = true;
    for (size_t i = 0; same && i < count; i++)
        same = a[i].status == b[i].status && ct_string_equal(a[i].etag, b[i].etag) &&
               ct_row_equal(a[i].entity, b[i].entity);
    return same;
}

// What is wrong with an atomic call that ended with [outcome], or NULL.
static inline const char *direct_compare(const struct direct_world *world,
                                         struct ct_outcome outcome,
                                         const struct ct_op_result *results,
                                         const struct ct_rows *rows) {
    const struct direct_call *call = &world->call;
    if (call->linearizations != 1)
        return "the call reported no linearization point, or several";
    if (outcome.kind != call->outcome.kind || outcome.status != call->outcome.status ||
        outcome.op_index != call->outcome.op_index)
        return "the outcome is not the reference's";
    if (outcome.kind != CT_SUCCEEDED)
        return NULL;
    if (rows)
        return direct_same_rows(*rows, call->rows) ? NULL : "the rows are not the reference's";
    return direct_same_results(results, call->results, call->batch.count)
               ? NULL
               : "the results are not the reference's";
}

// Executes [batch] on the virtual table; what is wrong with its outcome, or NULL.
static inline const char *direct_run_batch(struct direct_world *world, struct ct_table *table,
                                           struct ct_batch *batch, struct ct_outcome *outcome) {
    world->call = (struct direct_call){.batch = ct_batch_copy(&world->arena, batch)};
    struct ct_op_result *results = ARENA_ARRAY(&world->arena, struct ct_op_result, batch->count);
    *outcome = ct_execute(table, batch, &world->arena, results);
    return direct_compare(world, *outcome, results, NULL);
}

static inline const char *direct_run_query(struct direct_world *world, struct ct_table *table,
                                           const struct ct_filter *filter,
                                           struct ct_outcome *outcome) {
    world->call = (struct direct_call){.filter = filter};
    struct ct_rows rows = {NULL, 0};
    *outcome = ct_query(table, filter, &world->arena, &rows);
    return direct_compare(world, *outcome, NULL, &rows);
}

#endif
