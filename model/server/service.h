// The Azure Table protocol as a function: a request comes in, an answer goes out.
//
// No sockets and no HTTP library: http.h brings requests here, tests call it as it is. It keeps
// nothing between calls but its store.
#ifndef MODEL_SERVER_SERVICE_H
#define MODEL_SERVER_SERVICE_H

#include "model/server/store.h"
#include "model/wire/message.h"
#include "model/wire/signature.h"

enum {
    SERVER_BODY_BYTES_MAX = 4 << 20,
    SERVER_PAGE_ROWS = 1000,
    SERVER_PAGE_BYTES = 4 << 20,  // a page ends after the row that passes it
    SERVER_ARENA_BYTES = 1 << 28, // addresses that an arena for one call needs
    SERVER_ANSWER_HEADERS_MAX = 16,
};

// Who may ask: one account.
struct server_account {
    const char *name;
    struct wire_key key;
};

struct server_request {
    const char *method;
    const char *target; // path and query as they were sent
    struct wire_headers headers;
    const char *body;
    size_t size;
    const char *id; // of this request among all, for whoever looks for it in a log
    int64_t now;    // ticks (model/wire/encoding.h): decides about dates and expiries
    double clock;   // clock_seconds(), read before [now]
};

struct server_answer {
    unsigned status;
    struct wire_header headers[SERVER_ANSWER_HEADERS_MAX];
    size_t header_count;
    const char *body;
    size_t size;
    const char *error; // the code of an error, or NULL: for logs and counters
};

// Answers [request]; whatever it says, the store stays as it should be. The answer lives in
// [arena], which has SERVER_ARENA_BYTES left.
void server_answer_to(struct server_store *store, const struct server_account *account,
                      const struct server_request *request, struct arena *arena,
                      struct server_answer *answer);

// Whether the service would let a table be named so.
bool server_is_table_name(const char *name);

#endif
