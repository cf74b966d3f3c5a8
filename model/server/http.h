// The endpoint: HTTP in front of the service (service.h).
//
// A fixed number of threads, each with a store and an arena of its own. What clients can take is
// bounded: connections, the size of headers and bodies, the memory of all bodies together, the time
// to send a request and to take its answer. A slow client holds a connection, never a thread.
#ifndef MODEL_SERVER_HTTP_H
#define MODEL_SERVER_HTTP_H

#include "core/base/text.h"
#include "model/server/service.h"

struct server;

struct server_options {
    const char *address; // a numeric one: "127.0.0.1"
    uint16_t port;       // 0: any that is free
    unsigned threads, connections;
    unsigned request_seconds; // from the end of a request to that of the next one on a connection
    size_t memory_bytes;      // of all bodies that are under way
    bool logs;                // a line for each request goes to standard error
    // A second port answers GET /healthz, and GET /metrics in the text format of Prometheus, to
    // anybody: it is for this machine or a private network.
    bool has_metrics;
    uint16_t metrics_port;         // 0: any that is free
    struct server_account account; // its name lives as long as the server
    // Opens the store of one thread.
    struct server_store *(*open_store)(void *context, struct error *error);
    void *context;
};

// [SERVER_TIMES_SHIFT]: the shortest times that are told apart are 2^6 us.
enum { SERVER_TIMES = 16, SERVER_TIMES_SHIFT = 6 };

// Counted since the start, of all threads.
struct server_counts {
    uint64_t requests, errors_client, errors_server;
    uint64_t connections, bytes; // at present: open ones, memory of bodies
    // How many were answered in less than 2^(i + SERVER_TIMES_SHIFT) microseconds and not in less
    // than half of that; the last one has all that took longer.
    uint64_t times[SERVER_TIMES];
    double seconds; // of all of them
};

// Listens and answers until it is stopped. NULL and a one-line error if that cannot be.
struct server *server_start(const struct server_options *options, struct error *error);

uint16_t server_port(const struct server *server);
uint16_t server_metrics_port(const struct server *server);
struct server_counts server_counts(const struct server *server);

// Takes no more connections, finishes what was begun (for at most [seconds]), closes the stores.
void server_stop(struct server *server, unsigned seconds);

#endif
