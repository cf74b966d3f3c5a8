// Filters: the query language of a table, parsed once, evaluated on rows.
//
// Grammar: empty (matches all) | Name op literal | (E) bop (E); op: eq ne lt le gt ge; bop: and or;
// literal: 'single quoted' (a quote inside is doubled), true, false. Both operands of a bop stand
// in parentheses; there is no precedence and no not. The empty filter is NULL.
#ifndef MODEL_TABLE_FILTER_H
#define MODEL_TABLE_FILTER_H

#include "core/base/text.h"
#include "model/table/table.h"

#define CT_PARTITION_KEY "PartitionKey"
#define CT_ROW_KEY "RowKey"

enum ct_compare { CT_EQ, CT_NE, CT_LT, CT_LE, CT_GT, CT_GE };
enum ct_filter_kind { CT_FILTER_COMPARE, CT_FILTER_AND, CT_FILTER_OR };

struct ct_filter {
    enum ct_filter_kind kind;
    const struct ct_filter *left, *right; // CT_FILTER_AND, CT_FILTER_OR only
    enum ct_compare compare;              // CT_FILTER_COMPARE only, as the rest
    // The name, and the literal (CT_BOOL or CT_STRING). The names PartitionKey and RowKey mean the
    // key, any other a property.
    struct ct_property operand;
};

enum { CT_FILTER_DEPTH_MAX = 64 };

// Parses [text] into [arena]. False with a one-line error (what, at which byte, what was expected).
// An empty or blank text gives *filter = NULL.
bool ct_filter_parse(struct arena *arena, const char *text, const struct ct_filter **filter,
                     struct error *error);

// Writes [filter] in the grammar above, so that parsing it again gives an equal filter.
void ct_filter_format(const struct ct_filter *filter, struct text *text);

// Whether [row] matches. A missing property makes any comparison false (ne too). Strings compare
// ordinally, false < true. Type mismatch: eq false, ne true, ordering operators false.
bool ct_filter_matches(const struct ct_filter *filter, const struct ct_row *row);

// The partition that [filter] targets syntactically: it is PartitionKey eq 'p', or an "and" whose
// left child is that comparison. NULL if it targets none. An "or" targets none: its right child may
// match in any partition.
const char *ct_filter_partition(const struct ct_filter *filter);

// Builders. A NULL (empty) operand is neutral for and, and absorbs or.
const struct ct_filter *ct_filter_compare_string(struct arena *arena, const char *name,
                                                 enum ct_compare compare, const char *value);
const struct ct_filter *ct_filter_compare_bool(struct arena *arena, const char *name,
                                               enum ct_compare compare, bool value);
const struct ct_filter *ct_filter_and(struct arena *arena, const struct ct_filter *left,
                                      const struct ct_filter *right);
const struct ct_filter *ct_filter_or(struct arena *arena, const struct ct_filter *left,
                                     const struct ct_filter *right);

// PartitionKey eq '[partition]'.
const struct ct_filter *ct_filter_in_partition(struct arena *arena, const char *partition);

// (PartitionKey eq p) and (RowKey eq r).
const struct ct_filter *ct_filter_point(struct arena *arena, struct ct_key key);

// ((PartitionKey eq p) and (RowKey ge r)) or (PartitionKey gt p): from [key] inclusive.
const struct ct_filter *ct_filter_from(struct arena *arena, struct ct_key key);

// (PartitionKey eq p) and ((RowKey eq r0) or (RowKey eq r1) or ...) for [count] >= 1 row keys, the
// ors in pairs of pairs: its depth is far below CT_FILTER_DEPTH_MAX for any batch.
const struct ct_filter *ct_filter_rows(struct arena *arena, const char *partition,
                                       const char *const *row_keys, size_t count);

#endif
