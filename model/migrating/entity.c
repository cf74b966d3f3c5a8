#include "model/migrating/entity.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

static bool is_named(const struct ct_property *property, const char *name) {
    return *property->name == *name && // mostly false, and quicker than the call
           ct_string_equal(property->name, name);
}

bool mt_is_internal(struct ct_key key) {
    return ct_string_equal(key.row, MT_META_ROW) || ct_string_equal(key.row, MT_ASSERTION_ROW);
}

bool mt_is_reserved(struct ct_key key) {
    return key.row[0] == MT_RESERVED_PREFIX[0] && // mostly false, and quicker than the call
           strncmp(key.row, MT_RESERVED_PREFIX, sizeof MT_RESERVED_PREFIX - 1) == 0;
}

bool mt_has_metadata(const struct ct_row *row) {
    return ct_row_property(row, MT_DELETED_PROPERTY) ||
           ct_row_property(row, MT_PARTITION_STATE_PROPERTY);
}

// The tombstone mark of the raw [row], or NULL.
// One of another type is none of the protocol's: a row of the old table may have it, which is then
// refused as one that cannot be moved.
static const struct ct_property *deleted_mark(const struct ct_row *row) {
    const struct ct_property *mark = ct_row_property(row, MT_DELETED_PROPERTY);
    return mark && mark->type == CT_BOOL ? mark : NULL;
}

bool mt_is_tombstone(const struct ct_row *row) {
    const struct ct_property *mark = deleted_mark(row);
    return mark && mark->value.boolean;
}

enum mt_partition_state mt_partition_state_of(const struct ct_row *meta_row) {
    const struct ct_property *state =
        meta_row ? ct_row_property(meta_row, MT_PARTITION_STATE_PROPERTY) : NULL;
    if (!state || state->type != CT_INT32)
        return MT_PARTITION_NONE;
    return state->value.int32 == MT_PARTITION_SWITCHED ? MT_PARTITION_SWITCHED
                                                       : MT_PARTITION_POPULATED;
}

static struct ct_property mark_of(bool deleted) {
    return ct_bool(MT_DELETED_PROPERTY, deleted);
}

// A row with room for [capacity] properties and none yet.
static struct ct_row *row_with_room(struct arena *arena, struct ct_key key, const char *etag,
                                    size_t capacity) {
    struct ct_row *row = (struct ct_row *)arena_alloc(
        arena, sizeof(struct ct_row) + capacity * sizeof(struct ct_property));
    row->key = key;
    row->etag = etag;
    row->timestamp = 0;
    row->digest = (struct digest){0, 0};
    row->property_count = 0;
    return row;
}

static void append(struct ct_row *row, struct ct_property property) {
    row->properties[row->property_count++] = property;
}

// Properties are in the order of their names, so the mark goes to its place among them; one that
// the row had already is replaced.
struct ct_row *mt_write_row(struct arena *arena, const struct ct_row *row, const char *etag) {
    struct ct_row *written = row_with_room(arena, row->key, etag, row->property_count + 1);
    written->timestamp = row->timestamp;
    size_t i = 0;
    while (i < row->property_count &&
           ct_string_order(row->properties[i].name, MT_DELETED_PROPERTY) < 0)
        append(written, row->properties[i++]);
    append(written, mark_of(mt_is_tombstone(row)));
    if (i < row->property_count && is_named(&row->properties[i], MT_DELETED_PROPERTY))
        i++;
    while (i < row->property_count)
        append(written, row->properties[i++]);
    return written;
}

struct ct_row *mt_plain_row(struct arena *arena, const struct ct_row *row, const char *etag) {
    struct ct_row *plain = row_with_room(arena, row->key, etag, row->property_count);
    plain->timestamp = row->timestamp;
    for (size_t i = 0; i < row->property_count; i++) {
        const struct ct_property *property = &row->properties[i];
        if (!is_named(property, MT_DELETED_PROPERTY) &&
            !is_named(property, MT_PARTITION_STATE_PROPERTY))
            append(plain, *property);
    }
    return plain;
}

struct ct_row *mt_tombstone(struct arena *arena, const char *etag) {
    struct ct_row *row = row_with_room(arena, (struct ct_key){NULL, NULL}, etag, 1);
    append(row, mark_of(true));
    return row;
}

struct ct_row *mt_bare_row(struct arena *arena, struct ct_key key, const char *etag) {
    return row_with_room(arena, key, etag, 0);
}

struct ct_key mt_meta_key(const char *partition) {
    return (struct ct_key){.partition = partition, .row = MT_META_ROW};
}

struct ct_key mt_assertion_key(const char *partition) {
    return (struct ct_key){.partition = partition, .row = MT_ASSERTION_ROW};
}

struct ct_row *mt_meta_row(struct arena *arena, const char *partition,
                           enum mt_partition_state state, const char *etag) {
    struct ct_row *row = row_with_room(arena, mt_meta_key(partition), etag, 2);
    append(row, mark_of(false));
    append(row, ct_int32(MT_PARTITION_STATE_PROPERTY, (int32_t)state));
    return row;
}

struct ct_row *mt_assertion_row(struct arena *arena, const char *partition) {
    struct ct_row *row = row_with_room(arena, mt_assertion_key(partition), NULL, 1);
    append(row, mark_of(false));
    return row;
}

// Most rows of the old table have no metadata and are handed on as they are.
const struct ct_row *mt_export_row(struct arena *arena, const struct ct_row *row) {
    if (!ct_row_property(row, MT_DELETED_PROPERTY) &&
        !ct_row_property(row, MT_PARTITION_STATE_PROPERTY))
        return row;
    return mt_plain_row(arena, row, row->etag);
}

const struct ct_row *mt_visible_row(struct arena *arena, struct bug_set *bugs,
                                    const struct ct_filter *filter, const struct ct_row *row) {
    if (mt_is_internal(row->key) || mt_is_tombstone(row))
        return NULL;
    const struct ct_row *visible = mt_export_row(arena, row), *compared = visible;
    // A filter that names metadata finds no such property.
    if (bug_on(bugs, BUG_FILTER_SEES_METADATA))
        compared = mt_write_row(arena, row, row->etag);
    return ct_filter_matches(filter, compared) ? visible : NULL;
}
