#include "harness/migrating/forbidden.h"
#include "core/engine/machine.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <string.h>

static const char *const reserved_rows[] = {
    "_mtable_partition_meta",
    "_mtable_partition_populated_assertion",
};

static const char *const reserved_properties[] = {
    "_mtable_deleted",
    "_mtable_partition_state",
};

// ---- The expectation ---------------------------------------------------------------------------

static bool is_one_of(const char *const names[2], const char *name) {
    return strcmp(name, names[0]) == 0 || strcmp(name, names[1]) == 0;
}

static bool entity_is_forbidden(const struct ct_row *entity) {
    // One of the 252 properties of a row is the tombstone mark.
    bool forbidden = is_one_of(reserved_rows, entity->key.row) || entity->property_count > 251;
    for (size_t i = 0; i < entity->property_count; i++)
        forbidden = forbidden || is_one_of(reserved_properties, entity->properties[i].name);
    return forbidden;
}

bool forbidden_expected(const struct ct_batch *batch, size_t *op_index) {
    // One of the 100 operations of a batch is the guard.
    size_t first = batch->count > 99 ? 99 : batch->count;
    for (size_t i = 0; i < first; i++) {
        if (entity_is_forbidden(batch->operations[i].entity))
            first = i;
        for (size_t j = i + 1; j < first; j++)
            if (ct_key_compare(batch->operations[i].entity->key,
                               batch->operations[j].entity->key) == 0)
                first = j;
    }
    *op_index = first;
    return first < batch->count;
}

// Only PartitionKey eq '...' is left of what a query may begin with, alone or before an "and".
bool forbidden_query_expected(const struct ct_filter *filter) {
    const struct ct_filter *first = filter && filter->kind == CT_FILTER_AND ? filter->left : filter;
    return !first || first->kind != CT_FILTER_COMPARE || first->compare != CT_EQ ||
           first->operand.type != CT_STRING || strcmp(first->operand.name, "PartitionKey") != 0;
}

// ---- Drawing -----------------------------------------------------------------------------------

static const char *draw_name(const char *const names[2]) {
    return names[sct_choose(2, "reserved name")];
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
    struct ct_property property = {.name = draw_name(reserved_properties), .type = CT_BOOL};
    operation->entity = ct_row_new(sct_arena(), entity->key, entity->etag, &property, 1);
}

// [count] properties instead of those the entity has.
static void widen(struct ct_operation *operation, size_t count) {
    const struct ct_row *entity = operation->entity;
    struct ct_property *properties = ARENA_ARRAY(sct_arena(), struct ct_property, count);
    for (size_t i = 0; i < count; i++) {
        char *name = arena_alloc(sct_arena(), 3);
        name[0] = (char)('a' + i / 16);
        name[1] = (char)('a' + i % 16);
        name[2] = '\0';
        properties[i] = (struct ct_property){.name = name, .type = CT_BOOL};
    }
    operation->entity = ct_row_new(sct_arena(), entity->key, entity->etag, properties, count);
}

// One property too many; the operations before are as wide as can be, which the index tells.
static void widen_too_far(struct ct_batch *batch, struct ct_operation *operation) {
    for (struct ct_operation *before = batch->operations; before < operation; before++)
        widen(before, 251);
    widen(operation, 252);
}

void forbidden_spoil(struct ct_batch *batch) {
    struct ct_operation *operation =
        &batch->operations[sct_choose((uint32_t)batch->count, "forbidden operation")];
    switch (sct_choose(5, "what is forbidden")) {
    case 0:
        add_row(batch, operation->entity->key.row);
        return;
    case 1:
        operation->entity->key.row = draw_name(reserved_rows);
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

const struct ct_filter *forbidden_filter(const char *partition, const struct ct_filter *rest) {
    struct arena *arena = sct_arena();
    const struct ct_filter *in_partition = ct_filter_in_partition(arena, partition);
    if (!rest)
        rest = ct_filter_compare_string(arena, CT_ROW_KEY, CT_GE, "");
    switch (sct_choose(6, "forbidden filter")) {
    case 0:
    case 1:
        return ct_filter_or(arena, in_partition, rest);
    case 2:
        return ct_filter_and(arena, rest, in_partition);
    case 3:
        return ct_filter_and(arena, ct_filter_and(arena, in_partition, rest), rest);
    case 4:
        return ct_filter_compare_string(arena, CT_PARTITION_KEY, CT_LE, partition);
    default:
        return NULL;
    }
}
