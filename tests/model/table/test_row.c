#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/table/row.h"

#include <string.h>

static struct ct_key key(const char *partition, const char *row) {
    return (struct ct_key){.partition = partition, .row = row};
}

static struct ct_property string(const char *name, const char *value) {
    return ct_string(name, value);
}

static struct ct_property boolean(const char *name, bool value) {
    return ct_bool(name, value);
}

static struct ct_property int32(const char *name, int32_t value) {
    return ct_int32(name, value);
}

// Another array with the same characters, so that no shortcut by pointer applies.
static const char *elsewhere(const char *text) {
    return arena_strdup(&arena, text);
}

// ---- Keys --------------------------------------------------------------------------------------

// Strings are equal by content; NULL equals only NULL.
static void test_string_equal_compares_content(void **state) {
    (void)state;
    assert_true(ct_string_equal("ab", elsewhere("ab")));
    assert_false(ct_string_equal("ab", "a"));
    assert_false(ct_string_equal("ab", "ac"));
    assert_true(ct_string_equal(NULL, NULL));
    assert_false(ct_string_equal(NULL, ""));
    assert_false(ct_string_equal("", NULL));
}

// Keys written down in ordinal order compare that way, each with each.
static void test_key_compare_is_ordinal(void **state) {
    (void)state;
    const struct ct_key sorted[] = {
        key("", ""),   key("", "z"),  key("0", ""),  key("0 ", ""),    key("00", ""),
        key("1", ""),  key("A", ""),  key("A", "0"), key("A", "0 "),   key("A", "00"),
        key("A", "1"), key("A", "a"), key("a", "A"), key("a", "\x7f"), key("a", "\xc3\xa4"),
    };
    size_t count = sizeof sorted / sizeof sorted[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            struct ct_key other = key(elsewhere(sorted[j].partition), elsewhere(sorted[j].row));
            int order = ct_key_compare(sorted[i], other);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(ct_key_equal(sorted[i], other), i == j);
        }
    }
}

// The first key is not above any key, and the next key is above its key and not above longer ones.
static void test_key_next_is_the_row_key_and_a_space(void **state) {
    (void)state;
    assert_string_equal(ct_key_first().partition, "");
    assert_string_equal(ct_key_first().row, "");
    struct ct_key next = ct_key_next(key("p", "0"), &arena);
    assert_string_equal(next.partition, "p");
    assert_string_equal(next.row, "0 ");
    assert_true(ct_key_compare(key("p", "0"), next) < 0);
    assert_true(ct_key_compare(next, key("p", "0!")) < 0);
    assert_true(ct_key_compare(next, key("p", "0  ")) < 0);
    assert_string_equal(ct_key_next(ct_key_first(), &arena).row, " ");
}

// ---- Rows --------------------------------------------------------------------------------------

// Properties given in every order of three end up sorted by name.
static void test_row_new_sorts_properties(void **state) {
    (void)state;
    const struct ct_property given[3] = {string("a", "1"), boolean("b", true), int32("c", -3)};
    const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++) {
        struct ct_property shuffled[3];
        for (int j = 0; j < 3; j++)
            shuffled[j] = given[orders[i][j]];
        struct ct_row *row = ct_row_new(&arena, key("p", "r"), "e", shuffled, 3);
        assert_int_equal(row->property_count, 3);
        assert_int_equal(row->timestamp, 0);
        assert_string_equal(row->etag, "e");
        for (int j = 0; j < 3; j++)
            assert_true(ct_property_equal(&row->properties[j], &given[j]));
    }
}

// The same name twice is refused.
static void test_row_new_refuses_a_repeated_name(void **state) {
    (void)state;
    const struct ct_property twice[] = {string("b", "1"), string("a", "2"), string("b", "3")};
    expect_assert_failure(ct_row_new(&arena, key("p", "r"), NULL, twice, 3));
}

// Of every set of five names, from rows with every set of them and of a sixth: as one by one. Names
// are the same text in the same place, or elsewhere.
static void test_row_pick_agrees_with_lookup(void **state) {
    (void)state;
    static const char *const names[] = {"a", "ab", "b", "c", "ca", "z"};
    enum { NAMES = 5, SETS = 1 << NAMES };
    for (unsigned set = 0; set < 2 * SETS; set++) {
        struct ct_property given[NAMES + 1];
        size_t count = 0;
        for (unsigned i = 0; i <= NAMES; i++)
            if (set >> i & 1)
                given[count++] = int32(i % 2 ? elsewhere(names[i]) : names[i], (int32_t)i);
        const struct ct_row *row = ct_row_new(&arena, key("p", "r"), NULL, given, count);
        for (unsigned asked = 0; asked < SETS; asked++) {
            const char *wanted[NAMES];
            const struct ct_property *found[NAMES];
            size_t wanted_count = 0;
            for (unsigned i = 0; i < NAMES; i++)
                if (asked >> i & 1)
                    wanted[wanted_count++] = names[i];
            ct_row_pick(row, wanted, wanted_count, found);
            for (size_t i = 0; i < wanted_count; i++)
                assert_ptr_equal(found[i], ct_row_property(row, wanted[i]));
        }
    }
}

// A property is found by content of its name, an unknown one is NULL.
static void test_row_property_finds_by_name(void **state) {
    (void)state;
    const struct ct_property given[] = {string("ab", "1"), string("a", "2")};
    struct ct_row *row = ct_row_new(&arena, key("p", "r"), NULL, given, 2);
    assert_string_equal(ct_row_property(row, elsewhere("a"))->value.string, "2");
    assert_string_equal(ct_row_property(row, elsewhere("ab"))->value.string, "1");
    assert_null(ct_row_property(row, "abc"));
    assert_null(ct_row_property(row, ""));
}

// Properties differ by name, by type and by value.
static void test_property_equal_tells_every_difference(void **state) {
    (void)state;
    const struct ct_property distinct[] = {
        string("a", "1"),    string("a", "2"), string("b", "1"), boolean("a", true),
        boolean("a", false), int32("a", 0),    int32("a", 1),    string("a", ""),
    };
    size_t count = sizeof distinct / sizeof distinct[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            assert_int_equal(ct_property_equal(&distinct[i], &distinct[j]), i == j);
    struct ct_property copy = string(elsewhere("a"), elsewhere("1"));
    assert_true(ct_property_equal(&distinct[0], &copy));
}

// A row equals its copy until any one field is changed.
static void test_row_equal_tells_every_difference(void **state) {
    (void)state;
    const struct ct_property given[] = {string("a", "1"), string("b", "2")};
    struct ct_row *row = ct_row_new(&arena, key("p", "r"), "e", given, 2);
    struct ct_row *changed[7];
    for (int i = 0; i < 7; i++) {
        changed[i] = ct_row_copy(&arena, row);
        assert_true(ct_row_equal(row, changed[i]));
    }
    changed[0]->key.partition = "q";
    changed[1]->key.row = "s";
    changed[2]->etag = "f";
    changed[3]->etag = NULL;
    changed[4]->timestamp = 1;
    changed[5]->property_count = 1;
    changed[6]->properties[1].value.string = "3";
    for (int i = 0; i < 7; i++) {
        assert_false(ct_row_equal(row, changed[i]));
        assert_false(ct_row_equal(changed[i], row));
    }
}

// Rows without an ETag are compared like others.
static void test_row_equal_accepts_null_etags(void **state) {
    (void)state;
    struct ct_row *row = ct_row_new(&arena, key("p", "r"), NULL, NULL, 0);
    assert_true(ct_row_equal(row, ct_row_copy(&arena, row)));
}

// ---- Merge -------------------------------------------------------------------------------------

// Given properties overwrite and are added, the others stay; the base is not touched.
static void test_row_merge_overwrites_and_adds(void **state) {
    (void)state;
    const struct ct_property old[] = {string("a", "1"), string("c", "1"), string("e", "1")};
    const struct ct_property new[] = {string("b", "2"), boolean("c", true), string("f", "2")};
    struct ct_row *base = ct_row_new(&arena, key("p", "r"), "old", old, 3);
    struct ct_row *before = ct_row_copy(&arena, base);
    struct ct_row *changes = ct_row_new(&arena, key("p", "r"), "if-match", new, 3);
    const struct ct_property all[] = {string("a", "1"), string("b", "2"), boolean("c", true),
                                      string("e", "1"), string("f", "2")};
    struct ct_row *expected = ct_row_new(&arena, key("p", "r"), "new", all, 5);
    assert_true(ct_row_equal(ct_row_merge(&arena, base, changes, "new"), expected));
    assert_true(ct_row_equal(base, before));
}

// For random sets of names the merge is what looking up each name in changes, then base, gives.
static void test_row_merge_agrees_with_lookup(void **state) {
    (void)state;
    static const char *const names[] = {"a", "aa", "b", "c", "ca", "d"};
    struct rng rng;
    rng_seed(&rng, 1);
    for (int round = 0; round < 2000; round++) {
        arena_reset(&arena, 0);
        struct ct_property given[2][6];
        size_t count[2] = {0, 0};
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < 6; i++)
                if (rng_below(&rng, 2))
                    given[side][count[side]++] = int32(names[i], 10 * side + i);
        struct ct_row *base = ct_row_new(&arena, key("p", "r"), "b", given[0], count[0]);
        struct ct_row *changes = ct_row_new(&arena, key("p", "r"), "c", given[1], count[1]);
        struct ct_row *merged = ct_row_merge(&arena, base, changes, "m");
        size_t found = 0;
        for (int i = 0; i < 6; i++) {
            const struct ct_property *wanted = ct_row_property(changes, names[i]);
            if (!wanted)
                wanted = ct_row_property(base, names[i]);
            if (!wanted)
                continue;
            assert_true(found < merged->property_count);
            assert_true(ct_property_equal(&merged->properties[found++], wanted));
        }
        assert_int_equal(found, merged->property_count);
    }
}

// ---- Lists -------------------------------------------------------------------------------------

// In lists of every length up to 9 the bound and the found row agree with a walk from the start.
static void test_rows_lower_bound_agrees_with_a_walk(void **state) {
    (void)state;
    static const char *const stored[] = {"b", "d", "f", "h", "j", "l", "n", "p", "r"};
    const struct ct_row *rows[9];
    for (int i = 0; i < 9; i++)
        rows[i] = ct_row_new(&arena, key("p", stored[i]), NULL, NULL, 0);
    for (size_t count = 0; count <= 9; count++) {
        struct ct_rows list = {.rows = rows, .count = count};
        for (char letter = 'a'; letter <= 't'; letter++) {
            char text[2] = {letter, '\0'};
            size_t walked = 0;
            while (walked < count && strcmp(stored[walked], text) < 0)
                walked++;
            assert_int_equal(ct_rows_lower_bound(list, key("p", text)), walked);
            bool present = walked < count && strcmp(stored[walked], text) == 0;
            assert_ptr_equal(ct_rows_find(list, key("p", text)), present ? rows[walked] : NULL);
        }
        assert_int_equal(ct_rows_lower_bound(list, key("o", "z")), 0);
        assert_int_equal(ct_rows_lower_bound(list, key("q", "")), count);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_string_equal_compares_content),
        ARENA_TEST(test_key_compare_is_ordinal),
        ARENA_TEST(test_key_next_is_the_row_key_and_a_space),
        ARENA_TEST(test_row_new_sorts_properties),
        ARENA_TEST(test_row_new_refuses_a_repeated_name),
        ARENA_TEST(test_row_pick_agrees_with_lookup),
        ARENA_TEST(test_row_property_finds_by_name),
        ARENA_TEST(test_property_equal_tells_every_difference),
        ARENA_TEST(test_row_equal_tells_every_difference),
        ARENA_TEST(test_row_equal_accepts_null_etags),
        ARENA_TEST(test_row_merge_overwrites_and_adds),
        ARENA_TEST(test_row_merge_agrees_with_lookup),
        ARENA_TEST(test_rows_lower_bound_agrees_with_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
