#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/table/range.h"
#include "model/table/row.h"

static struct ct_range range_of(const char *text) {
    const struct ct_filter *filter = NULL;
    struct error error;
    assert_true(ct_filter_parse(&arena, text, &filter, &error));
    return ct_filter_range(filter);
}

static void assert_bounds(struct ct_bounds bounds, const char *low, const char *high) {
    assert_false(bounds.is_empty);
    assert_true(ct_string_equal(bounds.low, low));
    assert_true(ct_string_equal(bounds.high, high));
}

// A point query looks at one key, a query of named rows at the keys between the least and the
// greatest.
static void test_forms_of_the_protocol(void **state) {
    (void)state;
    static const char *const rows[] = {"d", "b", "c"};
    struct ct_range range = ct_filter_range(ct_filter_rows(&arena, "p", rows, 3));
    assert_bounds(range.partition, "p", "p");
    assert_bounds(range.row, "b", "d");
    range = ct_filter_range(ct_filter_point(&arena, (struct ct_key){"p", ""}));
    assert_bounds(range.partition, "p", "p");
    assert_bounds(range.row, "", "");
    range = ct_filter_range(ct_filter_from(&arena, (struct ct_key){"p", "r"}));
    assert_bounds(range.partition, "p", NULL);
    range = ct_filter_range(NULL);
    assert_bounds(range.partition, NULL, NULL);
    assert_bounds(range.row, NULL, NULL);
}

// What excludes itself has no keys; beside an "or" it does not count.
static void test_empty(void **state) {
    (void)state;
    assert_true(range_of("(RowKey eq 'a') and (RowKey eq 'b')").row.is_empty);
    assert_true(range_of("PartitionKey eq true").partition.is_empty);
    assert_false(range_of("PartitionKey ne true").partition.is_empty);
    struct ct_range range = range_of("((RowKey eq 'a') and (RowKey eq 'b')) or (RowKey eq 'c')");
    assert_bounds(range.row, "c", "c");
}

static const struct ct_filter *random_filter(struct rng *rng, int depth) {
    static const char *const names[] = {CT_PARTITION_KEY, CT_ROW_KEY, "a"};
    static const char *const values[] = {"", "a", "b", "c"};
    uint32_t form = rng_below(rng, depth > 0 ? 4 : 1);
    if (form == 0) {
        enum ct_compare compare = (enum ct_compare)rng_below(rng, 6);
        const char *name = names[rng_below(rng, 3)];
        if (rng_below(rng, 8) == 0)
            return ct_filter_compare_bool(&arena, name, compare, rng_below(rng, 2));
        return ct_filter_compare_string(&arena, name, compare, values[rng_below(rng, 4)]);
    }
    const struct ct_filter *left = random_filter(rng, depth - 1);
    if (form == 3)
        return ct_filter_not(&arena, left);
    const struct ct_filter *right = random_filter(rng, depth - 1);
    return form == 1 ? ct_filter_and(&arena, left, right) : ct_filter_or(&arena, left, right);
}

static bool contains(struct ct_bounds bounds, const char *text) {
    return !bounds.is_empty && (!bounds.low || ct_string_order(bounds.low, text) <= 0) &&
           (!bounds.high || ct_string_order(text, bounds.high) <= 0);
}

// The list in ascending order, its bounds apart and none of them empty.
static void assert_in_order(struct ct_bounds_list list) {
    for (size_t i = 0; i < list.count; i++) {
        struct ct_bounds bounds = list.bounds[i];
        assert_false(bounds.is_empty);
        assert_true(!bounds.low || !bounds.high || ct_string_order(bounds.low, bounds.high) <= 0);
        if (i > 0)
            assert_true(ct_string_order(list.bounds[i - 1].high, bounds.low) < 0);
    }
}

static size_t bounds_with(struct ct_bounds_list list, const char *text) {
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        count += contains(list.bounds[i], text);
    return count;
}

// The lists of row keys keep the gaps: named rows are points.
static void test_lists_of_rows(void **state) {
    (void)state;
    static const char *const rows[] = {"m", "a", "z", "b"};
    struct ct_bounds_list list = ct_filter_row_bounds(&arena, ct_filter_rows(&arena, "p", rows, 4));
    assert_int_equal(list.count, 4);
    assert_in_order(list);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(list.bounds[i].low, list.bounds[i].high);
    assert_string_equal(list.bounds[0].low, "a");
    list = ct_filter_row_bounds(&arena, NULL);
    assert_int_equal(list.count, 1);
    assert_null(list.bounds[0].low);
    assert_null(list.bounds[0].high);
    const struct ct_filter *either =
        ct_filter_or(&arena, ct_filter_compare_string(&arena, CT_ROW_KEY, CT_LT, "c"),
                     ct_filter_compare_string(&arena, CT_ROW_KEY, CT_GT, "x"));
    list = ct_filter_row_bounds(&arena, either);
    assert_int_equal(list.count, 2);
    assert_in_order(list);
    list = ct_filter_row_bounds(&arena, ct_filter_not(&arena, either));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.bounds[0].low, "c");
    assert_string_equal(list.bounds[0].high, "x");
}

// No row that a filter matches lies outside: 20,000 filters of up to eight comparisons over 32
// rows. One in some hundred of them is wrong about "or" if a half that is empty in one key widens
// the other key.
static void test_no_match_outside(void **state) {
    (void)state;
    static const char *const keys[] = {"", "a", "b", "c"};
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        size_t mark = arena_mark(&arena);
        const struct ct_filter *filter = random_filter(&rng, 3);
        struct ct_range range = ct_filter_range(filter);
        struct ct_bounds_list list = ct_filter_row_bounds(&arena, filter);
        assert_in_order(list);
        for (int j = 0; j < 32; j++) {
            struct ct_property a = ct_string("a", j & 16 ? "a" : "c");
            struct ct_key key = {keys[j & 3], keys[j >> 2 & 3]};
            const struct ct_row *row = ct_row_new(&arena, key, "e", &a, 1);
            if (ct_filter_matches(filter, row)) {
                assert_true(contains(range.partition, key.partition));
                assert_true(contains(range.row, key.row));
                assert_int_equal(bounds_with(list, key.row), 1);
            }
        }
        arena_reset(&arena, mark);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_forms_of_the_protocol),
        ARENA_TEST(test_empty),
        ARENA_TEST(test_lists_of_rows),
        ARENA_TEST(test_no_match_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
