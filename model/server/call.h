// One request on its way to an answer. Internal to model/server.
#ifndef MODEL_SERVER_CALL_H
#define MODEL_SERVER_CALL_H

#include "model/server/access.h"
#include "model/server/service.h"
#include "model/server/target.h"
#include "model/wire/entity.h"

struct call {
    struct server_store *store;
    const struct server_account *account;
    const struct server_request *request;
    struct arena *arena;
    struct server_answer *answer;
    struct target target;
    struct access access;
    const char *method;          // with X-HTTP-Method taken into account
    enum wire_metadata metadata; // as the client accepts it
    const char *base;            // "http://host/account"
    bool is_part;                // of a batch: messages of errors begin with its index, 0
};

// A header of the request, or NULL.
const char *call_header(const struct call *call, const char *name);

// Reads what the client accepts into [metadata]; false if JSON is not among it.
bool call_read_accept(struct call *call);

// Whether the client wants no body back of what it has sent.
bool call_wants_no_content(const struct wire_headers *headers);

// ---- Answers -----------------------------------------------------------------------------------

// Each sets the status, and nothing is added after it but headers.

void answer_header(struct call *call, const char *name, const char *value);
void answer_empty(struct call *call, unsigned status);
void answer_json(struct call *call, unsigned status, const struct wire_out *body);
void answer_error(struct call *call, enum wire_error error);

// An error's JSON; [message] takes the place of the usual one if it is not NULL.
void answer_add_error(const struct call *call, struct wire_out *out, enum wire_error error,
                      const char *message);

// "application/json;odata=...;streaming=true;charset=utf-8"
const char *answer_content_type(const struct call *call);

// ---- What is asked for -------------------------------------------------------------------------

// The table of that name, or NULL and the call is answered.
struct ct_table *call_table(struct call *call, const char *name);

// The same for a batch; that the table is not there may be its outcome.
struct ct_table *call_table_to_write(struct call *call, const char *name);

// What the outcome of the store, or of a read of a table, means.
enum wire_error call_error_of(struct ct_outcome outcome);

// The same of a batch on the table [name]: looks whether that is still there.
enum wire_error call_batch_error_of(struct call *call, const char *name, struct ct_outcome outcome);

void call_service(struct call *call); // tables.c
void call_tables(struct call *call);
void call_one_table(struct call *call);
void call_entities(struct call *call); // entities.c
void call_entity(struct call *call);
void call_query(struct call *call);       // query.c
void call_transaction(struct call *call); // transaction.c

// An operation that a request, or a part of a batch, asks for: entities.c.
struct call_operation {
    enum ct_op_type type;
    struct ct_row *row; // with its key and If-Match
    bool wants_no_content;
};

// [method] is that of the operation, [target] its entity or table.
enum wire_error call_read_operation(struct call *call, const char *method,
                                    const struct target *target, const struct wire_headers *headers,
                                    struct wire_span body, struct call_operation *operation);

// The parameters of a query: query.c.
enum wire_error call_read_select(struct call *call, struct wire_form *form);

// The form of the answer's rows of [table], everything selected.
struct wire_form call_form(const struct call *call, const char *table);

#endif
