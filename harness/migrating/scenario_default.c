// default: rich inputs and faults under the free transport, and checks of what the migration
// leaves.
#include "harness/migrating/faults.h"
#include "harness/migrating/rich_workload.h"
#include "harness/migrating/workload.h"
#include "harness/scenario.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/migrating/state.h"
#include "model/table/row.h"

enum { TEXT_BYTES = 440 };

static struct world *present_world; // of this execution: set up anew by each

static void setup(void *bugs) {
    struct tables_options options = {.choose = uniform_choice};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    present_world = world;
    rich_draw_profile(world);
    app_add(world, "service-0", rich_program);
    app_add(world, "service-1", rich_program);
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
    faults_draw(world);
}

// ---- The end -----------------------------------------------------------------------------------

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
    sct_check(rows.count == 0, KIND_FINAL_STATE, "the old table keeps %s", buffer);
}

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
    sct_violation(KIND_FINAL_STATE, "the new table holds %s; the reference table %s", got, wanted);
}

static void finish(void *bugs) {
    (void)bugs;
    const struct tables *tables = &present_world->tables;
    sct_check(!tables->awaits_annotation, KIND_ANNOTATION_PROTOCOL,
              "the last backend call was not annotated");
    check_old_table_empty(ct_memory_rows(tables->backend[TABLE_OLD]));
    check_no_metadata(ct_memory_rows(tables->backend[TABLE_NEW]));
    check_equal(ct_memory_rows(tables->backend[TABLE_NEW]), ct_memory_rows(tables->reference));
}

extern const struct scenario scenario_default;
const struct scenario scenario_default = {
    .model = "migrating-table",
    .name = "default",
    .summary = "the published inputs, every backend call a step of its own, final state checked",
    .setup = setup,
    .finish = finish,
    .coverage = &migrating_coverage,
    .reaches_all = true,
};
