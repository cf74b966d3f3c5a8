// Entity group transactions: a multipart body of operations, all or nothing; or of a single read.
#include "model/server/call.h"

#include "model/table/batch.h"
#include "model/table/check.h"

#include <string.h>

// One more than there may be, so that it can be told.
enum { OPERATIONS_ROOM = CT_BATCH_OPERATIONS_MAX + 1 };

struct transaction {
    const char *table;
    struct call_operation operations[OPERATIONS_ROOM];
    size_t count;
};

// ---- Reading -----------------------------------------------------------------------------------

// The body's only part: a change set, or a request.
// With room for one: what has a second part is refused, and not done by half.
static bool read_body(struct call *call, struct wire_message *only) {
    const char *boundary =
        wire_parameter(call->arena, call_header(call, "Content-Type"), "boundary");
    struct wire_span part;
    size_t count;
    return boundary &&
           wire_multipart_read(call->request->body, call->request->size, boundary, &part, 1,
                               &count) &&
           count == 1 && wire_message_read(call->arena, part.text, part.size, false, only);
}

// The parts of the change set [set].
static enum wire_error read_parts(struct call *call, const struct wire_message *set,
                                  struct wire_span *parts, size_t *count) {
    const char *type = wire_header(&set->headers, "Content-Type");
    const char *boundary = wire_parameter(call->arena, type, "boundary");
    if (!wire_is_media_type(type, "multipart/mixed") || !boundary)
        return WIRE_INVALID_INPUT;
    if (!wire_multipart_read(set->body, set->size, boundary, parts, OPERATIONS_ROOM, count))
        // There is room for one too many, so that a batch that is too large differs from one that
        // is cut off.
        return *count == OPERATIONS_ROOM ? WIRE_TOO_MANY_OPERATIONS : WIRE_INVALID_INPUT;
    if (*count > CT_BATCH_OPERATIONS_MAX)
        return WIRE_TOO_MANY_OPERATIONS;
    return *count > 0 ? WIRE_OK : WIRE_INVALID_INPUT;
}

// "METHOD URL HTTP/1.1"
static bool read_start(struct arena *arena, const char *line, const char **method,
                       const char **url) {
    size_t first = strcspn(line, " ");
    if (line[first] == '\0')
        return false;
    const char *begin = line + first + 1;
    size_t second = strcspn(begin, " ");
    if (strncmp(begin + second, " HTTP/1.", 8) != 0)
        return false;
    *method = wire_copy(arena, line, first);
    *url = wire_copy(arena, begin, second);
    return true;
}

// The request [inner] that the part [outer] is.
static enum wire_error read_request(struct call *call, const struct wire_message *outer,
                                    struct wire_message *inner, const char **method,
                                    struct target *target) {
    const char *url;
    if (!wire_is_media_type(wire_header(&outer->headers, "Content-Type"), "application/http") ||
        !wire_message_read(call->arena, outer->body, outer->size, true, inner) ||
        !read_start(call->arena, inner->start, method, &url))
        return WIRE_INVALID_INPUT;
    enum wire_error error = target_parse(call->arena, url, target);
    // Each part has an address of its own, which the signature of the whole does not cover.
    if (error == WIRE_OK && strcmp(target->account, call->account->name) != 0)
        return WIRE_INVALID_INPUT;
    return error;
}

static enum wire_error read_part(struct call *call, struct wire_span part,
                                 struct transaction *transaction) {
    struct wire_message outer, inner;
    struct target target;
    const char *method;
    if (!wire_message_read(call->arena, part.text, part.size, false, &outer))
        return WIRE_INVALID_INPUT;
    enum wire_error error = read_request(call, &outer, &inner, &method, &target);
    if (error != WIRE_OK)
        return error;
    const char *override = wire_header(&inner.headers, "X-HTTP-Method");
    method = override && strcmp(method, "POST") == 0 ? override : method;
    struct call_operation *operation = &transaction->operations[transaction->count];
    error = call_read_operation(call, method, &target, &inner.headers,
                                (struct wire_span){inner.body, inner.size}, operation);
    if (error != WIRE_OK)
        return error;
    if (transaction->count++ == 0)
        transaction->table = target.table;
    struct ct_key first = transaction->operations[0].row->key;
    // One table and one partition, as the service has it: that is what a transaction is atomic
    // over.
    bool is_together = strcmp(transaction->table, target.table) == 0 &&
                       strcmp(first.partition, operation->row->key.partition) == 0;
    return is_together ? WIRE_OK : WIRE_BATCH_PARTITIONS;
}

// ---- Answering ---------------------------------------------------------------------------------

// What stands behind a status, as in every answer of HTTP.
static const char *reason_of(unsigned status) {
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };
    size_t found = 0, count = sizeof reasons / sizeof reasons[0];
    while (found < count && reasons[found].status != status)
        found++;
    ASSERT(found < count);
    return reasons[found].reason;
}

static void begin_answer(struct call *call, struct wire_out *body) {
    const char *id = call->request->id;
    wire_add_format(body,
                    "--batchresponse_%s\r\n"
                    "Content-Type: multipart/mixed; boundary=changesetresponse_%s\r\n\r\n",
                    id, id);
}

static void begin_part(struct call *call, struct wire_out *body, unsigned status) {
    WIRE_ADD(body, "--changesetresponse_", call->request->id,
             "\r\nContent-Type: application/http\r\n"
             "Content-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 ");
    wire_add_number(body, status);
    WIRE_ADD(body, " ", reason_of(status),
             "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n"
             "DataServiceVersion: 3.0;\r\n");
}

// Whatever became of the operations the whole is 202: their statuses are in the parts.
static void end_batch(struct call *call, struct wire_out *body) {
    const char *id = call->request->id;
    wire_add_format(body, "--batchresponse_%s--\r\n", id);
    answer_header(call, "Content-Type",
                  arena_printf(call->arena, "multipart/mixed; boundary=batchresponse_%s", id));
    call->answer->status = 202;
    call->answer->body = wire_text(body);
    call->answer->size = body->size;
}

static void end_answer(struct call *call, struct wire_out *body) {
    wire_add_format(body, "--changesetresponse_%s--\r\n", call->request->id);
    end_batch(call, body);
}

// One part that tells which operation failed and why.
// The others have none, for nothing of a batch that fails is done.
static void answer_failed(struct call *call, size_t index, enum wire_error error) {
    struct wire_out body = {.arena = call->arena};
    struct wire_error_text text = wire_error_text(error);
    // Clients read the number of the operation from the text.
    const char *message = arena_printf(call->arena, "%zu:%s", index, text.message);
    begin_answer(call, &body);
    begin_part(call, &body, text.status);
    wire_add_format(&body, "Content-Type: %s\r\n\r\n", answer_content_type(call));
    answer_add_error(call, &body, error, message);
    wire_add(&body, "\r\n");
    call->answer->error = text.code;
    end_answer(call, &body);
}

static void add_inserted(struct call *call, struct wire_out *body,
                         const struct transaction *transaction,
                         const struct call_operation *operation) {
    struct wire_form form = call_form(call, transaction->table);
    WIRE_ADD(body, "Content-Type: ", answer_content_type(call), "\r\n\r\n{");
    if (call->metadata != WIRE_METADATA_NONE)
        WIRE_ADD(body, "\"odata.metadata\":\"", call->base, "/$metadata#", transaction->table,
                 "/@Element\",");
    wire_entity_add(body, operation->row, &form);
    wire_add(body, "}\r\n");
}

static void answer_done(struct call *call, const struct transaction *transaction,
                        const struct ct_op_result *results) {
    struct wire_out body = {.arena = call->arena};
    begin_answer(call, &body);
    for (size_t i = 0; i < transaction->count; i++) {
        const struct call_operation *operation = &transaction->operations[i];
        bool has_body = operation->type == CT_INSERT && !operation->wants_no_content;
        begin_part(call, &body, has_body ? 201 : 204);
        if (operation->wants_no_content)
            wire_add(&body, "Preference-Applied: return-no-content\r\n");
        if (operation->type == CT_INSERT) {
            struct wire_out key = {.arena = call->arena};
            wire_add_key(&key, operation->row->key);
            for (int k = 0; k < 2; k++)
                WIRE_ADD(&body, k ? "DataServiceId: " : "Location: ", call->base, "/",
                         transaction->table, wire_text(&key), "\r\n");
        }
        if (results[i].etag)
            WIRE_ADD(&body, "ETag: ", results[i].etag, "\r\n");
        if (has_body)
            add_inserted(call, &body, transaction, operation);
        else
            wire_add(&body, "\r\n\r\n");
    }
    end_answer(call, &body);
}

// ---- A single read -----------------------------------------------------------------------------

static void add_answer(struct wire_out *body, const char *id, const struct server_answer *answer) {
    wire_add_format(body,
                    "--batchresponse_%s\r\nContent-Type: application/http\r\n"
                    "Content-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 %u %s\r\n",
                    id, answer->status, reason_of(answer->status));
    for (size_t i = 0; i < answer->header_count; i++)
        WIRE_ADD(body, answer->headers[i].name, ": ", answer->headers[i].value, "\r\n");
    wire_add(body, "\r\n");
    wire_add_bytes(body, answer->body, answer->size);
    wire_add(body, "\r\n");
}

// The body's only part is a request by itself: what it reads, it reads as if it had come alone.
// The reader is a call of its own, whose answer becomes a part; permissions are those of the whole.
static enum wire_error answer_read(struct call *call, const struct wire_message *only) {
    struct wire_message inner;
    struct server_answer read = {0};
    struct server_request *request = ARENA_NEW(call->arena, struct server_request);
    struct call *reader = ARENA_NEW(call->arena, struct call);
    *reader = *call;
    reader->answer = &read;
    reader->is_part = true;
    enum wire_error error = read_request(call, only, &inner, &reader->method, &reader->target);
    enum target_kind kind = reader->target.kind;
    if (error != WIRE_OK)
        return error;
    if (strcmp(reader->method, "GET") != 0 || (kind != TARGET_ENTITY && kind != TARGET_ENTITIES))
        return WIRE_INVALID_INPUT;
    *request = *call->request;
    request->headers = inner.headers;
    reader->request = request;
    if (!call_read_accept(reader))
        answer_error(reader, WIRE_FORMAT);
    else
        kind == TARGET_ENTITY ? call_entity(reader) : call_entities(reader);
    struct wire_out body = {.arena = call->arena};
    add_answer(&body, call->request->id, &read);
    call->answer->error = read.error;
    end_batch(call, &body);
    return WIRE_OK;
}

// ---- The transaction ---------------------------------------------------------------------------

static void execute(struct call *call, struct transaction *transaction) {
    struct ct_batch batch = ct_batch_new(call->arena, transaction->count);
    struct ct_op_result *results =
        ARENA_ARRAY(call->arena, struct ct_op_result, transaction->count);
    size_t index;
    for (size_t i = 0; i < transaction->count; i++)
        ct_batch_add(&batch, transaction->operations[i].type, transaction->operations[i].row);
    // Looked at once more as a whole: each row was looked at alone.
    enum wire_error error = wire_error_of(ct_check_batch(&ct_service_rules, &batch, &index));
    if (error != WIRE_OK) {
        answer_failed(call, index, error);
        return;
    }
    struct ct_table *table = NULL;
    struct ct_outcome outcome =
        server_find_to_write(call->store, transaction->table, call->arena, &table);
    if (table)
        outcome = ct_execute(table, &batch, call->arena, results);
    if (table && outcome.kind == CT_SUCCEEDED) {
        answer_done(call, transaction, results);
        return;
    }
    error = outcome.kind == CT_SUCCEEDED ? WIRE_NO_TABLE
                                         : call_batch_error_of(call, transaction->table, outcome);
    // No operation is at fault; and a client repeats a batch by its own status, not by that of a
    // part.
    if (error == WIRE_BUSY || error == WIRE_SERVER || error == WIRE_UNKNOWN)
        answer_error(call, error); // of the whole
    else
        answer_failed(call, outcome.op_index, error);
}

void call_transaction(struct call *call) {
    struct transaction *transaction = ARENA_NEW(call->arena, struct transaction);
    struct wire_span parts[OPERATIONS_ROOM];
    struct wire_message only;
    size_t count;
    if (strcmp(call->method, "POST") != 0) {
        answer_error(call, WIRE_VERB);
        return;
    }
    enum wire_error error = read_body(call, &only) ? WIRE_OK : WIRE_INVALID_INPUT;
    if (error == WIRE_OK &&
        wire_is_media_type(wire_header(&only.headers, "Content-Type"), "application/http")) {
        error = answer_read(call, &only);
        if (error == WIRE_OK)
            return;
    } else if (error == WIRE_OK) {
        error = read_parts(call, &only, parts, &count);
    }
    if (error == WIRE_TOO_MANY_OPERATIONS) {
        answer_failed(call, 0, error);
        return;
    }
    if (error != WIRE_OK) {
        answer_error(call, error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        error = read_part(call, parts[i], transaction);
        if (error != WIRE_OK) {
            answer_failed(call, i, error);
            return;
        }
    }
    execute(call, transaction);
}
