// Rows and keys as values: order, equality, construction, access. Pure functions.
#ifndef MODEL_TABLE_ROW_H
#define MODEL_TABLE_ROW_H

#include "model/table/value.h"

// Equality of strings that may be NULL (NULL equals only NULL); quick when the pointers are equal.
bool ct_string_equal(const char *a, const char *b);

// Bytes of UTF-8 in the order of the UTF-16 code units that they begin: supplementary characters
// (their first byte is 0xF0 to 0xF4) come before U+E000 to U+FFFF (0xEE, 0xEF). A bijection.
static inline int ct_unit_rank(unsigned char byte) {
    return (byte & 0xEE) == 0xEE ? byte ^ 0x10 : byte;
}

// Ordinal order of strings that are not NULL, by UTF-16 code units: < 0, 0, > 0. Written out
// because keys and names are a few bytes long and compared in the innermost loops of a campaign,
// where a library call costs more than the comparison.
static inline int ct_string_order(const char *a, const char *b) {
    if (a == b)
        return 0;
    for (;; a++, b++) {
        unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
        if (x != y) // the rank of bytes below 0xEE is what they are
            return (x | y) < 0xEE ? x - y : ct_unit_rank(x) - ct_unit_rank(y);
        if (x == '\0')
            return 0;
    }
}

// Ordinal order by partition key, then row key: < 0, 0, > 0. Keys must not be null.
static inline int ct_key_compare(struct ct_key a, struct ct_key b) {
    int order = ct_string_order(a.partition, b.partition);
    return order ? order : ct_string_order(a.row, b.row);
}

bool ct_key_equal(struct ct_key a, struct ct_key b);

// ("", ""): the first valid primary key.
struct ct_key ct_key_first(void);

// The next valid key after [key]: its row key followed by one space (characters below the space are
// illegal in keys), built in [arena].
struct ct_key ct_key_next(struct ct_key key, struct arena *arena);

// The named property of [row], or NULL.
const struct ct_property *ct_row_property(const struct ct_row *row, const char *name);

// Those named by the [count] [names], which are sorted, into [found]; NULL for one that [row]
// lacks. Goes through the row once, which the same number of calls of the above does not.
void ct_row_pick(const struct ct_row *row, const char *const *names, size_t count,
                 const struct ct_property **found);

// Same key, ETag, timestamp and properties.
bool ct_row_equal(const struct ct_row *a, const struct ct_row *b);

// A new row of [count] properties in any order; they are sorted by name, names must be distinct
// (asserted). Strings are not copied: they must live as long as the row.
struct ct_row *ct_row_new(struct arena *arena, struct ct_key key, const char *etag,
                          const struct ct_property *properties, size_t count);

// The same of properties that are in the order of their names already, which nobody looks at.
struct ct_row *ct_row_new_sorted(struct arena *arena, struct ct_key key, const char *etag,
                                 const struct ct_property *properties, size_t count);

// A copy; strings are shared.
struct ct_row *ct_row_copy(struct arena *arena, const struct ct_row *row);

// A copy that shares nothing with [row].
struct ct_row *ct_row_clone(struct arena *arena, const struct ct_row *row);

// The properties of [base] overwritten and added to by those of [changes] (Merge), under [changes]'
// key and with the ETag [etag].
struct ct_row *ct_row_merge(struct arena *arena, const struct ct_row *base,
                            const struct ct_row *changes, const char *etag);

// Of key, ETag, timestamp and properties: equal rows have equal digests.
struct digest ct_row_digest(const struct ct_row *row);

// Of the rows in their order.
struct digest ct_rows_digest(struct ct_rows rows);

// The index of the first row of the sorted [rows] whose key is >= [key]; count if there is none.
size_t ct_rows_lower_bound(struct ct_rows rows, struct ct_key key);

// As that, and in *[exists] whether that row's key is [key]; the rows' keys must be distinct.
size_t ct_rows_search(struct ct_rows rows, struct ct_key key, bool *exists);

// The row with exactly that key in the sorted [rows], or NULL.
const struct ct_row *ct_rows_find(struct ct_rows rows, struct ct_key key);

#endif
