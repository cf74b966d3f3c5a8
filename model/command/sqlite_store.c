#include "model/command/sqlite_store.h"

#include "core/base/grow.h"
#include "model/sqlite/catalog.h"

#include <stdlib.h>

struct sqlite_store {
    struct server_store store; // first, so that the interface is the store
    struct ct_sqlite_table *table;
};

static struct ct_sqlite_table *table_of(struct server_store *store) {
    return ((struct sqlite_store *)store)->table;
}

static struct ct_outcome find(struct server_store *store, const char *name, struct arena *arena,
                              struct ct_table **table) {
    bool is_there;
    // One connection serves all tables of the file, one after the other: the next request chooses
    // anew.
    struct ct_outcome outcome = ct_sqlite_choose(table_of(store), name, arena, &is_there);
    *table = is_there ? ct_sqlite_interface(table_of(store)) : NULL;
    return outcome;
}

static struct ct_outcome find_to_write(struct server_store *store, const char *name,
                                       struct arena *arena, struct ct_table **table) {
    (void)arena;
    ct_sqlite_choose_to_write(table_of(store), name);
    *table = ct_sqlite_interface(table_of(store));
    return ct_success();
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
                                            .find_to_write = find_to_write,
                                            .create = create,
                                            .drop = drop,
                                            .list = list,
                                            .set_deadline = set_deadline,
                                            .close = close_store};

struct server_store *sqlite_store_open_in(const struct ct_sqlite_options *options,
                                          struct ct_sqlite_turn *turn, struct error *error) {
    struct ct_sqlite_table *table = ct_sqlite_open(options, error);
    if (!table)
        return NULL;
    ct_sqlite_take_turns(table, turn);
    struct sqlite_store *store = grow_new(1, sizeof *store, "a store");
    *store = (struct sqlite_store){.store.ops = &ops, .table = table};
    return &store->store;
}

struct server_store *sqlite_store_open(const struct ct_sqlite_options *options,
                                       struct error *error) {
    return sqlite_store_open_in(options, NULL, error);
}
