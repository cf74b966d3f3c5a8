#include "model/sqlite/record.h"
#include "model/table/value.h"

#include <string.h>

// How types are written; a number never changes its meaning.
enum {
    TYPE_FALSE = 0,
    TYPE_TRUE = 1,
    TYPE_INT32 = 2,
    TYPE_STRING = 3,
    TYPE_INT64 = 4,
    TYPE_DOUBLE = 5, // the bits of IEEE 754
    TYPE_DATETIME = 6,
    TYPE_GUID = 7,
    TYPE_BINARY = 8,
};

enum { LENGTH_BYTES = 4 };

// ---- Writing -----------------------------------------------------------------------------------

static size_t text_size(const char *text) {
    return LENGTH_BYTES + strlen(text);
}

static size_t value_size(const struct ct_property *property) {
    switch (property->type) {
    case CT_BOOL:
        return 0; // the type tells it
    case CT_INT32:
        return sizeof(uint32_t);
    case CT_INT64:
    case CT_DOUBLE:
    case CT_DATETIME:
        return sizeof(uint64_t);
    case CT_GUID:
        return CT_GUID_BYTES;
    case CT_STRING:
    case CT_BINARY:
        return LENGTH_BYTES + (size_t)property->size;
    }
    return 0;
}

// Counted first and written then, so that the bytes are allocated once, in their size.
static size_t record_size(const struct ct_row *row) {
    size_t size = LENGTH_BYTES;
    for (size_t i = 0; i < row->property_count; i++)
        size += text_size(row->properties[i].name) + 1 + value_size(&row->properties[i]);
    return size;
}

static unsigned char *put_number(unsigned char *out, uint32_t number) {
    for (int i = 0; i < LENGTH_BYTES; i++)
        *out++ = (unsigned char)(number >> 8 * i);
    return out;
}

static unsigned char *put_long(unsigned char *out, uint64_t number) {
    return put_number(put_number(out, (uint32_t)number), (uint32_t)(number >> 32));
}

static unsigned char *put_bytes(unsigned char *out, const void *bytes, size_t size) {
    if (size > 0)
        memcpy(out, bytes, size);
    return out + size;
}

static unsigned char *put_text(unsigned char *out, const char *text) {
    size_t length = strlen(text);
    ASSERT(length <= UINT32_MAX);
    return put_bytes(put_number(out, (uint32_t)length), text, length);
}

static unsigned char type_of(const struct ct_property *property) {
    switch (property->type) {
    case CT_BOOL:
        return property->value.boolean ? TYPE_TRUE : TYPE_FALSE;
    case CT_STRING:
        return TYPE_STRING;
    case CT_INT32:
        return TYPE_INT32;
    case CT_INT64:
        return TYPE_INT64;
    case CT_DOUBLE:
        return TYPE_DOUBLE;
    case CT_DATETIME:
        return TYPE_DATETIME;
    case CT_GUID:
        return TYPE_GUID;
    case CT_BINARY:
        return TYPE_BINARY;
    }
    return TYPE_FALSE;
}

static unsigned char *put_value(unsigned char *out, const struct ct_property *property) {
    uint64_t bits;
    *out++ = type_of(property);
    switch (property->type) {
    case CT_BOOL:
        break;
    case CT_INT32:
        return put_number(out, (uint32_t)property->value.int32);
    case CT_INT64:
        return put_long(out, (uint64_t)property->value.int64);
    case CT_DATETIME:
        return put_long(out, (uint64_t)property->value.ticks);
    case CT_DOUBLE:
        memcpy(&bits, &property->value.real, sizeof bits);
        return put_long(out, bits);
    case CT_GUID:
        return put_bytes(out, property->value.bytes, CT_GUID_BYTES);
    case CT_STRING:
        return put_bytes(put_number(out, property->size), property->value.string, property->size);
    case CT_BINARY:
        return put_bytes(put_number(out, property->size), property->value.bytes, property->size);
    }
    return out;
}

const void *record_write(struct arena *arena, const struct ct_row *row, size_t *size) {
    *size = record_size(row);
    unsigned char *bytes = arena_alloc(arena, *size);
    unsigned char *out = put_number(bytes, (uint32_t)row->property_count);
    for (size_t i = 0; i < row->property_count; i++) {
        out = put_text(out, row->properties[i].name);
        out = put_value(out, &row->properties[i]);
    }
    ASSERT((size_t)(out - bytes) == *size);
    return bytes;
}

// ---- Reading -----------------------------------------------------------------------------------

// A copy of the bytes, in which names and strings stay where they are. Each gets its NUL in the
// place of the byte behind it when that has been read: a type, or the begin of the next length.
struct input {
    unsigned char *at, *end;
    unsigned char *pending; // where the last string's NUL goes; or NULL
    bool is_bad;
};

// The next [count] bytes, or NULL: then nothing more can be read.
static unsigned char *take(struct input *input, size_t count) {
    if (input->is_bad || count > (size_t)(input->end - input->at)) {
        // Said once and for all: whoever reads on gets nothing, and the caller looks at the end.
        input->is_bad = true;
        return NULL;
    }
    input->at += count;
    return input->at - count;
}

static uint32_t take_number(struct input *input) {
    const unsigned char *bytes = take(input, LENGTH_BYTES);
    return bytes ? (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                       (uint32_t)bytes[3] << 24
                 : 0;
}

static uint64_t take_long(struct input *input) {
    uint64_t low = take_number(input);
    return low | (uint64_t)take_number(input) << 32;
}

// Bytes behind their number; "" if there are not so many.
static unsigned char *take_counted(struct input *input, uint32_t *size) {
    *size = take_number(input);
    unsigned char *bytes = take(input, *size);
    if (!bytes)
        *size = 0;
    return bytes;
}

static struct ct_property take_string(struct input *input, const char *name) {
    uint32_t size;
    unsigned char *bytes = take_counted(input, &size);
    if (bytes)
        input->pending = bytes + size;
    return ct_string_of(name, (const char *)bytes, size);
}

static struct ct_property take_value(struct input *input, unsigned type, const char *name) {
    uint32_t size;
    const unsigned char *bytes;
    uint64_t bits;
    double real;
    switch (type) {
    case TYPE_FALSE:
    case TYPE_TRUE:
        return ct_bool(name, type == TYPE_TRUE);
    case TYPE_INT32:
        return ct_int32(name, (int32_t)take_number(input));
    case TYPE_INT64:
        return ct_int64(name, (int64_t)take_long(input));
    case TYPE_DATETIME:
        bits = take_long(input);
        // Bytes that no version of this program has written are damage, not a value.
        if ((int64_t)bits < CT_TICKS_MIN || (int64_t)bits > CT_TICKS_MAX)
            input->is_bad = true;
        return ct_datetime(name, (int64_t)bits);
    case TYPE_DOUBLE:
        bits = take_long(input);
        memcpy(&real, &bits, sizeof real);
        return ct_double(name, real);
    case TYPE_GUID:
        return ct_guid(name, take(input, CT_GUID_BYTES));
    case TYPE_STRING:
        return take_string(input, name);
    case TYPE_BINARY:
        bytes = take_counted(input, &size);
        return ct_binary(name, bytes, size);
    }
    input->is_bad = true;
    return ct_bool(name, false);
}

static struct ct_property take_property(struct input *input) {
    uint32_t length;
    unsigned char *name = take_counted(input, &length);
    // Now the byte behind it has been read.
    if (input->pending)
        *input->pending = '\0';
    input->pending = NULL;
    unsigned char *type = take(input, 1);
    if (!type)
        return ct_bool("", false);
    unsigned value = *type;
    *type = '\0'; // the end of the name
    return take_value(input, value, (const char *)name);
}

struct ct_row *record_read(struct arena *arena, struct ct_key key, const char *etag,
                           const void *bytes, size_t size) {
    unsigned char *copy = arena_alloc(arena, size + 1);
    struct input input = {.at = copy, .end = copy + size};
    if (size > 0)
        memcpy(copy, bytes, size);
    *input.end = '\0'; // of a string at the end
    uint32_t count = take_number(&input);
    // The least property has a name's length and a type: a count cannot ask for more than there is.
    if (input.is_bad || count > size / (LENGTH_BYTES + 1))
        return NULL;
    struct ct_row *row =
        arena_alloc(arena, sizeof *row + (size_t)count * sizeof row->properties[0]);
    *row = (struct ct_row){.key = key, .etag = etag, .property_count = count};
    for (uint32_t i = 0; i < count; i++)
        row->properties[i] = take_property(&input);
    return input.is_bad || input.at != input.end ? NULL : row;
}
