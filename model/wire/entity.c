#include "model/wire/entity.h"

#include "core/base/number.h"
#include "model/table/check.h"
#include "model/table/row.h"
#include "model/table/value.h"
#include "model/wire/encoding.h"
#include "model/wire/flat.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char annotation[] = "@odata.type";

// ---- Reading values ----------------------------------------------------------------------------

// A JSON value. Its text is in [arena] already, or is a library's.
struct input {
    struct arena *arena;
    struct flat_value value;
    bool is_kept;
};

static const char *copy_text(const struct input *input) {
    if (input->is_kept)
        return input->value.text;
    char *copy = arena_alloc(input->arena, input->value.size + 1);
    memcpy(copy, input->value.text, input->value.size + 1);
    return copy;
}

static bool is_number(const struct flat_value *value) {
    return value->kind == FLAT_INTEGER || value->kind == FLAT_REAL;
}

// With the type named beside it a value may come as a text, too: "true" as well as true.
static bool read_bool(const struct input *input, const char *name, struct ct_property *property) {
    const char *text = input->value.text;
    bool is_true = text ? strcmp(text, "true") == 0 : input->value.kind == FLAT_TRUE;
    bool is_false = text ? strcmp(text, "false") == 0 : input->value.kind == FLAT_FALSE;
    *property = ct_bool(name, is_true);
    return is_true || is_false;
}

static bool read_string(const struct input *input, const char *name, struct ct_property *property) {
    if (input->value.text)
        *property = ct_string_of(name, copy_text(input), input->value.size);
    return input->value.text;
}

static bool read_integer(const struct input *input, int64_t min, int64_t max, int64_t *number) {
    const char *text = input->value.text;
    if (text)
        // A text with a U+0000 in it would look shorter than it is.
        return strlen(text) == input->value.size && number_parse_signed(text, min, max, number);
    *number = input->value.integer;
    return input->value.kind == FLAT_INTEGER && *number >= min && *number <= max;
}

static bool read_int32(const struct input *input, const char *name, struct ct_property *property) {
    int64_t number;
    bool is_read = read_integer(input, INT32_MIN, INT32_MAX, &number);
    if (is_read)
        *property = ct_int32(name, (int32_t)number);
    return is_read;
}

static bool read_int64(const struct input *input, const char *name, struct ct_property *property) {
    int64_t number;
    bool is_read = read_integer(input, INT64_MIN, INT64_MAX, &number);
    if (is_read)
        *property = ct_int64(name, number);
    return is_read;
}

// A whole number is a double as well, if the type says so.
static bool read_double(const struct input *input, const char *name, struct ct_property *property) {
    const struct flat_value *value = &input->value;
    double number = value->real;
    bool is_read =
        value->text ? ct_double_parse(value->text, value->size, &number) : is_number(value);
    *property = ct_double(name, number);
    return is_read;
}

static bool read_datetime(const struct input *input, const char *name,
                          struct ct_property *property) {
    int64_t ticks;
    bool is_read =
        input->value.text && ct_ticks_parse(input->value.text, input->value.size, &ticks);
    if (is_read)
        *property = ct_datetime(name, ticks);
    return is_read;
}

static bool read_guid(const struct input *input, const char *name, struct ct_property *property) {
    unsigned char *bytes = arena_alloc(input->arena, CT_GUID_BYTES);
    *property = ct_guid(name, bytes);
    return input->value.text && ct_guid_parse(input->value.text, input->value.size, bytes);
}

static bool read_binary(const struct input *input, const char *name, struct ct_property *property) {
    size_t size = 0;
    const struct flat_value *value = &input->value;
    unsigned char *bytes = arena_alloc(input->arena, value->size);
    bool is_read = value->text && wire_base64_read(value->text, value->size, bytes, &size);
    *property = ct_binary(name, bytes, size);
    return is_read;
}

static const struct {
    const char *name;
    bool (*read)(const struct input *input, const char *name, struct ct_property *property);
} readers[CT_TYPES] = {
    [CT_BOOL] = {"Edm.Boolean", read_bool},    [CT_STRING] = {"Edm.String", read_string},
    [CT_INT32] = {"Edm.Int32", read_int32},    [CT_INT64] = {"Edm.Int64", read_int64},
    [CT_DOUBLE] = {"Edm.Double", read_double}, [CT_DATETIME] = {"Edm.DateTime", read_datetime},
    [CT_GUID] = {"Edm.Guid", read_guid},       [CT_BINARY] = {"Edm.Binary", read_binary},
};

// An object that is read: as the library has it, or as it stands here.
struct source {
    const json_t *json; // or NULL
    const struct flat_object *flat;
};

// The text of the member [name]; NULL if there is none, or it has no text: [is_there] tells.
static const char *text_of(const struct source *source, const char *name, size_t length,
                           bool *is_there) {
    *is_there = false;
    if (source->json) {
        const json_t *value = json_object_get(source->json, name);
        *is_there = value;
        return json_string_value(value);
    }
    for (size_t i = 0; i < source->flat->count; i++) {
        const struct flat_member *member = &source->flat->members[i];
        *is_there = member->length == length && memcmp(member->name, name, length) == 0;
        if (*is_there)
            return member->value.text;
    }
    return NULL;
}

// The type that [source] names for the property [name]; false if it is none.
static bool type_named(const struct source *source, const char *name, enum ct_type *type,
                       bool *is_named) {
    // A name that is allowed has at most so many bytes: UTF-8 takes no more than three for a unit.
    char key[4 * CT_NAME_UNITS_MAX + sizeof annotation];
    size_t length = strlen(name);
    *is_named = false;
    if (length + sizeof annotation > sizeof key)
        return true; // no such name is taken
    memcpy(key, name, length);
    memcpy(key + length, annotation, sizeof annotation);
    const char *named = text_of(source, key, length + sizeof annotation - 1, is_named);
    for (int i = 0; named && i < CT_TYPES; i++)
        if (strcmp(named, readers[i].name) == 0) {
            *type = (enum ct_type)i;
            return true;
        }
    // A type that nobody knows is an error; that none is named is not.
    return !*is_named;
}

// The type of a value for which none is named.
// A whole number that does not fit 32 bits is a double, as the service reads it: Int64 comes as
// text.
static enum ct_type type_by_form(const struct flat_value *value) {
    if (value->kind == FLAT_TRUE || value->kind == FLAT_FALSE)
        return CT_BOOL;
    if (value->kind == FLAT_INTEGER && value->integer >= INT32_MIN && value->integer <= INT32_MAX)
        return CT_INT32;
    return is_number(value) ? CT_DOUBLE : CT_STRING;
}

// ---- Reading entities --------------------------------------------------------------------------

// A row that is being read.
struct reading {
    struct arena *arena;
    struct source source;
    struct ct_property *properties; // room for each member, but for no more than a row may have
    size_t count;
    struct ct_key key;
    const char *etag;
    int64_t timestamp;
};

static enum wire_error read_property(struct reading *reading, const char *name,
                                     const struct input *input) {
    enum ct_type type;
    bool is_named;
    if (reading->count == CT_ROW_PROPERTIES_MAX)
        return WIRE_TOO_MANY_PROPERTIES;
    if (!type_named(&reading->source, name, &type, &is_named))
        return WIRE_INVALID_INPUT;
    type = is_named ? type : type_by_form(&input->value);
    // What the library of JSON has goes with its object.
    name = input->is_kept ? name : arena_strdup(reading->arena, name);
    bool is_read = readers[type].read(input, name, &reading->properties[reading->count]);
    reading->count += is_read;
    return is_read ? WIRE_OK : WIRE_INVALID_INPUT;
}

// Metadata, and annotations of properties: "odata.etag", "Name@odata.type".
static bool is_metadata(const char *name) {
    size_t length = strlen(name), end = sizeof annotation - 1;
    return strncmp(name, "odata.", 6) == 0 ||
           (length > end && strcmp(name + length - end, annotation) == 0);
}

static enum wire_error read_key(const struct input *input, const char **key) {
    if (!input->value.text)
        return WIRE_NEED_VALUE;
    *key = copy_text(input);
    return strlen(*key) == input->value.size ? WIRE_OK : WIRE_OUT_OF_RANGE;
}

static enum wire_error read_member(struct reading *reading, const char *name,
                                   const struct flat_value *value) {
    const struct input input = {reading->arena, *value, !reading->source.json};
    if (strcmp(name, "PartitionKey") == 0)
        return read_key(&input, &reading->key.partition);
    if (strcmp(name, "RowKey") == 0)
        return read_key(&input, &reading->key.row);
    if (strcmp(name, "Timestamp") == 0) { // chosen by the table; a client's is ignored
        if (!value->text || !ct_ticks_parse(value->text, value->size, &reading->timestamp))
            reading->timestamp = 0;
        return WIRE_OK;
    }
    if (strcmp(name, "odata.etag") == 0 && value->text)
        reading->etag = copy_text(&input);
    // A null is no property: the service drops it.
    if (is_metadata(name) || value->kind == FLAT_NULL)
        return WIRE_OK;
    return read_property(reading, name, &input);
}

static void begin_reading(struct reading *reading, size_t members) {
    // Members come from the network, and room is made for no more of them than a row may have.
    members = members < CT_ROW_PROPERTIES_MAX ? members : CT_ROW_PROPERTIES_MAX;
    reading->properties = ARENA_ARRAY(reading->arena, struct ct_property, members);
}

static void end_reading(const struct reading *reading, struct ct_row **row) {
    *row = ct_row_new(reading->arena, reading->key, reading->etag, reading->properties,
                      reading->count);
    (*row)->timestamp = reading->timestamp;
}

static struct flat_value value_of(const json_t *json) {
    static const enum flat_kind kinds[] = {
        [JSON_OBJECT] = FLAT_OTHER, [JSON_ARRAY] = FLAT_OTHER,     [JSON_STRING] = FLAT_STRING,
        [JSON_REAL] = FLAT_REAL,    [JSON_INTEGER] = FLAT_INTEGER, [JSON_TRUE] = FLAT_TRUE,
        [JSON_FALSE] = FLAT_FALSE,  [JSON_NULL] = FLAT_NULL,
    };
    return (struct flat_value){kinds[json_typeof(json)], json_string_length(json),
                               json_string_value(json), json_integer_value(json),
                               json_number_value(json)};
}

enum wire_error wire_entity_of(struct arena *arena, const struct json_t *object,
                               struct ct_row **row) {
    struct reading reading = {.arena = arena, .source.json = object};
    const char *name;
    json_t *json;
    if (!json_is_object(object))
        return WIRE_INVALID_INPUT;
    begin_reading(&reading, json_object_size(object));
    json_object_foreach((json_t *)object, name, json) {
        const struct flat_value value = value_of(json);
        enum wire_error error = read_member(&reading, name, &value);
        if (error != WIRE_OK)
            return error;
    }
    end_reading(&reading, row);
    return WIRE_OK;
}

static enum wire_error read_flat(struct arena *arena, const struct flat_object *object,
                                 struct ct_row **row) {
    struct reading reading = {.arena = arena, .source.flat = object};
    begin_reading(&reading, object->count);
    for (size_t i = 0; i < object->count; i++) {
        const struct flat_member *member = &object->members[i];
        enum wire_error error = read_member(&reading, member->name, &member->value);
        if (error != WIRE_OK)
            return error;
    }
    end_reading(&reading, row);
    return WIRE_OK;
}

enum wire_error wire_entity_read(struct arena *arena, const char *text, size_t size,
                                 struct ct_row **row) {
    struct flat_object flat;
    json_error_t ignored;
    // Most entities are flat, and are read without an object of the library's for each of their
    // members.
    if (flat_read(arena, text, size, &flat))
        return read_flat(arena, &flat, row);
    // Of two members of one name two readers may take different ones.
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &ignored);
    if (!object)
        return WIRE_INVALID_INPUT;
    enum wire_error error = wire_entity_of(arena, object, row);
    json_decref(object);
    return error;
}

// ---- Writing -----------------------------------------------------------------------------------

static void add_name(struct wire_out *out, const char *name, bool *is_first) {
    if (!*is_first)
        wire_add(out, ",");
    *is_first = false;
    wire_add_json(out, name, strlen(name));
    wire_add(out, ":");
}

// A name that is known here: [begin] is ",\"name\":".
static inline void add_known(struct wire_out *out, const char *begin, bool *is_first) {
    wire_add_bytes(out, begin + *is_first, strlen(begin) - *is_first);
    *is_first = false;
}

static void add_string(struct wire_out *out, const char *begin, const char *value, bool *is_first) {
    add_known(out, begin, is_first);
    wire_add_json(out, value, strlen(value));
}

static void add_quoted_text(struct wire_out *out, const char *text) {
    wire_add(out, "\"");
    wire_add(out, text);
    wire_add(out, "\"");
}

static void add_binary(struct wire_out *out, const struct ct_property *property) {
    char *text = arena_alloc(out->arena, WIRE_BASE64_SIZE((size_t)property->size));
    wire_base64(property->value.bytes, property->size, text);
    add_quoted_text(out, text);
}

static void add_double(struct wire_out *out, double value) {
    char text[CT_DOUBLE_TEXT];
    ct_double_format(value, text);
    if (isfinite(value))
        wire_add(out, text);
    else
        add_quoted_text(out, text);
}

static void add_value(struct wire_out *out, const struct ct_property *property) {
    char text[CT_GUID_TEXT > CT_TICKS_TEXT ? CT_GUID_TEXT : CT_TICKS_TEXT];
    switch (property->type) {
    case CT_BOOL:
        wire_add(out, property->value.boolean ? "true" : "false");
        return;
    case CT_INT32:
        wire_add_number(out, property->value.int32);
        return;
    // As text, for a number in JSON is a double to many readers and keeps 53 bits.
    case CT_INT64:
        wire_add(out, "\"");
        wire_add_number(out, property->value.int64);
        wire_add(out, "\"");
        return;
    case CT_DOUBLE:
        add_double(out, property->value.real);
        return;
    case CT_DATETIME:
        ct_ticks_format(property->value.ticks, text);
        add_quoted_text(out, text);
        return;
    case CT_GUID:
        ct_guid_format(property->value.bytes, text);
        add_quoted_text(out, text);
        return;
    case CT_BINARY:
        add_binary(out, property);
        return;
    case CT_STRING:
        wire_add_json(out, property->value.string, property->size);
        return;
    }
}

// Whether the form of the value does not tell its type to everybody: for a Double only a fraction
// does.
static bool needs_type(const struct ct_property *property) {
    switch (property->type) {
    case CT_BOOL:
    case CT_INT32:
    case CT_STRING:
        return false;
    case CT_DOUBLE:
        return !isfinite(property->value.real) ||
               property->value.real == floor(property->value.real);
    case CT_INT64:
    case CT_DATETIME:
    case CT_GUID:
    case CT_BINARY:
        break;
    }
    return true;
}

// The type stands before the value, so that a reader knows it when the value comes.
static void add_property(struct wire_out *out, const struct ct_property *property,
                         enum wire_metadata metadata, bool *is_first) {
    if (metadata != WIRE_METADATA_NONE && needs_type(property)) {
        wire_add(out, *is_first ? "" : ",");
        *is_first = false;
        wire_add_json(out, property->name, strlen(property->name));
        out->size--; // the quote: the name goes on
        wire_add(out, annotation);
        wire_add(out, "\":\"");
        wire_add(out, readers[property->type].name);
        wire_add(out, "\"");
    }
    add_name(out, property->name, is_first);
    add_value(out, property);
}

static void add_time(struct wire_out *out, const struct ct_row *row, enum wire_metadata metadata,
                     bool *is_first) {
    char time[CT_TICKS_TEXT];
    ct_ticks_format(row->timestamp, time);
    if (metadata == WIRE_METADATA_FULL)
        add_string(out, ",\"Timestamp@odata.type\":", "Edm.DateTime", is_first);
    add_known(out, ",\"Timestamp\":", is_first);
    add_quoted_text(out, time);
}

static void add_metadata(struct wire_out *out, const struct ct_row *row,
                         const struct wire_form *form, bool *is_first) {
    if (form->metadata == WIRE_METADATA_FULL) {
        struct wire_out id = {.arena = out->arena};
        wire_add(&id, form->table);
        wire_add_key(&id, row->key);
        add_known(out, ",\"odata.type\":", is_first);
        wire_add_format(out, "\"%s.%s\"", form->account, form->table);
        add_known(out, ",\"odata.id\":", is_first);
        wire_add_format(out, "\"%s/%s\"", form->base, wire_text(&id));
        add_string(out, ",\"odata.editLink\":", wire_text(&id), is_first);
    }
    if (form->metadata != WIRE_METADATA_NONE)
        add_string(out, ",\"odata.etag\":", row->etag, is_first);
}

static void add_selected(struct wire_out *out, const struct ct_row *row,
                         const struct wire_form *form, const char *name, bool *is_first) {
    const struct ct_property *property = ct_row_property(row, name);
    if (strcmp(name, "PartitionKey") == 0) {
        add_string(out, ",\"PartitionKey\":", row->key.partition, is_first);
    } else if (strcmp(name, "RowKey") == 0) {
        add_string(out, ",\"RowKey\":", row->key.row, is_first);
    } else if (strcmp(name, "Timestamp") == 0) {
        add_time(out, row, form->metadata, is_first);
    } else if (property) {
        add_property(out, property, form->metadata, is_first);
    } else {
        add_name(out, name, is_first);
        wire_add(out, "null");
    }
}

static void add_all(struct wire_out *out, const struct ct_row *row, enum wire_metadata metadata,
                    bool *is_first) {
    add_string(out, ",\"PartitionKey\":", row->key.partition, is_first);
    add_string(out, ",\"RowKey\":", row->key.row, is_first);
    for (size_t i = 0; i < row->property_count; i++)
        add_property(out, &row->properties[i], metadata, is_first);
}

void wire_entity_add(struct wire_out *out, const struct ct_row *row, const struct wire_form *form) {
    bool is_first = true;
    add_metadata(out, row, form, &is_first);
    for (size_t i = 0; i < form->select_count; i++)
        add_selected(out, row, form, form->select[i], &is_first);
    if (form->select_count == 0) {
        add_all(out, row, form->metadata, &is_first);
        if (row->timestamp != 0)
            add_time(out, row, form->metadata, &is_first);
    }
}

void wire_entity_send(struct wire_out *out, const struct ct_row *row) {
    bool is_first = true;
    wire_add(out, "{");
    add_all(out, row, WIRE_METADATA_MINIMAL, &is_first);
    wire_add(out, "}");
}

// ---- Keys in URLs ------------------------------------------------------------------------------

static void add_quoted(struct wire_out *out, const char *text) {
    char *doubled = arena_alloc(out->arena, 2 * strlen(text) + 1), *end = doubled;
    for (; *text; text++) {
        if (*text == '\'')
            *end++ = '\'';
        *end++ = *text;
    }
    *end = '\0';
    wire_add_percent(out, doubled);
}

void wire_add_key(struct wire_out *out, struct ct_key key) {
    wire_add(out, "(PartitionKey='");
    add_quoted(out, key.partition);
    wire_add(out, "',RowKey='");
    add_quoted(out, key.row);
    wire_add(out, "')");
}
