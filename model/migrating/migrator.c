// The migrator: the walk through the states, the copy pass, the clean-up pass.
#include "model/migrating/mtable.h"

// ---- The copy pass -----------------------------------------------------------------------------

// Bug InsertBehindMigrator: goes on with a stream opened now, from [partition] on.
static struct ct_outcome reopen_at(struct mt_table *table, const char *partition,
                                   struct ct_stream **stream) {
    const struct ct_filter *filter =
        ct_filter_compare_string(table->arena, CT_PARTITION_KEY, CT_GE, partition);
    ct_stream_close(*stream);
    return ct_open_stream(table->old_table, filter, stream);
}

// Copies [row], the next data row of [stream], after switching its partition if that is another
// than [partition].
static struct ct_outcome copy_row(struct mt_table *table, const struct ct_row *row,
                                  const char **partition, struct ct_stream **stream) {
    if (!ct_string_equal(row->key.partition, *partition)) {
        *partition = row->key.partition;
        struct ct_outcome outcome = mt_ensure_switched(table, *partition);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        // The row cannot be stale: nobody has changed the old table since the scan began.
        if (bug_on(table->bugs, BUG_INSERT_BEHIND_MIGRATOR))
            return reopen_at(table, *partition, stream);
    }
    return mt_try_copy(table, row);
}

static struct ct_outcome copy_rows(struct mt_table *table, struct ct_stream **stream) {
    const char *partition = NULL;
    struct digest mark = mt_observed(table);
    for (;;) {
        const struct ct_row *row;
        struct ct_outcome outcome = ct_stream_read(*stream, &row);
        if (outcome.kind != CT_SUCCEEDED || !row)
            return outcome;
        if (mt_is_internal(row->key))
            continue;
        outcome = copy_row(table, row, &partition, stream);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        // Copied rows are done with; known is the partition.
        mt_forget(table, mark, partition, 0);
    }
}

static struct ct_outcome copy_pass(struct mt_table *table) {
    struct ct_stream *stream = NULL;
    struct ct_outcome outcome = ct_open_stream(table->old_table, NULL, &stream);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = copy_rows(table, &stream);
    if (stream)
        ct_stream_close(stream);
    return mt_unexpected(outcome, "copy pass: unexpected answer of the old table");
}

// ---- The clean-up pass -------------------------------------------------------------------------

// The present version of [row] in the new table, or NULL if it is gone.
static struct ct_outcome retrieve(struct mt_table *table, const struct ct_row **row) {
    struct ct_key key = (*row)->key;
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(table->new_table, ct_filter_point(table->arena, key), table->arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "clean-up: unexpected answer of the new table");
    mt_note(table);
    *row = ct_rows_find(rows, key);
    return ct_success();
}

// Removes a tombstone, rewrites any other row without metadata; [row] becomes the version to try
// again with, or NULL.
static struct ct_outcome clean_version(struct mt_table *table, const struct ct_row **row) {
    struct ct_key key = (*row)->key;
    bool tombstone = mt_is_tombstone(*row);
    struct ct_row *entity = tombstone ? mt_bare_row(table->arena, key, (*row)->etag)
                                      : mt_plain_row(table->arena, *row, (*row)->etag);
    struct ct_op_result result;
    struct ct_outcome outcome =
        mt_execute_one(table->new_table, tombstone ? CT_DELETE : CT_REPLACE, entity, &result);
    if (ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED)) {
        mt_note(table);
        return retrieve(table, row);
    }
    if (outcome.kind != CT_SUCCEEDED && !ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
        return mt_unexpected(outcome, "clean-up: unexpected answer of the new table");
    if (outcome.kind == CT_SUCCEEDED && !tombstone)
        mt_note_etag(table, key, result.etag);
    else
        mt_note(table);
    *row = NULL;
    return ct_success();
}

static struct ct_outcome clean_new_row(struct mt_table *table, const struct ct_row *row) {
    struct ct_outcome outcome = ct_success();
    while (outcome.kind == CT_SUCCEEDED && row)
        outcome = clean_version(table, &row);
    return outcome;
}

static struct ct_outcome delete_old_row(struct mt_table *table, const struct ct_row *row) {
    struct ct_op_result result;
    struct ct_outcome outcome = mt_execute_one(
        table->old_table, CT_DELETE, mt_bare_row(table->arena, row->key, row->etag), &result);
    // An error here ends the migration, as it is and without a note.
    if (outcome.kind == CT_SUCCEEDED)
        mt_note(table);
    return mt_is_server_error(outcome) ? mt_server_error() : outcome;
}

// Does [clean_row] with every raw row of [backend].
static struct ct_outcome clean_rows(struct mt_table *table, struct ct_table *backend,
                                    struct ct_outcome (*clean_row)(struct mt_table *,
                                                                   const struct ct_row *)) {
    struct ct_stream *stream;
    struct digest mark = mt_observed(table);
    struct ct_outcome outcome = ct_open_stream(backend, NULL, &stream);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "clean-up: unexpected answer of a backend table");
    for (;;) {
        const struct ct_row *row = NULL;
        outcome = ct_stream_read(stream, &row);
        if (outcome.kind != CT_SUCCEEDED)
            outcome = mt_unexpected(outcome, "clean-up: unexpected answer of a backend stream");
        else if (row)
            outcome = clean_row(table, row);
        if (outcome.kind != CT_SUCCEEDED || !row)
            break;
        mt_forget(table, mark, "clean-up: next row", 0);
    }
    ct_stream_close(stream);
    return outcome;
}

static struct ct_outcome clean_up_pass(struct mt_table *table) {
    struct digest mark = mt_observed(table);
    struct ct_outcome outcome = clean_rows(table, table->new_table, clean_new_row);
    if (outcome.kind == CT_SUCCEEDED) {
        mt_forget(table, mark, "migrator: new table is clean", 0);
        outcome = clean_rows(table, table->old_table, delete_old_row);
    }
    return outcome;
}

// ---- The walk ----------------------------------------------------------------------------------

static enum mt_state present_state(struct mt_table *table) {
    struct mt_subscription subscription = {.apply = NULL};
    enum mt_state state = mt_subscribe(table, &subscription);
    mt_unsubscribe(table, &subscription);
    return state;
}

static enum mt_state push_at(struct mt_table *table, const char *where, enum mt_state state) {
    table->config->ops->push(table->config, where, state);
    return state;
}

#define push(table, state) push_at((table), HERE, (state))

struct ct_outcome mt_migrate(struct mt_table *table) {
    struct bug_set *bugs = table->bugs;
    struct digest mark = mt_observed(table);
    enum mt_state state = present_state(table);
    // A migrator that died may have pushed this state without waiting for anybody.
    if (state > MT_USE_OLD_HIDE_METADATA && !bug_on(bugs, BUG_MIGRATE_RESUME_WITHOUT_BARRIER))
        push(table, state);
    // Clients are at most one state apart: no state is skipped.
    if (state == MT_USE_OLD_HIDE_METADATA)
        state =
            push(table, !bug_on(bugs, BUG_MIGRATE_SKIP_PREFER_OLD) ? MT_PREFER_OLD : MT_PREFER_NEW);
    // The copy pass begins when nobody writes to the old table any more.
    if (state == MT_PREFER_OLD && !bug_on(bugs, BUG_INSERT_BEHIND_MIGRATOR))
        state = push(table, MT_PREFER_NEW);
    if (state <= MT_PREFER_NEW) {
        struct ct_outcome outcome = copy_pass(table);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        mt_forget(table, mark, "migrator: rows are copied", 0);
        // Physical deletes begin when nobody reads the old table any more.
        state = push(table, !bug_on(bugs, BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES)
                                ? MT_USE_NEW_WITH_TOMBSTONES
                                : MT_USE_NEW_HIDE_METADATA);
    }
    if (state == MT_USE_NEW_WITH_TOMBSTONES)
        push(table, MT_USE_NEW_HIDE_METADATA);
    mt_forget(table, mark, "migrator: clean-up", 0);
    return clean_up_pass(table);
}
