// Migrations whose tables are at accounts of a service: an endpoint of this process. How accounts
// are named, what is said of them, and reading and writing while a migration goes from the first
// state to the last.
#define _XOPEN_SOURCE 700 // mkdtemp, setenv
#include "tests/support/test.h"

#include "model/command/sqlite_store.h"
#include "model/live/accounts.h"
#include "model/live/client.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/server/http.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 150, ARENA_BYTES = 1 << 28, TEXT_BYTES = 20000 };

#define KEY "c2VjcmV0IG9mIHRlc3Rz"
#define VARIABLE "MTABLE_TEST_ACCOUNT"

static char folder[64], far_path[80], file[96], account[112], said[TEXT_BYTES];
static struct server *server;
static struct error error;
static struct arena arena;

static struct server_store *open_store(void *context, struct error *told) {
    (void)context;
    return sqlite_store_open(
        &(struct ct_sqlite_options){.path = far_path, .busy_ms = 5000, .is_relaxed = true}, told);
}

static void start(void) {
    struct server_options options = {.address = "127.0.0.1",
                                     .threads = 2,
                                     .connections = 64,
                                     .request_seconds = 60,
                                     .memory_bytes = 64 << 20,
                                     .account.name = "tests",
                                     .open_store = open_store};
    assert_true(wire_key_read(KEY, &options.account.key));
    server = server_start(&options, &error);
    assert_non_null(server);
}

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_accounts.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(far_path, sizeof far_path, "%s/far", folder);
    snprintf(file, sizeof file, "%s/connection", folder);
    snprintf(account, sizeof account, "account:%s", file);
    arena_init(&arena, ARENA_BYTES);
    error.text[0] = '\0';
    start();
    const char *connection = arena_printf(
        &arena, "AccountName=tests;AccountKey=" KEY ";TableEndpoint=http://127.0.0.1:%u/tests",
        server_port(server));
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fprintf(out, "%s\n", connection);
    fclose(out);
    assert_int_equal(chmod(file, 0600), 0);
    setenv(VARIABLE, connection, 1);
    return 0;
}

static int teardown(void **state) {
    static const char *const names[] = {"control", "old", "far", "connection"};
    static const char *const ends[] = {"", "-wal", "-shm"};
    (void)state;
    server_stop(server, 1);
    for (int n = 0; n < 4; n++)
        for (int e = 0; e < 3; e++)
            unlink(arena_printf(&arena, "%s/%s%s", folder, names[n], ends[e]));
    assert_int_equal(rmdir(folder), 0);
    arena_deinit(&arena);
    return 0;
}

// ---- A migration -------------------------------------------------------------------------------

struct places {
    const char *control, *old_name, *new_name;
};

static struct live_options options_of(const struct places *places) {
    return (struct live_options){.control = places->control,
                                 .name = "m",
                                 .old_name = places->old_name,
                                 .new_name = places->new_name,
                                 .lease_ms = ACCOUNTS_LEASE_MS_MIN};
}

// Calls [function]; what it says is in [said].
static int call(int (*function)(const struct live_options *, struct error *),
                const struct places *places) {
    struct live_options options = options_of(places);
    FILE *out = fmemopen(said, sizeof said, "w");
    assert_non_null(out);
    options.out = out;
    int status = function(&options, &error);
    fputc('\0', out);
    fclose(out);
    assert_null(strstr(said, KEY));
    assert_null(strstr(error.text, KEY));
    return status;
}

static void fill(const char *name) {
    struct file_connection connection;
    assert_true(file_open_named(&connection, name, true, &error));
    for (int i = 0; i < ROWS; i++) {
        struct ct_property number = ct_int32("n", i);
        struct ct_key key = {i % 2 ? "a" : "b", arena_printf(&arena, "%05d", i)};
        struct ct_batch batch = ct_batch_new(&arena, 1);
        struct ct_op_result result;
        ct_batch_add(&batch, CT_INSERT, ct_row_new(&arena, key, NULL, &number, 1));
        assert_int_equal(ct_execute(connection.table, &batch, &arena, &result).kind, CT_SUCCEEDED);
    }
    file_close(&connection);
}

// How a thread migrates meanwhile.
static struct {
    const struct places *places;
    atomic_bool is_over;
    int status;
    struct error error;
} migration;

static void *migrate(void *unused) {
    (void)unused;
    struct live_options options = options_of(migration.places);
    options.out = fopen("/dev/null", "w");
    migration.status = live_migrate(&options, &migration.error);
    fclose(options.out);
    atomic_store(&migration.is_over, true);
    return NULL;
}

// How many rows there are. A process that has no lease just now asks again.
static int read_rows(struct ct_table *table) {
    struct ct_stream *stream;
    const struct ct_row *row;
    int rows = -1;
    while (rows < 0) {
        struct ct_outcome outcome = ct_open_stream(table, NULL, &stream);
        if (outcome.kind == CT_SUCCEEDED) {
            rows = 0;
            while ((outcome = ct_stream_read(stream, &row)).kind == CT_SUCCEEDED && row)
                rows++;
            ct_stream_close(stream);
        }
        rows = outcome.kind == CT_SUCCEEDED ? rows : -1;
        assert_true(rows >= 0 || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    }
    return rows;
}

static const struct ct_key written_key = {"a", "00001"};

static void write_number(struct ct_table *table, int32_t value) {
    struct ct_outcome outcome;
    arena_reset(&arena, 0);
    do {
        struct ct_property number = ct_int32("n", value);
        struct ct_batch batch = ct_batch_new(&arena, 1);
        struct ct_op_result result;
        ct_batch_add(&batch, CT_MERGE, ct_row_new(&arena, written_key, "*", &number, 1));
        outcome = ct_execute(table, &batch, &arena, &result);
    } while (ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
}

static int32_t read_number(struct ct_table *table) {
    struct ct_outcome outcome;
    struct ct_rows rows;
    do
        outcome = ct_query(table, ct_filter_point(&arena, written_key), &arena, &rows);
    while (ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    assert_int_equal(rows.count, 1);
    return rows.rows[0]->properties[0].value.int32;
}

// Every row is there in every state and in every change of states, and what was written stays; the
// operator's commands do what they do with files.
static void check_migration(const struct places *places) {
    pthread_t thread;
    int32_t written = 0;
    fill(places->old_name);
    assert_int_equal(call(live_init, places), LIVE_DONE);
    struct live_client *client = live_client_open(places->control, "m", &error);
    assert_non_null(client);
    struct ct_table *table = live_client_table(client, &error);
    assert_non_null(table);
    migration.places = places;
    atomic_store(&migration.is_over, false);
    assert_int_equal(pthread_create(&thread, NULL, migrate, NULL), 0);
    do {
        write_number(table, ++written);
        assert_int_equal(read_rows(table), ROWS);
        assert_int_equal(read_number(table), written);
    } while (!atomic_load(&migration.is_over));
    pthread_join(thread, NULL);
    assert_string_equal(migration.error.text, "");
    assert_int_equal(migration.status, LIVE_DONE);
    assert_true(written > 4); // there were as many changes of state
    ct_close(table);
    live_client_close(client);
    assert_int_equal(call(live_print_status, places), LIVE_DONE);
    assert_non_null(strstr(said, places->new_name));
    assert_int_equal(call(live_finish, places), LIVE_DONE);
    assert_int_equal(call(live_print_status, places), LIVE_FAILED);
}

static void test_from_file(void **state) {
    char control[96], old_name[96], new_name[128];
    (void)state;
    snprintf(control, sizeof control, "%s/control", folder);
    snprintf(old_name, sizeof old_name, "%s/old#t", folder);
    snprintf(new_name, sizeof new_name, "%s#moved", account);
    check_migration(
        &(struct places){.control = control, .old_name = old_name, .new_name = new_name});
}

static void test_among_accounts(void **state) {
    char old_name[128];
    (void)state;
    snprintf(old_name, sizeof old_name, "%s#old", account);
    check_migration(&(struct places){.control = "environment:" VARIABLE,
                                     .old_name = old_name,
                                     .new_name = "environment:" VARIABLE "#moved"});
}

// ---- Names -------------------------------------------------------------------------------------

// What is no account is one line that says so, and no control row is made.
static void test_names(void **state) {
    static const char *const names[][2] = {
        {"account:/nowhere/connection#moved", "/nowhere/connection: No such file"},
        {"environment:NO_SUCH_VARIABLE#moved",
         "NO_SUCH_VARIABLE: expected a connection string in the environment"},
        {"environment:HOME#moved", "HOME: connection string: expected"},
        {"environment:" VARIABLE "#no", "expected a name of 3 to 63"},
        {"environment:" VARIABLE, "expected FILE#TABLE"},
    };
    (void)state;
    struct places places = {.control = arena_printf(&arena, "%s/control", folder),
                            .old_name = arena_printf(&arena, "%s/old#t", folder)};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        places.new_name = names[i][0];
        assert_int_equal(call(live_init, &places), LIVE_FAILED);
        assert_non_null(strstr(error.text, names[i][1]));
    }
    places.new_name = arena_printf(&arena, "%s#moved", account);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(call(live_init, &places), LIVE_FAILED);
    assert_non_null(strstr(error.text, "others can read it"));
    assert_int_equal(chmod(file, 0600), 0);
    struct live_options options = options_of(&places);
    options.lease_ms--;
    assert_int_equal(live_init(&options, &error), LIVE_USAGE);
    assert_non_null(strstr(error.text, "expected at least 6000"));
    assert_int_equal(call(live_init, &places), LIVE_DONE);
}

// Who waits for a process waits for what it may have sent, too: so the control row says, of tables
// at accounts alone.
static void test_lateness(void **state) {
    (void)state;
    assert_int_equal(file_late_ms("old.db#t"), 0);
    assert_int_equal(file_late_ms("account.db#t"), 0);
    assert_int_equal(file_late_ms("account:x#t"), ACCOUNTS_LATE_MS);
    assert_int_equal(file_late_ms("environment:X"), ACCOUNTS_LATE_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lateness, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_among_accounts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
