// The atomic query: one backend's answer, or the new table's laid over the old one's.
#include "model/migrating/conditions.h"
#include "model/migrating/mtable.h"

// What the application may see of the raw [rows].
// The whole filter is evaluated here again, on the rows as the application sees them: what was sent
// to a backend may have been wider.
static struct ct_rows visible_rows(struct mt_table *table, const struct ct_filter *filter,
                                   struct ct_rows rows) {
    struct arena *arena = table->arena;
    const struct ct_row **visible = ARENA_ARRAY(arena, const struct ct_row *, rows.count);
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct ct_row *row = mt_visible_row(arena, table->bugs, filter, rows.rows[i]);
        if (row)
            visible[count++] = row;
    }
    return (struct ct_rows){.rows = visible, .count = count};
}

// The union by key, in order. Where both have a row, the new table's wins.
static struct ct_rows overlay(struct arena *arena, struct ct_rows old_rows,
                              struct ct_rows new_rows) {
    const struct ct_row **merged =
        ARENA_ARRAY(arena, const struct ct_row *, old_rows.count + new_rows.count);
    size_t count = 0, o = 0, n = 0;
    while (o < old_rows.count && n < new_rows.count) {
        int order = ct_key_compare(old_rows.rows[o]->key, new_rows.rows[n]->key);
        merged[count++] = order < 0 ? old_rows.rows[o] : new_rows.rows[n];
        o += order <= 0;
        n += order >= 0;
    }
    while (o < old_rows.count)
        merged[count++] = old_rows.rows[o++];
    while (n < new_rows.count)
        merged[count++] = new_rows.rows[n++];
    return (struct ct_rows){.rows = merged, .count = count};
}

// [filter] widened to include the meta row: (PK eq p) and ((RK eq meta) or (B)). A bare PK eq p
// does so already.
// State and rows must be of one instant: a switch between two queries would make the old rows
// stale.
static const struct ct_filter *with_meta_row(struct arena *arena, const struct ct_filter *filter) {
    if (filter->kind == CT_FILTER_COMPARE)
        return filter;
    const struct ct_filter *meta = ct_filter_compare_string(arena, CT_ROW_KEY, CT_EQ, MT_META_ROW);
    return ct_filter_and(arena, filter->left, ct_filter_or(arena, meta, filter->right));
}

// The filter for the new table, behind [filter] PK eq p or (PK eq p) and (B): (PK eq p) and what B
// says of keys.
static const struct ct_filter *new_table_filter(struct mt_table *table,
                                                const struct ct_filter *filter) {
    if (filter->kind == CT_FILTER_COMPARE)
        return filter;
    return ct_filter_and(table->arena, filter->left,
                         mt_key_conditions(table->arena, table->bugs, filter->right));
}

// What the query ends with after a backend's [outcome].
// A result too large for one instant is an answer to the application, too: the backend has executed
// the query, so it is noted.
static struct ct_outcome failed(struct mt_table *table, struct ct_outcome outcome,
                                const char *message) {
    if (outcome.kind != CT_STORAGE_ERROR || outcome.error != CT_ERROR_NOT_ONE_INSTANT)
        return mt_unexpected(outcome, message);
    mt_note(table);
    return outcome;
}

// The whole query in one call of [backend].
static struct ct_outcome query_one(struct mt_table *table, struct ct_table *backend,
                                   const struct ct_filter *filter, struct ct_rows *rows) {
    struct ct_rows raw;
    const struct ct_filter *sent = mt_backend_filter(table->arena, table->bugs, filter);
    struct ct_outcome outcome = ct_query(backend, sent, table->arena, &raw);
    if (outcome.kind != CT_SUCCEEDED)
        return failed(table, outcome, "query: unexpected answer of a backend table");
    mt_note_lp(table);
    *rows = visible_rows(table, filter, raw);
    return ct_success();
}

static struct ct_outcome query_both(struct mt_table *table, const char *partition,
                                    const struct ct_filter *filter, struct ct_rows *rows) {
    struct arena *arena = table->arena;
    const struct ct_filter *backend_filter =
        with_meta_row(arena, mt_backend_filter(arena, table->bugs, filter));
    struct ct_rows old_rows, new_rows;
    struct ct_outcome outcome = ct_query(table->old_table, backend_filter, arena, &old_rows);
    if (outcome.kind != CT_SUCCEEDED)
        return failed(table, outcome, "query: unexpected answer of the old table");
    const struct ct_row *meta = ct_rows_find(old_rows, mt_meta_key(partition));
    // At the instant of the query no write had gone to the new table, of this partition: the old
    // rows are all there is, and that instant is the linearization point.
    if (mt_partition_state_of(meta) != MT_PARTITION_SWITCHED) {
        mt_note_lp(table);
        *rows = visible_rows(table, filter, old_rows);
        return ct_success();
    }
    // The old rows of a switched partition do not change any more while somebody is in this state.
    // So they are as good at the instant of the second query, which is the linearization point of
    // both.
    mt_note(table);
    // A new row shadows its old version also if it does not match: only keys may decide.
    if (!bug_on(table->bugs, BUG_QUERY_ATOMIC_FILTER_SHADOWING))
        backend_filter = new_table_filter(table, filter);
    outcome = ct_query(table->new_table, backend_filter, arena, &new_rows);
    if (outcome.kind != CT_SUCCEEDED)
        return failed(table, outcome, "query: unexpected answer of the new table");
    mt_note_lp(table);
    *rows = visible_rows(table, filter, overlay(arena, old_rows, new_rows));
    return ct_success();
}

// The partition that [filter] targets, or NULL.
static const char *targeted_partition(struct mt_table *table, const struct ct_filter *filter) {
    // An "or" matches beyond the partition that its left operand names, and the widened filter
    // would be an "and".
    if (filter && filter->kind == CT_FILTER_OR && bug_on(table->bugs, BUG_QUERY_OR_FILTER_ACCEPTED))
        filter = filter->left;
    return ct_filter_partition(filter);
}

struct ct_outcome mt_query(struct ct_table *interface, const char *where,
                           const struct ct_filter *filter, struct arena *arena,
                           struct ct_rows *rows) {
    (void)where;
    struct mt_table table = mt_with_arena((struct mt_table *)interface, arena);
    const char *partition = targeted_partition(&table, filter);
    if (!partition)
        return ct_program_error("a query must target one partition");
    // A push waits for the call, which has two requests at most; to move it in between would need
    // an argument for each place where that may happen.
    struct mt_subscription subscription = {.apply = NULL}; // the whole call runs in one state
    enum mt_state state;
    struct ct_outcome outcome = mt_subscribe(&table, &subscription, &state);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    if (state == MT_USE_OLD_HIDE_METADATA)
        outcome = query_one(&table, table.old_table, filter, rows);
    else if (state <= MT_PREFER_NEW)
        outcome = query_both(&table, partition, filter, rows);
    else
        outcome = query_one(&table, table.new_table, filter, rows);
    mt_unsubscribe(&table, &subscription);
    return outcome;
}
