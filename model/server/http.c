#define _GNU_SOURCE // pthread_setname_np
#include "model/server/http.h"

#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/base/reserve.h"
#include "model/server/listener.h"
#include "model/server/metrics.h"
#include "model/table/value.h"
#include "model/wire/encoding.h"
#include "model/wire/error.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADER_BYTES_MAX = 32 << 10, // of a connection: the request's line and headers, and buffers
    IDLE_SECONDS = 30,           // of a connection on which nothing happens
    THREAD_STACK_BYTES = 1 << 20,
    METRICS_CONNECTIONS = 16,
    ARENA_BYTES_KEPT = 256 << 10, // by a thread between requests
    ID_LENGTH_MAX = 64,           // of a client's id of its request, in the log
};

// What one thread needs to answer.
struct worker {
    struct worker *next; // of those that are free
    struct server_store *store;
    struct arena arena;
};

// A thread that answers: it has connections of its own.
struct loop {
    struct server *server;
    struct MHD_Daemon *daemon;
    uint64_t link_count; // given to it and not closed; of the server's lock
};

// A connection; [since]: when it was opened, or its last answer was sent.
struct link {
    struct link *before, *after;
    int socket;
    double since;
};

struct server {
    struct server_options options;
    struct listener listener;
    uint16_t port;
    struct MHD_Daemon *metrics; // or NULL
    uint16_t metrics_port;
    atomic_uint_fast64_t times[SERVER_TIMES], microseconds;
    char id_prefix[20];
    // What a client is told of how long a connection on which nothing happens is left open: one
    // that sends just then cannot know whether its request was heard.
    char keep_alive[32];
    atomic_uint_fast64_t requests, errors_client, errors_server, next_id;
    atomic_size_t bytes, active;
    atomic_bool is_closing; // whoever connects now is hung up on
    pthread_mutex_t lock;   // of what follows
    struct worker *workers, *free_workers;
    struct loop *loops; // as many as threads
    unsigned next_loop;
    struct link links; // a ring
    uint64_t link_count;
    bool is_stopping;
    pthread_cond_t stops;
    pthread_t watcher;
};

// A request that is being received.
struct exchange {
    struct server *server;
    char *target;
    char *body;
    size_t size, capacity;
    enum wire_error refusal; // nothing more is kept of it
    bool is_begun;
};

// ---- Memory of bodies --------------------------------------------------------------------------

// Added first, then looked at: two that ask together may both be refused, but never get too much.
static bool reserve(struct server *server, size_t bytes) {
    if (atomic_fetch_add(&server->bytes, bytes) + bytes <= server->options.memory_bytes)
        return true;
    atomic_fetch_sub(&server->bytes, bytes);
    return false;
}

static void release(struct server *server, size_t bytes) {
    atomic_fetch_sub(&server->bytes, bytes);
}

static void drop_body(struct exchange *exchange) {
    release(exchange->server, exchange->capacity);
    free(exchange->body);
    exchange->body = NULL;
    exchange->size = exchange->capacity = 0;
}

static void refuse(struct exchange *exchange, enum wire_error error) {
    drop_body(exchange);
    // The rest of the body is received and forgotten, and the answer comes at its end.
    exchange->refusal = error;
}

static void receive(struct exchange *exchange, const char *data, size_t size) {
    size_t needed = exchange->size + size,
           capacity = exchange->capacity ? exchange->capacity : 4096;
    if (exchange->refusal != WIRE_OK)
        return;
    if (needed > SERVER_BODY_BYTES_MAX) {
        refuse(exchange, WIRE_BATCH_TOO_LARGE);
        return;
    }
    // Doubled, so that a body is copied a few times at most; what is reserved is what is allocated.
    while (capacity < needed)
        capacity *= 2;
    if (capacity > exchange->capacity) {
        if (!reserve(exchange->server, capacity - exchange->capacity)) {
            refuse(exchange, WIRE_BUSY);
            return;
        }
        exchange->body = grow_to(exchange->body, capacity, 1, "a request");
        exchange->capacity = capacity;
    }
    memcpy(exchange->body + exchange->size, data, size);
    exchange->size = needed;
}

// ---- Workers -----------------------------------------------------------------------------------

// There are as many as threads, so one is free.
static struct worker *take_worker(struct server *server) {
    pthread_mutex_lock(&server->lock);
    struct worker *worker = server->free_workers;
    ASSERT(worker);
    server->free_workers = worker->next;
    pthread_mutex_unlock(&server->lock);
    return worker;
}

static void give_worker(struct server *server, struct worker *worker) {
    // What a large request took goes back to the system: memory does not stay at the peak of each
    // thread.
    reserve_shrink(worker->arena.base, worker->arena.used, ARENA_BYTES_KEPT);
    arena_reset(&worker->arena, 0);
    pthread_mutex_lock(&server->lock);
    worker->next = server->free_workers;
    server->free_workers = worker;
    pthread_mutex_unlock(&server->lock);
}

// ---- Answers -----------------------------------------------------------------------------------

struct body {
    struct server *server;
    size_t size;
    char bytes[];
};

static void free_body(void *body) {
    struct body *freed = body;
    release(freed->server, freed->size);
    free(freed);
}

// A copy, because the arena is the next request's. Without memory for it: an answer without a body,
// of the status [short_status].
static struct MHD_Response *copy_answer(struct server *server, struct server_answer *answer,
                                        unsigned short_status) {
    if (answer->size > 0 && reserve(server, answer->size)) {
        struct body *body = grow_to(NULL, sizeof *body + answer->size, 1, "an answer");
        body->server = server;
        body->size = answer->size;
        memcpy(body->bytes, answer->body, answer->size);
        return MHD_create_response_from_buffer_with_free_callback_cls(answer->size, body->bytes,
                                                                      free_body, body);
    }
    answer->status = answer->size > 0 ? short_status : answer->status;
    return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(struct server *server, struct MHD_Connection *connection,
                                   struct server_answer *answer, unsigned short_status) {
    struct MHD_Response *response = copy_answer(server, answer, short_status);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    MHD_add_response_header(response, "Keep-Alive", server->keep_alive);
    atomic_fetch_add(&server->requests, 1);
    if (answer->status >= 500)
        atomic_fetch_add(&server->errors_server, 1);
    else if (answer->status >= 400)
        atomic_fetch_add(&server->errors_client, 1);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static int64_t present_ticks(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * WIRE_TICKS + now.tv_nsec / 100;
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value) {
    struct wire_headers *headers = context;
    (void)kind;
    // A list that is full is taken for one with more (answer).
    if (headers->count == WIRE_HEADERS_MAX)
        return MHD_NO;
    headers->list[headers->count++] = (struct wire_header){name, value ? value : ""};
    return MHD_YES;
}

static void count_time(struct server *server, double seconds) {
    // Slot i has those below 2^(i + SERVER_TIMES_SHIFT) us, the last one all others.
    uint64_t microseconds = (uint64_t)(seconds * 1e6);
    int slot = 0;
    while (slot < SERVER_TIMES - 1 && microseconds >> (slot + SERVER_TIMES_SHIFT))
        slot++;
    atomic_fetch_add(&server->times[slot], 1);
    atomic_fetch_add(&server->microseconds, microseconds);
}

// The length of an id that a client gave, as far as it is one; whoever reads the log trusts it.
static int id_length(const char *id) {
    static const char characters[] =
        "0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strspn(id, characters);
    return length < ID_LENGTH_MAX ? (int)length : ID_LENGTH_MAX;
}

// The query is left out: it may have a signature in it. A client that tries again does so under the
// same id.
static void log_answer(const struct server *server, const struct server_request *request,
                       const struct server_answer *answer, double seconds) {
    char time[CT_TICKS_TEXT];
    const char *client = wire_header(&request->headers, "x-ms-client-request-id");
    if (!server->options.logs)
        return;
    client = client ? client : "-";
    ct_ticks_format(request->now, time);
    fprintf(stderr, "time=%s id=%s client=%.*s method=%.16s path=%.*s status=%u error=%s us=%.0f\n",
            time, request->id, id_length(client), client, request->method,
            (int)strcspn(request->target, "? \n"), request->target, answer->status,
            answer->error ? answer->error : "-", seconds * 1e6);
}

static void answer_refusal(struct arena *arena, const struct server_request *request,
                           enum wire_error error, struct server_answer *answer) {
    struct wire_error_text text = wire_error_text(error);
    memset(answer, 0, sizeof *answer);
    answer->status = text.status;
    answer->error = text.code;
    answer->body = arena_printf(arena,
                                "{\"odata.error\":{\"code\":\"%s\",\"message\":{\"lang\":"
                                "\"en-US\",\"value\":\"%s\\nRequestId:%s\"}}}",
                                text.code, text.message, request->id);
    answer->size = strlen(answer->body);
    answer->headers[answer->header_count++] = (struct wire_header){"x-ms-error-code", text.code};
    answer->headers[answer->header_count++] =
        (struct wire_header){"Content-Type", "application/json"};
}

static enum MHD_Result answer(struct exchange *exchange, struct MHD_Connection *connection,
                              const char *method) {
    struct server *server = exchange->server;
    double begin = clock_seconds();
    char id[64];
    snprintf(id, sizeof id, "%s-%012llx", server->id_prefix,
             // The prefix is drawn at the start, so that ids of two processes differ.
             (unsigned long long)atomic_fetch_add(&server->next_id, 1));
    struct server_request request = {.method = method,
                                     .target = exchange->target,
                                     .body = exchange->body ? exchange->body : "",
                                     .size = exchange->size,
                                     .id = id,
                                     .now = present_ticks(),
                                     .clock = begin};
    struct server_answer answer;
    struct worker *worker = take_worker(server);
    // More headers than there is room for are refused: one that was left out might have been a
    // condition.
    if (MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &request.headers) < 0 ||
        request.headers.count == WIRE_HEADERS_MAX)
        exchange->refusal = WIRE_HEADER;
    // 503 says that nothing was done, and clients send again: so not of a write that may be.
    bool may_be_done = exchange->refusal == WIRE_OK && strcmp(method, "GET") != 0;
    if (exchange->refusal != WIRE_OK)
        answer_refusal(&worker->arena, &request, exchange->refusal, &answer);
    else
        server_answer_to(worker->store, &server->options.account, &request, &worker->arena,
                         &answer);
    double seconds = clock_seconds() - begin;
    count_time(server, seconds);
    log_answer(server, &request, &answer, seconds);
    drop_body(exchange); // before its answer is kept
    enum MHD_Result result = send_answer(server, connection, &answer, may_be_done ? 500 : 503);
    give_worker(server, worker);
    return result;
}

// ---- What the library calls --------------------------------------------------------------------

// The first line of a request is there: the target as it was sent.
static void *begin_exchange(void *context, const char *target, struct MHD_Connection *connection) {
    struct server *server = context;
    struct exchange *exchange = grow_new(1, sizeof *exchange, "a request");
    (void)connection;
    exchange->server = server;
    exchange->target = grow_text(target, "a request");
    // Up to the end of its answer: server_stop waits for it.
    atomic_fetch_add(&server->active, 1);
    return exchange;
}

static void end_exchange(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    struct server *server = context;
    struct exchange *exchange = *state;
    (void)code;
    if (!exchange)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct link *link = info ? info->socket_context : NULL;
    if (link) {
        pthread_mutex_lock(&server->lock);
        // The time of the next request begins when this one's answer has gone.
        link->since = clock_seconds();
        pthread_mutex_unlock(&server->lock);
    }
    drop_body(exchange);
    free(exchange->target);
    free(exchange);
    *state = NULL;
    atomic_fetch_sub(&server->active, 1);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state) {
    struct exchange *exchange = *state;
    (void)context;
    (void)url;
    (void)version;
    // The library calls once with the headers, then with pieces of the body, then with none.
    if (!exchange->is_begun) { // only the headers are there
        exchange->is_begun = true;
        const char *length =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
        // More digits than the limit has: told before anything is received.
        if (length && strlen(length) > 8) {
            refuse(exchange, WIRE_BATCH_TOO_LARGE);
            return answer(exchange, connection, method);
        }
        return MHD_YES;
    }
    if (*size > 0) {
        receive(exchange, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return answer(exchange, connection, method);
}

static void notice_link(void *context, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code) {
    struct loop *loop = context;
    struct server *server = loop->server;
    struct link *link = *socket_context;
    pthread_mutex_lock(&server->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        link = grow_new(1, sizeof *link, "a connection");
        link->socket =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        link->since = clock_seconds();
        link->before = server->links.before;
        link->after = &server->links;
        link->before->after = link->after->before = link;
        server->link_count++;
        *socket_context = link;
    } else if (link) {
        link->before->after = link->after;
        link->after->before = link->before;
        server->link_count--;
        loop->link_count--;
        free(link);
        *socket_context = NULL;
    }
    pthread_mutex_unlock(&server->lock);
}

// Targets stay as they were sent: signatures cover them so.
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

static void say_nothing(void *context, const char *format, va_list arguments) {
    (void)context;
    (void)format;
    (void)arguments;
}

// ---- Slow clients ------------------------------------------------------------------------------

// Once a second: who takes longer for a request and its answer than is allowed loses the
// connection. The library's own limit is one of silence, which a byte now and then evades.
static void *watch(void *context) {
    struct server *server = context;
    pthread_mutex_lock(&server->lock);
    while (!server->is_stopping) {
        double limit = clock_seconds() - server->options.request_seconds;
        for (struct link *link = server->links.after; link != &server->links; link = link->after)
            if (link->since < limit)
                // Not closed here: the number of the socket could be another connection's by then.
                // The library notices the end and closes it.
                shutdown(link->socket, SHUT_RDWR);
        double next = clock_seconds() + 1;
        struct timespec until = {.tv_sec = (time_t)next,
                                 .tv_nsec = (long)((next - (double)(time_t)next) * 1e9)};
        // The lock is given back between two walks: whoever opens a connection waits for one walk
        // at most.
        pthread_cond_timedwait(&server->stops, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

// Waits by the clock that nobody sets: where it was set back a walk would come hours later.
static void init_stops(pthread_cond_t *stops) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(stops, &attributes);
    pthread_condattr_destroy(&attributes);
}

// ---- Start and end -----------------------------------------------------------------------------

static bool read_address(const struct server_options *options, uint16_t port,
                         struct sockaddr_storage *address, struct error *error) {
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, options->address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return true;
    }
    if (inet_pton(AF_INET6, options->address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        return true;
    }
    return error_set(error, "address '%.100s': expected a numeric one, such as 127.0.0.1",
                     options->address);
}

static bool open_workers(struct server *server, struct error *error) {
    unsigned threads = server->options.threads;
    server->workers = grow_new(threads, sizeof *server->workers, "threads");
    for (unsigned i = 0; i < threads; i++) {
        struct worker *worker = &server->workers[i];
        // One for each thread: connections within serve one at a time.
        worker->store = server->options.open_store(server->options.context, error);
        if (!worker->store)
            return false;
        arena_init(&worker->arena, SERVER_ARENA_BYTES);
        worker->next = server->free_workers;
        server->free_workers = worker;
    }
    return true;
}

static void close_workers(struct server *server) {
    for (unsigned i = 0; server->workers && i < server->options.threads; i++) {
        struct worker *worker = &server->workers[i];
        if (!worker->store)
            break;
        worker->store->ops->close(worker->store);
        arena_deinit(&worker->arena);
    }
    free(server->workers);
}

// The loop with the fewest connections, of equal ones the next; it is counted to have one more.
static struct loop *choose_loop(struct server *server) {
    unsigned threads = server->options.threads;
    struct loop *chosen = NULL;
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < threads; i++) {
        struct loop *loop = &server->loops[(server->next_loop + i) % threads];
        if (!chosen || loop->link_count < chosen->link_count)
            chosen = loop;
    }
    chosen->link_count++;
    server->next_loop = (unsigned)(chosen - server->loops) + 1;
    pthread_mutex_unlock(&server->lock);
    return chosen;
}

// The library lets its threads wait for connections together, and one of them gets nearly all.
static void take(void *context, int socket, const struct sockaddr *address, socklen_t length) {
    struct server *server = context;
    if (atomic_load(&server->is_closing))
        close(socket);
    else
        MHD_add_connection(choose_loop(server)->daemon, socket, address, length); // or ends it
}

static bool has_room(void *context) {
    struct server *server = context;
    pthread_mutex_lock(&server->lock);
    bool is_there = server->link_count < server->options.connections;
    pthread_mutex_unlock(&server->lock);
    return is_there;
}

static bool start_loop(struct server *server, struct loop *loop) {
    const struct server_options *options = &server->options;
    loop->server = server;
    loop->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, handle, server, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        options->connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES_MAX, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, server,
        MHD_OPTION_NOTIFY_COMPLETED, end_exchange, server, MHD_OPTION_NOTIFY_CONNECTION,
        notice_link, loop, MHD_OPTION_END);
    return loop->daemon;
}

static void stop_loops(struct server *server) {
    for (unsigned i = 0; server->loops && i < server->options.threads; i++)
        if (server->loops[i].daemon)
            MHD_stop_daemon(server->loops[i].daemon);
    free(server->loops);
}

static bool start_loops(struct server *server, struct error *error) {
    server->loops = grow_new(server->options.threads, sizeof *server->loops, "threads");
    for (unsigned i = 0; i < server->options.threads; i++)
        if (!start_loop(server, &server->loops[i]))
            return error_set(error, "cannot start a thread");
    return true;
}

static bool listen_at(struct server *server, struct error *error) {
    const struct server_options *options = &server->options;
    struct sockaddr_storage address;
    if (!read_address(options, options->port, &address, error))
        return false;
    server->listener = (struct listener){.take = take, .has_room = has_room, .context = server};
    return listener_open(&server->listener, &address, &server->port) ||
           error_set(error, "cannot listen at %.100s, port %u: is another program there?",
                     options->address, options->port);
}

static bool listen_for_metrics(struct server *server, struct error *error) {
    const struct server_options *options = &server->options;
    struct sockaddr_storage address;
    if (!options->has_metrics)
        return true;
    if (!read_address(options, options->metrics_port, &address, error))
        return false;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG;
    flags |= address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0;
    server->metrics = MHD_start_daemon(
        flags, options->metrics_port, NULL, NULL, metrics_answer, server,
        MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)METRICS_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (!server->metrics)
        return error_set(error, "cannot listen at %.100s, port %u: is another program there?",
                         options->address, options->metrics_port);
    server->metrics_port = MHD_get_daemon_info(server->metrics, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

struct server *server_start(const struct server_options *options, struct error *error) {
    struct server *server = grow_new(1, sizeof *server, "a server");
    uint64_t random = 0;
    server->options = *options;
    snprintf(server->keep_alive, sizeof server->keep_alive, "timeout=%u",
             options->request_seconds < IDLE_SECONDS ? options->request_seconds : IDLE_SECONDS);
    server->links.before = server->links.after = &server->links;
    pthread_mutex_init(&server->lock, NULL);
    init_stops(&server->stops);
    ssize_t drawn = getrandom(&random, sizeof random, 0);
    snprintf(server->id_prefix, sizeof server->id_prefix, "%016llx",
             (unsigned long long)(drawn == sizeof random ? random : 0));
    server->listener.socket = -1;
    // The metrics last: who asks for them finds the rest.
    if (!open_workers(server, error) || !start_loops(server, error) || !listen_at(server, error) ||
        !listen_for_metrics(server, error)) {
        if (server->listener.socket >= 0)
            close(server->listener.socket);
        stop_loops(server);
        close_workers(server);
        free(server);
        return NULL;
    }
    listener_start(&server->listener);
    int code = pthread_create(&server->watcher, NULL, watch, server);
    REQUIRE(code == 0, "cannot start a thread");
    return server;
}

uint16_t server_port(const struct server *server) {
    return server->port;
}

uint16_t server_metrics_port(const struct server *server) {
    return server->metrics_port;
}

struct server_counts server_counts(const struct server *server) {
    struct server *locked = (struct server *)server;
    // Each number by itself: they are not of one moment.
    struct server_counts counts = {
        .requests = atomic_load(&locked->requests),
        .errors_client = atomic_load(&locked->errors_client),
        .errors_server = atomic_load(&locked->errors_server),
        .bytes = atomic_load(&locked->bytes),
        .seconds = (double)atomic_load(&locked->microseconds) / 1e6,
    };
    for (int i = 0; i < SERVER_TIMES; i++)
        counts.times[i] = atomic_load(&locked->times[i]);
    pthread_mutex_lock(&locked->lock);
    counts.connections = server->link_count;
    pthread_mutex_unlock(&locked->lock);
    return counts;
}

void server_stop(struct server *server, unsigned seconds) {
    double until = clock_seconds() + seconds;
    // In this order: nobody new, then those who are being answered, then the rest is cut off.
    atomic_store(&server->is_closing, true);
    while (atomic_load(&server->active) > 0 && clock_seconds() < until)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    pthread_cond_signal(&server->stops);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->watcher, NULL);
    listener_close(&server->listener);
    stop_loops(server);
    if (server->metrics)
        MHD_stop_daemon(server->metrics);
    close_workers(server);
    pthread_cond_destroy(&server->stops);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
