// An abort says that it is over when the disk has what it did.
#define _GNU_SOURCE // fopencookie
#include "tests/support/test.h"

#include "model/live/files.h"
#include "model/live/live.h"
#include "model/migrating/entity.h"
#include "model/table/batch.h"
#include "tests/model/sqlite/failing_vfs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error error;
static bool has_said, was_synced;

// What is said, and what the disk has by then.
static ssize_t hear(void *unused, const char *text, size_t size) {
    (void)unused;
    if (memmem(text, size, "is back in the first state", strlen("is back in the first state"))) {
        has_said = true;
        was_synced = !failing_vfs_has_unsynced();
    }
    return (ssize_t)size;
}

static int call(int (*function)(const struct live_options *, struct error *)) {
    FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = hear});
    assert_non_null(out);
    setvbuf(out, NULL, _IONBF, 0);
    int status = function(&(struct live_options){.control = "control",
                                                 .name = "m",
                                                 .out = out,
                                                 .old_name = "old#t",
                                                 .new_name = "new#t",
                                                 .lease_ms = 5000},
                          &error);
    fclose(out);
    return status;
}

static size_t count(struct ct_table *table) {
    struct ct_stream *stream;
    const struct ct_row *row = NULL;
    size_t rows = 0;
    assert_int_equal(ct_open_stream(table, NULL, &stream).kind, CT_SUCCEEDED);
    while (ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row)
        rows++;
    ct_stream_close(stream);
    return rows;
}

// What a client of PREFER_OLD leaves in the old table.
static void mark(struct ct_table *table, struct arena *arena) {
    struct ct_batch batch = ct_batch_new(arena, 2);
    struct ct_op_result results[2];
    ct_batch_add(&batch, CT_INSERT, mt_meta_row(arena, "p", MT_PARTITION_POPULATED, NULL));
    ct_batch_add(&batch, CT_INSERT, mt_assertion_row(arena, "p"));
    assert_int_equal(ct_execute(table, &batch, arena, results).kind, CT_SUCCEEDED);
}

static void test_synced(void **state) {
    char folder[] = "/tmp/test_abort.XXXXXX";
    struct file_connection old_file;
    struct arena arena;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    arena_init(&arena, 1 << 20);
    assert_int_equal(call(live_init), LIVE_DONE);
    failing_vfs_watch_syncs("old-wal");
    assert_true(file_open_named(&old_file, "old#t", true, &error));
    mark(old_file.table, &arena);
    assert_int_equal(count(old_file.table), 2);
    // It stays open: who is the last to close a file has it synced.
    assert_int_equal(call(live_abort), LIVE_DONE);
    assert_true(has_said);
    assert_true(was_synced);
    assert_int_equal(count(old_file.table), 0);
    file_close(&old_file);
    arena_deinit(&arena);
    unlink("control");
    unlink("old");
    unlink("new");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_synced),
    };
    failing_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
