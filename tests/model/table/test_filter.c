#include "tests/support/arena.h"
#include "tests/support/values.h"

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
        ct_string("s", "m"),
        ct_bool("b", true),
        ct_int32("i", 7),
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

static void assert_orders(struct ct_property value, const char *literal_text,
                          const bool expected[6]) {
    value.name = "v";
    const struct ct_row *row = ct_row_new(&arena, (struct ct_key){"p", "r"}, "e", &value, 1);
    for (int i = 0; i < 6; i++) {
        const char *text = arena_printf(&arena, "v %s %s", operators[i], literal_text);
        if (ct_filter_matches(parse(text), row) != expected[i])
            print_error("%s is wrong\n", text);
        assert_int_equal(ct_filter_matches(parse(text), row), expected[i]);
    }
}

// Numbers are compared as numbers whatever their types, exactly; every other type with its own
// kind; a NaN, and values of two kinds, are only ne.
static void test_filter_matches_compares_every_type(void **state) {
    (void)state;
    static const unsigned char bytes[CT_GUID_BYTES] = {0x10};
    assert_orders(ct_int32("", 7), "7L", when_equal);
    assert_orders(ct_int32("", 7), "7.5", when_less);
    assert_orders(ct_int64("", 7), "6", when_greater);
    assert_orders(ct_int64("", 9007199254740993), "9007199254740992.0", when_greater);
    assert_orders(ct_int64("", INT64_MAX), "9223372036854775808.0", when_less);
    assert_orders(ct_int64("", INT64_MIN), "-9223372036854775808.0", when_equal);
    assert_orders(ct_int64("", INT64_MIN), "-INF", when_greater);
    assert_orders(ct_double("", 9007199254740992.0), "9007199254740993L", when_less);
    assert_orders(ct_double("", -0.5), "0", when_less);
    assert_orders(ct_double("", -0.0), "0.0", when_equal);
    assert_orders(ct_double("", 1), "INF", when_less);
    assert_orders(ct_double("", NAN), "NaN", when_mismatched);
    assert_orders(ct_int32("", 1), "NaN", when_mismatched);
    assert_orders(ct_datetime("", 0), "datetime'1970-01-01T00:00:00Z'", when_equal);
    assert_orders(ct_datetime("", -1), "datetime'1970-01-01T00:00:00Z'", when_less);
    assert_orders(ct_guid("", bytes), "guid'0f000000-0000-0000-0000-000000000000'", when_greater);
    assert_orders(ct_binary("", bytes, 1), "X'10'", when_equal);
    assert_orders(ct_binary("", bytes, 1), "X'1000'", when_less);
    assert_orders(ct_binary("", bytes, 0), "X''", when_equal);
    assert_orders(ct_binary("", bytes, 1), "'\x10'", when_mismatched);
    assert_orders(ct_datetime("", 0), "0", when_mismatched);
    assert_orders(ct_string_of("", "a\0b", 3), "'a'", when_greater);
    assert_orders(ct_string("", "\xf0\x9f\x90\xa2"), "'\xef\xbf\xbd'", when_less);
    struct ct_row *row = ct_row_new(&arena, (struct ct_key){"p", "r"}, "e", NULL, 0);
    row->timestamp = 1;
    assert_true(ct_filter_matches(parse("Timestamp gt datetime'1970-01-01T00:00:00Z'"), row));
}

// A comparison of a missing property is false, and so not is true.
static void test_filter_matches_negates(void **state) {
    (void)state;
    assert_matches("not (i eq 7)", false);
    assert_matches("not (i eq 8)", true);
    assert_matches("not (absent eq 8)", true);
    assert_matches("not (absent ne 8)", true);
    assert_matches("not not (i eq 7)", true);
    assert_matches("not ((i eq 7) and (b eq false))", true);
    assert_matches("(b eq true) and not ((i eq 7) or (absent eq 1))", false);
    assert_matches("not ((i eq 8) or (absent eq 1)) and (b eq true)", true);
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

// Booleans in large or small letters; alone they are a condition; before an operator a name.
static void test_filter_parse_booleans(void **state) {
    (void)state;
    assert_matches("b eq True", true);
    assert_matches("b eq FALSE", false);
    assert_matches("TRUE", true);
    assert_matches("false", false);
    assert_matches("not False", true);
    assert_matches("(true and i eq 7) and (false or b eq true)", true);
    assert_matches("true eq 1", false); // there is no such property
    assert_matches("not (true eq 1)", true);
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
        {"PartitionKey eq 'p' and a eq 'b' and c eq 'd'", "p"},
        {"not (PartitionKey eq 'p')", NULL},
        {"(a eq 'b') and not (PartitionKey eq 'p')", NULL},
        {"((PartitionKey eq 'p') or (a eq 'b')) and (c eq 'd')", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(ct_string_equal(ct_filter_partition(parse(cases[i].text)), cases[i].partition));
}

// Only a partition and a row key, both as strings that a key can be, ask for one row.
static void test_filter_row_is_that_of_a_point(void **state) {
    (void)state;
    const struct {
        const char *text, *row;
    } cases[] = {
        {"PartitionKey eq 'p' and RowKey eq 'r'", "r"},
        {"'p' eq PartitionKey and 'r' eq RowKey", "r"},
        {"PartitionKey eq 'p' and RowKey eq ''", ""},
        {"PartitionKey eq 'p' and RowKey ge 'r'", NULL},
        {"PartitionKey eq 'p' and RowKey eq 1", NULL},
        {"PartitionKey eq 'p' and a eq 'r'", NULL},
        {"PartitionKey ne 'p' and RowKey eq 'r'", NULL},
        {"PartitionKey eq 'p' or RowKey eq 'r'", NULL},
        {"RowKey eq 'r' and PartitionKey eq 'p'", NULL},
        {"PartitionKey eq 'p' and RowKey eq 'r' and a eq 'b'", NULL},
        {"PartitionKey eq 'p' and not (RowKey eq 'r')", NULL},
        {"PartitionKey eq 'p'", NULL},
        {"RowKey eq 'r'", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(ct_string_equal(ct_filter_row(parse(cases[i].text)), cases[i].row));
    assert_string_equal(ct_filter_row(ct_filter_point(&arena, (struct ct_key){"p", "r"})), "r");
    // A key has no U+0000.
    const struct ct_filter *partition = ct_filter_in_partition(&arena, "p");
    const struct ct_filter *row =
        ct_filter_compare(&arena, CT_EQ, ct_string_of(CT_ROW_KEY, "r\0s", 3));
    assert_null(ct_filter_row(ct_filter_and(&arena, partition, row)));
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
                        "((RowKey eq 'a') or (RowKey eq 'b') or (RowKey eq 'c'))");
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

static const char *const random_names[] = {"PartitionKey", "RowKey", "a", "_x9", "eq", "\xc3\xa4"};

// Random filters survive writing and reading.
static void test_filter_text_round_trip(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 11);
    for (int i = 0; i < 3000; i++) {
        arena_reset(&arena, 0);
        const struct ct_filter *filter =
            random_filter(&rng, &arena, random_names, 6, (int)rng_below(&rng, 6), false);
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

static void assert_same(const char *text, const char *as) {
    const struct ct_filter *filter = parse(text), *expected = parse(as);
    if (!filters_equal(filter, expected))
        print_error("%s is %s, not %s\n", text, format(filter), format(expected));
    assert_true(filters_equal(filter, expected));
}

// not binds tighter than and, and tighter than or; parentheses are needed for nothing else, and of
// a chain the first operand is at the root.
static void test_filter_parse_precedence(void **state) {
    (void)state;
    assert_same("a eq 1 and b eq 2 or c eq 3", "((a eq 1) and (b eq 2)) or (c eq 3)");
    assert_same("a eq 1 or b eq 2 and c eq 3", "(a eq 1) or ((b eq 2) and (c eq 3))");
    assert_same("not a eq 1 and b eq 2", "(not (a eq 1)) and (b eq 2)");
    assert_same("not (a eq 1 and b eq 2)", "not ((a eq 1) and (b eq 2))");
    assert_same("not not a eq 1", "not (not (a eq 1))");
    assert_same("a eq 1 and b eq 2 and c eq 3", "(a eq 1) and ((b eq 2) and (c eq 3))");
    assert_same("((a eq 1))", "a eq 1");
    assert_string_equal(format(parse("a eq 1 and b eq 2 and c eq 3")),
                        "(a eq 1) and (b eq 2) and (c eq 3)");
    assert_string_equal(format(parse("(a eq 1 and b eq 2) and c eq 3")),
                        "((a eq 1) and (b eq 2)) and (c eq 3)");
    assert_string_equal(format(parse("not not a eq 1")), "not (not (a eq 1))");
}

static struct ct_property literal(const char *text) {
    return parse(arena_printf(&arena, "a eq %s", text))->operand;
}

// Each form of literal has its type and value, and a literal may stand on the left.
static void test_filter_parse_literals(void **state) {
    (void)state;
    static const unsigned char guid[CT_GUID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
                                                      0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
                                                      0xcc, 0xdd, 0xee, 0xff};
    const struct {
        const char *text;
        struct ct_property value;
    } cases[] = {
        {"'it''s'", ct_string("a", "it's")},
        {"true", ct_bool("a", true)},
        {"123", ct_int32("a", 123)},
        {"-2147483648", ct_int32("a", INT32_MIN)},
        {"2147483648", ct_int64("a", 2147483648)},
        {"7L", ct_int64("a", 7)},
        {"-9223372036854775808L", ct_int64("a", INT64_MIN)},
        {"1.5", ct_double("a", 1.5)},
        {"-1e3", ct_double("a", -1000)},
        {"1E+2", ct_double("a", 100)},
        {"NaN", ct_double("a", NAN)},
        {"-INF", ct_double("a", -INFINITY)},
        {"datetime'2013-08-22T01:12:06.2608595Z'", ct_datetime("a", 13771339262608595)},
        {"guid'00112233-4455-6677-8899-AABBCCDDEEFF'", ct_guid("a", guid)},
        {"X'0011'", ct_binary("a", guid, 2)},
        {"binary'001122'", ct_binary("a", guid, 3)},
        {"X''", ct_binary("a", guid, 0)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ct_property found = literal(cases[i].text);
        if (!ct_property_equal(&found, &cases[i].value))
            print_error("%s\n", cases[i].text);
        assert_true(ct_property_equal(&found, &cases[i].value));
    }
    assert_same("1 lt a", "a gt 1");
    assert_same("'x' ge a and guid'00112233-4455-6677-8899-aabbccddeeff' ne b",
                "a le 'x' and b ne guid'00112233-4455-6677-8899-aabbccddeeff'");
}

// What is not in the grammar is refused: what was expected, at which byte.
static void test_filter_parse_explains_errors(void **state) {
    (void)state;
    const struct {
        const char *text, *error;
    } cases[] = {
        {"(", "byte 1: expected a comparison, not or '(', found the end"},
        {")", "byte 0: expected a comparison, not or '(', found ')'"},
        {"()", "byte 1: expected a comparison, not or '(', found ')'"},
        {"not", "byte 3: expected a comparison, not or '(', found the end"},
        {"a", "byte 1: expected eq, ne, lt, le, gt or ge, found the end"},
        {"a is 'x'", "byte 2: expected eq, ne, lt, le, gt or ge, found 'i'"},
        {"a EQ 'x'", "byte 2: expected eq, ne, lt, le, gt or ge, found 'E'"},
        {"a eqq 'x'", "byte 2: expected eq, ne, lt, le, gt or ge, found 'e'"},
        {"a eq", "byte 4: expected a literal, found the end"},
        {"a eq x", "byte 5: expected a literal, found 'x'"},
        {"a eq truest", "byte 5: expected a literal, found 't'"},
        {"a eq 1.", "byte 5: expected a literal, found '1'"},
        {"a eq 1x", "byte 5: expected a literal, found '1'"},
        {"a eq 1e999", "byte 5: expected a literal, found '1'"},
        {"a eq -", "byte 5: expected a literal, found '-'"},
        {"a eq 9223372036854775808", "byte 5: expected an integer of at most 64 bits, found '9'"},
        {"a eq X'0'", "byte 7: expected pairs of hexadecimal digits, found '0'"},
        {"a eq X'0g'", "byte 7: expected pairs of hexadecimal digits, found '0'"},
        {"a eq guid'1'", "byte 10: expected a Guid such as "
                         "'00112233-4455-6677-8899-aabbccddeeff', found '1'"},
        {"a eq datetime'2013-02-29T00:00:00Z'",
         "byte 14: expected a DateTime such as '2013-08-22T01:12:06Z' of the years 1601 to 9999, "
         "found '2'"},
        {"1 eq 2", "byte 5: expected a name, found '2'"},
        {"a eq 'x", "byte 7: expected a closing quote, found the end"},
        {"a eq 'x''", "byte 9: expected a closing quote, found the end"},
        {"a eq '", "byte 6: expected a closing quote, found the end"},
        {"a eq 'x' ", NULL},
        {"a eq 'x' b", "byte 9: expected and, or or the end, found 'b'"},
        {"(a eq 'x') not (b eq 'y')", "byte 11: expected and, or or the end, found 'n'"},
        {"(a eq 'x') and", "byte 14: expected a comparison, not or '(', found the end"},
        {"(a eq 'x' and (b eq 'y')", "byte 24: expected and, or or ')', found the end"},
        {"(a eq 'x') and (b eq 'y'))", "byte 25: expected and, or or the end, found ')'"},
        {"a\x01", "byte 1: expected eq, ne, lt, le, gt or ge, found byte 0x01"},
        {"a eq \xff", "byte 5: expected a literal, found byte 0xff"},
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

// [count] comparisons in a row.
static const char *chained(int count) {
    char *buffer = arena_alloc(&arena, TEXT_BYTES);
    struct text text = text_in(buffer, TEXT_BYTES);
    for (int i = 0; i < count; i++)
        text_add(&text, "%sa eq 'x'", i == 0 ? "" : i % 2 ? " and " : " or ");
    return buffer;
}

// As many comparisons as are allowed are read, and again when written; one more is refused by name.
static void test_filter_parse_limits_comparisons(void **state) {
    (void)state;
    const struct ct_filter *filter = parse(chained(CT_FILTER_COMPARISONS_MAX));
    assert_true(filters_equal(parse(format(filter)), filter));
    assert_true(ct_filter_matches(filter, sample_row()) == false);
    struct error error;
    assert_false(ct_filter_parse(&arena, chained(CT_FILTER_COMPARISONS_MAX + 1), &filter, &error));
    assert_non_null(strstr(error.text, ": more than 256 comparisons"));
}

// The deepest nesting allowed is read, one more is refused by name.
static void test_filter_parse_limits_depth(void **state) {
    (void)state;
    assert_non_null(parse(nested(CT_FILTER_DEPTH_MAX)));
    const struct ct_filter *filter;
    struct error error;
    assert_false(ct_filter_parse(&arena, nested(CT_FILTER_DEPTH_MAX + 1), &filter, &error));
    assert_string_equal(error.text, "filter, byte 64: parentheses and nots nested deeper than 64");
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
        ARENA_TEST(test_filter_row_is_that_of_a_point),
        ARENA_TEST(test_filter_builders_format_as_documented),
        ARENA_TEST(test_filter_builders_treat_empty_operands),
        ARENA_TEST(test_filter_from_matches_keys_from_its_own_on),
        ARENA_TEST(test_filter_text_round_trip),
        ARENA_TEST(test_filter_parse_ignores_blanks),
        ARENA_TEST(test_filter_parse_precedence),
        ARENA_TEST(test_filter_parse_literals),
        ARENA_TEST(test_filter_parse_booleans),
        ARENA_TEST(test_filter_parse_limits_comparisons),
        ARENA_TEST(test_filter_matches_compares_every_type),
        ARENA_TEST(test_filter_matches_negates),
        ARENA_TEST(test_filter_parse_explains_errors),
        ARENA_TEST(test_filter_parse_limits_depth),
        ARENA_TEST(test_filter_parse_survives_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
