#include "tests/support/arena.h"

#include "model/table/check.h"
#include "model/table/row.h"
#include "model/wire/encoding.h"
#include "model/wire/entity.h"
#include "tests/support/values.h"

#include <jansson.h>
#include <string.h>

static struct ct_row *read(const char *text) {
    struct ct_row *row = NULL;
    assert_int_equal(wire_entity_read(&arena, text, strlen(text), &row), WIRE_OK);
    return row;
}

static const struct wire_form minimal = {
    .metadata = WIRE_METADATA_MINIMAL, .base = "http://h/acc", .account = "acc", .table = "Demo"};

// What one end sends is what the other one reads, and so is the answer: of random rows of every
// type, bit by bit.
static void test_round_trip(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 5000; i++) {
        struct ct_property properties[VALUE_NAMES_MAX];
        static const char *const names[] = {"a", "bb", "c_3", "\xc3\xa9", "E", "f", "g", "h"};
        uint32_t count = rng_below(&rng, VALUE_NAMES_MAX + 1);
        arena_reset(&arena, 0);
        for (uint32_t k = 0; k < count; k++)
            properties[k] = random_value(&rng, names[k]);
        struct ct_key key = {rng_below(&rng, 2) ? "" : "it's \"\xf0\x9f\x90\xa2\"", "r"};
        struct ct_row *row = ct_row_new(&arena, key, "W/\"1\"", properties, count);
        struct wire_out sent = {.arena = &arena}, answered = {.arena = &arena};
        wire_entity_send(&sent, row);
        row->timestamp = 13771339262608595;
        wire_add(&answered, "{");
        wire_entity_add(&answered, row, &minimal);
        wire_add(&answered, "}");
        if (!ct_row_equal(read(wire_text(&answered)), row))
            fail_msg("not the same: %s", wire_text(&answered));
        struct ct_row *back = read(wire_text(&sent));
        assert_null(back->etag);
        back->etag = row->etag;
        back->timestamp = row->timestamp;
        if (!ct_row_equal(back, row))
            fail_msg("not the same: %s", wire_text(&sent));
    }
}

// How each type is written, with its annotation and without.
static void test_forms(void **state) {
    (void)state;
    static const unsigned char bytes[] = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd"
                                         "\xee\xff";
    const struct ct_property properties[] = {
        ct_bool("a", false),         ct_int32("b", -5),   ct_int64("c", INT64_MIN),
        ct_double("d", 1.5),         ct_double("e", 2),   ct_double("f", INFINITY),
        ct_datetime("g", 0),         ct_guid("h", bytes), ct_binary("i", bytes, 3),
        ct_string_of("j", "x\0y", 3)};
    struct ct_row *row = ct_row_new(&arena, (struct ct_key){"p", "r"}, "W/\"1\"", properties, 10);
    struct wire_out out = {.arena = &arena};
    struct wire_form form = minimal;
    wire_entity_add(&out, row, &form);
    assert_string_equal(
        wire_text(&out),
        "\"odata.etag\":\"W/\\\"1\\\"\",\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"a\":false,"
        "\"b\":-5,\"c@odata.type\":\"Edm.Int64\",\"c\":\"-9223372036854775808\",\"d\":1.5,"
        "\"e@odata.type\":\"Edm.Double\",\"e\":2.0,\"f@odata.type\":\"Edm.Double\","
        "\"f\":\"Infinity\",\"g@odata.type\":\"Edm.DateTime\",\"g\":\"1970-01-01T00:00:00Z\","
        "\"h@odata.type\":\"Edm.Guid\",\"h\":\"00112233-4455-6677-8899-aabbccddeeff\","
        "\"i@odata.type\":\"Edm.Binary\",\"i\":\"ABEi\",\"j\":\"x\\u0000y\"");
    static const char *const selected[] = {"e", "none", "PartitionKey"};
    form.metadata = WIRE_METADATA_NONE;
    form.select = selected;
    form.select_count = 3;
    out = (struct wire_out){.arena = &arena};
    wire_entity_add(&out, row, &form);
    assert_string_equal(wire_text(&out), "\"e\":2.0,\"none\":null,\"PartitionKey\":\"p\"");
}

static void assert_value(const char *json, struct ct_property expected) {
    const struct ct_row *row = read(json);
    assert_int_equal(row->property_count, 1);
    if (!ct_property_equal(&row->properties[0], &expected))
        fail_msg("%s is something else", json);
}

// Values without a type tell it by their form; numbers may be texts; what cannot be of its type is
// refused.
static void test_reading(void **state) {
    (void)state;
    assert_value("{\"a\":2147483647}", ct_int32("a", INT32_MAX));
    assert_value("{\"a\":2147483648}", ct_double("a", 2147483648.0));
    assert_value("{\"a\":2.0}", ct_double("a", 2));
    assert_value("{\"a\":-0.0}", ct_double("a", -0.0));
    assert_value("{\"a\":2,\"a@odata.type\":\"Edm.Double\"}", ct_double("a", 2));
    assert_value("{\"a\":\"2\",\"a@odata.type\":\"Edm.Int32\"}", ct_int32("a", 2));
    assert_value("{\"a\":2,\"a@odata.type\":\"Edm.Int64\"}", ct_int64("a", 2));
    assert_value("{\"a\":\"-INF\",\"a@odata.type\":\"Edm.Double\"}", ct_double("a", -INFINITY));
    assert_value("{\"a\":\"true\",\"a@odata.type\":\"Edm.Boolean\"}", ct_bool("a", true));
    assert_value("{\"b\":null,\"a\":\"\\ud83d\\udc22\"}", ct_string("a", "\xf0\x9f\x90\xa2"));
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{}x",
        "{\"a\":[]}",
        "{\"a\":{}}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":1e999}",
        "{\"a\":\"1\",\"a@odata.type\":\"Edm.Byte\"}",
        "{\"a\":\"1\",\"a@odata.type\":7}",
        "{\"a\":1.5,\"a@odata.type\":\"Edm.Int32\"}",
        "{\"a\":2147483648,\"a@odata.type\":\"Edm.Int32\"}",
        "{\"a\":\"9223372036854775808\",\"a@odata.type\":\"Edm.Int64\"}",
        "{\"a\":\"1\\u0000\",\"a@odata.type\":\"Edm.Int64\"}",
        "{\"a\":\"x\",\"a@odata.type\":\"Edm.Double\"}",
        "{\"a\":\"x\",\"a@odata.type\":\"Edm.DateTime\"}",
        "{\"a\":\"x\",\"a@odata.type\":\"Edm.Guid\"}",
        "{\"a\":\"x\",\"a@odata.type\":\"Edm.Binary\"}",
        "{\"a\":1,\"a@odata.type\":\"Edm.String\"}",
        "{\"a\":1,\"a@odata.type\":\"Edm.Boolean\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ct_row *row;
        if (wire_entity_read(&arena, bad[i], strlen(bad[i]), &row) != WIRE_INVALID_INPUT)
            fail_msg("%s was taken", bad[i]);
    }
}

// What the library of JSON makes of the text, whatever is usually read without it.
static enum wire_error read_by_library(const char *text, size_t size, struct ct_row **row) {
    json_error_t ignored;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &ignored);
    enum wire_error error = object ? wire_entity_of(&arena, object, row) : WIRE_INVALID_INPUT;
    json_decref(object);
    return error;
}

static bool is_same_row(const struct ct_row *a, const struct ct_row *b) {
    return ct_row_equal(a, b) && a->timestamp == b->timestamp && ct_string_equal(a->etag, b->etag);
}

static void assert_as_library(const char *text, size_t size, unsigned *taken) {
    struct ct_row *row = NULL, *other = NULL;
    enum wire_error expected = read_by_library(text, size, &other);
    enum wire_error error = wire_entity_read(&arena, text, size, &row);
    if (error != expected || (error == WIRE_OK && !is_same_row(row, other)))
        fail_msg("not as the library reads it: %.*s", (int)size, text);
    *taken += error == WIRE_OK;
}

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof(array)[0])

static const char *const piece_names[] = {"a",
                                          "b",
                                          "c\\n",
                                          "",
                                          "PartitionKey",
                                          "RowKey",
                                          "Timestamp",
                                          "odata.etag",
                                          "odata.x",
                                          "a@odata.type",
                                          "b@odata.type",
                                          "\xc3\xa9",
                                          "\\u00e9",
                                          "c\\t",
                                          "\\\"",
                                          "x\\u0000"};
static const char *const piece_values[] = {"1",
                                           "-1",
                                           "0",
                                           "-0",
                                           "01",
                                           "2147483648",
                                           "-2147483649",
                                           "999999999999999999",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "1.5",
                                           "1.",
                                           "1e5",
                                           "1E+5",
                                           "1e",
                                           "-0.0",
                                           "1e999",
                                           "1e-999",
                                           "0.1",
                                           "123456789012345678.5",
                                           "true",
                                           "false",
                                           "null",
                                           "nul",
                                           "True",
                                           "\"\"",
                                           "\"x\"",
                                           "\"Edm.Int64\"",
                                           "\"Edm.Double\"",
                                           "\"Edm.Boolean\"",
                                           "\"Edm.Binary\"",
                                           "\"2026-11-22T04:08:15Z\"",
                                           "\"1\"",
                                           "\"true\"",
                                           "\"\\n\\/\\b\\f\\r\\t\\\\\"",
                                           "\"\\x\"",
                                           "\"\\u0041\"",
                                           "\"\\u0000\"",
                                           "\"\\ud83d\\udc22\"",
                                           "\"\\ud83d\"",
                                           "\"\xc3\xa9\"",
                                           "\"\xc3\"",
                                           "\"\xed\xa0\x80\"",
                                           "\"\x7f\"",
                                           "\"\x01\"",
                                           "\"a\nb\"",
                                           "[]",
                                           "{}",
                                           "[1,{\"a\":2}]",
                                           "-",
                                           "+1",
                                           ".5",
                                           "NaN",
                                           "\"",
                                           "'x'"};
static const char *const piece_seams[] = {",", " , ", "\t,\r\n", ",,", ""};

// Pieces of JSON put together at random, most of them where they belong, and bytes changed in them:
// what is read without the library of JSON is what the library reads.
static void test_as_library(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    unsigned taken = 0;
    for (int i = 0; i < 200000; i++) {
        struct wire_out out = {.arena = &arena};
        arena_reset(&arena, 0);
        wire_add(&out, rng_below(&rng, 40) ? "{" : " {\n");
        for (uint32_t members = rng_below(&rng, 5), k = 0; k < members; k++) {
            uint32_t seams = rng_below(&rng, 30) ? 3 : 5; // the last two are none
            const char *seam = piece_seams[rng_below(&rng, seams)];
            const char *name = piece_names[rng_below(&rng, COUNT(piece_names))];
            const char *colon = rng_below(&rng, 20) ? "\":" : "\" : ";
            const char *value = piece_values[rng_below(&rng, COUNT(piece_values))];
            WIRE_ADD(&out, k ? seam : "", "\"", name, colon, value);
        }
        wire_add(&out, rng_below(&rng, 40) ? "}" : " } ");
        assert_as_library(out.data, out.size, &taken);
        for (uint32_t changes = rng_below(&rng, 3); changes > 0; changes--) {
            uint32_t at = rng_below(&rng, (uint32_t)out.size);
            out.data[at] = (char)rng_next(&rng);
        }
        assert_as_library(out.data, out.size, &taken);
        assert_as_library(out.data, rng_below(&rng, (uint32_t)out.size + 1), &taken);
    }
    assert_true(taken > 50000);
}

// Up to as many members as are read without the library, and more.
static void test_many_members(void **state) {
    (void)state;
    unsigned taken = 0;
    for (int count = 1; count < 100; count++) {
        struct wire_out out = {.arena = &arena};
        arena_reset(&arena, 0);
        for (int i = 0; i < count; i++)
            wire_add_format(&out, "%c\"p%d\":%d", i ? ',' : '{', i, i);
        size_t size = out.size;
        wire_add(&out, "}");
        assert_as_library(out.data, out.size, &taken);
        out.size = size;
        wire_add(&out, ",\"p0\":1}"); // a second time
        assert_as_library(out.data, out.size, &taken);
    }
    assert_int_equal(taken, 99);
}

static void test_keys(void **state) {
    (void)state;
    struct ct_row *row = read("{\"RowKey\":\"\",\"Timestamp\":\"x\",\"odata.etag\":\"W/\"}");
    assert_null(row->key.partition);
    assert_string_equal(row->key.row, "");
    assert_string_equal(row->etag, "W/");
    assert_int_equal(wire_entity_read(&arena, "{\"RowKey\":1}", 12, &row), WIRE_NEED_VALUE);
    assert_int_equal(wire_entity_read(&arena, "{\"RowKey\":\"\\u0000\"}", 19, &row),
                     WIRE_OUT_OF_RANGE);
    struct wire_out out = {.arena = &arena};
    wire_add_key(&out, (struct ct_key){"it's", "%\xc3\xa9"});
    assert_string_equal(wire_text(&out), "(PartitionKey='it%27%27s',RowKey='%25%C3%A9')");
    struct wire_out many = {.arena = &arena};
    for (int i = 0; i <= CT_ROW_PROPERTIES_MAX; i++)
        wire_add_format(&many, "%s\"p%d\":1", i ? "," : "{", i);
    wire_add(&many, "}");
    assert_int_equal(wire_entity_read(&arena, many.data, many.size, &row),
                     WIRE_TOO_MANY_PROPERTIES);
}

// Filters go through a URL unharmed.
static void test_filters(void **state) {
    (void)state;
    static const char *const names[] = {"PartitionKey", "a", "\xc3\xa9"};
    static char buffer[1 << 16], again[1 << 16];
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 2000; i++) {
        struct text text = text_in(buffer, sizeof buffer), second = text_in(again, sizeof again);
        struct wire_out out = {.arena = &arena};
        const struct ct_filter *filter;
        struct error error;
        arena_reset(&arena, 0);
        ct_filter_format(random_filter(&rng, &arena, names, 3, 3, false), &text);
        wire_add_percent(&out, buffer);
        const char *read_back = wire_percent_read(&arena, out.data, out.size, true);
        assert_string_equal(read_back, buffer);
        assert_true(ct_filter_parse(&arena, read_back, &filter, &error));
        ct_filter_format(filter, &second);
        assert_string_equal(again, buffer);
    }
}

// An entity takes about what it has, not what it may have: a batch has a hundred.
static void test_small_room(void **state) {
    static const char text[] = "{\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"a\":1,\"b\":\"x\"}";
    struct ct_row *row;
    (void)state;
    size_t before = arena_mark(&arena);
    assert_int_equal(wire_entity_read(&arena, text, sizeof text - 1, &row), WIRE_OK);
    assert_int_equal(row->property_count, 2);
    assert_true(arena_mark(&arena) - before < 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_round_trip), ARENA_TEST(test_forms),
                                       ARENA_TEST(test_reading),    ARENA_TEST(test_keys),
                                       ARENA_TEST(test_filters),    ARENA_TEST(test_small_room),
                                       ARENA_TEST(test_as_library), ARENA_TEST(test_many_members)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
