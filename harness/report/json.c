#include "harness/report/json.h"
#include "core/base/grow.h"

#include <stdlib.h>
#include <string.h>

// The library returns NULL where memory fails, in dozens of places: here it ends the process, with
// one line.
static void *allocate(size_t bytes) {
    return grow_to(NULL, bytes, 1, "a report");
}

void json_allocates_or_fails(void) {
    json_set_alloc_funcs(allocate, free);
}

// What is no UTF-8 is taken for Latin-1: each byte stays visible, and the report is written in any
// case.
json_t *value_text(const char *text) {
    json_t *value = text ? json_string(text) : json_null();
    if (value)
        return value;
    size_t length = strlen(text), used = 0;
    char *wide = allocate(2 * length + 1);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c >= 0x80)
            wide[used++] = (char)(0xc0 | *c >> 6);
        wide[used++] = (char)(*c >= 0x80 ? 0x80 | (*c & 0x3f) : *c);
    }
    value = json_stringn(wide, used);
    free(wide);
    return value;
}

json_t *value_number(uint64_t value) {
    return json_integer((json_int_t)value);
}

json_t *value_digits(const char *format, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, format, value);
    return json_string(text);
}

void json_print(FILE *out, json_t *value) {
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    if (!text)
        grow_failed(0, "the report");
    fprintf(out, "%s\n", text);
    free(text);
    json_decref(value);
}
