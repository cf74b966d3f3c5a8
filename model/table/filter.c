#include "model/table/filter.h"

#include "model/table/row.h"

#include <string.h>

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
    // Another type is neither equal nor in any order, and so it is "not equal".
    if (literal->type != CT_STRING)
        return filter->compare == CT_NE;
    int order = ct_string_order(key, literal->value.string);
    if (order == 0 && !filter->can_be_key)
        order = -1; // the literal goes on behind a U+0000
    return order_satisfies(filter->compare, order_of_sign(order));
}

static bool comparison_matches(const struct ct_filter *filter, const struct ct_row *row) {
    if (filter->subject != CT_OF_PROPERTY)
        return key_satisfies(filter->subject == CT_OF_ROW_KEY ? row->key.row : row->key.partition,
                             filter);
    const char *name = filter->operand.name;
    const struct ct_property *property = ct_row_property(row, name);
    if (!property && ct_string_equal(name, CT_TIMESTAMP)) {
        struct ct_property timestamp = ct_datetime(CT_TIMESTAMP, row->timestamp);
        return property_satisfies(&timestamp, filter->compare, &filter->operand);
    }
    // A property that is absent satisfies nothing, not even "ne": so the service has it.
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
        // Decided by the left side: true of an "or", false of an "and".
        if (left == (filter->kind == CT_FILTER_OR))
            return left != is_negated;
        filter = filter->right;
    }
    return comparison_matches(filter, row) != is_negated;
}

// ---- The targeted partition --------------------------------------------------------------------

static bool asks_for(const struct ct_filter *filter, enum ct_subject subject) {
    return filter->kind == CT_FILTER_COMPARE && filter->compare == CT_EQ &&
           filter->subject == subject && filter->operand.type == CT_STRING;
}

static const char *compared_partition(const struct ct_filter *filter) {
    return asks_for(filter, CT_OF_PARTITION_KEY) ? filter->operand.value.string : NULL;
}

const char *ct_filter_partition(const struct ct_filter *filter) {
    // Syntactically: an "or" whose two sides name the same partition targets none.
    if (!filter || filter->kind == CT_FILTER_OR)
        return NULL;
    return compared_partition(filter->kind == CT_FILTER_AND ? filter->left : filter);
}

const char *ct_filter_row(const struct ct_filter *filter) {
    bool is_point = filter && filter->kind == CT_FILTER_AND &&
                    asks_for(filter->left, CT_OF_PARTITION_KEY) && filter->left->can_be_key &&
                    asks_for(filter->right, CT_OF_ROW_KEY) && filter->right->can_be_key;
    return is_point ? filter->right->operand.value.string : NULL;
}

// ---- Building ----------------------------------------------------------------------------------

static enum ct_subject subject_of(const char *name) {
    if (ct_string_equal(name, CT_ROW_KEY))
        return CT_OF_ROW_KEY;
    return ct_string_equal(name, CT_PARTITION_KEY) ? CT_OF_PARTITION_KEY : CT_OF_PROPERTY;
}

static struct ct_filter *new_comparison(struct arena *arena, enum ct_subject subject,
                                        enum ct_compare compare, struct ct_property operand) {
    struct ct_filter *filter = ARENA_ARRAY(arena, struct ct_filter, 1);
    *filter = (struct ct_filter){
        .kind = CT_FILTER_COMPARE, .compare = compare, .subject = subject, .operand = operand};
    return filter;
}

const struct ct_filter *ct_filter_compare(struct arena *arena, enum ct_compare compare,
                                          struct ct_property operand) {
    struct ct_filter *filter = new_comparison(arena, subject_of(operand.name), compare, operand);
    filter->can_be_key =
        operand.type == CT_STRING && !memchr(operand.value.string, '\0', operand.size);
    return filter;
}

static const struct ct_filter *compare_key(struct arena *arena, enum ct_subject subject,
                                           enum ct_compare compare, const char *key) {
    const char *name = subject == CT_OF_ROW_KEY ? CT_ROW_KEY : CT_PARTITION_KEY;
    struct ct_filter *filter = new_comparison(arena, subject, compare, ct_string(name, key));
    filter->can_be_key = true;
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
    struct ct_filter *filter = ARENA_ARRAY(arena, struct ct_filter, 1);
    *filter = (struct ct_filter){.kind = kind, .left = left, .right = right};
    return filter;
}

const struct ct_filter *ct_filter_and(struct arena *arena, const struct ct_filter *left,
                                      const struct ct_filter *right) {
    if (!left || !right)
        return left ? left : right;
    return new_boolean(arena, CT_FILTER_AND, left, right);
}

// NULL matches everything, and so does everything or something.
const struct ct_filter *ct_filter_or(struct arena *arena, const struct ct_filter *left,
                                     const struct ct_filter *right) {
    return left && right ? new_boolean(arena, CT_FILTER_OR, left, right) : NULL;
}

const struct ct_filter *ct_filter_not(struct arena *arena, const struct ct_filter *operand) {
    ASSERT(operand);
    return new_boolean(arena, CT_FILTER_NOT, operand, NULL);
}

const struct ct_filter *ct_filter_in_partition(struct arena *arena, const char *partition) {
    return compare_key(arena, CT_OF_PARTITION_KEY, CT_EQ, partition);
}

const struct ct_filter *ct_filter_point(struct arena *arena, struct ct_key key) {
    return ct_filter_and(arena, ct_filter_in_partition(arena, key.partition),
                         compare_key(arena, CT_OF_ROW_KEY, CT_EQ, key.row));
}

// Pairs are compared as words are: the same partition and a row from there on, or a later
// partition.
const struct ct_filter *ct_filter_from(struct arena *arena, struct ct_key key) {
    const struct ct_filter *same =
        ct_filter_and(arena, ct_filter_in_partition(arena, key.partition),
                      compare_key(arena, CT_OF_ROW_KEY, CT_GE, key.row));
    const struct ct_filter *later = compare_key(arena, CT_OF_PARTITION_KEY, CT_GT, key.partition);
    return ct_filter_or(arena, same, later);
}

// Halves, so that [count] ors are no deeper than its logarithm.
static const struct ct_filter *any_row(struct arena *arena, const char *const *row_keys,
                                       size_t count) {
    if (count == 1)
        return compare_key(arena, CT_OF_ROW_KEY, CT_EQ, row_keys[0]);
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
