#include "harness/migrating/forbidden.h"
#include "core/engine/machine.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <string.h>

enum { OPERATIONS_MAX = 99 }; // of a batch

static const char *const reserved_rows[] = {
    "_mtable_partition_meta",
    "_mtable_partition_populated_assertion",
    "_mtable_",
    "_mtable_x",
};

static const char *const reserved_properties[] = {
    "_mtable_deleted",
    "_mtable_partition_state",
};

// ---- The expectation ---------------------------------------------------------------------------

// Written anew here and not taken from the model: an expectation that calls what it judges expects
// whatever that does.
static bool is_reserved_row(const char *row) {
    return strncmp(row, "_mtable_", 8) == 0;
}

// By the first letter as a rule: a row may have 252 names.
static bool is_reserved_property(const char *name) {
    return *name == '_' && (ct_string_equal(name, reserved_properties[0]) ||
                            ct_string_equal(name, reserved_properties[1]));
}

static bool entity_is_forbidden(const struct ct_row *entity) {
    // One of the 252 properties of a row is the tombstone mark.
    bool forbidden = is_reserved_row(entity->key.row) || entity->property_count > 251;
    for (size_t i = 0; i < entity->property_count; i++)
        forbidden = forbidden || is_reserved_property(entity->properties[i].name);
    return forbidden;
}

// Of tables that cannot delete what may be absent among other operations.
static bool demands_absence(const struct ct_batch *batch, size_t *op_index) {
    for (size_t i = 0; i < batch->count && batch->count > 1; i++) {
        const struct ct_row *entity = batch->operations[i].entity;
        if (batch->operations[i].type == CT_DELETE && strcmp(entity->etag, "**") == 0) {
            *op_index = i;
            return true;
        }
    }
    return false;
}

// The first bytes of a key: where they differ, as they mostly do, the keys need not be compared.
static uint32_t head_of(const char *key) {
    uint32_t head = 0;
    for (size_t i = 0; i < sizeof head && *key; i++)
        head = head << 8 | (unsigned char)*key++;
    return head;
}

// The first operation for which the batch is refused: [first] only goes down, and operations behind
// it are not looked at any more. Quadratic in the operations, of which 99 count.
bool forbidden_expected(const struct ct_batch *batch, struct ct_table_limits limits,
                        size_t *op_index) {
    // One of the 100 operations of a batch is the guard.
    size_t first = batch->count > OPERATIONS_MAX ? OPERATIONS_MAX : batch->count;
    uint32_t heads[OPERATIONS_MAX];
    for (size_t i = 0; i < first; i++)
        heads[i] = head_of(batch->operations[i].entity->key.row);
    for (size_t i = 0; i < first; i++) {
        if (entity_is_forbidden(batch->operations[i].entity))
            first = i;
        for (size_t j = i + 1; j < first; j++)
            if (heads[i] == heads[j] &&
                ct_key_equal(batch->operations[i].entity->key, batch->operations[j].entity->key))
                first = j;
    }
    *op_index = first;
    return first < batch->count || (limits.no_delete_if_exists && demands_absence(batch, op_index));
}

// Only PartitionKey eq '...' is left of what a query may begin with, alone or before an "and".
bool forbidden_query_expected(const struct ct_filter *filter) {
    const struct ct_filter *first = filter && filter->kind == CT_FILTER_AND ? filter->left : filter;
    return !first || first->kind != CT_FILTER_COMPARE || first->compare != CT_EQ ||
           first->operand.type != CT_STRING || strcmp(first->operand.name, "PartitionKey") != 0;
}

// ---- Drawing -----------------------------------------------------------------------------------

static const char *draw_name(const char *const *names, uint32_t count) {
    return names[sct_choose(count, "reserved name")];
}

static void add_row(struct ct_batch *batch, const char *row) {
    struct ct_key key = {batch->operations[0].entity->key.partition, row};
    ct_batch_add(batch, CT_INSERT_OR_REPLACE, ct_row_new(sct_arena(), key, NULL, NULL, 0));
}

static void add_too_many(struct ct_batch *batch) {
    static const char *const tens[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"};
    size_t next = 0;
    while (batch->count < FORBIDDEN_BATCH_ROOM) {
        char *row = arena_alloc(sct_arena(), 4);
        memcpy(row, tens[next / 10], 2);
        row[2] = (char)('0' + next++ % 10);
        row[3] = '\0';
        add_row(batch, row);
    }
}

static void reserve_property(struct ct_operation *operation) {
    const struct ct_row *entity = operation->entity;
    struct ct_property property = ct_bool(draw_name(reserved_properties, 2), false);
    operation->entity = ct_row_new(sct_arena(), entity->key, entity->etag, &property, 1);
}

// Properties "aa" to "pp", more than a row may have, in the order of their names.
#define WIDE(a, b) \
    { .name = (const char[]){(a), (b), '\0'}, .type = CT_BOOL }
#define WIDE_4(a, b) WIDE(a, b), WIDE(a, (b) + 1), WIDE(a, (b) + 2), WIDE(a, (b) + 3)
#define WIDE_16(a) WIDE_4(a, 'a'), WIDE_4(a, 'e'), WIDE_4(a, 'i'), WIDE_4(a, 'm')
#define WIDE_64(a) WIDE_16(a), WIDE_16((a) + 1), WIDE_16((a) + 2), WIDE_16((a) + 3)

static const struct ct_property wide[] = {WIDE_64('a'), WIDE_64('e'), WIDE_64('i'), WIDE_64('m')};

// [count] properties instead of those the entity has.
static void widen(struct ct_operation *operation, size_t count) {
    const struct ct_row *entity = operation->entity;
    ASSERT(count <= sizeof wide / sizeof wide[0]);
    operation->entity = ct_row_new_sorted(sct_arena(), entity->key, entity->etag, wide, count);
}

// One property too many; the operations before are as wide as can be, which the index tells.
// 251 and 252 are the limit and one more: the last number that is taken, and the first that is not.
static void widen_too_far(struct ct_batch *batch, struct ct_operation *operation) {
    for (struct ct_operation *before = batch->operations; before < operation; before++)
        widen(before, 251);
    widen(operation, 252);
}

// One flaw. A batch of two may have the same one twice, or have it hidden by the other.
static void spoil(struct ct_batch *batch) {
    struct ct_operation *operation =
        &batch->operations[sct_choose((uint32_t)batch->count, "forbidden operation")];
    switch (sct_choose(5, "what is forbidden")) {
    case 0:
        if (batch->count < FORBIDDEN_BATCH_ROOM)
            add_row(batch, operation->entity->key.row);
        return;
    case 1:
        operation->entity->key.row = draw_name(reserved_rows, 4);
        return;
    case 2:
        reserve_property(operation);
        return;
    case 3:
        add_too_many(batch);
        return;
    default:
        widen_too_far(batch, operation);
    }
}

void forbidden_spoil(struct ct_batch *batch) {
    spoil(batch);
    if (sct_choose(2, "second flaw") == 1)
        spoil(batch);
}

void forbidden_break(struct ct_batch *batch) {
    struct ct_operation *operation =
        &batch->operations[sct_choose((uint32_t)batch->count, "ill-formed operation")];
    struct ct_row *entity = ct_row_copy(sct_arena(), operation->entity);
    operation->entity = entity;
    switch (sct_choose(5, "what is ill-formed")) {
    case 0:
        batch->count = 0;
        return;
    case 1:
        entity->key.row = NULL;
        return;
    case 2:
        entity->key.partition = NULL;
        return;
    case 3:
        if (batch->count > 1) {
            entity->key.partition = "another partition";
            return;
        }
        batch->count = 0;
        return;
    default:
        operation->type = CT_MERGE;
        entity->etag = NULL;
    }
}

// Likewise by its own words. A program error wins over a refusal: nothing is executed of either.
bool forbidden_ill_formed(const struct ct_batch *batch) {
    if (batch->count == 0)
        return true;
    const char *partition = batch->operations[0].entity->key.partition;
    for (size_t i = 0; i < batch->count; i++) {
        const struct ct_row *entity = batch->operations[i].entity;
        enum ct_op_type type = batch->operations[i].type;
        bool needs_etag = type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
        if (!entity->key.row || !entity->key.partition ||
            strcmp(entity->key.partition, partition) != 0 || (needs_etag && !entity->etag))
            return true;
    }
    return false;
}

// An "or" is drawn most often (bug QueryOrFilterAccepted); the others look like one partition and
// are not, or not syntactically.
const struct ct_filter *forbidden_filter(const char *partition, const struct ct_filter *rest) {
    struct arena *arena = sct_arena();
    const struct ct_filter *in_partition = ct_filter_in_partition(arena, partition);
    if (!rest)
        rest = ct_filter_compare_string(arena, CT_ROW_KEY, CT_GE, "");
    switch (sct_choose(9, "forbidden filter")) {
    case 0:
    case 1:
    case 2:
        return ct_filter_or(arena, in_partition, rest);
    case 3:
        return ct_filter_and(arena, rest, in_partition);
    case 4:
        return ct_filter_and(arena, ct_filter_and(arena, in_partition, rest), rest);
    case 5:
        return ct_filter_compare_string(arena, CT_PARTITION_KEY, CT_LE, partition);
    case 6:
        return ct_filter_and(arena, ct_filter_compare_bool(arena, CT_PARTITION_KEY, CT_EQ, true),
                             rest);
    case 7:
        return ct_filter_and(arena, ct_filter_compare_string(arena, CT_PARTITION_KEY, CT_NE, ""),
                             rest);
    default:
        return NULL;
    }
}
