// Property values: making, comparing, and the text forms of those that have one of their own.
//
// What two tables hold is the same value iff ct_property_equal says so: bit by bit, but that one
// NaN is as good as another. Filters compare differently (filter.h): there -0.0 equals 0.0.
#ifndef MODEL_TABLE_VALUE_H
#define MODEL_TABLE_VALUE_H

#include "core/base/digest.h"
#include "model/table/table.h"

#include <string.h>

// ---- Making ------------------------------------------------------------------------------------

// Texts and bytes are not copied.

static inline struct ct_property ct_bool(const char *name, bool value) {
    return (struct ct_property){.name = name, .type = CT_BOOL, .value.boolean = value};
}

static inline struct ct_property ct_int32(const char *name, int32_t value) {
    return (struct ct_property){.name = name, .type = CT_INT32, .value.int32 = value};
}

static inline struct ct_property ct_int64(const char *name, int64_t value) {
    return (struct ct_property){.name = name, .type = CT_INT64, .value.int64 = value};
}

static inline struct ct_property ct_double(const char *name, double value) {
    return (struct ct_property){.name = name, .type = CT_DOUBLE, .value.real = value};
}

static inline struct ct_property ct_datetime(const char *name, int64_t ticks) {
    return (struct ct_property){.name = name, .type = CT_DATETIME, .value.ticks = ticks};
}

// [size] bytes, behind which there is a NUL.
static inline struct ct_property ct_string_of(const char *name, const char *value, size_t size) {
    ASSERT(size < UINT32_MAX);
    return (struct ct_property){
        .name = name, .type = CT_STRING, .size = (uint32_t)size, .value.string = value};
}

static inline struct ct_property ct_string(const char *name, const char *value) {
    return ct_string_of(name, value, strlen(value));
}

static inline struct ct_property ct_binary(const char *name, const unsigned char *bytes,
                                           size_t size) {
    ASSERT(size < UINT32_MAX);
    return (struct ct_property){
        .name = name, .type = CT_BINARY, .size = (uint32_t)size, .value.bytes = bytes};
}

static inline struct ct_property ct_guid(const char *name, const unsigned char *bytes) {
    return (struct ct_property){
        .name = name, .type = CT_GUID, .size = CT_GUID_BYTES, .value.bytes = bytes};
}

// "Edm.Boolean" and so on.
const char *ct_type_name(enum ct_type type);

// A copy of [property] whose name and value are in [arena].
struct ct_property ct_property_clone(struct arena *arena, const struct ct_property *property);

// ---- Comparing ---------------------------------------------------------------------------------

// Same name, type and value.
bool ct_property_equal(const struct ct_property *a, const struct ct_property *b);

// Of name, type and value: those of equal properties are equal.
struct digest ct_property_fold(struct digest digest, const struct ct_property *property);
void ct_property_add(const struct ct_property *property, struct digest_words *words);

// The order of two values: of one type, or both numbers, whose values are then compared exactly.
enum ct_order { CT_LESS, CT_EQUAL, CT_GREATER, CT_UNORDERED };

// CT_UNORDERED: of types that cannot be compared, or a NaN. Strings by their UTF-16 code units,
// false before true, Guids and Binaries by their bytes.
enum ct_order ct_value_order(const struct ct_property *a, const struct ct_property *b);

// ---- Texts -------------------------------------------------------------------------------------

// Read [length] bytes of [text], all of them; false if they are no such text. Independent of the
// locale. Write with a NUL.

enum { CT_GUID_TEXT = 37, CT_TICKS_TEXT = 29, CT_DOUBLE_TEXT = 32 };

// The first and the last DateTime of the service: the years 1601 to 9999.
#define CT_TICKS_MIN (-116444736000000000)
#define CT_TICKS_MAX 2534023007999999999

// "00112233-4455-6677-8899-aabbccddeeff"; also in capitals when read.
bool ct_guid_parse(const char *text, size_t length, unsigned char bytes[CT_GUID_BYTES]);
void ct_guid_format(const unsigned char bytes[CT_GUID_BYTES], char text[CT_GUID_TEXT]);

// "2013-08-22T01:12:06.2608595Z", the fraction if there is one. When read it may have any number of
// digits, of which the first seven count; the seconds may be left out, and so may the Z, in whose
// place an offset such as +01:00 may stand. From CT_TICKS_MIN to CT_TICKS_MAX.
bool ct_ticks_parse(const char *text, size_t length, int64_t *ticks);
void ct_ticks_format(int64_t ticks, char text[CT_TICKS_TEXT]);

// A decimal number of at most 17 digits that is read as [value] again, with a point or an exponent:
// "1.0", "1.5e-07"; or "NaN", "Infinity", "-Infinity". Read is any decimal number of at most 400
// bytes that is not too large, "INF" and "-INF" too.
bool ct_double_parse(const char *text, size_t length, double *value);
void ct_double_format(double value, char text[CT_DOUBLE_TEXT]);

#endif
