#include "model/sqlite/record.h"

#include <string.h>

// How types are written; a number never changes its meaning.
enum { TYPE_FALSE = 0, TYPE_TRUE = 1, TYPE_INT32 = 2, TYPE_STRING = 3 };

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
    case CT_STRING:
        return text_size(property->value.string);
    }
    return 0;
}

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

static unsigned char *put_text(unsigned char *out, const char *text) {
    size_t length = strlen(text);
    ASSERT(length <= UINT32_MAX);
    out = put_number(out, (uint32_t)length);
    memcpy(out, text, length);
    return out + length;
}

static unsigned char *put_value(unsigned char *out, const struct ct_property *property) {
    switch (property->type) {
    case CT_BOOL:
        *out++ = property->value.boolean ? TYPE_TRUE : TYPE_FALSE;
        break;
    case CT_INT32:
        *out++ = TYPE_INT32;
        out = put_number(out, (uint32_t)property->value.int32);
        break;
    case CT_STRING:
        *out++ = TYPE_STRING;
        out = put_text(out, property->value.string);
        break;
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

struct input {
    const unsigned char *at, *end;
    bool is_bad;
};

// The next [count] bytes, or NULL: then nothing more can be read.
static const unsigned char *take(struct input *input, size_t count) {
    if (input->is_bad || count > (size_t)(input->end - input->at)) {
        input->is_bad = true;
        return NULL;
    }
    input->at += count;
    return input->at - count;
}

static uint32_t take_number(struct input *input) {
    const unsigned char *bytes = take(input, LENGTH_BYTES);
    uint32_t number = 0;
    for (int i = 0; bytes && i < LENGTH_BYTES; i++)
        number |= (uint32_t)bytes[i] << 8 * i;
    return number;
}

static const char *take_text(struct input *input, struct arena *arena) {
    uint32_t length = take_number(input);
    const unsigned char *bytes = take(input, length);
    if (!bytes)
        return "";
    char *text = arena_alloc(arena, (size_t)length + 1);
    memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

static struct ct_property take_property(struct input *input, struct arena *arena) {
    struct ct_property property = {.name = take_text(input, arena)};
    const unsigned char *type = take(input, 1);
    switch (type ? *type : TYPE_FALSE) {
    case TYPE_FALSE:
    case TYPE_TRUE:
        property.type = CT_BOOL;
        property.value.boolean = type && *type == TYPE_TRUE;
        break;
    case TYPE_INT32:
        property.type = CT_INT32;
        property.value.int32 = (int32_t)take_number(input);
        break;
    case TYPE_STRING:
        property.type = CT_STRING;
        property.value.string = take_text(input, arena);
        break;
    default:
        input->is_bad = true;
    }
    return property;
}

struct ct_row *record_read(struct arena *arena, struct ct_key key, const char *etag,
                           const void *bytes, size_t size) {
    const unsigned char *begin = bytes;
    struct input input = {.at = begin, .end = begin + size};
    uint32_t count = take_number(&input);
    // The least property has a name's length and a type: a count cannot ask for more than there is.
    if (input.is_bad || count > size / (LENGTH_BYTES + 1))
        return NULL;
    struct ct_row *row =
        arena_alloc(arena, sizeof *row + (size_t)count * sizeof row->properties[0]);
    *row = (struct ct_row){.key = key, .etag = etag, .property_count = count};
    for (uint32_t i = 0; i < count; i++)
        row->properties[i] = take_property(&input, arena);
    return input.is_bad || input.at != input.end ? NULL : row;
}
