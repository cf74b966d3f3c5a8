#include "model/wire/encoding.h"

#include "model/table/value.h"

#include <stdio.h>
#include <string.h>

// ---- Base64 ------------------------------------------------------------------------------------

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void wire_base64(const void *bytes, size_t size, char *text) {
    const unsigned char *in = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= left > 2 ? in[i + 2] : 0;
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *text++ = left > 2 ? digits[group & 63] : '=';
    }
    *text = '\0';
}

// -1 for what is no digit.
static int digit_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool wire_base64_read(const char *text, size_t length, unsigned char *bytes, size_t *size) {
    unsigned char *out = bytes;
    if (length % 4 != 0)
        return false;
    for (size_t i = 0; i < length; i += 4) {
        // Only the last group may have padding: elsewhere '=' is no digit.
        bool is_last = i + 4 == length;
        size_t padding = is_last && text[i + 3] == '=' ? 1 + (text[i + 2] == '=') : 0;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < 4 - padding ? digit_value(text[i + k]) : 0;
            if (value < 0)
                return false;
            group = group << 6 | (uint32_t)value;
        }
        if (group & (padding == 2 ? 0xffff : padding == 1 ? 0xff : 0))
            return false; // bits that no encoder leaves
        for (size_t k = 0; k < 3 - padding; k++)
            *out++ = (unsigned char)(group >> (16 - 8 * k));
    }
    *size = (size_t)(out - bytes);
    return true;
}

// ---- UTF-8 and percents ------------------------------------------------------------------------

// The length of the character that begins at [text], or 0 if there is none.
// 0xC0 and 0xC1 would begin forms that are too long, bytes above 0xF4 codes beyond U+10FFFF;
// [least] catches the other long forms. Surrogates have no form in UTF-8.
static size_t character_size(const unsigned char *text, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text[0] < 0x80)
        return 1;
    size_t size = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4 || size > left)
        return 0;
    uint32_t code = text[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool is_character = code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return is_character ? size : 0;
}

bool wire_is_utf8(const char *text, size_t size) {
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        size_t step = character_size(at, (size_t)(end - at));
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *wire_percent_read(struct arena *arena, const char *text, size_t length, bool plus) {
    char *result = arena_alloc(arena, length + 1), *out = result;
    for (size_t i = 0; i < length; i++) {
        char c = plus && text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
            if (i + 2 == length || high < 0)
                return NULL;
            int low = hex_value(text[i + 2]);
            if (low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        // A NUL would end the text for everybody who reads it as one of C.
        if (c == '\0')
            return NULL;
        *out++ = c;
    }
    *out = '\0';
    return wire_is_utf8(result, (size_t)(out - result)) ? result : NULL;
}

// ---- Dates -------------------------------------------------------------------------------------

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

// In terms of the DateTime "2026-11-22T04:08:15Z".
void wire_date(int64_t ticks, char text[WIRE_DATE_SIZE]) {
    char time[CT_TICKS_TEXT];
    ct_ticks_format(ticks, time);
    int month = (time[5] - '0') * 10 + time[6] - '0';
    // January 1, 1601 was one.
    int64_t days = (ticks - CT_TICKS_MIN) / (86400 * WIRE_TICKS); // from a Monday
    snprintf(text, WIRE_DATE_SIZE, "%s, %.2s %s %.4s %.8s GMT", weekdays[days % 7], time + 8,
             months[month - 1], time, time + 11);
}

bool wire_date_read(const char *text, int64_t *ticks) {
    char time[CT_TICKS_TEXT];
    if (strlen(text) != strlen("Sun, 22 Nov 2026 04:08:15 GMT") || memcmp(text + 3, ", ", 2) != 0 ||
        strcmp(text + 25, " GMT") != 0)
        return false;
    for (int i = 0; i < 12; i++) {
        // The weekday is not looked at: it says nothing that the date does not.
        if (memcmp(text + 8, months[i], 3) != 0)
            continue;
        int size = snprintf(time, sizeof time, "%.4s-%02d-%.2sT%.8sZ", text + 12, i + 1, text + 5,
                            text + 17);
        return ct_ticks_parse(time, (size_t)size, ticks);
    }
    return false;
}
