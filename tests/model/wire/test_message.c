#include "tests/support/arena.h"

#include "model/wire/message.h"

#include <string.h>

static bool split(const char *body, const char *boundary, struct wire_span *parts, size_t *count) {
    return wire_multipart_read(body, strlen(body), boundary, parts, 3, count);
}

static void assert_part(struct wire_span part, const char *expected) {
    assert_int_equal(part.size, strlen(expected));
    assert_memory_equal(part.text, expected, part.size);
}

// Parts are what stands between the lines of the boundary, without the line end before it.
static void test_parts(void **state) {
    (void)state;
    struct wire_span parts[3];
    size_t count;
    assert_true(split("--b\r\none\r\n\r\n--b\r\n--b \r\ntwo --b\r\n--bc\r\n--b--\r\nrest", "b",
                      parts, &count));
    assert_int_equal(count, 3);
    assert_part(parts[0], "one\r\n");
    assert_part(parts[1], "");
    assert_part(parts[2], "two --b\r\n--bc");
    assert_true(split("before\n--b\none\n--b--", "b", parts, &count));
    assert_int_equal(count, 1);
    assert_part(parts[0], "one");
    assert_true(split("--b--", "b", parts, &count));
    assert_int_equal(count, 0);
    static const char *const bad[] = {"",
                                      "b",
                                      "--b",
                                      "--b\r\n",
                                      "--b\r\none",
                                      "--b\r\none--b--",
                                      "--b\n1\n--b\n2\n--b\n3\n--b\n4\n--b--"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(split(bad[i], "b", parts, &count));
    assert_false(split("--b--", "", parts, &count));
}

static bool read_message(const char *text, bool has_start, struct wire_message *message) {
    return wire_message_read(&arena, text, strlen(text), has_start, message);
}

static void test_message(void **state) {
    (void)state;
    struct wire_message message;
    assert_true(read_message("PUT /x HTTP/1.1\r\nIf-Match: W/\"a\" \r\nEmpty:\r\n\r\n{}\r\n", true,
                             &message));
    assert_string_equal(message.start, "PUT /x HTTP/1.1");
    assert_string_equal(wire_header(&message.headers, "if-match"), "W/\"a\"");
    assert_string_equal(wire_header(&message.headers, "EMPTY"), "");
    assert_null(wire_header(&message.headers, "If"));
    assert_int_equal(message.size, 4);
    assert_memory_equal(message.body, "{}\r\n", 4);
    assert_true(read_message("a: b\n\n", false, &message));
    assert_int_equal(message.size, 0);
    assert_false(read_message("no colon\r\n\r\n", false, &message));
    assert_false(read_message(": no name\r\n\r\n", false, &message));
    assert_false(read_message("", true, &message));
    assert_false(wire_message_read(&arena, "a: b\0c\n\n", 8, false, &message));
    char many[WIRE_HEADERS_MAX * 4 + 10] = "";
    for (int i = 0; i <= WIRE_HEADERS_MAX; i++)
        strcat(many, "a:\n");
    assert_false(read_message(many, false, &message));
}

static void test_parameters(void **state) {
    (void)state;
    static const char type[] = "multipart/mixed; charset=x; boundary=\"a b\"";
    assert_string_equal(wire_parameter(&arena, type, "boundary"), "a b");
    assert_string_equal(wire_parameter(&arena, "m/m;BOUNDARY=batch_1 ; x", "boundary"), "batch_1");
    assert_null(wire_parameter(&arena, "multipart/mixed", "boundary"));
    assert_null(wire_parameter(&arena, NULL, "boundary"));
    assert_true(wire_is_media_type(type, "multipart/mixed"));
    assert_false(wire_is_media_type("multipart/mixed2", "multipart/mixed"));
    assert_false(wire_is_media_type(NULL, "multipart/mixed"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_parts),
        ARENA_TEST(test_message),
        ARENA_TEST(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
