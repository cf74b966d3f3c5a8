// The protocol, request by request: what clients that we did not write do not ask for, or only
// sometimes (tests/clients runs those).
#include "tests/model/server/endpoint.h"

static void make_table(void) {
    assert_int_equal(ask("POST", "/acc/Tables", "{\"TableName\":\"Demo\"}"), 201);
}

static void put(const char *row, const char *properties) {
    const char *target = arena_printf(&arena, "/acc/Demo(PartitionKey='p',RowKey='%s')", row);
    assert_int_equal(ask("PUT", target, properties), 204);
}

static const struct {
    const char *method, *target, *body, *header, *value, *expected;
} refusals[] = {
    {"GET", "acc", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Demo(", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Demo()x", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Demo(PartitionKey='p')", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Demo(PartitionKey='p',PartitionKey='q')", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Demo(PartitionKey='p',RowKey='r)", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/%zz", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Tables(Demo)", "", NULL, NULL, "400 InvalidUri"},
    {"GET", "/acc/Demo?$filter=%", "", NULL, NULL, "400 InvalidQueryParameterValue"},
    {"GET", "/acc/Demo?$filter=x+eq", "", NULL, NULL, "400 InvalidInput"},
    {"GET", "/acc/Demo?$top=-1", "", NULL, NULL, "400 InvalidQueryParameterValue"},
    {"GET", "/acc/Demo?$top=a", "", NULL, NULL, "400 InvalidQueryParameterValue"},
    {"GET", "/acc/Demo?NextPartitionKey=a", "", NULL, NULL, "400 InvalidQueryParameterValue"},
    {"GET", "/other/Demo", "", NULL, NULL, "403 AuthenticationFailed"},
    {"GET", "/acc/None", "", NULL, NULL, "404 TableNotFound"},
    {"GET", "/acc/Demo(PartitionKey='p',RowKey='x')", "", NULL, NULL, "404 ResourceNotFound"},
    {"GET", "/acc/None(PartitionKey='p',RowKey='x')", "", NULL, NULL, "404 TableNotFound"},
    {"GET", "/acc/Demo(PartitionKey='p%2f',RowKey='x')", "", NULL, NULL, "400 OutOfRangeInput"},
    {"HEAD", "/acc/Demo", "", NULL, NULL, "405 UnsupportedHttpVerb"},
    {"PUT", "/acc/Demo", "{}", NULL, NULL, "405 UnsupportedHttpVerb"},
    {"PUT", "/acc/Tables('Demo')", "{}", NULL, NULL, "405 UnsupportedHttpVerb"},
    {"DELETE", "/acc/Tables('None')", "", NULL, NULL, "404 ResourceNotFound"},
    {"POST", "/acc/Tables", "{\"TableName\":\"demo\"}", NULL, NULL, "409 TableAlreadyExists"},
    {"POST", "/acc/Tables", "{\"TableName\":\"1ab\"}", NULL, NULL, "400 InvalidResourceName"},
    {"POST", "/acc/Tables", "{\"TableName\":\"ab\"}", NULL, NULL, "400 OutOfRangeInput"},
    {"POST", "/acc/Tables", "{\"TableName\":7}", NULL, NULL, "400 InvalidInput"},
    {"POST", "/acc/Tables", "x", NULL, NULL, "400 InvalidInput"},
    {"POST", "/acc/Demo", "[]", NULL, NULL, "400 InvalidInput"},
    {"POST", "/acc/Demo", "{\"RowKey\":\"x\"}", NULL, NULL, "400 PropertiesNeedValue"},
    {"POST", "/acc/Demo", "{\"PartitionKey\":1,\"RowKey\":\"x\"}", NULL, NULL,
     "400 PropertiesNeedValue"},
    {"POST", "/acc/Demo", "{\"PartitionKey\":\"p\",\"RowKey\":\"r\"}", NULL, NULL,
     "409 EntityAlreadyExists"},
    {"POST", "/acc/None", "{\"PartitionKey\":\"p\",\"RowKey\":\"r\"}", NULL, NULL,
     "404 TableNotFound"},
    {"POST", "/acc/Demo", "{\"PartitionKey\":\"p\",\"RowKey\":\"s\",\"a\":{}}", NULL, NULL,
     "400 InvalidInput"},
    {"POST", "/acc/Demo", "{\"PartitionKey\":\"p\",\"RowKey\":\"s\",\"a\":1,\"a\":2}", NULL, NULL,
     "400 InvalidInput"},
    {"POST", "/acc/Demo", "{\"PartitionKey\":\"p\",\"RowKey\":\"s\",\"a@b\":1}", NULL, NULL,
     "400 PropertyNameInvalid"},
    {"PUT", "/acc/Demo(PartitionKey='p',RowKey='r')", "{}", "If-Match", "abc", "400 InvalidInput"},
    {"PUT", "/acc/Demo(PartitionKey='p',RowKey='r')", "{}", "If-Match", "**", "400 InvalidInput"},
    {"PUT", "/acc/Demo(PartitionKey='p',RowKey='r')", "{}", "If-Match", "", "400 InvalidInput"},
    {"PUT", "/acc/Demo(PartitionKey='p',RowKey='r')", "{}", "If-Match", "W/\"x\"",
     "412 UpdateConditionNotSatisfied"},
    {"PUT", "/acc/Demo(PartitionKey='p',RowKey='x')", "{}", "If-Match", "*",
     "404 ResourceNotFound"},
    {"PUT", "/acc/None(PartitionKey='p',RowKey='x')", "{}", "If-Match", "*", "404 TableNotFound"},
    {"DELETE", "/acc/Demo(PartitionKey='p',RowKey='r')", "", NULL, NULL,
     "400 MissingRequiredHeader"},
    {"POST", "/acc/$batch", "", "Content-Type", "multipart/mixed", "400 InvalidInput"},
    {"GET", "/acc/$batch", "", NULL, NULL, "405 UnsupportedHttpVerb"},
    {"PUT", "/acc/?restype=service&comp=properties", "", NULL, NULL, "501 NotImplemented"},
    {"GET", "/acc/?restype=service&comp=stats", "", NULL, NULL, "400 InvalidQueryParameterValue"},
    {"GET", "/acc/Demo?comp=acl", "", NULL, NULL, "501 NotImplemented"},
    {"PUT", "/acc/Demo?comp=acl", "", NULL, NULL, "501 NotImplemented"},
    {"GET", "/acc/Demo", "", "x-ms-version", "", "400 InvalidHeaderValue"},
    {"GET", "/acc/Demo", "", "x-ms-version", "newest", "400 InvalidHeaderValue"},
    {"GET", "/acc/Demo", "", "x-ms-version", "2019-02-0", "400 InvalidHeaderValue"},
    {"GET", "/acc/Demo", "", "x-ms-version", "2019-02-020", "400 InvalidHeaderValue"},
    {"GET", "/acc/Demo//", "", NULL, NULL, "404 TableNotFound"},
};

// Every refusal by its status and code.
static void test_refusals(void **state) {
    (void)state;
    make_table();
    put("r", "{}");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        ask_with(refusals[i].method, refusals[i].target, refusals[i].body, refusals[i].header,
                 refusals[i].value);
        if (strcmp(told(), refusals[i].expected) != 0)
            fail_msg("%s %s %s: expected %s, found %s", refusals[i].method, refusals[i].target,
                     refusals[i].body, refusals[i].expected, told());
        assert_string_equal(answer_header_of("x-ms-error-code"), strchr(told(), ' ') + 1);
        assert_non_null(strstr(answer.body, "{\"odata.error\":{\"code\":\""));
    }
}

// The exact answers, in each of the three forms.
static void test_answers(void **state) {
    (void)state;
    assert_int_equal(ask("POST", "/acc/Tables", "{\"TableName\":\"Demo\"}"), 201);
    assert_string_equal(answer.body, "{\"odata.metadata\":\"http://h:1/acc/$metadata#Tables/"
                                     "@Element\",\"TableName\":\"Demo\"}");
    assert_int_equal(ask("POST", "/acc/Demo",
                         "{\"PartitionKey\":\"p'\",\"RowKey\":\"\","
                         "\"b\":true,\"i\":-7,\"s\":\"x\\ny\"}"),
                     201);
    assert_string_equal(answer.body,
                        "{\"odata.metadata\":\"http://h:1/acc/$metadata#Demo/@Element\","
                        "\"odata.etag\":\"W/\\\"m-1\",\"PartitionKey\":\"p'\",\"RowKey\":\"\","
                        "\"b\":true,\"i\":-7,\"s\":\"x\\ny\"}");
    assert_string_equal(answer_header_of("ETag"), "W/\"m-1");
    assert_string_equal(answer_header_of("Location"),
                        "http://h:1/acc/Demo(PartitionKey='p%27%27',RowKey='')");
    assert_int_equal(ask("GET", "/acc/Demo()?$select=s,none,RowKey", ""), 200);
    assert_string_equal(answer.body, "{\"odata.metadata\":\"http://h:1/acc/$metadata#Demo\","
                                     "\"value\":[{\"odata.etag\":\"W/\\\"m-1\",\"s\":\"x\\ny\","
                                     "\"none\":null,\"RowKey\":\"\"}]}");
    const char *target = "/acc/Demo(RowKey='',PartitionKey='p''')?$format="
                         "application/json;odata=nometadata";
    assert_int_equal(ask("GET", target, ""), 200);
    assert_string_equal(answer.body, "{\"PartitionKey\":\"p'\",\"RowKey\":\"\",\"b\":true,"
                                     "\"i\":-7,\"s\":\"x\\ny\"}");
    target = "/acc/demo?$format=application/json;odata=fullmetadata&$top=1";
    assert_int_equal(ask("GET", target, ""), 200);
    assert_non_null(strstr(answer.body,
                           "{\"odata.type\":\"acc.demo\",\"odata.id\":\"http://h:1/acc/"
                           "demo(PartitionKey='p%27%27',RowKey='')\",\"odata.editLink\":\""));
}

// A filter that names one row by its keys, in whatever form, and what else it asks of it.
static void test_one_row(void **state) {
    static const struct {
        const char *filter;
        bool matches;
    } cases[] = {
        {"PartitionKey%20eq%20'p'%20and%20RowKey%20eq%20'a'", true},
        {"RowKey%20eq%20'a'%20and%20n%20eq%201%20and%20PartitionKey%20eq%20'p'", true},
        {"RowKey%20eq%20'a'%20and%20n%20eq%202%20and%20PartitionKey%20eq%20'p'", false},
        {"RowKey%20eq%20'a'%20and%20not%20(n%20eq%201)%20and%20PartitionKey%20eq%20'p'", false},
        {"PartitionKey%20eq%20'p'%20and%20RowKey%20eq%20'x'", false},
    };
    (void)state;
    make_table();
    put("a", "{\"n\":1}");
    put("b", "{\"n\":1}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            ask("GET", arena_printf(&arena, "/acc/Demo()?$filter=%s", cases[i].filter), ""), 200);
        assert_int_equal(strstr(answer.body, "\"RowKey\":\"a\"") != NULL, cases[i].matches);
        assert_null(strstr(answer.body, "\"RowKey\":\"b\""));
        assert_null(answer_header_of("x-ms-continuation-NextPartitionKey"));
    }
}

// What a client prefers, and methods in disguise.
static void test_preferences(void **state) {
    (void)state;
    make_table();
    const char *body = "{\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"a\":1}";
    assert_int_equal(ask_with("POST", "/acc/Demo", body, "Prefer", "return-no-content"), 204);
    assert_string_equal(answer_header_of("Preference-Applied"), "return-no-content");
    const char *target = "/acc/Demo(PartitionKey='p',RowKey='r')";
    assert_int_equal(ask_with("POST", target, "{\"b\":2}", "X-HTTP-Method", "MERGE"), 204);
    assert_int_equal(ask("GET", target, ""), 200);
    assert_non_null(strstr(answer.body, "\"a\":1,\"b\":2"));
    // Keys of the URL go before those of the body.
    assert_int_equal(ask("PUT", target, "{\"PartitionKey\":\"q\",\"RowKey\":\"s\"}"), 204);
    assert_int_equal(ask("GET", "/acc/Demo(PartitionKey='q',RowKey='s')", ""), 404);
}

// Pages go on where the last one ended, also when the row that was to come is gone.
static void test_pages(void **state) {
    (void)state;
    make_table();
    put("a", "{}");
    put("b", "{}");
    put("c", "{}");
    assert_int_equal(ask("GET", "/acc/Demo?$top=1", ""), 200);
    assert_non_null(strstr(answer.body, "\"a\""));
    const char *partition = answer_header_of("x-ms-continuation-NextPartitionKey");
    const char *row = answer_header_of("x-ms-continuation-NextRowKey");
    const char *next =
        arena_printf(&arena, "/acc/Demo?$top=2&NextPartitionKey=%s&NextRowKey=%s", partition, row);
    assert_int_equal(
        ask_with("DELETE", "/acc/Demo(PartitionKey='p',RowKey='b')", "", "If-Match", "*"), 204);
    assert_int_equal(ask("GET", next, ""), 200);
    assert_null(strstr(answer.body, "\"b\""));
    assert_non_null(strstr(answer.body, "\"c\""));
    assert_null(answer_header_of("x-ms-continuation-NextPartitionKey"));
}

static unsigned batch(const char *parts) {
    const char *body = arena_printf(&arena,
                                    "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
                                    "%s--c--\r\n--b--\r\n",
                                    parts);
    return ask_with("POST", "/acc/$batch", body, "Content-Type", "multipart/mixed; boundary=b");
}

#define PART(request, body)                                             \
    "--c\r\nContent-Type: application/http\r\n"                         \
    "Content-Transfer-Encoding: binary\r\n\r\n" request " HTTP/1.1\r\n" \
    "Prefer: return-no-content\r\n\r\n" body "\r\n"
#define INSERT(table, partition, row)  \
    PART("POST http://h:1/acc/" table, \
         "{\"PartitionKey\":\"" partition "\",\"RowKey\":\"" row "\"}")

// A transaction that cannot be one says which operation is to blame and does nothing.
static void test_transactions(void **state) {
    (void)state;
    make_table();
    assert_int_equal(ask("POST", "/acc/Tables", "{\"TableName\":\"Other\"}"), 201);
    static const struct {
        const char *parts, *expected, *index;
    } cases[] = {
        {INSERT("Demo", "p", "a") INSERT("Demo", "q", "b"),
         "202 CommandsInBatchActOnDifferentPartitions", "\"1:"},
        {INSERT("Demo", "p", "a") INSERT("Other", "p", "b"),
         "202 CommandsInBatchActOnDifferentPartitions", "\"1:"},
        {INSERT("Demo", "p", "a") INSERT("Demo", "p", "a"), "202 InvalidDuplicateRow", "\"1:"},
        {INSERT("Demo", "p", "a") INSERT("Demo", "p", "a/"), "202 OutOfRangeInput", "\"1:"},
        {INSERT("None", "p", "a"), "202 TableNotFound", "\"0:"},
        {INSERT("None", "p", "a"), "202 TableNotFound", "\r\nHTTP/1.1 404 Not Found\r\n"},
        {INSERT("Demo", "p", "a") PART("DELETE /acc/Demo(PartitionKey='p',RowKey='b')", ""),
         "202 MissingRequiredHeader", "\"1:"},
        {INSERT("Demo", "p", "a") PART("GET /acc/Demo(PartitionKey='p',RowKey='b')", ""),
         "202 UnsupportedHttpVerb", "\"1:"},
        {PART("POST /acc/Tables", "{\"TableName\":\"Third\"}"), "202 UnsupportedHttpVerb", "\"0:"},
        {PART("POST /other/Demo", "{}"), "202 InvalidInput", "\"0:"},
        {PART("POST", "{}"), "202 InvalidInput", "\"0:"},
        {"", "400 InvalidInput", "One of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        batch(cases[i].parts);
        if (strcmp(told(), cases[i].expected) != 0)
            fail_msg("%s: expected %s, found %s", cases[i].parts, cases[i].expected, told());
        assert_non_null(strstr(answer.body, cases[i].index));
        assert_int_equal(ask("GET", "/acc/Demo(PartitionKey='p',RowKey='a')", ""), 404);
    }
    assert_int_equal(batch(INSERT("Demo", "p", "a") INSERT("Demo", "p", "b")), 202);
    assert_null(answer.error);
    assert_int_equal(ask("GET", "/acc/Demo(PartitionKey='p',RowKey='b')", ""), 200);
}

// The W of an ETag may be small, in a request and in a part of a transaction: it is then one that
// the row may have or not (tests/clients has one that it has). Other forms are none.
static void test_small_etags(void **state) {
    (void)state;
    make_table();
    put("r", "{}");
    const char *target = "/acc/Demo(PartitionKey='p',RowKey='r')";
    assert_int_equal(ask_with("PUT", target, "{}", "If-Match", "w/\"wrong\""), 412);
    batch("--c\r\nContent-Type: application/http\r\n\r\n"
          "DELETE /acc/Demo(PartitionKey='p',RowKey='r') HTTP/1.1\r\n"
          "If-Match: w/\"wrong\"\r\n\r\n\r\n");
    assert_string_equal(told(), "202 UpdateConditionNotSatisfied");
    for (size_t i = 0; i < 3; i++) {
        static const char *const none[] = {"v/\"a\"", "w\"a\"", "w/\"a"};
        assert_int_equal(ask_with("PUT", target, "{}", "If-Match", none[i]), 400);
    }
}

static const char *filtered(const char *filter) {
    struct wire_out url = {.arena = &arena};
    wire_add(&url, "/acc/Demo?$select=RowKey&$filter=");
    wire_add_percent(&url, filter);
    assert_int_equal(ask("GET", wire_text(&url), ""), 200);
    return strstr(answer.body, "\"value\":");
}

// Both filters find the same rows.
static void expect_same(const char *filter, const char *other) {
    const char *found = filtered(filter);
    assert_string_equal(found, filtered(other));
}

// Booleans in large or small letters, compared or by themselves.
static void test_booleans(void **state) {
    (void)state;
    make_table();
    put("t", "{\"b\":true}");
    put("f", "{\"b\":false}");
    const char *none = "\"value\":[]}";
    expect_same("b eq TRUE", "RowKey eq 't'");
    expect_same("b eq faLsE", "RowKey eq 'f'");
    expect_same("True", "b ge false");
    assert_string_equal(filtered("False"), none);
    expect_same("false or b eq true", "RowKey eq 't'");
    expect_same("true and (false or RowKey eq 'f')", "RowKey eq 'f'");
    assert_string_equal(filtered("true eq 1"), none); // a property of that name
    assert_int_equal(ask("GET", "/acc/Demo?$filter=1", ""), 400);
}

static unsigned batch_of_one(const char *request) {
    const char *body = arena_printf(&arena,
                                    "--b\r\nContent-Type: application/http\r\n"
                                    "Content-Transfer-Encoding: binary\r\n\r\n%s HTTP/1.1\r\n"
                                    "Accept: application/json;odata=nometadata\r\n\r\n\r\n"
                                    "--b--\r\n",
                                    request);
    return ask_with("POST", "/acc/$batch", body, "Content-Type", "multipart/mixed; boundary=b");
}

// A batch may be a single read, and is answered as that is; of nothing else.
static void test_batch_of_a_read(void **state) {
    (void)state;
    make_table();
    put("r", "{\"a\":1}");
    assert_int_equal(batch_of_one("GET http://h:1/acc/Demo(PartitionKey='p',RowKey='r')"), 202);
    assert_non_null(
        strstr(answer.body, "--batchresponse_id\r\nContent-Type: application/http\r\n"));
    assert_non_null(strstr(answer.body, "\r\nHTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(answer.body, "\r\nETag: W/\""));
    const char *json = strstr(answer.body, "\r\n\r\n{\"PartitionKey\":\"p\",\"RowKey\":\"r\"");
    assert_non_null(json); // without metadata, as the part accepts it
    assert_non_null(strstr(json, "\"a\":1}\r\n--batchresponse_id--\r\n"));
    assert_string_equal(answer_header_of("Content-Type"),
                        "multipart/mixed; boundary=batchresponse_id");
    assert_int_equal(batch_of_one("GET /acc/Demo?$filter=a%20eq%202"), 202);
    assert_non_null(strstr(answer.body, "{\"value\":[]}"));
    batch_of_one("GET /acc/Demo(PartitionKey='p',RowKey='s')");
    assert_string_equal(told(), "202 ResourceNotFound");
    assert_non_null(strstr(answer.body, "\r\nHTTP/1.1 404 Not Found\r\n"));
    assert_non_null(strstr(answer.body, "\"value\":\"0:The specified resource does not exist."));
    static const char *const refused[] = {"GET /acc/Tables", "GET /other/Demo", "GET /acc/",
                                          "DELETE /acc/Demo(PartitionKey='p',RowKey='r')", "GET"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(batch_of_one(refused[i]), 400);
    assert_int_equal(ask("GET", "/acc/Demo(PartitionKey='p',RowKey='r')", ""), 200);
}

// A store that fails: nothing was done is 503, which clients repeat; that nobody knows is not.
static void test_failing_store(void **state) {
    (void)state;
    make_table();
    store.failure = ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    ask("GET", "/acc/Demo", "");
    assert_string_equal(told(), "503 ServerBusy");
    assert_non_null(answer_header_of("Retry-After"));
    ask("GET", "/acc/Tables", "");
    assert_string_equal(told(), "503 ServerBusy");
    store.failure = ct_unknown("the disk");
    ask("DELETE", "/acc/Tables('Demo')", "");
    assert_string_equal(told(), "500 OperationTimedOut");
    store.failure = ct_internal_error("damaged");
    batch(INSERT("Demo", "p", "a"));
    assert_string_equal(told(), "500 InternalError");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_endpoint, close_endpoint)
    const struct CMUnitTest tests[] = {
        TEST(test_one_row),         TEST(test_refusals),    TEST(test_answers),
        TEST(test_preferences),     TEST(test_pages),       TEST(test_transactions),
        TEST(test_failing_store),   TEST(test_small_etags), TEST(test_booleans),
        TEST(test_batch_of_a_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
