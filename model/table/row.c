#include "model/table/row.h"

#include <string.h>

static inline bool equal_strings(const char *a, const char *b) {
    if (a == b)
        return true;
    if (!a || !b)
        return false;
    for (; *a == *b; a++, b++)
        if (*a == '\0')
            return true;
    return false;
}

bool ct_string_equal(const char *a, const char *b) {
    return equal_strings(a, b);
}

// Row keys first: within a batch and mostly within a table the partition is the same.
bool ct_key_equal(struct ct_key a, struct ct_key b) {
    return equal_strings(a.row, b.row) && equal_strings(a.partition, b.partition);
}

struct ct_key ct_key_first(void) {
    return (struct ct_key){.partition = "", .row = ""};
}

struct ct_key ct_key_next(struct ct_key key, struct arena *arena) {
    size_t length = strlen(key.row);
    char *row = arena_alloc(arena, length + 2);
    memcpy(row, key.row, length);
    // No legal key lies between: it would go on with a character below the space.
    row[length] = ' ';
    row[length + 1] = '\0';
    return (struct ct_key){.partition = key.partition, .row = row};
}

// They are sorted; a large row is halved until few are left, which are quicker gone through.
const struct ct_property *ct_row_property(const struct ct_row *row, const char *name) {
    enum { FEW = 8 };
    size_t low = 0;
    size_t high = row->property_count;
    while (high - low > FEW) {
        size_t middle = low + (high - low) / 2;
        if (ct_string_order(row->properties[middle].name, name) <= 0)
            low = middle;
        else
            high = middle;
    }
    // Names are constants as a rule, and found by their addresses.
    for (size_t i = low; i < high; i++) {
        const char *other = row->properties[i].name;
        if (other == name || (*other == *name && equal_strings(other, name)))
            return &row->properties[i];
    }
    return NULL;
}

// Names are constants as a rule: those that are equal have one address, and need no comparison.
void ct_row_pick(const struct ct_row *row, const char *const *names, size_t count,
                 const struct ct_property **found) {
    const struct ct_property *property = row->properties;
    const struct ct_property *end = property + row->property_count;
    size_t i = 0;
    for (;;) {
        // Both lists are sorted, so it is a merge: linear in both.
        while (i < count && property < end && property->name == names[i])
            found[i++] = property++;
        if (i == count || property == end)
            break;
        int order = ct_string_order(property->name, names[i]);
        if (order >= 0)
            found[i++] = order == 0 ? property : NULL;
        if (order <= 0)
            property++;
    }
    for (; i < count; i++)
        found[i] = NULL;
}

static bool equal_properties(const struct ct_row *a, const struct ct_row *b) {
    if (a->property_count != b->property_count)
        return false;
    for (size_t i = 0; i < a->property_count; i++)
        if (!ct_property_equal(&a->properties[i], &b->properties[i]))
            return false;
    return true;
}

// ETags first: they differ between almost any two versions.
bool ct_row_equal(const struct ct_row *a, const struct ct_row *b) {
    if (a == b)
        return true;
    return equal_strings(a->etag, b->etag) && ct_key_equal(a->key, b->key) &&
           a->timestamp == b->timestamp && equal_properties(a, b);
}

static size_t row_bytes(size_t property_count) {
    return sizeof(struct ct_row) + property_count * sizeof(struct ct_property);
}

static struct ct_row *allocate_row(struct arena *arena, struct ct_key key, const char *etag,
                                   size_t property_count) {
    struct ct_row *row = arena_alloc(arena, row_bytes(property_count));
    row->key = key;
    row->etag = etag;
    row->timestamp = 0;
    row->digest = (struct digest){0, 0};
    row->property_count = property_count;
    return row;
}

// Puts the last of the first [count] elements of [sorted] into its place among the others.
// Insertion sort: rows have few properties, and mostly come in order.
static void sink_last(struct ct_property *sorted, size_t count) {
    const struct ct_property property = sorted[count - 1];
    size_t at = count - 1;
    for (; at > 0; at--) {
        int order = ct_string_order(sorted[at - 1].name, property.name);
        ASSERT(order != 0);
        if (order < 0)
            break;
        sorted[at] = sorted[at - 1];
    }
    sorted[at] = property;
}

struct ct_row *ct_row_new_sorted(struct arena *arena, struct ct_key key, const char *etag,
                                 const struct ct_property *properties, size_t count) {
    struct ct_row *row = allocate_row(arena, key, etag, count);
    if (count > 0)
        memcpy(row->properties, properties, count * sizeof *properties);
    return row;
}

struct ct_row *ct_row_new(struct arena *arena, struct ct_key key, const char *etag,
                          const struct ct_property *properties, size_t count) {
    struct ct_row *row = ct_row_new_sorted(arena, key, etag, properties, count);
    for (size_t i = 1; i < count; i++) // mostly in order already
        if (ct_string_order(row->properties[i - 1].name, row->properties[i].name) >= 0)
            sink_last(row->properties, i + 1);
    return row;
}

struct ct_row *ct_row_copy(struct arena *arena, const struct ct_row *row) {
    size_t bytes = row_bytes(row->property_count);
    struct ct_row *copy = memcpy(arena_alloc(arena, bytes), row, bytes);
    copy->digest = (struct digest){0, 0}; // it may be changed
    return copy;
}

struct ct_row *ct_row_clone(struct arena *arena, const struct ct_row *row) {
    struct ct_row *clone = ct_row_copy(arena, row);
    clone->key.partition = arena_strdup(arena, row->key.partition);
    clone->key.row = arena_strdup(arena, row->key.row);
    clone->etag = arena_strdup(arena, row->etag);
    for (size_t i = 0; i < clone->property_count; i++)
        clone->properties[i] = ct_property_clone(arena, &clone->properties[i]);
    return clone;
}

// Merges two sorted lists into [merged], which has room for both; of equal names that of [changes].
static size_t merge_properties(struct ct_property *merged, const struct ct_row *base,
                               const struct ct_row *changes) {
    size_t count = 0;
    size_t b = 0;
    size_t c = 0;
    while (b < base->property_count && c < changes->property_count) {
        int order = ct_string_order(base->properties[b].name, changes->properties[c].name);
        merged[count++] = order < 0 ? base->properties[b] : changes->properties[c];
        b += order <= 0;
        c += order >= 0;
    }
    while (b < base->property_count)
        merged[count++] = base->properties[b++];
    while (c < changes->property_count)
        merged[count++] = changes->properties[c++];
    return count;
}

struct ct_row *ct_row_merge(struct arena *arena, const struct ct_row *base,
                            const struct ct_row *changes, const char *etag) {
    struct ct_row *row =
        allocate_row(arena, changes->key, etag, base->property_count + changes->property_count);
    row->property_count = merge_properties(row->properties, base, changes);
    return row;
}

// The index of the row with [key] and, if there is one, the row; else where it would stand.
static inline size_t search(struct ct_rows rows, struct ct_key key, const struct ct_row **found) {
    size_t low = 0;
    size_t high = rows.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ct_row *row = rows.rows[middle];
        int order = ct_key_compare(row->key, key);
        if (order == 0) {
            *found = row;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = NULL;
    return low;
}

size_t ct_rows_search(struct ct_rows rows, struct ct_key key, bool *exists) {
    const struct ct_row *found;
    size_t at = search(rows, key, &found);
    *exists = found != NULL;
    return at;
}

size_t ct_rows_lower_bound(struct ct_rows rows, struct ct_key key) {
    const struct ct_row *found;
    return search(rows, key, &found);
}

const struct ct_row *ct_rows_find(struct ct_rows rows, struct ct_key key) {
    const struct ct_row *found;
    search(rows, key, &found);
    return found;
}

struct digest ct_row_digest(const struct ct_row *row) {
    if (row->digest.low | row->digest.high)
        return row->digest;
    struct digest_words words =
        digest_words((struct digest){(uint64_t)row->timestamp, row->property_count});
    digest_words_add_text(&words, row->key.partition);
    digest_words_add_text(&words, row->key.row);
    digest_words_add_text(&words, row->etag);
    for (size_t i = 0; i < row->property_count; i++)
        ct_property_add(&row->properties[i], &words);
    return digest_words_end(&words);
}

struct digest ct_rows_digest(struct ct_rows rows) {
    struct digest_words words = digest_words((struct digest){rows.count, 0});
    for (size_t i = 0; i < rows.count; i++)
        digest_words_add_digest(&words, ct_row_digest(rows.rows[i]));
    return digest_words_end(&words);
}
