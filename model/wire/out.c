#include "model/wire/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CAPACITY_FIRST = 256 };

void wire_make_room(struct wire_out *out, size_t size) {
    size_t needed = out->size + size + 1;
    if (needed <= out->capacity)
        return;
    size_t capacity = out->capacity ? 2 * out->capacity : CAPACITY_FIRST;
    while (capacity < needed)
        capacity *= 2;
    struct arena *arena = out->arena;
    // The last thing in the arena grows where it is.
    if (out->data && out->data + out->capacity == arena->base + arena->used) {
        arena_alloc(arena, capacity - out->capacity);
    } else {
        char *data = arena_alloc(arena, capacity);
        if (out->size > 0)
            memcpy(data, out->data, out->size);
        out->data = data;
    }
    out->capacity = capacity;
}

void wire_add_number(struct wire_out *out, int64_t number) {
    char digits[20]; // of INT64_MIN, with its sign
    size_t at = sizeof digits;
    // Of the positive number: that of the least one does not fit a signed type.
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    wire_add_bytes(out, digits + at, sizeof digits - at);
}

void wire_add_format(struct wire_out *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    wire_make_room(out, (size_t)size);
    va_start(arguments, format);
    vsnprintf(out->data + out->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    out->size += (size_t)size;
}

// What stands behind the backslash; 0: a number in hexadecimal does.
static char escape_letter(char c) {
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

// What JSON must not have as it is, or better has not.
static bool is_special(unsigned char c) {
    return c < ' ' || c == '"' || c == '\\' || c == 0x7f;
}

// How many of [size] bytes stand for themselves. Eight at a time, of which none is special: where
// one is, or may be, they are looked at one by one.
static size_t plain_length(const char *text, size_t size) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\',
                 rest = word ^ ones * 0x7f;
        uint64_t zeros = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                         ((rest - ones) & ~rest) | ((word - ones * ' ') & ~word);
        if (zeros & tops)
            break;
    }
    while (i < size && !is_special((unsigned char)text[i]))
        i++;
    return i;
}

static void add_escaped(struct wire_out *out, char c) {
    static const char hex[] = "0123456789abcdef";
    char letter = escape_letter(c);
    if (letter)
        wire_add_bytes(out, (char[]){'\\', letter}, 2);
    else
        wire_add_bytes(out, (char[]){'\\', 'u', '0', '0', hex[(unsigned char)c >> 4], hex[c & 15]},
                       6);
}

void wire_add_json(struct wire_out *out, const char *text, size_t size) {
    wire_make_room(out, size + 2);
    out->data[out->size++] = '"';
    for (size_t i = 0; i < size; i++) {
        size_t plain = plain_length(text + i, size - i);
        wire_add_bytes(out, text + i, plain);
        i += plain;
        if (i < size)
            add_escaped(out, text[i]);
    }
    wire_add_bytes(out, "\"", 1);
}

static bool is_plain(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void wire_add_percent(struct wire_out *out, const char *text) {
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (is_plain(*at))
            wire_add_bytes(out, at, 1);
        else
            wire_add_bytes(out, (char[]){'%', hex[*at >> 4], hex[*at & 15]}, 3);
    }
    wire_add_bytes(out, "", 0);
}

const char *wire_text(const struct wire_out *out) {
    return out->data ? out->data : "";
}
