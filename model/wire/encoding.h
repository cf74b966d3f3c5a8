// How the protocol writes bytes and times as text, and reads them back.
#ifndef MODEL_WIRE_ENCODING_H
#define MODEL_WIRE_ENCODING_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Room for the base64 of [size] bytes and its NUL.
#define WIRE_BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

// Writes the base64 of [bytes], with padding and a NUL.
void wire_base64(const void *bytes, size_t size, char *text);

// Reads base64 strictly: padded, no other characters. [bytes] has room for 3 / 4 of [length].
bool wire_base64_read(const char *text, size_t length, unsigned char *bytes, size_t *size);

// The [length] characters of [text] without their percent encoding, in [arena]; with [plus] a '+'
// is a space. NULL if an encoding is malformed, or the result is not UTF-8 or has a NUL in it.
char *wire_percent_read(struct arena *arena, const char *text, size_t length, bool plus);

// Whether the bytes are UTF-8: shortest forms, no surrogates, up to U+10FFFF.
bool wire_is_utf8(const char *text, size_t size);

// "Sun, 22 Nov 2026 04:08:15 GMT", of ticks as a DateTime has them (model/table/value.h).
enum { WIRE_DATE_SIZE = 32 };
#define WIRE_TICKS INT64_C(10000000) // a second

void wire_date(int64_t ticks, char text[WIRE_DATE_SIZE]);
bool wire_date_read(const char *text, int64_t *ticks);

#endif
