#include "model/table/range.h"
#include "model/table/row.h"

#include <string.h>

static const struct ct_bounds all_strings = {NULL, NULL, false};

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

// A key is a string: it equals nothing else, and is neither above nor below it.
static struct ct_bounds bounds_of_operand(const struct ct_filter *filter) {
    if (filter->operand.type == CT_STRING)
        return bounds_of(filter->compare, filter->operand.value.string);
    return (struct ct_bounds){NULL, NULL, filter->compare != CT_NE};
}

static struct ct_range range_of_comparison(const struct ct_filter *filter) {
    struct ct_range range = {all_strings, all_strings};
    if (strcmp(filter->operand.name, CT_PARTITION_KEY) == 0)
        range.partition = bounds_of_operand(filter);
    else if (strcmp(filter->operand.name, CT_ROW_KEY) == 0)
        range.row = bounds_of_operand(filter);
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

struct ct_range ct_filter_range(const struct ct_filter *filter) {
    if (!filter)
        return (struct ct_range){all_strings, all_strings};
    if (filter->kind == CT_FILTER_COMPARE)
        return range_of_comparison(filter);
    struct ct_range left = ct_filter_range(filter->left), right = ct_filter_range(filter->right);
    if (filter->kind == CT_FILTER_AND)
        return (struct ct_range){both(left.partition, right.partition), both(left.row, right.row)};
    // A side that matches nothing does not widen the other one, in neither key.
    if (is_empty(left) || is_empty(right))
        return is_empty(left) ? right : left;
    return (struct ct_range){either(left.partition, right.partition), either(left.row, right.row)};
}
