// Batches: one operation as a request of its own, several as an entity group transaction.
#include "model/azure/request.h"

#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/error.h"
#include "model/wire/entity.h"

#include <string.h>

#define JSON_TYPE "application/json"
#define BATCH_TYPE "multipart/mixed; boundary=batch_mtable"

// ---- What is sent ------------------------------------------------------------------------------

// The two forms of each differ by If-Match: with it the row must exist, without it need not.
static const char *method_of(enum ct_op_type type) {
    switch (type) {
    case CT_INSERT:
        return "POST";
    case CT_REPLACE:
    case CT_INSERT_OR_REPLACE:
        return "PUT";
    case CT_MERGE:
    case CT_INSERT_OR_MERGE:
        return "MERGE";
    case CT_DELETE:
        break;
    }
    return "DELETE";
}

static bool is_conditional(enum ct_op_type type) {
    return type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
}

// An ETag that is in the service's form and no row's.
static const char no_etag[] = "W/\"datetime'1601-01-01T00%3A00%3A00.0000000Z'\"";

// The service refuses what cannot be an ETag of its own; here it is one that no row has.
static const char *if_match_of(const struct ct_operation *operation) {
    const char *etag = operation->entity->etag;
    if (!is_conditional(operation->type))
        return NULL;
    // Absence is success then (execute_one): the service knows no such delete.
    if (ct_is_delete_if_exists(operation) || strcmp(etag, CT_ANY_ETAG) == 0)
        return CT_ANY_ETAG;
    size_t length = strlen(etag);
    bool is_etag = length >= 4 && strncmp(etag, "W/\"", 3) == 0 && etag[length - 1] == '"' &&
                   strcspn(etag, "\r\n") == length;
    return is_etag ? etag : no_etag;
}

static const char *resource_of(const struct ct_azure_table *table,
                               const struct ct_operation *operation, struct arena *arena) {
    struct wire_out out = {.arena = arena};
    wire_add(&out, table->name);
    if (operation->type != CT_INSERT)
        wire_add_key(&out, operation->entity->key);
    return wire_text(&out);
}

static void add_part(struct wire_out *out, const struct ct_azure_table *table,
                     const struct ct_operation *operation, struct arena *arena) {
    const char *if_match = if_match_of(operation);
    wire_add_format(out,
                    "--changeset_mtable\r\nContent-Type: application/http\r\n"
                    "Content-Transfer-Encoding: binary\r\n\r\n%s %s/%s HTTP/1.1\r\n"
                    "Accept: application/json;odata=minimalmetadata\r\n"
                    "Content-Type: application/json\r\nPrefer: return-no-content\r\n",
                    method_of(operation->type), table->account.endpoint,
                    resource_of(table, operation, arena));
    if (if_match)
        wire_add_format(out, "If-Match: %s\r\n", if_match);
    wire_add(out, "\r\n");
    if (operation->type != CT_DELETE)
        wire_entity_send(out, operation->entity);
    wire_add(out, "\r\n");
}

// ---- What comes back ---------------------------------------------------------------------------

static void fill_result(struct ct_op_result *result, const struct ct_operation *operation,
                        const char *etag, struct arena *arena) {
    *result = (struct ct_op_result){
        .status = operation->type == CT_INSERT ? CT_STATUS_CREATED : CT_STATUS_NO_CONTENT,
        .etag = operation->type == CT_DELETE ? NULL : arena_strdup(arena, etag),
        .entity = operation->entity,
    };
}

// Whether the answer to a write that was done says what it must.
static bool is_complete(const struct ct_op_result *result, const struct ct_operation *operation) {
    return operation->type == CT_DELETE || result->etag;
}

static struct ct_outcome execute_one(struct ct_azure_table *table,
                                     const struct ct_operation *operation, struct arena *arena,
                                     struct ct_op_result *result) {
    struct wire_out body = {.arena = arena};
    struct azure_answer answer = {0};
    if (operation->type != CT_DELETE)
        wire_entity_send(&body, operation->entity);
    const struct azure_request request = {
        .method = method_of(operation->type),
        .resource = resource_of(table, operation, arena),
        .if_match = if_match_of(operation),
        .content_type = operation->type == CT_DELETE ? NULL : JSON_TYPE,
        .body = body.data,
        .size = body.size,
        .is_write = true,
    };
    struct ct_outcome outcome = azure_send(table, &request, arena, &answer);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    bool was_absent = answer.status == 404 && strcmp(answer.code, "ResourceNotFound") == 0;
    if (answer.status >= 300 && !(was_absent && ct_is_delete_if_exists(operation)))
        return azure_refusal(table, answer.status, answer.code, 0, arena);
    fill_result(result, operation, azure_header(table, "ETag"), arena);
    return is_complete(result, operation) ? ct_success()
                                          : ct_internal_error("an answer without an ETag");
}

// The parts of the change set in the answer's only part.
static bool read_parts(struct ct_azure_table *table, struct arena *arena, struct wire_span *parts,
                       size_t *count) {
    struct wire_message set;
    struct wire_span part;
    size_t sets;
    const char *boundary = wire_parameter(arena, azure_header(table, "Content-Type"), "boundary");
    if (!boundary || !table->body ||
        !wire_multipart_read(table->body, table->size, boundary, &part, 1, &sets) || sets != 1 ||
        !wire_message_read(arena, part.text, part.size, false, &set))
        return false;
    boundary = wire_parameter(arena, wire_header(&set.headers, "Content-Type"), "boundary");
    return boundary &&
           wire_multipart_read(set.body, set.size, boundary, parts, CT_BATCH_OPERATIONS_MAX, count);
}

// The answer in a part: its status, or 0 if it is none.
static unsigned read_part(struct arena *arena, struct wire_span part,
                          struct wire_message *message) {
    struct wire_message outer;
    if (!wire_message_read(arena, part.text, part.size, false, &outer) ||
        !wire_message_read(arena, outer.body, outer.size, true, message))
        return 0;
    const char *status = strchr(message->start, ' ');
    unsigned number = 0;
    for (int i = 1; status && i <= 3; i++) {
        if (status[i] < '0' || status[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(status[i] - '0');
    }
    return number;
}

// All was done, or one part says what was not.
// What cannot be read says nothing, and the request went out: so it is unknown, not failed.
static struct ct_outcome read_results(struct ct_azure_table *table, const struct ct_batch *batch,
                                      struct arena *arena, struct ct_op_result *results) {
    struct wire_span parts[CT_BATCH_OPERATIONS_MAX];
    size_t count = 0;
    if (!read_parts(table, arena, parts, &count) || count == 0)
        return ct_unknown("the answer to a batch cannot be read");
    for (size_t i = 0; i < count; i++) {
        struct wire_message message;
        unsigned status = read_part(arena, parts[i], &message);
        if (status == 0)
            return ct_unknown("the answer to a batch cannot be read");
        // One failed part says that nothing was done: the service answers with that part alone,
        // which names the operation in its message.
        if (status >= 300) {
            size_t index;
            const char *code = azure_error_code(message.body, message.size, arena, &index);
            return index < batch->count ? azure_refusal(table, status, code, index, arena)
                                        : ct_internal_error("no operation of a batch is to blame");
        }
        if (i < batch->count)
            fill_result(&results[i], &batch->operations[i], wire_header(&message.headers, "ETag"),
                        arena);
    }
    for (size_t i = 0; i < batch->count; i++)
        if (count != batch->count || !is_complete(&results[i], &batch->operations[i]))
            return ct_internal_error("an answer to a batch without all ETags");
    return ct_success();
}

static struct ct_outcome execute_many(struct ct_azure_table *table, const struct ct_batch *batch,
                                      struct arena *arena, struct ct_op_result *results) {
    struct wire_out body = {.arena = arena};
    struct azure_answer answer = {0};
    wire_add(&body, "--batch_mtable\r\n"
                    "Content-Type: multipart/mixed; boundary=changeset_mtable\r\n\r\n");
    for (size_t i = 0; i < batch->count; i++)
        add_part(&body, table, &batch->operations[i], arena);
    wire_add(&body, "--changeset_mtable--\r\n--batch_mtable--\r\n");
    const struct azure_request request = {.method = "POST",
                                          .resource = "$batch",
                                          .content_type = BATCH_TYPE,
                                          .body = body.data,
                                          .size = body.size,
                                          .is_write = true};
    struct ct_outcome outcome = azure_send(table, &request, arena, &answer);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    return answer.status == 202 ? read_results(table, batch, arena, results)
                                : azure_refusal(table, answer.status, answer.code, 0, arena);
}

// ---- The interface -----------------------------------------------------------------------------

// Before anything is sent: what is wrong in itself costs no request.
static struct ct_outcome check(const struct ct_batch *batch, size_t *index) {
    const char *error = ct_batch_program_error(batch);
    if (error)
        return ct_program_error(error);
    enum ct_error refused = ct_check_batch(&ct_service_rules, batch, index);
    if (refused != CT_ERROR_NONE)
        return ct_refusal(refused, *index);
    for (size_t i = 0; batch->count > 1 && i < batch->count; i++)
        if (ct_is_delete_if_exists(&batch->operations[i]))
            return ct_refusal(CT_ERROR_CANNOT_ASSERT_ABSENCE, i);
    if (ct_batch_lacks_if_match(batch))
        return ct_program_error("a Replace, Merge or Delete without an If-Match");
    return ct_success();
}

struct ct_outcome azure_table_execute(struct ct_table *interface, const char *where,
                                      struct ct_batch *batch, struct arena *arena,
                                      struct ct_op_result *results) {
    struct ct_azure_table *table = (struct ct_azure_table *)interface;
    size_t index = 0;
    (void)where;
    struct ct_outcome outcome = check(batch, &index);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    struct ct_op_result *done = ARENA_ARRAY(arena, struct ct_op_result, batch->count);
    outcome = batch->count == 1 ? execute_one(table, &batch->operations[0], arena, done)
                                : execute_many(table, batch, arena, done);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    memcpy(results, done, batch->count * sizeof *results);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->operations[i].type != CT_DELETE)
            batch->operations[i].entity->etag = done[i].etag;
    return outcome;
}
