#include "harness/migrating/direct_reader.h"
#include "core/campaign/marks.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

enum { TEXT_BYTES = 440 };

// The rows of a table that a reader sees, one after the other.
struct cursor {
    struct ct_rows rows;
    const struct ct_filter *filter;
    bool skips_reserved; // the rows that the protocol keeps for itself
    size_t next;
};

static bool is_reserved(const struct ct_row *row) {
    static const char prefix[] = "_mtable_";
    return strncmp(row->key.row, prefix, sizeof prefix - 1) == 0;
}

// NULL: the end.
static const struct ct_row *next_row(struct cursor *cursor) {
    while (cursor->next < cursor->rows.count) {
        const struct ct_row *row = cursor->rows.rows[cursor->next++];
        if (cursor->skips_reserved && is_reserved(row)) {
            MARK("a direct reader meets metadata rows of a machine that is ahead");
            continue;
        }
        if (ct_filter_matches(cursor->filter, row))
            return row;
    }
    return NULL;
}

_Noreturn static void report(const char *table, const struct ct_row *found,
                             const struct ct_row *expected) {
    char got[TEXT_BYTES], wanted[TEXT_BYTES];
    struct text got_text = text_in(got, sizeof got), wanted_text = text_in(wanted, sizeof wanted);
    describe_rows(&got_text, (struct ct_rows){.rows = &found, .count = found != NULL});
    describe_rows(&wanted_text, (struct ct_rows){.rows = &expected, .count = expected != NULL});
    sct_violation(KIND_OUTCOME_MISMATCH,
                  "a direct read of the %s table found %s; the reference table says %s", table, got,
                  wanted);
}

// Compares at one instant: nothing in here is a scheduling point.
// Merged by key, both in one pass: the first row that differs is told.
static void compare(const struct tables *tables, enum table_id id, struct cursor actual) {
    if (tables->options.ignores_annotations) // which the reference lives by
        return;
    struct cursor expected = {.rows = ct_memory_rows(tables->reference), .filter = actual.filter};
    actual.rows = ct_memory_rows(tables->backend[id]);
    for (;;) {
        const struct ct_row *found = next_row(&actual), *wanted = next_row(&expected);
        if (!found && !wanted)
            return;
        if (!found || !wanted || !ct_row_equal(found, wanted))
            report(id == TABLE_OLD ? "old" : "new", found, wanted);
    }
}

void direct_read_old(struct app *app, const struct ct_filter *filter) {
    const struct world *world = app->world;
    struct mt_subscription subscription = {.apply = NULL};
    // Subscribed, so that the process does not leave the state while it reads.
    enum mt_state state;
    app->config.ops->subscribe(&app->config, &subscription, &state);
    if (state == MT_USE_OLD_HIDE_METADATA) {
        // A request that changes nothing: the scheduling point that a real read of the table would
        // be.
        client_peek_revision(&app->client, HERE);
        if (sct_narrating())
            sct_note("reads the old table directly");
        MARK("a direct read of the old table");
        bool may_be_ahead = world->state > MT_USE_OLD_HIDE_METADATA;
        compare(&world->tables, TABLE_OLD,
                (struct cursor){.filter = filter, .skips_reserved = may_be_ahead});
    }
    app->config.ops->unsubscribe(&app->config, &subscription);
}

// Whoever reads the new table directly may do so when the migration has returned: until then it may
// hold tombstones and marks.
void direct_read_new(struct app *app, const struct ct_filter *filter) {
    struct world *world = app->world;
    app_release_state(app);
    app_needs(app, MT_STATE_COUNT);
    while (!world->has_migrated)
        sct_waiters_wait(&world->migrated, "the end of the migration");
    client_peek_revision(&app->client, HERE);
    if (sct_narrating())
        sct_note("reads the new table directly");
    MARK("a direct read of the new table");
    compare(&world->tables, TABLE_NEW, (struct cursor){.filter = filter});
}
