// Several threads that write to one file, each through a store of its own.
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include "model/command/sqlite_store.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITERS = 4, WRITES = 300, ARENA_BYTES = 1 << 20 };

static char folder[64], path[80];
static struct error error;

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_sqlite_store.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tables", folder);
    return 0;
}

static int teardown(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[96];
    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

struct writer {
    pthread_t thread;
    struct server_store *store;
    struct arena arena;
    int number;
    unsigned failed;
};

static struct ct_outcome insert(struct writer *writer, int number) {
    struct ct_table *table;
    struct ct_op_result result;
    struct ct_batch batch = ct_batch_new(&writer->arena, 1);
    struct ct_key key = {"p", arena_printf(&writer->arena, "%d-%d", writer->number, number)};
    ct_batch_add(&batch, CT_INSERT, ct_row_new(&writer->arena, key, NULL, NULL, 0));
    struct ct_outcome outcome =
        writer->store->ops->find_to_write(writer->store, "T", &writer->arena, &table);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return ct_execute(table, &batch, &writer->arena, &result);
}

static void *write_all(void *context) {
    struct writer *writer = context;
    for (int i = 0; i < WRITES; i++) {
        writer->failed += insert(writer, i).kind != CT_SUCCEEDED;
        arena_reset(&writer->arena, 0);
    }
    return NULL;
}

static void open_writer(struct writer *writer, int number, struct ct_sqlite_turn *turn) {
    bool is_new;
    // In the file itself nobody waits: who finds it taken fails.
    const struct ct_sqlite_options options = {.path = path, .is_relaxed = true};
    arena_init(&writer->arena, ARENA_BYTES);
    writer->number = number;
    writer->store = sqlite_store_open_in(&options, turn, &error);
    assert_non_null(writer->store);
    writer->store->ops->create(writer->store, "T", &writer->arena, &is_new);
    assert_int_equal(is_new, number == 0);
}

static void close_writer(struct writer *writer) {
    writer->store->ops->close(writer->store);
    arena_deinit(&writer->arena);
}

// Those who take turns never find the file taken, without any waiting there.
static void test_turns(void **state) {
    static struct writer writers[WRITERS];
    struct ct_sqlite_turn turn;
    (void)state;
    ct_sqlite_turn_init(&turn, 60000);
    for (int i = 0; i < WRITERS; i++)
        open_writer(&writers[i], i, &turn);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(writers[i].failed, 0);
        close_writer(&writers[i]);
    }
    ct_sqlite_turn_close(&turn);
}

// Another store may make and drop a table at any time: who writes to it finds the one of that name.
static void test_by_name(void **state) {
    static struct writer writer, other;
    struct ct_sqlite_turn turn;
    bool is_done;
    (void)state;
    ct_sqlite_turn_init(&turn, 60000);
    open_writer(&writer, 0, &turn);
    open_writer(&other, 1, &turn);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(insert(&writer, 0).kind, CT_SUCCEEDED);
        assert_true(ct_failed_with(insert(&writer, 0), CT_STATUS_CONFLICT));
        other.store->ops->drop(other.store, "T", &other.arena, &is_done);
        assert_true(is_done);
        assert_true(ct_failed_with(insert(&writer, 1), CT_STATUS_NOT_FOUND));
        other.store->ops->create(other.store, "t", &other.arena, &is_done);
        assert_true(is_done);
    }
    close_writer(&writer);
    close_writer(&other);
    ct_sqlite_turn_close(&turn);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
