#define _POSIX_C_SOURCE 200809L
#include "model/command/sqlite_store.h"

#include "core/base/grow.h"
#include "model/sqlite/catalog.h"

#include <stdlib.h>
#include <time.h>

// A table whose batches wait in a line, and which is else the one behind it.
struct gate {
    struct ct_table table; // first, so that the interface is the table
    struct ct_table *behind;
    struct sqlite_line *line;
};

struct sqlite_store {
    struct server_store store; // first, so that the interface is the store
    struct ct_sqlite_table *table;
    struct gate gate;
};

static struct ct_sqlite_table *table_of(struct server_store *store) {
    return ((struct sqlite_store *)store)->table;
}

// ---- The line ----------------------------------------------------------------------------------

static struct gate *gate_of(struct ct_table *table) {
    return (struct gate *)table;
}

static bool enter(struct sqlite_line *line) {
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_sec += line->wait_ms / 1000;
    until.tv_nsec += (long)(line->wait_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_mutex_timedlock(&line->mutex, &until) == 0;
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct gate *gate = gate_of(table);
    if (!enter(gate->line))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    struct ct_outcome outcome =
        gate->behind->ops->execute(gate->behind, where, batch, arena, results);
    pthread_mutex_unlock(&gate->line->mutex);
    return outcome;
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    struct ct_table *behind = gate_of(table)->behind;
    return behind->ops->query(behind, where, filter, arena, rows);
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    struct ct_table *behind = gate_of(table)->behind;
    return behind->ops->open_stream(behind, where, filter, stream);
}

static struct ct_table_limits limits(struct ct_table *table) {
    return ct_limits(gate_of(table)->behind);
}

// The store closes what is behind.
static void close_gate(struct ct_table *table) {
    (void)table;
}

static const struct ct_table_ops gate_ops = {.version = CT_TABLE_VERSION,
                                             .execute = execute,
                                             .query = query,
                                             .open_stream = open_stream,
                                             .close = close_gate,
                                             .limits = limits};

// ---- The store ---------------------------------------------------------------------------------

static struct ct_outcome find(struct server_store *store, const char *name, struct arena *arena,
                              struct ct_table **table) {
    bool is_there;
    struct ct_outcome outcome = ct_sqlite_choose(table_of(store), name, arena, &is_there);
    struct gate *gate = &((struct sqlite_store *)store)->gate;
    *table = !is_there ? NULL : gate->line ? &gate->table : gate->behind;
    return outcome;
}

static struct ct_outcome create(struct server_store *store, const char *name, struct arena *arena,
                                bool *is_new) {
    return ct_sqlite_create(table_of(store), name, arena, is_new);
}

static struct ct_outcome drop(struct server_store *store, const char *name, struct arena *arena,
                              bool *was_there) {
    return ct_sqlite_drop(table_of(store), name, arena, was_there);
}

static struct ct_outcome list(struct server_store *store, const char *from, size_t most,
                              struct arena *arena, const char *const **names, size_t *count) {
    return ct_sqlite_names(table_of(store), from, most, arena, names, count);
}

static void set_deadline(struct server_store *store, double seconds) {
    ct_sqlite_set_deadline(table_of(store), seconds);
}

static void close_store(struct server_store *store) {
    ct_close(ct_sqlite_interface(table_of(store)));
    free(store);
}

static const struct server_store_ops ops = {.find = find,
                                            .create = create,
                                            .drop = drop,
                                            .list = list,
                                            .set_deadline = set_deadline,
                                            .close = close_store};

struct server_store *sqlite_store_open_in(const struct ct_sqlite_options *options,
                                          struct sqlite_line *line, struct error *error) {
    struct ct_sqlite_table *table = ct_sqlite_open(options, error);
    if (!table)
        return NULL;
    struct sqlite_store *store = grow_new(1, sizeof *store, "a store");
    *store = (struct sqlite_store){
        .store.ops = &ops,
        .table = table,
        .gate = {{&gate_ops}, .behind = ct_sqlite_interface(table), .line = line}};
    return &store->store;
}

struct server_store *sqlite_store_open(const struct ct_sqlite_options *options,
                                       struct error *error) {
    return sqlite_store_open_in(options, NULL, error);
}
