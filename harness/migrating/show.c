// What the worlds of MigratingTable show of themselves in reports: contents, states, vocabulary.
#include "harness/migrating/show.h"
#include "harness/migrating/app.h"
#include "harness/migrating/coverage.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "harness/table/retell.h"
#include "harness/table/show_rows.h"
#include "model/migrating/entity.h"
#include "model/table/row.h"

#include <string.h>

static const struct panel_form table_forms[] = {
    {"old table", PANEL_TABLE, "the store that the data is moved out of", show_rows_columns,
     SHOW_ROWS_KEYS, NULL, NULL},
    {"new table", PANEL_TABLE, "the store that the data is moved into", show_rows_columns,
     SHOW_ROWS_KEYS, NULL, NULL},
    {"reference", PANEL_TABLE,
     "what applications must see: the checker makes every call of theirs on this plain table too, "
     "at the instant at which the call takes effect",
     show_rows_columns, SHOW_ROWS_KEYS, NULL, NULL},
};

static const char *const stream_columns[] = {"no.", "reader", "of", "asked for", "stands", NULL};

static const struct panel_form stream_form = {
    "open streams",
    PANEL_ASIDE,
    "who is reading which table row by row, and how far. A stream only goes forward: rows that are "
    "written at a key that it has passed, or when it is at its end, it never gives. To see them a "
    "new one must be opened",
    stream_columns,
    1,
    NULL,
    NULL};

static const char *const track_columns[] = {"name", "value", NULL};

static const struct term state_values[] = {
    {"USE_OLD_HIDE_METADATA", "only the old table is used"},
    {"PREFER_OLD", "writes still go to the old table, unless their partition is SWITCHED; reads "
                   "look into both tables"},
    {"PREFER_NEW", "writes go to the new table; reads look into both, and a row of the new table "
                   "hides the old one; meanwhile the migrator copies the rest"},
    {"USE_NEW_WITH_TOMBSTONES", "only the new table is read: all has been copied; a deleted row "
                                "leaves a tombstone, for those who still read both"},
    {"USE_NEW_HIDE_METADATA", "only the new table is used; what is left in the old one is cleaned "
                              "up"},
    {"dead", "the process has been killed"},
    {NULL, NULL},
};

static const struct panel_form state_form = {"migration state",
                                             PANEL_TRACK,
                                             "how far each machine knows the migration to be",
                                             track_columns,
                                             1,
                                             state_values,
                                             NULL};

static const struct term partition_values[] = {
    {"none", "no meta row: nobody has begun to move it, or all is done"},
    {"POPULATED", "has rows in the old table, and PREFER_OLD still writes there"},
    {"SWITCHED", "its rows in the old table do not change any more: all writes go to the new one"},
    {NULL, NULL},
};

static const struct panel_form partition_form = {
    "partition state",
    PANEL_TRACK,
    "which table each partition (a group of rows) is written to, as its meta row says",
    track_columns,
    1,
    partition_values,
    "NPS"};

// ---- Rows --------------------------------------------------------------------------------------

static bool is_metadata(const char *name) {
    return strcmp(name, MT_DELETED_PROPERTY) == 0 || strcmp(name, MT_PARTITION_STATE_PROPERTY) == 0;
}

static const char *partition_state_name(enum mt_partition_state state) {
    switch (state) {
    case MT_PARTITION_POPULATED:
        return "POPULATED";
    case MT_PARTITION_SWITCHED:
        return "SWITCHED";
    case MT_PARTITION_NONE:
        break;
    }
    return "none";
}

static const char *mark_of(const struct ct_row *row) {
    static const char *const meta_rows[] = {[MT_PARTITION_POPULATED] = "meta row: POPULATED",
                                            [MT_PARTITION_SWITCHED] = "meta row: SWITCHED",
                                            [MT_PARTITION_NONE] = "meta row: none"};
    if (strcmp(row->key.row, MT_META_ROW) == 0)
        return meta_rows[mt_partition_state_of(row)];
    if (mt_is_internal(row->key))
        return "guard row";
    return mt_is_tombstone(row) ? "tombstone: deleted" : "";
}

static const struct row_looks looks = {is_metadata, mark_of};

// ---- States ------------------------------------------------------------------------------------

static void show_states(struct panel_sink *sink, const struct world *world) {
    panel_begin(sink, &state_form);
    for (size_t i = 0; i < world->app_count; i++) {
        const struct app *app = world->apps[i];
        panel_cell(sink, "%s", app->name);
        panel_cell(sink, "%s", app->is_dead ? "dead" : mt_state_name(app->mirror.current));
    }
}

// Every partition that some table has a row of, in key order.
static const char *next_partition(const struct world *world, const char *after) {
    const struct ct_memory_table *tables[] = {world->tables.backend[TABLE_OLD],
                                              world->tables.backend[TABLE_NEW],
                                              world->tables.reference};
    const char *next = NULL;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct ct_rows rows = ct_memory_rows(tables[i]);
        for (size_t k = 0; k < rows.count; k++) {
            const char *partition = rows.rows[k]->key.partition;
            bool is_later = !after || strcmp(partition, after) > 0;
            if (is_later && (!next || strcmp(partition, next) < 0))
                next = partition;
        }
    }
    return next;
}

static void show_partitions(struct panel_sink *sink, const struct world *world) {
    struct ct_rows rows = ct_memory_rows(world->tables.backend[TABLE_OLD]);
    panel_begin(sink, &partition_form);
    for (const char *partition = next_partition(world, NULL); partition;
         partition = next_partition(world, partition)) {
        const struct ct_row *meta = ct_rows_find(rows, mt_meta_key(partition));
        panel_cell(sink, "'%s'", partition);
        panel_cell(sink, "%s", partition_state_name(mt_partition_state_of(meta)));
    }
}

// ---- Streams -----------------------------------------------------------------------------------

static void show_place(struct panel_sink *sink, const struct client_stream *stream) {
    if (stream->has_ended)
        panel_cell(sink, "at its end");
    else if (!stream->last)
        panel_cell(sink, "before the first row");
    else if (*stream->last->key.partition)
        panel_cell(sink, "behind '%s' '%s'", stream->last->key.partition, stream->last->key.row);
    else
        panel_cell(sink, "behind '%s'", stream->last->key.row);
}

static void show_stream(struct panel_sink *sink, const struct client_stream *stream) {
    char buffer[1000];
    struct text filter = text_in(buffer, sizeof buffer);
    describe_filter(&filter, stream->filter);
    panel_cell(sink, "%u", (unsigned)stream->number);
    panel_cell(sink, "%s", sct_machine_name(stream->table->client->machine));
    panel_cell(sink, "%s", stream->table->id == TABLE_OLD ? "old table" : "new table");
    panel_cell(sink, "%s", buffer);
    show_place(sink, stream);
}

// Of the open streams the one that was opened first after the [number]-th of all; NULL: none was.
static const struct client_stream *next_stream(const struct tables *tables, uint32_t number) {
    const struct client_stream *next = NULL;
    for (const struct client_stream *stream = tables->streams; stream; stream = stream->next)
        if (stream->number > number)
            next = stream; // the list has the newest first
    return next;
}

static void show_streams(struct panel_sink *sink, const struct tables *tables) {
    const struct client_stream *stream = NULL;
    panel_begin(sink, &stream_form);
    while ((stream = next_stream(tables, stream ? stream->number : 0)))
        show_stream(sink, stream);
}

void migrating_show(const void *context, struct panel_sink *sink) {
    const struct world *world = context;
    show_rows(sink, &table_forms[0], world->tables.backend[TABLE_OLD], &looks);
    show_rows(sink, &table_forms[1], world->tables.backend[TABLE_NEW], &looks);
    show_rows(sink, &table_forms[2], world->tables.reference, &looks);
    show_streams(sink, &world->tables);
    show_states(sink, world);
    show_partitions(sink, world);
}

// ---- Vocabulary --------------------------------------------------------------------------------

const struct term migrating_terms[] = {
    {"the system", "MigratingTable moves a live data set from an old table to a new one while "
                   "applications keep using it. They must not notice: what they see must at every "
                   "moment be what one plain table (the reference) would show."},
    {"service-N", "an application process with a MigratingTable of its own: a view that makes the "
                  "old and the new table look like one. The program reads and writes through it."},
    {"migrator", "the process that copies the rows from the old table to the new one and announces "
                 "each state of the migration. Each machine takes a new state at a moment of its "
                 "own, and only then the next one is announced."},
    {"tables", "where the old table, the new table and the reference are; they answer one call at "
               "a time"},
    {"harness", "the test: it fills the tables before anything runs and looks at them at the end"},
    {"death", "kills a process of the test"},
    {"row", "an entry of a table, named by partition and row key; written "
            "{'KEY' PROPERTY=VALUE etag VERSION}"},
    {"'' ''", "the place before the first row (a key in which the partition and the row both have "
              "the empty name)"},
    {"'PARTITION' 'ROW'", "a key: in quotes the name of the partition, which may be empty, then "
                          "that of the row"},
    {"_mtable_partition_meta, meta row", "a row that MigratingTable itself keeps in the old table, "
                                         "for each partition: which of the two tables is written "
                                         "to. Applications never see it."},
    {"everything", "no filter. The stream of the new table is not asked for less, even when the "
                   "application wants some rows only: a row that is now in the new table must hide "
                   "its old version, also if it no longer is what the application wants. The "
                   "migrator has to copy every row"},
    {"tells the checker",
     "copying a row gives it another version (ETag), which "
     "applications cannot tell from a write that changed nothing. So that the reference "
     "has the same version, whoever copies tells the checker, and the ETag there changes, too"},
    {"_mtable_partition_state", "property of the meta row: 0 is POPULATED, 1 is SWITCHED"},
    {"guard row, _mtable_partition_populated_assertion",
     "a second such row: writes to the old table fail once it is gone"},
    {"_mtable_deleted", "property that says whether a row of the new table is a tombstone"},
    {"tombstone", "a row of the new table that says: this row is deleted, whatever the "
                  "old table says"},
    {"linearization point, takes effect",
     "the linearization point of a call is the instant at which it takes effect, as if it had been "
     "made there all at once. There the checker makes the same call on the reference, and both "
     "must answer alike."},
    {"stream", "a query that hands out its rows one by one, in the order of their keys, while "
               "others go on writing. A stream of MigratingTable is fed from a stream of each "
               "table: it reads both ahead, and hands a row out only when it knows the next one "
               "of both, the smaller key first."},
    {KIND_STREAM_READ_INVALID, "each answer of a stream (a row, or the end) must be what the "
                               "reference had next at some instant since the stream was opened. "
                               "This answer was right at none."},
    {"stands at", "how far a stream has come: everything up to that partition and row key has been "
                  "handed out or passed"},
    {KIND_OUTCOME_MISMATCH, "what a call returned is not what the reference returned"},
    {KIND_RESULTS_MISMATCH, "a call returned something else than what it had told the checker"},
    {KIND_FINAL_STATE, "after everything had ended, the tables were not as a finished migration "
                       "must leave them"},
    {"program-error", "the system under test made a call that no correct program makes"},
    {KIND_NOT_LINEARIZABLE, "no order of the calls, one after the other, explains their answers"},
    {"annotation",
     "what the system under test tells the checker beside a call: that the call takes "
     "effect here, or that a row has a new ETag without a change that applications "
     "could see"},
    {"ETag, if-match",
     "the version of a row; every write gives it a new one. if-match: only if the row still is of "
     "that version (* : of any)"},
    {"201, 204", "status of a write that succeeded: 201 made the row, 204 changed or deleted it"},
    {"eq, PartitionKey, RowKey", "parts of a filter: only rows for which it holds; eq is equals, "
                                 "PartitionKey and RowKey are the two parts of a row's name"},
    {"isHappy, mood, age", "properties of the test's rows; nothing depends on what they mean"},
    {"lock", "keeps the tasks of one machine apart while they work on the same stream"},
    {"configuration", "a machine's knowledge of the migration state; a task of its own takes a new "
                      "one and tells the calls and streams under way (apply configuration)"},
    {"push", "the migrator sends a new state to all machines and waits until they have taken it"},
    {"reference.revision", "the checker notes which version of the reference is the present one"},
    {NULL, NULL},
};

const struct subject_view migrating_view = {
    .coverage = &migrating_coverage,
    .show = migrating_show,
    .terms = migrating_terms,
    .retell = table_retell,
    .steps = table_steps,
};
