#define _XOPEN_SOURCE 700 // realpath
#include "model/live/files.h"

#include "core/base/clock.h"
#include "model/live/accounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

// The interface of such a table is the table.
static struct ct_sqlite_table *sqlite_of(struct ct_table *table) {
    return (struct ct_sqlite_table *)(void *)table;
}

// The clocks of a machine's processes are one clock.
// Both are CLOCK_MONOTONIC, in nanoseconds there and in seconds here.
static void set_deadline(struct ct_table *table, uint64_t time) {
    ct_sqlite_set_deadline(sqlite_of(table), (double)time / 1e9);
}

static struct ct_outcome fence(struct ct_table *table) {
    return ct_sqlite_fence(sqlite_of(table));
}

static bool open_table(struct file_connection *connection, const char *path, const char *table,
                       bool is_bulk, struct error *error) {
    if (account_is_named(path)) {
        connection->table = account_open(path, table, &connection->bounded, error);
        return connection->table;
    }
    struct ct_sqlite_options options = {
        .path = path,
        .name = table,
        .busy_ms = FILES_BUSY_MS,
        // Not synced one by one; whoever counts on them syncs once (harden in migrate.c).
        .is_relaxed = is_bulk,
        .batch_operations = is_bulk ? FILES_BATCH_ROWS : 0,
    };
    struct ct_sqlite_table *opened = ct_sqlite_open(&options, error);
    if (!opened)
        return false;
    connection->table = ct_sqlite_interface(opened);
    connection->bounded = (struct mt_bounded){connection->table, set_deadline, fence};
    return true;
}

// The table in "PLACE#TABLE", whose place goes to [path]. NULL with a one-line error.
static const char *split(const char *name, char path[PATH_BYTES], struct error *error) {
    // The last one: a path may have others.
    const char *mark = strrchr(name, '#');
    size_t length = mark ? (size_t)(mark - name) : 0;
    if (!mark || !mark[1] || length == 0 || length >= PATH_BYTES) {
        error_set(error, "table '%.200s': expected FILE#TABLE or account:FILE#TABLE", name);
        return NULL;
    }
    memcpy(path, name, length);
    path[length] = '\0';
    return mark + 1;
}

bool file_open_named(struct file_connection *connection, const char *name, bool is_bulk,
                     struct error *error) {
    char path[PATH_BYTES];
    connection->table = NULL;
    const char *table = split(name, path, error);
    return table && open_table(connection, path, table, is_bulk, error);
}

void file_take_turns(struct file_connection *connection, struct ct_sqlite_turn *turn) {
    // That is how a file is told from an account, which has no writers that wait in line.
    if (connection->bounded.fence == fence)
        ct_sqlite_take_turns(sqlite_of(connection->table), turn);
}

const char *file_resolve(struct arena *arena, const char *name, struct error *error) {
    char path[PATH_BYTES], *resolved = NULL;
    const char *table = split(name, path, error);
    if (!table)
        return NULL;
    if (account_is_named(path)) {
        const char *place = account_resolve(arena, path, error);
        return place ? arena_printf(arena, "%s#%s", place, table) : NULL;
    }
    // Processes start in other folders than the one where init ran, and read the names from the
    // control row.
    resolved = realpath(path, NULL);
    if (!resolved) {
        error_set(error, "%.200s: %s", path, strerror(errno));
        return NULL;
    }
    const char *full = arena_printf(arena, "%s#%s", resolved, table);
    free(resolved);
    return full;
}

bool file_open_control(struct file_connection *connection, const char *path, struct error *error) {
    const char *table = account_is_named(path) ? ACCOUNTS_CONTROL_TABLE : FILES_CONTROL_TABLE;
    connection->table = NULL;
    return open_table(connection, path, table, false, error);
}

uint32_t file_late_ms(const char *name) {
    // What goes to a file is on no way: it ends in the call that made it.
    return account_is_named(name) ? ACCOUNTS_LATE_MS : 0;
}

void file_close(struct file_connection *connection) {
    if (connection->table)
        ct_close(connection->table);
    connection->table = NULL;
}

bool file_read_config(const struct file_migration *migration, struct arena *arena,
                      struct mt_control_config *config, struct error *error) {
    struct mt_control control;
    uint64_t time = (uint64_t)FILES_BUSY_MS * 1000000;
    mt_control_init(&control, &migration->env->env, &migration->control->bounded, migration->name,
                    NULL);
    // A read: the bound is for the wait alone.
    mt_control_until(&control, clock_nanoseconds() + 10 * time, 10 * time);
    struct ct_outcome outcome = mt_control_read_config(&control, arena, config);
    if (ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
        return error_set(error, "%.200s: there is no migration '%.100s': make it with init",
                         migration->path, migration->name);
    return outcome.kind == CT_SUCCEEDED ||
           error_set(error, "%.200s: expected a control table: %.200s", migration->path,
                     outcome.message ? outcome.message : "the file is busy or failed");
}
