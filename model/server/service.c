#include "model/server/call.h"

#include "model/table/error.h"
#include "model/wire/encoding.h"

#include <math.h>
#include <string.h>
#include <strings.h>

const char *call_header(const struct call *call, const char *name) {
    return wire_header(&call->request->headers, name);
}

bool call_wants_no_content(const struct wire_headers *headers) {
    const char *prefer = wire_header(headers, "Prefer");
    return prefer && strcasecmp(prefer, "return-no-content") == 0;
}

static struct ct_table *expect_table(struct call *call, struct ct_outcome outcome,
                                     struct ct_table *table) {
    if (outcome.kind == CT_SUCCEEDED && table)
        return table;
    answer_error(call, outcome.kind == CT_SUCCEEDED ? WIRE_NO_TABLE : call_error_of(outcome));
    return NULL;
}

struct ct_table *call_table(struct call *call, const char *name) {
    struct ct_table *table = NULL;
    struct ct_outcome outcome = call->store->ops->find(call->store, name, call->arena, &table);
    return expect_table(call, outcome, table);
}

struct ct_table *call_table_to_write(struct call *call, const char *name) {
    struct ct_table *table = NULL;
    struct ct_outcome outcome = server_find_to_write(call->store, name, call->arena, &table);
    return expect_table(call, outcome, table);
}

enum wire_error call_error_of(struct ct_outcome outcome) {
    if (outcome.kind == CT_UNKNOWN)
        return WIRE_UNKNOWN;
    if (outcome.kind != CT_STORAGE_ERROR)
        return WIRE_SERVER;
    // Nothing was done: clients may come again, and do.
    return outcome.status == CT_STATUS_SERVER_ERROR ? WIRE_BUSY
                                                    : wire_error_of(ct_error_of(outcome));
}

enum wire_error call_batch_error_of(struct call *call, const char *name,
                                    struct ct_outcome outcome) {
    enum wire_error error = call_error_of(outcome);
    struct ct_table *table = NULL;
    // A table that was dropped meanwhile and a row that is not there are both 404: clients tell
    // them apart by the code.
    if (error != WIRE_NOT_FOUND)
        return error;
    outcome = call->store->ops->find(call->store, name, call->arena, &table);
    return outcome.kind == CT_SUCCEEDED && !table ? WIRE_NO_TABLE : error;
}

struct wire_form call_form(const struct call *call, const char *table) {
    return (struct wire_form){.metadata = call->metadata,
                              .base = call->base,
                              .account = call->account->name,
                              .table = table};
}

bool call_read_accept(struct call *call) {
    const char *accept = call_header(call, "Accept");
    const char *format = target_query(&call->target, "$format");
    // The parameter is for those who cannot choose headers, so it counts.
    accept = format ? format : accept;
    call->metadata = WIRE_METADATA_MINIMAL;
    if (!accept)
        return true;
    if (strstr(accept, "odata=nometadata"))
        call->metadata = WIRE_METADATA_NONE;
    if (strstr(accept, "odata=fullmetadata"))
        call->metadata = WIRE_METADATA_FULL;
    // The answers of the latter are no JSON (multipart, XML): what is accepted says nothing of
    // them.
    return strstr(accept, "json") || strstr(accept, "*/*") || call->target.kind == TARGET_BATCH ||
           call->target.kind == TARGET_SERVICE || target_query(&call->target, "comp");
}

// The base of URLs that clients are told: the host is what they have called it.
// Only characters of a host are taken over: it is the client's text, and goes into the answer.
static const char *base_of(const struct call *call) {
    const char *host = call_header(call, "Host");
    struct wire_out out = {.arena = call->arena};
    wire_add(&out, "http://");
    for (const char *at = host ? host : ""; *at; at++)
        if (strchr("-._:[]", *at) || (*at >= '0' && *at <= '9') ||
            ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z'))
            wire_add_bytes(&out, at, 1);
    WIRE_ADD(&out, "/", call->account->name);
    return wire_text(&out);
}

bool server_is_table_name(const char *name) {
    return target_check_name(name) == WIRE_OK;
}

// A day: "2019-02-02". Which one does not matter, all of them are served alike.
static bool is_version(const char *text) {
    static const char form[] = "0000-00-00";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static void dispatch(struct call *call) {
    // What is asked of a table beside its entities, by a word: its access policies.
    if (call->target.kind != TARGET_SERVICE && target_query(&call->target, "comp")) {
        answer_error(call, WIRE_NOT_IMPLEMENTED);
        return;
    }
    switch (call->target.kind) {
    case TARGET_SERVICE:
        call_service(call);
        return;
    case TARGET_TABLES:
        call_tables(call);
        return;
    case TARGET_TABLE:
        call_one_table(call);
        return;
    case TARGET_BATCH:
        call_transaction(call);
        return;
    case TARGET_ENTITIES:
        call_entities(call);
        return;
    case TARGET_ENTITY:
        call_entity(call);
        return;
    }
}

// A signature that ends bounds what is done under it, and not only when it is asked for: whoever
// sent the request counts on nothing happening later. Both clocks were read with the request.
static void bound(struct call *call) {
    const struct server_store_ops *ops = call->store->ops;
    const struct server_request *request = call->request;
    int64_t end = call->access.end;
    double left = (double)(end - request->now) / WIRE_TICKS;
    // Also if there is none: the store still has that of the request before.
    if (ops->set_deadline)
        ops->set_deadline(call->store, end == INT64_MAX ? HUGE_VAL : request->clock + left);
}

void server_answer_to(struct server_store *store, const struct server_account *account,
                      const struct server_request *request, struct arena *arena,
                      struct server_answer *answer) {
    struct call *call = ARENA_NEW(arena, struct call);
    *call = (struct call){.store = store,
                          .account = account,
                          .request = request,
                          .arena = arena,
                          .answer = answer,
                          .metadata = WIRE_METADATA_MINIMAL,
                          .method = request->method};
    memset(answer, 0, sizeof *answer);
    const char *version = call_header(call, "x-ms-version");
    const char *client_id = call_header(call, "x-ms-client-request-id");
    bool is_known = !version || is_version(version);
    answer_header(call, "x-ms-version", version && is_known ? version : "2019-02-02");
    answer_header(call, "x-ms-request-id", request->id);
    if (client_id)
        answer_header(call, "x-ms-client-request-id", client_id);
    answer_header(call, "Cache-Control", "no-cache");
    answer_header(call, "X-Content-Type-Options", "nosniff");
    answer_header(call, "DataServiceVersion", "3.0;");
    // What else is wrong with a request is told to those alone who may make it.
    enum wire_error error = target_parse(arena, request->target, &call->target);
    if (error == WIRE_OK)
        error = access_check(account, request, &call->target, arena, &call->access);
    if (error == WIRE_OK && !is_known)
        error = WIRE_HEADER;
    if (error == WIRE_OK && !call_read_accept(call))
        error = WIRE_FORMAT;
    if (error != WIRE_OK) {
        answer_error(call, error);
        return;
    }
    const char *method = call_header(call, "X-HTTP-Method");
    // The signature covers the method that was sent, so this comes after it.
    if (method && strcmp(request->method, "POST") == 0)
        call->method = method;
    call->base = base_of(call);
    bound(call);
    dispatch(call);
}
