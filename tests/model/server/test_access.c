// Who may do what: keys, dates, shared access signatures.
#include "tests/model/server/endpoint.h"

#include <math.h>

static void expect(const char *expected) {
    if (strcmp(told(), expected) != 0)
        fail_msg("expected %s, found %s", expected, told());
}

static void make_table(void) {
    assert_int_equal(ask("POST", "/acc/Tables", "{\"TableName\":\"Demo\"}"), 201);
}

// Both schemes of signatures; each part that is signed must be what it was.
static void test_keys(void **state) {
    (void)state;
    make_table();
    for (int is_lite = 0; is_lite < 2; is_lite++) {
        struct server_request request = request_of("GET", "/acc/Demo()?$top=1", "");
        add_request_header(&request, "Content-Type", "application/json");
        sign(&request, is_lite);
        assert_int_equal(send_request(&request), 200);
        struct server_request other = request;
        other.target = "/acc/Demo";
        assert_int_equal(send_request(&other), 403);
        other = request;
        other.method = "POST"; // which Lite does not sign
        assert_int_equal(send_request(&other) == 403, !is_lite);
        other = request;
        other.headers.list[other.headers.count - 2].value = "Sun, 22 Nov 2026 04:08:16 GMT";
        assert_int_equal(send_request(&other), 403);
    }
}

static void test_bad_headers(void **state) {
    (void)state;
    static const char *const values[] = {"",
                                         "SharedKey",
                                         "SharedKey acc",
                                         "Bearer x",
                                         "SharedKey acc:x",
                                         "SharedKeyLite other:x",
                                         "SharedKeyLite acc:"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct server_request request = request_of("GET", "/acc/Tables", "");
        add_request_header(&request, "x-ms-date", "Sun, 22 Nov 2026 04:08:15 GMT");
        add_request_header(&request, "Authorization", values[i]);
        send_request(&request);
        expect("403 AuthenticationFailed");
    }
    struct server_request anonymous = request_of("GET", "/acc/Tables", "");
    send_request(&anonymous);
    expect("403 AuthenticationFailed");
}

// A signature is good for a quarter of an hour about its date.
static void test_dates(void **state) {
    (void)state;
    struct server_request request = request_of("GET", "/acc/Tables", "");
    sign(&request, true);
    static const int64_t seconds[] = {0, 899, 902, -899, -902};
    for (int i = 0; i < 5; i++) {
        request.now = NOW + seconds[i] * WIRE_TICKS;
        assert_int_equal(send_request(&request), seconds[i] / 900 ? 403 : 200);
    }
}

// ---- Shared access signatures ------------------------------------------------------------------

// Of requests with a signature in their target too, if there is one.
static const char *authorization;

static unsigned ask_sas(const char *method, const char *target, const char *body,
                        const struct wire_sas *sas, bool is_for_account) {
    char signature[WIRE_SIGNATURE_SIZE];
    struct wire_out out = {.arena = &arena};
    wire_sign(&account.key,
              is_for_account ? wire_account_sas_text(&arena, ACCOUNT, sas)
                             : wire_table_sas_text(&arena, ACCOUNT, sas),
              signature);
    const struct {
        const char *name, *value;
    } parameters[] = {{"sv", sas->sv}, {"sp", sas->sp},    {"st", sas->st},   {"se", sas->se},
                      {"tn", sas->tn}, {"ss", sas->ss},    {"srt", sas->srt}, {"spr", sas->spr},
                      {"si", sas->si}, {"sig", signature}, {"spk", sas->spk}};
    wire_add(&out, target);
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (parameters[i].value) {
            wire_add_format(&out, "%c%s=", strchr(wire_text(&out), '?') ? '&' : '?',
                            parameters[i].name);
            wire_add_percent(&out, parameters[i].value);
        }
    struct server_request request = request_of(method, wire_text(&out), body);
    if (strcmp(method, "DELETE") == 0)
        add_request_header(&request, "If-Match", "*");
    if (authorization)
        add_request_header(&request, "Authorization", authorization);
    return send_request(&request);
}

static struct wire_sas table_sas(const char *permissions) {
    return (struct wire_sas){
        .sv = "2019-02-02", .sp = permissions, .se = "2026-11-22T04:08:16Z", .tn = "Demo"};
}

#define ENTITY "/acc/Demo(PartitionKey='p',RowKey='r')"

// Each operation needs its letters.
static void test_permissions(void **state) {
    (void)state;
    static const struct {
        const char *method, *target, *body, *needed;
    } cases[] = {
        {"POST", "/acc/Demo", "{\"PartitionKey\":\"p\",\"RowKey\":\"r\"}", "a"},
        {"GET", ENTITY, "", "r"},
        {"GET", "/acc/demo()", "", "r"},
        {"PUT", ENTITY, "{}", "au"},
        {"DELETE", ENTITY, "", "d"},
    };
    make_table();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (const char *letter = cases[i].needed; *letter; letter++) {
            char without[8] = "", *end = without;
            for (const char *all = "raud"; *all; all++)
                if (*all != *letter)
                    *end++ = *all;
            *end = '\0';
            struct wire_sas sas = table_sas(without);
            ask_sas(cases[i].method, cases[i].target, cases[i].body, &sas, false);
            expect("403 AuthorizationPermissionMismatch");
        }
        struct wire_sas sas = table_sas(cases[i].needed);
        assert_true(ask_sas(cases[i].method, cases[i].target, cases[i].body, &sas, false) < 300);
    }
}

// It ends when it says, covers its table alone, and nothing of it can be changed.
static void test_table_sas(void **state) {
    (void)state;
    struct wire_sas sas = table_sas("raud");
    make_table();
    assert_int_equal(ask_sas("GET", "/acc/Demo", "", &sas, false), 200);
    ask_sas("GET", "/acc/Other", "", &sas, false);
    expect("403 AuthorizationResourceTypeMismatch");
    ask_sas("GET", "/acc/Tables", "", &sas, false);
    expect("403 AuthorizationResourceTypeMismatch");
    ask_sas("DELETE", "/acc/Tables('Demo')", "", &sas, false);
    expect("403 AuthorizationResourceTypeMismatch");
    sas.se = "2026-11-22T04:08:15Z";
    ask_sas("GET", "/acc/Demo", "", &sas, false);
    expect("403 AuthenticationFailed");
    sas = table_sas("raud");
    sas.st = "2026-11-22T04:08:16Z";
    ask_sas("GET", "/acc/Demo", "", &sas, false);
    expect("403 AuthenticationFailed");
    // What is not understood is not passed over.
    for (int i = 0; i < 3; i++) {
        sas = table_sas("raud");
        sas.si = i == 0 ? "policy" : NULL;
        sas.spk = i == 1 ? "p" : NULL;
        sas.spr = i == 2 ? "https" : NULL;
        ask_sas("GET", "/acc/Demo", "", &sas, false);
        expect("403 AuthenticationFailed");
    }
    sas = table_sas("raud");
    ask_sas("GET", "/acc/Demo?sp=r", "", &sas, false);
    expect("403 AuthenticationFailed");
}

// Nobody shall have to know which of two counts.
static void test_doubles(void **state) {
    (void)state;
    struct wire_sas sas = table_sas("raud");
    make_table();
    assert_int_equal(ask_sas("GET", "/acc/Demo?$top=1", "", &sas, false), 200);
    ask_sas("GET", "/acc/Demo?$top=1&$TOP=1", "", &sas, false);
    expect("403 AuthenticationFailed");
    ask_sas("GET", "/acc/Demo?sig=x", "", &sas, false);
    expect("403 AuthenticationFailed");
}

// Of a key's signature and one in the target that holds which holds, with its own rights.
static void test_both(void **state) {
    (void)state;
    struct wire_sas sas = table_sas("r");
    make_table();
    authorization = "SharedKeyLite " ACCOUNT ":wrong";
    assert_int_equal(ask_sas("GET", "/acc/Demo", "", &sas, false), 200);
    ask_sas("PUT", ENTITY, "{}", &sas, false);
    expect("403 AuthorizationPermissionMismatch");
    sas.se = "2026-11-22T04:08:15Z";
    ask_sas("GET", "/acc/Demo", "", &sas, false);
    expect("403 AuthenticationFailed");
    authorization = NULL;
}

static void test_account_sas(void **state) {
    (void)state;
    struct wire_sas sas = {.sv = "2020-12-06",
                           .sp = "rl",
                           .se = "2026-11-23",
                           .ss = "bt",
                           .srt = "co",
                           .spr = "https,http"};
    make_table();
    assert_int_equal(ask_sas("GET", "/acc/Tables", "", &sas, true), 200);
    assert_int_equal(ask_sas("GET", "/acc/Demo", "", &sas, true), 200);
    ask_sas("DELETE", "/acc/Tables('Demo')", "", &sas, true);
    expect("403 AuthorizationPermissionMismatch");
    static const char name[] = "{\"TableName\":\"More\"}";
    ask_sas("POST", "/acc/Tables", name, &sas, true);
    expect("403 AuthorizationPermissionMismatch");
    sas.sp = "w";
    assert_int_equal(ask_sas("POST", "/acc/Tables/", name, &sas, true), 201);
    sas.sp = "c";
    assert_int_equal(ask_sas("POST", "/acc/Tables", name, &sas, true), 409);
    sas.sp = "rl";
    sas.srt = "o";
    ask_sas("GET", "/acc/Tables", "", &sas, true);
    expect("403 AuthorizationResourceTypeMismatch");
    sas.ss = "b";
    ask_sas("GET", "/acc/Demo", "", &sas, true);
    expect("403 AuthorizationResourceTypeMismatch");
}

// What a signature that ends allows has no effect later: the store is told when. A key does not
// end. (NOW is 0.19 s before the signature's last second but one.)
static void test_deadlines(void **state) {
    (void)state;
    struct wire_sas sas = table_sas("raud");
    make_table();
    assert_true(isinf(store.deadline));
    assert_int_equal(ask_sas("PUT", ENTITY, "{}", &sas, false), 204);
    assert_true(store.deadline > CLOCK + 0.187 && store.deadline < CLOCK + 0.188);
    assert_int_equal(ask("GET", "/acc/Demo", ""), 200);
    assert_true(isinf(store.deadline));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_endpoint, close_endpoint)
    const struct CMUnitTest tests[] = {
        TEST(test_keys),        TEST(test_bad_headers), TEST(test_dates),
        TEST(test_permissions), TEST(test_table_sas),   TEST(test_account_sas),
        TEST(test_deadlines),   TEST(test_doubles),     TEST(test_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
