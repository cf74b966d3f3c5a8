// mtable get, put, query, import, export: a table at an endpoint, from the command line. Entities
// are lines of JSON, as the protocol has them, with the types that their form does not tell.
#include "model/command/command.h"

#include "core/base/grow.h"
#include "model/azure/azure_table.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/error.h"
#include "model/table/filter.h"
#include "model/table/row.h"
#include "model/wire/entity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_BYTES = 1 << 30,
    LINE_BYTES_MAX = 8 << 20,     // of an entity in JSON
    BATCH_BYTES_SENT = 512 << 10, // a batch ends after the line that passes it
    PATH_BYTES = 4096,
};

struct client {
    struct ct_azure_table *azure;
    struct ct_table *table;
    struct arena arena;
    struct error *error;
};

// ---- The endpoint ------------------------------------------------------------------------------

static bool read_account(const struct settings *settings, struct ct_azure_account *account,
                         struct error *error) {
    char path[PATH_BYTES];
    const char *given = getenv("MTABLE_CONNECTION_STRING");
    // What is said comes before what the environment says, and that before the server's own file.
    if (*settings->connection)
        return ct_azure_account_load(account, settings->connection, false, error);
    if (given)
        return ct_azure_account_read(account, given, false, error);
    snprintf(path, sizeof path, "%s/connection-string", settings->data);
    return ct_azure_account_load(account, path, false, error);
}

static int open_client(const struct settings *settings, bool creates, struct client *client,
                       struct error *error) {
    struct ct_azure_account account;
    if (!read_account(settings, &account, error))
        return COMMAND_USAGE;
    client->azure = ct_azure_open(&(struct ct_azure_options){.account = &account,
                                                             .name = settings->arguments[0],
                                                             .creates = creates},
                                  error);
    if (!client->azure)
        return COMMAND_FAILED;
    client->table = ct_azure_interface(client->azure);
    client->error = error;
    arena_init(&client->arena, ARENA_BYTES);
    return COMMAND_DONE;
}

static void close_client(struct client *client) {
    ct_close(client->table);
    arena_deinit(&client->arena);
}

// The status that [outcome] is, and its error.
static int tell(struct client *client, struct ct_outcome outcome, const char *what) {
    if (outcome.kind == CT_SUCCEEDED)
        return COMMAND_DONE;
    if (outcome.kind == CT_UNKNOWN) {
        error_set(client->error, "%.100s: no answer came: it may have been done or not; look",
                  what);
        return COMMAND_FAILED;
    }
    if (ct_failed_with(outcome, CT_STATUS_SERVER_ERROR)) {
        error_set(client->error,
                  "%.100s: the endpoint cannot be reached or is busy; nothing was "
                  "done, try again",
                  what);
        return COMMAND_FAILED;
    }
    if (outcome.kind != CT_STORAGE_ERROR) {
        error_set(client->error, "%.100s: %.300s", what, outcome.message ? outcome.message : "");
        return COMMAND_FAILED;
    }
    enum ct_error error = ct_error_of(outcome);
    error_set(client->error, "%.100s: %.60s: %.250s", what, ct_error_name(error),
              ct_error_message(error));
    return COMMAND_NEGATIVE;
}

static bool has_arguments(const struct settings *settings, int least, int most, const char *usage,
                          struct error *error) {
    return (settings->argument_count >= least && settings->argument_count <= most) ||
           error_set(error, "expected: mtable %s", usage);
}

// ---- Reading -----------------------------------------------------------------------------------

static bool print_row(struct client *client, const struct ct_row *row) {
    struct wire_out out = {.arena = &client->arena};
    wire_entity_send(&out, row);
    wire_add(&out, "\n");
    return fwrite(out.data, 1, out.size, stdout) == out.size ||
           error_set(client->error, "cannot write to standard output");
}

int command_get(const struct settings *settings, struct error *error) {
    struct client client;
    struct ct_rows rows = {0};
    if (!has_arguments(settings, 3, 3, "get TABLE PARTITION ROW", error))
        return COMMAND_USAGE;
    int status = open_client(settings, false, &client, error);
    if (status != COMMAND_DONE)
        return status;
    struct ct_key key = {settings->arguments[1], settings->arguments[2]};
    const struct ct_filter *filter = ct_filter_point(&client.arena, key);
    status = tell(&client, ct_query(client.table, filter, &client.arena, &rows), "get");
    if (status == COMMAND_DONE && rows.count == 0) {
        error_set(error, "get: no such row");
        status = COMMAND_NEGATIVE;
    } else if (status == COMMAND_DONE && !print_row(&client, rows.rows[0])) {
        status = COMMAND_FAILED;
    }
    close_client(&client);
    return status;
}

static int print_all(struct client *client, const struct ct_filter *filter) {
    struct ct_stream *stream;
    const struct ct_row *row = NULL;
    size_t mark = arena_mark(&client->arena);
    int status = tell(client, ct_open_stream(client->table, filter, &stream), "query");
    if (status != COMMAND_DONE)
        return status;
    do {
        arena_reset(&client->arena, mark);
        status = tell(client, ct_stream_read(stream, &row), "query");
        if (status == COMMAND_DONE && row && !print_row(client, row))
            status = COMMAND_FAILED;
    } while (status == COMMAND_DONE && row);
    ct_stream_close(stream);
    if (status == COMMAND_DONE && fflush(stdout) != 0) {
        error_set(client->error, "cannot write to standard output");
        status = COMMAND_FAILED;
    }
    return status;
}

static int query(const struct settings *settings, const char *text, struct error *error) {
    struct client client;
    const struct ct_filter *filter;
    int status = open_client(settings, false, &client, error);
    if (status != COMMAND_DONE)
        return status;
    status = ct_filter_parse(&client.arena, text, &filter, error) ? print_all(&client, filter)
                                                                  : COMMAND_USAGE;
    close_client(&client);
    return status;
}

int command_query(const struct settings *settings, struct error *error) {
    if (!has_arguments(settings, 1, 2, "query TABLE [FILTER]", error))
        return COMMAND_USAGE;
    return query(settings, settings->argument_count > 1 ? settings->arguments[1] : "", error);
}

int command_export(const struct settings *settings, struct error *error) {
    if (!has_arguments(settings, 1, 1, "export TABLE", error))
        return COMMAND_USAGE;
    return query(settings, "", error);
}

// ---- Writing -----------------------------------------------------------------------------------

// The entity in [text]; its place among others is told in the error.
static bool read_entity(struct client *client, const char *text, size_t size, uint64_t line,
                        struct ct_row **row) {
    enum wire_error error = wire_entity_read(&client->arena, text, size, row);
    if (error == WIRE_OK && (!(*row)->key.partition || !(*row)->key.row))
        error = WIRE_NEED_VALUE;
    if (error == WIRE_OK)
        error = wire_error_of(ct_check_row(&ct_service_rules, *row));
    if (error == WIRE_OK)
        return true;
    struct wire_error_text said = wire_error_text(error);
    return error_set(client->error, "line %llu: %.60s: %.200s", (unsigned long long)line, said.code,
                     said.message);
}

int command_put(const struct settings *settings, struct error *error) {
    struct client client;
    struct ct_row *row;
    struct ct_op_result result;
    if (!has_arguments(settings, 2, 2, "put TABLE JSON", error))
        return COMMAND_USAGE;
    int status = open_client(settings, true, &client, error);
    if (status != COMMAND_DONE)
        return status;
    status = COMMAND_USAGE;
    if (read_entity(&client, settings->arguments[1], strlen(settings->arguments[1]), 1, &row)) {
        struct ct_batch batch = ct_batch_new(&client.arena, 1);
        row->etag = NULL;
        ct_batch_add(&batch, CT_INSERT_OR_REPLACE, row);
        status = tell(&client, ct_execute(client.table, &batch, &client.arena, &result), "put");
    }
    close_client(&client);
    return status;
}

// Entities on their way, all of one partition and with different row keys.
struct import {
    struct client *client;
    struct ct_batch batch;
    size_t bytes;
    uint64_t lines, rows;
};

// An import that ends in the middle has done whole batches; begun again it puts the same rows once
// more.
static int send_batch(struct import *import) {
    struct client *client = import->client;
    struct ct_op_result results[CT_BATCH_OPERATIONS_MAX];
    int status = COMMAND_DONE;
    if (import->batch.count > 0) {
        struct ct_outcome outcome =
            ct_execute(client->table, &import->batch, &client->arena, results);
        status = tell(client, outcome, "import");
        import->rows += status == COMMAND_DONE ? import->batch.count : 0;
    }
    arena_reset(&client->arena, 0);
    import->batch = ct_batch_new(&client->arena, CT_BATCH_OPERATIONS_MAX);
    import->bytes = 0;
    return status;
}

static bool fits(const struct import *import, const struct ct_row *row) {
    const struct ct_batch *batch = &import->batch;
    bool is_full = batch->count == CT_BATCH_OPERATIONS_MAX || import->bytes > BATCH_BYTES_SENT;
    for (size_t i = 0; !is_full && i < batch->count; i++)
        // A row that comes twice goes into two batches, in its order: the later line wins.
        is_full = ct_key_equal(batch->operations[i].entity->key, row->key) ||
                  strcmp(batch->operations[i].entity->key.partition, row->key.partition) != 0;
    return !is_full;
}

static int add_line(struct import *import, const char *line, size_t size) {
    struct ct_row *row;
    import->lines++;
    if (!read_entity(import->client, line, size, import->lines, &row))
        return COMMAND_USAGE;
    if (!fits(import, row)) {
        int status = send_batch(import);
        // The arena is empty now: it is read again.
        if (status != COMMAND_DONE || !read_entity(import->client, line, size, import->lines, &row))
            return status != COMMAND_DONE ? status : COMMAND_USAGE;
    }
    row->etag = NULL;
    ct_batch_add(&import->batch, CT_INSERT_OR_REPLACE, row);
    import->bytes += size;
    return COMMAND_DONE;
}

static int import_lines(struct import *import) {
    char *line = grow_new(1, LINE_BYTES_MAX, "a line");
    int status = send_batch(import); // empty: makes room for the first
    while (status == COMMAND_DONE && fgets(line, LINE_BYTES_MAX, stdin)) {
        size_t size = strlen(line);
        if (size + 1 == LINE_BYTES_MAX && line[size - 1] != '\n') {
            error_set(import->client->error, "line %llu: longer than an entity can be",
                      (unsigned long long)import->lines + 1);
            status = COMMAND_USAGE;
        } else if (size > strspn(line, " \r\n")) {
            status = add_line(import, line, size);
        }
    }
    if (status == COMMAND_DONE)
        status = send_batch(import);
    free(line);
    return status;
}

int command_import(const struct settings *settings, struct error *error) {
    struct client client;
    if (!has_arguments(settings, 1, 1, "import TABLE", error))
        return COMMAND_USAGE;
    int status = open_client(settings, true, &client, error);
    if (status != COMMAND_DONE)
        return status;
    struct import import = {.client = &client};
    status = import_lines(&import);
    fprintf(stderr, "mtable: %llu rows imported\n", (unsigned long long)import.rows);
    close_client(&client);
    return status;
}
