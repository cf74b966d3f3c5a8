#define _GNU_SOURCE // memmem
#include "model/wire/message.h"

#include <string.h>
#include <strings.h>

enum { BOUNDARY_BYTES_MAX = 70 }; // RFC 2046

const char *wire_copy(struct arena *arena, const char *text, size_t size) {
    char *copy = arena_alloc(arena, size + 1);
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

const char *wire_header(const struct wire_headers *headers, const char *name) {
    for (size_t i = 0; i < headers->count; i++)
        if (strcasecmp(headers->list[i].name, name) == 0)
            return headers->list[i].value;
    return NULL;
}

bool wire_is_media_type(const char *header, const char *type) {
    size_t length = strlen(type);
    return header && strncasecmp(header, type, length) == 0 &&
           (header[length] == '\0' || strchr("; \t", header[length]));
}

// A quoted value ends with its quote; escapes within are not known here, and no boundary needs one.
const char *wire_parameter(struct arena *arena, const char *header, const char *name) {
    size_t length = strlen(name);
    for (const char *at = header; at && (at = strchr(at, ';'));) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, name, length) != 0 || at[length] != '=')
            continue;
        const char *value = at + length + 1;
        bool is_quoted = *value == '"';
        value += is_quoted;
        size_t size = strcspn(value, is_quoted ? "\"" : "; \t");
        return wire_copy(arena, value, size);
    }
    return NULL;
}

// Takes the line that [rest] begins with, without its end. False if there is none.
static bool take_line(struct wire_span *rest, struct wire_span *line) {
    const char *end = rest->size ? memchr(rest->text, '\n', rest->size) : NULL;
    if (!end)
        return false;
    *line = (struct wire_span){rest->text, (size_t)(end - rest->text)};
    rest->size -= line->size + 1;
    rest->text = end + 1;
    if (line->size > 0 && line->text[line->size - 1] == '\r')
        line->size--;
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool read_header(struct arena *arena, struct wire_span line, struct wire_headers *headers) {
    const char *colon = memchr(line.text, ':', line.size);
    // No name, no header; a line that goes on with the next one has no colon as a rule, and is
    // refused.
    if (!colon || colon == line.text || headers->count == WIRE_HEADERS_MAX ||
        memchr(line.text, '\0', line.size))
        return false;
    size_t name = (size_t)(colon - line.text);
    struct wire_span value = {colon + 1, line.size - name - 1};
    for (; value.size > 0 && is_blank(*value.text); value.size--)
        value.text++;
    while (value.size > 0 && is_blank(value.text[value.size - 1]))
        value.size--;
    headers->list[headers->count++] = (struct wire_header){
        .name = wire_copy(arena, line.text, name),
        .value = wire_copy(arena, value.text, value.size),
    };
    return true;
}

bool wire_message_read(struct arena *arena, const char *text, size_t size, bool has_start,
                       struct wire_message *message) {
    struct wire_span rest = {text, size}, line;
    message->start = NULL;
    message->headers.count = 0;
    if (has_start) {
        if (!take_line(&rest, &line) || memchr(line.text, '\0', line.size))
            return false;
        message->start = wire_copy(arena, line.text, line.size);
    }
    while (take_line(&rest, &line) && line.size > 0)
        if (!read_header(arena, line, &message->headers))
            return false;
    message->body = rest.text;
    message->size = rest.size;
    return true;
}

// Finds the next boundary at the begin of a line; what is before it goes to [before], the rest
// behind its line to [rest].
static bool find_boundary(struct wire_span *rest, const char *line, size_t length,
                          struct wire_span *before, bool *is_last) {
    const char *begin = rest->text, *end = begin + rest->size, *from = begin;
    // What looks like a boundary in the middle of a line, or goes on behind it, is text. Linear in
    // the body as a rule.
    for (const char *at; (at = memmem(from, (size_t)(end - from), line, length)); from = at + 1) {
        const char *next = at + length;
        *is_last = end - next >= 2 && memcmp(next, "--", 2) == 0;
        next += *is_last ? 2 : 0;
        while (next < end && is_blank(*next))
            next++;
        bool is_line =
            next == end || *next == '\n' || (*next == '\r' && end - next >= 2 && next[1] == '\n');
        if (!is_line || (at > begin && at[-1] != '\n'))
            continue;
        size_t size = (size_t)(at - begin);
        // The line end before a boundary belongs to the boundary (RFC 2046).
        size -= size > 0;                            // LF
        size -= size > 0 && begin[size - 1] == '\r'; // CR
        *before = (struct wire_span){begin, size};
        next += next < end ? 1 + (*next == '\r') : 0;
        *rest = (struct wire_span){next, (size_t)(end - next)};
        return true;
    }
    return false;
}

bool wire_multipart_read(const char *body, size_t size, const char *boundary,
                         struct wire_span *parts, size_t most, size_t *count) {
    char line[BOUNDARY_BYTES_MAX + 3];
    size_t length = strlen(boundary);
    struct wire_span rest = {body, size}, before;
    bool is_last;
    *count = 0;
    if (length == 0 || length > BOUNDARY_BYTES_MAX || size == 0)
        return false;
    memcpy(line, "--", 2);
    memcpy(line + 2, boundary, length + 1);
    length += 2;
    // What stands before the first one belongs to no part.
    if (!find_boundary(&rest, line, length, &before, &is_last))
        return false;
    while (!is_last) {
        if (!find_boundary(&rest, line, length, &before, &is_last) || *count == most)
            return false;
        parts[(*count)++] = before;
    }
    return true;
}
