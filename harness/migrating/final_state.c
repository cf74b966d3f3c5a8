#include "harness/migrating/final_state.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/migrating/state.h"
#include "model/table/row.h"

enum { TEXT_BYTES = 440 };

static bool has_metadata(const struct ct_row *row) {
    return ct_row_property(row, MT_DELETED_PROPERTY) ||
           ct_row_property(row, MT_PARTITION_STATE_PROPERTY);
}

static void check_no_metadata(struct ct_rows rows) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < rows.count; i++) {
        if (!has_metadata(rows.rows[i]))
            continue;
        describe_row(&text, rows.rows[i]);
        sct_violation(KIND_FINAL_STATE, "the new table keeps metadata: %s", buffer);
    }
}

static void check_old_table_empty(struct ct_rows rows) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_rows(&text, rows);
    if (rows.count > 0) {
        note_rows(SCT_NOTE_EXPECTED, (struct ct_rows){NULL, 0});
        note_rows(SCT_NOTE_ACTUAL, rows);
    }
    sct_check(rows.count == 0, KIND_FINAL_STATE, "the old table keeps %s", buffer);
}

// With their ETags: the reference was told of each that changed without a write.
static void check_equal(struct ct_rows actual, struct ct_rows expected) {
    bool is_equal = actual.count == expected.count;
    for (size_t i = 0; is_equal && i < actual.count; i++)
        is_equal = ct_row_equal(actual.rows[i], expected.rows[i]);
    if (is_equal)
        return;
    char got[TEXT_BYTES], wanted[TEXT_BYTES];
    struct text got_text = text_in(got, sizeof got);
    struct text wanted_text = text_in(wanted, sizeof wanted);
    describe_rows(&got_text, actual);
    describe_rows(&wanted_text, expected);
    note_rows(SCT_NOTE_EXPECTED, expected);
    note_rows(SCT_NOTE_ACTUAL, actual);
    sct_violation(KIND_FINAL_STATE, "the new table holds %s; the reference table %s", got, wanted);
}

// What can be said without the reference, for a test that ignores annotations.
void final_state_check_backends(const struct tables *tables) {
    check_old_table_empty(ct_memory_rows(tables->backend[TABLE_OLD]));
    check_no_metadata(ct_memory_rows(tables->backend[TABLE_NEW]));
}

void final_state_check(const struct tables *tables) {
    sct_check(!tables->awaits_annotation, KIND_ANNOTATION_PROTOCOL,
              "the last backend call was not annotated");
    final_state_check_backends(tables);
    check_equal(ct_memory_rows(tables->backend[TABLE_NEW]), ct_memory_rows(tables->reference));
}

// No outcome differs if one is left open: the backend pays for it.
static void check_streams_closed(const struct tables *tables) {
    for (const struct client_stream *s = tables->streams; s; s = s->next) {
        const struct client *client = s->table->client;
        // Not asked of a process that may have died with a stream open.
        sct_check(client->faults.die != NULL, KIND_FINAL_STATE,
                  "a stream of the %s table was never closed",
                  s->table->id == TABLE_OLD ? "old" : "new");
    }
}

void final_state_check_released(const struct world *world) {
    check_streams_closed(&world->tables);
    for (size_t i = 0; i < world->app_count; i++) {
        const struct app *app = world->apps[i];
        sct_check(app->is_dead || mt_config_service_is_idle(&app->mirror), KIND_FINAL_STATE,
                  "a call of %s has returned and is still subscribed", app->name);
    }
}
