#include "tests/support/test.h"

#include "core/base/number.h"
#include "core/base/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// What no parser of whole texts may take.
static const char *const no_numbers[] = {
    "",    " ",    "x",    "-",    "+",    "+1",       " 1",  "1 ", "1x",
    "0x",  "0x 1", "0xg",  "0b1",  "1e3",  "1,5",      "--1", "K",  "1k",
    "1KB", "1K1",  "1 K",  "G1",   "\xb2", "\xd9\xa1", // a superscript, an Arabic digit
    "1_",  "0X",   "0x-1", "-0x1", ".",    "1.5.2",
};

static void test_what_is_no_number(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++) {
        const char *text = no_numbers[i];
        uint64_t number = 42;
        uint32_t small = 42;
        int64_t integer = 42;
        double seconds = 42;
        assert_false(number_parse(text, 0, UINT64_MAX, &number));
        assert_false(number_parse32(text, 0, UINT32_MAX, &small));
        assert_false(number_parse_any(text, UINT64_MAX, &number));
        assert_false(number_parse_signed(text, INT64_MIN, INT64_MAX, &integer));
        assert_false(number_parse_bytes(text, UINT64_MAX, &number));
        assert_false(number_parse_seconds(text, &seconds));
        assert_true(number == 42 && small == 42 && integer == 42 && seconds == 42);
    }
}

// The largest numbers, and those just above them.
static void test_limits(void **state) {
    (void)state;
    uint64_t number = 0;
    uint32_t small = 0;
    assert_true(number_parse("18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    assert_false(number_parse("18446744073709551616", 0, UINT64_MAX, &number));
    assert_false(number_parse("99999999999999999999999", 0, UINT64_MAX, &number));
    assert_true(number_parse32("4294967295", 0, UINT32_MAX, &small));
    assert_true(small == UINT32_MAX);
    assert_false(number_parse32("4294967296", 0, UINT32_MAX, &small));
    assert_true(number_parse("00000000000000000000000000000007", 7, 7, &number));
    assert_true(number == 7);
    assert_false(number_parse("6", 7, 7, &number));
    assert_false(number_parse("8", 7, 7, &number));
    assert_true(number_parse("0", 0, 0, &number));
    assert_false(number_parse("1", 0, 0, &number));
    assert_false(number_parse("10", 0, 5, &number));
}

// Of any length.
static uint64_t draw(struct rng *rng) {
    uint64_t number = rng_next(rng);
    return number >> rng_below(rng, 64);
}

// Random limits and numbers, as printf writes them: a number passes if it is within the limits.
static void test_parse_agrees_with_printf(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t value = draw(&rng), min = draw(&rng), max = draw(&rng), number = 0;
        char text[32], hex[32];
        snprintf(text, sizeof text, "%" PRIu64, value);
        assert_int_equal(number_parse(text, min, max, &number), value >= min && value <= max);
        snprintf(hex, sizeof hex, i % 2 ? "0x%" PRIx64 : "0X%" PRIX64, value);
        assert_int_equal(number_parse_any(hex, max, &number), value <= max);
        assert_true(value > max || number == value);
        assert_int_equal(number_parse_any(text, max, &number), value <= max);
        size_t length = number_scan(text, 10, max, &number);
        assert_int_equal(length, value <= max ? strlen(text) : 0);
    }
}

// It stops at what is no digit of its base; capital letters are none.
static void test_scan_stops(void **state) {
    (void)state;
    uint64_t number = 0;
    assert_int_equal(number_scan("12;", 10, 99, &number), 2);
    assert_int_equal(number, 12);
    assert_int_equal(number_scan("1f2g", 16, 9999, &number), 3);
    assert_int_equal(number, 0x1f2);
    assert_int_equal(number_scan("1a", 10, 99, &number), 1);
    assert_int_equal(number_scan("aB", 16, 99, &number), 1);
    assert_int_equal(number_scan("B", 16, 99, &number), 0);
    assert_int_equal(number_scan("0x1", 16, 99, &number), 1);
    assert_int_equal(number_scan(";", 10, 99, &number), 0);
}

static void test_signed(void **state) {
    (void)state;
    int64_t number = 1;
    assert_true(number_parse_signed("-9223372036854775808", INT64_MIN, INT64_MAX, &number));
    assert_true(number == INT64_MIN);
    assert_true(number_parse_signed("9223372036854775807", INT64_MIN, INT64_MAX, &number));
    assert_true(number == INT64_MAX);
    assert_false(number_parse_signed("-9223372036854775809", INT64_MIN, INT64_MAX, &number));
    assert_false(number_parse_signed("9223372036854775808", INT64_MIN, INT64_MAX, &number));
    assert_true(number_parse_signed("-0", 0, 0, &number));
    assert_true(number == 0);
    assert_true(number_parse_signed("-5", -5, 5, &number));
    assert_true(number == -5);
    assert_false(number_parse_signed("-6", -5, 5, &number));
    assert_false(number_parse_signed("6", -5, 5, &number));
}

static void test_bytes(void **state) {
    (void)state;
    uint64_t bytes = 0;
    assert_true(number_parse_bytes("7", UINT64_MAX, &bytes) && bytes == 7);
    assert_true(number_parse_bytes("7K", UINT64_MAX, &bytes) && bytes == 7 * 1024);
    assert_true(number_parse_bytes("3M", UINT64_MAX, &bytes) && bytes == 3 << 20);
    assert_true(number_parse_bytes("2G", UINT64_MAX, &bytes) && bytes == UINT64_C(2) << 30);
    assert_true(number_parse_bytes("17179869183G", UINT64_MAX, &bytes));
    assert_false(number_parse_bytes("17179869184G", UINT64_MAX, &bytes)); // 2^64
    assert_true(number_parse_bytes("1K", 1024, &bytes));
    assert_false(number_parse_bytes("1K", 1023, &bytes));
}

static void test_seconds(void **state) {
    (void)state;
    double seconds = 0;
    assert_true(number_parse_seconds("0.2", &seconds) && seconds == 0.2);
    assert_true(number_parse_seconds(".5", &seconds) && seconds == 0.5);
    assert_true(number_parse_seconds("3.", &seconds) && seconds == 3);
    assert_true(number_parse_seconds("86400", &seconds) && seconds == 86400);
    assert_true(number_parse_seconds("00.001", &seconds) && seconds == 0.001);
    const char *const bad[] = {"0", "0.0", "-1", "inf", "nan", "1e9", "0x10"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(number_parse_seconds(bad[i], &seconds));
    char digits[400];
    memset(digits, '9', sizeof digits);
    digits[sizeof digits - 1] = '\0';
    assert_false(number_parse_seconds(digits, &seconds)); // not finite
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parse_agrees_with_printf),
        cmocka_unit_test(test_scan_stops),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
