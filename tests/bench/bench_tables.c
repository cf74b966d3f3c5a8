// How many operations a second an endpoint of the Azure Table protocol does: bench_tables CLIENT
// TABLE CONNECTIONS SECONDS PROCESS [OTHER], with its connection string in MTABLE_CONNECTION_STRING
// and the number of its process. Run by scripts/bench-tables, which compares two servers.
//
// CLIENT is "plain" (plain_client.h), which leaves most of the machine to the server, or "reading":
// that of model/azure, which reads each answer into rows, as applications do.
//
// Each connection has a thread and partitions of its own. A line for each kind of operation: its
// name, operations a second, the median and the 99th percentile of their times in ms, the CPU time
// of the server for one in ms, which is the same whatever else the machine does, and once more the
// two times, at half of that many a second. There operations are due at fixed moments, and the time
// of one that is late is counted from when it was due. OTHER has what was printed for another
// server: then the two times come a third time, at half of that one's many.
#define _POSIX_C_SOURCE 200809L
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/base/number.h"
#include "model/azure/azure_table.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/filter.h"
#include "model/table/row.h"
#include "tests/bench/plain_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, TIMES_MAX = 1 << 20, PARTITION_ROWS = 1000 };

enum work { INSERT, GET, BATCH, QUERY, WORKS };
static const char *const names[WORKS] = {"insert", "point read", "batch of 100 inserts",
                                         "query of a partition of 1,000"};

struct client {
    pthread_t thread;
    struct ct_azure_table *azure;
    struct plain_client *plain; // NULL: the other one reads
    struct arena arena;
    unsigned number, first, count;
    enum work work;
    double begin, until;
    double interval; // between operations; 0: one follows the other
    float *times;
};

static void stop(const char *what, struct ct_outcome outcome) {
    fprintf(stderr, "bench_tables: %s: outcome %d, status %d: %s\n", what, (int)outcome.kind,
            (int)outcome.status, outcome.message ? outcome.message : "");
    exit(3);
}

static struct ct_row *row_of(struct client *client, const char *partition, unsigned number) {
    static const struct ct_property properties[] = {
        {.name = "flag", .type = CT_BOOL, .value.boolean = true},
        {.name = "number", .type = CT_INT32, .value.int32 = 7},
        {.name = "text", .type = CT_STRING, .size = 20, .value.string = "twenty bytes of text"},
    };
    struct ct_key key = {partition, arena_printf(&client->arena, "%08u", number)};
    return ct_row_new(&client->arena, key, NULL, properties, 3);
}

static struct ct_outcome insert(struct client *client, const char *partition, unsigned first,
                                size_t count) {
    if (client->plain) {
        plain_insert(client->plain, partition, first, count);
        return ct_success();
    }
    struct ct_op_result results[CT_BATCH_OPERATIONS_MAX];
    struct ct_batch batch = ct_batch_new(&client->arena, count);
    for (size_t i = 0; i < count; i++)
        ct_batch_add(&batch, CT_INSERT, row_of(client, partition, first + (unsigned)i));
    return ct_execute(ct_azure_interface(client->azure), &batch, &client->arena, results);
}

static struct ct_outcome read_rows(struct client *client, const struct ct_filter *filter,
                                   size_t expected) {
    struct ct_rows rows = {0};
    struct ct_outcome outcome =
        ct_query(ct_azure_interface(client->azure), filter, &client->arena, &rows);
    if (outcome.kind == CT_SUCCEEDED && rows.count != expected)
        stop("rows are missing", outcome);
    return outcome;
}

static struct ct_outcome get(struct client *client, const char *partition, unsigned number) {
    if (client->plain) {
        plain_get(client->plain, partition, number);
        return ct_success();
    }
    struct ct_key key = {partition, arena_printf(&client->arena, "%08u", number)};
    return read_rows(client, ct_filter_point(&client->arena, key), 1);
}

static struct ct_outcome query(struct client *client, const char *partition) {
    if (client->plain) {
        plain_query(client->plain, partition, PARTITION_ROWS);
        return ct_success();
    }
    return read_rows(client, ct_filter_in_partition(&client->arena, partition), PARTITION_ROWS);
}

// The [step]-th operation of its kind.
static struct ct_outcome operate(struct client *client, unsigned step) {
    struct arena *arena = &client->arena;
    const char *full = arena_printf(arena, "q%u", client->number);
    switch (client->work) {
    case INSERT:
        return insert(client, arena_printf(arena, "i%u-%u", client->number, step / 100), step, 1);
    case GET:
        return get(client, full, step * 7 % PARTITION_ROWS);
    case BATCH:
        return insert(client, arena_printf(arena, "b%u-%u", client->number, step / 10),
                      step * CT_BATCH_OPERATIONS_MAX, CT_BATCH_OPERATIONS_MAX);
    case QUERY:
    case WORKS:
        break;
    }
    return query(client, full);
}

static void sleep_until(double moment) {
    double left = moment - clock_seconds();
    struct timespec pause = {.tv_sec = (time_t)left};
    pause.tv_nsec = (long)((left - (double)pause.tv_sec) * 1e9);
    if (left > 0)
        nanosleep(&pause, NULL);
}

static void *run(void *context) {
    struct client *client = context;
    for (client->count = 0; client->count < TIMES_MAX; client->count++) {
        double begin = client->interval > 0 ? client->begin + client->interval * client->count
                                            : clock_seconds();
        if (begin >= client->until)
            break;
        sleep_until(begin);
        struct ct_outcome outcome = operate(client, client->first + client->count);
        if (outcome.kind != CT_SUCCEEDED)
            stop(names[client->work], outcome);
        client->times[client->count] = (float)(clock_seconds() - begin);
        arena_reset(&client->arena, 0);
    }
    return NULL;
}

static int order(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// The CPU time that a process has taken, in seconds.
static double cpu_seconds(const char *process) {
    char path[64], text[1024];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%.20s/stat", process);
    FILE *in = fopen(path, "r");
    size_t size = in ? fread(text, 1, sizeof text - 1, in) : 0;
    text[size] = '\0';
    if (in)
        fclose(in);
    // Behind its name, in which anything may be, the 12th and 13th number.
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &kernel) != 2) {
        fprintf(stderr, "bench_tables: there is no process %s\n", process);
        exit(3);
    }
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

// Times of all clients in order, and what they are of.
struct times {
    float *list;
    size_t count;
    double seconds;
};

static double ms_at(const struct times *times, double part) {
    size_t index = (size_t)(part * (double)times->count);
    return 1000 * (double)times->list[index < times->count ? index : times->count - 1];
}

// All clients at once, for so many [seconds], [rate] operations a second; 0: as many as they can.
static struct times run_all(struct client *clients, unsigned count, double seconds, double rate) {
    struct times times = {0};
    double begin = clock_seconds();
    for (unsigned i = 0; i < count; i++) {
        clients[i].interval = rate > 0 ? count / rate : 0;
        clients[i].begin = begin + (rate > 0 ? i / rate : 0);
        clients[i].until = begin + seconds;
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
            exit(3);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        clients[i].first += clients[i].count;
        times.count += clients[i].count;
    }
    times.seconds = clock_seconds() - begin;
    times.list = grow_new(times.count + 1, sizeof *times.list, "times");
    for (unsigned i = 0, at = 0; i < count; at += clients[i++].count)
        memcpy(times.list + at, clients[i].times, clients[i].count * sizeof *times.list);
    qsort(times.list, times.count, sizeof *times.list, order);
    return times;
}

// At half of [rate].
static void measure_half(struct client *clients, unsigned count, double seconds, double rate) {
    struct times times = run_all(clients, count, seconds, rate / 2);
    printf("\t%.2f\t%.2f", ms_at(&times, 0.5), ms_at(&times, 0.99));
    free(times.list);
}

// The next line of what was printed for another server; its rate.
static double read_rate(FILE *other) {
    double rate;
    if (fscanf(other, "%*[^\t] %lf %*[^\n] ", &rate) == 1 && rate > 0)
        return rate;
    fprintf(stderr, "bench_tables: expected lines that this program has printed\n");
    exit(3);
}

static void measure(struct client *clients, unsigned count, enum work work, double seconds,
                    const char *process) {
    for (unsigned i = 0; i < count; i++) {
        clients[i].work = work;
        clients[i].first = 0;
    }
    double cpu = cpu_seconds(process);
    struct times full = run_all(clients, count, seconds, 0);
    cpu = cpu_seconds(process) - cpu;
    double rate = (double)full.count / full.seconds;
    printf("%s\t%.1f\t%.2f\t%.2f\t%.3f", names[work], rate, ms_at(&full, 0.5), ms_at(&full, 0.99),
           1000 * cpu / (double)full.count);
    free(full.list);
    measure_half(clients, count, seconds, rate);
}

static void open_client(struct client *client, const char *name, unsigned number, bool is_plain) {
    static struct ct_azure_account account;
    struct error error;
    const char *connection = getenv("MTABLE_CONNECTION_STRING");
    if (!connection || !ct_azure_account_read(&account, connection, false, &error) ||
        !(client->azure = ct_azure_open(
              &(struct ct_azure_options){.account = &account, .name = name, .creates = true},
              &error))) {
        fprintf(stderr, "bench_tables: %s\n", connection ? error.text : "no connection string");
        exit(3);
    }
    client->plain = is_plain ? plain_open(&account, name) : NULL;
    client->number = number;
    client->times = grow_new(TIMES_MAX, sizeof *client->times, "times");
    arena_init(&client->arena, 1 << 26);
    const char *full = arena_printf(&client->arena, "q%u", number);
    for (unsigned i = 0; i < PARTITION_ROWS; i += CT_BATCH_OPERATIONS_MAX) {
        struct ct_outcome outcome = insert(client, full, i, CT_BATCH_OPERATIONS_MAX);
        if (outcome.kind != CT_SUCCEEDED)
            stop("the first rows", outcome);
    }
}

int main(int argument_count, char **arguments) {
    static struct client clients[CONNECTIONS_MAX];
    uint32_t count;
    double seconds;
    bool is_plain = argument_count > 1 && strcmp(arguments[1], "plain") == 0;
    FILE *other = argument_count == 7 ? fopen(arguments[6], "r") : NULL;
    if ((argument_count != 6 && !other) || (!is_plain && strcmp(arguments[1], "reading") != 0) ||
        !number_parse32(arguments[3], 1, CONNECTIONS_MAX, &count) ||
        !number_parse_seconds(arguments[4], &seconds)) {
        fprintf(stderr, "usage: bench_tables plain|reading TABLE CONNECTIONS SECONDS PROCESS "
                        "[OTHER]\n");
        return 2;
    }
    for (uint32_t i = 0; i < count; i++)
        open_client(&clients[i], arguments[2], i, is_plain);
    for (int work = 0; work < WORKS; work++) {
        measure(clients, count, (enum work)work, seconds, arguments[5]);
        if (other)
            measure_half(clients, count, seconds, read_rate(other));
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
