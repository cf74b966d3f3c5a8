// A network that is unkind: relays connections to a port of this machine, and does to requests and
// answers what networks do. See scripts/chaos.
//
//   chaos-proxy PORT SEED PER-THOUSAND LATE-MS LOG
//
// Listens at a free port of 127.0.0.1, whose number it prints; until it is killed. From SIGUSR1 to
// SIGUSR2 so many of a thousand requests meet a fault; what is late is so by up to LATE-MS. The
// faults of a connection depend on SEED, its number and the number of the request alone. Each has a
// line in LOG: NANOSECONDS (of the clock of the histories) CONNECTION.REQUEST FAULT METHOD PATH.
//
// It knows as much of HTTP/1.1 as it needs to see where a request ends: the empty line and
// Content-Length. Requests are not pipelined: what the server sends until the next one is the
// answer.
#define _POSIX_C_SOURCE 200809L
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/base/number.h"
#include "core/base/rng.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10, REQUEST_BYTES_MAX = 8 << 20, LINE_BYTES = 300, PATH_BYTES = 160 };

enum fault {
    FAULT_NONE,
    FAULT_REQUEST_LOST,  // the connection is cut before anything of it is sent on
    FAULT_REQUEST_CUT,   // ... when half of it is
    FAULT_REQUEST_LATE,  // it is sent on later
    FAULT_REQUEST_ALONE, // it is sent on later, and whoever sent it is told at once that it is lost
    FAULT_ANSWER_LOST,   // the connection is cut when the server begins to answer
    FAULT_ANSWER_CUT,    // ... when half of what it says first has been sent on
    FAULT_ANSWER_LATE,
    FAULT_COUNT,
};

static const char *const fault_names[FAULT_COUNT] = {
    "none",          "request-lost", "request-cut", "request-late",
    "request-alone", "answer-lost",  "answer-cut",  "answer-late",
};

static struct {
    uint16_t port;
    uint32_t seed, per_thousand, late_ms;
    int log;
} options;

static volatile sig_atomic_t is_bad; // the network, now

static void on_signal(int number) {
    is_bad = number == SIGUSR1;
}

struct connection {
    int client, server;
    uint32_t number, requests;
    struct rng rng;
    char *text; // the request so far
    uint32_t capacity;
    size_t size;
    enum fault fault; // of the request under way
};

// ---- What is read ------------------------------------------------------------------------------

static size_t content_length(const char *head, size_t size) {
    static const char name[] = "\r\nContent-Length:";
    uint64_t length = 0;
    for (size_t i = 0; i + sizeof name < size; i++)
        if (strncasecmp(head + i, name, sizeof name - 1) == 0) {
            const char *digits = head + i + sizeof name - 1;
            number_scan(digits + strspn(digits, " "), 10, REQUEST_BYTES_MAX, &length);
        }
    return (size_t)length;
}

// Whether all of the request is there.
static bool is_whole(const struct connection *connection) {
    const char *end = strstr(connection->text, "\r\n\r\n");
    size_t head = end ? (size_t)(end - connection->text) + 4 : 0;
    return end && connection->size >= head + content_length(connection->text, head);
}

// False: the connection is over.
static bool read_request(struct connection *connection) {
    size_t room = connection->size + CHUNK_BYTES + 1;
    if (room > REQUEST_BYTES_MAX)
        return false;
    GROW(connection->text, (uint32_t)room, connection->capacity, "a request");
    ssize_t size = recv(connection->client, connection->text + connection->size, CHUNK_BYTES, 0);
    if (size <= 0)
        return false;
    connection->size += (size_t)size;
    connection->text[connection->size] = '\0';
    return true;
}

// ---- Faults ------------------------------------------------------------------------------------

static void record(const struct connection *connection) {
    char line[LINE_BYTES];
    const char *start = connection->text;
    int length = (int)strcspn(start, "?\r\n"); // what is behind it may be a signature
    length =
        snprintf(line, sizeof line, "%llu %u.%u %s %.*s\n", (unsigned long long)clock_nanoseconds(),
                 connection->number, connection->requests, fault_names[connection->fault],
                 length < PATH_BYTES ? length : PATH_BYTES, start);
    if (write(options.log, line, (size_t)length) != length)
        _exit(3);
}

static void draw_fault(struct connection *connection) {
    connection->fault = FAULT_NONE;
    connection->requests++;
    uint64_t draw = rng_below(&connection->rng, 1000);
    uint64_t kind = rng_below(&connection->rng, FAULT_COUNT - 1);
    if (is_bad && draw < options.per_thousand)
        connection->fault = (enum fault)(kind + 1);
    if (connection->fault != FAULT_NONE)
        record(connection);
}

static void be_late(struct connection *connection) {
    uint64_t milliseconds = rng_below(&connection->rng, options.late_ms) + 1;
    struct timespec time = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static bool send_all(int to, const char *text, size_t size) {
    for (size_t sent = 0; sent < size;) {
        ssize_t count = send(to, text + sent, size - sent, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        sent += (size_t)count;
    }
    return true;
}

// The request, whole. False: the connection is over.
static bool pass_request(struct connection *connection) {
    size_t size = connection->size;
    connection->size = 0;
    draw_fault(connection);
    if (connection->fault == FAULT_REQUEST_LOST)
        return false;
    if (connection->fault == FAULT_REQUEST_CUT)
        size /= 2;
    if (connection->fault == FAULT_REQUEST_ALONE)
        shutdown(connection->client, SHUT_RDWR);
    if (connection->fault == FAULT_REQUEST_LATE || connection->fault == FAULT_REQUEST_ALONE)
        be_late(connection);
    return send_all(connection->server, connection->text, size) &&
           connection->fault != FAULT_REQUEST_CUT;
}

// A part of an answer. False: the connection is over.
static bool pass_answer(struct connection *connection) {
    char text[CHUNK_BYTES];
    ssize_t size = recv(connection->server, text, sizeof text, 0);
    if (size <= 0 || connection->fault == FAULT_ANSWER_LOST ||
        connection->fault == FAULT_REQUEST_ALONE)
        return false;
    if (connection->fault == FAULT_ANSWER_LATE)
        be_late(connection);
    bool is_cut = connection->fault == FAULT_ANSWER_CUT;
    connection->fault = FAULT_NONE;
    return send_all(connection->client, text, (size_t)size / (is_cut ? 2 : 1)) && !is_cut;
}

// ---- Connections -------------------------------------------------------------------------------

static int connect_to_server(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0)
        return server;
    close(server);
    return -1;
}

static void relay(struct connection *connection) {
    bool is_open = connection->server >= 0;
    while (is_open) {
        struct pollfd files[2] = {{.fd = connection->server, .events = POLLIN},
                                  {.fd = connection->client, .events = POLLIN}};
        if (connection->fault == FAULT_REQUEST_ALONE)
            files[1].fd = -1; // nobody is there
        if (poll(files, 2, -1) < 0)
            continue;
        if (files[0].revents)
            is_open = pass_answer(connection);
        if (is_open && files[1].revents)
            is_open =
                read_request(connection) && (!is_whole(connection) || pass_request(connection));
    }
}

static void *serve(void *argument) {
    struct connection *connection = argument;
    connection->server = connect_to_server();
    relay(connection);
    if (connection->server >= 0)
        close(connection->server);
    close(connection->client);
    free(connection->text);
    free(connection);
    return NULL;
}

static int listen_anywhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void accept_all(int listener) {
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (uint32_t number = 1;; number++) {
        pthread_t thread;
        struct connection *connection = grow_new(1, sizeof *connection, "a connection");
        connection->client = accept(listener, NULL, NULL);
        connection->number = number;
        rng_seed(&connection->rng, rng_mix(options.seed) ^ number);
        if (connection->client < 0 || pthread_create(&thread, &detached, serve, connection) != 0)
            exit(3);
    }
}

int main(int count, char **arguments) {
    uint32_t port;
    if (count != 6 || !number_parse32(arguments[1], 1, UINT16_MAX, &port) ||
        !number_parse32(arguments[2], 0, UINT32_MAX, &options.seed) ||
        !number_parse32(arguments[3], 0, 1000, &options.per_thousand) ||
        !number_parse32(arguments[4], 1, 1000000, &options.late_ms)) {
        fprintf(stderr, "chaos-proxy: expected PORT SEED PER-THOUSAND LATE-MS LOG\n");
        return 2;
    }
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    options.port = (uint16_t)port;
    options.log = open(arguments[5], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int listener = options.log >= 0 ? listen_anywhere() : -1;
    if (listener < 0) {
        perror("chaos-proxy");
        return 3;
    }
    accept_all(listener);
}
