#include "tests/support/arena.h"

#include "core/base/rng.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

enum { TEXT_BYTES = 1 << 16 };

static const struct ct_filter *parse(const char *text) {
    const struct ct_filter *filter;
    struct error error = {"no error"};
    bool parsed = ct_filter_parse(&arena, text, &filter, &error);
    if (!parsed)
        print_error("%s: %s\n", text, error.text);
    assert_true(parsed);
    return filter;
}

static const char *format(const struct ct_filter *filter) {
    char *buffer = arena_alloc(&arena, TEXT_BYTES);
    struct text text = text_in(buffer, TEXT_BYTES);
    ct_filter_format(filter, &text);
    return buffer;
}

static bool filters_equal(const struct ct_filter *a, const struct ct_filter *b) {
    if (!a || !b || a->kind != b->kind)
        return a == b;
    if (a->kind == CT_FILTER_COMPARE)
        return a->compare == b->compare && ct_property_equal(&a->operand, &b->operand);
    return filters_equal(a->left, b->left) && filters_equal(a->right, b->right);
}

// A row with one property of each type: s = 'm', b = true, i = 7.
static const struct ct_row *sample_row(void) {
    const struct ct_property properties[] = {
        {.name = "s", .type = CT_STRING, .value.string = "m"},
        {.name = "b", .type = CT_BOOL, .value.boolean = true},
        {.name = "i", .type = CT_INT32, .value.int32 = 7},
    };
    return ct_row_new(&arena, (struct ct_key){"p", "k"}, "e", properties, 3);
}

static void assert_matches(const char *text, bool expected) {
    bool matches = ct_filter_matches(parse(text), sample_row());
    if (matches != expected)
        print_error("%s is not %s\n", text, expected ? "true" : "false");
    assert_int_equal(matches, expected);
}

// ---- Evaluation --------------------------------------------------------------------------------

static const char *const operators[] = {"eq", "ne", "lt", "le", "gt", "ge"};

// Checks [name] against [literal] under all six operators, expected in the order above.
static void assert_compares(const char *name, const char *literal, const bool expected[6]) {
    for (int i = 0; i < 6; i++)
        assert_matches(arena_printf(&arena, "%s %s %s", name, operators[i], literal), expected[i]);
}

static const bool when_less[6] = {false, true, true, true, false, false};
static const bool when_equal[6] = {true, false, false, true, false, true};
static const bool when_greater[6] = {false, true, false, false, true, true};
static const bool when_missing[6] = {false, false, false, false, false, false};
static const bool when_mismatched[6] = {false, true, false, false, false, false};

// Keys and string properties compare ordinally under every operator.
static void test_filter_matches_compares_strings(void **state) {
    (void)state;
    assert_compares("PartitionKey", "'q'", when_less);
    assert_compares("PartitionKey", "'p'", when_equal);
    assert_compares("PartitionKey", "'P'", when_greater);
    assert_compares("RowKey", "'k '", when_less);
    assert_compares("RowKey", "'k'", when_equal);
    assert_compares("RowKey", "''", when_greater);
    assert_compares("s", "'\xc3\xa4'", when_less);
    assert_compares("s", "'m'", when_equal);
    assert_compares("s", "'l9'", when_greater);
}

// false < true.
static void test_filter_matches_compares_booleans(void **state) {
    (void)state;
    assert_compares("b", "true", when_equal);
    assert_compares("b", "false", when_greater);
}

// A missing property makes every comparison false, ne too; names are case sensitive.
static void test_filter_matches_nothing_on_missing_properties(void **state) {
    (void)state;
    assert_compares("absent", "'m'", when_missing);
    assert_compares("absent", "true", when_missing);
    assert_compares("S", "'m'", when_missing);
    assert_compares("partitionKey", "'p'", when_missing);
}

// Between different types only ne is true.
static void test_filter_matches_only_ne_between_types(void **state) {
    (void)state;
    assert_compares("s", "true", when_mismatched);
    assert_compares("b", "'true'", when_mismatched);
    assert_compares("i", "'7'", when_mismatched);
    assert_compares("i", "true", when_mismatched);
    assert_compares("RowKey", "true", when_mismatched);
}

// The truth tables of and and or, and that the empty filter matches.
static void test_filter_matches_combines(void **state) {
    (void)state;
    static const char *const operand[] = {"s eq 'x'", "s eq 'm'"};
    for (int left = 0; left < 2; left++) {
        for (int right = 0; right < 2; right++) {
            const char *l = operand[left];
            const char *r = operand[right];
            assert_matches(arena_printf(&arena, "(%s) and (%s)", l, r), left && right);
            assert_matches(arena_printf(&arena, "(%s) or (%s)", l, r), left || right);
        }
    }
    assert_matches("((s eq 'x') or (b eq true)) and ((i ne 'x') and (s ge 'a'))", true);
    assert_true(ct_filter_matches(NULL, sample_row()));
}

// ---- The targeted partition --------------------------------------------------------------------

// Only PartitionKey eq and a string, alone or as the left child of an and at the root, targets a
// partition.
static void test_filter_partition_is_syntactic(void **state) {
    (void)state;
    const struct {
        const char *text, *partition;
    } cases[] = {
        {"PartitionKey eq 'p'", "p"},
        {"PartitionKey eq ''", ""},
        {"(PartitionKey eq 'p') and (a eq 'b')", "p"},
        {"(PartitionKey eq 'p') or (a eq 'b')", NULL},
        {"(PartitionKey eq 'p') and ((a eq 'b') or (c eq 'd'))", "p"},
        {"", NULL},
        {"PartitionKey ne 'p'", NULL},
        {"PartitionKey ge 'p'", NULL},
        {"PartitionKey eq true", NULL},
        {"RowKey eq 'p'", NULL},
        {"(a eq 'b') and (PartitionKey eq 'p')", NULL},
        {"((PartitionKey eq 'p') and (a eq 'b')) and (c eq 'd')", NULL},
        {"((PartitionKey eq 'p') or (a eq 'b')) and (c eq 'd')", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(ct_string_equal(ct_filter_partition(parse(cases[i].text)), cases[i].partition));
}

// ---- Builders ----------------------------------------------------------------------------------

// The helpers build what their headers say, in the grammar's own words.
static void test_filter_builders_format_as_documented(void **state) {
    (void)state;
    struct ct_key key = {"p", "r"};
    const char *const rows[] = {"a", "b", "c"};
    assert_string_equal(format(ct_filter_in_partition(&arena, "it's")), "PartitionKey eq 'it''s'");
    assert_string_equal(format(ct_filter_point(&arena, key)),
                        "(PartitionKey eq 'p') and (RowKey eq 'r')");
    assert_string_equal(format(ct_filter_from(&arena, key)),
                        "((PartitionKey eq 'p') and (RowKey ge 'r')) or (PartitionKey gt 'p')");
    assert_string_equal(format(ct_filter_rows(&arena, "p", rows, 1)),
                        "(PartitionKey eq 'p') and (RowKey eq 'a')");
    assert_string_equal(format(ct_filter_rows(&arena, "p", rows, 3)),
                        "(PartitionKey eq 'p') and "
                        "((RowKey eq 'a') or ((RowKey eq 'b') or (RowKey eq 'c')))");
    assert_string_equal(format(ct_filter_compare_bool(&arena, "b", CT_NE, false)), "b ne false");
}

// The empty filter is neutral for and, and absorbs or.
static void test_filter_builders_treat_empty_operands(void **state) {
    (void)state;
    const struct ct_filter *filter = ct_filter_in_partition(&arena, "p");
    assert_ptr_equal(ct_filter_and(&arena, filter, NULL), filter);
    assert_ptr_equal(ct_filter_and(&arena, NULL, filter), filter);
    assert_null(ct_filter_and(&arena, NULL, NULL));
    assert_null(ct_filter_or(&arena, filter, NULL));
    assert_null(ct_filter_or(&arena, NULL, filter));
    assert_null(ct_filter_or(&arena, NULL, NULL));
    assert_string_equal(format(NULL), "");
}

// The continuation filter matches exactly the keys from its own on.
static void test_filter_from_matches_keys_from_its_own_on(void **state) {
    (void)state;
    static const char *const texts[] = {"", "0", "0 ", "1"};
    for (int i = 0; i < 256; i++) {
        struct ct_key from = {texts[i & 3], texts[i >> 2 & 3]};
        struct ct_key key = {texts[i >> 4 & 3], texts[i >> 6 & 3]};
        const struct ct_row *row = ct_row_new(&arena, key, NULL, NULL, 0);
        assert_int_equal(ct_filter_matches(ct_filter_from(&arena, from), row),
                         ct_key_compare(key, from) >= 0);
    }
}

// ---- Text --------------------------------------------------------------------------------------

static const struct ct_filter *random_filter(struct rng *rng, int depth) {
    static const char *const names[] = {"PartitionKey", "RowKey", "a", "_x9", "eq", "true"};
    static const char *const values[] = {"", "a", "'", "''", "it's", "a'b'", ") and (", "\n\xff"};
    if (depth > 0 && rng_below(rng, 4)) {
        const struct ct_filter *left = random_filter(rng, depth - 1);
        const struct ct_filter *right = random_filter(rng, depth - 1);
        return rng_below(rng, 2) ? ct_filter_and(&arena, left, right)
                                 : ct_filter_or(&arena, left, right);
    }
    const char *name = names[rng_below(rng, 6)];
    enum ct_compare compare = (enum ct_compare)rng_below(rng, 6);
    if (rng_below(rng, 3) == 0)
        return ct_filter_compare_bool(&arena, name, compare, rng_below(rng, 2));
    return ct_filter_compare_string(&arena, name, compare, values[rng_below(rng, 8)]);
}

// Random filters survive writing and reading.
static void test_filter_text_round_trip(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 11);
    for (int i = 0; i < 3000; i++) {
        arena_reset(&arena, 0);
        const struct ct_filter *filter = random_filter(&rng, (int)rng_below(&rng, 6));
        assert_true(filters_equal(parse(format(filter)), filter));
    }
}

// Blanks between the words are free; nothing but blanks is the empty filter.
static void test_filter_parse_ignores_blanks(void **state) {
    (void)state;
    assert_null(parse(""));
    assert_null(parse(" \t\r\n"));
    const struct ct_filter *plain = parse("(a eq 'x') and (b ne true)");
    assert_true(filters_equal(parse(" ( a\teq\n'x' )and( b ne true ) "), plain));
    assert_true(filters_equal(parse("(a eq'x')and(b ne true)"), plain));
}

// What is not in the grammar is refused: what was expected, at which byte.
static void test_filter_parse_explains_errors(void **state) {
    (void)state;
    const struct {
        const char *text, *error;
    } cases[] = {
        {"(", "byte 1: expected a name or '(', found the end"},
        {")", "byte 0: expected a name, '(' or nothing, found ')'"},
        {"()", "byte 1: expected a name or '(', found ')'"},
        {"9 eq 'x'", "byte 0: expected a name, '(' or nothing, found '9'"},
        {"a", "byte 1: expected eq, ne, lt, le, gt or ge, found the end"},
        {"a is 'x'", "byte 2: expected eq, ne, lt, le, gt or ge, found 'i'"},
        {"a EQ 'x'", "byte 2: expected eq, ne, lt, le, gt or ge, found 'E'"},
        {"a eqq 'x'", "byte 2: expected eq, ne, lt, le, gt or ge, found 'e'"},
        {"a eq", "byte 4: expected a quoted string, true or false, found the end"},
        {"a eq x", "byte 5: expected a quoted string, true or false, found 'x'"},
        {"a eq 1", "byte 5: expected a quoted string, true or false, found '1'"},
        {"a eq truest", "byte 5: expected a quoted string, true or false, found 't'"},
        {"a eq 'x", "byte 7: expected a closing quote, found the end"},
        {"a eq 'x''", "byte 9: expected a closing quote, found the end"},
        {"a eq '", "byte 6: expected a closing quote, found the end"},
        {"a eq 'x' ", NULL},
        {"a eq 'x' b", "byte 9: expected the end, found 'b'"},
        {"a eq 'x' and b eq 'y'", "byte 9: expected the end, found 'a'"},
        {"(a eq 'x')", "byte 10: expected and or or, found the end"},
        {"(a eq 'x') not (b eq 'y')", "byte 11: expected and or or, found 'n'"},
        {"(a eq 'x') and", "byte 14: expected '(', found the end"},
        {"(a eq 'x') and b eq 'y'", "byte 15: expected '(', found 'b'"},
        {"(a eq 'x' and (b eq 'y')", "byte 10: expected ')', found 'a'"},
        {"(a eq 'x') and (b eq 'y'", "byte 24: expected ')', found the end"},
        {"(a eq 'x') and (b eq 'y'))", "byte 25: expected the end, found ')'"},
        {"(a eq 'x') and (b eq 'y') or (c eq 'z')", "byte 26: expected the end, found 'o'"},
        {"a\x01", "byte 1: expected eq, ne, lt, le, gt or ge, found byte 0x01"},
        {"a\xff", "byte 1: expected eq, ne, lt, le, gt or ge, found byte 0xff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ct_filter *filter;
        struct error error = {""};
        bool parsed = ct_filter_parse(&arena, cases[i].text, &filter, &error);
        assert_int_equal(parsed, cases[i].error == NULL);
        if (!parsed) {
            assert_string_equal(error.text, arena_printf(&arena, "filter, %s", cases[i].error));
            assert_null(filter);
        }
    }
}

// "(" repeated [depth] times around a comparison, each level completed by "or (a eq 'x')".
static const char *nested(int depth) {
    char *buffer = arena_alloc(&arena, TEXT_BYTES);
    struct text text = text_in(buffer, TEXT_BYTES);
    for (int i = 0; i < depth; i++)
        text_add(&text, "(");
    text_add(&text, "a eq 'x'");
    for (int i = 0; i < depth; i++)
        text_add(&text, ") or (a eq 'x')");
    return buffer;
}

// The deepest nesting allowed is read, one more is refused by name.
static void test_filter_parse_limits_depth(void **state) {
    (void)state;
    assert_non_null(parse(nested(CT_FILTER_DEPTH_MAX)));
    const struct ct_filter *filter;
    struct error error;
    assert_false(ct_filter_parse(&arena, nested(CT_FILTER_DEPTH_MAX + 1), &filter, &error));
    assert_string_equal(error.text, "filter, byte 64: parentheses nested deeper than 64");
    assert_false(ct_filter_parse(&arena, nested(1000), &filter, &error));
}

// Texts with random bytes changed either parse, and then round-trip, or give one line of error.
static void test_filter_parse_survives_mutations(void **state) {
    (void)state;
    static const char alphabet[] = "()' aeqndort_1\xff\t";
    struct rng rng;
    rng_seed(&rng, 5);
    int accepted = 0;
    for (int i = 0; i < 20000; i++) {
        arena_reset(&arena, 0);
        char mutated[64] = "((RowKey eq 'it''s') and (b ne true)) or (c le 'x')";
        size_t length = strlen(mutated);
        for (uint32_t edits = 1 + rng_below(&rng, 3); edits > 0; edits--) {
            char letter = alphabet[rng_below(&rng, sizeof alphabet - 1)];
            mutated[rng_below(&rng, (uint32_t)length)] = letter;
        }
        mutated[rng_below(&rng, 4) ? length : rng_below(&rng, (uint32_t)length)] = '\0';
        const struct ct_filter *filter;
        struct error error = {""};
        if (ct_filter_parse(&arena, mutated, &filter, &error)) {
            accepted++;
            assert_true(filters_equal(parse(format(filter)), filter));
        } else {
            assert_true(strncmp(error.text, "filter, byte ", 13) == 0);
            assert_null(strchr(error.text, '\n'));
        }
    }
    assert_in_range(accepted, 1000, 19000);
}

// The filter of as many rows as a batch may name can be written and read again.
static void test_rows_of_the_largest_batch(void **state) {
    (void)state;
    enum { ROWS = 100 };
    const char *row_keys[ROWS];
    static char buffer[1 << 14];
    struct text text = text_in(buffer, sizeof buffer);
    const struct ct_filter *again;
    struct error error;
    for (size_t i = 0; i < ROWS; i++)
        row_keys[i] = arena_printf(&arena, "%zu", i);
    const struct ct_filter *filter = ct_filter_rows(&arena, "p", row_keys, ROWS);
    ct_filter_format(filter, &text);
    assert_true(ct_filter_parse(&arena, buffer, &again, &error));
    for (size_t i = 0; i <= ROWS; i++) {
        const struct ct_row *row =
            ct_row_new(&arena, (struct ct_key){"p", arena_printf(&arena, "%zu", i)}, "1", NULL, 0);
        assert_int_equal(ct_filter_matches(filter, row), i < ROWS);
        assert_int_equal(ct_filter_matches(again, row), i < ROWS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_filter_matches_compares_strings),
        ARENA_TEST(test_rows_of_the_largest_batch),
        ARENA_TEST(test_filter_matches_compares_booleans),
        ARENA_TEST(test_filter_matches_nothing_on_missing_properties),
        ARENA_TEST(test_filter_matches_only_ne_between_types),
        ARENA_TEST(test_filter_matches_combines),
        ARENA_TEST(test_filter_partition_is_syntactic),
        ARENA_TEST(test_filter_builders_format_as_documented),
        ARENA_TEST(test_filter_builders_treat_empty_operands),
        ARENA_TEST(test_filter_from_matches_keys_from_its_own_on),
        ARENA_TEST(test_filter_text_round_trip),
        ARENA_TEST(test_filter_parse_ignores_blanks),
        ARENA_TEST(test_filter_parse_explains_errors),
        ARENA_TEST(test_filter_parse_limits_depth),
        ARENA_TEST(test_filter_parse_survives_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
