#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/row.h"

#include <string.h>

static struct ct_row *row_of(const char *partition, const char *row,
                             const struct ct_property *properties, size_t count) {
    return ct_row_new(&arena, (struct ct_key){partition, row}, NULL, properties, count);
}

static char *repeated(const char *text, size_t count) {
    size_t length = strlen(text);
    char *buffer = arena_alloc(&arena, count * length + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(buffer + i * length, text, length);
    buffer[count * length] = '\0';
    return buffer;
}

static enum ct_error check_key(const char *key) {
    enum ct_error of_row = ct_check_row(&ct_service_rules, row_of("", key, NULL, 0));
    assert_int_equal(ct_check_row(&ct_service_rules, row_of(key, "", NULL, 0)), of_row);
    return of_row;
}

static enum ct_error check_value(struct ct_property property) {
    return ct_check_row(&ct_service_rules, row_of("p", "r", &property, 1));
}

static enum ct_error check_name(const char *name) {
    return check_value(ct_bool(name, true));
}

// Keys have 512 UTF-16 units at most, none of four characters, no control.
static void test_keys(void **state) {
    (void)state;
    static const char *const fine[] = {"", " ", "it's", "%2F", "\xc2\xa0", "\xf0\x9f\x90\xa2", "~"};
    static const char *const forbidden[] = {"/",    "a\\",  "#",        "b?",      "\t",
                                            "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal(check_key(fine[i]), CT_ERROR_NONE);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        assert_int_equal(check_key(forbidden[i]), CT_ERROR_OUT_OF_RANGE);
    assert_int_equal(check_key(repeated("x", 512)), CT_ERROR_NONE);
    assert_int_equal(check_key(repeated("x", 513)), CT_ERROR_KEY_TOO_LARGE);
    assert_int_equal(check_key(repeated("\xe2\x82\xac", 512)), CT_ERROR_NONE);
    assert_int_equal(check_key(repeated("\xe2\x82\xac", 513)), CT_ERROR_KEY_TOO_LARGE);
    assert_int_equal(check_key(repeated("\xf0\x9f\x90\xa2", 256)), CT_ERROR_NONE);
    assert_int_equal(check_key(repeated("\xf0\x9f\x90\xa2", 257)), CT_ERROR_KEY_TOO_LARGE);
}

// Names are identifiers of at most 255 units, and not the system's.
static void test_names(void **state) {
    (void)state;
    static const char *const fine[] = {"a", "_", "A9", "\xc3\xa4", "partitionKey"};
    static const char *const invalid[] = {"",       "9",        "a-b", "a b", "a.b", "PartitionKey",
                                          "RowKey", "Timestamp"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal(check_name(fine[i]), CT_ERROR_NONE);
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        assert_int_equal(check_name(invalid[i]), CT_ERROR_NAME_INVALID);
    assert_int_equal(check_name(repeated("n", 255)), CT_ERROR_NONE);
    assert_int_equal(check_name(repeated("n", 256)), CT_ERROR_NAME_TOO_LONG);
    struct ct_rules lenient = ct_service_rules;
    struct ct_property property = ct_bool("a-b", true);
    lenient.names_are_identifiers = false;
    assert_int_equal(ct_check_row(&lenient, row_of("p", "r", &property, 1)), CT_ERROR_NONE);
}

// A string has 32,768 units, a Binary 65,536 bytes; a DateTime is of the years 1601 to 9999.
static void test_values(void **state) {
    (void)state;
    const unsigned char *bytes = (const unsigned char *)repeated("x", 65537);
    assert_int_equal(check_value(ct_string("a", repeated("x", 32768))), CT_ERROR_NONE);
    assert_int_equal(check_value(ct_string("a", repeated("x", 32769))), CT_ERROR_VALUE_TOO_LARGE);
    assert_int_equal(check_value(ct_string("a", repeated("\xc3\xa4", 32768))), CT_ERROR_NONE);
    assert_int_equal(check_value(ct_binary("a", bytes, 65536)), CT_ERROR_NONE);
    assert_int_equal(check_value(ct_binary("a", bytes, 65537)), CT_ERROR_VALUE_TOO_LARGE);
    assert_int_equal(check_value(ct_datetime("a", CT_TICKS_MIN)), CT_ERROR_NONE);
    assert_int_equal(check_value(ct_datetime("a", CT_TICKS_MIN - 1)), CT_ERROR_OUT_OF_RANGE);
    assert_int_equal(check_value(ct_datetime("a", CT_TICKS_MAX + 1)), CT_ERROR_OUT_OF_RANGE);
}

// 252 properties, and 1 MiB as the service counts: 4 bytes, keys and names in UTF-16, 8 and the
// value per property.
static void test_rows(void **state) {
    (void)state;
    struct ct_property properties[253];
    for (int i = 0; i < 253; i++)
        properties[i] = ct_bool(arena_printf(&arena, "n%03d", i), false);
    for (size_t count = 252; count <= 253; count++)
        assert_int_equal(ct_check_row(&ct_service_rules, row_of("p", "r", properties, count)),
                         count == 253 ? CT_ERROR_TOO_MANY_PROPERTIES : CT_ERROR_NONE);
    static const unsigned char guid[CT_GUID_BYTES];
    const struct ct_property all[] = {
        ct_bool("b", true), ct_string("s", "\xf0\x9f\x90\xa2."),
        ct_int32("i", 1),   ct_int64("l", 1),
        ct_double("d", 1),  ct_datetime("t", 1),
        ct_guid("g", guid), ct_binary("x", guid, 5),
    };
    size_t bytes = 4 + 2 * (2 + 1) + 8 * (8 + 2) + 1 + (4 + 6) + 4 + 8 + 8 + 8 + 16 + (4 + 5);
    assert_int_equal(ct_row_bytes(row_of("pk", "r", all, 8)), bytes);
    for (int i = 0; i < 16; i++)
        properties[i] = ct_binary(arena_printf(&arena, "n%02d", i), NULL, 65536);
    char *large = repeated("x", 65536);
    for (int i = 0; i < 16; i++)
        properties[i].value.bytes = (const unsigned char *)large;
    size_t surplus = ct_row_bytes(row_of("p", "r", properties, 16)) - (1 << 20);
    for (uint32_t over = 0; over <= 1; over++) {
        properties[0].size = 65536 - (uint32_t)surplus + over;
        assert_int_equal(ct_check_row(&ct_service_rules, row_of("p", "r", properties, 16)),
                         over ? CT_ERROR_ROW_TOO_LARGE : CT_ERROR_NONE);
    }
}

static enum ct_error check_batch(const struct ct_batch *batch, size_t *op_index) {
    return ct_check_batch(&ct_service_rules, batch, op_index);
}

// 100 operations are within the limits, the 101st is the one named.
static void test_batch_counts_operations(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 101);
    size_t op_index = 0;
    for (int i = 0; i < 101; i++) {
        assert_int_equal(check_batch(&batch, &op_index), CT_ERROR_NONE);
        ct_batch_add(&batch, CT_INSERT, row_of("p", arena_printf(&arena, "%d", i), NULL, 0));
    }
    assert_int_equal(check_batch(&batch, &op_index), CT_ERROR_TOO_MANY_OPERATIONS);
    assert_int_equal(op_index, 100);
}

// A key used twice names the second use, a bad row its own operation.
static void test_batch_names_the_operation(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 4);
    size_t op_index = 9;
    ct_batch_add(&batch, CT_INSERT, row_of("p", "0", NULL, 0));
    ct_batch_add(&batch, CT_INSERT, row_of("p", "1", NULL, 0));
    ct_batch_add(&batch, CT_INSERT, row_of("p", "0", NULL, 0));
    ct_batch_add(&batch, CT_INSERT, row_of("p", "#", NULL, 0));
    assert_int_equal(check_batch(&batch, &op_index), CT_ERROR_DUPLICATE_ROW);
    assert_int_equal(op_index, 2);
    batch.operations[2].entity->key.row = "2";
    assert_int_equal(check_batch(&batch, &op_index), CT_ERROR_OUT_OF_RANGE);
    assert_int_equal(op_index, 3);
}

// The first key that comes again is found among any, of batches of any size.
static void test_batch_finds_every_repetition(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    unsigned repeated = 0;
    for (int i = 0; i < 3000; i++) {
        arena_reset(&arena, 0);
        uint32_t count = 1 + rng_below(&rng, 100);
        struct ct_batch batch = ct_batch_new(&arena, count);
        size_t expected = count, op_index = 0;
        for (uint32_t k = 0; k < count; k++) {
            const char *key = arena_printf(&arena, "%u", (unsigned)rng_below(&rng, 3000));
            for (size_t j = 0; j < k && expected == count; j++)
                if (strcmp(batch.operations[j].entity->key.row, key) == 0)
                    expected = k;
            ct_batch_add(&batch, CT_INSERT, row_of("p", key, NULL, 0));
        }
        enum ct_error error = check_batch(&batch, &op_index);
        assert_int_equal(error, expected < count ? CT_ERROR_DUPLICATE_ROW : CT_ERROR_NONE);
        if (error != CT_ERROR_NONE)
            assert_int_equal(op_index, expected);
        repeated += error != CT_ERROR_NONE;
    }
    assert_in_range(repeated, 500, 2500);
}

// The rows of a batch have 4 MiB together.
static void test_batch_adds_up_bytes(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 5);
    struct ct_property properties[15];
    const unsigned char *bytes = (const unsigned char *)repeated("x", 65536);
    size_t op_index = 9;
    for (int i = 0; i < 15; i++)
        properties[i] = ct_binary(arena_printf(&arena, "n%02d", i), bytes, 65536);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(check_batch(&batch, &op_index), CT_ERROR_NONE);
        ct_batch_add(&batch, CT_INSERT, row_of("p", arena_printf(&arena, "%d", i), properties, 15));
    }
    assert_int_equal(check_batch(&batch, &op_index), CT_ERROR_BATCH_TOO_LARGE);
    assert_int_equal(op_index, 4);
}

// A refusal has the status and the name that the service gives it; a bare status stands for one.
static void test_refusals(void **state) {
    (void)state;
    struct ct_outcome refusal = ct_refusal(CT_ERROR_TOO_MANY_PROPERTIES, 3);
    assert_int_equal(refusal.kind, CT_STORAGE_ERROR);
    assert_int_equal(refusal.status, CT_STATUS_BAD_REQUEST);
    assert_int_equal(refusal.op_index, 3);
    assert_int_equal(ct_error_of(refusal), CT_ERROR_TOO_MANY_PROPERTIES);
    assert_string_equal(ct_error_name(ct_error_of(refusal)), "TooManyProperties");
    static const struct {
        enum ct_status status;
        const char *name;
    } bare[] = {{CT_STATUS_CONFLICT, "EntityAlreadyExists"},
                {CT_STATUS_NOT_FOUND, "ResourceNotFound"},
                {CT_STATUS_PRECONDITION_FAILED, "UpdateConditionNotSatisfied"},
                {CT_STATUS_BAD_REQUEST, "InvalidInput"},
                {CT_STATUS_SERVER_ERROR, "InternalError"}};
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
        enum ct_error error = ct_error_of(ct_storage_error(bare[i].status, 0));
        assert_string_equal(ct_error_name(error), bare[i].name);
        assert_true(strlen(ct_error_message(error)) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_keys),
        ARENA_TEST(test_names),
        ARENA_TEST(test_values),
        ARENA_TEST(test_rows),
        ARENA_TEST(test_batch_counts_operations),
        ARENA_TEST(test_batch_names_the_operation),
        ARENA_TEST(test_batch_finds_every_repetition),
        ARENA_TEST(test_batch_adds_up_bytes),
        ARENA_TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
