// The migrator: the walk through the states, and the clean-up pass.
#include "model/migrating/mtable.h"

// ---- The clean-up pass -------------------------------------------------------------------------

// The rows are those of a scan. Each function deals with a version of one; [row] becomes the
// version to try again with, if it has changed meanwhile, or NULL: nothing is left to do.

// Of a write whose outcome is unknown: the version that is there now is [row], unless it is gone.
static struct ct_outcome decide_cleaned(struct ct_outcome read, const struct ct_row **row,
                                        bool is_clean) {
    if (read.kind == CT_SUCCEEDED)
        read = mt_decided(!*row || is_clean);
    *row = NULL;
    return read;
}

// Removes a tombstone, rewrites any other row of the new table without metadata.
// Under the ETag that was seen: an application may write the row at any time. Each time round it
// has then written, in the last state, in which rows carry no metadata; but it is not known here
// whether that is so of the version at hand, which is rewritten all the same.
static struct ct_outcome clean_version(struct mt_table *table, const struct ct_row **row) {
    struct ct_key key = (*row)->key;
    bool tombstone = mt_is_tombstone(*row);
    struct ct_row *entity = tombstone ? mt_bare_row(table->arena, key, (*row)->etag)
                                      : mt_plain_row(table->arena, *row, (*row)->etag);
    const char *etag;
    struct ct_outcome outcome =
        mt_write(table, table->new_table, tombstone ? CT_DELETE : CT_REPLACE, entity, &etag);
    if (ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED)) {
        mt_note(table);
        return mt_read_row(table, table->new_table, key, row);
    }
    bool is_gone = ct_failed_with(outcome, CT_STATUS_NOT_FOUND);
    if (outcome.kind != CT_SUCCEEDED && outcome.kind != CT_UNKNOWN && !is_gone)
        return mt_unexpected(outcome, "clean-up: unexpected answer of the new table");
    if (!is_gone && !tombstone)
        mt_note_etag(table, key, etag);
    else
        mt_note(table);
    if (outcome.kind == CT_UNKNOWN) {
        outcome = mt_read_row(table, table->new_table, key, row);
        return decide_cleaned(outcome, row, *row && !mt_has_metadata(*row));
    }
    *row = NULL;
    return ct_success();
}

// No application reads or writes the old table now. A row changes all the same if somebody writes
// directly.
static struct ct_outcome delete_version(struct mt_table *table, const struct ct_row **row) {
    struct ct_key key = (*row)->key;
    const char *etag;
    struct ct_outcome outcome = mt_write(table, table->old_table, CT_DELETE,
                                         mt_bare_row(table->arena, key, (*row)->etag), &etag);
    bool has_changed = ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED);
    bool is_gone = ct_failed_with(outcome, CT_STATUS_NOT_FOUND);
    if (outcome.kind != CT_SUCCEEDED && outcome.kind != CT_UNKNOWN && !has_changed && !is_gone)
        return mt_unexpected(outcome, "clean-up: unexpected answer of the old table");
    mt_note(table);
    if (has_changed)
        return mt_read_row(table, table->old_table, key, row);
    if (outcome.kind == CT_UNKNOWN)
        return decide_cleaned(mt_read_row(table, table->old_table, key, row), row, false);
    *row = NULL;
    return ct_success();
}

// What a scan does with the rows of a backend, one by one or several together.
struct cleaning {
    struct ct_table *backend;
    // Deals with *[row] by itself, as above.
    struct ct_outcome (*clean)(struct mt_table *table, const struct ct_row **row);
    // The operation by which a batch deals with [row]. NULL: rows go singly.
    struct ct_operation (*operation_of)(struct mt_table *table, const struct ct_row *row);
    const struct ct_row **kept; // in key order; NULL: rows go singly
    size_t kept_count;
    size_t start; // mark of the arena: above it is what is kept, and what came of it
};

static struct ct_operation delete_operation(struct mt_table *table, const struct ct_row *row) {
    return (struct ct_operation){CT_DELETE, mt_bare_row(table->arena, row->key, row->etag)};
}

static struct ct_operation clean_operation(struct mt_table *table, const struct ct_row *row) {
    if (mt_is_tombstone(row))
        return delete_operation(table, row);
    return (struct ct_operation){CT_REPLACE, mt_plain_row(table->arena, row, row->etag)};
}

static struct ct_outcome clean_singly(struct mt_table *table, const struct cleaning *cleaning,
                                      const struct ct_row *row) {
    struct ct_outcome outcome = ct_success();
    while (outcome.kind == CT_SUCCEEDED && row)
        outcome = cleaning->clean(table, &row);
    return outcome;
}

// Notes the rows that [write] has rewritten, or may have.
static void note_rewritten(struct mt_table *table, const struct ct_write *write) {
    const struct ct_batch *batch = &write->batch;
    struct ct_op_result *changed = ARENA_ARRAY(table->arena, struct ct_op_result, batch->count);
    bool is_known = write->outcome.kind == CT_SUCCEEDED;
    size_t count = 0;
    if (!is_known && write->outcome.kind != CT_UNKNOWN) {
        mt_note(table);
        return;
    }
    for (size_t i = 0; i < batch->count; i++)
        if (batch->operations[i].type != CT_DELETE)
            changed[count++] =
                (struct ct_op_result){.entity = batch->operations[i].entity,
                                      .etag = is_known ? write->results[i].etag : NULL};
    mt_note_etags(table, changed, count);
}

// Kept rows of one partition, and the batch by which they are dealt with.
struct cleaned {
    const struct ct_row *const *rows;
    size_t count;
};

static struct ct_write write_of_cleaning(struct mt_table *table, const struct cleaning *cleaning,
                                         const struct cleaned *cleaned) {
    struct ct_write write = mt_new_write(table->arena, cleaned->count);
    for (size_t i = 0; i < cleaned->count; i++) {
        struct ct_operation operation = cleaning->operation_of(table, cleaned->rows[i]);
        ct_batch_add(&write.batch, operation.type, operation.entity);
    }
    return write;
}

// Singly, if a row has changed meanwhile.
// After an unknown outcome, too: each row is tried under its old ETag, which tells whether the
// batch was done.
static struct ct_outcome conclude_cleaning(struct mt_table *table, const struct cleaning *cleaning,
                                           const struct cleaned *cleaned,
                                           struct ct_outcome outcome) {
    if (outcome.kind == CT_SUCCEEDED)
        return outcome;
    if (mt_is_server_error(outcome) || outcome.kind == CT_PROGRAM_ERROR ||
        outcome.kind == CT_INTERNAL_ERROR)
        return mt_unexpected(outcome, "clean-up: unexpected answer of a backend table");
    outcome = ct_success();
    for (size_t i = 0; i < cleaned->count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = clean_singly(table, cleaning, cleaned->rows[i]);
    return outcome;
}

// Deals with what was kept, by a batch for each partition.
static struct ct_outcome clean_kept(struct mt_table *table, struct cleaning *cleaning) {
    size_t kept = cleaning->kept_count, count = 0;
    struct cleaned *cleaned = ARENA_ARRAY(table->arena, struct cleaned, kept);
    struct ct_write *writes = ARENA_ARRAY(table->arena, struct ct_write, kept);
    cleaning->kept_count = 0;
    for (size_t first = 0, length; first < kept; first += length) {
        length = mt_run_length(cleaning->kept + first, kept - first);
        cleaned[count] = (struct cleaned){cleaning->kept + first, length};
        writes[count] = write_of_cleaning(table, cleaning, &cleaned[count]);
        count++;
    }
    mt_execute_all(table, cleaning->backend, writes, count, note_rewritten);
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = conclude_cleaning(table, cleaning, &cleaned[i], writes[i].outcome);
    return outcome;
}

// The next row; one too many has what was kept dealt with.
static struct ct_outcome keep_for_cleaning(struct mt_table *table, struct cleaning *cleaning,
                                           const struct ct_row *row) {
    struct ct_outcome outcome = ct_success();
    if (cleaning->kept_count == table->copy_rows || mt_has_much(table, cleaning->start)) {
        outcome = clean_kept(table, cleaning);
        mt_reset(table, cleaning->start);
    }
    cleaning->kept[cleaning->kept_count++] = ct_row_clone(table->arena, row);
    return outcome;
}

// [row] NULL: the end.
static struct ct_outcome clean_row(struct mt_table *table, struct cleaning *cleaning,
                                   const struct ct_row *row) {
    if (!cleaning->kept)
        return clean_singly(table, cleaning, row);
    if (row)
        return keep_for_cleaning(table, cleaning, row);
    return cleaning->kept_count > 0 ? clean_kept(table, cleaning) : ct_success();
}

// Deals with every raw row of the backend, and with what becomes of it meanwhile.
static struct ct_outcome clean_rows(struct mt_table *table, struct cleaning cleaning) {
    struct ct_stream *stream;
    if (table->copy_rows > 1 && cleaning.operation_of)
        cleaning.kept = ARENA_ARRAY(table->arena, const struct ct_row *, table->copy_rows);
    cleaning.start = arena_mark(table->arena);
    struct digest mark = mt_observed(table);
    struct ct_outcome outcome = ct_open_stream(cleaning.backend, NULL, &stream);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "clean-up: unexpected answer of a backend table");
    for (;;) {
        const struct ct_row *row = NULL;
        outcome = ct_stream_read(stream, &row);
        if (outcome.kind != CT_SUCCEEDED)
            outcome = mt_unexpected(outcome, "clean-up: unexpected answer of a backend stream");
        else
            outcome = clean_row(table, &cleaning, row);
        if (outcome.kind != CT_SUCCEEDED || !row)
            break;
        if (cleaning.kept)
            continue;
        mt_forget(table, mark, "clean-up: next row", 0);
        mt_reset(table, cleaning.start);
    }
    ct_stream_close(stream);
    return outcome;
}

static struct ct_outcome clean_up_pass(struct mt_table *table) {
    struct digest mark = mt_observed(table);
    struct ct_outcome outcome = clean_rows(
        table, (struct cleaning){table->new_table, clean_version, clean_operation, NULL, 0, 0});
    if (outcome.kind == CT_SUCCEEDED) {
        mt_forget(table, mark, "migrator: new table is clean", 0);
        outcome = clean_rows(table, (struct cleaning){table->old_table, delete_version,
                                                      delete_operation, NULL, 0, 0});
    }
    return outcome;
}

// ---- The walk ----------------------------------------------------------------------------------

// Subscribed for the look alone, or the migrator would wait for itself when it pushes.
static struct ct_outcome present_state(struct mt_table *table, enum mt_state *state) {
    struct mt_subscription subscription = {.apply = NULL};
    struct ct_outcome outcome = mt_subscribe(table, &subscription, state);
    if (outcome.kind == CT_SUCCEEDED)
        mt_unsubscribe(table, &subscription);
    return outcome;
}

// Pushes [next], which becomes *[state]. A push that failed may have been one, or none: whoever
// calls the migrator again has it push the present state first.
static struct ct_outcome push_at(struct mt_table *table, const char *where, enum mt_state next,
                                 enum mt_state *state) {
    struct ct_outcome outcome = table->config->ops->push(table->config, where, next);
    *state = next;
    return outcome.kind == CT_SUCCEEDED ? outcome : mt_server_error();
}

#define push(table, next, state) push_at((table), HERE, (next), (state))

// From the present state to PREFER_NEW, unless it has passed.
static struct ct_outcome leave_old_table(struct mt_table *table, enum mt_state *state) {
    struct bug_set *bugs = table->bugs;
    struct ct_outcome outcome = ct_success();
    // A migrator that died may have pushed this state without waiting for anybody.
    if (*state > MT_USE_OLD_HIDE_METADATA && !bug_on(bugs, BUG_MIGRATE_RESUME_WITHOUT_BARRIER))
        outcome = push(table, *state, state);
    // Clients are at most one state apart: no state is skipped.
    if (outcome.kind == CT_SUCCEEDED && *state == MT_USE_OLD_HIDE_METADATA)
        outcome =
            push(table, !bug_on(bugs, BUG_MIGRATE_SKIP_PREFER_OLD) ? MT_PREFER_OLD : MT_PREFER_NEW,
                 state);
    // The copy pass begins when nobody writes to the old table any more.
    if (outcome.kind == CT_SUCCEEDED && *state == MT_PREFER_OLD &&
        !bug_on(bugs, BUG_INSERT_BEHIND_MIGRATOR))
        outcome = push(table, MT_PREFER_NEW, state);
    return outcome;
}

// The rest of the way, with the pass that belongs to each state.
static struct ct_outcome walk(struct mt_table *table, enum mt_state *state) {
    struct digest mark = mt_observed(table);
    struct ct_outcome outcome = leave_old_table(table, state);
    // The whole pass is made again by a migrator that takes over: how far the one before has come
    // is written nowhere, and a row that is there already is refused.
    if (outcome.kind == CT_SUCCEEDED && *state <= MT_PREFER_NEW) {
        outcome = mt_copy_pass(table);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        mt_forget(table, mark, "migrator: rows are copied", 0);
        // Physical deletes begin when nobody reads the old table any more.
        outcome = push(table,
                       !bug_on(table->bugs, BUG_MIGRATE_SKIP_USE_NEW_WITH_TOMBSTONES)
                           ? MT_USE_NEW_WITH_TOMBSTONES
                           : MT_USE_NEW_HIDE_METADATA,
                       state);
    }
    // No pass belongs to this state: it only keeps those who still read the old table apart from
    // those who delete without tombstones.
    if (outcome.kind == CT_SUCCEEDED && *state == MT_USE_NEW_WITH_TOMBSTONES)
        outcome = push(table, MT_USE_NEW_HIDE_METADATA, state);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    mt_forget(table, mark, "migrator: clean-up", 0);
    return clean_up_pass(table);
}

// ---- Before the walk ---------------------------------------------------------------------------

// Who is told of rows that cannot be moved, and of the first one what.
struct check {
    void (*tell)(void *context, const char *why);
    void *context;
    const char *first;
};

static const char *why_immovable(struct arena *arena, const struct ct_row *row) {
    if (mt_is_reserved(row->key))
        return arena_printf(arena, "row '%s' '%s': keys that begin with '%s' are reserved",
                            row->key.partition, row->key.row, MT_RESERVED_PREFIX);
    return mt_why_immovable(arena, row);
}

static void check_row(struct mt_table *table, struct check *check, const struct ct_row *row) {
    size_t mark = arena_mark(table->arena);
    const char *why = why_immovable(table->arena, row);
    if (why && check->tell)
        check->tell(check->context, why);
    if (why && !check->first)
        check->first = why;
    else
        mt_reset(table, mark);
}

static struct ct_outcome check_rows(struct mt_table *table, struct check *check) {
    struct ct_stream *stream;
    const struct ct_row *row = NULL;
    struct ct_outcome outcome = ct_open_stream(table->old_table, NULL, &stream);
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "check: unexpected answer of the old table");
    do {
        outcome = ct_stream_read(stream, &row);
        if (outcome.kind == CT_SUCCEEDED && row)
            check_row(table, check, row);
    } while (outcome.kind == CT_SUCCEEDED && row && (check->tell || !check->first));
    ct_stream_close(stream);
    if (outcome.kind == CT_SUCCEEDED && check->first)
        return ct_program_error(check->first);
    return mt_unexpected(outcome, "check: unexpected answer of the old table");
}

// The end of [table], a copy of [instance] with an arena of its own: what the outcome says stays.
static struct ct_outcome give_up_arena(struct mt_table *instance, struct mt_table *table,
                                       struct ct_outcome outcome) {
    struct ct_env *env = instance->env;
    if (outcome.message)
        outcome.message = arena_strdup(instance->arena, outcome.message);
    env->ops->arena_close(env, table->arena);
    return outcome;
}

struct ct_outcome mt_migrate(struct mt_table *instance) {
    struct ct_env *env = instance->env;
    struct mt_table table = mt_with_arena(instance, env->ops->arena_open(env));
    enum mt_state state;
    struct ct_outcome outcome = present_state(&table, &state);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = walk(&table, &state);
    return give_up_arena(instance, &table, outcome);
}

struct ct_outcome mt_check_rows(struct mt_table *instance,
                                void (*tell)(void *context, const char *why), void *context) {
    struct check check = {.tell = tell, .context = context};
    struct ct_env *env = instance->env;
    struct mt_table table = mt_with_arena(instance, env->ops->arena_open(env));
    return give_up_arena(instance, &table, check_rows(&table, &check));
}

// ---- The way back ------------------------------------------------------------------------------

static struct ct_outcome delete_metadata(struct mt_table *table, const struct ct_row **row) {
    const struct ct_key key = (*row)->key;
    *row = NULL;
    return mt_is_internal(key) ? mt_unmark(table, key.partition) : ct_success();
}

// In PREFER_OLD everything is still in the old table, beside marks that nobody needs who is in the
// first state.
static struct ct_outcome walk_back(struct mt_table *table, enum mt_state *state) {
    if (*state > MT_PREFER_OLD)
        return ct_storage_error(CT_STATUS_CONFLICT, 0);
    struct ct_outcome outcome = push(table, *state, state); // as in leave_old_table
    if (outcome.kind == CT_SUCCEEDED && *state > MT_USE_OLD_HIDE_METADATA)
        outcome = push(table, MT_USE_OLD_HIDE_METADATA, state);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    return clean_rows(table,
                      (struct cleaning){table->old_table, delete_metadata, NULL, NULL, 0, 0});
}

struct ct_outcome mt_undo(struct mt_table *instance) {
    struct ct_env *env = instance->env;
    struct mt_table table = mt_with_arena(instance, env->ops->arena_open(env));
    enum mt_state state;
    struct ct_outcome outcome = present_state(&table, &state);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = walk_back(&table, &state);
    return give_up_arena(instance, &table, outcome);
}
