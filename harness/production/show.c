#include "harness/production/show.h"
#include "harness/production/process.h"

#include "harness/table/kinds.h"
#include "harness/table/retell.h"
#include "harness/table/show_rows.h"
#include "model/migrating/entity.h"

static const struct panel_form table_forms[STORE_COUNT] = {
    {"old table", PANEL_TABLE, "the store that the data is moved out of", show_rows_columns,
     SHOW_ROWS_KEYS, NULL, NULL},
    {"new table", PANEL_TABLE, "the store that the data is moved into", show_rows_columns,
     SHOW_ROWS_KEYS, NULL, NULL},
    {"control table", PANEL_TABLE,
     "who takes part: the row 'config' has the state of the migration and the migrator that holds "
     "it, every other row is a client process and the version that it has acknowledged",
     show_rows_columns, SHOW_ROWS_KEYS, NULL, NULL},
};

static void show(const void *context, struct panel_sink *sink) {
    static const struct row_looks looks = {NULL, NULL};
    const struct production *world = context;
    for (int i = 0; i < STORE_COUNT; i++)
        show_rows(sink, &table_forms[i], world->stores[i].table, &looks);
}

static const struct term terms[] = {
    {"the system", "MigratingTable moves a live data set from an old table to a new one while "
                   "applications keep using it. Here each application is a process that holds a "
                   "lease: it takes part as long as it renews it in time."},
    {"service-N", "an application process. Its program reads and writes through MigratingTable"},
    {"migrator-N", "a process that wants to migrate; one at a time may, the holder of the row "
                   "'config'"},
    {"network", "brings requests to the tables: some late, some not at all"},
    {"time", "the true clock. It goes on when nothing else can happen"},
    {"lease", "a time for which a process may act. Others count it out when it has been silent for "
              "longer, by their own clocks"},
    {"fence", "waits until nothing is under way in a table that began before"},
    {KIND_NOT_LINEARIZABLE, "no order of the calls, one after the other, explains their answers"},
    {KIND_FINAL_STATE, "after everything had ended, the tables were not as a finished migration "
                       "must leave them"},
    {"livelock", "something that was promised does not happen, however long one waits"},
    {NULL, NULL},
};

const struct subject_view production_view = {
    .show = show,
    .terms = terms,
    .retell = table_retell,
    .steps = table_steps,
};
