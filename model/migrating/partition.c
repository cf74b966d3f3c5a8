// Partition states and row copies: the steps that writers and the migrator share.
#include "model/migrating/mtable.h"

struct ct_outcome mt_mark_populated(struct mt_table *table, const char *partition) {
    struct ct_batch batch = ct_batch_new(table->arena, 2);
    ct_batch_add(&batch, CT_INSERT,
                 mt_meta_row(table->arena, partition, MT_PARTITION_POPULATED, NULL));
    ct_batch_add(&batch, CT_INSERT, mt_assertion_row(table->arena, partition));
    struct ct_op_result results[2];
    struct ct_outcome outcome = ct_execute(table->old_table, &batch, table->arena, results);
    // 409 is ignored: the partition is POPULATED or SWITCHED already.
    if (outcome.kind != CT_SUCCEEDED && !ct_failed_with(outcome, CT_STATUS_CONFLICT))
        return mt_unexpected(outcome, "mark populated: unexpected answer of the old table");
    mt_note(table);
    return ct_success();
}

static struct ct_outcome read_state(struct mt_table *table, const char *partition,
                                    enum mt_partition_state *state) {
    struct ct_key meta = mt_meta_key(partition);
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(table->old_table, ct_filter_point(table->arena, meta), table->arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "partition state: unexpected answer of the old table");
    mt_note(table);
    *state = mt_partition_state_of(ct_rows_find(rows, meta));
    return ct_success();
}

// none -> SWITCHED. Tells in [switched] whether the partition was still without a meta row.
static struct ct_outcome switch_from_none(struct mt_table *table, const char *partition,
                                          bool *switched) {
    struct ct_row *meta = mt_meta_row(table->arena, partition, MT_PARTITION_SWITCHED, NULL);
    const char *etag;
    struct ct_outcome outcome = mt_write(table, table->old_table, CT_INSERT, meta, &etag);
    if (outcome.kind != CT_SUCCEEDED && !ct_failed_with(outcome, CT_STATUS_CONFLICT))
        return mt_unexpected(outcome, "switch: unexpected answer of the old table");
    mt_note(table);
    *switched = outcome.kind == CT_SUCCEEDED;
    return ct_success();
}

// POPULATED -> SWITCHED. The order matters: whoever comes second sees Replace succeed and Delete
// fail, and the rollback keeps SWITCHED.
static struct ct_outcome switch_from_populated(struct mt_table *table, const char *partition) {
    struct ct_batch batch = ct_batch_new(table->arena, 2);
    ct_batch_add(&batch, CT_REPLACE,
                 mt_meta_row(table->arena, partition, MT_PARTITION_SWITCHED, CT_ANY_ETAG));
    ct_batch_add(&batch, CT_DELETE,
                 mt_bare_row(table->arena, mt_assertion_key(partition), CT_ANY_ETAG));
    struct ct_op_result results[2];
    struct ct_outcome outcome = ct_execute(table->old_table, &batch, table->arena, results);
    bool was_switched = ct_failed_with(outcome, CT_STATUS_NOT_FOUND) && outcome.op_index == 1;
    if (outcome.kind != CT_SUCCEEDED && !was_switched)
        return mt_unexpected(outcome, "switch populated: unexpected answer of the old table");
    mt_note(table);
    return ct_success();
}

static struct ct_outcome switch_from_any(struct mt_table *table, const char *partition) {
    bool switched = false;
    while (!switched) {
        enum mt_partition_state state;
        struct ct_outcome outcome = read_state(table, partition, &state);
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

struct ct_outcome mt_try_copy(struct mt_table *table, const struct ct_row *row) {
    struct ct_row *copy = mt_write_row(table->arena, row, NULL);
    const char *etag;
    struct ct_outcome outcome = mt_write(table, table->new_table, CT_INSERT, copy, &etag);
    if (outcome.kind != CT_SUCCEEDED && !ct_failed_with(outcome, CT_STATUS_CONFLICT))
        return mt_unexpected(outcome, "copy row: unexpected answer of the new table");
    // From now on the new table's row represents the row, under its own ETag. After a 409 it did
    // so before.
    if (outcome.kind == CT_SUCCEEDED)
        mt_note_etag(table, row->key, etag);
    else
        mt_note(table);
    return ct_success();
}

static struct ct_outcome copy_missing(struct mt_table *table, const struct ct_batch *batch,
                                      struct ct_rows old_rows, struct ct_rows new_rows) {
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < batch->count && outcome.kind == CT_SUCCEEDED; i++) {
        struct ct_key key = batch->operations[i].entity->key;
        const struct ct_row *row = ct_rows_find(old_rows, key);
        if (row && !ct_rows_find(new_rows, key))
            outcome = mt_try_copy(table, row);
    }
    return outcome;
}

struct ct_outcome mt_ensure_rows_migrated(struct mt_table *table, const struct ct_batch *batch,
                                          const struct ct_filter *named_rows) {
    struct ct_rows old_rows, new_rows;
    struct ct_outcome outcome = ct_query(table->old_table, named_rows, table->arena, &old_rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "migrate rows: unexpected answer of the old table");
    // Every backend call is followed by a note.
    if (!bug_on(table->bugs, BUG_MISSING_ANNOTATION))
        mt_note(table);
    outcome = ct_query(table->new_table, named_rows, table->arena, &new_rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "migrate rows: unexpected answer of the new table");
    mt_note(table);
    return copy_missing(table, batch, old_rows, new_rows);
}
