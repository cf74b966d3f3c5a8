// The SQLite table beside plain SQL that does the same statements, in turn in one run: batches of 1
// and of 100 operations, durable and relaxed, and point reads. Prints lines of a name, how many a
// second of each, and their ratio; scripts/bench --tables repeats it. Not a test.
//     bench_sqlite FOLDER
#define _POSIX_C_SOURCE 200809L // clock_gettime
#include "core/base/clock.h"
#include "core/base/rng.h"
#include "model/sqlite/record.h"
#include "model/sqlite/sqlite_table.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 2000, OPERATIONS_MAX = 100, ROUNDS = 20, KEY_BYTES = 16, TEXT_BYTES = 100 };

static struct arena arena;
static struct rng rng;
static char keys[ROWS][KEY_BYTES];
static char text[TEXT_BYTES + 1];

static void require(bool condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "bench_sqlite: %s\n", what);
    exit(3);
}

static struct ct_row *row_of(const char *key) {
    const struct ct_property properties[] = {ct_int64("number", 7), ct_string("text", text)};
    return ct_row_new(&arena, (struct ct_key){"partition", key}, NULL, properties, 2);
}

static const char *random_key(void) {
    return keys[rng_below(&rng, ROWS)];
}

// ---- The table ---------------------------------------------------------------------------------

static struct ct_sqlite_table *table;

static void table_batch_at(uint32_t first, uint32_t operations) {
    struct ct_batch batch = ct_batch_new(&arena, operations);
    struct ct_op_result results[OPERATIONS_MAX];
    for (uint32_t i = 0; i < operations; i++)
        ct_batch_add(&batch, CT_INSERT_OR_REPLACE, row_of(keys[first + i]));
    struct ct_outcome outcome = ct_execute(ct_sqlite_interface(table), &batch, &arena, results);
    require(outcome.kind == CT_SUCCEEDED, "a batch failed");
    arena_reset(&arena, 0);
}

static void table_batch(uint32_t operations) {
    table_batch_at(rng_below(&rng, ROWS - operations), operations);
}

static void table_read(uint32_t unused) {
    struct ct_rows rows;
    const struct ct_filter *filter =
        ct_filter_point(&arena, (struct ct_key){"partition", random_key()});
    (void)unused;
    ct_query(ct_sqlite_interface(table), filter, &arena, &rows);
    require(rows.count == 1, "a row is missing");
    arena_reset(&arena, 0);
}

// ---- Plain SQL ---------------------------------------------------------------------------------

static sqlite3 *database;

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    require(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK, sql);
    return statement;
}

static sqlite3_stmt *begin, *commit, *numbers, *put, *get;
static const void *record;
static size_t record_bytes;

static void open_plain(const char *path, bool is_relaxed) {
    require(sqlite3_open(path, &database) == SQLITE_OK, "cannot open the plain file");
    sqlite3_exec(database, is_relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
                 NULL, NULL, NULL);
    begin = prepare("BEGIN IMMEDIATE");
    commit = prepare("COMMIT");
    numbers = prepare("UPDATE file SET last_number = last_number + ?1 RETURNING last_number");
    put = prepare("REPLACE INTO entities VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    get = prepare("SELECT partition_key, row_key, number, time, properties FROM entities"
                  " WHERE table_id = ?1 AND partition_key = ?2 AND row_key = ?3");
}

static void close_plain(void) {
    sqlite3_stmt *const all[] = {begin, commit, numbers, put, get};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sqlite3_finalize(all[i]);
    sqlite3_close(database);
}

static void run(sqlite3_stmt *statement) {
    require(sqlite3_step(statement) == SQLITE_DONE, "a statement failed");
    sqlite3_reset(statement);
}

static void bind_key(sqlite3_stmt *statement, const char *key) {
    sqlite3_bind_int64(statement, 1, 1);
    sqlite3_bind_blob(statement, 2, "partition", 9, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, key, (int)strlen(key), SQLITE_STATIC);
}

static void plain_batch_at(uint32_t first, uint32_t operations) {
    run(begin);
    sqlite3_bind_int64(numbers, 1, operations);
    require(sqlite3_step(numbers) == SQLITE_ROW, "a statement failed");
    sqlite3_int64 number = sqlite3_column_int64(numbers, 0);
    run(numbers);
    for (uint32_t i = 0; i < operations; i++) {
        bind_key(put, keys[first + i]);
        sqlite3_bind_int64(put, 4, number - i);
        sqlite3_bind_int64(put, 5, 1);
        sqlite3_bind_blob(put, 6, record, (int)record_bytes, SQLITE_STATIC);
        run(put);
    }
    run(commit);
}

static void plain_batch(uint32_t operations) {
    plain_batch_at(rng_below(&rng, ROWS - operations), operations);
}

static void plain_read(uint32_t unused) {
    (void)unused;
    bind_key(get, random_key());
    require(sqlite3_step(get) == SQLITE_ROW, "a row is missing");
    for (int column = 0; column < 5; column++)
        sqlite3_column_bytes(get, column);
    sqlite3_reset(get);
}

// ---- Measuring ---------------------------------------------------------------------------------

// What waits for the disk takes time, the rest CPU time: whatever else the machine does meets it.
static double seconds(bool is_durable) {
    struct timespec time;
    if (is_durable)
        return clock_seconds();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// Both in turn, for the same reason.
static void compare(const char *name, void (*ours)(uint32_t), void (*plain)(uint32_t),
                    uint32_t size, uint32_t calls, bool is_durable) {
    double our_seconds = 0, plain_seconds = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds(is_durable);
        for (uint32_t i = 0; i < calls; i++)
            ours(size);
        double middle = seconds(is_durable);
        for (uint32_t i = 0; i < calls; i++)
            plain(size);
        our_seconds += middle - start;
        plain_seconds += seconds(is_durable) - middle;
    }
    double count = (double)ROUNDS * calls;
    printf("%s %.0f %.0f %.3f\n", name, count / our_seconds, count / plain_seconds,
           plain_seconds / our_seconds);
}

static struct ct_sqlite_table *open_table(const char *path, bool is_relaxed) {
    struct error error;
    struct ct_sqlite_table *opened = ct_sqlite_open(
        &(struct ct_sqlite_options){
            .path = path, .name = "t", .busy_ms = 1000, .is_relaxed = is_relaxed},
        &error);
    require(opened, "cannot open a table");
    return opened;
}

static void measure(const char *folder, bool is_relaxed) {
    char ours[4096], plain[4096];
    snprintf(ours, sizeof ours, "%s/ours-%d.db", folder, is_relaxed);
    snprintf(plain, sizeof plain, "%s/plain-%d.db", folder, is_relaxed);
    table = open_table(plain, is_relaxed); // makes the same schema
    ct_close(ct_sqlite_interface(table));
    table = open_table(ours, is_relaxed);
    open_plain(plain, is_relaxed);
    for (uint32_t i = 0; i + OPERATIONS_MAX <= ROWS; i += OPERATIONS_MAX) {
        table_batch_at(i, OPERATIONS_MAX);
        plain_batch_at(i, OPERATIONS_MAX);
    }
    compare(is_relaxed ? "relaxed_batches_of_1" : "durable_batches_of_1", table_batch, plain_batch,
            1, is_relaxed ? 100 : 10, !is_relaxed);
    compare(is_relaxed ? "relaxed_batches_of_100" : "durable_batches_of_100", table_batch,
            plain_batch, OPERATIONS_MAX, is_relaxed ? 5 : 3, !is_relaxed);
    if (is_relaxed)
        compare("point_reads", table_read, plain_read, 0, 5000, false);
    close_plain();
    ct_close(ct_sqlite_interface(table));
}

int main(int argc, char **argv) {
    require(argc == 2, "expected a folder");
    arena_init(&arena, 1 << 26);
    rng_seed(&rng, 1);
    memset(text, 'x', TEXT_BYTES);
    for (int i = 0; i < ROWS; i++)
        snprintf(keys[i], KEY_BYTES, "%08d", i);
    record = record_write(&arena, row_of(keys[0]), &record_bytes);
    void *kept = malloc(record_bytes);
    require(kept, "out of memory");
    record = memcpy(kept, record, record_bytes);
    arena_reset(&arena, 0);
    measure(argv[1], false);
    measure(argv[1], true);
    free(kept);
    arena_deinit(&arena);
    return 0;
}
