// MigratingTable: one virtual table over an old and a new one while the data moves between them.
//
// Each application process opens its own instance over the same two tables and the same
// configuration service; the instance is itself a chain table. One process also runs the migrator.
// The argument why this is right, and all the names of the protocol, are in state.h.
#ifndef MODEL_MIGRATING_MIGRATING_H
#define MODEL_MIGRATING_MIGRATING_H

#include "bugs/bugs.h"
#include "model/config/config.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/env.h"

// Connections of one copier.
struct mt_copier {
    struct ct_table *old_table;
    struct ct_table *new_table;
};

struct mt_options {
    // The two must never give out the same ETag, or a condition on a row's old version could hold
    // for its copy. It is not believed blindly: a copy that gets the ETag of its original ends the
    // call with an internal error.
    struct ct_table *old_table;
    struct ct_table *new_table;
    struct mt_config *config;
    struct ct_env *env;
    // The migrator copies and cleans up so many rows together, if the tables take it: those of a
    // partition in one batch. 0 or 1: singly.
    size_t copy_rows;
    // The copy pass is made by so many tasks at once, each with tables of its own, further
    // connections of the two above, which then are read from alone. 0: by one, with those above.
    const struct mt_copier *copiers;
    size_t copier_count;
    struct bug_set *bugs; // injected bugs, or NULL
};

struct mt_table;

// An instance, in env's arena. No scheduling point.
struct mt_table *mt_open(const struct mt_options *options);

// The virtual table. A batch that mt_check_batch refuses is answered so, before any subscription or
// backend call and without a linearization point. Else execute and query
// report one linearization point each through env; a stream reports none. CT_INTERNAL_ERROR: a
// backend answered what the protocol holds impossible.
//
// Its limits (struct ct_table_limits) are those that one of the two tables has, the same in every
// state; rows of the protocol and tombstones count as rows of a query.
//
// A batch is also refused, after it has begun and without a linearization point, with what a
// backend refuses for a reason of its own (a row too large for it), and with 400 if it names a row
// of the old table that cannot be moved (see mt_check_rows).
//
// A write that was sent to a backend and not answered is CT_UNKNOWN: it has happened or not, and
// its linearization point, if it has, was reported as that of an unknown call. Nobody may take it
// for the one or the other. (Where a look at the row proves that it has not, it is a server error.)
//
// A backend's server error is passed up as CT_STATUS_SERVER_ERROR with index 0: the call has
// changed nothing that an application can see (partitions may be switched and rows copied), has no
// linearization point, and may be made again. A stream whose start fails is none. After a read that
// fails so the stream stands where it stood: read again. But if the error met the stream in a
// change of state, which has nobody to tell it to, the stream has failed: each read returns the
// error, and all that is left is to close it. The push of the state does not wait for more than
// that.
struct ct_table *mt_interface(struct mt_table *table);

// The limits of the virtual table: the real service's, less the guard that PREFER_OLD adds to a
// batch and the mark that written rows carry. Which characters a name may have is left to the two
// tables.
enum {
    MT_BATCH_OPERATIONS_MAX = CT_BATCH_OPERATIONS_MAX - 1,
    MT_ROW_PROPERTIES_MAX = CT_ROW_PROPERTIES_MAX - 1,
    MT_MARK_BYTES_MAX = 64, // what a mark adds to a row as the service counts it, rounded up
};
extern const struct ct_rules mt_rules;

// CT_ERROR_NONE, or why the virtual table refuses [batch] (which is no program error) whatever it
// holds, and the first operation for which it does: by mt_rules, or for a row key that begins with
// "_mtable_" or a reserved property.
enum ct_error mt_check_batch(const struct ct_batch *batch, size_t *op_index);

// Before the first process leaves the first state: CT_PROGRAM_ERROR, with a message that names it,
// if a row of the old table cannot be moved: it is over the limits, or has a reserved property or a
// reserved key. [tell] hears such a message of each, which is gone afterwards; without it (NULL)
// the first one ends the search. Reads the whole old table. (A row that is written so afterwards,
// by somebody who writes directly, ends the migration with 400 and such a message.)
struct ct_outcome mt_check_rows(struct mt_table *table,
                                void (*tell)(void *context, const char *why), void *context);

// The migrator: continues from the present state to the end (state by state, copy pass, clean-up
// pass) and returns when the old table is empty and no metadata is left, or with the first error.
// After CT_STATUS_SERVER_ERROR, or when the process that ran it has died at any point, call it
// again (one at a time): it pushes the present state once more, since nobody may have waited for
// the push before, and repeats the pass that was under way.
struct ct_outcome mt_migrate(struct mt_table *table);

// The way back to the first state, with nothing left of the migration but the state: possible until
// PREFER_NEW was pushed (CT_STATUS_CONFLICT afterwards). The migrator's call; after
// CT_STATUS_SERVER_ERROR it may be made again.
struct ct_outcome mt_undo(struct mt_table *table);

#endif
