#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/table/value.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Read strictly: the whole text or nothing.
static bool double_of(const char *text, double *value) {
    return ct_double_parse(text, strlen(text), value);
}

static bool ticks_of(const char *text, int64_t *ticks) {
    return ct_ticks_parse(text, strlen(text), ticks);
}

// Two values are equal bit by bit, but for the payload of a NaN, and then their digests are.
static void test_equality(void **state) {
    (void)state;
    static const unsigned char one[CT_GUID_BYTES] = {1}, two[CT_GUID_BYTES] = {2};
    const struct ct_property values[] = {
        ct_bool("a", false),
        ct_bool("a", true),
        ct_int32("a", 0),
        ct_int32("a", INT32_MIN),
        ct_int64("a", 0),
        ct_int64("a", INT64_MIN),
        ct_double("a", 0),
        ct_double("a", -0.0),
        ct_double("a", NAN),
        ct_double("a", INFINITY),
        ct_datetime("a", 0),
        ct_datetime("a", 1),
        ct_string("a", ""),
        ct_string("a", "x"),
        ct_string_of("a", "x\0y", 3),
        ct_string_of("a", "x\0z", 3),
        ct_guid("a", one),
        ct_guid("a", two),
        ct_binary("a", one, 0),
        ct_binary("a", one, CT_GUID_BYTES),
        ct_binary("a", one, 1),
        ct_bool("b", false),
    };
    const size_t count = sizeof values / sizeof values[0];
    struct digest none = {0, 0};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            struct ct_property clone = ct_property_clone(&arena, &values[j]);
            bool equal = ct_property_equal(&values[i], &clone);
            assert_int_equal(equal, i == j);
            assert_int_equal(
                digest_equal(ct_property_fold(none, &values[i]), ct_property_fold(none, &clone)),
                equal);
        }
    struct ct_property other_nan = ct_double("a", -NAN), nan = ct_double("a", NAN);
    assert_true(ct_property_equal(&nan, &other_nan));
}

// A Guid's text is its bytes in order; capitals are read.
static void test_guids(void **state) {
    (void)state;
    static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
    static const char *const bad[] = {"",
                                      "00112233-4455-6677-8899-aabbccddeef",
                                      "00112233-4455-6677-8899-aabbccddeeff0",
                                      "0011223304455-6677-8899-aabbccddeeff",
                                      "0011223g-4455-6677-8899-aabbccddeeff",
                                      "{0112233-4455-6677-8899-aabbccddeef}"};
    unsigned char bytes[CT_GUID_BYTES];
    char again[CT_GUID_TEXT];
    assert_true(ct_guid_parse(text, strlen(text), bytes));
    for (int i = 0; i < CT_GUID_BYTES; i++)
        assert_int_equal(bytes[i], i * 0x11);
    ct_guid_format(bytes, again);
    assert_string_equal(again, text);
    assert_true(ct_guid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", strlen(text), bytes));
    assert_int_equal(bytes[15], 0xff);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ct_guid_parse(bad[i], strlen(bad[i]), bytes));
}

// DateTimes are read in the forms that clients send and written in one, to the tick; what is no
// instant of the service's years is refused.
static void test_ticks(void **state) {
    (void)state;
    static const struct {
        const char *read, *written;
        int64_t ticks;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.0000001Z", "1970-01-01T00:00:00.0000001Z", 1},
        {"1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.9999999Z", -1},
        {"2013-08-22T01:12:06.2608595Z", "2013-08-22T01:12:06.2608595Z", 13771339262608595},
        {"2013-08-22T01:12:06.26", "2013-08-22T01:12:06.2600000Z", 13771339262600000},
        {"2013-08-22T01:12:06.260859599Z", "2013-08-22T01:12:06.2608595Z", 13771339262608595},
        {"2013-08-22T01:12Z", "2013-08-22T01:12:00Z", 13771339200000000},
        {"2013-08-22T03:42:06+02:30", "2013-08-22T01:12:06Z", 13771339260000000},
        {"2013-08-21T23:12:06-02:00", "2013-08-22T01:12:06Z", 13771339260000000},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", 9517824000000000},
        {"1601-01-01T00:00:00Z", "1601-01-01T00:00:00Z", CT_TICKS_MIN},
        {"9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z", CT_TICKS_MAX},
    };
    static const char *const bad[] = {
        "",
        "2013-08-22",
        "2013-08-22T",
        "2013-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2013-13-01T00:00:00Z",
        "2013-00-01T00:00:00Z",
        "2013-01-32T00:00:00Z",
        "2013-01-01T24:00:00Z",
        "2013-01-01T00:60:00Z",
        "2013-01-01T00:00:60Z",
        "2013-01-01T00:00:00.Z",
        "2013-01-01T00:00:00ZZ",
        "2013-01-01T00:00:00+1",
        "2013-01-01 00:00:00Z",
        "1600-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
    };
    char text[CT_TICKS_TEXT];
    int64_t ticks;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(ticks_of(cases[i].read, &ticks));
        assert_true(ticks == cases[i].ticks);
        ct_ticks_format(ticks, text);
        assert_string_equal(text, cases[i].written);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ticks_of(bad[i], &ticks));
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 100000; i++) {
        int64_t drawn =
            CT_TICKS_MIN + (int64_t)(rng_next(&rng) % (uint64_t)(CT_TICKS_MAX - CT_TICKS_MIN + 1));
        ct_ticks_format(drawn, text);
        assert_true(ticks_of(text, &ticks) && ticks == drawn);
    }
}

// Every double is read again as it was written, whatever the locale, and never as an integer.
static void test_doubles(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {-0.0, "-0.0"},
                 {1, "1.0"},
                 {0.1, "0.1"},
                 {-1.5, "-1.5"},
                 {1e300, "1e+300"},
                 {1.5e-7, "1.5e-07"},
                 {NAN, "NaN"},
                 {1e15, "1e+15"},
                 {INFINITY, "Infinity"},
                 {-INFINITY, "-Infinity"}};
    static const char *const bad[] = {"",    "-",    "+1",   "1.",  ".5",    "1e",  "0x1",
                                      "nan", " 1.0", "1.0 ", "1,5", "1e999", "inf", "1.0f"};
    char text[CT_DOUBLE_TEXT];
    double value;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ct_double_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(double_of(bad[i], &value));
    assert_true(double_of("123", &value) && value == 123);
    struct rng rng;
    rng_seed(&rng, 1);
    setlocale(LC_ALL, "de_DE.UTF-8"); // if there is such
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = rng_next(&rng);
        double drawn;
        memcpy(&drawn, &bits, sizeof drawn);
        ct_double_format(drawn, text);
        assert_true(double_of(text, &value));
        struct ct_property before = ct_double("a", drawn), after = ct_double("a", value);
        assert_true(ct_property_equal(&before, &after));
        assert_non_null(strpbrk(text, ".eNI"));
        assert_null(strchr(text, ','));
    }
    setlocale(LC_ALL, "C");
    // Those of few digits are as the C library has them.
    for (int i = 0; i < 100000; i++) {
        static const double scales[] = {1, 10, 100, 1e3, 1e4, 1e5};
        char expected[CT_DOUBLE_TEXT + 2];
        double drawn = (double)(int32_t)rng_next(&rng) / scales[i % 6] / (i % 7 == 0 ? 1e3 : 1);
        ct_double_format(drawn, text);
        snprintf(expected, CT_DOUBLE_TEXT, "%.15g", drawn);
        if (!strpbrk(expected, ".e"))
            strcat(expected, ".0");
        if (double_of(expected, &value) && value == drawn) // else it has more of them
            assert_string_equal(text, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_equality),
        ARENA_TEST(test_guids),
        ARENA_TEST(test_ticks),
        ARENA_TEST(test_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
