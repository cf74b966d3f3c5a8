// The processes of a migration under chaos, but for those of `mtable`. See scripts/chaos.
//
//   chaos-app run     HISTORY PROCESS SEED CONTROL MIGRATION BUG  calls the virtual table itself
//   chaos-app call    HISTORY PROCESS SEED TABLE CONNECTION...    ... through servers of it: files
//                                                                 of connection strings
//   chaos-app serve   BUG [--SETTING VALUE]...                    as `mtable serve`
//   chaos-app migrate CONTROL MIGRATION BUG                       as `mtable migrate`, slowly
//   chaos-app load    FILE#TABLE ROWS                             fills a table
//   chaos-app final   FILE#TABLE ROWS HISTORY PROCESS             reads all; 1: ROWS are not there
//
// `run` and `call` go on until SIGTERM. BUG is the number of an optional bug (bugs/bugs.def) that
// is injected into the process, or "none". Histories: calls.h.
#define _POSIX_C_SOURCE 200809L
#include "core/base/number.h"
#include "model/azure/azure_table.h"
#include "model/command/command.h"
#include "model/live/client.h"
#include "model/live/files.h"
#include "model/live/live.h"
#include "tests/chaos/calls.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { COPIED_A_SECOND = 150, COPIED_AT_ONCE = 7, SERVERS_MAX = 8, REST_MS = 40 };
enum { STATUS_LOST = 1 };

static volatile sig_atomic_t is_ending;

static void on_term(int number) {
    (void)number;
    is_ending = 1;
}

static void end_at_term(void) {
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
}

static void rest(struct caller *caller) {
    long milliseconds = (long)rng_below(&caller->rng, REST_MS);
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
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

// ---- Applications ------------------------------------------------------------------------------

static int run(char **arguments, int count, struct error *error) {
    struct bug_set bugs = {0};
    struct caller caller;
    (void)count;
    if (!inject(&bugs, arguments[5], error))
        return 2;
    end_at_term();
    if (!caller_init(&caller, arguments[0], number(arguments[1]), number(arguments[2])))
        return 3;
    struct live_client *client = live_client_open_with(arguments[3], arguments[4], &bugs, error);
    caller.table = client ? live_client_table(client, error) : NULL;
    if (!caller.table)
        return 3;
    while (!is_ending) {
        caller_make_call(&caller);
        rest(&caller);
    }
    ct_close(caller.table);
    live_client_close(client);
    return 0;
}

// The table at a server; NULL: it cannot be reached now.
static struct ct_table *open_served(const char *connection, const char *table) {
    struct ct_azure_account account;
    struct error error;
    const struct ct_azure_options options = {
        .account = &account, .name = table, .request_ms = CT_AZURE_REQUEST_MS_MIN};
    if (!ct_azure_account_load(&account, connection, false, &error))
        return NULL;
    struct ct_azure_table *opened = ct_azure_open(&options, &error);
    return opened ? ct_azure_interface(opened) : NULL;
}

static int call(char **arguments, int count, struct error *error) {
    struct ct_table *tables[SERVERS_MAX] = {NULL};
    struct caller caller;
    uint32_t servers = (uint32_t)count - 4;
    (void)error;
    end_at_term();
    if (!caller_init(&caller, arguments[0], number(arguments[1]), number(arguments[2])))
        return 3;
    while (!is_ending) {
        uint32_t chosen = rng_below(&caller.rng, servers);
        if (!tables[chosen])
            tables[chosen] = open_served(arguments[4 + chosen], arguments[3]);
        caller.table = tables[chosen];
        if (caller.table)
            caller_make_call(&caller);
        rest(&caller);
    }
    for (uint32_t i = 0; i < servers; i++)
        if (tables[i])
            ct_close(tables[i]);
    return 0;
}

// ---- The others --------------------------------------------------------------------------------

static int serve(char **arguments, int count, struct error *error) {
    struct bug_set bugs = {0};
    struct settings settings;
    (void)count;
    int status = 2;
    if (!inject(&bugs, arguments[0], error))
        return status;
    if (settings_read(&settings, arguments + 1, error)) {
        settings.bugs = &bugs;
        status = command_serve(&settings, error);
    }
    settings_free(&settings);
    return status;
}

static int migrate(char **arguments, int count, struct error *error) {
    struct bug_set bugs = {0};
    const struct live_options options = {.control = arguments[0],
                                         .name = arguments[1],
                                         .out = stdout,
                                         .rows_per_second = COPIED_A_SECOND,
                                         .batch_rows = COPIED_AT_ONCE,
                                         .is_interrupted = &is_ending,
                                         .bugs = &bugs};
    (void)count;
    end_at_term();
    return inject(&bugs, arguments[2], error) ? live_migrate(&options, error) : 2;
}

static int load(char **arguments, int count, struct error *error) {
    struct file_connection file;
    struct caller caller;
    (void)count;
    if (!caller_init(&caller, "/dev/null", 0, 0) ||
        !file_open_named(&file, arguments[0], true, error))
        return 3;
    caller.table = file.table;
    bool is_done = caller_load(&caller, number(arguments[1]));
    file_close(&file);
    return is_done ? 0 : 3;
}

static int final(char **arguments, int count, struct error *error) {
    struct file_connection file;
    struct caller caller;
    (void)count;
    if (!caller_init(&caller, arguments[2], number(arguments[3]), 0) ||
        !file_open_named(&file, arguments[0], false, error))
        return 3;
    caller.table = file.table;
    caller_read_all(&caller);
    bool is_there = caller_finds_load(&caller, number(arguments[1]));
    file_close(&file);
    if (!is_there)
        error_set(error, "rows that nobody has changed are lost or changed");
    return is_there ? 0 : STATUS_LOST;
}

static const struct {
    const char *name;
    int least, most; // arguments
    int (*run)(char **arguments, int count, struct error *error);
} commands[] = {
    {"run", 6, 6, run},      {"call", 5, 4 + SERVERS_MAX, call},
    {"serve", 1, 64, serve}, {"migrate", 3, 3, migrate},
    {"load", 2, 2, load},    {"final", 4, 4, final},
};

int main(int count, char **arguments) {
    struct error error = {""};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int status = 2;
    sigaction(SIGXFSZ, &ignore, NULL); // then a write fails
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (count > 1 && strcmp(arguments[1], commands[i].name) == 0 &&
            count - 2 >= commands[i].least && count - 2 <= commands[i].most)
            status = commands[i].run(arguments + 2, count - 2, &error);
    if (status != 0)
        fprintf(stderr, "chaos-app: %s\n",
                *error.text ? error.text : "failed, or used wrongly (see tests/chaos/app.c)");
    return status;
}
