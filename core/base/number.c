#include "core/base/number.h"
#include "core/base/assert.h"

#include <math.h>
#include <string.h>

enum { NOT_A_DIGIT = 16 };

static unsigned digit_of(char c, bool takes_capitals) {
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (takes_capitals && c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return NOT_A_DIGIT;
}

// Not strtoull: it skips spaces, takes a sign and reads its notation from a locale, so that what is
// no number would pass for one.
static size_t scan(const char *text, unsigned base, bool takes_capitals, uint64_t max,
                   uint64_t *number) {
    uint64_t value = 0;
    size_t length = 0;
    for (unsigned digit; (digit = digit_of(text[length], takes_capitals)) < base; length++) {
        // Every number that starts with one above [max] is above it too.
        if (digit > max || value > (max - digit) / base)
            return 0;
        value = value * base + digit;
    }
    ASSERT(value <= max);
    if (length > 0)
        *number = value;
    return length;
}

size_t number_scan(const char *text, unsigned base, uint64_t max, uint64_t *number) {
    ASSERT(base == 10 || base == 16);
    return scan(text, base, false, max, number);
}

bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number) {
    uint64_t value;
    size_t length = number_scan(text, 10, max, &value);
    if (length == 0 || text[length] != '\0' || value < min)
        return false;
    *number = value;
    return true;
}

bool number_parse32(const char *text, uint32_t min, uint32_t max, uint32_t *number) {
    uint64_t value;
    if (!number_parse(text, min, max, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

bool number_parse_any(const char *text, uint64_t max, uint64_t *number) {
    // 0x alone is not 0: the digits are missing below, where the length is 0.
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return number_parse(text, 0, max, number);
    uint64_t value;
    size_t length = scan(text + 2, 16, true, max, &value);
    if (length == 0 || text[2 + length] != '\0')
        return false;
    *number = value;
    return true;
}

bool number_parse_signed(const char *text, int64_t min, int64_t max, int64_t *number) {
    bool is_negative = *text == '-';
    uint64_t size;
    if (!number_parse(text + is_negative, 0, (uint64_t)INT64_MAX + is_negative, &size))
        return false;
    // -2^63 has no positive counterpart: subtracted where that cannot overflow.
    // "-0" is 0, from which nothing can be taken away first.
    int64_t value = !is_negative ? (int64_t)size : size > 0 ? -(int64_t)(size - 1) - 1 : 0;
    if (value < min || value > max)
        return false;
    *number = value;
    return true;
}

bool number_parse_bytes(const char *text, uint64_t max, uint64_t *bytes) {
    static const char units[] = "KMG";
    uint64_t count;
    size_t length = number_scan(text, 10, max, &count);
    if (length == 0)
        return false;
    const char *unit = text[length] != '\0' ? strchr(units, text[length]) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    // Shifted to the right, the limit cannot overflow as the count could to the left.
    if (text[length + (unit ? 1 : 0)] != '\0' || count > max >> shift)
        return false;
    ASSERT(shift < 64);
    *bytes = count << shift;
    return true;
}

bool number_parse_seconds(const char *text, double *seconds) {
    // Not strtod, which reads a point or a comma as the locale has it, and "inf" too.
    double value = 0, scale = 1;
    bool has_digits = false, has_point = false;
    for (; *text != '\0'; text++) {
        unsigned digit = digit_of(*text, false);
        if (*text == '.' && !has_point) {
            has_point = true;
        } else if (digit < 10) {
            has_digits = true;
            value = value * 10 + digit;
            scale = has_point ? scale * 10 : scale;
        } else {
            return false;
        }
    }
    // Digits without end make both infinite, and their quotient no number.
    if (!has_digits || value == 0 || !isfinite(value) || !isfinite(scale))
        return false;
    ASSERT(scale >= 1);
    *seconds = value / scale;
    return true;
}
