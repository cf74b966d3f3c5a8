// The endpoint on real sockets: limits, slow clients, many connections, its end.
#define _GNU_SOURCE
#include "tests/model/server/endpoint.h"

#include "model/server/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MANY = 400, HALF_BODY = 3 << 20, READ_BYTES = 8192, HEADER_BYTES = 30000 };

// ---- The server --------------------------------------------------------------------------------

static void close_store_of_thread(struct server_store *closed) {
    free(closed);
}

// While [is_slow] the first who lists tables waits.
static atomic_bool is_slow;
static atomic_int listing;

static struct ct_outcome list_slowly(struct server_store *slow, const char *from, size_t most,
                                     struct arena *its, const char *const **names, size_t *count) {
    for (bool is_first = atomic_fetch_add(&listing, 1) == 0; is_first && atomic_load(&is_slow);)
        usleep(1000);
    return store_ops.list(slow, from, most, its, names, count);
}

// Tables of one thread: enough for tests of what lies in front of them.
static struct server_store *open_store(void *context, struct error *error) {
    static struct server_store_ops ops;
    (void)context;
    (void)error;
    ops = store_ops;
    ops.close = close_store_of_thread;
    ops.list = list_slowly;
    struct memory_store *opened = calloc(1, sizeof *opened);
    opened->store.ops = &ops;
    return &opened->store;
}

static struct server *server;
static bool has_log;

static void start(unsigned request_seconds, size_t memory_bytes) {
    struct error error = {""};
    struct server_options options = {.address = "127.0.0.1",
                                     .threads = 2,
                                     .connections = MANY + 100,
                                     .request_seconds = request_seconds,
                                     .memory_bytes = memory_bytes,
                                     .has_metrics = true,
                                     .logs = has_log,
                                     .account = account,
                                     .open_store = open_store};
    server = server_start(&options, &error);
    if (!server)
        fail_msg("%s", error.text);
}

static int stop_endpoint(void **state) {
    server_stop(server, 1);
    return close_endpoint(state);
}

// ---- A client ----------------------------------------------------------------------------------

static int dial_port(uint16_t port) {
    int socket_ = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(socket_ >= 0);
    assert_int_equal(connect(socket_, (struct sockaddr *)&address, sizeof address), 0);
    return socket_;
}

static int dial(void) {
    return dial_port(server_port(server));
}

static void say(int to, const char *text, size_t size) {
    while (size > 0) {
        ssize_t sent = send(to, text, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; // it may close before it has all
        text += sent;
        size -= (size_t)sent;
    }
}

static void say_text(int to, const char *text) {
    say(to, text, strlen(text));
}

static char heard[READ_BYTES]; // the last answer

// Reads up to the end of a small answer; its status, 0 if the connection ends before.
static int hear(int from) {
    size_t size = 0;
    *heard = '\0';
    while (!strstr(heard, "\r\n\r\n") || (!strstr(heard, "}}}") && strstr(heard, "odata.error"))) {
        ssize_t got = recv(from, heard + size, sizeof heard - 1 - size, 0);
        if (got <= 0)
            return 0;
        size += (size_t)got;
        heard[size] = '\0';
    }
    const char *status = strchr(heard, ' ');
    assert_non_null(status);
    return (status[1] - '0') * 100 + (status[2] - '0') * 10 + (status[3] - '0');
}

// Without a signature: 403 tells that it was understood.
static const char request_line[] = "GET /acc/Tables HTTP/1.1\r\nHost: h\r\n\r\n";

static void assert_serves(void) {
    int other = dial();
    say_text(other, request_line);
    assert_int_equal(hear(other), 403);
    close(other);
}

// ---- Tests -------------------------------------------------------------------------------------

// One connection carries several requests; what is no HTTP ends it.
static void test_connection(void **state) {
    (void)state;
    start(60, 64 << 20);
    int client = dial();
    for (int i = 0; i < 3; i++) {
        say_text(client, request_line);
        assert_int_equal(hear(client), 403);
    }
    say_text(client, "\x16\x03\x01\x02garbage\r\n\r\n\r\n");
    int status = hear(client);
    assert_true(status == 400 || status == 0);
    close(client);
    assert_serves();
    assert_int_equal(server_counts(server).requests, 4);
}

static void *stop_slowly(void *argument) {
    server_stop(server, 60);
    return argument;
}

// While a request is under way the server waits for it, and hangs up on whoever connects now.
static void test_end_hangs_up(void **state) {
    (void)state;
    pthread_t stopping;
    unsigned hung_up = 0;
    start(60, 64 << 20);
    uint16_t port = server_port(server);
    int slow = dial();
    say_text(slow, "GET /acc/Tables HTTP/1.1\r\nHost: h\r\n"); // and no end
    assert_serves();
    // Another thread may have answered that, before this one's has read the slow request.
    usleep(500000);
    assert_int_equal(pthread_create(&stopping, NULL, stop_slowly, NULL), 0);
    // Some come before the end has begun.
    enum { CLIENTS = 2000 };
    for (int i = 0; i < CLIENTS && hung_up < 20; i++) {
        int client = dial_port(port);
        say_text(client, request_line);
        int status = hear(client);
        assert_true(status == 0 || (status == 403 && hung_up == 0));
        hung_up += status == 0;
        close(client);
    }
    assert_int_equal(hung_up, 20);
    close(slow);
    pthread_join(stopping, NULL);
    start(60, 64 << 20); // for the test's end
}

// Whoever connects while the server ends keeps its threads busy with the listening socket. (Of what
// this is about a round in 5,000 shows it.)
static void test_end_while_clients_come(void **state) {
    (void)state;
    enum { CLIENTS = 8 };
    const int rounds = getenv("MTCHECK_FULL") ? 20000 : 100;
    for (int round = 0; round < rounds; round++) {
        int clients[CLIENTS];
        start(60, 64 << 20);
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = dial();
        server_stop(server, 1);
        for (int i = 0; i < CLIENTS; i++)
            close(clients[i]);
    }
    start(60, 64 << 20); // for the test's end
}

// How long it may stand idle is told, and is no longer than a request may take.
static void test_idle_connections(void **state) {
    (void)state;
    start(7, 64 << 20);
    assert_serves();
    assert_non_null(strcasestr(heard, "\r\nKeep-Alive: timeout=7\r\n"));
    server_stop(server, 1);
    start(3600, 64 << 20);
    assert_serves();
    assert_non_null(strcasestr(heard, "\r\nKeep-Alive: timeout=30\r\n"));
}

// A line for each request, with the id that its client gave it as far as that is one; nothing of
// its signature.
static void test_log(void **state) {
    char line[1024];
    FILE *log = tmpfile();
    int before = dup(STDERR_FILENO);
    (void)state;
    assert_non_null(log);
    dup2(fileno(log), STDERR_FILENO);
    has_log = true;
    start(60, 64 << 20);
    has_log = false;
    int client = dial();
    say_text(client, "GET /acc/Demo?sig=secret HTTP/1.1\r\nHost: h\r\n"
                     "x-ms-client-request-id: 12-ab\x01 status=200\r\n\r\n");
    int status = hear(client);
    say_text(client, request_line);
    hear(client);
    close(client);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(log);
    assert_int_equal(status, 403);
    assert_non_null(fgets(line, sizeof line, log));
    assert_non_null(strstr(line, " client=12-ab method=GET path=/acc/Demo status=403 "));
    assert_null(strstr(line, "secret"));
    assert_non_null(fgets(line, sizeof line, log));
    assert_non_null(strstr(line, " client=- method=GET path=/acc/Tables status=403 "));
    fclose(log);
}

// A body over the limit is refused by its length before it is sent, or, sent in chunks without one,
// when it gets there.
static void test_long_bodies(void **state) {
    (void)state;
    start(60, 64 << 20);
    int client = dial();
    say_text(client, "POST /acc/T HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n");
    assert_int_equal(hear(client), 413);
    close(client);
    client = dial();
    say_text(client, "POST /acc/T HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    char *chunk = malloc(1 << 20);
    memset(chunk, 'x', 1 << 20);
    for (int i = 0; i < 5; i++) {
        say_text(client, "100000\r\n");
        say(client, chunk, 1 << 20);
        say_text(client, "\r\n");
    }
    say_text(client, "0\r\n\r\n");
    assert_int_equal(hear(client), 413);
    close(client);
    free(chunk);
    assert_serves();
}

// More headers or longer ones than there is room for are refused.
static void test_long_headers(void **state) {
    (void)state;
    start(60, 64 << 20);
    int client = dial();
    say_text(client, "GET /acc/T HTTP/1.1\r\n");
    for (int i = 0; i < 2000; i++)
        say_text(client, "X-Header: 0123456789012345678901234567890123456789\r\n");
    say_text(client, "\r\n");
    int status = hear(client);
    assert_true(status == 431 || status == 413 || status == 0);
    close(client);
    client = dial();
    say_text(client, "GET /acc/T HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < WIRE_HEADERS_MAX; i++)
        say_text(client, "X: 1\r\n");
    say_text(client, "\r\n");
    assert_int_equal(hear(client), 400);
    close(client);
    assert_serves();
}

// Who has sent half a request and then byte after byte does not keep its connection, and whoever
// comes meanwhile is served.
static void test_slow_clients(void **state) {
    (void)state;
    start(1, 64 << 20);
    int slow = dial(), silent = dial();
    say_text(slow, "GET /acc/T HTTP/1.1\r\nX-Slow: ");
    char byte;
    int bytes = 0;
    while (recv(slow, &byte, 1, MSG_DONTWAIT) != 0) {
        say_text(slow, "a");
        assert_serves();
        usleep(100);
        assert_true(++bytes < HEADER_BYTES); // it was the time, not the size
    }
    assert_int_equal(recv(silent, &byte, 1, 0), 0);
    close(slow);
    close(silent);
}

static atomic_bool is_ahead; // the wall clock, by a day

// In place of the C library's.
int clock_gettime(clockid_t clock, struct timespec *time) {
    long code = syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME && atomic_load(&is_ahead))
        time->tv_sec += 86400;
    return (int)code;
}

// Slow clients are looked for also when the wall clock is set back.
static void test_clock_is_set_back(void **state) {
    const struct timeval patience = {.tv_sec = 20};
    char byte;
    (void)state;
    atomic_store(&is_ahead, true);
    start(1, 64 << 20);
    assert_serves();
    int silent = dial();
    setsockopt(silent, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    usleep(100000); // the server waits for its next look
    atomic_store(&is_ahead, false);
    assert_int_equal(recv(silent, &byte, 1, 0), 0);
    close(silent);
}

static void say_signed(int to, const char *method, const char *target, const char *body) {
    struct server_request request = request_of(method, target, body);
    request.now = (int64_t)time(NULL) * WIRE_TICKS;
    if (*body) {
        add_request_header(&request, "Content-Type", "application/json");
        add_request_header(&request, "Content-Length", arena_printf(&arena, "%zu", strlen(body)));
    }
    sign(&request, false);
    say_text(to, arena_printf(&arena, "%s %s HTTP/1.1\r\n", method, target));
    for (size_t i = 0; i < request.headers.count; i++) {
        say_text(to, request.headers.list[i].name);
        say_text(to, ": ");
        say_text(to, request.headers.list[i].value);
        say_text(to, "\r\n");
    }
    say_text(to, "\r\n");
    say_text(to, body);
}

// As many connections as threads: each has a thread of its own, and none waits for another's call.
static void test_threads_share_connections(void **state) {
    (void)state;
    const struct timeval patience = {.tv_sec = 20};
    start(60, 64 << 20);
    for (int round = 0; round < 5; round++) {
        int slow = dial(), other = dial();
        setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        atomic_store(&listing, 0);
        atomic_store(&is_slow, true);
        say_signed(slow, "GET", "/acc/Tables", "");
        for (int i = 0; i < 20000 && atomic_load(&listing) == 0; i++)
            usleep(1000);
        assert_int_equal(atomic_load(&listing), 1);
        say_text(other, request_line);
        int status = hear(other);
        atomic_store(&is_slow, false);
        assert_int_equal(status, 403);
        assert_int_equal(hear(slow), 200);
        close(slow);
        close(other);
    }
}

// Many connections that do nothing leave room for one that does.
static void test_many_connections(void **state) {
    static int clients[MANY];
    (void)state;
    start(60, 64 << 20);
    for (int i = 0; i < MANY; i++) {
        clients[i] = dial();
        say_text(clients[i], "GET /acc/T HTTP/1.1\r\n");
    }
    assert_serves();
    for (int i = 0; i < MANY; i++) {
        say_text(clients[i], "Host: h\r\n\r\n");
        assert_int_equal(hear(clients[i]), 403);
    }
    for (int i = 0; i < MANY; i++)
        close(clients[i]);
    while (server_counts(server).connections > 0) // they are noticed when they are
        usleep(1000);
}

// Bodies under way never take more than their share of memory: who comes too late is told to come
// again, and when the others are gone there is room.
static void test_bounded_memory(void **state) {
    (void)state;
    static int clients[8];
    const char *head = "POST /acc/T HTTP/1.1\r\nHost: h\r\nContent-Length: 3145729\r\n\r\n";
    char *half = calloc(1, HALF_BODY);
    start(60, 8 << 20);
    for (int i = 0; i < 8; i++) {
        clients[i] = dial();
        say_text(clients[i], head);
        say(clients[i], half, HALF_BODY);
        assert_true(server_counts(server).bytes <= 8 << 20);
    }
    int busy = 0, refused = 0;
    for (int i = 0; i < 8; i++) {
        say(clients[i], "x", 1);
        int status = hear(clients[i]);
        busy += status == 503;
        refused += status == 403;
        close(clients[i]);
    }
    assert_int_equal(busy + refused, 8);
    assert_true(busy > 0 && refused > 0);
    while (server_counts(server).bytes > 0)
        usleep(1000);
    free(half);
    assert_serves();
}

// What was done is not answered as "not done" when there is no memory for the answer: a client
// would send it again.
static void test_no_memory_for_answers(void **state) {
    char body[4096]; // which is all that there is: the answer is longer
    (void)state;
    start(60, sizeof body);
    int client = dial();
    say_signed(client, "POST", "/acc/Tables", "{\"TableName\":\"Demo\"}");
    hear(client);
    snprintf(body, sizeof body, "{\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"A\":\"%04000d\"}", 0);
    say_signed(client, "POST", "/acc/Demo", body);
    assert_int_equal(hear(client), 500);
    close(client);
}

// Two at one port: the second one says so.
static void test_port_in_use(void **state) {
    (void)state;
    struct error error = {""};
    start(60, 64 << 20);
    struct server_options options = {.address = "127.0.0.1",
                                     .port = server_port(server),
                                     .threads = 1,
                                     .connections = 64,
                                     .request_seconds = 60,
                                     .account = account,
                                     .open_store = open_store};
    assert_null(server_start(&options, &error));
    assert_non_null(strstr(error.text, "cannot listen at 127.0.0.1"));
    options.address = "localhost";
    assert_null(server_start(&options, &error));
    assert_non_null(strstr(error.text, "expected a numeric one"));
}

// What the other port says of [path], all of it.
static const char *look(const char *path) {
    static char text[READ_BYTES];
    char request[128];
    size_t size = 0;
    int client = dial_port(server_metrics_port(server));
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
             path);
    say_text(client, request);
    for (ssize_t got; (got = recv(client, text + size, sizeof text - 1 - size, 0)) > 0;)
        size += (size_t)got;
    text[size] = '\0';
    close(client);
    return text;
}

// Health, and counts that fit what was asked for.
static void test_metrics(void **state) {
    (void)state;
    start(60, 64 << 20);
    assert_non_null(strstr(look("/healthz"), " 200 OK"));
    assert_non_null(strstr(look("/healthz"), "ok\n"));
    assert_non_null(strstr(look("/nothing"), " 404 "));
    for (int i = 0; i < 3; i++)
        assert_serves();
    const char *text = look("/metrics");
    assert_non_null(strstr(text, "\nmtable_requests_total 3\n"));
    assert_non_null(strstr(text, "\nmtable_client_errors_total 3\n"));
    assert_non_null(strstr(text, "\nmtable_server_errors_total 0\n"));
    assert_non_null(strstr(text, "\nmtable_request_seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "\nmtable_request_seconds_count 3\n"));
    assert_null(strstr(text, "AccountKey"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_endpoint, stop_endpoint)
    const struct CMUnitTest tests[] = {
        TEST(test_connection),
        TEST(test_end_hangs_up),
        TEST(test_end_while_clients_come),
        TEST(test_idle_connections),
        TEST(test_long_bodies),
        TEST(test_long_headers),
        TEST(test_slow_clients),
        TEST(test_clock_is_set_back),
        TEST(test_many_connections),
        TEST(test_bounded_memory),
        TEST(test_no_memory_for_answers),
        TEST(test_port_in_use),
        TEST(test_metrics),
        TEST(test_log),
        TEST(test_threads_share_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
