// A service over tables in memory, and requests to it as a client signs them.
#ifndef TESTS_MODEL_SERVER_ENDPOINT_H
#define TESTS_MODEL_SERVER_ENDPOINT_H

#include "tests/support/test.h"

#include "model/memory/memory_table.h"
#include "model/server/service.h"
#include "model/wire/encoding.h"
#include "model/wire/out.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TABLES_MAX = 8, NAME_BYTES = 64 };

// Of all calls and tables: those in memory keep what they are given.
static struct arena arena;

// ---- A store -----------------------------------------------------------------------------------

struct memory_store {
    struct server_store store; // first, so that the interface is the store
    struct {
        char name[NAME_BYTES];
        struct ct_table *table; // NULL: none
    } tables[TABLES_MAX];
    // What the store answers instead, if its kind is not CT_SUCCEEDED.
    struct ct_outcome failure;
    double deadline; // what it was told last
};

static int store_index(struct memory_store *store, const char *name) {
    for (int i = 0; i < TABLES_MAX; i++)
        if (store->tables[i].table && strcasecmp(store->tables[i].name, name) == 0)
            return i;
    return -1;
}

static struct ct_outcome store_find(struct server_store *interface, const char *name,
                                    struct arena *call, struct ct_table **table) {
    struct memory_store *store = (struct memory_store *)interface;
    int index = store_index(store, name);
    (void)call;
    *table = index < 0 ? NULL : store->tables[index].table;
    return store->failure;
}

static struct ct_outcome store_create(struct server_store *interface, const char *name,
                                      struct arena *call, bool *is_new) {
    struct memory_store *store = (struct memory_store *)interface;
    (void)call;
    *is_new = store_index(store, name) < 0;
    for (int i = 0; *is_new && i < TABLES_MAX; i++)
        if (!store->tables[i].table) {
            snprintf(store->tables[i].name, NAME_BYTES, "%s", name);
            store->tables[i].table = ct_memory_table_interface(ct_memory_table_open(
                &(struct ct_memory_options){.arena = &arena, .etag_prefix = "W/\"m-"}));
            return store->failure;
        }
    return *is_new ? ct_storage_error(CT_STATUS_SERVER_ERROR, 0) : store->failure;
}

static struct ct_outcome store_drop(struct server_store *interface, const char *name,
                                    struct arena *call, bool *was_there) {
    struct memory_store *store = (struct memory_store *)interface;
    int index = store_index(store, name);
    (void)call;
    *was_there = index >= 0;
    if (index >= 0)
        store->tables[index].table = NULL;
    return store->failure;
}

static struct ct_outcome store_list(struct server_store *interface, const char *from, size_t most,
                                    struct arena *call, const char *const **names, size_t *count) {
    struct memory_store *store = (struct memory_store *)interface;
    const char **found = ARENA_ARRAY(call, const char *, TABLES_MAX);
    *count = 0;
    for (int i = 0; i < TABLES_MAX; i++) {
        size_t at = (*count)++;
        if (!store->tables[i].table || strcasecmp(store->tables[i].name, from) < 0)
            --*count;
        else
            for (found[at] = store->tables[i].name;
                 at > 0 && strcasecmp(found[at - 1], found[at]) > 0; at--) {
                const char *name = found[at];
                found[at] = found[at - 1];
                found[at - 1] = name;
            }
    }
    *count = *count < most ? *count : most;
    *names = found;
    return store->failure;
}

static void store_set_deadline(struct server_store *interface, double seconds) {
    ((struct memory_store *)interface)->deadline = seconds;
}

static const struct server_store_ops store_ops = {.find = store_find,
                                                  .create = store_create,
                                                  .drop = store_drop,
                                                  .list = store_list,
                                                  .set_deadline = store_set_deadline};

// ---- Requests ----------------------------------------------------------------------------------

// A Tuesday.
#define NOW INT64_C(17953204958122003)
#define CLOCK 1000.0 // of the request
#define ACCOUNT "acc"

static struct memory_store store;
static struct server_account account = {.name = ACCOUNT};
static struct server_answer answer;

static inline int open_endpoint(void **state) {
    (void)state;
    store = (struct memory_store){.store.ops = &store_ops};
    arena_init(&arena, (size_t)1 << 31);
    assert_true(wire_key_read("c2VjcmV0", &account.key));
    return 0;
}

static inline int close_endpoint(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static inline void add_request_header(struct server_request *request, const char *name,
                                      const char *value) {
    request->headers.list[request->headers.count++] = (struct wire_header){name, value};
}

static inline struct server_request request_of(const char *method, const char *target,
                                               const char *body) {
    struct server_request request = {
        .method = method, .target = target, .body = body, .size = strlen(body), .id = "id"};
    request.now = NOW;
    request.clock = CLOCK;
    add_request_header(&request, "Accept", "application/json;odata=minimalmetadata");
    add_request_header(&request, "Host", "h:1");
    return request;
}

// Signs [request] as of its time.
static inline void sign(struct server_request *request, bool is_lite) {
    char date[WIRE_DATE_SIZE], path[1024], signature[WIRE_SIGNATURE_SIZE];
    wire_date(request->now, date);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(request->target, "?"), request->target);
    const char *type = wire_header(&request->headers, "Content-Type");
    struct wire_signed parts = {.verb = request->method,
                                .content_md5 = "",
                                .content_type = type ? type : "",
                                .date = date,
                                .account = ACCOUNT,
                                .path = path};
    const char *comp = strstr(request->target, "comp=");
    if (comp)
        parts.comp = arena_printf(&arena, "%.*s", (int)strcspn(comp + 5, "&"), comp + 5);
    wire_sign(&account.key,
              is_lite ? wire_shared_key_lite_text(&arena, &parts)
                      : wire_shared_key_text(&arena, &parts),
              signature);
    add_request_header(request, "x-ms-date", arena_strdup(&arena, date));
    add_request_header(request, "Authorization",
                       arena_printf(&arena, "%s " ACCOUNT ":%s",
                                    is_lite ? "SharedKeyLite" : "SharedKey", signature));
}

static inline unsigned send_request(const struct server_request *request) {
    server_answer_to(&store.store, &account, request, &arena, &answer);
    return answer.status;
}

// Sends a request with one header of its own, or with none if [name] is NULL.
static inline unsigned ask_with(const char *method, const char *target, const char *body,
                                const char *name, const char *value) {
    struct server_request request = request_of(method, target, body);
    if (name)
        add_request_header(&request, name, value);
    sign(&request, true);
    return send_request(&request);
}

static inline unsigned ask(const char *method, const char *target, const char *body) {
    return ask_with(method, target, body, NULL, NULL);
}

static inline const char *answer_header_of(const char *name) {
    for (size_t i = 0; i < answer.header_count; i++)
        if (strcasecmp(answer.headers[i].name, name) == 0)
            return answer.headers[i].value;
    return NULL;
}

// The status and the code of the last answer: "404 TableNotFound".
static inline const char *told(void) {
    return arena_printf(&arena, "%u %s", answer.status, answer.error ? answer.error : "");
}

#endif
