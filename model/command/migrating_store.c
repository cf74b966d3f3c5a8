#define _POSIX_C_SOURCE 200809L // strtok_r
#include "model/command/migrating_store.h"

#include "core/base/grow.h"
#include "model/live/client.h"
#include "model/server/service.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TABLES_MAX = 64 };

struct migrating_table {
    const char *name, *control, *migration; // parts of [text]
    struct live_client *client;             // NULL until it has joined
};

struct migrating_tables {
    char *text;
    struct migrating_table tables[TABLES_MAX]; // by name, without case
    size_t count;
};

// ---- The process -------------------------------------------------------------------------------

static int compare_tables(const void *left, const void *right) {
    const struct migrating_table *a = left, *b = right;
    return strcasecmp(a->name, b->name);
}

static bool is_served(const struct migrating_tables *tables, const char *name) {
    for (size_t i = 0; i < tables->count; i++)
        if (strcasecmp(tables->tables[i].name, name) == 0)
            return true;
    return false;
}

// [word] is "TABLE=CONTROL#MIGRATION", in which the last '#' divides. It is cut there.
static bool add_table(struct migrating_tables *tables, char *word, struct error *error) {
    char *control = strchr(word, '='), *migration = strrchr(word, '#');
    if (!control || !migration || migration < control)
        return error_set(error, "migrating '%.200s': expected TABLE=CONTROL#MIGRATION", word);
    *control++ = *migration++ = '\0';
    if (!server_is_table_name(word))
        return error_set(error, "migrating '%.200s': expected a table's name", word);
    if (is_served(tables, word))
        return error_set(error, "migrating '%.200s': the table is named twice", word);
    if (tables->count == TABLES_MAX)
        return error_set(error, "migrating: expected %d tables at most", (int)TABLES_MAX);
    tables->tables[tables->count++] =
        (struct migrating_table){.name = word, .control = control, .migration = migration};
    return true;
}

struct migrating_tables *migrating_tables_read(const char *text, struct error *error) {
    struct migrating_tables *tables = grow_new(1, sizeof *tables, "tables");
    char *rest;
    bool is_read = true;
    // It is cut into its parts where it stands: names point into it.
    tables->text = grow_text(text, "tables");
    for (char *word = strtok_r(tables->text, " \t", &rest); is_read && word;
         word = strtok_r(NULL, " \t", &rest))
        is_read = add_table(tables, word, error);
    if (is_read) {
        // For the list of tables, which is given in order.
        qsort(tables->tables, tables->count, sizeof *tables->tables, compare_tables);
        return tables;
    }
    migrating_tables_close(tables);
    return NULL;
}

bool migrating_tables_join(struct migrating_tables *tables, struct bug_set *bugs,
                           struct error *error) {
    bool is_open = true;
    for (size_t i = 0; is_open && i < tables->count; i++) {
        struct migrating_table *table = &tables->tables[i];
        table->client = live_client_open_with(table->control, table->migration, bugs, error);
        is_open = table->client;
    }
    return is_open;
}

void migrating_tables_close(struct migrating_tables *tables) {
    for (size_t i = 0; i < tables->count; i++)
        if (tables->tables[i].client)
            live_client_close(tables->tables[i].client);
    free(tables->text);
    free(tables);
}

// ---- A store -----------------------------------------------------------------------------------

struct migrating_store {
    struct server_store store; // first, so that the interface is the store
    struct server_store *others;
    const struct migrating_tables *tables;
    struct ct_table *instances[TABLES_MAX]; // of each of [tables]
};

static struct migrating_store *store_of(struct server_store *store) {
    return (struct migrating_store *)store;
}

// The instance of the virtual table of that name, or NULL.
static struct ct_table *find_instance(struct server_store *store, const char *name) {
    const struct migrating_tables *tables = store_of(store)->tables;
    for (size_t i = 0; i < tables->count; i++)
        if (strcasecmp(tables->tables[i].name, name) == 0)
            return store_of(store)->instances[i];
    return NULL;
}

static struct ct_outcome find(struct server_store *store, const char *name, struct arena *arena,
                              struct ct_table **table) {
    struct server_store *others = store_of(store)->others;
    *table = find_instance(store, name);
    return *table ? ct_success() : others->ops->find(others, name, arena, table);
}

static struct ct_outcome find_to_write(struct server_store *store, const char *name,
                                       struct arena *arena, struct ct_table **table) {
    struct server_store *others = store_of(store)->others;
    *table = find_instance(store, name);
    return *table ? ct_success() : server_find_to_write(others, name, arena, table);
}

static struct ct_outcome create(struct server_store *store, const char *name, struct arena *arena,
                                bool *is_new) {
    struct server_store *others = store_of(store)->others;
    *is_new = false;
    // It is there already, which is what "not new" says.
    return find_instance(store, name) ? ct_success()
                                      : others->ops->create(others, name, arena, is_new);
}

static struct ct_outcome drop(struct server_store *store, const char *name, struct arena *arena,
                              bool *was_there) {
    struct server_store *others = store_of(store)->others;
    return find_instance(store, name) ? ct_storage_error(CT_STATUS_BAD_REQUEST, 0)
                                      : others->ops->drop(others, name, arena, was_there);
}

// Both lists are in order, and one is merged into the other. What comes after the last of [most]
// others is cut off, for others may come before it.
static struct ct_outcome list(struct server_store *store, const char *from, size_t most,
                              struct arena *arena, const char *const **names, size_t *count) {
    struct server_store *others = store_of(store)->others;
    const struct migrating_tables *tables = store_of(store)->tables;
    const char *const *found;
    size_t found_count, next = 0, merged = 0, i = 0;
    struct ct_outcome outcome = others->ops->list(others, from, most, arena, &found, &found_count);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    const char **all = ARENA_ARRAY(arena, const char *, most);
    while (i < tables->count && strcasecmp(tables->tables[i].name, from) < 0)
        i++;
    while (merged < most && (next < found_count || i < tables->count)) {
        int order = next == found_count  ? 1
                    : i == tables->count ? -1
                                         : strcasecmp(found[next], tables->tables[i].name);
        all[merged++] = order < 0 ? found[next] : tables->tables[i].name;
        next += order <= 0;
        i += order >= 0;
    }
    *names = all;
    *count = merged;
    return outcome;
}

// Of the others: calls of a virtual table end with the process's lease, which is its own.
static void set_deadline(struct server_store *store, double seconds) {
    struct server_store *others = store_of(store)->others;
    if (others->ops->set_deadline)
        others->ops->set_deadline(others, seconds);
}

static void close_store(struct server_store *base) {
    struct migrating_store *store = store_of(base);
    for (size_t i = 0; i < store->tables->count; i++)
        if (store->instances[i])
            ct_close(store->instances[i]);
    store->others->ops->close(store->others);
    free(store);
}

static const struct server_store_ops ops = {.find = find,
                                            .find_to_write = find_to_write,
                                            .create = create,
                                            .drop = drop,
                                            .list = list,
                                            .set_deadline = set_deadline,
                                            .close = close_store};

struct server_store *migrating_store_open(const struct migrating_tables *tables,
                                          struct server_store *others, struct error *error) {
    struct migrating_store *store = grow_new(1, sizeof *store, "a store");
    *store = (struct migrating_store){.store.ops = &ops, .others = others, .tables = tables};
    for (size_t i = 0; i < tables->count; i++) {
        store->instances[i] = live_client_table(tables->tables[i].client, error);
        if (!store->instances[i]) {
            close_store(&store->store);
            return NULL;
        }
    }
    return &store->store;
}
