// Numbers in texts, strictly: digits and nothing else. No space, no sign but where it is said, no
// locale; a number that does not fit is none. Where a function returns false or 0 it has stored
// nothing: the caller says what was expected.
#ifndef CORE_BASE_NUMBER_H
#define CORE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads the digits that [text] begins with, in base 10 or 16 (a to f, not A to F). How many they
// are, or 0 if there is none or the number is above [max].
size_t number_scan(const char *text, unsigned base, uint64_t max, uint64_t *number);

// Whether [text] is a decimal number from [min] to [max].
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number);
bool number_parse32(const char *text, uint32_t min, uint32_t max, uint32_t *number);

// As number_parse, from 0 on; or hexadecimal behind "0x" or "0X", in digits of either case.
bool number_parse_any(const char *text, uint64_t max, uint64_t *number);

// As number_parse, and a '-' may stand before it.
bool number_parse_signed(const char *text, int64_t min, int64_t max, int64_t *number);

// A decimal number, and K, M or G behind it for so many times 2^10, 2^20 or 2^30.
bool number_parse_bytes(const char *text, uint64_t max, uint64_t *bytes);

// A positive decimal number, with a fraction behind a point or without: "1", "0.25", ".5".
bool number_parse_seconds(const char *text, double *seconds);

#endif
