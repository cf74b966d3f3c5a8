#include "model/table/filter.h"

#include "model/table/row.h"

// The one copy of these names that every filter made here holds, so that evaluation mostly
// recognises a key by its pointer.
static const char partition_key_name[] = CT_PARTITION_KEY;
static const char row_key_name[] = CT_ROW_KEY;

static const char *shared_key_name(const char *name) {
    if (ct_string_equal(name, partition_key_name))
        return partition_key_name;
    return ct_string_equal(name, row_key_name) ? row_key_name : name;
}

// ---- Evaluation --------------------------------------------------------------------------------

// Given the order of value and literal.
static bool order_satisfies(enum ct_compare compare, enum ct_order order) {
    switch (compare) {
    case CT_EQ:
        return order == CT_EQUAL;
    case CT_NE:
        return order != CT_EQUAL;
    case CT_LT:
        return order == CT_LESS;
    case CT_LE:
        return order == CT_LESS || order == CT_EQUAL;
    case CT_GT:
        return order == CT_GREATER;
    case CT_GE:
        return order == CT_GREATER || order == CT_EQUAL;
    }
    return false;
}

// Booleans and keys, which most comparisons of a campaign are about, without the general rule.
static enum ct_order order_of_sign(int difference) {
    return difference < 0 ? CT_LESS : difference > 0 ? CT_GREATER : CT_EQUAL;
}

static bool property_satisfies(const struct ct_property *property, enum ct_compare compare,
                               const struct ct_property *literal) {
    if (property->type == CT_BOOL && literal->type == CT_BOOL)
        return order_satisfies(compare,
                               order_of_sign(property->value.boolean - literal->value.boolean));
    return order_satisfies(compare, ct_value_order(property, literal));
}

// A key has no U+0000.
static bool key_satisfies(const char *key, const struct ct_filter *filter) {
    const struct ct_property *literal = &filter->operand;
    if (literal->type != CT_STRING)
        return filter->compare == CT_NE;
    int order = ct_string_order(key, literal->value.string);
    if (order == 0 && strlen(literal->value.string) < literal->size)
        order = -1; // the literal goes on behind a U+0000
    return order_satisfies(filter->compare, order_of_sign(order));
}

static bool comparison_matches(const struct ct_filter *filter, const struct ct_row *row) {
    const char *name = filter->operand.name;
    if (ct_string_equal(name, partition_key_name))
        return key_satisfies(row->key.partition, filter);
    if (ct_string_equal(name, row_key_name))
        return key_satisfies(row->key.row, filter);
    const struct ct_property *property = ct_row_property(row, name);
    if (!property && ct_string_equal(name, CT_TIMESTAMP)) {
        struct ct_property timestamp = ct_datetime(CT_TIMESTAMP, row->timestamp);
        return property_satisfies(&timestamp, filter->compare, &filter->operand);
    }
    return property && property_satisfies(property, filter->compare, &filter->operand);
}

// Walks down the right operands and recurses into the left ones only, so that the long chains of a
// text need no stack.
bool ct_filter_matches(const struct ct_filter *filter, const struct ct_row *row) {
    bool is_negated = false; // the part that is left to be evaluated
    if (!filter)
        return true;
    while (filter->kind != CT_FILTER_COMPARE) {
        if (filter->kind == CT_FILTER_NOT) {
            is_negated = !is_negated;
            filter = filter->left;
            continue;
        }
        bool left = ct_filter_matches(filter->left, row);
        if (left == (filter->kind == CT_FILTER_OR))
            return left != is_negated;
        filter = filter->right;
    }
    return comparison_matches(filter, row) != is_negated;
}

// ---- The targeted partition --------------------------------------------------------------------

static const char *compared_partition(const struct ct_filter *filter) {
    bool targets = filter->kind == CT_FILTER_COMPARE && filter->compare == CT_EQ &&
                   filter->operand.type == CT_STRING &&
                   ct_string_equal(filter->operand.name, partition_key_name);
    return targets ? filter->operand.value.string : NULL;
}

const char *ct_filter_partition(const struct ct_filter *filter) {
    if (!filter || filter->kind == CT_FILTER_OR)
        return NULL;
    return compared_partition(filter->kind == CT_FILTER_AND ? filter->left : filter);
}

// ---- Building ----------------------------------------------------------------------------------

const struct ct_filter *ct_filter_compare(struct arena *arena, enum ct_compare compare,
                                          struct ct_property operand) {
    struct ct_filter *filter = ARENA_NEW(arena, struct ct_filter);
    operand.name = shared_key_name(operand.name);
    filter->kind = CT_FILTER_COMPARE;
    filter->compare = compare;
    filter->operand = operand;
    return filter;
}

const struct ct_filter *ct_filter_compare_string(struct arena *arena, const char *name,
                                                 enum ct_compare compare, const char *value) {
    return ct_filter_compare(arena, compare, ct_string(name, value));
}

const struct ct_filter *ct_filter_compare_bool(struct arena *arena, const char *name,
                                               enum ct_compare compare, bool value) {
    return ct_filter_compare(arena, compare, ct_bool(name, value));
}

static const struct ct_filter *new_boolean(struct arena *arena, enum ct_filter_kind kind,
                                           const struct ct_filter *left,
                                           const struct ct_filter *right) {
    struct ct_filter *filter = ARENA_NEW(arena, struct ct_filter);
    filter->kind = kind;
    filter->left = left;
    filter->right = right;
    return filter;
}

const struct ct_filter *ct_filter_and(struct arena *arena, const struct ct_filter *left,
                                      const struct ct_filter *right) {
    if (!left || !right)
        return left ? left : right;
    return new_boolean(arena, CT_FILTER_AND, left, right);
}

const struct ct_filter *ct_filter_or(struct arena *arena, const struct ct_filter *left,
                                     const struct ct_filter *right) {
    return left && right ? new_boolean(arena, CT_FILTER_OR, left, right) : NULL;
}

const struct ct_filter *ct_filter_not(struct arena *arena, const struct ct_filter *operand) {
    ASSERT(operand);
    return new_boolean(arena, CT_FILTER_NOT, operand, NULL);
}

const struct ct_filter *ct_filter_in_partition(struct arena *arena, const char *partition) {
    return ct_filter_compare_string(arena, partition_key_name, CT_EQ, partition);
}

const struct ct_filter *ct_filter_point(struct arena *arena, struct ct_key key) {
    return ct_filter_and(arena, ct_filter_in_partition(arena, key.partition),
                         ct_filter_compare_string(arena, row_key_name, CT_EQ, key.row));
}

const struct ct_filter *ct_filter_from(struct arena *arena, struct ct_key key) {
    const struct ct_filter *same =
        ct_filter_and(arena, ct_filter_in_partition(arena, key.partition),
                      ct_filter_compare_string(arena, row_key_name, CT_GE, key.row));
    const struct ct_filter *later =
        ct_filter_compare_string(arena, partition_key_name, CT_GT, key.partition);
    return ct_filter_or(arena, same, later);
}

// Halves, so that [count] ors are no deeper than its logarithm.
static const struct ct_filter *any_row(struct arena *arena, const char *const *row_keys,
                                       size_t count) {
    if (count == 1)
        return ct_filter_compare_string(arena, row_key_name, CT_EQ, row_keys[0]);
    size_t half = count / 2;
    const struct ct_filter *first = any_row(arena, row_keys, half);
    return ct_filter_or(arena, first, any_row(arena, row_keys + half, count - half));
}

const struct ct_filter *ct_filter_rows(struct arena *arena, const char *partition,
                                       const char *const *row_keys, size_t count) {
    ASSERT(count >= 1);
    return ct_filter_and(arena, ct_filter_in_partition(arena, partition),
                         any_row(arena, row_keys, count));
}
