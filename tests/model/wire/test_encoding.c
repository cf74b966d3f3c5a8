#include "tests/support/arena.h"

#include "model/wire/encoding.h"
#include "model/wire/out.h"

#include <string.h>

// The examples of RFC 4648, both ways, and every length up to 100.
static void test_base64(void **state) {
    (void)state;
    static const char *const examples[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xef", "/+8="},
    };
    char text[200];
    unsigned char bytes[200];
    size_t size;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        wire_base64(examples[i][0], strlen(examples[i][0]), text);
        assert_string_equal(text, examples[i][1]);
        assert_true(wire_base64_read(text, strlen(text), bytes, &size));
        assert_int_equal(size, strlen(examples[i][0]));
        assert_memory_equal(bytes, examples[i][0], size);
    }
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg=a", "====", "Z===", "Zh==", "Zm9=", "Zm9v!", "Zm 9", "Zg==Zg=="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(wire_base64_read(bad[i], strlen(bad[i]), bytes, &size));
}

static void assert_percent(const char *text, const char *expected) {
    const char *read = wire_percent_read(&arena, text, strlen(text), false);
    if (expected)
        assert_string_equal(read, expected);
    else
        assert_null(read);
}

// What is added is read back; what is malformed, no UTF-8 or has a NUL is refused.
static void test_percent(void **state) {
    (void)state;
    static const char *const texts[] = {"", "a'b", "100%", "\xe6\xb1\x89 \xf0\x9f\x98\x80", "+&=?"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wire_out out = {.arena = &arena};
        wire_add_percent(&out, texts[i]);
        assert_percent(wire_text(&out), texts[i]);
    }
    assert_percent("%41%4a+", "AJ+");
    assert_string_equal(wire_percent_read(&arena, "a+b%2B", 6, true), "a b+");
    static const char *const bad[] = {"%",   "%4",     "%4g",       "%g4",          "a%",    "%00",
                                      "%ff", "%c0%80", "%ed%a0%80", "%f4%90%80%80", "%e2%82"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_percent(bad[i], NULL);
}

static void test_dates(void **state) {
    (void)state;
    char text[WIRE_DATE_SIZE];
    int64_t ticks = 0;
    wire_date(INT64_C(17953204958122003), text);
    assert_string_equal(text, "Sun, 22 Nov 2026 04:08:15 GMT");
    assert_true(wire_date_read(text, &ticks));
    assert_int_equal(ticks, INT64_C(17953204950000000));
    wire_date(0, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_false(wire_date_read("Sun, 22 Nob 2026 04:08:15 GMT", &ticks));
    assert_false(wire_date_read("Sun, 22 Nov 2026 04:08:15", &ticks));
    assert_false(wire_date_read("Sun", &ticks));
    assert_false(wire_date_read("Sun, 31 Feb 2026 04:08:15 GMT", &ticks));
    static const char *const weekdays = "ThuFriSatSunMonTueWed"; // from 1970-01-01
    for (int64_t day = 0; day < 20000; day++) {
        wire_date(day * 86400 * WIRE_TICKS, text);
        assert_memory_equal(text, weekdays + 3 * (day % 7), 3);
        assert_true(wire_date_read(text, &ticks));
        assert_int_equal(ticks, day * 86400 * WIRE_TICKS);
    }
}

// JSON strings: what must be escaped is, the rest is as it was.
static void test_json(void **state) {
    (void)state;
    struct wire_out out = {.arena = &arena};
    wire_add_json(&out, "a\"\\\n\x01\0\xc3\xa9", 8);
    assert_string_equal(wire_text(&out), "\"a\\\"\\\\\\n\\u0001\\u0000\xc3\xa9\"");
}

// [bytes] escaped one by one, in quotes.
static const char *escaped(const unsigned char *bytes, size_t size) {
    struct wire_out out = {.arena = &arena};
    wire_add(&out, "\"");
    for (size_t i = 0; i < size; i++) {
        const char *letter = bytes[i] ? strchr("\"\"\\\\\nn\rr\tt", bytes[i]) : NULL;
        if (letter && (bytes[i] < ' ' || bytes[i] == '"' || bytes[i] == '\\'))
            wire_add_format(&out, "\\%c", letter[1]);
        else if (bytes[i] < ' ' || bytes[i] == 0x7f)
            wire_add_format(&out, "\\u%04x", bytes[i]);
        else
            wire_add_bytes(&out, &bytes[i], 1);
    }
    wire_add(&out, "\"");
    return wire_text(&out);
}

// Strings are looked at by several bytes at a time: every byte at every place of every length, and
// two of them.
static void test_json_places(void **state) {
    (void)state;
    unsigned char text[20];
    for (size_t size = 1; size <= sizeof text; size++)
        for (size_t at = 0; at < size; at++)
            for (int byte = 0; byte < 256; byte++) {
                size_t mark = arena_mark(&arena);
                struct wire_out out = {.arena = &arena};
                memset(text, '!', size);
                text[at] = (unsigned char)byte;
                text[(at * 7 + 3) % size] ^= (unsigned char)byte;
                const char *expected = escaped(text, size);
                wire_add_json(&out, (const char *)text, size);
                assert_string_equal(wire_text(&out), expected);
                assert_int_equal(out.size, strlen(expected));
                arena_reset(&arena, mark);
            }
}

// Room for what is escaped is made before it is taken: what stands behind is not written over.
static void test_json_room(void **state) {
    (void)state;
    static const char text[] =
        "\1\1\1\1 of several parts of which one is long\1 and others are not\1";
    for (int before = 0; before < 256; before++) {
        size_t mark = arena_mark(&arena);
        struct wire_out out = {.arena = &arena};
        wire_add_format(&out, "%*s", before, "");
        const char *behind = arena_strdup(&arena, "behind");
        wire_add_json(&out, text, sizeof text - 1);
        assert_string_equal(behind, "behind");
        assert_string_equal(wire_text(&out) + before,
                            escaped((const unsigned char *)text, sizeof text - 1));
        arena_reset(&arena, mark);
    }
}

static void test_numbers(void **state) {
    (void)state;
    struct wire_out out = {.arena = &arena};
    static const int64_t numbers[] = {0, 7, -7, 10, INT32_MIN, INT64_MAX, INT64_MIN};
    for (int i = 0; i < 7; i++) {
        wire_add_number(&out, numbers[i]);
        wire_add(&out, " ");
    }
    assert_string_equal(wire_text(&out), "0 7 -7 10 -2147483648 9223372036854775807 "
                                         "-9223372036854775808 ");
}

// Growing beside somebody else who takes from the same arena keeps what there is.
static void test_growing(void **state) {
    (void)state;
    struct wire_out one = {.arena = &arena}, two = {.arena = &arena};
    for (int i = 0; i < 1000; i++) {
        wire_add_format(&one, "%d,", i);
        wire_add_format(&two, "%d;", -i);
    }
    assert_int_equal(strncmp(wire_text(&one), "0,1,2,", 6), 0);
    assert_non_null(strstr(wire_text(&one), ",998,999,"));
    assert_non_null(strstr(wire_text(&two), ";-998;-999;"));
    assert_int_equal(strlen(wire_text(&two)), two.size);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_base64),  ARENA_TEST(test_percent),     ARENA_TEST(test_dates),
        ARENA_TEST(test_json),    ARENA_TEST(test_json_places), ARENA_TEST(test_json_room),
        ARENA_TEST(test_growing), ARENA_TEST(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
