// Batches within a transaction. Internal to model/sqlite.
#ifndef MODEL_SQLITE_BATCHES_H
#define MODEL_SQLITE_BATCHES_H

#include "model/sqlite/connection.h"
#include "model/sqlite/record.h"

// A transaction under way: the lock of the file is held.
struct writing {
    struct ct_sqlite_table *table; // whose connection it is
    struct arena *arena;           // of the batches that are entered, as the rest
    sqlite3_int64 id;              // of their table in the file, which is there; 0: none yet
    const char *name;              // under which it was found, or NULL
    bool is_alone;                 // one batch is all that the transaction has
    uint64_t number;               // of the next ETag
    int64_t time;                  // of the rows that it writes
};

// A batch, and what became of it so far.
struct part {
    struct ct_write *write;
    const struct record *records; // what its Inserts write
    struct ct_op_result *done;
};

// What [batch] is refused with before anybody looks at the file.
struct ct_outcome batches_check(const struct ct_sqlite_table *table, const struct ct_batch *batch);

// What the Inserts of [batch] will write: nobody waits for it, as for what is done in a
// transaction.
const struct record *batches_records(struct arena *arena, const struct ct_batch *batch);

// Takes numbers for [count] operations in a transaction that [table] has begun.
struct ct_outcome batches_begin(struct writing *writing, struct ct_sqlite_table *table,
                                size_t count, struct arena *arena);

// What follows is for the table that [chosen] has chosen, and allocates from [arena]. Fails if that
// table is not there or the deadline of [chosen] has passed.
struct ct_outcome batches_enter(struct writing *writing, struct ct_sqlite_table *chosen,
                                struct arena *arena);

// Applies batches, each with an outcome of its own. That it fails is for the whole transaction,
// which cannot go on; so must one that is alone and was refused be rolled back.
struct ct_outcome batches_apply(struct writing *writing, struct part *parts, size_t count);

// The batch is done: gives its results.
void batches_give(const struct part *part);

#endif
