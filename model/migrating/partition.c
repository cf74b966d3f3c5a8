// Partition states and row copies: the steps that writers and the migrator share.
#include "model/migrating/mtable.h"

struct ct_outcome mt_read_row(struct mt_table *table, struct ct_table *backend, struct ct_key key,
                              const struct ct_row **row) {
    struct ct_rows rows;
    if (!key.partition || !key.row) // of a write that nobody has looked at, whose answer was lost
        return ct_program_error("a row is read whose key is null");
    struct ct_outcome outcome =
        ct_query(backend, ct_filter_point(table->arena, key), table->arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "read of a row: unexpected answer of a backend table");
    mt_note(table);
    *row = ct_rows_find(rows, key);
    return ct_success();
}

struct ct_outcome mt_read_state(struct mt_table *table, const char *partition,
                                enum mt_partition_state *state) {
    const struct ct_row *meta = NULL;
    struct ct_outcome outcome = mt_read_row(table, table->old_table, mt_meta_key(partition), &meta);
    *state = mt_partition_state_of(meta);
    return outcome;
}

// After an unknown outcome: success if the partition is SWITCHED, whoever has done it.
static struct ct_outcome decide_switched(struct mt_table *table, const char *partition) {
    enum mt_partition_state state;
    struct ct_outcome outcome = mt_read_state(table, partition, &state);
    return outcome.kind == CT_SUCCEEDED ? mt_decided(state == MT_PARTITION_SWITCHED) : outcome;
}

struct ct_outcome mt_mark_populated(struct mt_table *table, const char *partition) {
    struct ct_batch batch = ct_batch_new(table->arena, 2);
    ct_batch_add(&batch, CT_INSERT,
                 mt_meta_row(table->arena, partition, MT_PARTITION_POPULATED, NULL));
    ct_batch_add(&batch, CT_INSERT, mt_assertion_row(table->arena, partition));
    struct ct_op_result results[2];
    struct ct_outcome outcome = ct_execute(table->old_table, &batch, table->arena, results);
    // 409 is ignored: the partition is POPULATED or SWITCHED already.
    bool is_over = outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_CONFLICT);
    if (!is_over && outcome.kind != CT_UNKNOWN)
        return mt_unexpected(outcome, "mark populated: unexpected answer of the old table");
    mt_note(table);
    if (is_over)
        return ct_success();
    enum mt_partition_state state;
    outcome = mt_read_state(table, partition, &state);
    return outcome.kind == CT_SUCCEEDED ? mt_decided(state != MT_PARTITION_NONE) : outcome;
}

// none -> SWITCHED. Tells in [switched] whether the partition was still without a meta row.
static struct ct_outcome switch_from_none(struct mt_table *table, const char *partition,
                                          bool *switched) {
    struct ct_row *meta = mt_meta_row(table->arena, partition, MT_PARTITION_SWITCHED, NULL);
    const char *etag;
    struct ct_outcome outcome = mt_write(table, table->old_table, CT_INSERT, meta, &etag);
    bool had_meta_row = ct_failed_with(outcome, CT_STATUS_CONFLICT);
    if (outcome.kind != CT_SUCCEEDED && outcome.kind != CT_UNKNOWN && !had_meta_row)
        return mt_unexpected(outcome, "switch: unexpected answer of the old table");
    mt_note(table);
    *switched = !had_meta_row;
    return outcome.kind == CT_UNKNOWN ? decide_switched(table, partition) : ct_success();
}

// POPULATED -> SWITCHED. The order matters: whoever comes second sees Replace succeed and Delete
// fail, and the rollback keeps SWITCHED.
// It also takes the guard away from under every PREFER_OLD batch that has not been done yet.
static struct ct_outcome switch_from_populated(struct mt_table *table, const char *partition) {
    struct ct_batch batch = ct_batch_new(table->arena, 2);
    ct_batch_add(&batch, CT_REPLACE,
                 mt_meta_row(table->arena, partition, MT_PARTITION_SWITCHED, CT_ANY_ETAG));
    ct_batch_add(&batch, CT_DELETE,
                 mt_bare_row(table->arena, mt_assertion_key(partition), CT_ANY_ETAG));
    struct ct_op_result results[2];
    struct ct_outcome outcome = ct_execute(table->old_table, &batch, table->arena, results);
    bool was_switched = ct_failed_with(outcome, CT_STATUS_NOT_FOUND) && outcome.op_index == 1;
    bool is_over = outcome.kind == CT_SUCCEEDED || was_switched;
    if (!is_over && outcome.kind != CT_UNKNOWN)
        return mt_unexpected(outcome, "switch populated: unexpected answer of the old table");
    mt_note(table);
    return is_over ? ct_success() : decide_switched(table, partition);
}

// States only go forward, so this ends with the second look.
static struct ct_outcome switch_from_any(struct mt_table *table, const char *partition) {
    bool switched = false;
    while (!switched) {
        enum mt_partition_state state;
        struct ct_outcome outcome = mt_read_state(table, partition, &state);
        if (outcome.kind != CT_SUCCEEDED || state == MT_PARTITION_SWITCHED)
            return outcome;
        if (state == MT_PARTITION_POPULATED)
            return switch_from_populated(table, partition);
        // On a conflict it is now POPULATED or SWITCHED: look again.
        outcome = switch_from_none(table, partition, &switched);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
    }
    return ct_success();
}

struct ct_outcome mt_ensure_switched(struct mt_table *table, const char *partition) {
    // A partition that has a meta row may still be POPULATED: its state must be read.
    if (!bug_on(table->bugs, BUG_ENSURE_PARTITION_SWITCHED_FROM_POPULATED))
        return switch_from_any(table, partition);
    return switch_from_none(table, partition, &(bool){false});
}

// Both rows go together: an assertion row alone lets who is in PREFER_OLD write to the old table,
// of a partition that another has SWITCHED without a look at it.
static struct ct_outcome delete_marks(struct mt_table *table, const char *partition,
                                      enum mt_partition_state state) {
    struct ct_batch batch = ct_batch_new(table->arena, 2);
    if (state != MT_PARTITION_NONE)
        ct_batch_add(&batch, CT_DELETE,
                     mt_bare_row(table->arena, mt_meta_key(partition), CT_ANY_ETAG));
    if (state != MT_PARTITION_SWITCHED)
        ct_batch_add(&batch, CT_DELETE,
                     mt_bare_row(table->arena, mt_assertion_key(partition), CT_ANY_ETAG));
    struct ct_op_result results[2];
    struct ct_outcome outcome = ct_execute(table->old_table, &batch, table->arena, results);
    bool is_gone = ct_failed_with(outcome, CT_STATUS_NOT_FOUND);
    if (outcome.kind != CT_SUCCEEDED && outcome.kind != CT_UNKNOWN && !is_gone)
        return mt_unexpected(outcome, "unmark: unexpected answer of the old table");
    mt_note(table);
    return is_gone ? ct_success() : outcome;
}

struct ct_outcome mt_unmark(struct mt_table *table, const char *partition) {
    struct ct_outcome outcome;
    do { // what was not answered is looked at again
        enum mt_partition_state state;
        outcome = mt_read_state(table, partition, &state);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        outcome = delete_marks(table, partition, state);
    } while (outcome.kind == CT_UNKNOWN);
    return outcome;
}

// ---- Several partitions ------------------------------------------------------------------------

static void note_plainly(struct mt_table *table, const struct ct_write *write) {
    (void)write;
    mt_note(table);
}

struct ct_outcome mt_ensure_all_switched(struct mt_table *table, const char *const *partitions,
                                         size_t count) {
    if (count == 1)
        return mt_ensure_switched(table, partitions[0]);
    struct ct_write *writes = ARENA_ARRAY(table->arena, struct ct_write, count);
    for (size_t i = 0; i < count; i++) {
        writes[i] = mt_new_write(table->arena, 1);
        ct_batch_add(&writes[i].batch, CT_INSERT,
                     mt_meta_row(table->arena, partitions[i], MT_PARTITION_SWITCHED, NULL));
    }
    // In the copy pass most partitions have no meta row: one insert each, without a look before.
    // Those that have one pay with a refusal.
    mt_execute_all(table, table->old_table, writes, count, note_plainly);
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < count && outcome.kind == CT_SUCCEEDED; i++) {
        outcome = writes[i].outcome;
        if (outcome.kind == CT_UNKNOWN)
            outcome = decide_switched(table, partitions[i]);
        else if (ct_failed_with(outcome, CT_STATUS_CONFLICT)) // it has a meta row: which one?
            outcome = mt_ensure_switched(table, partitions[i]);
    }
    return mt_unexpected(outcome, "switch: unexpected answer of the old table");
}

// ---- Copies ------------------------------------------------------------------------------------

// Whether the copy of a row is there; no client deletes a row of the new table in these states.
// Whose copy it is does not matter: the partition is switched, so any is of the same old row, or of
// a later write of an application.
static struct ct_outcome decide_copied(struct mt_table *table, struct ct_key key) {
    const struct ct_row *copy;
    struct ct_outcome outcome = mt_read_row(table, table->new_table, key, &copy);
    return outcome.kind == CT_SUCCEEDED ? mt_decided(copy != NULL) : outcome;
}

const char *mt_why_immovable(struct arena *arena, const struct ct_row *row) {
    struct ct_key key = row->key;
    if (row->property_count > MT_ROW_PROPERTIES_MAX)
        return arena_printf(arena, "row '%s' '%s' has %zu properties; at most %d can be moved",
                            key.partition, key.row, row->property_count, MT_ROW_PROPERTIES_MAX);
    if (mt_has_metadata(row))
        return arena_printf(arena, "row '%s' '%s' has a property '%s' or '%s', which are reserved",
                            key.partition, key.row, MT_DELETED_PROPERTY,
                            MT_PARTITION_STATE_PROPERTY);
    enum ct_error error = ct_check_row(&mt_rules, row);
    if (error != CT_ERROR_NONE)
        return arena_printf(arena, "row '%s' '%s' cannot be moved: %s", key.partition, key.row,
                            ct_error_message(error));
    return NULL;
}

// Every row's visible ETag changes when it is copied: who has the old one must not match.
static struct ct_outcome check_etags(const struct ct_row *row, const char *etag) {
    bool collide = etag && ct_string_equal(etag, row->etag);
    return collide ? ct_internal_error("the old and the new table gave out the same ETag")
                   : ct_success();
}

struct ct_outcome mt_try_copy(struct mt_table *table, const struct ct_row *row) {
    const char *why = mt_why_immovable(table->arena, row);
    if (why)
        return (struct ct_outcome){
            .kind = CT_STORAGE_ERROR, .status = CT_STATUS_BAD_REQUEST, .message = why};
    // An Insert never overwrites: what is there already, a tombstone too, is at least as new as the
    // old row.
    struct ct_row *copy = mt_write_row(table->arena, row, NULL);
    const char *etag;
    struct ct_outcome outcome = mt_write(table, table->new_table, CT_INSERT, copy, &etag);
    bool was_there = ct_failed_with(outcome, CT_STATUS_CONFLICT);
    if (outcome.kind != CT_SUCCEEDED && outcome.kind != CT_UNKNOWN && !was_there)
        return mt_unexpected(outcome, "copy row: unexpected answer of the new table");
    // From now on the new table's row represents the row, under its own ETag. After a 409 it did
    // so before.
    if (was_there)
        mt_note(table);
    else
        mt_note_etag(table, row->key, etag);
    return outcome.kind == CT_UNKNOWN ? decide_copied(table, row->key) : check_etags(row, etag);
}

// The filters for [rows], of one partition.
static struct mt_named_rows names_of(struct mt_table *table, const struct ct_row *const *rows,
                                     size_t count) {
    struct ct_batch batch = ct_batch_new(table->arena, count);
    for (size_t i = 0; i < count; i++)
        ct_batch_add(&batch, CT_INSERT, mt_bare_row(table->arena, rows[i]->key, NULL));
    return mt_named_rows(table, &batch);
}

static bool is_too_large(struct ct_outcome outcome) {
    return outcome.kind == CT_STORAGE_ERROR && outcome.error == CT_ERROR_NOT_ONE_INSTANT;
}

// Whether all of [rows] are in the new table.
// One whose answers have a size at most is a service, which takes some 15 comparisons in a filter:
// it is asked for their range, or, where that holds too much, for each of them.
static struct ct_outcome decide_all_copied(struct mt_table *table, const struct ct_row *const *rows,
                                           size_t count) {
    struct ct_table *backend = table->new_table;
    struct mt_named_rows named = names_of(table, rows, count);
    struct ct_rows copies;
    bool has_limit = ct_limits(backend).query_rows > 0;
    struct ct_outcome outcome =
        ct_query(backend, has_limit ? named.range : named.rows, table->arena, &copies);
    bool is_each = is_too_large(outcome);
    if (outcome.kind != CT_SUCCEEDED && !is_each)
        return mt_unexpected(outcome, "copy rows: unexpected answer of the new table");
    mt_note(table);
    outcome = ct_success();
    for (size_t i = 0; i < count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = is_each ? decide_copied(table, rows[i]->key)
                          : mt_decided(ct_rows_find(copies, rows[i]->key) != NULL);
    return outcome;
}

static struct ct_outcome copy_one_by_one(struct mt_table *table, const struct ct_row *const *rows,
                                         size_t count) {
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = mt_try_copy(table, rows[i]);
    return outcome;
}

static struct ct_write write_of_copies(struct mt_table *table, const struct ct_row *const *rows,
                                       size_t count) {
    struct ct_write write = mt_new_write(table->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct ct_row *copy = mt_write_row(table->arena, rows[i], NULL);
        ct_batch_add(&write.batch, CT_INSERT, copy);
        write.results[i] = (struct ct_op_result){.entity = copy};
    }
    return write;
}

static bool is_refused(const struct ct_write *write) {
    return write->outcome.kind == CT_STORAGE_ERROR && !mt_is_server_error(write->outcome);
}

static void note_copies(struct mt_table *table, const struct ct_write *write) {
    if (is_refused(write))
        mt_note(table);
    else
        mt_note_etags(table, write->results, write->batch.count);
}

// Of a [write] that was executed. If it was refused nothing was done: some row is there already, or
// they are too large together.
static struct ct_outcome conclude_copies(struct mt_table *table, const struct ct_row *const *rows,
                                         const struct ct_write *write) {
    struct ct_outcome outcome = write->outcome;
    if (is_refused(write))
        return ct_success();
    if (outcome.kind == CT_UNKNOWN)
        return decide_all_copied(table, rows, write->batch.count);
    for (size_t i = 0; i < write->batch.count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = check_etags(rows[i], write->results[i].etag);
    return mt_unexpected(outcome, "copy rows: unexpected answer of the new table");
}

// Takes from [rows] those that the new table has; none if it does not give all of their range.
// Two rows that are next to each other in the old table may have many between them in the new one;
// then the range is too large for one answer, and all rows are tried singly.
static struct ct_outcome leave_missing(struct mt_table *table, const struct ct_row **rows,
                                       size_t *count) {
    struct ct_rows copies;
    const struct ct_filter *range = names_of(table, rows, *count).range;
    struct ct_outcome outcome = ct_query(table->new_table, range, table->arena, &copies);
    if (outcome.kind != CT_SUCCEEDED && !is_too_large(outcome))
        return mt_unexpected(outcome, "copy rows: unexpected answer of the new table");
    mt_note(table);
    if (is_too_large(outcome))
        return ct_success();
    size_t missing = 0;
    for (size_t i = 0; i < *count; i++)
        if (!ct_rows_find(copies, rows[i]->key))
            rows[missing++] = rows[i];
    *count = missing;
    return outcome;
}

// After a refusal. A pass that is repeated meets its own rows, and applications copy some.
// The batch is tried once more, without the rows that are there. If it is refused again somebody
// has copied another one meanwhile, or the rows are too large together: then singly, which always
// gets on.
static struct ct_outcome copy_rest(struct mt_table *table, const struct ct_row **rows,
                                   size_t count) {
    size_t all = count;
    struct ct_outcome outcome = leave_missing(table, rows, &count);
    if (outcome.kind == CT_SUCCEEDED && count > 0 && count < all) {
        struct ct_write write = write_of_copies(table, rows, count);
        mt_execute_all(table, table->new_table, &write, 1, note_copies);
        outcome = conclude_copies(table, rows, &write);
        if (!is_refused(&write))
            return outcome;
    }
    return outcome.kind == CT_SUCCEEDED ? copy_one_by_one(table, rows, count) : outcome;
}

// Rows of one partition.
struct run {
    const struct ct_row **rows;
    size_t count;
    struct ct_write *write; // NULL: they go singly, for one of them cannot be moved
};

// Looked at before anything is sent, for the new table would take some of them: a row with a
// reserved property, say.
static bool is_movable(struct mt_table *table, const struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        if (mt_why_immovable(table->arena, run->rows[i]))
            return false;
    return true;
}

static struct ct_outcome conclude_run(struct mt_table *table, const struct run *run) {
    if (!run->write)
        return copy_one_by_one(table, run->rows, run->count); // which says why
    struct ct_outcome outcome = conclude_copies(table, run->rows, run->write);
    bool is_there = run->count == 1 && ct_failed_with(run->write->outcome, CT_STATUS_CONFLICT);
    return is_refused(run->write) && !is_there ? copy_rest(table, run->rows, run->count) : outcome;
}

struct ct_outcome mt_try_copy_rows(struct mt_table *table, const struct ct_row **rows,
                                   size_t count) {
    struct run *runs = ARENA_ARRAY(table->arena, struct run, count);
    struct ct_write *writes = ARENA_ARRAY(table->arena, struct ct_write, count);
    size_t run_count = 0, write_count = 0;
    for (size_t first = 0; first < count; first += runs[run_count++].count) {
        struct run *run = &runs[run_count];
        *run = (struct run){rows + first, mt_run_length(rows + first, count - first), NULL};
        if (!is_movable(table, run))
            continue;
        run->write = &writes[write_count++];
        *run->write = write_of_copies(table, run->rows, run->count);
    }
    // All are executed before any is concluded, so that a group goes together; a failure of one may
    // leave others copied, which does no harm: a repeated pass finds them.
    mt_execute_all(table, table->new_table, writes, write_count, note_copies);
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < run_count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = conclude_run(table, &runs[i]);
    return outcome;
}

// That the two queries are of two instants does not matter: the old rows do not change, and one
// that comes to the new table in between makes the copy a 409.
static struct ct_outcome copy_missing(struct mt_table *table, const struct ct_batch *batch,
                                      struct ct_rows old_rows, struct ct_rows new_rows) {
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < batch->count && outcome.kind == CT_SUCCEEDED; i++) {
        struct ct_key key = batch->operations[i].entity->key;
        const struct ct_row *row = ct_rows_find(old_rows, key);
        if (row && !ct_rows_find(new_rows, key))
            outcome = mt_try_copy(table, row);
        if (ct_failed_with(outcome, CT_STATUS_BAD_REQUEST))
            outcome.op_index = i;
    }
    return outcome;
}

struct mt_named_rows mt_named_rows(struct mt_table *table, const struct ct_batch *batch) {
    struct arena *arena = table->arena;
    const char *partition = batch->operations[0].entity->key.partition;
    const char **keys = ARENA_ARRAY(arena, const char *, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        keys[i] = batch->operations[i].entity->key.row;
    const char *least = keys[0], *greatest = keys[batch->count - 1];
    // A batch is in no order.
    for (size_t i = 0; i < batch->count && !bug_on(table->bugs, BUG_RANGE_IN_BATCH_ORDER); i++) {
        least = ct_string_order(keys[i], least) < 0 ? keys[i] : least;
        greatest = ct_string_order(keys[i], greatest) > 0 ? keys[i] : greatest;
    }
    struct mt_named_rows named = {.rows = ct_filter_rows(arena, partition, keys, batch->count)};
    const struct ct_filter *from = ct_filter_compare_string(arena, CT_ROW_KEY, CT_GE, least);
    const struct ct_filter *to = ct_filter_compare_string(arena, CT_ROW_KEY, CT_LE, greatest);
    named.range = batch->count == 1 ? named.rows
                                    : ct_filter_and(arena, ct_filter_in_partition(arena, partition),
                                                    ct_filter_and(arena, from, to));
    return named;
}

// A table whose answers have a size at most is a service that reads ranges, and whose filters may
// not be as long as a batch; any other looks for rows one by one.
struct ct_outcome mt_query_named(struct mt_table *table, struct ct_table *backend,
                                 const struct mt_named_rows *named, struct ct_rows *rows) {
    if (ct_limits(backend).query_rows == 0)
        return ct_query(backend, named->rows, table->arena, rows);
    struct ct_outcome outcome = ct_query(backend, named->range, table->arena, rows);
    if (outcome.kind != CT_STORAGE_ERROR || outcome.error != CT_ERROR_NOT_ONE_INSTANT)
        return outcome;
    mt_note(table);
    return ct_query(backend, named->rows, table->arena, rows);
}

struct ct_outcome mt_ensure_rows_migrated(struct mt_table *table, const struct ct_batch *batch,
                                          const struct mt_named_rows *named) {
    struct ct_rows old_rows, new_rows;
    struct ct_outcome outcome = mt_query_named(table, table->old_table, named, &old_rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "migrate rows: unexpected answer of the old table");
    // Every backend call is followed by a note.
    if (!bug_on(table->bugs, BUG_MISSING_ANNOTATION))
        mt_note(table);
    outcome = mt_query_named(table, table->new_table, named, &new_rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "migrate rows: unexpected answer of the new table");
    mt_note(table);
    return copy_missing(table, batch, old_rows, new_rows);
}
