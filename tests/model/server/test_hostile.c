// Requests that nobody in his right mind sends: valid ones, damaged at random, most of them under a
// valid signature. Whatever comes is answered, in the protocol's form, and the tables go on.
//
// MTCHECK_HOSTILE is how many there are, MTCHECK_SEED what they are drawn from; bodies lie in
// memory of exactly their size, so that a sanitizer sees who reads beyond them.
#include "tests/model/server/endpoint.h"

#include "core/base/number.h"
#include "core/base/rng.h"

#include <jansson.h>
#include <stdlib.h>

enum { REQUESTS = 40000, TEXT_BYTES_MAX = 4096, ARENA_FULL = 1 << 28 };

struct seed {
    const char *method, *target, *content_type, *body;
};

#define OPERATION(line, body)                                                                \
    "--c\r\nContent-Type: application/http\r\n"                                              \
    "Content-Transfer-Encoding: binary\r\n\r\n" line " HTTP/1.1\r\nIf-Match: *\r\n\r\n" body \
    "\r\n"

static const struct seed seeds[] = {
    {"POST", "/acc/Tables", "application/json", "{\"TableName\":\"Demo\"}"},
    {"GET", "/acc/Tables?$filter=TableName%20ge%20'a'&$top=2&NextTableName=1!Yg==", NULL, ""},
    {"DELETE", "/acc/Tables('Demo')", NULL, ""},
    {"POST", "/acc/Demo", "application/json",
     "{\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"i@odata.type\":\"Edm.Int32\",\"i\":7,"
     "\"s\":\"a\\u00e9\\ud83d\\ude00\",\"b\":true,\"n\":null,\"d\":1.5e3,"
     "\"l@odata.type\":\"Edm.Int64\",\"l\":\"9223372036854775807\","
     "\"g@odata.type\":\"Edm.Guid\",\"g\":\"00112233-4455-6677-8899-aabbccddeeff\","
     "\"t@odata.type\":\"Edm.DateTime\",\"t\":\"2026-11-22T04:08:15.8122003Z\","
     "\"y@odata.type\":\"Edm.Binary\",\"y\":\"AAEC\"}"},
    {"PUT", "/acc/Demo(PartitionKey='p',RowKey='r')", "application/json", "{\"a\":1}"},
    {"MERGE", "/acc/Demo(PartitionKey='p''q',RowKey='%E6%B1%89')", "application/json",
     "{\"x\":\"y\"}"},
    {"GET", "/acc/Demo(PartitionKey='p',RowKey='r')?$select=a,i,%20s", NULL, ""},
    {"GET",
     "/acc/Demo()?$filter=(PartitionKey%20eq%20'p')%20and%20(RowKey%20gt%20'a')&$top=5&"
     "NextPartitionKey=1!cA==&NextRowKey=1!cg==&$format=application/json;odata=fullmetadata",
     NULL, ""},
    {"DELETE", "/acc/Demo(PartitionKey='p',RowKey='r')", NULL, ""},
    {"GET", "/acc/?restype=service&comp=properties", NULL, ""},
    {"POST", "/acc/$batch", "multipart/mixed; boundary=b",
     "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" OPERATION(
         "PUT http://h/acc/Demo(PartitionKey='p',RowKey='r')", "{\"a\":1}")
         OPERATION("POST /acc/Demo", "{\"PartitionKey\":\"p\",\"RowKey\":\"s\"}")
             OPERATION("DELETE /acc/Demo(PartitionKey='p',RowKey='t')", "") "--c--\r\n--b--\r\n"},
    {"POST", "/acc/$batch", "multipart/mixed; boundary=b",
     "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
     "GET http://h/acc/Demo?$filter=True%20and%20(a%20eq%201)&$top=2 HTTP/1.1\r\n"
     "Accept: application/json;odata=nometadata\r\n\r\n\r\n--b--\r\n"},
};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

// What damage is made of.
static const char *const scraps[] = {"'",
                                     "''",
                                     "%",
                                     "%00",
                                     "%2f",
                                     "(",
                                     ")",
                                     ",",
                                     "&",
                                     "=",
                                     "?",
                                     "/",
                                     "\"",
                                     "\\",
                                     "\\u0000",
                                     "\\ud800",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     ":",
                                     "null",
                                     "-1",
                                     "1e999",
                                     "99999999999999999999",
                                     "\r\n",
                                     "\n",
                                     "--b",
                                     "--c--",
                                     "\r\n\r\n",
                                     "$filter=",
                                     " and ",
                                     " eq ",
                                     "not (",
                                     "PartitionKey",
                                     "RowKey='",
                                     "@odata.type",
                                     "Edm.Binary",
                                     "W/\"x\"",
                                     "w/\"x\"",
                                     "FALSE",
                                     "\xff",
                                     "\xed\xa0\x80",
                                     "\xf0\x9f\x98\x80",
                                     "HTTP/1.1",
                                     "Content-Type: ",
                                     "boundary=",
                                     "1!",
                                     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
enum { SCRAPS = sizeof scraps / sizeof scraps[0] };

struct damaged {
    char data[TEXT_BYTES_MAX];
    size_t size;
};

static void replace(struct damaged *text, size_t at, size_t old, const char *with, size_t size) {
    if (text->size - old + size >= TEXT_BYTES_MAX)
        return;
    memmove(text->data + at + size, text->data + at + old, text->size - at - old);
    memcpy(text->data + at, with, size);
    text->size = text->size - old + size;
}

// One of: a byte becomes another, some vanish, some come twice, a scrap is put in.
static void damage(struct damaged *text, struct rng *rng) {
    uint32_t kind = rng_below(rng, 4);
    size_t at = rng_below(rng, (uint32_t)text->size + 1);
    size_t left = text->size - at;
    size_t length = rng_below(rng, left < 40 ? (uint32_t)left + 1 : 40);
    char copy[TEXT_BYTES_MAX];
    if (kind == 0 && left > 0) {
        text->data[at] = (char)rng_below(rng, 256);
    } else if (kind == 1) {
        replace(text, at, length, "", 0);
    } else if (kind == 2) {
        memcpy(copy, text->data + at, length);
        replace(text, at, 0, copy, length);
    } else {
        const char *scrap = scraps[rng_below(rng, SCRAPS)];
        replace(text, at, 0, scrap, strlen(scrap));
    }
}

static struct damaged damaged_of(const char *text, uint32_t times, struct rng *rng) {
    struct damaged result = {.size = strlen(text)};
    memcpy(result.data, text, result.size);
    while (times-- > 0)
        damage(&result, rng);
    result.data[result.size] = '\0';
    return result;
}

// Whatever it is: an answer of the protocol.
static void check_answer(void) {
    assert_in_range(answer.status, 200, 599);
    assert_true(answer.status != 500);
    const char *type = answer_header_of("Content-Type");
    if (answer.size == 0 || !type || strncmp(type, "application/json", 16) != 0)
        return;
    json_error_t error;
    json_t *body = json_loadb(answer.body, answer.size, JSON_ALLOW_NUL, &error);
    if (!body)
        fail_msg("no JSON: %s: %.*s", error.text, (int)answer.size, answer.body);
    json_decref(body);
}

static void send_damaged(struct rng *rng) {
    const struct seed *seed = &seeds[rng_below(rng, SEEDS)];
    uint32_t in_target = rng_below(rng, 3);
    uint32_t in_body = rng_below(rng, 6);
    uint32_t in_type = rng_below(rng, 10) == 0;
    struct damaged target = damaged_of(seed->target, in_target, rng);
    struct damaged body = damaged_of(seed->body, in_body, rng);
    struct damaged type = damaged_of(seed->content_type ? seed->content_type : "", in_type, rng);
    if (strlen(target.data) > 900) // more than the helper signs
        return;
    char *exact = malloc(body.size ? body.size : 1);
    assert_non_null(exact);
    memcpy(exact, body.data, body.size);
    struct server_request request = request_of(seed->method, target.data, "");
    request.body = exact;
    request.size = body.size;
    if (seed->content_type)
        add_request_header(&request, "Content-Type", type.data);
    if (rng_below(rng, 3) == 0)
        add_request_header(&request, "If-Match", rng_below(rng, 2) == 0 ? "*" : "W/\"m-1\"");
    sign(&request, rng_below(rng, 2) == 0);
    if (rng_below(rng, 50) == 0)
        request.headers.list[request.headers.count - 1].value = target.data;
    send_request(&request);
    check_answer();
    free(exact);
}

// The number in the environment, or [otherwise].
static uint64_t number_in(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    if (text)
        assert_true(number_parse(text, 1, UINT64_MAX, &otherwise));
    return otherwise;
}

static void test_hostile(void **state) {
    struct rng rng;
    uint64_t count = number_in("MTCHECK_HOSTILE", REQUESTS), good = 0;
    rng_seed(&rng, number_in("MTCHECK_SEED", 1));
    for (uint64_t i = 0; i < count; i++) {
        if (arena_mark(&arena) > ARENA_FULL) {
            close_endpoint(state);
            open_endpoint(state);
        }
        send_damaged(&rng);
        good += answer.status < 300;
    }
    // Both kinds were there: some did what they asked for, many did not.
    assert_true(good > count / 20 && good < count * 19 / 20);
    store.tables[0].table = NULL; // there is room for one, whatever names the others have taken
    assert_int_equal(ask("POST", "/acc/Tables", "{\"TableName\":\"Last\"}"), 201);
    assert_int_equal(ask("GET", "/acc/Last()", ""), 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hostile, open_endpoint, close_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
