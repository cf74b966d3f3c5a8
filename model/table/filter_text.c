// Filters as text: formatting, and parsing by recursive descent. The grammar is in filter.h.
#include "model/table/filter.h"

#include <inttypes.h>
#include <string.h>

// In the order of enum ct_compare.
static const char *const compare_names[] = {"eq", "ne", "lt", "le", "gt", "ge"};
enum { COMPARE_COUNT = sizeof compare_names / sizeof compare_names[0] };

// ---- Formatting --------------------------------------------------------------------------------

static void format_string(const struct ct_property *operand, struct text *text) {
    const char *rest = operand->value.string, *end = rest + operand->size;
    text_add(text, "'");
    while (rest < end) {
        // A U+0000 ends a run, too; it has no form in the grammar, so it is shown as \0 and cannot
        // be read back.
        size_t plain = strcspn(rest, "'");
        text_add(text, "%.*s", (int)plain, rest);
        rest += plain;
        if (rest < end)
            text_add(text, *rest++ ? "''" : "\\0");
    }
    text_add(text, "'");
}

static void format_double(double value, struct text *text) {
    char digits[CT_DOUBLE_TEXT];
    ct_double_format(value, digits);
    // Filters spell it otherwise than entities do.
    char *word = strstr(digits, "Infinity");
    if (word)
        strcpy(word, "INF");
    text_add(text, "%s", digits);
}

void ct_literal_format(const struct ct_property *operand, struct text *text) {
    char ticks[CT_TICKS_TEXT], guid[CT_GUID_TEXT];
    switch (operand->type) {
    case CT_BOOL:
        text_add(text, "%s", operand->value.boolean ? "true" : "false");
        return;
    case CT_STRING:
        format_string(operand, text);
        return;
    case CT_INT32:
        text_add(text, "%" PRId32, operand->value.int32);
        return;
    case CT_INT64:
        text_add(text, "%" PRId64 "L", operand->value.int64);
        return;
    case CT_DOUBLE:
        format_double(operand->value.real, text);
        return;
    case CT_DATETIME:
        ct_ticks_format(operand->value.ticks, ticks);
        text_add(text, "datetime'%s'", ticks);
        return;
    case CT_GUID:
        ct_guid_format(operand->value.bytes, guid);
        text_add(text, "guid'%s'", guid);
        return;
    case CT_BINARY:
        text_add(text, "X'");
        for (uint32_t i = 0; i < operand->size; i++)
            text_add(text, "%02x", operand->value.bytes[i]);
        text_add(text, "'");
        return;
    }
}

static void format_in_parentheses(const struct ct_filter *filter, struct text *text) {
    text_add(text, "(");
    ct_filter_format(filter, text);
    text_add(text, ")");
}

// A chain of one kind is flat, as long as it goes to the right: that is how it is parsed.
void ct_filter_format(const struct ct_filter *filter, struct text *text) {
    if (!filter)
        return;
    if (filter->kind == CT_FILTER_COMPARE) {
        if (filter->operand.type == CT_STRING)
            ASSERT(strlen(filter->operand.value.string) == filter->operand.size);
        text_add(text, "%s %s ", filter->operand.name, compare_names[filter->compare]);
        ct_literal_format(&filter->operand, text);
        return;
    }
    if (filter->kind == CT_FILTER_NOT) {
        text_add(text, "not ");
        format_in_parentheses(filter->left, text);
        return;
    }
    enum ct_filter_kind kind = filter->kind;
    // Down the right side without recursion: a text may have a chain of all its comparisons.
    for (; filter->kind == kind; filter = filter->right) {
        format_in_parentheses(filter->left, text);
        text_add(text, kind == CT_FILTER_AND ? " and " : " or ");
    }
    format_in_parentheses(filter, text);
}

// ---- Parsing -----------------------------------------------------------------------------------

// A recursive descent; each parse_... returns NULL or false once the error is set.
struct parser {
    struct arena *arena;
    const char *text;
    const char *at;
    int depth;       // open parentheses and nots
    int comparisons; // so far
    struct error *error;
};

struct word {
    const char *start;
    size_t length;
};

// NULL, so that callers may return it; never more than a line, whatever the byte found.
static const struct ct_filter *expected(struct parser *parser, const char *what) {
    size_t offset = (size_t)(parser->at - parser->text);
    unsigned char found = (unsigned char)*parser->at;
    if (!found)
        error_set(parser->error, "filter, byte %zu: expected %s, found the end", offset, what);
    else if (found < ' ' || found > '~')
        error_set(parser->error, "filter, byte %zu: expected %s, found byte 0x%02x", offset, what,
                  found);
    else
        error_set(parser->error, "filter, byte %zu: expected %s, found '%c'", offset, what, found);
    return NULL;
}

// Spelled out because <ctype.h> depends on the locale. Any character beyond ASCII is one.
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct parser *parser) {
    while (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\r' || *parser->at == '\n')
        parser->at++;
}

// The word that starts here, which is not taken yet; length 0 if none does.
static struct word peek_word(struct parser *parser) {
    skip_blanks(parser);
    struct word word = {.start = parser->at, .length = 0};
    if (is_letter(*word.start))
        while (is_letter(word.start[word.length]) || is_digit(word.start[word.length]))
            word.length++;
    return word;
}

static bool take_word(struct parser *parser, const char *text) {
    struct word word = peek_word(parser);
    if (strlen(text) != word.length || memcmp(word.start, text, word.length) != 0)
        return false;
    parser->at += word.length;
    return true;
}

static bool take_char(struct parser *parser, char c) {
    skip_blanks(parser);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

static bool parse_name(struct parser *parser, const char **name) {
    struct word word = peek_word(parser);
    if (word.length == 0)
        return expected(parser, "a name");
    char *copy = arena_alloc(parser->arena, word.length + 1);
    memcpy(copy, word.start, word.length);
    copy[word.length] = '\0';
    *name = copy;
    parser->at += word.length;
    return true;
}

static bool take_compare(struct parser *parser, enum ct_compare *compare) {
    for (int i = 0; i < COMPARE_COUNT; i++) {
        if (take_word(parser, compare_names[i])) {
            *compare = (enum ct_compare)i;
            return true;
        }
    }
    return false;
}

static bool parse_compare(struct parser *parser, enum ct_compare *compare) {
    return take_compare(parser, compare) || expected(parser, "eq, ne, lt, le, gt or ge");
}

// ---- Literals ----------------------------------------------------------------------------------

// Each parse_... sets type and value of [operand], whose name stays.

static struct ct_property named(const struct ct_property *operand, struct ct_property value) {
    value.name = operand->name;
    return value;
}

// What stands in quotes, the first of which is taken. One walk finds the closing quote, a second
// one copies.
static bool parse_quoted(struct parser *parser, struct ct_property *operand) {
    const char *start = parser->at;
    // Two quotes are one in the text, and do not end it.
    while (*parser->at && (parser->at[0] != '\'' || parser->at[1] == '\''))
        parser->at += *parser->at == '\'' ? 2 : 1;
    if (!*parser->at)
        return expected(parser, "a closing quote");
    char *value = arena_alloc(parser->arena, (size_t)(parser->at - start) + 1);
    size_t length = 0;
    for (const char *from = start; from < parser->at; from += *from == '\'' ? 2 : 1)
        value[length++] = *from;
    value[length] = '\0';
    parser->at++;
    *operand = named(operand, ct_string_of(NULL, value, length));
    return true;
}

static int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool bytes_of_hex(struct arena *arena, struct ct_property *operand) {
    size_t size = operand->size / 2;
    unsigned char *bytes = arena_alloc(arena, size + 1);
    const char *text = operand->value.string;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    *operand = named(operand, ct_binary(NULL, bytes, size));
    return true;
}

// The type that a word before a quote gives.
static const struct prefix {
    const char *word, *expected;
    enum ct_type type;
} prefixes[] = {
    {"datetime", "a DateTime such as '2013-08-22T01:12:06Z' of the years 1601 to 9999",
     CT_DATETIME},
    {"guid", "a Guid such as '00112233-4455-6677-8899-aabbccddeeff'", CT_GUID},
    {"X", "pairs of hexadecimal digits", CT_BINARY},
    {"binary", "pairs of hexadecimal digits", CT_BINARY},
};
enum { PREFIXES = sizeof prefixes / sizeof prefixes[0] };

// The prefix that stands here with a quote behind it, or NULL.
// Without a quote behind it the word is a name: a property may be called "guid".
static const struct prefix *peek_prefix(struct parser *parser) {
    struct word word = peek_word(parser);
    for (int i = 0; i < PREFIXES && word.start[word.length] == '\''; i++)
        if (strlen(prefixes[i].word) == word.length &&
            memcmp(prefixes[i].word, word.start, word.length) == 0)
            return &prefixes[i];
    return NULL;
}

static bool convert(struct arena *arena, enum ct_type type, struct ct_property *operand) {
    const char *text = operand->value.string;
    int64_t ticks;
    if (type == CT_BINARY)
        return operand->size % 2 == 0 && bytes_of_hex(arena, operand);
    if (type == CT_GUID) {
        unsigned char *bytes = arena_alloc(arena, CT_GUID_BYTES);
        if (!ct_guid_parse(text, operand->size, bytes))
            return false;
        *operand = named(operand, ct_guid(NULL, bytes));
        return true;
    }
    if (!ct_ticks_parse(text, operand->size, &ticks))
        return false;
    *operand = named(operand, ct_datetime(NULL, ticks));
    return true;
}

static bool parse_prefixed(struct parser *parser, const struct prefix *prefix,
                           struct ct_property *operand) {
    parser->at += strlen(prefix->word) + 1;
    const char *start = parser->at;
    if (!parse_quoted(parser, operand))
        return false;
    if (convert(parser->arena, prefix->type, operand))
        return true;
    // The error is about what stands in the quotes, so it points there.
    parser->at = start;
    return expected(parser, prefix->expected);
}

// Where what may be a number ends: letters, digits, points, and signs behind an e.
static size_t number_length(const char *text) {
    size_t length = *text == '-';
    for (;; length++) {
        char c = text[length], before = length ? text[length - 1] : '\0';
        bool is_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E');
        if (!is_letter(c) && !is_digit(c) && c != '.' && !is_sign)
            return length;
    }
}

// Whether [length] bytes are a whole number, and how many of them are digits and sign.
static bool is_integer(const char *text, size_t length, bool *is_long) {
    size_t i = *text == '-';
    *is_long = length > 0 && text[length - 1] == 'L';
    size_t end = length - *is_long;
    if (i == end)
        return false;
    while (i < end && is_digit(text[i]))
        i++;
    return i == end;
}

static bool integer_of(const char *text, size_t length, int64_t *value) {
    bool is_negative = *text == '-';
    uint64_t limit = (uint64_t)INT64_MAX + is_negative, number = 0;
    for (size_t i = is_negative; i < length; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        // Before it is multiplied: the least integer has no positive counterpart, so it is read as
        // a number without a sign.
        if (number > (limit - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *value = (int64_t)(is_negative ? 0 - number : number);
    return true;
}

static bool parse_number(struct parser *parser, struct ct_property *operand) {
    size_t length = number_length(parser->at);
    bool is_long;
    if (is_integer(parser->at, length, &is_long)) {
        int64_t value;
        if (!integer_of(parser->at, length - is_long, &value))
            return expected(parser, "an integer of at most 64 bits");
        // A number without an L that does not fit 32 bits counts as a long one, and compares just
        // as well: integers are compared across their types.
        bool is_small = !is_long && value >= INT32_MIN && value <= INT32_MAX;
        *operand =
            named(operand, is_small ? ct_int32(NULL, (int32_t)value) : ct_int64(NULL, value));
    } else {
        double value;
        if (!ct_double_parse(parser->at, length, &value))
            return expected(parser, "a literal");
        *operand = named(operand, ct_double(NULL, value));
    }
    parser->at += length;
    return true;
}

// A boolean in whatever letters, as the service takes it.
// A letter and its capital differ in the bit 0x20 alone.
static bool take_boolean(struct parser *parser, bool *value) {
    static const char *const words[] = {"false", "true"};
    struct word word = peek_word(parser);
    for (int i = 0; i < 2; i++) {
        size_t at = 0;
        while (at < word.length && (word.start[at] | 0x20) == words[i][at])
            at++;
        if (at == word.length && words[i][at] == '\0') {
            parser->at += word.length;
            *value = i == 1;
            return at > 0;
        }
    }
    return false;
}

static bool parse_literal(struct parser *parser, struct ct_property *operand) {
    bool is_true;
    if (take_char(parser, '\''))
        return parse_quoted(parser, operand);
    const struct prefix *prefix = peek_prefix(parser);
    if (prefix)
        return parse_prefixed(parser, prefix, operand);
    if (!take_boolean(parser, &is_true))
        return parse_number(parser, operand);
    *operand = named(operand, ct_bool(NULL, is_true));
    return true;
}

// Whether a literal begins here that no name could be.
// Booleans are not among these: "true" may be the name of a property, which what follows decides.
static bool is_at_literal(struct parser *parser) {
    skip_blanks(parser);
    char c = *parser->at;
    return c == '\'' || c == '-' || is_digit(c) || peek_prefix(parser);
}

// ---- Expressions -------------------------------------------------------------------------------

// Seen from the other side.
static enum ct_compare mirrored(enum ct_compare compare) {
    switch (compare) {
    case CT_LT:
        return CT_GT;
    case CT_LE:
        return CT_GE;
    case CT_GT:
        return CT_LT;
    case CT_GE:
        return CT_LE;
    case CT_EQ:
    case CT_NE:
        break;
    }
    return compare;
}

// A boolean that is a condition by itself: what every row is, or none. NULL if it is something
// else, a name among it, and nothing is taken.
static const struct ct_filter *take_constant(struct parser *parser) {
    const char *begin = parser->at;
    enum ct_compare compare;
    bool is_true;
    if (!take_boolean(parser, &is_true))
        return NULL;
    const char *end = parser->at;
    // With a comparison behind it the word was a property's name: it is given back.
    bool is_name = take_compare(parser, &compare);
    parser->at = is_name ? begin : end;
    return is_name ? NULL
                   : ct_filter_compare_string(parser->arena, CT_PARTITION_KEY,
                                              is_true ? CT_GE : CT_LT, "");
}

static const struct ct_filter *parse_comparison(struct parser *parser) {
    struct ct_property operand = {0};
    enum ct_compare compare = CT_EQ;
    // "5 lt Age" says the same as "Age gt 5".
    bool is_mirrored = is_at_literal(parser);
    if (parser->comparisons == CT_FILTER_COMPARISONS_MAX) {
        error_set(parser->error, "filter, byte %zu: more than %d comparisons",
                  (size_t)(parser->at - parser->text), CT_FILTER_COMPARISONS_MAX);
        return NULL;
    }
    parser->comparisons++;
    if (!is_mirrored && peek_word(parser).length == 0)
        return expected(parser, "a comparison, not or '('");
    const struct ct_filter *constant = is_mirrored ? NULL : take_constant(parser);
    if (constant)
        return constant;
    if (is_mirrored ? !parse_literal(parser, &operand) : !parse_name(parser, &operand.name))
        return NULL;
    if (!parse_compare(parser, &compare))
        return NULL;
    if (is_mirrored ? !parse_name(parser, &operand.name) : !parse_literal(parser, &operand))
        return NULL;
    return ct_filter_compare(parser->arena, is_mirrored ? mirrored(compare) : compare, operand);
}

static const struct ct_filter *parse_or(struct parser *parser);

// The depth bounds the stack: text comes from the network.
static bool enter(struct parser *parser) {
    if (parser->depth++ < CT_FILTER_DEPTH_MAX)
        return true;
    return error_set(parser->error, "filter, byte %zu: parentheses and nots nested deeper than %d",
                     (size_t)(parser->at - parser->text) - 1, CT_FILTER_DEPTH_MAX);
}

static const struct ct_filter *parse_unary(struct parser *parser) {
    const struct ct_filter *filter;
    if (take_word(parser, "not")) {
        if (!enter(parser))
            return NULL;
        // "not" binds tighter than any "and": it takes one condition, or what stands in
        // parentheses.
        filter = parse_unary(parser);
        parser->depth--;
        return filter ? ct_filter_not(parser->arena, filter) : NULL;
    }
    if (!take_char(parser, '('))
        return parse_comparison(parser);
    if (!enter(parser))
        return NULL;
    filter = parse_or(parser);
    parser->depth--;
    if (filter && !take_char(parser, ')'))
        return expected(parser, "and, or or ')'");
    return filter;
}

// Recursion to the right is bounded by the number of comparisons.
static const struct ct_filter *parse_and(struct parser *parser) {
    const struct ct_filter *left = parse_unary(parser);
    if (!left || !take_word(parser, "and"))
        return left;
    const struct ct_filter *right = parse_and(parser);
    return right ? ct_filter_and(parser->arena, left, right) : NULL;
}

static const struct ct_filter *parse_or(struct parser *parser) {
    const struct ct_filter *left = parse_and(parser);
    if (!left || !take_word(parser, "or"))
        return left;
    const struct ct_filter *right = parse_or(parser);
    return right ? ct_filter_or(parser->arena, left, right) : NULL;
}

bool ct_filter_parse(struct arena *arena, const char *text, const struct ct_filter **filter,
                     struct error *error) {
    struct parser parser = {.arena = arena, .text = text, .at = text, .error = error};
    *filter = NULL;
    skip_blanks(&parser);
    if (!*parser.at)
        return true;
    const struct ct_filter *parsed = parse_or(&parser);
    if (!parsed)
        return false;
    skip_blanks(&parser);
    if (*parser.at)
        return expected(&parser, "and, or or the end");
    *filter = parsed;
    return true;
}
