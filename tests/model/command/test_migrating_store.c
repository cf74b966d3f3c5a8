// Tables that migrate behind an endpoint: what is said in the settings, the names that are seen,
// and reading and writing while a migration goes from the first state to the last.
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include "model/command/migrating_store.h"
#include "model/command/sqlite_store.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 600, LEASE_MS = 1000, ARENA_BYTES = 1 << 26 };

static char folder[64], control[80], old_name[96], new_name[96], others_path[80], setting[128];
static struct error error;
static struct arena arena;

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_migrating_store.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(control, sizeof control, "%s/control", folder);
    snprintf(old_name, sizeof old_name, "%s/old#t", folder);
    snprintf(new_name, sizeof new_name, "%s/new#t", folder);
    snprintf(others_path, sizeof others_path, "%s/others", folder);
    snprintf(setting, sizeof setting, "Moving=%s#m", control);
    arena_init(&arena, ARENA_BYTES);
    error.text[0] = '\0';
    return 0;
}

static int teardown(void **state) {
    static const char *const names[] = {"control", "old", "new", "others"};
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[100];
    (void)state;
    for (int n = 0; n < 4; n++)
        for (int e = 0; e < 3; e++) {
            snprintf(path, sizeof path, "%s/%s%s", folder, names[n], ends[e]);
            unlink(path);
        }
    assert_int_equal(rmdir(folder), 0);
    arena_deinit(&arena);
    return 0;
}

static struct live_options options(FILE *out) {
    return (struct live_options){.control = control,
                                 .name = "m",
                                 .out = out,
                                 .old_name = old_name,
                                 .new_name = new_name,
                                 .lease_ms = LEASE_MS};
}

static void init(void) {
    struct live_options chosen = options(fopen("/dev/null", "w"));
    assert_int_equal(live_init(&chosen, &error), LIVE_DONE);
    fclose(chosen.out);
}

static struct server_store *open_store(const struct migrating_tables *tables) {
    struct server_store *others = sqlite_store_open(
        &(struct ct_sqlite_options){.path = others_path, .busy_ms = 1000}, &error);
    assert_non_null(others);
    struct server_store *store = migrating_store_open(tables, others, &error);
    assert_non_null(store);
    return store;
}

// What is no setting is one line that says so, and nothing is opened.
static void test_settings(void **state) {
    static const char *const texts[][2] = {
        {"Moving", "expected TABLE=CONTROL#MIGRATION"},
        {"Moving=control", "expected TABLE=CONTROL#MIGRATION"},
        {"Mov#ing=control", "expected TABLE=CONTROL#MIGRATION"},
        {"=control#m", "expected a table's name"},
        {"no=control#m", "expected a table's name"},
        {"Moving=a#m  moving=b#m", "named twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_null(migrating_tables_read(texts[i][0], &error));
        assert_non_null(strstr(error.text, texts[i][1]));
    }
    struct migrating_tables *tables = migrating_tables_read(setting, &error);
    assert_non_null(tables);
    assert_false(migrating_tables_join(tables, NULL, &error)); // there is no such migration
    assert_non_null(strstr(error.text, "make it with init"));
    migrating_tables_close(tables);
}

static const char *names_from(struct server_store *store, const char *from, size_t most) {
    const char *const *names;
    size_t count;
    char text[256] = "";
    assert_int_equal(store->ops->list(store, from, most, &arena, &names, &count).kind,
                     CT_SUCCEEDED);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s", names[i]);
    return arena_strdup(&arena, text);
}

// The virtual table is among the others, hides one of its name, and stays.
static void test_names(void **state) {
    static const char *const others[] = {"Alpha", "moving", "zulu"};
    bool flag;
    struct ct_table *table, *again;
    (void)state;
    init();
    struct migrating_tables *none = migrating_tables_read("", &error);
    struct server_store *store = open_store(none);
    for (int i = 0; i < 3; i++)
        assert_int_equal(store->ops->create(store, others[i], &arena, &flag).kind, CT_SUCCEEDED);
    assert_string_equal(names_from(store, "", 9), " Alpha moving zulu");
    store->ops->close(store);
    migrating_tables_close(none);

    struct migrating_tables *tables = migrating_tables_read(setting, &error);
    assert_true(migrating_tables_join(tables, NULL, &error));
    store = open_store(tables);
    assert_string_equal(names_from(store, "", 9), " Alpha Moving zulu");
    assert_string_equal(names_from(store, "", 1), " Alpha");
    assert_string_equal(names_from(store, "b", 1), " Moving");
    assert_string_equal(names_from(store, "N", 9), " zulu");
    assert_int_equal(store->ops->create(store, "MOVING", &arena, &flag).kind, CT_SUCCEEDED);
    assert_false(flag);
    assert_true(
        ct_failed_with(store->ops->drop(store, "moving", &arena, &flag), CT_STATUS_BAD_REQUEST));
    assert_int_equal(store->ops->find(store, "moving", &arena, &table).kind, CT_SUCCEEDED);
    assert_int_equal(store->ops->find(store, "zulu", &arena, &again).kind, CT_SUCCEEDED);
    assert_ptr_not_equal(table, again);
    assert_int_equal(store->ops->drop(store, "zulu", &arena, &flag).kind, CT_SUCCEEDED);
    assert_true(flag);
    store->ops->close(store);
    migrating_tables_close(tables);
}

static void fill(void) {
    struct file_connection file;
    assert_true(file_open_named(&file, old_name, true, &error));
    for (int i = 0; i < ROWS; i++) {
        struct ct_property number = ct_int32("n", i);
        struct ct_key key = {i % 2 ? "a" : "b", arena_printf(&arena, "%05d", i)};
        struct ct_batch batch = ct_batch_new(&arena, 1);
        struct ct_op_result result;
        ct_batch_add(&batch, CT_INSERT, ct_row_new(&arena, key, NULL, &number, 1));
        assert_int_equal(ct_execute(file.table, &batch, &arena, &result).kind, CT_SUCCEEDED);
    }
    file_close(&file);
}

// How a thread migrates meanwhile.
static struct {
    atomic_bool is_over;
    int status;
    struct error error;
} migration;

static void *migrate(void *unused) {
    (void)unused;
    struct live_options chosen = options(fopen("/dev/null", "w"));
    migration.status = live_migrate(&chosen, &migration.error);
    fclose(chosen.out);
    atomic_store(&migration.is_over, true);
    return NULL;
}

// How many rows there are, or -1: the process has no lease just now. The filter and the rows are
// forgotten, as those of a request are.
static int try_read_rows(struct ct_table *table) {
    struct ct_stream *stream;
    const struct ct_row *row;
    int rows = 0;
    arena_reset(&arena, 0);
    const struct ct_filter *filter =
        ct_filter_and(&arena, ct_filter_compare_string(&arena, CT_PARTITION_KEY, CT_GE, "a"),
                      ct_filter_compare_string(&arena, CT_ROW_KEY, CT_GE, "0"));
    struct ct_outcome outcome = ct_open_stream(table, filter, &stream);
    if (outcome.kind == CT_SUCCEEDED) {
        while ((outcome = ct_stream_read(stream, &row)).kind == CT_SUCCEEDED && row)
            rows++;
        ct_stream_close(stream);
    }
    memset(arena_alloc(&arena, 1 << 12), 0xee, 1 << 12);
    assert_true(outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
    return outcome.kind == CT_SUCCEEDED ? rows : -1;
}

static int read_rows(struct ct_table *table) {
    int rows;
    do
        rows = try_read_rows(table);
    while (rows < 0);
    return rows;
}

static const struct ct_key written_key = {"a", "00001"};

static void write_number(struct ct_table *table, int32_t value) {
    struct ct_outcome outcome;
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

// Every row is there in every state and in every change of states, and what was written stays.
static void test_migration(void **state) {
    pthread_t thread;
    struct ct_table *table;
    int32_t written = 0;
    (void)state;
    fill();
    init();
    struct migrating_tables *tables = migrating_tables_read(setting, &error);
    assert_true(migrating_tables_join(tables, NULL, &error));
    struct server_store *store = open_store(tables);
    assert_int_equal(store->ops->find(store, "moving", &arena, &table).kind, CT_SUCCEEDED);
    assert_int_equal(read_rows(table), ROWS);
    assert_int_equal(pthread_create(&thread, NULL, migrate, NULL), 0);
    do {
        write_number(table, ++written);
        assert_int_equal(read_rows(table), ROWS);
        assert_int_equal(read_number(table), written);
    } while (!atomic_load(&migration.is_over));
    pthread_join(thread, NULL);
    assert_int_equal(migration.status, LIVE_DONE);
    assert_true(written > 4); // there were as many changes of state
    store->ops->close(store);
    migrating_tables_close(tables);
    struct live_options chosen = options(fopen("/dev/null", "w"));
    assert_int_equal(live_finish(&chosen, &error), LIVE_DONE);
    fclose(chosen.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_migration, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
