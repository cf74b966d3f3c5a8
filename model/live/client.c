#define _POSIX_C_SOURCE 200809L
#include "model/live/client.h"

#include "core/base/grow.h"
#include "model/config/member.h"
#include "model/live/files.h"
#include "model/migrating/migrating.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAP = 20000000 }; // nanoseconds

struct live_client {
    struct thread_env env;
    // That of the virtual tables. What is started runs at once: it is the end of a stream, which
    // uses connections that serve one thread at a time, and so waits only for a change of state.
    struct thread_env tables_env;
    struct ct_env_ops tables_ops;
    struct arena *arena;
    struct file_connection control;
    struct mt_control_config config; // as it was when the process came
    struct mt_member member;
};

// The virtual table of one thread.
struct live_table {
    struct ct_table table; // first member
    struct ct_table *inner;
    struct mt_table *instance;
    struct file_connection old_file, new_file;
    struct mt_guard guards[2];
};

// Unlike that of any other process, ever: 128 random bits.
// Host and process number come back, and two processes of one id are one to the migrator.
static bool make_id(char id[40], struct error *error) {
    unsigned char bytes[16];
    int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t count = file >= 0 ? read(file, bytes, sizeof bytes) : -1;
    if (file >= 0)
        close(file);
    if (count != (ssize_t)sizeof bytes)
        return error_set(error, "/dev/urandom: expected random bytes, found none");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    return true;
}

static const char *describe_process(struct arena *arena) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    return arena_printf(arena, "%s process %ld", host, (long)getpid());
}

static void run_member(void *member) {
    mt_member_run(member);
}

static bool join(struct live_client *client, const char *path, const char *name,
                 struct bug_set *bugs, struct error *error) {
    char id[40];
    if (!make_id(id, error))
        return false;
    struct ct_env *env = &client->env.env;
    mt_member_init(&client->member,
                   &(struct mt_member_options){.env = env,
                                               .control = &client->control.bounded,
                                               .migration = arena_strdup(client->arena, name),
                                               .id = arena_strdup(client->arena, id),
                                               .about = describe_process(client->arena),
                                               .is_preemptive = true,
                                               .nap = NAP,
                                               .bugs = bugs});
    // Each try waits for a busy file by itself (FILES_BUSY_MS).
    enum { TRIES = 20 };
    struct ct_outcome outcome = mt_member_join(&client->member);
    for (int i = 0; i < TRIES && ct_failed_with(outcome, CT_STATUS_SERVER_ERROR); i++)
        outcome = mt_member_join(&client->member);
    bool is_in = outcome.kind == CT_SUCCEEDED;
    // A thread of its own: the lease is renewed however long an application's call takes.
    if (is_in && thread_env_start(&client->env, run_member, &client->member))
        return true;
    mt_member_leave(&client->member);
    mt_member_run(&client->member); // signs off at once
    mt_member_deinit(&client->member);
    if (is_in)
        return error_set(error, "no thread can be had to renew the lease");
    return error_set(error,
                     "%.200s: cannot register in the migration '%.100s': the file is busy or "
                     "failed",
                     path, name);
}

static void run_now(struct ct_env *env, const char *name, void (*function)(void *),
                    void *argument) {
    (void)env;
    (void)name;
    function(argument);
}

static void open_env(struct live_client *client) {
    thread_env_init(&client->env, FILES_ARENA_BYTES);
    thread_env_init(&client->tables_env, FILES_ARENA_BYTES);
    client->arena = client->env.env.ops->arena_open(&client->env.env);
    client->tables_ops = *client->tables_env.env.ops;
    client->tables_ops.start = run_now;
    client->tables_env.env.ops = &client->tables_ops;
}

static void close_env(struct live_client *client) {
    client->env.env.ops->arena_close(&client->env.env, client->arena);
    thread_env_deinit(&client->env);
    thread_env_deinit(&client->tables_env);
    free(client);
}

struct live_client *live_client_open(const char *path, const char *name, struct error *error) {
    return live_client_open_with(path, name, NULL, error);
}

struct live_client *live_client_open_with(const char *path, const char *name, struct bug_set *bugs,
                                          struct error *error) {
    struct live_client *client = grow_new(1, sizeof *client, "a client");
    struct file_migration migration = {
        .control = &client->control, .env = &client->env, .path = path, .name = name};
    open_env(client);
    if (file_open_control(&client->control, path, error) &&
        file_read_config(&migration, client->arena, &client->config, error) &&
        join(client, path, name, bugs, error))
        return client;
    file_close(&client->control);
    close_env(client);
    return NULL;
}

int live_client_version(struct live_client *client) {
    return atomic_load(&client->member.known);
}

void live_client_close(struct live_client *client) {
    // In this order: the member signs off over the control connection, which is closed after its
    // thread has ended.
    mt_member_leave(&client->member);
    thread_env_wait(&client->env);
    mt_member_deinit(&client->member);
    file_close(&client->control);
    close_env(client);
}

// ---- Tables ------------------------------------------------------------------------------------

static struct live_table *table_of(struct ct_table *table) {
    return (struct live_table *)table;
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct ct_table *inner = table_of(table)->inner;
    return inner->ops->execute(inner, where, batch, arena, results);
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    struct ct_table *inner = table_of(table)->inner;
    return inner->ops->query(inner, where, filter, arena, rows);
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    struct ct_table *inner = table_of(table)->inner;
    return inner->ops->open_stream(inner, where, filter, stream);
}

static void close_table(struct ct_table *base) {
    struct live_table *table = table_of(base);
    ct_close(table->inner);
    file_close(&table->old_file);
    file_close(&table->new_file);
    free(table);
}

struct ct_table *live_client_table(struct live_client *client, struct error *error) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = execute,
                                            .query = query,
                                            .open_stream = open_stream,
                                            .close = close_table};
    struct live_table *table = grow_new(1, sizeof *table, "a table");
    struct mt_lease *lease = mt_member_lease(&client->member);
    table->table.ops = &ops;
    if (!file_open_named(&table->old_file, client->config.old_name, false, error) ||
        !file_open_named(&table->new_file, client->config.new_name, false, error)) {
        file_close(&table->old_file);
        free(table);
        return NULL;
    }
    mt_guard_init(&table->guards[0], &table->old_file.bounded, lease);
    mt_guard_init(&table->guards[1], &table->new_file.bounded, lease);
    table->instance = mt_open(&(struct mt_options){.old_table = &table->guards[0].table,
                                                   .new_table = &table->guards[1].table,
                                                   .config = mt_member_config(&client->member),
                                                   .env = &client->tables_env.env,
                                                   .bugs = client->member.options.bugs});
    table->inner = mt_interface(table->instance);
    return &table->table;
}
