// A migration by several threads and an application that takes part, for ThreadSanitizer to watch:
// built and run where the compiler has it.
#define _GNU_SOURCE // mkdtemp
#include "tests/support/test.h"

#include "model/live/client.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 300, PARTITION_ROWS = 5, LEASE_MS = 1500, PUSHES = 4 };

static struct error error;
static atomic_bool is_over;

static int call(int (*function)(const struct live_options *, struct error *)) {
    FILE *out = fopen("/dev/null", "w");
    int status = function(&(struct live_options){.control = "control",
                                                 .name = "m",
                                                 .out = out,
                                                 .old_name = "old#t",
                                                 .new_name = "new#t",
                                                 .lease_ms = LEASE_MS,
                                                 .batch_rows = 20,
                                                 .rows_per_second = 150, // so that it beats
                                                 .jobs = 2},
                          &error);
    fclose(out);
    return status;
}

static struct ct_outcome write_row(struct ct_table *table, struct arena *arena,
                                   enum ct_op_type type, int number) {
    const char *partition = arena_printf(arena, "p%d", number / PARTITION_ROWS);
    const char *row = arena_printf(arena, "r%d", number);
    struct ct_property property = ct_int32("n", number);
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type,
                 ct_row_new(arena, (struct ct_key){partition, row}, NULL, &property, 1));
    return ct_execute(table, &batch, arena, &result);
}

static void fill(struct arena *arena) {
    struct file_connection file;
    assert_true(file_open_named(&file, "old#t", true, &error));
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(write_row(file.table, arena, CT_INSERT, i).kind, CT_SUCCEEDED);
    file_close(&file);
}

// Calls of an application, up to the end of the migration.
static void *apply(void *context) {
    struct live_client *client = context;
    struct error failure;
    struct ct_table *table = live_client_table(client, &failure);
    struct arena arena;
    arena_init(&arena, 1 << 24);
    for (int i = 0; table && !atomic_load(&is_over); i++) {
        write_row(table, &arena, CT_INSERT_OR_REPLACE, i % ROWS);
        arena_reset(&arena, 0);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    if (table)
        ct_close(table);
    arena_deinit(&arena);
    return NULL;
}

static void test_migration(void **state) {
    char folder[] = "/tmp/races_of_live.XXXXXX";
    pthread_t application;
    struct arena arena;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    arena_init(&arena, 1 << 24);
    assert_int_equal(call(live_init), LIVE_DONE);
    fill(&arena);
    struct live_client *client = live_client_open("control", "m", &error);
    assert_non_null(client);
    int version = live_client_version(client);
    assert_int_equal(pthread_create(&application, NULL, apply, client), 0);
    assert_int_equal(call(live_migrate), LIVE_DONE);
    assert_true(live_client_version(client) >= version + PUSHES);
    atomic_store(&is_over, true);
    pthread_join(application, NULL);
    live_client_close(client);
    assert_int_equal(call(live_finish), LIVE_DONE);
    arena_deinit(&arena);
    unlink("control");
    unlink("old");
    unlink("new");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_migration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
