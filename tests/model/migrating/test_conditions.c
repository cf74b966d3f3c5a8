#include "tests/support/arena.h"
#include "tests/support/values.h"

#include "model/migrating/conditions.h"
#include "model/migrating/entity.h"
#include "model/table/row.h"

#include <string.h>

static const struct ct_filter *parse(const char *text) {
    const struct ct_filter *filter;
    struct error error;
    assert_true(ct_filter_parse(&arena, text, &filter, &error));
    return filter;
}

static const char *format(const struct ct_filter *filter) {
    char *buffer = arena_alloc(&arena, 4096);
    struct text text = text_in(buffer, 4096);
    ct_filter_format(filter, &text);
    return buffer;
}

// Comparisons of properties are taken out of ands, make an or say nothing, and a not goes down to
// the comparisons first.
static void test_key_conditions(void **state) {
    (void)state;
    static const struct {
        const char *filter, *keys;
    } cases[] = {
        {"", ""},
        {"a eq 1", ""},
        {"RowKey eq 'r'", "RowKey eq 'r'"},
        {"PartitionKey eq 'p' and RowKey eq 'r'", "(PartitionKey eq 'p') and (RowKey eq 'r')"},
        {"PartitionKey eq 'p' and a eq 1", "PartitionKey eq 'p'"},
        {"PartitionKey eq 'p' and a eq 1 and RowKey gt 'r'",
         "(PartitionKey eq 'p') and (RowKey gt 'r')"},
        {"RowKey eq 'r' or a eq 1", ""},
        {"RowKey eq 'r' or RowKey eq 's'", "(RowKey eq 'r') or (RowKey eq 's')"},
        {"RowKey eq 'r' and a eq 1 or RowKey eq 's'", "(RowKey eq 'r') or (RowKey eq 's')"},
        {"not (RowKey eq 'r')", "not (RowKey eq 'r')"},
        {"not not (RowKey eq 'r')", "RowKey eq 'r'"},
        {"not (RowKey eq 'r' and a eq 1)", ""},
        {"not (RowKey eq 'r' or a eq 1)", "not (RowKey eq 'r')"},
        {"not (RowKey eq 'r' and RowKey lt 's')", "(not (RowKey eq 'r')) or (not (RowKey lt 's'))"},
        {"not (a eq 1) and RowKey le 'r'", "RowKey le 'r'"},
        {"Timestamp gt datetime'2000-01-01T00:00:00Z' and RowKey le 'r'", "RowKey le 'r'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(format(mt_key_conditions(&arena, NULL, parse(cases[i].filter))),
                            cases[i].keys);
}

// A filter goes to the tables as it is, unless a not stands above metadata.
static void test_backend_filter(void **state) {
    (void)state;
    static const char *const same[] = {"a eq 1", "not (a eq 1)", "_mtable_deleted eq false",
                                       "not (RowKey eq 'r') and _mtable_deleted eq false"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        const struct ct_filter *filter = parse(same[i]);
        assert_ptr_equal(mt_backend_filter(&arena, NULL, filter), filter);
    }
    assert_null(mt_backend_filter(&arena, NULL, NULL));
    const struct ct_filter *filter =
        parse("PartitionKey eq 'p' and (a eq 1 or not (_mtable_partition_state eq 1))");
    assert_string_equal(format(mt_backend_filter(&arena, NULL, filter)), "PartitionKey eq 'p'");
}

static const char *const names[] = {"PartitionKey",           "RowKey", "a", "b", "_mtable_deleted",
                                    "_mtable_partition_state"};

static struct ct_row *random_row(struct rng *rng) {
    static const char *const keys[] = {"", "x", "\xc3\xa9", "\xf0\x9f\x90\xa2"};
    struct ct_property properties[2];
    size_t count = 0;
    for (size_t i = 0; i < 2; i++)
        if (rng_below(rng, 2))
            properties[count++] = random_value(rng, names[2 + i]);
    struct ct_key key = {keys[rng_below(rng, 4)], NULL};
    key.row = keys[rng_below(rng, 4)];
    return ct_row_new(&arena, key, "e", properties, count);
}

// Of random filters and rows: whatever matches fulfils the key conditions, with any properties; and
// its raw form, with the mark and without, matches the filter for the tables.
static void test_what_matches_is_asked_for(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    unsigned matched = 0, left_out = 0;
    for (int i = 0; i < 200000; i++) {
        arena_reset(&arena, 0);
        const struct ct_filter *filter = random_filter(&rng, &arena, names, 6, 3, true);
        const struct ct_filter *keys = mt_key_conditions(&arena, NULL, filter);
        const struct ct_filter *backend = mt_backend_filter(&arena, NULL, filter);
        struct ct_row *row = random_row(&rng), *other = random_row(&rng);
        other->key = row->key;
        left_out += !ct_filter_matches(keys, row);
        assert_int_equal(ct_filter_matches(keys, row), ct_filter_matches(keys, other));
        if (!ct_filter_matches(filter, row))
            continue;
        matched++;
        assert_true(ct_filter_matches(keys, row));
        assert_true(ct_filter_matches(backend, row));
        assert_true(ct_filter_matches(backend, mt_write_row(&arena, row, "e")));
    }
    assert_true(matched > 10000);
    assert_true(left_out > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_key_conditions),
        ARENA_TEST(test_backend_filter),
        ARENA_TEST(test_what_matches_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
