#include "model/migrating/conditions.h"

#include "model/migrating/state.h"
#include "model/table/row.h"

static bool is_key(const char *name) {
    return ct_string_equal(name, CT_PARTITION_KEY) || ct_string_equal(name, CT_ROW_KEY);
}

// Names of the protocol's own properties, which raw rows have and exported ones have not.
static bool is_metadata(const char *name) {
    return ct_string_equal(name, MT_DELETED_PROPERTY) ||
           ct_string_equal(name, MT_PARTITION_STATE_PROPERTY);
}

// Whether a comparison of metadata stands below a not. Others match no more raw rows than exported
// ones, which have no such property.
// A comparison of a property that is absent is false: without a not, a raw row that has it matches
// too much, which is mended when the exported row is looked at. Below a not it matches too little,
// and a row that was not sent cannot be brought back. Two nots are taken for one: that sends fewer
// conditions, and is right as well.
static bool negates_metadata(const struct ct_filter *filter, bool is_below_not) {
    switch (filter->kind) {
    case CT_FILTER_COMPARE:
        return is_below_not && is_metadata(filter->operand.name);
    case CT_FILTER_NOT:
        return negates_metadata(filter->left, true);
    case CT_FILTER_AND:
    case CT_FILTER_OR:
        break;
    }
    return negates_metadata(filter->left, is_below_not) ||
           negates_metadata(filter->right, is_below_not);
}

// Of those that do not match [filter], if it [is_negated]: nots go down to the comparisons.
// NULL is the condition that every key meets. The result is weaker than the filter, never stronger:
// a row that matches the filter meets it. One pass, linear in the size of the filter.
static const struct ct_filter *key_conditions(struct arena *arena, struct bug_set *bugs,
                                              const struct ct_filter *filter, bool is_negated) {
    if (filter->kind == CT_FILTER_COMPARE) {
        if (!is_key(filter->operand.name))
            return NULL;
        return is_negated ? ct_filter_not(arena, filter) : filter;
    }
    if (filter->kind == CT_FILTER_NOT)
        return key_conditions(arena, bugs, filter->left, !is_negated);
    const struct ct_filter *left = key_conditions(arena, bugs, filter->left, is_negated);
    const struct ct_filter *right = key_conditions(arena, bugs, filter->right, is_negated);
    bool is_and = filter->kind == CT_FILTER_AND;
    // What is not (A and B) is not A or not B.
    if (is_negated && !bug_on(bugs, BUG_KEYS_OF_NEGATED_AND))
        is_and = !is_and;
    // A side without conditions on keys matches with any key.
    if (!left || !right)
        return is_and || bug_on(bugs, BUG_KEYS_OF_EITHER_SIDE) ? (left ? left : right) : NULL;
    return is_and ? ct_filter_and(arena, left, right) : ct_filter_or(arena, left, right);
}

const struct ct_filter *mt_key_conditions(struct arena *arena, struct bug_set *bugs,
                                          const struct ct_filter *filter) {
    return filter ? key_conditions(arena, bugs, filter, false) : NULL;
}

// Only keys are left then: more rows come than match, and the exported ones are looked at anyway.
const struct ct_filter *mt_backend_filter(struct arena *arena, struct bug_set *bugs,
                                          const struct ct_filter *filter) {
    if (!filter || !negates_metadata(filter, false) || bug_on(bugs, BUG_NEGATED_METADATA_SENT))
        return filter;
    return mt_key_conditions(arena, bugs, filter);
}
