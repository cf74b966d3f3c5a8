// A folder with a file of tables, for a test.
#ifndef TESTS_MODEL_SQLITE_STORE_H
#define TESTS_MODEL_SQLITE_STORE_H

#define _XOPEN_SOURCE 700 // mkdtemp
#include "tests/support/test.h"

#include "model/sqlite/sqlite_table.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local struct arena arena;
static char folder[64], path[96];

static inline int make_store(void **state) {
    (void)state;
    arena_init(&arena, 1 << 28);
    snprintf(folder, sizeof folder, "/tmp/mtcheck-sqlite-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tables.db", folder);
    return 0;
}

static inline int remove_store(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm", ".copy", ".copy-wal", ".copy-shm"};
    char name[128];
    (void)state;
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    rmdir(folder);
    arena_deinit(&arena);
    return 0;
}

static inline struct ct_sqlite_table *open_named(const char *file, const char *name) {
    struct error error = {""};
    struct ct_sqlite_table *table = ct_sqlite_open(
        &(struct ct_sqlite_options){.path = file, .name = name, .busy_ms = 0}, &error);
    if (!table)
        fail_msg("%s", error.text);
    return table;
}

// A batch that puts [count] rows ("p", "[row]-0"), ... with one number.
static inline struct ct_batch rows_of(const char *row, int count, int32_t number) {
    struct ct_batch batch = ct_batch_new(&arena, (size_t)count);
    struct ct_property property = ct_int32("n", number);
    for (int i = 0; i < count; i++) {
        struct ct_key key = {"p", arena_printf(&arena, "%s-%d", row, i)};
        ct_batch_add(&batch, CT_INSERT_OR_REPLACE, ct_row_new(&arena, key, NULL, &property, 1));
    }
    return batch;
}

static inline struct ct_outcome put_rows(struct ct_sqlite_table *table, const char *row, int count,
                                         int32_t number) {
    struct ct_batch batch = rows_of(row, count, number);
    struct ct_op_result results[CT_BATCH_OPERATIONS_MAX];
    return ct_execute(ct_sqlite_interface(table), &batch, &arena, results);
}

// The number in the row ("p", "[row]-[index]"); -1: there is none.
static inline int32_t number_in(struct ct_sqlite_table *table, const char *row, int index) {
    struct ct_key key = {"p", arena_printf(&arena, "%s-%d", row, index)};
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(ct_sqlite_interface(table), ct_filter_point(&arena, key), &arena, &rows);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return rows.count ? rows.rows[0]->properties[0].value.int32 : -1;
}

static inline void close_store(struct ct_sqlite_table *table) {
    ct_close(ct_sqlite_interface(table));
}

#endif
