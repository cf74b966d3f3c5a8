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
    // Doubled, so that all copies together are no more than the text.
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

void wire_add_texts(struct wire_out *out, const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++)
        wire_add(out, texts[i]);
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

// What JSON must not have as it is, or better has not: all before the space, '"', '\', DEL.
static const bool is_special[256] = {
    [0] = true,  [1] = true,  [2] = true,  [3] = true,  [4] = true,   [5] = true,    [6] = true,
    [7] = true,  [8] = true,  [9] = true,  [10] = true, [11] = true,  [12] = true,   [13] = true,
    [14] = true, [15] = true, [16] = true, [17] = true, [18] = true,  [19] = true,   [20] = true,
    [21] = true, [22] = true, [23] = true, [24] = true, [25] = true,  [26] = true,   [27] = true,
    [28] = true, [29] = true, [30] = true, [31] = true, ['"'] = true, ['\\'] = true, [0x7f] = true,
};

// Whether one of eight bytes is special; of those behind it that is not told.
// A byte that is 0 is found by the borrow of subtracting 1 from it; a byte below the space by that
// of subtracting 32. A borrow goes on to the bytes above: so it may be too careful, never too bold,
// and whoever is told looks byte by byte.
static bool has_special(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\', rest = word ^ ones * 0x7f;
    uint64_t zeros = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                     ((rest - ones) & ~rest) | ((word - ones * ' ') & ~word);
    return zeros & tops;
}

// Copies bytes that stand for themselves, up to the first that does not; how many. [out] has room
// for [size].
static size_t copy_plain(char *out, const char *text, size_t size) {
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        if (has_special(word))
            break;
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < size && !is_special[(unsigned char)text[i]]; i++)
        out[i] = text[i];
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
    // Room for all of it at once, as if nothing were special, and the two quotes.
    wire_make_room(out, size + 2);
    out->data[out->size++] = '"';
    for (;;) {
        size_t plain = copy_plain(out->data + out->size, text, size);
        out->size += plain;
        text += plain;
        size -= plain;
        if (size == 0)
            break;
        add_escaped(out, *text++);
        wire_make_room(out, --size + 1);
    }
    out->data[out->size++] = '"';
    out->data[out->size] = '\0';
}

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void wire_add_percent(struct wire_out *out, const char *text) {
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        const unsigned char *end = at;
        while (is_unreserved(*end))
            end++;
        wire_add_bytes(out, at, (size_t)(end - at));
        // Bytes of UTF-8 one by one, as addresses have them.
        for (at = end; *at && !is_unreserved(*at); at++)
            wire_add_bytes(out, (char[]){'%', hex[*at >> 4], hex[*at & 15]}, 3);
    }
    wire_add_bytes(out, "", 0);
}

const char *wire_text(const struct wire_out *out) {
    return out->data ? out->data : "";
}
