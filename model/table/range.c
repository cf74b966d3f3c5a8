#include "model/table/range.h"
#include "model/table/row.h"

#include <string.h>

static const struct ct_bounds all_strings = {NULL, NULL, false};

// gt and lt keep their bound: bounds say what to read, not what matches.
static struct ct_bounds bounds_of(enum ct_compare compare, const char *value) {
    switch (compare) {
    case CT_EQ:
        return (struct ct_bounds){value, value, false};
    case CT_GT:
    case CT_GE:
        return (struct ct_bounds){value, NULL, false};
    case CT_LT:
    case CT_LE:
        return (struct ct_bounds){NULL, value, false};
    case CT_NE:
        break;
    }
    return all_strings;
}

static enum ct_compare opposite(enum ct_compare compare) {
    static const enum ct_compare opposites[] = {
        [CT_EQ] = CT_NE, [CT_NE] = CT_EQ, [CT_LT] = CT_GE,
        [CT_GE] = CT_LT, [CT_GT] = CT_LE, [CT_LE] = CT_GT,
    };
    return opposites[compare];
}

// A key is a string: it equals nothing else, and is neither above nor below it.
static struct ct_bounds bounds_of_operand(const struct ct_filter *filter, bool is_negated) {
    if (filter->operand.type == CT_STRING)
        return bounds_of(is_negated ? opposite(filter->compare) : filter->compare,
                         filter->operand.value.string);
    // Only "ne" matches it, whatever the key.
    return (struct ct_bounds){NULL, NULL, (filter->compare != CT_NE) != is_negated};
}

static struct ct_range range_of_comparison(const struct ct_filter *filter, bool is_negated) {
    struct ct_range range = {all_strings, all_strings};
    if (filter->subject == CT_OF_PARTITION_KEY)
        range.partition = bounds_of_operand(filter, is_negated);
    else if (filter->subject == CT_OF_ROW_KEY)
        range.row = bounds_of_operand(filter, is_negated);
    return range;
}

static struct ct_bounds both(struct ct_bounds a, struct ct_bounds b) {
    if (!a.low || (b.low && ct_string_order(b.low, a.low) > 0))
        a.low = b.low;
    if (!a.high || (b.high && ct_string_order(b.high, a.high) < 0))
        a.high = b.high;
    a.is_empty =
        a.is_empty || b.is_empty || (a.low && a.high && ct_string_order(a.low, a.high) > 0);
    return a;
}

// The hull: what lies between the two is read in vain, and lists are what keeps it out.
static struct ct_bounds either(struct ct_bounds a, struct ct_bounds b) {
    if (a.is_empty || b.is_empty)
        return a.is_empty ? b : a;
    if (a.low && (!b.low || ct_string_order(b.low, a.low) < 0))
        a.low = b.low;
    if (a.high && (!b.high || ct_string_order(b.high, a.high) > 0))
        a.high = b.high;
    return a;
}

static bool is_empty(struct ct_range range) {
    return range.partition.is_empty || range.row.is_empty;
}

// Of what does not match [filter], if it [is_negated]: nots go down to the comparisons.
// One pass. By de Morgan's rule a negated "or" narrows like an "and".
static struct ct_range range_of(const struct ct_filter *filter, bool is_negated) {
    if (filter->kind == CT_FILTER_COMPARE)
        return range_of_comparison(filter, is_negated);
    if (filter->kind == CT_FILTER_NOT)
        return range_of(filter->left, !is_negated);
    struct ct_range left = range_of(filter->left, is_negated);
    struct ct_range right = range_of(filter->right, is_negated);
    if ((filter->kind == CT_FILTER_AND) != is_negated)
        return (struct ct_range){both(left.partition, right.partition), both(left.row, right.row)};
    // A side that matches nothing does not widen the other one, in neither key.
    if (is_empty(left) || is_empty(right))
        return is_empty(left) ? right : left;
    return (struct ct_range){either(left.partition, right.partition), either(left.row, right.row)};
}

struct ct_range ct_filter_range(const struct ct_filter *filter) {
    return filter ? range_of(filter, false) : (struct ct_range){all_strings, all_strings};
}

// ---- Lists -------------------------------------------------------------------------------------

// Whether [a] ends before [b] begins.
static bool is_before(struct ct_bounds a, struct ct_bounds b) {
    return a.high && b.low && ct_string_order(a.high, b.low) < 0;
}

static struct ct_bounds_list list_of(struct arena *arena, struct ct_bounds bounds) {
    struct ct_bounds *list = ARENA_NEW(arena, struct ct_bounds);
    *list = bounds;
    return (struct ct_bounds_list){list, bounds.is_empty ? 0 : 1};
}

// The ends of two lists are walked along together: of two pairs of bounds the one that ends first
// is done with.
static struct ct_bounds_list intersect(struct arena *arena, struct ct_bounds_list a,
                                       struct ct_bounds_list b) {
    struct ct_bounds *list = ARENA_ARRAY(arena, struct ct_bounds, a.count + b.count + 1);
    size_t count = 0;
    for (size_t i = 0, j = 0; i < a.count && j < b.count;) {
        struct ct_bounds common = both(a.bounds[i], b.bounds[j]);
        if (!common.is_empty)
            list[count++] = common;
        const char *high = a.bounds[i].high, *other = b.bounds[j].high;
        bool is_first = high && (!other || ct_string_order(high, other) <= 0);
        is_first ? i++ : j++;
    }
    return (struct ct_bounds_list){list, count};
}

// Merged in the order of their lower ends. Bounds that touch become one, so that no row is read
// twice.
static struct ct_bounds_list unite(struct arena *arena, struct ct_bounds_list a,
                                   struct ct_bounds_list b) {
    struct ct_bounds *list = ARENA_ARRAY(arena, struct ct_bounds, a.count + b.count + 1);
    size_t count = 0;
    for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
        const char *low = i < a.count ? a.bounds[i].low : NULL;
        const char *other = j < b.count ? b.bounds[j].low : NULL;
        bool is_first =
            j == b.count || (i < a.count && (!low || (other && ct_string_order(low, other) <= 0)));
        struct ct_bounds next = is_first ? a.bounds[i++] : b.bounds[j++];
        if (count > 0 && !is_before(list[count - 1], next))
            list[count - 1] = either(list[count - 1], next);
        else
            list[count++] = next;
    }
    return (struct ct_bounds_list){list, count};
}

// At most one for each comparison; each node merges two sorted lists, so the whole is quadratic in
// the filter at worst.
static struct ct_bounds_list row_bounds(struct arena *arena, const struct ct_filter *filter,
                                        bool is_negated) {
    if (filter->kind == CT_FILTER_COMPARE) {
        struct ct_range range = range_of_comparison(filter, is_negated);
        // No key of any partition: no row.
        range.row.is_empty = range.row.is_empty || range.partition.is_empty;
        return list_of(arena, range.row);
    }
    if (filter->kind == CT_FILTER_NOT)
        return row_bounds(arena, filter->left, !is_negated);
    struct ct_bounds_list left = row_bounds(arena, filter->left, is_negated);
    struct ct_bounds_list right = row_bounds(arena, filter->right, is_negated);
    bool is_and = (filter->kind == CT_FILTER_AND) != is_negated;
    return is_and ? intersect(arena, left, right) : unite(arena, left, right);
}

struct ct_bounds_list ct_filter_row_bounds(struct arena *arena, const struct ct_filter *filter) {
    return filter ? row_bounds(arena, filter, false) : list_of(arena, all_strings);
}
