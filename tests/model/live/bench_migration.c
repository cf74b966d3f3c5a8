// How fast a migration copies, beside the statement that copies rows by itself: run by
// scripts/bench --migration.
//
//   bench_migration FOLDER ROWS PARTITION-ROWS [JOBS]
//
// A table of ROWS rows, PARTITION-ROWS in each partition, five properties and 110 bytes a row,
// is copied from one SQLite file to another: by INSERT ... SELECT in one transaction, and by the
// migrator, from the push of PREFER_NEW until the copy pass has ended. Then the migration goes on
// to its end. Prints NAME, seconds and CPU seconds, rows a second of each; and the memory.
#define _GNU_SOURCE
#include "core/base/clock.h"
#include "core/base/number.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/row.h"
#include "model/table/value.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH_BYTES = 400, FILL = 100, PROPERTIES = 5 };
enum { LEASE_MS = 600000 }; // a pass that is repeated would be measured with it

static char old_path[PATH_BYTES], new_path[PATH_BYTES], plain_path[PATH_BYTES];

static void stop(const char *what, const char *why) {
    fprintf(stderr, "bench_migration: %s: %s\n", what, why);
    exit(3);
}

struct moment {
    double wall, cpu;
};

static struct moment now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct moment){clock_seconds(),
                           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6};
}

static void print(const char *name, struct moment from, struct moment to, uint64_t rows) {
    printf("%s\t%.2f\t%.2f\t%.0f\n", name, to.wall - from.wall, to.cpu - from.cpu,
           (double)rows / (to.cpu - from.cpu));
}

// ---- The rows ----------------------------------------------------------------------------------

static struct ct_row *row_of(struct arena *arena, const char *partition, uint64_t number) {
    struct ct_property properties[PROPERTIES] = {
        ct_int64("amount", (int64_t)number * 7919),
        ct_string("customer", arena_printf(arena, "customer %09llu", (unsigned long long)number)),
        ct_bool("isPaid", number % 3 == 0),
        ct_string("street", "some street or other, 17"),
        ct_datetime("when", 17000000000000000 + (int64_t)number),
    };
    const char *row = arena_printf(arena, "%08llu", (unsigned long long)number);
    return ct_row_new(arena, (struct ct_key){partition, row}, NULL, properties, PROPERTIES);
}

static void fill(const char *name, uint64_t rows, uint64_t partition_rows) {
    struct file_connection file;
    struct error error;
    struct arena arena;
    struct ct_op_result results[FILL];
    arena_init(&arena, 1 << 24);
    if (!file_open_named(&file, name, true, &error))
        stop("filling", error.text);
    for (uint64_t first = 0; first < rows;) {
        struct ct_batch batch = ct_batch_new(&arena, FILL);
        uint64_t in_partition = first / partition_rows;
        const char *partition = arena_printf(&arena, "p%07llu", (unsigned long long)in_partition);
        while (batch.count < FILL && first < rows && first / partition_rows == in_partition)
            ct_batch_add(&batch, CT_INSERT, row_of(&arena, partition, first++));
        if (ct_execute(file.table, &batch, &arena, results).kind != CT_SUCCEEDED)
            stop("filling", "a batch failed");
        arena_reset(&arena, 0);
    }
    file_close(&file);
    arena_deinit(&arena);
}

// ---- By SQL ------------------------------------------------------------------------------------

static void run_sql(sqlite3 *database, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        stop(sql, message);
}

static void copy_by_sql(uint64_t rows) {
    char attach[PATH_BYTES + 20], name[PATH_BYTES + 2];
    struct file_connection file;
    struct error error;
    sqlite3 *database;
    snprintf(name, sizeof name, "%s#t", plain_path);
    if (!file_open_named(&file, name, true, &error)) // an empty table
        stop("plain", error.text);
    file_close(&file);
    sqlite3_open(plain_path, &database);
    snprintf(attach, sizeof attach, "ATTACH '%s' AS old", old_path);
    run_sql(database, attach);
    run_sql(database, "PRAGMA synchronous = NORMAL");
    struct moment from = now();
    run_sql(database, "INSERT INTO entities SELECT * FROM old.entities");
    print("INSERT SELECT", from, now(), rows);
    sqlite3_close(database);
}

// ---- By the migrator ---------------------------------------------------------------------------

static struct moment states[2];

// What the migrator says, for its changes of state.
static ssize_t hear(void *unused, const char *text, size_t size) {
    char line[200];
    (void)unused;
    snprintf(line, sizeof line, "%.*s", (int)size, text);
    if (strstr(line, "state PREFER_NEW"))
        states[0] = now();
    if (strstr(line, "state USE_NEW_WITH_TOMBSTONES"))
        states[1] = now();
    return (ssize_t)size;
}

static void migrate(const char *folder, const char *old_name, const char *new_name, uint64_t rows,
                    uint64_t jobs) {
    char control[PATH_BYTES];
    struct error error = {""};
    snprintf(control, sizeof control, "%s/control", folder);
    struct live_options options = {
        .control = control,
        .name = "bench",
        .out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = hear}),
        .old_name = old_name,
        .new_name = new_name,
        .lease_ms = LEASE_MS,
        .jobs = (uint32_t)jobs,
    };
    if (live_init(&options, &error) != LIVE_DONE)
        stop("init", error.text);
    struct moment from = now();
    if (live_migrate(&options, &error) != LIVE_DONE)
        stop("migrate", error.text);
    print("copy pass", states[0], states[1], rows);
    print("migration", from, now(), rows);
    fclose(options.out);
}

int main(int count, char **arguments) {
    uint64_t rows = 0, partition_rows = 0, jobs = 0;
    char old_name[PATH_BYTES + 2], new_name[PATH_BYTES + 2];
    if (count < 4 || count > 5 || !number_parse(arguments[2], 1, INT32_MAX, &rows) ||
        !number_parse(arguments[3], 1, INT32_MAX, &partition_rows) ||
        (count == 5 && !number_parse(arguments[4], 1, INT32_MAX, &jobs)))
        stop("usage", "expected FOLDER ROWS PARTITION-ROWS [JOBS]");
    snprintf(old_path, sizeof old_path, "%s/old", arguments[1]);
    snprintf(new_path, sizeof new_path, "%s/new", arguments[1]);
    snprintf(plain_path, sizeof plain_path, "%s/plain", arguments[1]);
    snprintf(old_name, sizeof old_name, "%s#t", old_path);
    snprintf(new_name, sizeof new_name, "%s#t", new_path);
    fill(old_name, rows, partition_rows);
    copy_by_sql(rows);
    migrate(arguments[1], old_name, new_name, rows, jobs);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("memory in MB\t%.1f\t\t\n", (double)usage.ru_maxrss / 1024);
    return 0;
}
