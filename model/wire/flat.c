#include "model/wire/flat.h"

#include "model/table/value.h"
#include "model/wire/encoding.h"

#include <string.h>

enum { DIGITS_MAX = 18 }; // of an integer: they fit 64 bits

// A copy of the text with a NUL behind it, in which strings become what they stand for, each with a
// NUL in the place of its last quote.
struct scan {
    char *at, *end;
};

static void skip_spaces(struct scan *scan) {
    while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')
        scan->at++;
}

static bool take(struct scan *scan, char c) {
    skip_spaces(scan);
    if (*scan->at != c)
        return false;
    scan->at++;
    return true;
}

// What a letter behind a backslash stands for; 0: something else, such as a code.
static char unescaped(char letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

// In place: what a string stands for is never longer than the string.
static bool take_string(struct scan *scan, const char **text, size_t *size) {
    if (!take(scan, '"'))
        return false;
    char *begin = scan->at, *in = begin, *out = begin;
    unsigned char all = 0;
    for (; *in != '"'; in++, out++) {
        char c = *in;
        if ((unsigned char)c < ' ') // the NUL behind the end, too
            return false;
        if (c == '\\' && !(c = unescaped(*++in)))
            return false;
        *out = c;
        // One look at all bytes together: most strings are ASCII and need no check of their UTF-8.
        all |= (unsigned char)c;
    }
    *out = '\0';
    *text = begin;
    *size = (size_t)(out - begin);
    scan->at = in + 1;
    return all < 0x80 || wire_is_utf8(begin, *size);
}

static size_t count_digits(const char *at) {
    size_t count = 0;
    while (at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

// The fraction and the exponent of a number, as far as they are there; NULL if one is malformed.
static char *skip_rest(char *at) {
    if (*at == '.') {
        size_t digits = count_digits(++at);
        if (digits == 0)
            return NULL;
        at += digits;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        size_t digits = count_digits(at);
        if (digits == 0)
            return NULL;
        at += digits;
    }
    return at;
}

static bool take_number(struct scan *scan, struct flat_value *value) {
    char *begin = scan->at, *at = begin + (*begin == '-');
    size_t digits = count_digits(at);
    // A zero in front is no JSON, and more digits may not fit: the library decides.
    if (digits == 0 || digits > DIGITS_MAX || (*at == '0' && digits > 1))
        return false;
    for (size_t i = 0; i < digits; i++)
        value->integer = value->integer * 10 + (at[i] - '0');
    value->integer = *begin == '-' ? -value->integer : value->integer;
    value->real = (double)value->integer;
    value->kind = FLAT_INTEGER;
    char *end = skip_rest(at + digits);
    if (!end)
        return false;
    scan->at = end;
    if (end == at + digits)
        return true;
    value->kind = FLAT_REAL;
    return ct_double_parse(begin, (size_t)(end - begin), &value->real);
}

static bool take_word(struct scan *scan, const char *word) {
    size_t length = strlen(word);
    if (strncmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool take_value(struct scan *scan, struct flat_value *value) {
    *value = (struct flat_value){FLAT_NULL, 0, NULL, 0, 0};
    skip_spaces(scan);
    switch (*scan->at) {
    case '"':
        value->kind = FLAT_STRING;
        return take_string(scan, &value->text, &value->size);
    case 't':
        value->kind = FLAT_TRUE;
        return take_word(scan, "true");
    case 'f':
        value->kind = FLAT_FALSE;
        return take_word(scan, "false");
    case 'n':
        return take_word(scan, "null");
    default:
        return take_number(scan, value);
    }
}

// Quadratic in the members, of which there are 32 at most.
static bool is_double(const struct flat_object *object, const struct flat_member *member) {
    for (size_t i = 0; i < object->count; i++)
        if (object->members[i].length == member->length &&
            memcmp(object->members[i].name, member->name, member->length) == 0)
            return true;
    return false;
}

static bool take_members(struct scan *scan, struct flat_object *object) {
    if (!take(scan, '{'))
        return false;
    if (take(scan, '}'))
        return true;
    do {
        struct flat_member *member = &object->members[object->count];
        if (object->count == FLAT_MEMBERS_MAX ||
            !take_string(scan, &member->name, &member->length) || !take(scan, ':') ||
            !take_value(scan, &member->value) || is_double(object, member))
            return false;
        object->count++;
    } while (take(scan, ','));
    return take(scan, '}');
}

bool flat_read(struct arena *arena, const char *text, size_t size, struct flat_object *object) {
    size_t mark = arena_mark(arena);
    char *copy = arena_alloc(arena, size + 1);
    struct scan scan = {copy, copy + size};
    memcpy(copy, text, size);
    copy[size] = '\0';
    object->count = 0;
    if (take_members(&scan, object)) {
        skip_spaces(&scan);
        // Not at a NUL in the middle of the text, which would look like the end.
        if (scan.at == scan.end)
            return true;
    }
    arena_reset(arena, mark);
    return false;
}
