// Filters: the query language of a table, parsed once, evaluated on rows. The empty filter, which
// matches everything, is NULL.
//
// Grammar, that of the service:
//
//     filter:     empty | or
//     or:         and {"or" and}
//     and:        unary {"and" unary}
//     unary:      "not" unary | "(" or ")" | comparison | boolean
//     comparison: name op literal | literal op name
//     op:         eq ne lt le gt ge
//     literal:    'a string, in which a quote '' is doubled' | boolean
//                 | 123 (Int32; if it is too large Int64) | 123L | 1.5, 1e3, NaN, INF, -INF
//                 | datetime'2013-08-22T01:12:06Z' | guid'...' | X'0aff' or binary'0aff'
//     boolean:    true | false, in large or small letters; alone: every row, or none
//
// The names PartitionKey, RowKey and Timestamp mean the row's, any other a property.
#ifndef MODEL_TABLE_FILTER_H
#define MODEL_TABLE_FILTER_H

#include "core/base/text.h"
#include "model/table/value.h"

#define CT_PARTITION_KEY "PartitionKey"
#define CT_ROW_KEY "RowKey"
#define CT_TIMESTAMP "Timestamp"

enum ct_compare { CT_EQ, CT_NE, CT_LT, CT_LE, CT_GT, CT_GE };
enum ct_filter_kind { CT_FILTER_COMPARE, CT_FILTER_AND, CT_FILTER_OR, CT_FILTER_NOT };

// What a comparison's name means.
enum ct_subject { CT_OF_PROPERTY, CT_OF_PARTITION_KEY, CT_OF_ROW_KEY };

// Made by ct_filter_compare and those below it only.
struct ct_filter {
    enum ct_filter_kind kind;
    enum ct_compare compare; // CT_FILTER_COMPARE only, as the next two and [operand]
    enum ct_subject subject;
    bool can_be_key;                      // the literal: a string without U+0000
    const struct ct_filter *left, *right; // AND, OR; NOT has [left] only
    struct ct_property operand;           // the name, and the literal
};

// Of a text: what stands in so many parentheses and nots, and how many comparisons there are.
enum { CT_FILTER_DEPTH_MAX = 64, CT_FILTER_COMPARISONS_MAX = 256 };

// Parses [text] into [arena]. False with a one-line error (what, at which byte, what was expected).
// An empty or blank text gives *filter = NULL. Of several ands, or ors, in a row the first is at
// the root.
bool ct_filter_parse(struct arena *arena, const char *text, const struct ct_filter **filter,
                     struct error *error);

// Writes [filter] in the grammar above, so that parsing it again gives an equal filter. A string
// with a U+0000 has no text in it (asserted).
void ct_filter_format(const struct ct_filter *filter, struct text *text);

// Writes the value of [property] as a literal; a U+0000, for people's eyes, as \0.
void ct_literal_format(const struct ct_property *property, struct text *text);

// Whether [row] matches. A missing property makes any comparison false (ne too). Of values that
// cannot be compared, ne is true and the rest false: those of two types but numbers, which are
// compared exactly whatever their types, and a NaN with anything. The order is ct_value_order's.
bool ct_filter_matches(const struct ct_filter *filter, const struct ct_row *row);

// The partition that [filter] targets syntactically: it is PartitionKey eq 'p', or an "and" whose
// left child is that comparison. NULL if it targets none. An "or" targets none: its right child may
// match in any partition. (Who has a filter that says so otherwise puts that comparison before it;
// range.h finds the partition.)
const char *ct_filter_partition(const struct ct_filter *filter);

// The row key that [filter] asks for beside a partition: it is what ct_filter_point makes. NULL if
// it is anything else.
const char *ct_filter_row(const struct ct_filter *filter);

// Builders. A NULL (empty) operand is neutral for and, and absorbs or; there is no not of it
// (asserted).
const struct ct_filter *ct_filter_compare(struct arena *arena, enum ct_compare compare,
                                          struct ct_property operand);
const struct ct_filter *ct_filter_compare_string(struct arena *arena, const char *name,
                                                 enum ct_compare compare, const char *value);
const struct ct_filter *ct_filter_compare_bool(struct arena *arena, const char *name,
                                               enum ct_compare compare, bool value);
const struct ct_filter *ct_filter_and(struct arena *arena, const struct ct_filter *left,
                                      const struct ct_filter *right);
const struct ct_filter *ct_filter_or(struct arena *arena, const struct ct_filter *left,
                                     const struct ct_filter *right);
const struct ct_filter *ct_filter_not(struct arena *arena, const struct ct_filter *operand);

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
