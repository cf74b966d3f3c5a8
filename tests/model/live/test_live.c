// The operator's functions over SQLite files: a whole migration, its orders, its interruption, the
// way back, and an application that takes part.
#define _GNU_SOURCE // pthread_setattr_default_np
#include "tests/support/test.h"

#include "model/live/client.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"
#include "tests/support/fork.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 300, TEXT_BYTES = 20000, LEASE_MS = 5000 };

static char folder[64];
static char control[80], old_file[80], new_file[80], old_name[90], new_name[90];
static char copy_file[80], copy_name[90]; // of the old table, for comparison
static char text[TEXT_BYTES];             // of the last call
static struct error error;
static struct arena arena;
static volatile sig_atomic_t interrupted;

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_live.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(control, sizeof control, "%s/control", folder);
    snprintf(old_file, sizeof old_file, "%s/old", folder);
    snprintf(new_file, sizeof new_file, "%s/new", folder);
    snprintf(old_name, sizeof old_name, "%s#t", old_file);
    snprintf(new_name, sizeof new_name, "%s#t", new_file);
    snprintf(copy_file, sizeof copy_file, "%s/copy", folder);
    snprintf(copy_name, sizeof copy_name, "%s#t", copy_file);
    arena_init(&arena, 1 << 26);
    interrupted = 0;
    return 0;
}

static int teardown(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    const char *files[] = {control, old_file, new_file, copy_file};
    char path[100];
    (void)state;
    for (int f = 0; f < 4; f++)
        for (int e = 0; e < 3; e++) {
            snprintf(path, sizeof path, "%s%s", files[f], ends[e]);
            unlink(path);
        }
    assert_int_equal(rmdir(folder), 0);
    arena_deinit(&arena);
    return 0;
}

// Calls [function]; what it says is in [text].
static int call_with(int (*function)(const struct live_options *, struct error *),
                     struct live_options options) {
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    options.control = control;
    options.name = "m";
    options.out = out;
    options.old_name = old_name;
    options.new_name = new_name;
    options.lease_ms = options.lease_ms ? options.lease_ms : LEASE_MS;
    options.is_interrupted = &interrupted;
    error.text[0] = '\0';
    int status = function(&options, &error);
    fputc('\0', out);
    fclose(out);
    return status;
}

static int call(int (*function)(const struct live_options *, struct error *)) {
    return call_with(function, (struct live_options){.is_json = false});
}

static void write_row(struct ct_table *table, const char *partition, const char *row,
                      size_t property_count) {
    struct ct_property *properties = ARENA_ARRAY(&arena, struct ct_property, property_count + 1);
    for (size_t i = 0; i < property_count; i++)
        properties[i] = (struct ct_property){
            .name = arena_printf(&arena, "p%04zu", i), .type = CT_INT32, .value.int32 = 1};
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(
        &batch, CT_INSERT,
        ct_row_new(&arena, (struct ct_key){partition, row}, NULL, properties, property_count));
    assert_int_equal(ct_execute(table, &batch, &arena, &result).kind, CT_SUCCEEDED);
}

static void fill_table(const char *name, size_t rows) {
    struct file_connection file;
    assert_true(file_open_named(&file, name, true, &error));
    for (size_t i = 0; i < rows; i++)
        write_row(file.table, i % 3 == 0 ? "a" : "b", arena_printf(&arena, "%05zu", i), 2);
    file_close(&file);
}

static void fill(size_t rows) {
    fill_table(old_name, rows);
}

static size_t count_raw(struct ct_table *table) {
    struct ct_stream *stream;
    const struct ct_row *row;
    size_t rows = 0;
    if (ct_open_stream(table, NULL, &stream).kind != CT_SUCCEEDED)
        return 0;
    while (ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row)
        rows++;
    ct_stream_close(stream);
    return rows;
}

static size_t count(const char *name) {
    struct file_connection file;
    assert_true(file_open_named(&file, name, true, &error));
    size_t rows = count_raw(file.table);
    file_close(&file);
    return rows;
}

static void test_migration(void **state) {
    (void)state;
    fill(ROWS);
    assert_int_equal(call(live_print_status), LIVE_FAILED); // there is none yet
    assert_non_null(strstr(error.text, "make it with init"));
    assert_int_equal(call(live_init), LIVE_DONE);
    assert_int_equal(call(live_init), LIVE_NEGATIVE);
    assert_int_equal(call_with(live_migrate, (struct live_options){.is_dry_run = true}), LIVE_DONE);
    assert_non_null(strstr(text, "300 rows"));
    assert_int_equal(count(new_name), 0);
    assert_int_equal(call(live_migrate), LIVE_DONE);
    assert_non_null(strstr(text, "state USE_NEW_HIDE_METADATA"));
    assert_int_equal(count(old_name), 0);
    assert_int_equal(count(new_name), ROWS);
    assert_int_equal(call_with(live_print_status, (struct live_options){.is_json = true}),
                     LIVE_DONE);
    assert_non_null(strstr(text, "\"ended\":true"));
    assert_int_equal(call(live_migrate), LIVE_DONE); // nothing is done twice
    assert_int_equal(call(live_verify), LIVE_DONE);
    assert_int_equal(call(live_finish), LIVE_DONE);
    assert_int_equal(call(live_print_status), LIVE_FAILED);
}

// Interrupts the migration when so many rows are in the new table and the state is that.
static struct awaited {
    size_t rows;
    enum mt_state state;
} awaited;

static bool has_come(struct thread_env *env, struct file_connection *rows,
                     struct file_connection *configuration) {
    struct mt_control_config config;
    struct error ignored;
    struct arena *scratch = env->env.ops->arena_open(&env->env);
    struct file_migration migration = {
        .control = configuration, .env = env, .path = control, .name = "m"};
    bool has_state =
        file_read_config(&migration, scratch, &config, &ignored) && config.state == awaited.state;
    env->env.ops->arena_close(&env->env, scratch);
    return has_state && count_raw(rows->table) == awaited.rows;
}

static void *interrupt(void *unused) {
    struct file_connection rows, configuration;
    struct thread_env env;
    (void)unused;
    thread_env_init(&env, 1 << 24);
    if (file_open_named(&rows, new_name, true, &(struct error){""}) &&
        file_open_control(&configuration, control, &(struct error){""})) {
        while (!has_come(&env, &rows, &configuration))
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        interrupted = 1;
        file_close(&configuration);
        file_close(&rows);
    }
    thread_env_deinit(&env);
    return NULL;
}

// Held before [state]: when it has come so far, it is interrupted.
static void migrate_and_interrupt(const char *state) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt, NULL), 0);
    assert_int_equal(call_with(live_migrate, (struct live_options){.hold_before = state}),
                     LIVE_INTERRUPTED);
    pthread_join(thread, NULL);
    interrupted = 0;
}

static void test_interruption(void **state) {
    (void)state;
    fill(ROWS);
    assert_int_equal(call(live_init), LIVE_DONE);
    awaited = (struct awaited){ROWS, MT_PREFER_NEW};
    migrate_and_interrupt("USE_NEW_WITH_TOMBSTONES");
    assert_int_equal(count(old_name), ROWS + 2); // and the states of its partitions
    assert_int_equal(call(live_print_status), LIVE_DONE);
    assert_non_null(strstr(text, "state      PREFER_NEW"));
    assert_non_null(strstr(text, "hold before USE_NEW_WITH_TOMBSTONES"));
    assert_int_equal(call_with(live_abort, (struct live_options){.is_dry_run = true}),
                     LIVE_NEGATIVE);
    assert_int_equal(call(live_abort), LIVE_NEGATIVE); // it is too late for that
    assert_int_equal(call(live_finish), LIVE_NEGATIVE);
    assert_int_equal(call(live_resume), LIVE_DONE);
    assert_int_equal(call(live_migrate), LIVE_DONE);
    assert_int_equal(call(live_verify), LIVE_DONE);
    assert_int_equal(count(new_name), ROWS);
}

static void test_abort(void **state) {
    (void)state;
    fill(ROWS);
    assert_int_equal(call(live_init), LIVE_DONE);
    awaited = (struct awaited){0, MT_PREFER_OLD};
    migrate_and_interrupt("PREFER_NEW");
    // A client of PREFER_OLD leaves its marks in the old table.
    struct live_client *client = live_client_open(control, "m", &error);
    assert_non_null(client);
    struct ct_table *table = live_client_table(client, &error);
    assert_non_null(table);
    write_row(table, "a", "new", 1);
    ct_close(table);
    live_client_close(client);
    assert_true(count(old_name) > ROWS + 1);
    struct live_options dry = {.is_dry_run = true};
    assert_int_equal(call_with(live_abort, dry), LIVE_DONE);
    assert_true(count(old_name) > ROWS + 1);
    assert_int_equal(call(live_abort), LIVE_DONE);
    assert_int_equal(count(old_name), ROWS + 1);
    assert_int_equal(call(live_verify), LIVE_DONE);
    assert_int_equal(call(live_finish), LIVE_DONE);
}

static void change_file(const char *path, const char *statement) {
    sqlite3 *file;
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, statement, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
}

static void change_control(const char *statement) {
    change_file(control, statement);
}

// Who wanted to go back is not told to go forward.
static void test_failed_abort(void **state) {
    (void)state;
    fill(ROWS);
    assert_int_equal(call(live_init), LIVE_DONE);
    interrupted = 1;
    assert_int_equal(call(live_abort), LIVE_INTERRUPTED);
    assert_non_null(strstr(error.text, "go on with abort"));
    interrupted = 0;
    change_file(old_file, "UPDATE entities SET properties = x'ff' WHERE row_key = x'3030303030'");
    assert_int_equal(call(live_abort), LIVE_FAILED);
    assert_non_null(strstr(error.text, "damaged; see status, then abort again"));
}

// An application sees its rows in every state, and a migration waits for it.
static void test_client(void **state) {
    struct ct_rows rows;
    (void)state;
    fill(ROWS);
    assert_int_equal(call(live_init), LIVE_DONE);
    struct live_client *client = live_client_open(control, "m", &error);
    assert_non_null(client);
    struct ct_table *table = live_client_table(client, &error);
    assert_non_null(table);
    write_row(table, "c", "before", 1);
    assert_int_equal(call(live_migrate), LIVE_DONE);
    assert_int_equal(ct_query(table, ct_filter_in_partition(&arena, "c"), &arena, &rows).kind,
                     CT_SUCCEEDED);
    assert_int_equal(rows.count, 1);
    write_row(table, "c", "after", 1);
    assert_int_equal(call(live_finish), LIVE_NEGATIVE); // it takes part still
    assert_non_null(strstr(error.text, "1 client"));
    ct_close(table);
    live_client_close(client);
    assert_int_equal(call(live_finish), LIVE_DONE);
    assert_int_equal(count(new_name), ROWS + 2);
}

// A client that was killed after the last push is waited for as long as its lease may last.
static void test_finish_counts_out_the_dead(void **state) {
    (void)state;
    fill(ROWS);
    assert_int_equal(call_with(live_init, (struct live_options){.lease_ms = 1000}), LIVE_DONE);
    pid_t child = fork_or_fail();
    if (child == 0) {
        struct live_client *client = live_client_open(control, "m", &error);
        _exit(client && call(live_migrate) == LIVE_DONE ? 0 : 1); // it does not sign off
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(call(live_finish), LIVE_DONE);
    assert_int_equal(count(new_name), ROWS);
}

// Without a thread that renews the lease neither opens: in the caller's it would never come back.
static void test_no_threads(void **state) {
    pthread_attr_t usual, too_large;
    (void)state;
    assert_int_equal(call(live_init), LIVE_DONE);
    pthread_getattr_default_np(&usual);
    pthread_attr_init(&too_large);
    pthread_attr_setstacksize(&too_large, (size_t)1 << 46);
    assert_int_equal(pthread_setattr_default_np(&too_large), 0);
    struct live_client *client = live_client_open(control, "m", &error);
    int status = call(live_migrate);
    pthread_setattr_default_np(&usual);
    assert_null(client);
    assert_int_equal(status, LIVE_FAILED);
    assert_non_null(strstr(error.text, "no thread"));
    assert_int_equal(call(live_print_status), LIVE_DONE);
    assert_null(strstr(text, "client ")); // it has signed off
    pthread_attr_destroy(&too_large);
    pthread_attr_destroy(&usual);
}

// Orders that cannot be read are not taken for none, and not written over.
static void test_failing_orders(void **state) {
    const struct live_options hold = {.hold_before = "PREFER_OLD"};
    (void)state;
    assert_int_equal(call(live_init), LIVE_DONE);
    assert_int_equal(call(live_pause), LIVE_DONE);
    change_control("CREATE TABLE kept AS SELECT * FROM entities WHERE row_key = x'6f7264657273';"
                   "UPDATE entities SET properties = x'ff' WHERE row_key = x'6f7264657273'");
    interrupted = 1; // should it come so far
    assert_int_equal(call_with(live_migrate, hold), LIVE_FAILED);
    assert_non_null(strstr(error.text, "cannot read the orders"));
    assert_int_equal(call(live_print_status), LIVE_FAILED);
    change_control("REPLACE INTO entities SELECT * FROM kept; DROP TABLE kept");
    assert_int_equal(call(live_print_status), LIVE_DONE);
    assert_non_null(strstr(text, "paused"));
    change_control("CREATE TRIGGER refuse BEFORE INSERT ON entities"
                   " BEGIN SELECT raise(ABORT, 'no'); END;"
                   "CREATE TRIGGER refuse_too BEFORE UPDATE ON entities"
                   " BEGIN SELECT raise(ABORT, 'no'); END");
    assert_int_equal(call_with(live_migrate, hold), LIVE_FAILED);
    assert_non_null(strstr(error.text, "cannot write the orders"));
    interrupted = 0;
}

// What cannot be moved is told before anything is done.
static void test_immovable(void **state) {
    struct file_connection file;
    (void)state;
    assert_true(file_open_named(&file, old_name, true, &error));
    write_row(file.table, "a", "large", 252);
    file_close(&file);
    assert_int_equal(call(live_init), LIVE_DONE);
    assert_int_equal(call(live_migrate), LIVE_NEGATIVE);
    assert_non_null(strstr(error.text, "252 properties"));
    assert_int_equal(count(new_name), 0);
}

static size_t count_of(const char *what) {
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        found++;
    return found;
}

// Of many the first ten are named, and all are counted; those that can be moved are not.
static void test_many_immovable(void **state) {
    enum { IMMOVABLE = 12 };
    struct file_connection file;
    (void)state;
    fill(ROWS);
    assert_true(file_open_named(&file, old_name, true, &error));
    for (int i = 0; i < IMMOVABLE; i++)
        write_row(file.table, "ab", arena_printf(&arena, "large-%02d", i), 252);
    file_close(&file);
    assert_int_equal(call(live_init), LIVE_DONE);
    struct live_options dry = {.is_dry_run = true};
    assert_int_equal(call_with(live_migrate, dry), LIVE_NEGATIVE);
    assert_non_null(strstr(error.text, "12 rows cannot be moved, the first ten"));
    assert_int_equal(count_of("\n"), 10);
    assert_int_equal(count_of("cannot be moved: row 'ab' 'large-0"), 10);
    dry.is_json = true;
    assert_int_equal(call_with(live_migrate, dry), LIVE_NEGATIVE);
    assert_int_equal(strncmp(text, "{\"immovable\":[\"row 'ab'", 23), 0);
    assert_non_null(strstr(text, "],\"count\":12}\n"));
}

// More is never done than there is to do: metadata is cleaned up, too.
static void test_progress_adds_up(void **state) {
    unsigned long long rows = 0, total = 0;
    (void)state;
    fill(ROWS);
    assert_int_equal(call(live_init), LIVE_DONE);
    assert_int_equal(call_with(live_migrate, (struct live_options){.is_json = true}), LIVE_DONE);
    const char *last = strrchr(text, '{');
    assert_int_equal(
        sscanf(strstr(last, "\"rows\":"), "\"rows\":%llu,\"total\":%llu", &rows, &total), 2);
    assert_int_equal(rows, 2 * ROWS + 2);
    assert_int_equal(total, rows);
}

// verify says what is missing.
static void test_verify(void **state) {
    struct file_connection file;
    (void)state;
    assert_int_equal(call(live_init), LIVE_DONE);
    assert_int_equal(call(live_migrate), LIVE_DONE);
    assert_true(file_open_named(&file, old_name, true, &error));
    write_row(file.table, "a", "forgotten", 1);
    file_close(&file);
    assert_int_equal(call(live_verify), LIVE_NEGATIVE);
    assert_non_null(strstr(text, "left in the old table: 'a' 'forgotten'"));
}

// Writes directly into the new table, past the migration: another value, or no row.
static void damage(const char *partition, const char *row, bool is_deleted) {
    struct file_connection file;
    struct ct_key key = {partition, row};
    struct ct_property property = {.name = "p0000", .type = CT_INT32, .value.int32 = 2};
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    assert_true(file_open_named(&file, new_name, true, &error));
    ct_batch_add(&batch, is_deleted ? CT_DELETE : CT_REPLACE,
                 ct_row_new(&arena, key, CT_ANY_ETAG, &property, is_deleted ? 0 : 1));
    assert_int_equal(ct_execute(file.table, &batch, &arena, &result).kind, CT_SUCCEEDED);
    file_close(&file);
}

static void expect_verify(struct live_options options, int status, const char *said) {
    assert_int_equal(call_with(live_verify, options), status);
    if (!strstr(text, said))
        fail_msg("expected '%s' in:\n%s", said, text);
}

// Contents are compared, row by row, during the migration and after it.
static void test_differences(void **state) {
    struct live_options plain = {.out = NULL}, still = {.is_still = true},
                        json = {.is_still = true, .is_json = true},
                        against = {.against = copy_name};
    (void)state;
    fill(ROWS);
    fill_table(copy_name, ROWS);
    assert_int_equal(call(live_init), LIVE_DONE);
    awaited = (struct awaited){ROWS, MT_PREFER_NEW};
    migrate_and_interrupt("USE_NEW_WITH_TOMBSTONES");
    expect_verify(still, LIVE_DONE, ": as it should be");
    damage("b", "00100", false);
    expect_verify(plain, LIVE_DONE, "1 rows are other than in the old table");
    expect_verify(still, LIVE_NEGATIVE, "rows differ in the two tables: 'b' '00100'");
    expect_verify(json, LIVE_NEGATIVE, "\"rows\":1,\"first\":[[\"b\",\"00100\"]]");
    expect_verify(against, LIVE_USAGE, "");
    awaited = (struct awaited){ROWS, MT_USE_NEW_WITH_TOMBSTONES};
    assert_int_equal(call(live_resume), LIVE_DONE);
    migrate_and_interrupt("USE_NEW_HIDE_METADATA");
    damage("a", "00003", true);
    expect_verify(plain, LIVE_NEGATIVE, "are missing in the new one: 'a' '00003'");
    assert_int_equal(call(live_resume), LIVE_DONE);
    assert_int_equal(call(live_migrate), LIVE_DONE);
    expect_verify(plain, LIVE_DONE, ": as it should be");
    expect_verify(against, LIVE_NEGATIVE, "rows differ in the two tables: 'b' '00100'");
    expect_verify(against, LIVE_NEGATIVE, "are missing in the new one: 'a' '00003'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_migration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interruption, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_abort, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client, setup, teardown),
        cmocka_unit_test_setup_teardown(test_finish_counts_out_the_dead, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_immovable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_immovable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_progress_adds_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
        cmocka_unit_test_setup_teardown(test_differences, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
