#include "model/table/check.h"

#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

const struct ct_rules ct_service_rules = {
    .operations = CT_BATCH_OPERATIONS_MAX,
    .batch_bytes = CT_BATCH_BYTES_MAX,
    .properties = CT_ROW_PROPERTIES_MAX,
    .row_bytes = CT_ROW_BYTES_MAX,
    .names_are_identifiers = true,
};

// What the service adds to the texts and values of a row, of a property, of a text value.
enum { ROW_OVERHEAD = 4, PROPERTY_OVERHEAD = 8, LENGTH_BYTES = 4, UNIT_BYTES = 2 };

// The UTF-16 code units of [size] bytes of UTF-8: one per character (which are the bytes that
// continue none), two where there are four bytes.
// The service counts in UTF-16, where only characters of four bytes take two units.
static size_t units_of(const char *text, size_t size) {
    size_t units = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        units += (size_t)((byte & 0xC0) != 0x80) + (size_t)(byte >= 0xF0);
    }
    return units;
}

// [units]: of a text.
static size_t value_bytes(const struct ct_property *property, size_t units) {
    static const uint8_t fixed[] = {
        [CT_BOOL] = 1,
        [CT_INT32] = sizeof(int32_t),
        [CT_INT64] = sizeof(int64_t),
        [CT_DOUBLE] = sizeof(double),
        [CT_DATETIME] = sizeof(int64_t),
        [CT_GUID] = CT_GUID_BYTES,
        [CT_BINARY] = LENGTH_BYTES,
        [CT_STRING] = LENGTH_BYTES,
    };
    size_t bytes = fixed[property->type];
    if (property->type == CT_STRING)
        bytes += UNIT_BYTES * units;
    return property->type == CT_BINARY ? bytes + property->size : bytes;
}

// The service's own formula, as it is published for the size of an entity.
size_t ct_row_bytes(const struct ct_row *row) {
    size_t bytes = ROW_OVERHEAD;
    bytes += UNIT_BYTES * units_of(row->key.partition, strlen(row->key.partition));
    bytes += UNIT_BYTES * units_of(row->key.row, strlen(row->key.row));
    for (size_t i = 0; i < row->property_count; i++) {
        const struct ct_property *property = &row->properties[i];
        size_t units =
            property->type == CT_STRING ? units_of(property->value.string, property->size) : 0;
        bytes += PROPERTY_OVERHEAD + UNIT_BYTES * units_of(property->name, strlen(property->name));
        bytes += value_bytes(property, units);
    }
    return bytes;
}

// What bytes of keys and names can be. A table, because a campaign and a migration look at each
// byte of each row: what a key must be looked at for, what is a letter, what is of an identifier
// (letters, of which every byte from 0x80 on is a part, digits and '_').
// 0xC2 is both: it begins the control characters U+0080 to U+009F, and letters.
enum { L = 1, LETTER = 2, I = 4, A = LETTER | I, B = L | I };

static const uint8_t kinds[256] = {
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, //
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, //
    0, 0, 0, L, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, L, //
    I, I, I, I, I, I, I, I, I, I, 0, 0, 0, 0, 0, L, //
    0, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, //
    A, A, A, A, A, A, A, A, A, A, A, 0, L, 0, 0, I, //
    0, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, //
    A, A, A, A, A, A, A, A, A, A, A, 0, 0, 0, 0, L, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, B, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
    I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, //
};

// U+0000 to U+001F and U+007F to U+009F, the last of which are 0xC2 0x80 to 0xC2 0x9F, and four
// characters that addresses could not hold.
static bool is_forbidden(const unsigned char *at) {
    return *at != 0xC2 || (at[1] >= 0x80 && at[1] < 0xA0);
}

// Adds to [bytes_max], as the next two do, the most that what they look at can take: a text has no
// more units than bytes, and most rows are far from any limit, so that units are rarely counted.
static enum ct_error check_key(const char *key, size_t *bytes_max) {
    const unsigned char *at = (const unsigned char *)key;
    for (;; at++) {
        while (!(kinds[*at] & L))
            at++;
        if (*at == '\0')
            break;
        if (is_forbidden(at))
            return CT_ERROR_OUT_OF_RANGE;
    }
    // No more units than bytes: a key that is short in bytes need not be counted.
    size_t size = (size_t)(at - (const unsigned char *)key);
    *bytes_max += UNIT_BYTES * size;
    if (size <= CT_KEY_UNITS_MAX)
        return CT_ERROR_NONE;
    return units_of(key, size) > CT_KEY_UNITS_MAX ? CT_ERROR_KEY_TOO_LARGE : CT_ERROR_NONE;
}

static bool is_digit(unsigned char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(unsigned char byte) {
    return kinds[byte] & LETTER;
}

static bool is_of_identifier(unsigned char byte) {
    return kinds[byte] & I;
}

// What properties may not be called.
static bool is_system(const char *name) {
    bool may_be = *name == 'P' || *name == 'R' || *name == 'T';
    return may_be && (strcmp(name, CT_PARTITION_KEY) == 0 || strcmp(name, CT_ROW_KEY) == 0 ||
                      strcmp(name, CT_TIMESTAMP) == 0);
}

static enum ct_error check_name(const struct ct_rules *rules, const char *name, size_t *bytes_max) {
    size_t size = 0;
    while (is_letter((unsigned char)name[size]))
        size++;
    if (name[size] == '\0' && size > 0 && size <= CT_NAME_UNITS_MAX) { // as most names are
        *bytes_max += UNIT_BYTES * size;
        return is_system(name) ? CT_ERROR_NAME_INVALID : CT_ERROR_NONE;
    }
    while (is_of_identifier((unsigned char)name[size]))
        size++;
    bool is_identifier = name[size] == '\0' && !is_digit((unsigned char)*name);
    while (name[size])
        size++;
    *bytes_max += UNIT_BYTES * size;
    if (size > CT_NAME_UNITS_MAX && units_of(name, size) > CT_NAME_UNITS_MAX)
        return CT_ERROR_NAME_TOO_LONG;
    bool is_bad = size == 0 || (rules->names_are_identifiers && !is_identifier) || is_system(name);
    return is_bad ? CT_ERROR_NAME_INVALID : CT_ERROR_NONE;
}

static enum ct_error check_value(const struct ct_property *property, size_t *bytes_max) {
    bool is_large = false;
    *bytes_max += value_bytes(property, property->size);
    switch (property->type) {
    case CT_STRING:
        is_large = property->size > CT_STRING_UNITS_MAX &&
                   units_of(property->value.string, property->size) > CT_STRING_UNITS_MAX;
        break;
    case CT_BINARY:
        is_large = property->size > CT_BINARY_BYTES_MAX;
        break;
    case CT_DATETIME:
        return property->value.ticks < CT_TICKS_MIN || property->value.ticks > CT_TICKS_MAX
                   ? CT_ERROR_OUT_OF_RANGE
                   : CT_ERROR_NONE;
    case CT_BOOL:
    case CT_INT32:
    case CT_INT64:
    case CT_DOUBLE:
    case CT_GUID:
        break;
    }
    return is_large ? CT_ERROR_VALUE_TOO_LARGE : CT_ERROR_NONE;
}

static enum ct_error check_properties(const struct ct_rules *rules, const struct ct_row *row,
                                      size_t *bytes_max) {
    if (row->property_count > rules->properties)
        return CT_ERROR_TOO_MANY_PROPERTIES;
    for (size_t i = 0; i < row->property_count; i++) {
        *bytes_max += PROPERTY_OVERHEAD;
        enum ct_error error = check_name(rules, row->properties[i].name, bytes_max);
        if (error == CT_ERROR_NONE)
            error = check_value(&row->properties[i], bytes_max);
        if (error != CT_ERROR_NONE)
            return error;
    }
    return CT_ERROR_NONE;
}

// [bytes_max]: the most that the row can take, if it may be.
static enum ct_error check_row(const struct ct_rules *rules, const struct ct_row *row,
                               size_t *bytes_max) {
    *bytes_max = ROW_OVERHEAD;
    // Keys, then properties, then the whole: the first that is wrong is told.
    enum ct_error error = check_key(row->key.partition, bytes_max);
    if (error == CT_ERROR_NONE)
        error = check_key(row->key.row, bytes_max);
    if (error == CT_ERROR_NONE)
        error = check_properties(rules, row, bytes_max);
    if (error != CT_ERROR_NONE || *bytes_max <= rules->row_bytes)
        return error;
    return ct_row_bytes(row) > rules->row_bytes ? CT_ERROR_ROW_TOO_LARGE : CT_ERROR_NONE;
}

enum ct_error ct_check_row(const struct ct_rules *rules, const struct ct_row *row) {
    size_t bytes_max;
    return check_row(rules, row, &bytes_max);
}

// The row keys of the operations so far, by their hashes: with a key per pair of operations the
// largest batch would have 4,950 comparisons.
struct seen_keys {
    uint8_t slots[256]; // index + 1 of an operation; 0: none
};

_Static_assert(CT_BATCH_OPERATIONS_MAX <= 128, "at least half of the slots stay empty");

// Whether an operation before the [index]-th (below CT_BATCH_OPERATIONS_MAX) has its key.
static bool was_seen(struct seen_keys *seen, const struct ct_batch *batch, size_t index) {
    const char *key = batch->operations[index].entity->key.row;
    // Good enough for a hundred keys; half of the slots stay empty, so probes are short.
    uint32_t hash = 2166136261; // FNV-1a
    for (const char *at = key; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619;
    uint8_t slot = (uint8_t)(hash ^ hash >> 16);
    for (; seen->slots[slot]; slot++)
        if (strcmp(batch->operations[seen->slots[slot] - 1].entity->key.row, key) == 0)
            return true;
    seen->slots[slot] = (uint8_t)(index + 1);
    return false;
}

// Of the first [count] rows.
static size_t exact_bytes(const struct ct_batch *batch, size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += ct_row_bytes(batch->operations[i].entity);
    return bytes;
}

enum ct_error ct_check_batch(const struct ct_rules *rules, const struct ct_batch *batch,
                             size_t *op_index) {
    // What the rows so far take: at most, and exactly once that is more than a batch may have.
    size_t sum = 0;
    bool is_exact = false;
    struct seen_keys seen;
    bool are_compared = batch->count > 1 && rules->operations <= CT_BATCH_OPERATIONS_MAX;
    if (are_compared)
        memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i < batch->count; i++) {
        size_t bytes_max;
        *op_index = i;
        // Behind the operations that fit: an earlier one that is wrong is told first.
        if (i >= rules->operations)
            return CT_ERROR_TOO_MANY_OPERATIONS;
        if (are_compared && was_seen(&seen, batch, i))
            return CT_ERROR_DUPLICATE_ROW;
        enum ct_error error = check_row(rules, batch->operations[i].entity, &bytes_max);
        if (error != CT_ERROR_NONE)
            return error;
        // The bounds are summed first, which costs nothing. Only when they are too much, all rows
        // so far are counted, and from there on each.
        sum += is_exact ? ct_row_bytes(batch->operations[i].entity) : bytes_max;
        if (sum > rules->batch_bytes && !is_exact) {
            sum = exact_bytes(batch, i + 1);
            is_exact = true;
        }
        if (sum > rules->batch_bytes)
            return CT_ERROR_BATCH_TOO_LARGE;
    }
    return CT_ERROR_NONE;
}

enum ct_error ct_limits_check(struct ct_table_limits limits, const struct ct_batch *batch,
                              size_t *op_index) {
    for (size_t i = 0; limits.no_delete_if_exists && batch->count > 1 && i < batch->count; i++)
        if (ct_is_delete_if_exists(&batch->operations[i])) {
            *op_index = i;
            return CT_ERROR_CANNOT_ASSERT_ABSENCE;
        }
    return CT_ERROR_NONE;
}
