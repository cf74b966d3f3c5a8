// A table at an endpoint of this process, over an SQLite file; or at the Azurite that
// MTCHECK_AZURITE, a connection string, names.
#define _XOPEN_SOURCE 700 // mkdtemp
#include "tests/conformance/subjects.h"

#include "model/azure/azure_table.h"
#include "model/command/sqlite_store.h"
#include "model/server/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char key[] = "c2VjcmV0IG9mIHRlc3Rz";
static char folder[64], path[96];
static struct server *server;
static int made;

static struct server_store *open_store(void *context, struct error *error) {
    (void)context;
    return sqlite_store_open(
        &(struct ct_sqlite_options){.path = path, .busy_ms = 1000, .is_relaxed = true}, error);
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
    server = server_start(&options, &error);
    REQUIRE(server, "%s", error.text);
    snprintf(connection, size,
             "AccountName=tests;AccountKey=%s;TableEndpoint=http://127.0.0.1:%u/tests", key,
             server_port(server));
}

struct ct_table *open_azure(struct arena *arena, int number) {
    char connection[512], name[64];
    struct ct_azure_account account;
    struct error error;
    const char *given = getenv("MTCHECK_AZURITE");
    (void)arena;
    (void)number;
    if (given)
        snprintf(connection, sizeof connection, "%s", given);
    else
        start(connection, sizeof connection);
    snprintf(name, sizeof name, "c%ldn%dt%ld", (long)getpid(), ++made, (long)time(NULL));
    REQUIRE(ct_azure_account_read(&account, connection, false, &error), "%s", error.text);
    struct ct_azure_table *table = ct_azure_open(
        &(struct ct_azure_options){.account = &account, .name = name, .creates = true}, &error);
    REQUIRE(table, "%s", error.text);
    return ct_azure_interface(table);
}

void close_azure(struct ct_table *table) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct error error;
    ct_azure_drop((struct ct_azure_table *)table, &error);
    ct_close(table);
    if (!server)
        return;
    server_stop(server, 1);
    server = NULL;
    for (int i = 0; i < 3; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    rmdir(folder);
}
