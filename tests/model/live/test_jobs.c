// Several copiers at once, over SQLite files: nothing is lost or done twice that matters, and the
// operator's orders are for all of them together.
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include "core/base/clock.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PARTITIONS = 400, TEXT_BYTES = 20000, LEASE_MS = 5000, JOBS = 4 };

static char folder[64], control[80];
static char names[3][90]; // the old table, the new one, and a copy of the old one
static char text[TEXT_BYTES];
static struct error error;
static struct arena arena;
static volatile sig_atomic_t interrupted;
static size_t filled;

static void write_row(struct ct_table *table, const char *partition, const char *row) {
    struct ct_property property = ct_string("is", arena_printf(&arena, "%s-%s", partition, row));
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_INSERT,
                 ct_row_new(&arena, (struct ct_key){partition, row}, NULL, &property, 1));
    assert_int_equal(ct_execute(table, &batch, &arena, &result).kind, CT_SUCCEEDED);
}

// Partitions of one to three rows, and one with many.
static void fill(const char *name) {
    struct file_connection file;
    assert_true(file_open_named(&file, name, true, &error));
    filled = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        const char *partition = arena_printf(&arena, "p%04d", p);
        int rows = p == PARTITIONS / 2 ? 200 : 1 + p % 3;
        for (int r = 0; r < rows; r++)
            write_row(file.table, partition, arena_printf(&arena, "r%04d", r));
        filled += (size_t)rows;
    }
    file_close(&file);
}

static int setup(void **state) {
    static const char *const files[] = {"old", "new", "copy"};
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_jobs.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(control, sizeof control, "%s/control", folder);
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "%s/%s#t", folder, files[i]);
    arena_init(&arena, 1 << 26);
    interrupted = 0;
    fill(names[0]);
    fill(names[2]);
    return 0;
}

static int teardown(void **state) {
    static const char *const files[] = {"control", "old", "new", "copy"};
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[120];
    (void)state;
    for (int i = 0; i < 12; i++) {
        snprintf(path, sizeof path, "%s/%s%s", folder, files[i / 3], ends[i % 3]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    arena_deinit(&arena);
    return 0;
}

// Calls [function]; what it says is in [said], which has TEXT_BYTES.
static int call_into(char *said, int (*function)(const struct live_options *, struct error *),
                     struct live_options options) {
    struct error ignored = {""};
    FILE *out = fmemopen(said, TEXT_BYTES, "w");
    assert_non_null(out);
    options.control = control;
    options.name = "m";
    options.out = out;
    options.old_name = names[0];
    options.new_name = names[1];
    options.lease_ms = LEASE_MS;
    options.is_interrupted = &interrupted;
    options.jobs = JOBS;
    int status = function(&options, &ignored);
    fputc('\0', out);
    fclose(out);
    return status;
}

static int call(int (*function)(const struct live_options *, struct error *)) {
    return call_into(text, function, (struct live_options){.is_json = false});
}

static void end_well(void) {
    assert_int_equal(call(live_migrate), LIVE_DONE);
    int status = call_into(text, live_verify, (struct live_options){.against = names[2]});
    if (status != LIVE_DONE)
        fail_msg("%s", text);
    assert_int_equal(call(live_finish), LIVE_DONE);
}

static void test_migration(void **state) {
    (void)state;
    assert_int_equal(call(live_init), LIVE_DONE);
    end_well();
}

// ---- A migration that others look at -----------------------------------------------------------

static struct running {
    pthread_t thread;
    struct live_options options;
    char said[TEXT_BYTES];
    int status;
} running;

static void *migrate(void *unused) {
    (void)unused;
    running.status = call_into(running.said, live_migrate, running.options);
    return NULL;
}

static void start(struct live_options options) {
    running.options = options;
    assert_int_equal(pthread_create(&running.thread, NULL, migrate, NULL), 0);
}

static int join(void) {
    pthread_join(running.thread, NULL);
    return running.status;
}

static void rest(long milliseconds) {
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

static size_t copied(void) {
    struct file_connection file;
    struct ct_stream *stream;
    const struct ct_row *row;
    size_t rows = 0;
    assert_true(file_open_named(&file, names[1], true, &error));
    assert_int_equal(ct_open_stream(file.table, NULL, &stream).kind, CT_SUCCEEDED);
    while (ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row)
        rows++;
    ct_stream_close(stream);
    file_close(&file);
    return rows;
}

static void await_rows(size_t least) {
    while (copied() < least)
        rest(20);
}

// The pace is that of all copiers together; they stand still together, are told of in the status,
// and end in the middle when they are interrupted; whoever comes then takes up what is left.
static void test_orders(void **state) {
    enum { RATE = 400, BATCH = 10 };
    (void)state;
    assert_int_equal(call(live_init), LIVE_DONE);
    start((struct live_options){.rows_per_second = RATE, .batch_rows = BATCH});
    await_rows(1);
    double begun = clock_seconds();
    size_t first = copied();
    await_rows(first + 100);
    size_t second = copied();
    double time = clock_seconds() - begun;
    // Marks count, too, and each copier may have a batch on its way.
    assert_true((double)(second - first) <= RATE * time + 2 * JOBS * BATCH);
    assert_int_equal(call(live_pause), LIVE_DONE);
    rest(600);
    size_t paused = copied();
    assert_true(paused < filled);
    rest(600);
    assert_int_equal(copied(), paused);
    // The progress comes with a beat of the lease.
    for (int tries = 0; tries < 100 && !strstr(text, "PREFER_NEW paused copied"); tries++) {
        rest(100);
        assert_int_equal(call(live_print_status), LIVE_DONE);
    }
    assert_non_null(strstr(text, " by 4 copiers, "));
    assert_int_equal(call(live_resume), LIVE_DONE);
    await_rows(paused + 1);
    interrupted = 1;
    assert_int_equal(join(), LIVE_INTERRUPTED);
    interrupted = 0;
    assert_true(copied() < filled);
    assert_int_equal(call(live_throttle), LIVE_DONE); // without a limit
    end_well();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_migration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
