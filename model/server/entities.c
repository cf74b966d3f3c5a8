// Single entities: read and written.
#include "model/server/call.h"

#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

// ---- What a request asks for -------------------------------------------------------------------

struct verb {
    const char *method;
    bool is_of_entity; // not of its table
    enum ct_op_type with_match, without_match;
    // What a shared access signature needs for it.
    const char *permissions_with, *permissions_without;
};

// MERGE is an older name of PATCH. Without a condition PUT and PATCH may make the row as well as
// change it, so a signature must permit both.
static const struct verb verbs[] = {
    {"POST", false, CT_INSERT, CT_INSERT, "a", "a"},
    {"PUT", true, CT_REPLACE, CT_INSERT_OR_REPLACE, "u", "au"},
    {"MERGE", true, CT_MERGE, CT_INSERT_OR_MERGE, "u", "au"},
    {"PATCH", true, CT_MERGE, CT_INSERT_OR_MERGE, "u", "au"},
    {"DELETE", true, CT_DELETE, CT_DELETE, "d", "d"},
};

static const struct verb *find_verb(const char *method, bool is_of_entity) {
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].method, method) == 0 && verbs[i].is_of_entity == is_of_entity)
            return &verbs[i];
    return NULL;
}

// "*" or an ETag as the service forms them: W/"...". Clients may write the W small: it is large in
// those that are given out. NULL if it is neither.
static const char *condition_of(struct arena *arena, const char *if_match) {
    size_t length = strlen(if_match);
    bool is_etag = length >= 4 && (*if_match | 0x20) == 'w' &&
                   strncmp(if_match + 1, "/\"", 2) == 0 && if_match[length - 1] == '"';
    if (!is_etag)
        return strcmp(if_match, CT_ANY_ETAG) == 0 ? CT_ANY_ETAG : NULL;
    return *if_match == 'W' ? if_match : arena_printf(arena, "W%s", if_match + 1);
}

static enum wire_error read_body(struct call *call, struct wire_span body, bool is_delete,
                                 struct ct_row **row) {
    if (!is_delete)
        return wire_entity_read(call->arena, body.text, body.size, row);
    *row = ct_row_new(call->arena, (struct ct_key){NULL, NULL}, NULL, NULL, 0);
    return WIRE_OK;
}

enum wire_error call_read_operation(struct call *call, const char *method,
                                    const struct target *target, const struct wire_headers *headers,
                                    struct wire_span body, struct call_operation *operation) {
    bool is_of_entity = target->kind == TARGET_ENTITY;
    const struct verb *verb = find_verb(method, is_of_entity);
    if ((!is_of_entity && target->kind != TARGET_ENTITIES) || !verb)
        return WIRE_VERB;
    // An insert has no condition: there is no row that it could be about.
    const char *if_match = is_of_entity ? wire_header(headers, "If-Match") : NULL;
    // The service demands one: a delete without a condition must say so ("*").
    if (verb->with_match == CT_DELETE && !if_match)
        return WIRE_MISSING_HEADER;
    if (if_match && !(if_match = condition_of(call->arena, if_match)))
        return WIRE_INVALID_INPUT;
    enum wire_error error = access_permits(
        &call->access, target, if_match ? verb->permissions_with : verb->permissions_without);
    if (error == WIRE_OK)
        // After the permission: a body costs time to read.
        error = read_body(call, body, verb->with_match == CT_DELETE, &operation->row);
    if (error != WIRE_OK)
        return error;
    struct ct_row *row = operation->row;
    if (is_of_entity)
        row->key = target->key; // whatever the body says
    if (!row->key.partition || !row->key.row)
        return WIRE_NEED_VALUE;
    row->etag = if_match;
    operation->type = if_match ? verb->with_match : verb->without_match;
    operation->wants_no_content = call_wants_no_content(headers);
    return wire_error_of(ct_check_row(&ct_service_rules, row));
}

// ---- Writing -----------------------------------------------------------------------------------

// The row as the table has it: its time is the table's. What was written if it is gone already.
// By its ETag: a row that somebody has written since is not the one that this request has made.
static const struct ct_row *read_back(struct call *call, struct ct_table *table,
                                      const struct ct_row *written) {
    struct ct_rows rows = {0};
    const struct ct_filter *filter = ct_filter_point(call->arena, written->key);
    bool is_read = ct_query(table, filter, call->arena, &rows).kind == CT_SUCCEEDED;
    bool is_same = is_read && rows.count == 1 && strcmp(rows.rows[0]->etag, written->etag) == 0;
    return is_same ? rows.rows[0] : written;
}

static void answer_row(struct call *call, unsigned status, const struct ct_row *row,
                       const struct wire_form *form) {
    struct wire_out body = {.arena = call->arena};
    answer_header(call, "ETag", row->etag);
    wire_add(&body, "{");
    if (call->metadata != WIRE_METADATA_NONE)
        WIRE_ADD(&body, "\"odata.metadata\":\"", call->base, "/$metadata#", call->target.table,
                 "/@Element\",");
    wire_entity_add(&body, row, form);
    wire_add(&body, "}");
    answer_json(call, status, &body);
}

static void answer_written(struct call *call, struct ct_table *table,
                           const struct call_operation *operation,
                           const struct ct_op_result *result) {
    if (operation->type == CT_INSERT) {
        struct wire_out place = {.arena = call->arena};
        WIRE_ADD(&place, call->base, "/", call->target.table);
        wire_add_key(&place, operation->row->key);
        answer_header(call, "Location", wire_text(&place));
        if (operation->wants_no_content)
            answer_header(call, "DataServiceId", wire_text(&place));
    }
    if (operation->type == CT_INSERT && !operation->wants_no_content) {
        struct wire_form form = call_form(call, call->target.table);
        answer_row(call, 201, read_back(call, table, operation->row), &form);
        return;
    }
    if (operation->wants_no_content)
        answer_header(call, "Preference-Applied", "return-no-content");
    if (result->etag)
        answer_header(call, "ETag", result->etag);
    answer_empty(call, 204);
}

static void write_entity(struct call *call) {
    struct call_operation operation;
    struct wire_span body = {call->request->body, call->request->size};
    enum wire_error error = call_read_operation(call, call->method, &call->target,
                                                &call->request->headers, body, &operation);
    if (error != WIRE_OK) {
        answer_error(call, error);
        return;
    }
    struct ct_table *table = call_table_to_write(call, call->target.table);
    if (!table)
        return;
    struct ct_batch batch = ct_batch_new(call->arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, operation.type, operation.row);
    struct ct_outcome outcome = ct_execute(table, &batch, call->arena, &result);
    if (outcome.kind == CT_SUCCEEDED)
        answer_written(call, table, &operation, &result);
    else
        answer_error(call, call_batch_error_of(call, call->target.table, outcome));
}

// ---- Reading -----------------------------------------------------------------------------------

// A key that no row can have is told as such, and not as a row that is not there.
static enum wire_error check_key(const struct call *call) {
    const struct ct_row *row = ct_row_new(call->arena, call->target.key, NULL, NULL, 0);
    return wire_error_of(ct_check_row(&ct_service_rules, row));
}

static void read_entity(struct call *call) {
    struct wire_form form = call_form(call, call->target.table);
    struct ct_rows rows = {0};
    enum wire_error error = access_permits(&call->access, &call->target, "r");
    if (error == WIRE_OK)
        error = call_read_select(call, &form);
    if (error == WIRE_OK)
        error = check_key(call);
    if (error != WIRE_OK) {
        answer_error(call, error);
        return;
    }
    struct ct_table *table = call_table(call, call->target.table);
    if (!table)
        return;
    const struct ct_filter *filter = ct_filter_point(call->arena, call->target.key);
    struct ct_outcome outcome = ct_query(table, filter, call->arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        answer_error(call, call_error_of(outcome));
    else if (rows.count == 0)
        answer_error(call, WIRE_NOT_FOUND);
    else
        answer_row(call, 200, rows.rows[0], &form);
}

// ---- Requests ----------------------------------------------------------------------------------

void call_entity(struct call *call) {
    if (strcmp(call->method, "GET") == 0)
        read_entity(call);
    else
        write_entity(call);
}

void call_entities(struct call *call) {
    if (strcmp(call->method, "GET") == 0)
        call_query(call);
    else
        write_entity(call);
}
