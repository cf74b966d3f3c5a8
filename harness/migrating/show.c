// What the worlds of MigratingTable show of themselves in reports: contents, states, vocabulary.
#include "harness/migrating/show.h"
#include "harness/migrating/app.h"
#include "model/migrating/entity.h"
#include "model/table/row.h"

#include <string.h>

static const char *const row_columns[] = {"partition", "row", "properties", "ETag", "~mark", NULL};

static const struct panel_form table_forms[] = {
    {"old table", PANEL_TABLE, "the store that the data is moved out of", row_columns, 2},
    {"new table", PANEL_TABLE, "the store that the data is moved into", row_columns, 2},
    {"reference", PANEL_TABLE,
     "what applications must see: every call is also made here, at its linearization point",
     row_columns, 2},
};

static const char *const track_columns[] = {"name", "value", NULL};

static const struct panel_form state_form = {"migration state", PANEL_TRACK,
                                             "how far each machine knows the migration to be",
                                             track_columns, 1};

static const struct panel_form partition_form = {
    "partition state", PANEL_TRACK,
    "who may write each partition, as the old table's meta row says", track_columns, 1};

// ---- Rows --------------------------------------------------------------------------------------

static bool is_metadata(const char *name) {
    return strcmp(name, MT_DELETED_PROPERTY) == 0 || strcmp(name, MT_PARTITION_STATE_PROPERTY) == 0;
}

static void add_property(struct text *text, const struct ct_property *property) {
    const char *separator = text->length ? ", " : "";
    switch (property->type) {
    case CT_BOOL:
        text_add(text, "%s%s=%s", separator, property->name,
                 property->value.boolean ? "true" : "false");
        return;
    case CT_STRING:
        text_add(text, "%s%s='%s'", separator, property->name, property->value.string);
        return;
    case CT_INT32:
        text_add(text, "%s%s=%d", separator, property->name, (int)property->value.int32);
        return;
    }
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
    if (strcmp(row->key.row, MT_META_ROW) == 0)
        return partition_state_name(mt_partition_state_of(row));
    if (mt_is_internal(row->key))
        return "guard";
    return mt_is_tombstone(row) ? "tombstone: deleted" : "";
}

static void show_row(struct panel_sink *sink, const struct ct_row *row) {
    char buffer[1000];
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < row->property_count; i++)
        if (!is_metadata(row->properties[i].name))
            add_property(&text, &row->properties[i]);
    panel_cell(sink, "'%s'", row->key.partition);
    panel_cell(sink, "'%s'", row->key.row);
    panel_cell(sink, "%s", text.data);
    panel_cell(sink, "%s", row->etag ? row->etag : "");
    panel_cell(sink, "%s", mark_of(row));
}

static void show_rows(struct panel_sink *sink, const struct panel_form *form,
                      const struct ct_memory_table *table) {
    struct ct_rows rows = ct_memory_rows(table);
    panel_begin(sink, form);
    for (size_t i = 0; i < rows.count; i++)
        show_row(sink, rows.rows[i]);
}

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

void migrating_show(struct panel_sink *sink) {
    const struct world *world = world_present();
    show_rows(sink, &table_forms[0], world->tables.backend[TABLE_OLD]);
    show_rows(sink, &table_forms[1], world->tables.backend[TABLE_NEW]);
    show_rows(sink, &table_forms[2], world->tables.reference);
    show_states(sink, world);
    show_partitions(sink, world);
}

// ---- Vocabulary --------------------------------------------------------------------------------

const struct term migrating_terms[] = {
    {"the system", "MigratingTable moves a live data set from an old table to a new one while "
                   "applications keep using it. They must not notice: what they see must at every "
                   "moment be what one plain table (the reference) would show."},
    {"service-0, service-1", "application processes, each with a MigratingTable of its own over "
                             "the same two tables. The tables answer one call at a time."},
    {"migrator", "the process that moves the data and announces each state of the migration. A "
                 "new state reaches each machine at a moment of its own."},
    {"USE_OLD_HIDE_METADATA", "state 1 of 5: everything is in the old table"},
    {"PREFER_OLD", "state 2: writes still go to the old table, unless their partition is SWITCHED"},
    {"PREFER_NEW", "state 3: writes go to the new table; reads look into both, and a row of the "
                   "new table hides the old one of the same key; the migrator copies the rest"},
    {"USE_NEW_WITH_TOMBSTONES", "state 4: the new table is complete and alone is read; a deleted "
                                "row leaves a tombstone, for those who are still in state 3"},
    {"USE_NEW_HIDE_METADATA", "state 5: the new table only; the old one is cleaned up"},
    {"SWITCHED", "of a partition: its rows in the old table do not change any more, all writes go "
                 "to the new table. POPULATED: writes of PREFER_OLD go to the old table"},
    {"tombstone", "a row of the new table that says: this row is deleted, whatever the old says"},
    {"linearization point", "the moment at which a call takes effect: there the same call is made "
                            "on the reference table, and both must answer alike"},
    {"stream", "a query whose rows are read one by one; each row may be as of any moment between "
               "the stream's opening and that read"},
    {"ETag", "the version of a row; every write gives it a new one"},
    {NULL, NULL},
};
