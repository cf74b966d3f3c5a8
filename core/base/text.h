// Bounded text: builds messages in a caller's buffer, never overflows, marks what it cut.
//
// Stability: text_add stays within 0.2.
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;      // always NUL-terminated
    size_t length;   // bytes before the NUL
    size_t capacity; // bytes of [data], the NUL included; >= 4
};

// Starts an empty text in [buffer]; the buffer stays the caller's.
struct text text_in(char *buffer, size_t capacity);

// Appends as printf does. What does not fit is cut and the text then ends in "...".
SCT_API void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Operating errors (files, options, malformed input): one line, wrapped with context on the way up.
struct error {
    char text[512];
};

// Sets the message and returns false, so that callers write: return error_set(error, ...).
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
