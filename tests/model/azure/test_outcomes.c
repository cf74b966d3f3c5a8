// What a service that fails, is silent or goes away is to the caller. The service here is a thread
// that plays answers in their order; it also keeps what it was sent.
#define _GNU_SOURCE
#include "tests/support/test.h"

#include "core/base/clock.h"
#include "model/azure/azure_table.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/filter.h"
#include "model/table/row.h"
#include "model/wire/encoding.h"

#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "c2VjcmV0c2VjcmV0c2VjcmV0"

// ---- A service that is told what to say --------------------------------------------------------

enum { PLAYS_MAX = 8, REQUEST_BYTES = 16384 };

#define ROWS_ANSWER                                                     \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\n" \
    "Content-Length: 12\r\n\r\n{\"value\":[]}"
#define DONE_ANSWER "HTTP/1.1 204 No Content\r\nETag: W/\"1\"\r\nDate: %s\r\n\r\n"
#define BUSY_ANSWER "HTTP/1.1 503 Busy\r\nDate: %s\r\nContent-Length: 0\r\n\r\n"
#define FAILED_ANSWER "HTTP/1.1 500 Failed\r\nDate: %s\r\nContent-Length: 0\r\n\r\n"
#define REFUSED_ANSWER                                                         \
    "HTTP/1.1 403 No\r\nx-ms-error-code: AuthenticationFailed\r\nDate: %s\r\n" \
    "Content-Length: 0\r\n\r\n"
#define CUT_ANSWER "HTTP/1.1 204 No Content\r\nDate: %s\r\nETag: W/" // ends the connection, too
#define HANG_UP "" // ends the connection without an answer

static const char *plays[PLAYS_MAX]; // of the requests that come
static int play_count, played;
static char requests[PLAYS_MAX][REQUEST_BYTES];
static int listening;
static unsigned port;
static pthread_t thread;
static struct arena arena;
static struct ct_azure_table *table;

// Reads one request: its headers, and a body as long as they say.
static bool receive(int from, char *request) {
    size_t size = 0;
    for (;;) {
        ssize_t got = recv(from, request + size, REQUEST_BYTES - 1 - size, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
        request[size] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *length = strstr(request, "Content-Length:");
        int body = 0;
        if (end && length && length < end)
            sscanf(length, "Content-Length: %d", &body);
        if (end && size >= (size_t)(end - request) + 4 + (size_t)body)
            return true;
    }
}

static void *serve(void *context) {
    (void)context;
    for (;;) {
        int client = accept(listening, NULL, NULL);
        if (client < 0)
            return NULL;
        char request[REQUEST_BYTES];
        while (receive(client, request)) {
            char date[WIRE_DATE_SIZE], answer[512];
            struct timespec now;
            timespec_get(&now, TIME_UTC);
            wire_date(now.tv_sec * WIRE_TICKS, date);
            const char *play = played < play_count ? plays[played] : HANG_UP;
            if (played < PLAYS_MAX)
                memcpy(requests[played++], request, sizeof request);
            if (!*play)
                break;
            int size = snprintf(answer, sizeof answer, play, date);
            if (send(client, answer, (size_t)size, MSG_NOSIGNAL) < 0 || !strstr(answer, "\r\n\r\n"))
                break;
        }
        close(client);
    }
}

static void play(const char *const *list, int count) {
    play_count = played + count;
    for (int i = 0; i < count; i++)
        plays[played + i] = list[i];
}
#define PLAY(...)                            \
    play((const char *const[]){__VA_ARGS__}, \
         (int)(sizeof(const char *const[]){__VA_ARGS__} / sizeof(const char *)))

static struct ct_azure_account account;

static void open_table(unsigned late_ms) {
    struct error error = {""};
    table = ct_azure_open(
        &(struct ct_azure_options){.account = &account, .name = "Demo", .late_ms = late_ms},
        &error);
    if (!table)
        fail_msg("%s", error.text);
}

static int open_service(void **state) {
    char connection[256];
    struct error error = {""};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    (void)state;
    arena_init(&arena, 1 << 24);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listening, 16), 0);
    getsockname(listening, (struct sockaddr *)&address, &size);
    port = ntohs(address.sin_port);
    played = 0;
    PLAY(ROWS_ANSWER); // of the opening
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    snprintf(connection, sizeof connection,
             "AccountName=acc;AccountKey=" SECRET ";TableEndpoint=http://127.0.0.1:%u/acc", port);
    assert_true(ct_azure_account_read(&account, connection, false, &error));
    open_table(0);
    return 0;
}

static void stop_service(void) {
    shutdown(listening, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listening);
    listening = -1;
}

static int close_service(void **state) {
    (void)state;
    ct_close(ct_azure_interface(table)); // first: its connection keeps the thread
    if (listening >= 0)
        stop_service();
    arena_deinit(&arena);
    return 0;
}

// ---- Words -------------------------------------------------------------------------------------

static struct ct_outcome put(const char *row) {
    struct ct_op_result result;
    struct ct_batch batch = ct_batch_new(&arena, 1);
    ct_batch_add(&batch, CT_INSERT_OR_REPLACE,
                 ct_row_new(&arena, (struct ct_key){"p", row}, NULL, NULL, 0));
    return ct_execute(ct_azure_interface(table), &batch, &arena, &result);
}

static struct ct_outcome get(void) {
    struct ct_rows rows;
    return ct_query(ct_azure_interface(table), ct_filter_in_partition(&arena, "p"), &arena, &rows);
}

static void expect(struct ct_outcome outcome, enum ct_outcome_kind kind, enum ct_status status) {
    if (outcome.kind != kind || outcome.status != status)
        fail_msg("outcome %d, status %d: %s", (int)outcome.kind, (int)outcome.status,
                 outcome.message ? outcome.message : "");
}

// ---- Tests -------------------------------------------------------------------------------------

// A write without an answer, on a connection that was good before: it went out once and no more,
// and is unknown when it can have no effect any more: its signature has ended.
static void test_lost_answer(void **state) {
    (void)state;
    PLAY(DONE_ANSWER, HANG_UP, DONE_ANSWER);
    expect(put("a"), CT_SUCCEEDED, CT_STATUS_NONE);
    double deadline = clock_seconds() + 3;
    ct_azure_set_deadline(table, deadline);
    expect(put("b"), CT_UNKNOWN, CT_STATUS_NONE);
    assert_true(clock_seconds() >= deadline);
    ct_azure_set_deadline(table, HUGE_VAL);
    assert_int_equal(played, 3);
    assert_non_null(strstr(requests[2], "RowKey='b'"));
    struct timespec now;
    int64_t end = 0;
    timespec_get(&now, TIME_UTC);
    const char *at = strstr(requests[2], "&se=");
    assert_non_null(at);
    const char *text = wire_percent_read(&arena, at + 4, strcspn(at + 4, "& "), true);
    assert_true(ct_ticks_parse(text, strlen(text), &end));
    assert_true(end <= now.tv_sec * WIRE_TICKS + now.tv_nsec / 100);
    expect(put("c"), CT_SUCCEEDED, CT_STATUS_NONE); // and life goes on
}

// Nor is half a head an answer, whatever its first line says.
static void test_cut_answer(void **state) {
    (void)state;
    PLAY(CUT_ANSWER, ROWS_ANSWER, CUT_ANSWER);
    expect(get(), CT_SUCCEEDED, CT_STATUS_NONE);
    ct_azure_set_deadline(table, clock_seconds() + 3);
    expect(put("a"), CT_UNKNOWN, CT_STATUS_NONE);
    assert_int_equal(played, 4);
}

// Where a service may go on for a while after the deadline, it is asked how long at most, and the
// write is told as unknown after that.
static void test_late(void **state) {
    (void)state;
    PLAY(ROWS_ANSWER, HANG_UP);
    ct_close(ct_azure_interface(table));
    open_table(1500);
    double deadline = clock_seconds() + 3;
    ct_azure_set_deadline(table, deadline);
    expect(put("a"), CT_UNKNOWN, CT_STATUS_NONE);
    assert_true(clock_seconds() >= deadline + 1.5);
    assert_null(strstr(requests[1], "timeout=")); // a read has no effect
    assert_non_null(strstr(requests[2], "?timeout=1&sv="));
}

// What the service refuses because it is busy has not been done: it is asked again.
static void test_busy(void **state) {
    (void)state;
    PLAY(BUSY_ANSWER, BUSY_ANSWER, DONE_ANSWER, BUSY_ANSWER, ROWS_ANSWER);
    expect(put("a"), CT_SUCCEEDED, CT_STATUS_NONE);
    assert_int_equal(played, 4);
    expect(get(), CT_SUCCEEDED, CT_STATUS_NONE);
    assert_int_equal(played, 6);
}

// A service that has failed knows as little as we do: unknown for a write, nothing for a read.
static void test_failed(void **state) {
    (void)state;
    PLAY(FAILED_ANSWER, FAILED_ANSWER);
    expect(get(), CT_STORAGE_ERROR, CT_STATUS_SERVER_ERROR);
    ct_azure_set_deadline(table, clock_seconds() + 3);
    expect(put("a"), CT_UNKNOWN, CT_STATUS_NONE);
    assert_int_equal(played, 3);
}

// A read may be made again; where nobody is there nothing was done.
static void test_gone(void **state) {
    (void)state;
    PLAY(HANG_UP, ROWS_ANSWER);
    expect(get(), CT_SUCCEEDED, CT_STATUS_NONE);
    assert_int_equal(played, 3);
    PLAY(HANG_UP);
    ct_azure_set_deadline(table, clock_seconds() + 0.5);
    shutdown(listening, SHUT_RDWR);
    expect(get(), CT_STORAGE_ERROR, CT_STATUS_SERVER_ERROR);
    ct_azure_set_deadline(table, clock_seconds() + 2.5);
    expect(put("a"), CT_STORAGE_ERROR, CT_STATUS_SERVER_ERROR);
}

// After the deadline, or when no signature can end before it, nothing is sent.
static void test_deadline(void **state) {
    (void)state;
    ct_azure_set_deadline(table, clock_seconds());
    expect(put("a"), CT_STORAGE_ERROR, CT_STATUS_SERVER_ERROR);
    expect(get(), CT_STORAGE_ERROR, CT_STATUS_SERVER_ERROR);
    assert_int_equal(played, 1);
    PLAY(DONE_ANSWER);
    ct_azure_set_deadline(table, HUGE_VAL);
    expect(put("a"), CT_SUCCEEDED, CT_STATUS_NONE);
}

// A refusal names the service's code, and no message has a secret in it.
static void test_secrets(void **state) {
    (void)state;
    PLAY(REFUSED_ANSWER, REFUSED_ANSWER);
    for (int i = 0; i < 2; i++) {
        struct ct_outcome outcome = i ? put("a") : get();
        expect(outcome, CT_INTERNAL_ERROR, CT_STATUS_NONE);
        assert_non_null(strstr(outcome.message, "403 AuthenticationFailed"));
        assert_null(strstr(outcome.message, "c2Vj"));
        assert_null(strstr(outcome.message, "sig="));
        assert_null(strstr(outcome.message, "SharedKey"));
    }
    // Nor is the key in anything that was sent.
    for (int i = 0; i < played; i++)
        assert_null(strstr(requests[i], SECRET));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_service, close_service)
    const struct CMUnitTest tests[] = {
        TEST(test_lost_answer), TEST(test_cut_answer), TEST(test_late),     TEST(test_busy),
        TEST(test_failed),      TEST(test_gone),       TEST(test_deadline), TEST(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
