// What the schema upgrade shows of itself in reports: the entries, the releases, vocabulary.
#include "harness/schema/show.h"
#include "harness/schema/kinds.h"
#include "harness/table/kinds.h"
#include "harness/table/show_rows.h"

static const struct panel_form table_form = {
    "table",
    PANEL_TABLE,
    "the weather service's entries, each written by some release",
    show_rows_columns,
    SHOW_ROWS_KEYS,
    NULL,
    NULL};

static const char *const track_columns[] = {"name", "value", NULL};

static const struct term release_values[] = {
    {"R1-strict", "first release: takes a property that it does not know for an error"},
    {"R1-tolerant", "the same, but it ignores properties that it does not know; its updates merge, "
                    "so such properties survive"},
    {"R1.5", "hybrid: knows both schemas; what it writes is 1.5 with the default area"},
    {"R2", "the new schema: entries it inserts are 2.0, with an area that somebody chose"},
    {"R3", "one property (Scale) is removed: updates replace the whole entry and make it 3.0"},
    {NULL, NULL},
};

static const struct panel_form release_form = {
    "release",
    PANEL_TRACK,
    "which version of the program each server runs; they are upgraded one "
    "after the other",
    track_columns,
    1,
    release_values,
    "sth23"};

void schema_show(struct panel_sink *sink, const struct fleet *fleet,
                 const struct ct_memory_table *table) {
    static const struct row_looks looks = {NULL, NULL};
    show_rows(sink, &table_form, table, &looks);
    panel_begin(sink, &release_form);
    for (size_t i = 0; i < fleet->state.count; i++) {
        panel_cell(sink, "%s", fleet_server_name(i));
        panel_cell(sink, "%s", su_release_name(fleet->state.releases[i]));
    }
}

const struct term schema_terms[] = {
    {"the system",
     "A weather service changes the schema of its entries, in one table, without stopping: its "
     "servers are upgraded one after the other, so that two neighbouring releases of the program "
     "always work on the same entries. No entry may suffer from that."},
    {"server-N", "runs some release of the service: reads and writes entries"},
    {"roll-out", "upgrades the servers, one release after the other, one server at a time; a "
                 "release begins when the one before is on all servers"},
    {"worker", "goes through the whole table and brings what is left to the newest version; it may "
               "die and begin again"},
    {"death", "kills the worker"},
    {"tables", "where the table is; it answers one call at a time"},
    {"harness", "the test: it fills the table before anything runs and looks at it at the end"},
    {"SchemaVersion, 1.0, 1.5, 2.0, 3.0",
     "the version of an entry: 1.0 by the first release, without SampleArea; 1.5 touched by the "
     "hybrid release, which fills in the default area; 2.0 with an area that somebody chose; 3.0 "
     "without Scale. It never goes down."},
    {"SampleArea", "the property that is new; 'Spata' is the default: nobody chose it"},
    {"Scale", "the property that release R3 removes"},
    {"Temperature", "updates add to it, so that a lost one shows"},
    {"Replace", "a write that puts a whole entry in the place of the old one"},
    {"Merge", "a write that changes the named properties and keeps the others"},
    {"update N, delete N, insert N, choose N", "an operation of the service on one entry"},
    {"ETag, if-match", "the version number of a row; every write gives it a new one. if-match: "
                       "only if the row still is of that version (* : of any)"},
    {"201, 204, 412, 404",
     "status of a call: 201 made the row, 204 changed or deleted it, 412 it is "
     "of another version by now, 404 it is not there"},
    {"PartitionKey, RowKey", "the two parts of a row's name, in a filter"},
    {KIND_PROPERTY_ERROR, "a server failed on a property that it does not know, or missed one"},
    {KIND_AREA_LOST, "an area that somebody chose is gone, or passes for the default"},
    {KIND_DEFAULT_TRUSTED, "a default area passes for a chosen one"},
    {KIND_VERSION_DOWN, "the version of an entry went down"},
    {KIND_UPDATE_LOST, "a temperature is not the sum of its updates"},
    {KIND_READING_INVALID, "a server has read what the entry was at no instant of the operation"},
    {KIND_AREA_MISSING, "every 1.5 entry must have an area; one was written without"},
    {KIND_UPGRADE_INCOMPLETE, "the worker has ended, and an entry is not of the newest version"},
    {KIND_OUTCOME_MISMATCH, "what a call returned is not what it should have"},
    {NULL, NULL},
};
