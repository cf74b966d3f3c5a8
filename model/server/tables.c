// Tables: made, deleted, listed; and what the account tells of itself.
#include "model/server/call.h"

#include "model/server/token.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <jansson.h>
#include <string.h>

// ---- The account -------------------------------------------------------------------------------

// No logging, no metrics, no rules for browsers: it is so and cannot be changed.
static const char properties[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties>"
    "<Logging><Version>1.0</Version><Read>false</Read><Write>false</Write><Delete>false</Delete>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>"
    "<HourMetrics><Version>1.0</Version><Enabled>false</Enabled>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>"
    "<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics>"
    "<Cors /></StorageServiceProperties>";

void call_service(struct call *call) {
    const char *kind = target_query(&call->target, "restype");
    const char *comp = target_query(&call->target, "comp");
    enum wire_error error = access_permits(&call->access, &call->target, "r");
    if (error != WIRE_OK) {
        answer_error(call, error);
    } else if (comp && strcmp(comp, "stats") == 0) {
        answer_error(call, WIRE_QUERY_PARAMETER); // a second location has them
    } else if (strcmp(call->method, "GET") != 0 || !kind || strcmp(kind, "service") != 0 || !comp ||
               strcmp(comp, "properties") != 0) {
        answer_error(call, WIRE_NOT_IMPLEMENTED);
    } else {
        answer_header(call, "Content-Type", "application/xml");
        call->answer->status = 200;
        call->answer->body = properties;
        call->answer->size = sizeof properties - 1;
    }
}

// ---- Making ------------------------------------------------------------------------------------

static void add_table(const struct call *call, struct wire_out *out, const char *name) {
    if (call->metadata == WIRE_METADATA_FULL)
        wire_add_format(out,
                        "\"odata.type\":\"%s.Tables\",\"odata.id\":\"%s/Tables('%s')\","
                        "\"odata.editLink\":\"Tables('%s')\",",
                        call->account->name, call->base, name, name);
    wire_add_format(out, "\"TableName\":\"%s\"", name);
}

static enum wire_error read_name(const struct call *call, const char **name) {
    json_error_t ignored;
    json_t *body = json_loadb(call->request->body, call->request->size, 0, &ignored);
    // What is no JSON is NULL to both, and so has no name.
    const char *given = json_string_value(json_object_get(body, "TableName"));
    *name = arena_strdup(call->arena, given);
    json_decref(body);
    return *name ? target_check_name(*name) : WIRE_INVALID_INPUT;
}

static void create(struct call *call) {
    const struct server_store_ops *ops = call->store->ops;
    const char *name;
    bool is_new = false;
    enum wire_error error = ops->create ? read_name(call, &name) : WIRE_NOT_IMPLEMENTED;
    if (error == WIRE_OK) {
        struct ct_outcome outcome = ops->create(call->store, name, call->arena, &is_new);
        error = outcome.kind != CT_SUCCEEDED ? call_error_of(outcome)
                : is_new                     ? WIRE_OK
                                             : WIRE_TABLE_EXISTS;
    }
    if (error != WIRE_OK) {
        answer_error(call, error);
        return;
    }
    const char *place = arena_printf(call->arena, "%s/Tables('%s')", call->base, name);
    answer_header(call, "Location", place);
    if (call_wants_no_content(&call->request->headers)) {
        answer_header(call, "DataServiceId", place);
        answer_header(call, "Preference-Applied", "return-no-content");
        answer_empty(call, 204);
        return;
    }
    struct wire_out body = {.arena = call->arena};
    wire_add(&body, "{");
    if (call->metadata != WIRE_METADATA_NONE)
        wire_add_format(&body, "\"odata.metadata\":\"%s/$metadata#Tables/@Element\",", call->base);
    add_table(call, &body, name);
    wire_add(&body, "}");
    answer_json(call, 201, &body);
}

// ---- Listing -----------------------------------------------------------------------------------

static bool matches(const struct call *call, const struct ct_filter *filter, const char *name) {
    size_t mark = arena_mark(call->arena);
    struct ct_property property = ct_string("TableName", name);
    bool result =
        ct_filter_matches(filter, ct_row_new(call->arena, ct_key_first(), NULL, &property, 1));
    arena_reset(call->arena, mark);
    return result;
}

// Of a page of names each: a filter that hardly any name matches would have one request read all of
// them.
enum { LOOKS_MAX = 64 };

struct listing {
    const struct ct_filter *filter;
    const char *from; // NULL: there are no more
    uint64_t top;
};

static enum wire_error read_listing(struct call *call, struct listing *listing) {
    const char *filter = target_query(&call->target, "$filter");
    const char *token = target_query(&call->target, "NextTableName");
    struct error ignored;
    *listing = (struct listing){.from = ""};
    if (filter && !ct_filter_parse(call->arena, filter, &listing->filter, &ignored))
        return WIRE_INVALID_INPUT;
    if (token && !(listing->from = token_read(call->arena, token)))
        return WIRE_QUERY_PARAMETER;
    return token_read_top(&call->target, &listing->top);
}

// Goes on until there are enough or no more, or many were looked at in vain: then the client asks
// for the rest.
static enum wire_error add_page(struct call *call, struct listing *listing, struct wire_out *body) {
    uint64_t added = 0;
    for (int looks = 0; looks < LOOKS_MAX && listing->from; looks++) {
        const char *const *names = NULL;
        size_t count = 0;
        struct ct_outcome outcome = call->store->ops->list(
            // One more than a page: its name is where the next one begins.
            call->store, listing->from, SERVER_PAGE_ROWS + 1, call->arena, &names, &count);
        if (outcome.kind != CT_SUCCEEDED)
            return call_error_of(outcome);
        listing->from = count > SERVER_PAGE_ROWS ? names[SERVER_PAGE_ROWS] : NULL;
        for (size_t i = 0; i < count && i < SERVER_PAGE_ROWS; i++) {
            if (added == listing->top) {
                listing->from = names[i];
                looks = LOOKS_MAX;
                break;
            }
            if (listing->filter && !matches(call, listing->filter, names[i]))
                continue;
            wire_add(body, added++ ? ",{" : "{");
            add_table(call, body, names[i]);
            wire_add(body, "}");
        }
    }
    if (listing->from)
        answer_header(call, "x-ms-continuation-NextTableName",
                      token_write(call->arena, listing->from));
    return WIRE_OK;
}

static void list(struct call *call) {
    struct listing listing;
    struct wire_out body = {.arena = call->arena};
    enum wire_error error = read_listing(call, &listing);
    wire_add(&body, "{");
    if (call->metadata != WIRE_METADATA_NONE)
        wire_add_format(&body, "\"odata.metadata\":\"%s/$metadata#Tables\",", call->base);
    wire_add(&body, "\"value\":[");
    if (error == WIRE_OK)
        error = add_page(call, &listing, &body);
    wire_add(&body, "]}");
    if (error != WIRE_OK)
        answer_error(call, error);
    else
        answer_json(call, 200, &body);
}

// ---- Requests ----------------------------------------------------------------------------------

void call_tables(struct call *call) {
    bool is_post = strcmp(call->method, "POST") == 0;
    enum wire_error error = access_permits(&call->access, &call->target, is_post ? "c" : "l");
    if (is_post && error == WIRE_PERMISSION) // either letter will do
        error = access_permits(&call->access, &call->target, "w");
    if (!is_post && strcmp(call->method, "GET") != 0)
        error = WIRE_VERB;
    if (error != WIRE_OK)
        answer_error(call, error);
    else if (is_post)
        create(call);
    else
        list(call);
}

static void drop(struct call *call) {
    bool was_there = false;
    struct ct_outcome outcome =
        call->store->ops->drop(call->store, call->target.table, call->arena, &was_there);
    // A virtual table cannot be dropped here: its data is not this server's alone.
    if (ct_failed_with(outcome, CT_STATUS_BAD_REQUEST))
        answer_error(call, WIRE_NOT_IMPLEMENTED);
    else if (outcome.kind != CT_SUCCEEDED)
        answer_error(call, call_error_of(outcome));
    else if (!was_there)
        answer_error(call, WIRE_NOT_FOUND);
    else
        answer_empty(call, 204);
}

static void show(struct call *call) {
    struct wire_out body = {.arena = call->arena};
    if (!call_table(call, call->target.table))
        return;
    wire_add(&body, "{");
    if (call->metadata != WIRE_METADATA_NONE)
        wire_add_format(&body, "\"odata.metadata\":\"%s/$metadata#Tables/@Element\",", call->base);
    add_table(call, &body, call->target.table);
    wire_add(&body, "}");
    answer_json(call, 200, &body);
}

void call_one_table(struct call *call) {
    bool is_get = strcmp(call->method, "GET") == 0;
    bool is_delete = strcmp(call->method, "DELETE") == 0;
    enum wire_error error = access_permits(&call->access, &call->target, is_delete ? "d" : "l");
    if (error == WIRE_OK && target_check_name(call->target.table) != WIRE_OK)
        error = WIRE_TABLE_NAME;
    if (!is_get && !is_delete)
        error = WIRE_VERB;
    if (is_delete && !call->store->ops->drop)
        error = WIRE_NOT_IMPLEMENTED;
    if (error != WIRE_OK)
        answer_error(call, error);
    else if (is_delete)
        drop(call);
    else
        show(call);
}
