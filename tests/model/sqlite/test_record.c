#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/sqlite/record.h"
#include "model/table/row.h"

#include <math.h>
#include <string.h>

static struct ct_row *sample(void) {
    const struct ct_property properties[] = {
        ct_bool("a", true),
        ct_int32("b", INT32_MIN),
        ct_string("", ""),
        ct_string("d", "\xf0\x9f\x90\xa2 and 'more'"),
        ct_bool("e", false),
        ct_int64("f", INT64_MIN),
        ct_double("g", -0.0),
        ct_double("h", INFINITY),
        ct_datetime("i", CT_TICKS_MAX),
        ct_guid("j", (const unsigned char *)"0123456789abcdef"),
        ct_binary("k", (const unsigned char *)"\0\xff", 2),
        ct_binary("l", NULL, 0),
        ct_string_of("m", "x\0y", 3),
    };
    return ct_row_new(&arena, (struct ct_key){"p", "r"}, "e", properties,
                      sizeof properties / sizeof properties[0]);
}

// What was written is read again; the bytes are these for ever.
static void test_round_trip(void **state) {
    (void)state;
    static const unsigned char one[] = {1, 0, 0, 0, 1, 0, 0, 0, 'n', 2, 0xfe, 0xff, 0xff, 0xff};
    const struct ct_row *row = sample();
    size_t size;
    const void *bytes = record_write(&arena, row, &size);
    const struct ct_row *read = record_read(&arena, row->key, row->etag, bytes, size);
    assert_non_null(read);
    assert_true(ct_row_equal(read, row));
    for (size_t i = 0; i < read->property_count; i++)
        if (read->properties[i].type == CT_STRING)
            assert_int_equal(read->properties[i].value.string[read->properties[i].size], '\0');
    struct ct_property property = ct_int32("n", -2);
    bytes = record_write(&arena, ct_row_new(&arena, row->key, "e", &property, 1), &size);
    assert_int_equal(size, sizeof one);
    assert_memory_equal(bytes, one, sizeof one);
}

// No beginning of it is taken for a whole, nor it with more behind it; 100,000 changes of its bytes
// are read or refused, within what there is.
static void test_damage(void **state) {
    (void)state;
    const struct ct_row *row = sample();
    size_t size;
    const void *bytes = record_write(&arena, row, &size);
    unsigned char *damaged = arena_alloc(&arena, size + 1);
    memcpy(damaged, bytes, size);
    damaged[size] = 0;
    for (size_t part = 0; part < size; part++)
        assert_null(record_read(&arena, row->key, row->etag, damaged, part));
    assert_null(record_read(&arena, row->key, row->etag, damaged, size + 1));
    struct rng rng;
    rng_seed(&rng, 1);
    unsigned refused = 0;
    for (int i = 0; i < 100000; i++) {
        size_t mark = arena_mark(&arena);
        unsigned char *copy = arena_alloc(&arena, size);
        memcpy(copy, bytes, size);
        for (uint32_t changes = 1 + rng_below(&rng, 3); changes > 0; changes--) {
            size_t at = rng_below(&rng, (uint32_t)size);
            copy[at] = (unsigned char)rng_next(&rng);
        }
        refused += !record_read(&arena, row->key, row->etag, copy, size);
        arena_reset(&arena, mark);
    }
    assert_true(refused > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_round_trip),
        ARENA_TEST(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
