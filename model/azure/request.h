// One request to the service, from its signature to its answer. Internal to model/azure.
#ifndef MODEL_AZURE_REQUEST_H
#define MODEL_AZURE_REQUEST_H

#include "model/azure/azure_table.h"
#include "model/wire/message.h"
#include "model/wire/out.h"

#include <curl/curl.h>

struct ct_azure_table {
    struct ct_table table; // first, so that the interface is the table
    struct ct_azure_account account;
    char name[AZURE_NAME_BYTES];
    unsigned request_ms, late_ms;
    double deadline;
    // The service's clock was at [server_ticks] or later at [told_at] of clock_seconds().
    int64_t server_ticks;
    double told_at;
    int64_t expiry; // when the signature of the last request ends; 0: it has none
    CURL *curl;
    struct arena arena;          // of one request
    struct wire_headers headers; // of the answer, in [arena]
    bool has_head;               // all of them have come
    char *body;
    size_t size, capacity;
    unsigned sent; // how often this request went out
    uint64_t jitter;
};

struct azure_request {
    const char *method;
    const char *resource; // behind the endpoint: "Tables", "Demo()", percent-encoded
    const char *query;    // "a=b&c=d", percent-encoded, or NULL
    const char *if_match; // or NULL
    const char *content_type;
    const char *body;
    size_t size;
    bool is_write;
};

// What came back: the status, and the rest in the table until the next request.
struct azure_answer {
    unsigned status;
    const char *code; // of an error, or ""
};

// Sends [request] and waits for its answer. CT_SUCCEEDED: there is one, whatever it says. Else
// nothing was done, or, of a write, it is unknown and the deadline has passed.
struct ct_outcome azure_send(struct ct_azure_table *table, const struct azure_request *request,
                             struct arena *arena, struct azure_answer *answer);

// A header of the last answer, or NULL.
const char *azure_header(const struct ct_azure_table *table, const char *name);

// What the refusal [status] and [code] mean, at an operation of a batch.
struct ct_outcome azure_refusal(const struct ct_azure_table *table, unsigned status,
                                const char *code, size_t op_index, struct arena *arena);

// "code" of an error's JSON, and the number that its message begins with; "" and 0 if there is
// none.
const char *azure_error_code(const char *body, size_t size, struct arena *arena, size_t *op_index);

// The members of the interface, in batches.c and reading.c.
struct ct_outcome azure_table_execute(struct ct_table *table, const char *where,
                                      struct ct_batch *batch, struct arena *arena,
                                      struct ct_op_result *results);
struct ct_outcome azure_table_query(struct ct_table *table, const char *where,
                                    const struct ct_filter *filter, struct arena *arena,
                                    struct ct_rows *rows);
struct ct_outcome azure_table_open_stream(struct ct_table *table, const char *where,
                                          const struct ct_filter *filter,
                                          struct ct_stream **stream);

#endif
