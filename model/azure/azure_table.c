#define _POSIX_C_SOURCE 200809L
#include "model/azure/azure_table.h"

#include "core/base/clock.h"
#include "core/base/grow.h"
#include "model/azure/request.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_MS = 10000, ARENA_BYTES = 64 << 20, PAGE_ROWS = 1000 };

static void close_table(struct ct_table *interface) {
    struct ct_azure_table *table = (struct ct_azure_table *)interface;
    curl_easy_cleanup(table->curl);
    arena_deinit(&table->arena);
    free(table->body);
    free(table);
}

static struct ct_table_limits limits_of(struct ct_table *table) {
    (void)table;
    return (struct ct_table_limits){.query_rows = PAGE_ROWS, .no_delete_if_exists = true};
}

static const struct ct_table_ops table_ops = {
    .version = CT_TABLE_VERSION,
    .execute = azure_table_execute,
    .query = azure_table_query,
    .open_stream = azure_table_open_stream,
    .close = close_table,
    .limits = limits_of,
};

// ---- Opening -----------------------------------------------------------------------------------

// Once for a process: the library's own initialization is not for several threads at once.
static void init_library(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = strlen(name);
    return length >= 3 && length < AZURE_NAME_BYTES && strspn(name, letters) == length;
}

// What a request that is none of the interface's ended with; the service's clock is then known.
static bool is_done(struct ct_azure_table *table, const struct azure_request *request,
                    unsigned expected, unsigned also, struct error *error) {
    struct azure_answer answer = {0};
    struct ct_outcome outcome = azure_send(table, request, &table->arena, &answer);
    if (outcome.kind != CT_SUCCEEDED)
        return error_set(error, "%.200s: no answer to %s; expected a table service there",
                         table->account.endpoint, request->method);
    return answer.status == expected || answer.status == also ||
           error_set(error, "%.200s: table %.63s: answered %u %.60s", table->account.endpoint,
                     table->name, answer.status, answer.code);
}

static bool find_table(struct ct_azure_table *table, bool creates, struct error *error) {
    char body[AZURE_NAME_BYTES + 32], resource[AZURE_NAME_BYTES + 8];
    snprintf(body, sizeof body, "{\"TableName\":\"%s\"}", table->name);
    snprintf(resource, sizeof resource, "%s()", table->name);
    const struct azure_request make = {.method = "POST",
                                       .resource = "Tables",
                                       .content_type = "application/json",
                                       .body = body,
                                       .size = strlen(body)};
    const struct azure_request look = {.method = "GET", .resource = resource, .query = "$top=1"};
    // 409: it is there already. So it does no harm to make it twice, and it is sent as a read is:
    // tried again after a failure.
    if (creates && !is_done(table, &make, 201, 409, error))
        return false;
    // This look also tells the service's clock, which the first write needs for its signature.
    return is_done(table, &look, 200, 200, error);
}

struct ct_azure_table *ct_azure_open(const struct ct_azure_options *options, struct error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_library);
    unsigned request_ms = options->request_ms ? options->request_ms : REQUEST_MS;
    if (!is_name(options->name)) {
        error_set(error, "table '%.63s': expected a name of 3 to 63 letters and digits",
                  options->name);
        return NULL;
    }
    if (request_ms < CT_AZURE_REQUEST_MS_MIN) {
        error_set(error, "a request of %u ms: expected %d or more", request_ms,
                  CT_AZURE_REQUEST_MS_MIN);
        return NULL;
    }
    struct ct_azure_table *table = grow_new(1, sizeof *table, "a table");
    table->table.ops = &table_ops;
    table->account = *options->account;
    table->request_ms = request_ms;
    table->late_ms = options->late_ms;
    table->deadline = HUGE_VAL;
    table->jitter = clock_nanoseconds();
    snprintf(table->name, sizeof table->name, "%s", options->name);
    arena_init(&table->arena, ARENA_BYTES);
    table->curl = curl_easy_init();
    if (table->curl && find_table(table, options->creates, error))
        return table;
    if (!table->curl)
        error_set(error, "libcurl cannot be used");
    close_table(&table->table);
    return NULL;
}

struct ct_table *ct_azure_interface(struct ct_azure_table *table) {
    return &table->table;
}

void ct_azure_set_deadline(struct ct_azure_table *table, double seconds) {
    table->deadline = seconds;
}

bool ct_azure_drop(struct ct_azure_table *table, struct error *error) {
    char resource[AZURE_NAME_BYTES + 16];
    snprintf(resource, sizeof resource, "Tables('%s')", table->name);
    const struct azure_request drop = {.method = "DELETE", .resource = resource};
    return is_done(table, &drop, 204, 404, error);
}
