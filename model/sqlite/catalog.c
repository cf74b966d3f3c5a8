#include "model/sqlite/catalog.h"

#include "model/sqlite/connection.h"

// As it is, which an index finds, then without case.
struct ct_outcome catalog_find(struct ct_sqlite_table *table, const char *name, struct arena *arena,
                               sqlite3_int64 *id) {
    int code = SQLITE_DONE;
    *id = 0;
    for (int i = 0; i < 2 && code == SQLITE_DONE; i++) {
        sqlite3_stmt *statement =
            connection_statement(table, i == 0 ? STATEMENT_FIND : STATEMENT_FIND_LIKE);
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            *id = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? ct_success()
                                                     : connection_failure(table, code, arena);
}

struct ct_outcome ct_sqlite_choose(struct ct_sqlite_table *table, const char *name,
                                   struct arena *arena, bool *is_there) {
    sqlite3_int64 id;
    struct ct_outcome outcome = catalog_find(table, name, arena, &id);
    *is_there = outcome.kind == CT_SUCCEEDED && id != 0;
    if (*is_there) {
        table->id = id;
        table->name = NULL;
    }
    return outcome;
}

void ct_sqlite_choose_to_write(struct ct_sqlite_table *table, const char *name) {
    table->id = 0;
    table->name = name;
}

// ---- Changes -----------------------------------------------------------------------------------

static struct ct_outcome run(struct ct_sqlite_table *table, sqlite3_stmt *statement,
                             struct arena *arena) {
    int code = connection_run(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? ct_success() : connection_failure(table, code, arena);
}

// Numbers of tables come from the counter of ETags, so that none comes back: a connection that has
// chosen a table that is gone cannot write into another one.
static struct ct_outcome add_table(struct ct_sqlite_table *table, const char *name,
                                   struct arena *arena) {
    sqlite3_stmt *next = connection_statement(table, STATEMENT_NEXT_ID);
    sqlite3_stmt *add = connection_statement(table, STATEMENT_ADD_TABLE);
    int code = sqlite3_step(next);
    if (code == SQLITE_ROW) {
        sqlite3_bind_int64(add, 1, sqlite3_column_int64(next, 0));
        sqlite3_bind_text(add, 2, name, -1, SQLITE_STATIC);
        code = sqlite3_step(next);
    }
    sqlite3_reset(next);
    return code == SQLITE_DONE ? run(table, add, arena) : connection_failure(table, code, arena);
}

// In one transaction, however many rows there are: a table is there as a whole or not at all.
static struct ct_outcome drop_table(struct ct_sqlite_table *table, sqlite3_int64 id,
                                    struct arena *arena) {
    sqlite3_stmt *rows = connection_statement(table, STATEMENT_DROP_ROWS);
    sqlite3_bind_int64(rows, 1, id);
    struct ct_outcome outcome = run(table, rows, arena);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    sqlite3_stmt *name = connection_statement(table, STATEMENT_DROP_TABLE);
    sqlite3_bind_int64(name, 1, id);
    return run(table, name, arena);
}

// Adds or drops [name] in one transaction, if there is something to do: [is_done] tells.
static struct ct_outcome change(struct ct_sqlite_table *table, const char *name, bool is_drop,
                                struct arena *arena, bool *is_done) {
    sqlite3_int64 id;
    *is_done = false;
    struct ct_outcome outcome = run(table, connection_statement(table, STATEMENT_BEGIN), arena);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    outcome = catalog_find(table, name, arena, &id);
    bool has_work = outcome.kind == CT_SUCCEEDED && (id != 0) == is_drop;
    if (has_work)
        outcome = is_drop ? drop_table(table, id, arena) : add_table(table, name, arena);
    if (has_work && outcome.kind == CT_SUCCEEDED) {
        outcome = connection_commit(table, arena);
        *is_done = outcome.kind == CT_SUCCEEDED;
        return outcome;
    }
    connection_roll_back(table);
    return outcome;
}

struct ct_outcome ct_sqlite_create(struct ct_sqlite_table *table, const char *name,
                                   struct arena *arena, bool *is_new) {
    return change(table, name, false, arena, is_new);
}

struct ct_outcome ct_sqlite_drop(struct ct_sqlite_table *table, const char *name,
                                 struct arena *arena, bool *was_there) {
    return change(table, name, true, arena, was_there);
}

struct ct_outcome ct_sqlite_names(struct ct_sqlite_table *table, const char *from, size_t most,
                                  struct arena *arena, const char *const **names, size_t *count) {
    sqlite3_stmt *statement = connection_statement(table, STATEMENT_NAMES);
    const char **found = ARENA_ARRAY(arena, const char *, most);
    int code = SQLITE_ROW;
    sqlite3_bind_text(statement, 1, from, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)most);
    *count = 0;
    while (*count < most && (code = sqlite3_step(statement)) == SQLITE_ROW)
        found[(*count)++] = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
    *names = found;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? ct_success()
                                                     : connection_failure(table, code, arena);
}
