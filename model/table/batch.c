#include "model/table/batch.h"

#include "model/table/row.h"

struct ct_batch ct_batch_new(struct arena *arena, size_t capacity) {
    return (struct ct_batch){.operations = ARENA_ARRAY(arena, struct ct_operation, capacity),
                             .count = 0,
                             .capacity = capacity};
}

static bool needs_if_match(enum ct_op_type type) {
    return type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
}

// The partition that the operations so far have set; NULL if none has.
// A key may be missing: bug DeletePrimaryKey adds an operation without one.
static const char *set_partition(const struct ct_batch *batch) {
    for (size_t i = 0; i < batch->count; i++)
        if (batch->operations[i].entity->key.partition)
            return batch->operations[i].entity->key.partition;
    return NULL;
}

void ct_batch_add(struct ct_batch *batch, enum ct_op_type type, struct ct_row *entity) {
    ASSERT(batch->count < batch->capacity);
    if (needs_if_match(type)) {
        REQUIRE(entity->etag && *entity->etag, "a Replace, Merge or Delete needs an If-Match");
        if (type != CT_DELETE)
            REQUIRE(!ct_string_equal(entity->etag, CT_IF_EXISTS_ETAG),
                    "the If-Match '**' is for a Delete only");
    }
    const char *partition = set_partition(batch);
    REQUIRE(!partition || ct_string_equal(entity->key.partition, partition),
            "all operations of a batch must be in one partition");
    batch->operations[batch->count++] = (struct ct_operation){.type = type, .entity = entity};
}

bool ct_is_delete_if_exists(const struct ct_operation *operation) {
    return operation->type == CT_DELETE &&
           ct_string_equal(operation->entity->etag, CT_IF_EXISTS_ETAG);
}

// Entities, too: executing a batch writes ETags into them.
struct ct_batch ct_batch_copy(struct arena *arena, const struct ct_batch *batch) {
    struct ct_batch copy = ct_batch_new(arena, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        copy.operations[i] = (struct ct_operation){
            .type = batch->operations[i].type,
            .entity = ct_row_copy(arena, batch->operations[i].entity),
        };
    copy.count = batch->count;
    return copy;
}

const char *ct_batch_program_error(const struct ct_batch *batch) {
    if (batch->count == 0)
        return "the batch is empty";
    const char *partition = batch->operations[0].entity->key.partition;
    for (size_t i = 0; i < batch->count; i++) {
        struct ct_key key = batch->operations[i].entity->key;
        if (!key.partition || !key.row)
            return "an operation of the batch has a null key";
        if (!ct_string_equal(key.partition, partition))
            return "the batch spans several partitions";
    }
    return NULL;
}

bool ct_batch_lacks_if_match(const struct ct_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        const char *if_match = batch->operations[i].entity->etag;
        if (needs_if_match(batch->operations[i].type) && (!if_match || !*if_match))
            return true;
    }
    return false;
}

// After a server error the rest has the same outcome without being sent: what is down stays down
// for a while.
static void execute_each(struct ct_table *table, const char *where, struct ct_write *writes,
                         size_t count, struct arena *arena) {
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < count; i++) {
        if (!ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
            outcome = table->ops->execute(table, where, &writes[i].batch, arena, writes[i].results);
        writes[i].outcome = outcome;
    }
}

void ct_execute_all_at(struct ct_table *table, const char *where, struct ct_write *writes,
                       size_t count, struct arena *arena) {
    if (ct_takes_groups(table))
        table->ops->execute_all(table, where, writes, count, arena);
    else
        execute_each(table, where, writes, count, arena);
}

const char *ct_operation_name(const struct ct_operation *operation) {
    switch (operation->type) {
    case CT_INSERT:
        return "Insert";
    case CT_REPLACE:
        return "Replace";
    case CT_MERGE:
        return "Merge";
    case CT_DELETE:
        return ct_is_delete_if_exists(operation) ? "DeleteIfExists" : "Delete";
    case CT_INSERT_OR_REPLACE:
        return "InsertOrReplace";
    case CT_INSERT_OR_MERGE:
        return "InsertOrMerge";
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown operation type %d", (int)operation->type);
}
