// HTTP messages as text, and multipart/mixed bodies of them: what an entity group transaction is
// made of.
//
// Reading is strict in what it stores and lenient in lines: they end in CR LF or in LF alone. All
// that is read is copied into the arena or points into the body.
#ifndef MODEL_WIRE_MESSAGE_H
#define MODEL_WIRE_MESSAGE_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_HEADERS_MAX = 64 };

struct wire_header {
    const char *name, *value;
};

struct wire_headers {
    struct wire_header list[WIRE_HEADERS_MAX];
    size_t count;
};

struct wire_message {
    const char *start; // the first line; NULL if it has none
    struct wire_headers headers;
    const char *body;
    size_t size;
};

// [size] bytes of a text as one of its own.
const char *wire_copy(struct arena *arena, const char *text, size_t size);

// Names are equal without regard to case. NULL if there is none, the first of several.
const char *wire_header(const struct wire_headers *headers, const char *name);

// Whether [header] names the media type [type], with whatever parameters. [header] may be NULL.
bool wire_is_media_type(const char *header, const char *type);

// The parameter [name] of a header such as a Content-Type, without its quotes; NULL if there is
// none. [header] may be NULL.
const char *wire_parameter(struct arena *arena, const char *header, const char *name);

// Reads a message of [size] bytes: a first line if it [has_start], headers up to an empty line, and
// the rest as its body. False if a header is malformed, there are too many, or one has a NUL.
bool wire_message_read(struct arena *arena, const char *text, size_t size, bool has_start,
                       struct wire_message *message);

struct wire_span {
    const char *text;
    size_t size;
};

// Splits the multipart [body] at its [boundary] into at most [most] parts, each without the line
// end that belongs to the boundary. False if the last boundary is missing or there are more parts.
bool wire_multipart_read(const char *body, size_t size, const char *boundary,
                         struct wire_span *parts, size_t most, size_t *count);

#endif
