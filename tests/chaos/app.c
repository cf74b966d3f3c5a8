// An application under chaos: calls a virtual table at random while its rows move, and records what
// it asked and was answered. See scripts/chaos.
//
//   chaos-app run     CONTROL MIGRATION BUG HISTORY PROCESS SEED   until SIGTERM
//   chaos-app migrate CONTROL MIGRATION BUG                        as `mtable migrate`, slowly
//   chaos-app load    FILE#TABLE ROWS                fills a table before the migration
//   chaos-app final   FILE#TABLE HISTORY PROCESS     reads every key of the workload
//
// BUG is an optional bug that is injected into the process (bugs/bugs.def), or "none".
//
// A line of the history is NANOSECONDS and an event of the format of harness/history/record.h, or
// NANOSECONDS PROCESS drop: the call that the process has open did nothing. After an unknown
// outcome it goes on under the next number.
#define _POSIX_C_SOURCE 200809L
#include "core/base/clock.h"
#include "core/base/number.h"
#include "core/base/rng.h"
#include "model/live/client.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PARTITIONS = 3, KEYS = 4, ARENA_BYTES = 64 << 20, LINE_BYTES = 300, LOAD_BATCH = 50 };
enum { COPIED_A_SECOND = 150, COPIED_AT_ONCE = 7 };

static volatile sig_atomic_t is_ending;

static void on_term(int number) {
    (void)number;
    is_ending = 1;
}

struct app {
    struct ct_table *table;
    struct arena arena;
    struct rng rng;
    int history;
    unsigned process;
    unsigned calls;
};

static void rest(long milliseconds) {
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

// A line is one write, so that a kill leaves whole lines. Where no file may grow it waits.
static void record(const struct app *app, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void record(const struct app *app, const char *format, ...) {
    char line[LINE_BYTES];
    va_list arguments;
    int length = snprintf(line, sizeof line, "%llu %u ", (unsigned long long)clock_nanoseconds(),
                          app->process);
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    ssize_t written = write(app->history, line, (size_t)length);
    for (; written < 0 && errno == EFBIG; written = write(app->history, line, (size_t)length))
        rest(10);
    if (written != length)
        _exit(3);
}

static const char *value_of(const struct ct_row *row) {
    const struct ct_property *value = row ? ct_row_property(row, "v") : NULL;
    return value && value->type == CT_STRING ? value->value.string : "nil";
}

// The name of a key in the history.
static const char *name_of(struct app *app, struct ct_key key) {
    return arena_printf(&app->arena, "%s/%s", key.partition, key.row);
}

// ---- Calls -------------------------------------------------------------------------------------

static struct ct_outcome read_row(struct app *app, struct ct_key key, const struct ct_row **row) {
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(app->table, ct_filter_point(&app->arena, key), &app->arena, &rows);
    *row = outcome.kind == CT_SUCCEEDED ? ct_rows_find(rows, key) : NULL;
    return outcome;
}

static const struct ct_row *get(struct app *app, struct ct_key key) {
    const struct ct_row *row;
    record(app, "call get %s", name_of(app, key));
    struct ct_outcome outcome = read_row(app, key, &row);
    if (outcome.kind != CT_SUCCEEDED)
        record(app, "drop");
    else
        record(app, "return get %s", value_of(row));
    return row;
}

static struct ct_outcome write_row(struct app *app, enum ct_op_type type, struct ct_key key,
                                   const char *if_match, const char *value) {
    struct ct_property property = ct_string("v", value ? value : "");
    struct ct_batch batch = ct_batch_new(&app->arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type, ct_row_new(&app->arena, key, if_match, &property, value ? 1 : 0));
    return ct_execute(app->table, &batch, &app->arena, &result);
}

// The return of a write: [refusal] is what says that [what] failed for its condition.
static void end_write(struct app *app, struct ct_outcome outcome, const char *what,
                      const char *result, enum ct_status refusal) {
    if (outcome.kind == CT_SUCCEEDED)
        record(app, "return %s%s", what, result);
    else if (outcome.kind == CT_UNKNOWN)
        app->process++; // the call stays open
    else if (refusal != CT_STATUS_NONE && ct_failed_with(outcome, refusal))
        record(app, "return %s fail", what);
    else
        record(app, "drop");
}

static void put(struct app *app, struct ct_key key, const char *value) {
    record(app, "call put %s %s", name_of(app, key), value);
    end_write(app, write_row(app, CT_INSERT_OR_REPLACE, key, NULL, value), "put", "",
              CT_STATUS_NONE);
}

static void insert(struct app *app, struct ct_key key, const char *value) {
    record(app, "call cas %s nil %s", name_of(app, key), value);
    end_write(app, write_row(app, CT_INSERT, key, NULL, value), "cas", " ok", CT_STATUS_CONFLICT);
}

static void delete_any(struct app *app, struct ct_key key) {
    record(app, "call remove %s", name_of(app, key));
    end_write(app, write_row(app, CT_DELETE, key, CT_IF_EXISTS_ETAG, NULL), "remove", "",
              CT_STATUS_NONE);
}

// With the ETag that was read: a 412 says nothing of the value, since a copy has another ETag.
static void change(struct app *app, struct ct_key key, const char *value) {
    const struct ct_row *row = get(app, key);
    if (!row)
        return;
    bool deletes = rng_below(&app->rng, 3) == 0;
    record(app, "call cas %s %s %s", name_of(app, key), value_of(row), deletes ? "nil" : value);
    end_write(
        app,
        write_row(app, deletes ? CT_DELETE : CT_REPLACE, key, row->etag, deletes ? NULL : value),
        "cas", " ok", CT_STATUS_NONE);
}

static const char *const partitions[PARTITIONS] = {"a", "b", "c"};
static const char *const row_keys[KEYS] = {"0", "1", "2", "3"};

static void make_call(struct app *app) {
    arena_reset(&app->arena, 0);
    uint64_t partition = rng_below(&app->rng, PARTITIONS);
    uint64_t row = rng_below(&app->rng, KEYS);
    struct ct_key key = {partitions[partition], row_keys[row]};
    const char *value = arena_printf(&app->arena, "p%ldn%u", (long)getpid(), app->calls++);
    switch (rng_below(&app->rng, 6)) {
    case 0:
        put(app, key, value);
        return;
    case 1:
        insert(app, key, value);
        return;
    case 2:
        delete_any(app, key);
        return;
    case 3:
    case 4:
        change(app, key, value);
        return;
    default:
        get(app, key);
    }
}

// ---- Commands ----------------------------------------------------------------------------------

static int open_history(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static unsigned number(const char *text) {
    uint64_t value = 0;
    return number_parse(text, 0, INT32_MAX, &value) ? (unsigned)value : 0;
}

// False with an error: there is no such bug.
static bool inject(struct bug_set *bugs, const char *name, struct error *error) {
    enum bug bug;
    if (strcmp(name, "none") == 0)
        return true;
    if (!bug_find(BUG_MODEL_MIGRATING_TABLE, name, &bug))
        return error_set(error, "'%.100s': expected the number of a bug, or none", name);
    bug_set_inject(bugs, bug);
    return true;
}

static int migrate(char **arguments, struct error *error) {
    struct bug_set bugs = {0};
    const struct live_options options = {.control = arguments[0],
                                         .name = arguments[1],
                                         .out = stdout,
                                         .rows_per_second = COPIED_A_SECOND,
                                         .batch_rows = COPIED_AT_ONCE,
                                         .is_interrupted = &is_ending,
                                         .bugs = &bugs};
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    return inject(&bugs, arguments[2], error) ? live_migrate(&options, error) : 2;
}

static int run(char **arguments, struct error *error) {
    struct bug_set bugs = {0};
    if (!inject(&bugs, arguments[2], error))
        return 2;
    struct app app = {.history = open_history(arguments[3]), .process = number(arguments[4])};
    struct live_client *client = live_client_open_with(arguments[0], arguments[1], &bugs, error);
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    app.table = client ? live_client_table(client, error) : NULL;
    if (!app.table || app.history < 0)
        return 3;
    arena_init(&app.arena, ARENA_BYTES);
    rng_seed(&app.rng, number(arguments[5]));
    while (!is_ending) {
        make_call(&app);
        rest((long)rng_below(&app.rng, 8));
    }
    ct_close(app.table);
    live_client_close(client);
    return 0;
}

static int load(char **arguments, struct error *error) {
    struct file_connection file;
    struct app app = {.process = 0};
    unsigned rows = number(arguments[1]);
    if (!file_open(&file, arguments[0], true, error))
        return 3;
    app.table = file.table;
    arena_init(&app.arena, ARENA_BYTES);
    for (unsigned i = 0; i < rows;) {
        arena_reset(&app.arena, 0);
        struct ct_property property = {.name = "n", .type = CT_INT32};
        struct ct_batch batch = ct_batch_new(&app.arena, LOAD_BATCH);
        struct ct_op_result results[LOAD_BATCH];
        const char *partition = arena_printf(&app.arena, "bulk%06u", i / 1000);
        for (; batch.count < LOAD_BATCH && i < rows; i++) {
            property.value.int32 = (int32_t)i;
            struct ct_key key = {partition, arena_printf(&app.arena, "%08u", i)};
            ct_batch_add(&batch, CT_INSERT, ct_row_new(&app.arena, key, NULL, &property, 1));
        }
        if (ct_execute(app.table, &batch, &app.arena, results).kind != CT_SUCCEEDED)
            return 3;
    }
    file_close(&file);
    return 0;
}

static int final(char **arguments, struct error *error) {
    struct file_connection file;
    struct app app = {.history = open_history(arguments[1]), .process = number(arguments[2])};
    if (app.history < 0 || !file_open(&file, arguments[0], false, error))
        return 3;
    app.table = file.table;
    arena_init(&app.arena, ARENA_BYTES);
    for (int p = 0; p < PARTITIONS; p++)
        for (int k = 0; k < KEYS; k++)
            get(&app, (struct ct_key){partitions[p], row_keys[k]});
    file_close(&file);
    return 0;
}

int main(int count, char **arguments) {
    struct error error = {""};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int status = 2;
    sigaction(SIGXFSZ, &ignore, NULL); // then a write fails
    if (count == 8 && strcmp(arguments[1], "run") == 0)
        status = run(arguments + 2, &error);
    else if (count == 5 && strcmp(arguments[1], "migrate") == 0)
        status = migrate(arguments + 2, &error);
    else if (count == 4 && strcmp(arguments[1], "load") == 0)
        status = load(arguments + 2, &error);
    else if (count == 5 && strcmp(arguments[1], "final") == 0)
        status = final(arguments + 2, &error);
    if (status != 0)
        fprintf(stderr, "chaos-app: %s\n",
                *error.text ? error.text
                            : "expected run, migrate, load or final (see tests/chaos/app.c)");
    return status;
}
