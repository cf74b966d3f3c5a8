// Building batches, and what makes one ill-formed.
#ifndef MODEL_TABLE_BATCH_H
#define MODEL_TABLE_BATCH_H

#include "model/table/table.h"

// An empty batch with room for [capacity] operations, in [arena].
struct ct_batch ct_batch_new(struct arena *arena, size_t capacity);

// Appends an operation. The entity stays the caller's and is not copied. REQUIREs (a violation is a
// program error, raised at once, whatever the table holds): a Replace, Merge or Delete has a
// non-empty If-Match; "**" only on a Delete; the partition is the one that the operations in the
// batch have set, if one of them has set any (null sets none and differs from all others). Asserts
// that there is room.
void ct_batch_add(struct ct_batch *batch, enum ct_op_type type, struct ct_row *entity);

// Whether [operation] is a Delete with If-Match "**".
bool ct_is_delete_if_exists(const struct ct_operation *operation);

// A copy with copies of the entities, as they are now (their If-Match values too).
struct ct_batch ct_batch_copy(struct arena *arena, const struct ct_batch *batch);

// The program error that a table must answer before it does anything: an empty batch, a null key,
// or several partitions; NULL if there is none.
const char *ct_batch_program_error(const struct ct_batch *batch);

// Whether a Replace, Merge or Delete has no If-Match: one that [ct_batch_add] has not built. A
// table may find that out only where there is a row, and answer 404 before.
bool ct_batch_lacks_if_match(const struct ct_batch *batch);

// Whether [table] gains by executing several batches together.
static inline bool ct_takes_groups(const struct ct_table *table) {
    return table->ops->version >= 3 && table->ops->execute_all;
}

// As execute_all of a table: through it, or one batch after the other. Then a server error, after
// which nothing more is sent, is the outcome of all that follow.
void ct_execute_all_at(struct ct_table *table, const char *where, struct ct_write *writes,
                       size_t count, struct arena *arena);

#define ct_execute_all(table, writes, count, arena) \
    ct_execute_all_at((table), HERE, (writes), (count), (arena))

// "Insert", "Replace", ..., "DeleteIfExists".
const char *ct_operation_name(const struct ct_operation *operation);

#endif
