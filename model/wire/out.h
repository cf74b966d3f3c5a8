// Text that grows in an arena: bodies and headers on their way out.
#ifndef MODEL_WIRE_OUT_H
#define MODEL_WIRE_OUT_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Begins as {.arena = ...}. [data] ends in a NUL that [size] does not count; it is NULL as long as
// nothing was added. Growing is free as long as nobody else takes from the arena meanwhile.
struct wire_out {
    struct arena *arena;
    char *data;
    size_t size, capacity;
};

// Room for [size] more bytes and the NUL.
void wire_make_room(struct wire_out *out, size_t size);

// Inline: an answer is made of a dozen short pieces a row.
static inline void wire_add_bytes(struct wire_out *out, const void *bytes, size_t size) {
    if (out->size + size >= out->capacity)
        wire_make_room(out, size);
    if (size > 0)
        memcpy(out->data + out->size, bytes, size);
    out->size += size;
    out->data[out->size] = '\0';
}

// A NUL-terminated text, as it is.
static inline void wire_add(struct wire_out *out, const char *text) {
    wire_add_bytes(out, text, strlen(text)); // of a constant the compiler knows it
}

// NUL-terminated texts, one behind the other: what is added for each row is not added by a format.
#define WIRE_ADD(out, ...)                                    \
    wire_add_texts((out), (const char *const[]){__VA_ARGS__}, \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
void wire_add_texts(struct wire_out *out, const char *const *texts, size_t count);

// A decimal number.
void wire_add_number(struct wire_out *out, int64_t number);

// As printf does.
void wire_add_format(struct wire_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// A JSON string with its quotes. [text] is UTF-8; U+0000 may be in it.
void wire_add_json(struct wire_out *out, const char *text, size_t size);

// Percent-encoded: all but letters, digits and "-._~".
void wire_add_percent(struct wire_out *out, const char *text);

// The text so far; "" if there is none.
const char *wire_text(const struct wire_out *out);

#endif
