// Batches: to the old table while a partition is there, translated for the new table afterwards.
#include "model/migrating/mtable.h"

#include <string.h>

// A batch on its way to the new table: one attempt after the other until one is decided.
struct attempt {
    struct mt_table *table;
    enum mt_state state;
    const struct ct_batch *batch; // the application's
    struct mt_named_rows named;   // the rows that it names
    struct ct_rows existing;      // the new table's rows among them, as this attempt saw them
    struct ct_batch translated;   // what is sent to the new table
};

static bool leaves_tombstones(const struct attempt *attempt) {
    return attempt->state <= MT_USE_NEW_WITH_TOMBSTONES;
}

// In the last state rows are written as the application gave them: clean-up may have passed them.
static bool writes_metadata(const struct attempt *attempt) {
    return attempt->state < MT_USE_NEW_HIDE_METADATA ||
           bug_on(attempt->table->bugs, BUG_METADATA_IN_LAST_STATE);
}

static const struct ct_row *existing_row(const struct attempt *attempt,
                                         const struct ct_operation *operation) {
    return ct_rows_find(attempt->existing, operation->entity->key);
}

// Bugs 12 and 13: before the final fix, what DeleteIfExists does in the last state was decided by
// the attempt's query alone.
static bool is_decided_by_query(const struct attempt *attempt,
                                const struct ct_operation *operation) {
    struct bug_set *bugs = attempt->table->bugs;
    return !leaves_tombstones(attempt) && ct_is_delete_if_exists(operation) &&
           (bug_on(bugs, BUG_DELETE_IF_EXISTS_EMPTY_BATCH) ||
            bug_on(bugs, BUG_DELETE_IF_EXISTS_NOT_LINEARIZABLE));
}

static bool is_left_out(const struct attempt *attempt, const struct ct_operation *operation) {
    return is_decided_by_query(attempt, operation) && !existing_row(attempt, operation);
}

// ---- Translation -------------------------------------------------------------------------------

// The translate functions append the operation for the new table and return CT_STATUS_NONE, or
// return the status with which the application's operation is refused.

static void add_written(struct attempt *attempt, enum ct_op_type type,
                        const struct ct_operation *operation, const char *etag) {
    struct arena *arena = attempt->table->arena;
    struct ct_row *written = writes_metadata(attempt)
                                 ? mt_write_row(arena, operation->entity, etag)
                                 : mt_plain_row(arena, operation->entity, etag);
    ct_batch_add(&attempt->translated, type, written);
}

// A tombstone, or what a physical delete needs.
static void add_deletion(struct attempt *attempt, enum ct_op_type type,
                         const struct ct_operation *operation, const char *etag) {
    struct mt_table *table = attempt->table;
    struct ct_row *entity = leaves_tombstones(attempt)
                                ? mt_tombstone(table->arena, etag)
                                : mt_bare_row(table->arena, (struct ct_key){NULL, NULL}, etag);
    // A translated delete names the application's row.
    if (!bug_on(table->bugs, BUG_DELETE_PRIMARY_KEY))
        entity->key = operation->entity->key;
    ct_batch_add(&attempt->translated, type, entity);
}

// What a Replace, Merge or Delete is refused with, or CT_STATUS_NONE.
// In the order in which a table decides: absence comes before the ETag. A tombstone is an absence.
static enum ct_status failed_condition(const struct ct_operation *operation,
                                       const struct ct_row *existing) {
    const char *if_match = operation->entity->etag;
    if (!existing || mt_is_tombstone(existing))
        return CT_STATUS_NOT_FOUND;
    if (!ct_string_equal(if_match, CT_ANY_ETAG) && !ct_string_equal(if_match, existing->etag))
        return CT_STATUS_PRECONDITION_FAILED;
    return CT_STATUS_NONE;
}

// Where a tombstone stands, an Insert would be refused: it is replaced, if it is still that one.
static enum ct_status translate_insert(struct attempt *attempt,
                                       const struct ct_operation *operation,
                                       const struct ct_row *existing) {
    if (!existing)
        add_written(attempt, CT_INSERT, operation, NULL);
    else if (mt_is_tombstone(existing))
        add_written(attempt, CT_REPLACE, operation, existing->etag);
    else
        return CT_STATUS_CONFLICT;
    return CT_STATUS_NONE;
}

static enum ct_status translate_update(struct attempt *attempt,
                                       const struct ct_operation *operation,
                                       const struct ct_row *existing) {
    enum ct_status refusal = failed_condition(operation, existing);
    // If-Match is the ETag that was seen, never "*": the row must still be the live one.
    if (refusal == CT_STATUS_NONE)
        add_written(attempt, operation->type, operation, existing->etag);
    return refusal;
}

// A tombstone is left where an old row may still be read below it; in the last state nobody reads
// the old table.
static enum ct_status translate_delete(struct attempt *attempt,
                                       const struct ct_operation *operation,
                                       const struct ct_row *existing) {
    struct bug_set *bugs = attempt->table->bugs;
    enum ct_status refusal = failed_condition(operation, existing);
    if (refusal != CT_STATUS_NONE)
        return refusal;
    if (leaves_tombstones(attempt))
        add_deletion(attempt, CT_REPLACE, operation, existing->etag);
    else // A Delete needs an If-Match: the ETag that was seen.
        add_deletion(attempt, CT_DELETE, operation,
                     !bug_on(bugs, BUG_DELETE_NO_LEAVE_TOMBSTONES_ETAG) ? existing->etag : NULL);
    return CT_STATUS_NONE;
}

static enum ct_status translate_delete_if_exists(struct attempt *attempt,
                                                 const struct ct_operation *operation) {
    struct bug_set *bugs = attempt->table->bugs;
    // Unconditional, so no race can refuse this operation. Over an absent row it leaves a
    // tombstone, too, which clean-up removes.
    if (leaves_tombstones(attempt))
        add_deletion(attempt, CT_INSERT_OR_REPLACE, operation, NULL);
    else if (!is_decided_by_query(attempt, operation))
        // A Delete needs an If-Match: here the one that accepts everything.
        add_deletion(attempt, CT_DELETE, operation,
                     !bug_on(bugs, BUG_DELETE_NO_LEAVE_TOMBSTONES_ETAG) ? CT_IF_EXISTS_ETAG : NULL);
    else if (!is_left_out(attempt, operation))
        add_deletion(attempt, CT_DELETE, operation, CT_ANY_ETAG);
    return CT_STATUS_NONE;
}

// A merge that wrote the mark would bring a tombstone back to life whenever it came. Without the
// mark it must know what it merges into.
static void translate_insert_or_merge(struct attempt *attempt, const struct ct_operation *operation,
                                      const struct ct_row *existing) {
    if (writes_metadata(attempt))
        add_written(attempt, CT_INSERT_OR_MERGE, operation, NULL);
    else if (!existing)
        add_written(attempt, CT_INSERT, operation, NULL);
    else
        add_written(attempt, mt_is_tombstone(existing) ? CT_REPLACE : CT_MERGE, operation,
                    existing->etag);
}

static enum ct_status translate(struct attempt *attempt, const struct ct_operation *operation) {
    const struct ct_row *existing = existing_row(attempt, operation);
    switch (operation->type) {
    case CT_INSERT:
        return translate_insert(attempt, operation, existing);
    case CT_REPLACE:
    case CT_MERGE:
        return translate_update(attempt, operation, existing);
    case CT_DELETE:
        return ct_is_delete_if_exists(operation) ? translate_delete_if_exists(attempt, operation)
                                                 : translate_delete(attempt, operation, existing);
    // Whole rows with the mark: right over a row, a tombstone or nothing, so no ETag is needed.
    case CT_INSERT_OR_REPLACE:
        add_written(attempt, CT_INSERT_OR_REPLACE, operation, NULL);
        return CT_STATUS_NONE;
    case CT_INSERT_OR_MERGE:
        translate_insert_or_merge(attempt, operation, existing);
        return CT_STATUS_NONE;
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown operation type %d", (int)operation->type);
}

static struct ct_outcome translate_all(struct attempt *attempt) {
    attempt->translated.count = 0;
    for (size_t i = 0; i < attempt->batch->count; i++) {
        enum ct_status refusal = translate(attempt, &attempt->batch->operations[i]);
        if (refusal != CT_STATUS_NONE)
            return ct_storage_error(refusal, i);
    }
    return ct_success();
}

// ---- Unknown outcomes --------------------------------------------------------------------------

// The first operation of [batch] whose If-Match is an ETag, or NULL.
static const struct ct_operation *bound_operation(const struct ct_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        const struct ct_operation *operation = &batch->operations[i];
        bool is_conditional = operation->type == CT_REPLACE || operation->type == CT_MERGE ||
                              operation->type == CT_DELETE;
        if (is_conditional && operation->entity->etag[0] != '*')
            return operation;
    }
    return NULL;
}

// Whether [batch], which was sent to [backend] and not answered, is known not to have been done: a
// row still has the ETag that it was sent for, and ETags do not come back. That it has another one
// now proves nothing: somebody else may have written it.
// The read comes after the request's deadline, which whoever reported the outcome has waited for:
// what has not been done by now never will be.
static bool was_not_done(struct mt_table *table, struct ct_table *backend,
                         const struct ct_batch *batch) {
    const struct ct_operation *operation = bound_operation(batch);
    const struct ct_row *row;
    if (!operation)
        return false;
    struct ct_outcome outcome = mt_read_row(table, backend, operation->entity->key, &row);
    return outcome.kind == CT_SUCCEEDED && row &&
           ct_string_equal(row->etag, operation->entity->etag);
}

// The application's own writes, as [batch], were sent to [backend] and not answered: what the call
// ends with.
// The call ends even where another attempt would succeed: if the first one was done, the second
// would overwrite what others have read and changed since.
static struct ct_outcome after_unknown(struct mt_table *table, struct ct_table *backend,
                                       const struct ct_batch *batch, struct ct_outcome unknown) {
    mt_note_lp(table); // if it was done
    if (was_not_done(table, backend, batch))
        return mt_server_error();
    // What may have happened is not to be made again.
    return !bug_on(table->bugs, BUG_UNKNOWN_TAKEN_FOR_NOT_DONE) ? unknown : mt_server_error();
}

// ---- The new-table procedure -------------------------------------------------------------------

// The application's result of an operation that became [new_etag] in the new table.
static struct ct_op_result result_of(struct attempt *attempt, const struct ct_operation *operation,
                                     const char *new_etag) {
    struct bug_set *bugs = attempt->table->bugs;
    const char *etag = new_etag;
    // A delete returns no ETag, even when it wrote a tombstone ...
    if (operation->type == CT_DELETE && !bug_on(bugs, BUG_TOMBSTONE_OUTPUT_ETAG))
        etag = NULL;
    // ... and only a delete.
    if (operation->type != CT_DELETE && bug_on(bugs, BUG_TOMBSTONE_OUTPUT_ETAG_INVERTED))
        etag = NULL;
    if (etag)
        operation->entity->etag = etag;
    return (struct ct_op_result){
        .status = operation->type == CT_INSERT ? CT_STATUS_CREATED : CT_STATUS_NO_CONTENT,
        .etag = etag,
        .entity = operation->entity,
    };
}

// The application's results from those of the translated operations.
static void build_results(struct attempt *attempt, const struct ct_op_result *new_results,
                          struct ct_op_result *results) {
    const struct ct_batch *batch = attempt->batch;
    size_t next = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct ct_operation *operation = &batch->operations[i];
        bool left_out = is_left_out(attempt, operation);
        results[i] = result_of(attempt, operation, left_out ? NULL : new_results[next++].etag);
    }
}

// Whether [refusal] of a translated batch comes of a row that has changed since the query. Any
// other will be the same when the batch is sent again.
// Each race was lost to a write that succeeded, so somebody gets on; but nothing bounds how often
// one call may lose.
static bool is_race(struct ct_outcome refusal) {
    return ct_failed_with(refusal, CT_STATUS_NOT_FOUND) ||
           ct_failed_with(refusal, CT_STATUS_CONFLICT) ||
           ct_failed_with(refusal, CT_STATUS_PRECONDITION_FAILED);
}

// The new table refuses the [index]-th operation of the translated batch for a reason of its own
// (it is too large, say): so does the virtual table, for the operation that it came from.
static struct ct_outcome refusal_of_own(struct attempt *attempt, enum ct_status status,
                                        size_t index) {
    size_t i = 0;
    for (size_t sent = 0; i < attempt->batch->count; i++)
        if (!is_left_out(attempt, &attempt->batch->operations[i]) && sent++ == index)
            break;
    return ct_storage_error(status, i);
}

// Sends the translated batch; [decided] tells whether it succeeded.
static struct ct_outcome submit(struct attempt *attempt, struct ct_op_result *results,
                                bool *decided) {
    struct mt_table *table = attempt->table;
    struct ct_op_result *new_results =
        ARENA_ARRAY(table->arena, struct ct_op_result, attempt->translated.count);
    mt_note(table); // the query before
    struct ct_outcome outcome =
        ct_execute(table->new_table, &attempt->translated, table->arena, new_results);
    if (mt_is_server_error(outcome))
        return mt_server_error(); // of the application's call; no new attempt
    if (outcome.kind == CT_UNKNOWN)
        return after_unknown(table, table->new_table, &attempt->translated, outcome);
    if (outcome.kind == CT_STORAGE_ERROR) {
        mt_note(table);
        return is_race(outcome) ? ct_success() // try again
                                : refusal_of_own(attempt, outcome.status, outcome.op_index);
    }
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    build_results(attempt, new_results, results);
    mt_note_lp_results(table, results, attempt->batch->count);
    *decided = true;
    return ct_success();
}

// One attempt; success without [decided] means: again.
static struct ct_outcome try_once(struct attempt *attempt, struct ct_op_result *results,
                                  bool *decided) {
    struct mt_table *table = attempt->table;
    struct ct_outcome outcome =
        mt_query_named(table, table->new_table, &attempt->named, &attempt->existing);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "batch: unexpected answer of the new table");
    // The note of the query waits: if the batch is refused, the query is the linearization point.
    outcome = translate_all(attempt);
    if (outcome.kind != CT_SUCCEEDED) {
        mt_note_lp(table);
        return outcome;
    }
    // Every operation is sent, so that the new table decides on all of them at one instant.
    if (attempt->translated.count > 0 ||
        !bug_on(table->bugs, BUG_DELETE_IF_EXISTS_NOT_LINEARIZABLE))
        return submit(attempt, results, decided);
    build_results(attempt, NULL, results);
    mt_note_lp_results(table, results, attempt->batch->count);
    *decided = true;
    return ct_success();
}

// In this order. Once the partition is switched its old rows do not change, so what is copied
// cannot be stale; once the named rows are copied the new table alone decides on them, and an
// attempt is a query and a batch that holds only if nothing has changed since the query.
static struct ct_outcome new_table_batch(struct mt_table *table, enum mt_state state,
                                         struct ct_batch *batch, struct ct_op_result *results,
                                         struct digest mark) {
    const char *partition = batch->operations[0].entity->key.partition;
    struct attempt attempt = {
        .table = table,
        .state = state,
        .batch = batch,
        .named = mt_named_rows(table, batch),
        .translated = ct_batch_new(table->arena, batch->count),
    };
    struct ct_outcome outcome = ct_success();
    // In the last state nobody looks at partition states, and clean-up is removing them.
    // In USE_NEW_WITH_TOMBSTONES it matters still: who is in PREFER_NEW reads the old table alone
    // of a partition that nobody has switched.
    if (state < MT_USE_NEW_HIDE_METADATA || bug_on(table->bugs, BUG_ENSURE_SWITCHED_IN_LAST_STATE))
        outcome = mt_ensure_switched(table, partition);
    if (outcome.kind == CT_SUCCEEDED)
        mt_forget(table, mark, "batch: partition is ready", 0);
    // Later the copy pass has ended: the new table holds every row.
    if (outcome.kind == CT_SUCCEEDED && state <= MT_PREFER_NEW)
        outcome = mt_ensure_rows_migrated(table, batch, &attempt.named);
    bool decided = false;
    while (outcome.kind == CT_SUCCEEDED && !decided) {
        mt_forget(table, mark, "batch: attempt", 0); // of what was seen before nothing is used
        outcome = try_once(&attempt, results, &decided);
    }
    return outcome;
}

// ---- The states --------------------------------------------------------------------------------

// Nobody is further than PREFER_OLD, which writes to the old table, too, and in the first state
// there is no partition state: the table itself decides at one instant.
static struct ct_outcome old_table_batch(struct mt_table *table, struct ct_batch *batch,
                                         struct ct_op_result *results) {
    struct ct_outcome outcome = ct_execute(table->old_table, batch, table->arena, results);
    if (mt_is_server_error(outcome))
        return mt_server_error();
    if (outcome.kind == CT_UNKNOWN)
        return after_unknown(table, table->old_table, batch, outcome);
    if (outcome.kind == CT_SUCCEEDED)
        mt_note_lp_results(table, results, batch->count);
    else if (outcome.kind == CT_STORAGE_ERROR)
        mt_note_lp(table);
    return outcome;
}

// The application's own operations behind the guard: a Merge of nothing into the assertion row,
// which a switched partition has not.
// It comes first, so that its refusal has index 0 and hides whatever the old rows would be refused
// for. A table decides on a batch at one instant: either the switch came before, and nothing is
// done, or it comes after, and whoever copies reads what was written.
static struct ct_batch guarded_batch(struct mt_table *table, const struct ct_batch *batch) {
    const char *partition = batch->operations[0].entity->key.partition;
    struct ct_batch guarded = ct_batch_new(table->arena, batch->count + 1);
    ct_batch_add(&guarded, CT_MERGE,
                 mt_bare_row(table->arena, mt_assertion_key(partition), CT_ANY_ETAG));
    for (size_t i = 0; i < batch->count; i++)
        ct_batch_add(&guarded, batch->operations[i].type, batch->operations[i].entity);
    return guarded;
}

// A batch of a populated partition. [switched] tells that it was switched and nothing was done.
static struct ct_outcome populated_batch(struct mt_table *table, struct ct_batch *batch,
                                         struct ct_op_result *results, bool *switched) {
    struct ct_batch guarded = guarded_batch(table, batch);
    struct ct_op_result *all = ARENA_ARRAY(table->arena, struct ct_op_result, guarded.count);
    struct ct_outcome outcome = ct_execute(table->old_table, &guarded, table->arena, all);
    if (mt_is_server_error(outcome))
        return mt_server_error(); // its index is no sign of a switched partition
    if (outcome.kind == CT_UNKNOWN)
        return after_unknown(table, table->old_table, batch, outcome);
    if (outcome.kind == CT_SUCCEEDED) {
        memcpy(results, all + 1, batch->count * sizeof(struct ct_op_result));
        mt_note_lp_results(table, results, batch->count);
    } else if (outcome.kind == CT_STORAGE_ERROR && outcome.op_index > 0) {
        outcome.op_index--;
        mt_note_lp(table);
    } else if (ct_failed_with(outcome, CT_STATUS_NOT_FOUND)) {
        *switched = true;
        mt_note(table);
    } else {
        return mt_unexpected(outcome, "batch: unexpected answer of the old table");
    }
    return outcome;
}

// A look at the old table, and what a DeleteIfExists of [key] finds there.
struct absence {
    bool is_switched;         // the partition is
    const struct ct_row *row; // NULL: absent
};

static struct ct_outcome look_for(struct mt_table *table, struct ct_key key,
                                  struct absence *found) {
    const char *row_keys[] = {key.row, MT_META_ROW};
    const struct ct_filter *filter = ct_filter_rows(table->arena, key.partition, row_keys, 2);
    struct ct_rows rows;
    struct ct_outcome outcome = ct_query(table->old_table, filter, table->arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "batch: unexpected answer of the old table");
    const struct ct_row *meta = ct_rows_find(rows, mt_meta_key(key.partition));
    found->is_switched = mt_partition_state_of(meta) == MT_PARTITION_SWITCHED;
    found->row = ct_rows_find(rows, key);
    return outcome;
}

// Deletes [row] of the old table behind the guard, if it is still that version. [again]: it is not.
// 404 or 412 at the row: another has written it since the look, so it is looked at anew.
static struct ct_outcome delete_guarded(struct mt_table *table, const struct ct_row *row,
                                        struct ct_op_result *result, bool *switched, bool *again) {
    struct ct_operation operation = {CT_DELETE, mt_bare_row(table->arena, row->key, row->etag)};
    struct ct_batch deletion = {.operations = &operation, .count = 1, .capacity = 1};
    struct ct_batch guarded = guarded_batch(table, &deletion);
    struct ct_op_result results[2];
    struct ct_outcome outcome = ct_execute(table->old_table, &guarded, table->arena, results);
    if (outcome.kind == CT_UNKNOWN)
        return after_unknown(table, table->old_table, &deletion, outcome);
    if (outcome.kind == CT_SUCCEEDED) {
        mt_note_lp_results(table, result, 1);
        return outcome;
    }
    bool is_missing = ct_failed_with(outcome, CT_STATUS_NOT_FOUND);
    *switched = is_missing && outcome.op_index == 0;
    *again = outcome.op_index == 1 &&
             (is_missing || ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED));
    if (!*switched && !*again)
        return mt_unexpected(outcome, "batch: unexpected answer of the old table");
    mt_note(table);
    return ct_success();
}

// One DeleteIfExists of a populated partition of a table that cannot have it behind a guard: the
// row is deleted under the ETag that it has, and absent if it is so while the partition is not
// switched.
static struct ct_outcome populated_delete_if_exists(struct mt_table *table, struct ct_batch *batch,
                                                    struct ct_op_result *result, bool *switched,
                                                    struct digest mark) {
    struct ct_row *entity = batch->operations[0].entity;
    struct ct_outcome outcome = ct_success();
    *result = (struct ct_op_result){.status = CT_STATUS_NO_CONTENT, .entity = entity};
    for (bool again = true; again && outcome.kind == CT_SUCCEEDED;) {
        struct absence found = {.row = NULL};
        again = false;
        mt_forget(table, mark, "delete if exists: attempt", 0);
        outcome = look_for(table, entity->key, &found);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        // Of a switched partition the old table says nothing.
        *switched = found.is_switched && !bug_on(table->bugs, BUG_ABSENT_WITHOUT_STATE);
        // The look itself is the linearization point: at that instant the row was absent and the
        // old table still counted.
        if (!*switched && !found.row) {
            mt_note_lp_results(table, result, 1);
            return outcome;
        }
        mt_note(table);
        if (!*switched)
            outcome = delete_guarded(table, found.row, result, switched, &again);
    }
    return outcome;
}

static struct ct_outcome prefer_old_batch(struct mt_table *table, struct ct_batch *batch,
                                          struct ct_op_result *results, struct digest mark) {
    struct ct_outcome outcome =
        mt_mark_populated(table, batch->operations[0].entity->key.partition);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    mt_forget(table, mark, "batch: partition is marked", 0);
    bool switched = false;
    bool is_alone = ct_limits(table->old_table).no_delete_if_exists && batch->count == 1 &&
                    ct_is_delete_if_exists(&batch->operations[0]);
    outcome = is_alone ? populated_delete_if_exists(table, batch, results, &switched, mark)
                       : populated_batch(table, batch, results, &switched);
    // A partition never goes back, so the other way is taken once and for all.
    return switched ? new_table_batch(table, MT_PREFER_OLD, batch, results, mark) : outcome;
}

// What the real service would refuse, and what the protocol keeps for itself.
enum ct_error mt_check_batch(const struct ct_batch *batch, size_t *op_index) {
    size_t index;
    enum ct_error error = ct_check_batch(&mt_rules, batch, &index);
    size_t end = error == CT_ERROR_NONE ? batch->count : index;
    for (size_t i = 0; i < end && error != CT_ERROR_NAME_RESERVED; i++) {
        const struct ct_row *entity = batch->operations[i].entity;
        if (mt_is_reserved(entity->key) || mt_has_metadata(entity)) {
            error = CT_ERROR_NAME_RESERVED;
            index = i;
        }
    }
    if (error != CT_ERROR_NONE)
        *op_index = index;
    return error;
}

static struct ct_outcome execute_in(struct mt_table *table, enum mt_state state,
                                    struct ct_batch *batch, struct ct_op_result *results) {
    if (state == MT_USE_OLD_HIDE_METADATA)
        return old_table_batch(table, batch, results);
    if (state == MT_PREFER_OLD)
        return prefer_old_batch(table, batch, results, mt_observed(table));
    return new_table_batch(table, state, batch, results, mt_observed(table));
}

struct ct_outcome mt_execute(struct ct_table *interface, const char *where, struct ct_batch *batch,
                             struct arena *arena, struct ct_op_result *results) {
    (void)where;
    struct mt_table table = mt_with_arena((struct mt_table *)interface, arena);
    const char *error = ct_batch_program_error(batch);
    if (error)
        return ct_program_error(error);
    if (ct_batch_lacks_if_match(batch)) // whatever the state, and whether there is a row or not
        return ct_program_error("a Replace, Merge or Delete without an If-Match");
    size_t index;
    enum ct_error refused = mt_check_batch(batch, &index);
    if (refused == CT_ERROR_NONE) // in every state, so that what is refused does not depend on it
        refused = ct_limits_check(mt_limits(interface), batch, &index);
    if (refused != CT_ERROR_NONE)
        return ct_refusal(refused, index);
    // Every refusal above came without it: what an application does wrong costs no request and
    // holds up no push.
    struct mt_subscription subscription = {.apply = NULL}; // the whole call runs in one state
    enum mt_state state;
    struct ct_outcome outcome = mt_subscribe(&table, &subscription, &state);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    outcome = execute_in(&table, state, batch, results);
    mt_unsubscribe(&table, &subscription);
    return outcome;
}
