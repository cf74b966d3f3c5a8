// What applications notice of a migration: run by scripts/bench --migration.
//
//   bench_latency FOLDER ROWS SECONDS PROCESSES
//
// So many processes read and replace rows at random, with a pause of 2 ms after each call, while a
// table of ROWS rows moves from one SQLite file to another, as fast as it goes. The migration
// stands for SECONDS in each state, and takes the time that it needs to copy and to clean up.
// Prints, for each part: the number of calls, and for reads and writes the median and the 99th
// percentile in ms, and their ratios to those before the migration.
#define _GNU_SOURCE
#include "core/base/clock.h"
#include "core/base/number.h"
#include "core/base/rng.h"
#include "model/live/client.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 400, FILL = 100, PARTITION_ROWS = 1000, BUCKETS = 600, PAUSE = 2000000 };

// The parts of a migration, in order.
static const char *const parts[] = {
    "the old table, directly",
    "before: USE_OLD_HIDE_METADATA",
    "PREFER_OLD",
    "PREFER_NEW, copying",
    "PREFER_NEW, copied",
    "USE_NEW_WITH_TOMBSTONES",
    "cleaning up",
    "after: USE_NEW_HIDE_METADATA",
};
enum {
    DIRECT,
    BEFORE,
    PREFER_OLD,
    COPYING,
    COPIED,
    TOMBSTONES,
    CLEANING,
    AFTER,
    PARTS,
    END,
};

// What all processes share.
static struct shared {
    atomic_int part;
    atomic_uint failed;
    atomic_uint calls[PARTS][2][BUCKETS]; // reads and writes, by bucket_of their time
} * shared;

static char control[PATH_BYTES], old_name[PATH_BYTES], new_name[PATH_BYTES];
static uint64_t rows, seconds, processes;

static void stop(const char *what, const char *why) {
    fprintf(stderr, "bench_latency: %s: %s\n", what, why);
    exit(3);
}

// Of a fork: -1 would be everybody's number.
static pid_t checked(pid_t process) {
    if (process < 0)
        stop("fork", "there can be no more processes");
    return process;
}

// Microseconds: exactly up to 99, then by steps of some per cent.
static int bucket_of(uint64_t microseconds) {
    int bucket = 0;
    double end = 1;
    for (; (double)microseconds >= end && bucket < BUCKETS - 1; bucket++)
        end = end < 100 ? end + 1 : end * 1.03;
    return bucket;
}

static double end_of(int bucket) {
    double end = 1;
    for (int i = 0; i < bucket; i++)
        end = end < 100 ? end + 1 : end * 1.03;
    return end;
}

static struct ct_key key_of(struct arena *arena, uint64_t number) {
    return (struct ct_key){
        arena_printf(arena, "p%05llu", (unsigned long long)(number / PARTITION_ROWS)),
        arena_printf(arena, "%08llu", (unsigned long long)number)};
}

static struct ct_row *row_of(struct arena *arena, uint64_t number, const char *if_match) {
    struct ct_property properties[] = {
        {.name = "count", .type = CT_INT32, .value.int32 = (int32_t)number},
        ct_string("street", "some street or other, 17, on the left"),
    };
    return ct_row_new(arena, key_of(arena, number), if_match, properties, 2);
}

static void fill(void) {
    struct file_connection file;
    struct error error;
    struct arena arena;
    struct ct_op_result results[FILL];
    arena_init(&arena, 1 << 24);
    if (!file_open_named(&file, old_name, true, &error))
        stop("filling", error.text);
    for (uint64_t first = 0; first < rows; first += FILL) {
        struct ct_batch batch = ct_batch_new(&arena, FILL);
        for (uint64_t i = first; i < first + FILL; i++)
            ct_batch_add(&batch, CT_INSERT, row_of(&arena, i, NULL));
        if (ct_execute(file.table, &batch, &arena, results).kind != CT_SUCCEEDED)
            stop("filling", "a batch failed");
        arena_reset(&arena, 0);
    }
    file_close(&file);
    arena_deinit(&arena);
}

// ---- An application ----------------------------------------------------------------------------

static bool call(struct ct_table *table, struct arena *arena, uint64_t number, int kind) {
    struct ct_rows found;
    struct ct_op_result result;
    if (kind == 0)
        return ct_query(table, ct_filter_point(arena, key_of(arena, number)), arena, &found).kind ==
               CT_SUCCEEDED;
    struct ct_batch batch = ct_batch_new(arena, 1);
    ct_batch_add(&batch, CT_REPLACE, row_of(arena, number, CT_ANY_ETAG));
    return ct_execute(table, &batch, arena, &result).kind == CT_SUCCEEDED;
}

// Calls until a part from [end] on has begun.
static void work(struct ct_table *table, struct rng *rng, int end) {
    struct arena arena;
    arena_init(&arena, 1 << 26);
    for (int part; (part = atomic_load(&shared->part)) < end;) {
        int kind = (int)rng_below(rng, 2);
        uint64_t begun = clock_nanoseconds();
        bool is_done = call(table, &arena, rng_below64(rng, rows), kind);
        uint64_t time = (clock_nanoseconds() - begun) / 1000;
        atomic_fetch_add(is_done ? &shared->calls[part][kind][bucket_of(time)] : &shared->failed,
                         1);
        arena_reset(&arena, 0);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
    }
    arena_deinit(&arena);
}

static void run_application(uint64_t seed) {
    struct file_connection file;
    struct error error;
    struct rng rng;
    rng_seed(&rng, seed);
    if (!file_open_named(&file, old_name, false, &error))
        stop("application", error.text);
    work(file.table, &rng, BEFORE);
    file_close(&file);
    struct live_client *client = live_client_open(control, "bench", &error);
    struct ct_table *table = client ? live_client_table(client, &error) : NULL;
    if (!table)
        stop("application", error.text);
    work(table, &rng, END);
    ct_close(table);
    live_client_close(client);
}

// ---- The migration -----------------------------------------------------------------------------

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static struct live_options options_of(const char *hold_before) {
    return (struct live_options){.control = control,
                                 .name = "bench",
                                 .out = fopen("/dev/null", "w"),
                                 .old_name = old_name,
                                 .new_name = new_name,
                                 .lease_ms = 3000,
                                 .hold_before = hold_before,
                                 .is_interrupted = &interrupted};
}

// A process that migrates until it has to hold.
static pid_t start_migrator(const char *hold_before) {
    pid_t child = checked(fork());
    if (child != 0)
        return child;
    struct error error = {""};
    struct live_options options = options_of(hold_before);
    signal(SIGTERM, on_signal);
    int status = live_migrate(&options, &error);
    if (status != LIVE_DONE && status != LIVE_INTERRUPTED)
        stop("migrate", error.text);
    _exit(0);
}

static bool says(const char *what) {
    char text[4000] = "";
    struct error error;
    struct live_options options = options_of(NULL);
    fclose(options.out);
    options.out = fmemopen(text, sizeof text, "w");
    live_print_status(&options, &error);
    fclose(options.out);
    return strstr(text, what);
}

static void wait_for(const char *what) {
    while (!says(what))
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static void pause_for(int part) {
    atomic_store(&shared->part, part);
    sleep((unsigned)seconds);
}

static void end_migrator(pid_t migrator) {
    kill(migrator, SIGTERM);
    waitpid(migrator, NULL, 0);
}

static void migrate(void) {
    struct error error;
    struct live_options options = options_of(NULL);
    if (live_init(&options, &error) != LIVE_DONE)
        stop("init", error.text);
    pause_for(BEFORE);
    pid_t migrator = start_migrator("PREFER_NEW");
    wait_for("held before PREFER_NEW");
    pause_for(PREFER_OLD);
    end_migrator(migrator);
    migrator = start_migrator("USE_NEW_WITH_TOMBSTONES");
    wait_for("state      PREFER_NEW");
    atomic_store(&shared->part, COPYING);
    wait_for("held before USE_NEW_WITH_TOMBSTONES");
    pause_for(COPIED);
    end_migrator(migrator);
    migrator = start_migrator("USE_NEW_HIDE_METADATA");
    wait_for("held before USE_NEW_HIDE_METADATA");
    pause_for(TOMBSTONES);
    end_migrator(migrator);
    options = options_of(NULL);
    live_resume(&options, &error);
    migrator = start_migrator(NULL);
    wait_for("state      USE_NEW_HIDE_METADATA");
    atomic_store(&shared->part, CLEANING);
    waitpid(migrator, NULL, 0);
    pause_for(AFTER);
    atomic_store(&shared->part, END);
}

// ---- The table ---------------------------------------------------------------------------------

static double percentile(int part, int kind, double share) {
    uint64_t count = 0, below = 0;
    int bucket = 0;
    for (int i = 0; i < BUCKETS; i++)
        count += shared->calls[part][kind][i];
    for (; bucket < BUCKETS - 1; bucket++) {
        below += shared->calls[part][kind][bucket];
        if ((double)below >= share * (double)count)
            break;
    }
    return end_of(bucket) / 1000;
}

static void print(void) {
    for (int part = 0; part < PARTS; part++) {
        unsigned count = 0;
        for (int i = 0; i < 2 * BUCKETS; i++)
            count += shared->calls[part][i / BUCKETS][i % BUCKETS];
        printf("%s\t%u", parts[part], count);
        for (int kind = 0; kind < 2; kind++)
            for (int share = 0; share < 2; share++) {
                double time = percentile(part, kind, share == 0 ? 0.5 : 0.99);
                double before = percentile(BEFORE, kind, share == 0 ? 0.5 : 0.99);
                printf("\t%.2f (%.1f)", time, time / before);
            }
        printf("\n");
    }
    printf("calls that failed\t%u\t\t\t\t\n", shared->failed);
}

int main(int count, char **arguments) {
    if (count != 5 || !number_parse(arguments[2], FILL, INT32_MAX, &rows) ||
        !number_parse(arguments[3], 1, 3600, &seconds) ||
        !number_parse(arguments[4], 1, 100, &processes))
        stop("usage", "expected FOLDER ROWS SECONDS PROCESSES");
    snprintf(control, sizeof control, "%s/control", arguments[1]);
    snprintf(old_name, sizeof old_name, "%s/old#t", arguments[1]);
    snprintf(new_name, sizeof new_name, "%s/new#t", arguments[1]);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        stop("memory", "there is none to share");
    rows -= rows % FILL;
    fill();
    for (uint64_t i = 0; i < processes; i++)
        if (checked(fork()) == 0) {
            run_application(i);
            _exit(0);
        }
    pause_for(DIRECT);
    migrate();
    while (wait(NULL) > 0)
        ;
    print();
    return 0;
}
