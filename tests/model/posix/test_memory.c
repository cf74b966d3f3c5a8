// A process that never ends: a million calls of one instance take no more memory than the first
// few.
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include "core/base/rng.h"
#include "model/config/service.h"
#include "model/memory/memory_table.h"
#include "model/migrating/migrating.h"
#include "model/posix/thread_env.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CALLS = ARENA_POISONS ? 50000 : 1000000,
    WARM_UP = CALLS / 20,
    STREAM_RARITY = 100,
    WRITES_MAX = 200,
    ARENA_BYTES = 1 << 22,
    PAGES_MAX = 256, // that the process may grow by after warming up: the heap is not exact
};

// ---- A store: a memory table that forgets its history now and then ------------------------------

struct store {
    struct ct_table table; // first member
    struct arena arenas[2];
    int turn;
    struct ct_memory_table *memory;
    unsigned writes, generation;
    unsigned streams; // open: the history is needed
};

struct store_stream {
    struct ct_stream stream; // first member
    struct store *store;
    struct ct_stream *inner;
};

static void put(struct store *store, const struct ct_row *row, struct arena *arena) {
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result mirrored = {.etag = arena_strdup(arena, row->etag)}, result;
    ct_batch_add(&batch, CT_INSERT, ct_row_clone(arena, row));
    ct_memory_execute_mirror(store->memory, &batch, &mirrored, &result);
}

// Begins anew with the rows of now, in the other arena.
static void compact(struct store *store) {
    struct arena *arena = &store->arenas[!store->turn];
    struct ct_rows rows = {.count = 0};
    if (store->memory)
        rows = ct_memory_rows(store->memory);
    arena_reset(arena, 0);
    store->memory = ct_memory_table_open(&(struct ct_memory_options){
        .arena = arena, .etag_prefix = arena_printf(arena, "%u-", store->generation++)});
    for (size_t i = 0; i < rows.count; i++)
        put(store, rows.rows[i], arena);
    store->turn = !store->turn;
    store->writes = 0;
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct store *store = (struct store *)table;
    (void)where;
    if (store->writes++ >= WRITES_MAX && store->streams == 0)
        compact(store);
    struct arena *own = &store->arenas[store->turn];
    struct ct_batch copy = ct_batch_new(own, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        ct_batch_add(&copy, batch->operations[i].type,
                     ct_row_clone(own, batch->operations[i].entity));
    struct ct_outcome outcome =
        ct_execute(ct_memory_table_interface(store->memory), &copy, arena, results);
    for (size_t i = 0; outcome.kind == CT_SUCCEEDED && i < batch->count; i++) {
        results[i].etag = arena_strdup(arena, results[i].etag);
        results[i].entity = batch->operations[i].entity;
        if (batch->operations[i].type != CT_DELETE)
            results[i].entity->etag = results[i].etag;
    }
    return outcome;
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    struct store *store = (struct store *)table;
    (void)where;
    struct ct_outcome outcome =
        ct_query(ct_memory_table_interface(store->memory), filter, arena, rows);
    const struct ct_row **clones = ARENA_ARRAY(arena, const struct ct_row *, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        clones[i] = ct_row_clone(arena, rows->rows[i]);
    rows->rows = clones;
    return outcome;
}

static struct ct_outcome read_stream(struct ct_stream *base, const char *where,
                                     const struct ct_row **row) {
    struct ct_stream *inner = ((struct store_stream *)base)->inner;
    return inner->ops->read(inner, where, row);
}

static void close_stream(struct ct_stream *base, const char *where) {
    (void)where;
    ((struct store_stream *)base)->store->streams--;
    free(base);
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream};
    struct store *store = (struct store *)table;
    struct ct_table *memory = ct_memory_table_interface(store->memory);
    struct store_stream *opened = malloc(sizeof *opened);
    assert_non_null(opened);
    *opened = (struct store_stream){.stream = {&ops}, .store = store};
    store->streams++;
    *stream = &opened->stream;
    return memory->ops->open_stream(memory, where, filter, &opened->inner);
}

static void close_store(struct ct_table *table) {
    arena_deinit(&((struct store *)table)->arenas[0]);
    arena_deinit(&((struct store *)table)->arenas[1]);
}

static void open_store(struct store *store, unsigned generation) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = execute,
                                            .query = query,
                                            .open_stream = open_stream,
                                            .close = close_store};
    *store = (struct store){.table = {&ops}, .generation = generation};
    arena_init(&store->arenas[0], ARENA_BYTES);
    arena_init(&store->arenas[1], ARENA_BYTES);
    compact(store);
}

// ---- Calls -------------------------------------------------------------------------------------

static struct thread_env env;
static struct store old_store, new_store;
static struct mt_config_service service;
static struct ct_table *table;
static struct rng rng;

static void write_row(struct arena *arena) {
    static const char *const rows[] = {"0", "1", "2", "3", "4", "5"};
    static const enum ct_op_type types[] = {CT_INSERT_OR_REPLACE, CT_INSERT_OR_MERGE, CT_REPLACE,
                                            CT_DELETE};
    struct ct_property property = ct_int32("a", 1);
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    struct ct_key key = {"p", rows[rng_below(&rng, 6)]};
    ct_batch_add(&batch, types[rng_below(&rng, 4)],
                 ct_row_new(arena, key, CT_ANY_ETAG, &property, 1));
    struct ct_outcome outcome = ct_execute(table, &batch, arena, &result);
    assert_true(outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_NOT_FOUND));
}

static void read_rows(struct arena *arena) {
    struct ct_rows rows;
    assert_int_equal(ct_query(table, ct_filter_in_partition(arena, "p"), arena, &rows).kind,
                     CT_SUCCEEDED);
}

static void read_all(void) {
    struct ct_stream *stream;
    const struct ct_row *row;
    assert_int_equal(ct_open_stream(table, NULL, &stream).kind, CT_SUCCEEDED);
    do
        assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
    while (row);
    ct_stream_close(stream);
    thread_env_wait(&env);
}

static void make_call(struct arena *arena) {
    if (rng_below(&rng, STREAM_RARITY) == 0)
        read_all();
    else if (rng_below(&rng, 2))
        read_rows(arena);
    else
        write_row(arena);
    arena_reset(arena, 0);
}

static long resident_pages(void) {
    long size = 0, resident = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%ld %ld", &size, &resident), 2);
    fclose(in);
    return resident;
}

static void test_constant_memory(void **state) {
    (void)state;
    struct arena arena;
    long pages = 0;
    size_t arenas = 0;
    arena_init(&arena, ARENA_BYTES);
    thread_env_init(&env, ARENA_BYTES);
    open_store(&old_store, 0);
    open_store(&new_store, 1u << 31);
    mt_config_service_init(&service, &env.env, MT_USE_OLD_HIDE_METADATA, true);
    struct mt_table *instance = mt_open(&(struct mt_options){.old_table = &old_store.table,
                                                             .new_table = &new_store.table,
                                                             .config = &service.config,
                                                             .env = &env.env});
    table = mt_interface(instance);
    rng_seed(&rng, 1);
    for (int i = 0; i < CALLS; i++) {
        if (i % (CALLS / MT_STATE_COUNT) == 0)
            service.config.ops->push(&service.config, HERE,
                                     (enum mt_state)(i / (CALLS / MT_STATE_COUNT)));
        make_call(&arena);
        if (i == WARM_UP) {
            pages = resident_pages();
            arenas = thread_env_arenas(&env);
        }
    }
    assert_int_equal(thread_env_arenas(&env), arenas);
    assert_in_range(resident_pages(), 0, pages + PAGES_MAX);
    ct_close(table);
    mt_config_service_deinit(&service);
    thread_env_deinit(&env);
    ct_close(&old_store.table);
    ct_close(&new_store.table);
    arena_deinit(&arena);
}

// The clock goes on, and by no less than was slept.
static void test_clock(void **state) {
    (void)state;
    const uint64_t nap = 1000000;
    thread_env_init(&env, ARENA_BYTES);
    uint64_t begin = env.env.ops->now(&env.env);
    env.env.ops->sleep(&env.env, HERE, nap);
    assert_true(env.env.ops->now(&env.env) >= begin + nap);
    thread_env_deinit(&env);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant_memory),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
