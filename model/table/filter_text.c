// Filters as text: formatting, and parsing by recursive descent. The grammar is in filter.h.
#include "model/table/filter.h"

#include <string.h>

// In the order of enum ct_compare.
static const char *const compare_names[] = {"eq", "ne", "lt", "le", "gt", "ge"};
enum { COMPARE_COUNT = sizeof compare_names / sizeof compare_names[0] };

// ---- Formatting --------------------------------------------------------------------------------

static void format_literal(const struct ct_property *operand, struct text *text) {
    if (operand->type == CT_BOOL) {
        text_add(text, "%s", operand->value.boolean ? "true" : "false");
        return;
    }
    ASSERT(operand->type == CT_STRING);
    text_add(text, "'");
    const char *rest = operand->value.string;
    for (const char *quote = strchr(rest, '\''); quote; quote = strchr(rest, '\'')) {
        text_add(text, "%.*s''", (int)(quote - rest), rest);
        rest = quote + 1;
    }
    text_add(text, "%s'", rest);
}

void ct_filter_format(const struct ct_filter *filter, struct text *text) {
    if (!filter)
        return;
    if (filter->kind == CT_FILTER_COMPARE) {
        text_add(text, "%s %s ", filter->operand.name, compare_names[filter->compare]);
        format_literal(&filter->operand, text);
        return;
    }
    text_add(text, "(");
    ct_filter_format(filter->left, text);
    text_add(text, filter->kind == CT_FILTER_AND ? ") and (" : ") or (");
    ct_filter_format(filter->right, text);
    text_add(text, ")");
}

// ---- Parsing -----------------------------------------------------------------------------------

// A recursive descent; each parse_... returns NULL or false once the error is set.
struct parser {
    struct arena *arena;
    const char *text;
    const char *at;
    int depth; // open parentheses
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

// Spelled out because <ctype.h> depends on the locale.
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
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

static bool parse_name(struct parser *parser, struct ct_property *operand) {
    struct word word = peek_word(parser);
    if (word.length == 0)
        return expected(parser, parser->depth ? "a name or '('" : "a name, '(' or nothing");
    char *name = arena_alloc(parser->arena, word.length + 1);
    memcpy(name, word.start, word.length);
    name[word.length] = '\0';
    operand->name = name;
    parser->at += word.length;
    return true;
}

static bool parse_compare(struct parser *parser, enum ct_compare *compare) {
    for (int i = 0; i < COMPARE_COUNT; i++) {
        if (take_word(parser, compare_names[i])) {
            *compare = (enum ct_compare)i;
            return true;
        }
    }
    return expected(parser, "eq, ne, lt, le, gt or ge");
}

// After the opening quote. A first walk finds the closing quote, a second one copies.
static bool parse_string(struct parser *parser, struct ct_property *operand) {
    const char *start = parser->at;
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
    operand->type = CT_STRING;
    operand->value.string = value;
    return true;
}

static bool parse_literal(struct parser *parser, struct ct_property *operand) {
    if (take_char(parser, '\''))
        return parse_string(parser, operand);
    bool is_true = take_word(parser, "true");
    if (!is_true && !take_word(parser, "false"))
        return expected(parser, "a quoted string, true or false");
    operand->type = CT_BOOL;
    operand->value.boolean = is_true;
    return true;
}

static const struct ct_filter *parse_comparison(struct parser *parser) {
    struct ct_property operand = {0};
    enum ct_compare compare = CT_EQ;
    if (!parse_name(parser, &operand) || !parse_compare(parser, &compare) ||
        !parse_literal(parser, &operand))
        return NULL;
    if (operand.type == CT_BOOL)
        return ct_filter_compare_bool(parser->arena, operand.name, compare, operand.value.boolean);
    return ct_filter_compare_string(parser->arena, operand.name, compare, operand.value.string);
}

static const struct ct_filter *parse_expression(struct parser *parser);

static const struct ct_filter *parse_operand(struct parser *parser) {
    if (!take_char(parser, '('))
        return expected(parser, "'('");
    if (parser->depth == CT_FILTER_DEPTH_MAX) {
        error_set(parser->error, "filter, byte %zu: parentheses nested deeper than %d",
                  (size_t)(parser->at - parser->text) - 1, CT_FILTER_DEPTH_MAX);
        return NULL;
    }
    parser->depth++;
    const struct ct_filter *filter = parse_expression(parser);
    if (!filter)
        return NULL;
    if (!take_char(parser, ')'))
        return expected(parser, "')'");
    parser->depth--;
    return filter;
}

static const struct ct_filter *parse_boolean(struct parser *parser) {
    const struct ct_filter *left = parse_operand(parser);
    if (!left)
        return NULL;
    bool is_and = take_word(parser, "and");
    if (!is_and && !take_word(parser, "or"))
        return expected(parser, "and or or");
    const struct ct_filter *right = parse_operand(parser);
    if (!right)
        return NULL;
    return is_and ? ct_filter_and(parser->arena, left, right)
                  : ct_filter_or(parser->arena, left, right);
}

static const struct ct_filter *parse_expression(struct parser *parser) {
    skip_blanks(parser);
    return *parser->at == '(' ? parse_boolean(parser) : parse_comparison(parser);
}

bool ct_filter_parse(struct arena *arena, const char *text, const struct ct_filter **filter,
                     struct error *error) {
    struct parser parser = {.arena = arena, .text = text, .at = text, .error = error};
    *filter = NULL;
    skip_blanks(&parser);
    if (!*parser.at)
        return true;
    const struct ct_filter *parsed = parse_expression(&parser);
    if (!parsed)
        return false;
    skip_blanks(&parser);
    if (*parser.at)
        return expected(&parser, "the end");
    *filter = parsed;
    return true;
}
