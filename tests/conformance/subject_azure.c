// A table at an endpoint of this process, over an SQLite file; or at the Azurite that
// MTCHECK_AZURITE, a connection string, names. And a MigratingTable from a file to such a table,
// and between two such tables.
#define _XOPEN_SOURCE 700 // mkdtemp
#include "tests/conformance/subjects.h"

#include "model/azure/azure_table.h"
#include "model/command/sqlite_store.h"
#include "model/server/http.h"
#include "model/sqlite/sqlite_table.h"
#include "tests/support/direct_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char key[] = "c2VjcmV0IG9mIHRlc3Rz";
static char folder[64], path[96];
static const struct ct_sqlite_options options_of_file = {
    .path = path, .busy_ms = 1000, .is_relaxed = true};
static struct ct_sqlite_turn turn; // of its threads, as in mtable serve
static struct server *server;
static int made;

static struct server_store *open_store(void *context, struct error *error) {
    (void)context;
    return sqlite_store_open_in(&options_of_file, &turn, error);
}

// Starts an endpoint and writes its connection string.
static void start(char *connection, size_t size) {
    struct error error;
    struct server_options options = {.address = "127.0.0.1",
                                     .threads = 2,
                                     .connections = 64,
                                     .request_seconds = 60,
                                     .memory_bytes = 64 << 20,
                                     .account.name = "tests",
                                     .open_store = open_store};
    snprintf(folder, sizeof folder, "/tmp/mtcheck-conformance-XXXXXX");
    REQUIRE(mkdtemp(folder), "cannot make a folder");
    snprintf(path, sizeof path, "%s/tables.db", folder);
    bool is_key = wire_key_read(key, &options.account.key);
    ASSERT(is_key);
    ct_sqlite_turn_init(&turn, 1000);
    bool is_open = ct_sqlite_turn_open(&turn, &options_of_file, &error);
    REQUIRE(is_open, "%s", error.text);
    server = server_start(&options, &error);
    REQUIRE(server, "%s", error.text);
    snprintf(connection, size,
             "AccountName=tests;AccountKey=%s;TableEndpoint=http://127.0.0.1:%u/tests", key,
             server_port(server));
}

static void open_account(struct ct_azure_account *account) {
    char connection[512];
    struct error error;
    const char *given = getenv("MTCHECK_AZURITE");
    if (given)
        snprintf(connection, sizeof connection, "%s", given);
    else
        start(connection, sizeof connection);
    REQUIRE(ct_azure_account_read(account, connection, false, &error), "%s", error.text);
}

static struct ct_table *open_at(const struct ct_azure_account *account) {
    char name[64];
    struct error error;
    snprintf(name, sizeof name, "c%ldn%dt%ld", (long)getpid(), ++made, (long)time(NULL));
    struct ct_azure_table *table = ct_azure_open(
        &(struct ct_azure_options){.account = account, .name = name, .creates = true}, &error);
    REQUIRE(table, "%s", error.text);
    return ct_azure_interface(table);
}

static void close_at(struct ct_table *table) {
    struct error error;
    ct_azure_drop((struct ct_azure_table *)table, &error);
    ct_close(table);
}

static void remove_file(const char *name) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", name, ends[i]);
        unlink(file);
    }
}

static void stop(void) {
    if (!server)
        return;
    server_stop(server, 1);
    server = NULL;
    ct_sqlite_turn_close(&turn);
    remove_file(path);
    rmdir(folder);
}

struct ct_table *open_azure(struct arena *arena, int number) {
    struct ct_azure_account account;
    (void)arena;
    (void)number;
    open_account(&account);
    return open_at(&account);
}

void close_azure(struct ct_table *table) {
    close_at(table);
    stop();
}

// ---- MigratingTables ---------------------------------------------------------------------------

static struct direct_world world;
static char old_folder[64], old_path[96];

static struct ct_table *open_file_table(void) {
    struct error error;
    snprintf(old_folder, sizeof old_folder, "/tmp/mtcheck-conformance-XXXXXX");
    REQUIRE(mkdtemp(old_folder), "cannot make a folder");
    snprintf(old_path, sizeof old_path, "%s/old.db", old_folder);
    struct ct_sqlite_table *table = ct_sqlite_open(
        &(struct ct_sqlite_options){
            .path = old_path, .name = "t", .busy_ms = 1000, .is_relaxed = true},
        &error);
    REQUIRE(table, "%s", error.text);
    return ct_sqlite_interface(table);
}

static void open_world(int number, const struct ct_azure_account *account) {
    world.limits = (struct ct_table_limits){.query_rows = 1000, .no_delete_if_exists = true};
    arena_init(&world.arena, 1 << 28); // bodies of requests and answers, too
    direct_reset(&world, (enum mt_state)number);
    world.new_table.inner = open_at(account);
}

struct ct_table *open_migrating_to_azure(struct arena *arena, int number) {
    struct ct_azure_account account;
    (void)arena;
    open_account(&account);
    open_world(number, &account);
    world.old_table.inner = open_file_table();
    return world.table;
}

struct ct_table *open_migrating_in_azure(struct arena *arena, int number) {
    struct ct_azure_account account;
    (void)arena;
    open_account(&account);
    open_world(number, &account);
    world.old_table.inner = open_at(&account);
    return world.table;
}

void close_migrating_to_azure(struct ct_table *table) {
    ct_close(table);
    close_at(world.new_table.inner);
    ct_close(world.old_table.inner);
    remove_file(old_path);
    rmdir(old_folder);
    stop();
    arena_deinit(&world.arena);
}

void close_migrating_in_azure(struct ct_table *table) {
    ct_close(table);
    close_at(world.new_table.inner);
    close_at(world.old_table.inner);
    stop();
    arena_deinit(&world.arena);
}
