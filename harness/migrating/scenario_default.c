// default: rich inputs and faults under the free transport, and checks of what the migration
// leaves; judged by annotations and by the history of the calls. history: the same, judged without
// annotations.
#include "harness/migrating/faults.h"
#include "harness/migrating/history_oracle.h"
#include "harness/migrating/rich_profile.h"
#include "harness/migrating/rich_workload.h"
#include "harness/migrating/show.h"
#include "harness/migrating/workload.h"
#include "harness/scenario.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/migrating/state.h"
#include "model/table/row.h"

enum { TEXT_BYTES = 440 };

static void set_up(struct bug_set *bugs, bool ignores_annotations) {
    struct tables_options options = {.choose = uniform_choice,
                                     .ignores_annotations = ignores_annotations};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    rich_profile_draw();
    rich_load_rows(world);
    world_log(world);
    app_add(world, "service-0", rich_program);
    app_add(world, "service-1", rich_program);
    if (rich_profile()->has_third_service)
        app_add(world, "service-2", rich_program);
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
    faults_draw(world, rich_busy_push());
}

static void setup(void *bugs) {
    set_up(bugs, false);
}

static void setup_history(void *bugs) {
    set_up(bugs, true);
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
    if (rows.count > 0) {
        note_rows(SCT_NOTE_EXPECTED, (struct ct_rows){NULL, 0});
        note_rows(SCT_NOTE_ACTUAL, rows);
    }
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
    note_rows(SCT_NOTE_EXPECTED, expected);
    note_rows(SCT_NOTE_ACTUAL, actual);
    sct_violation(KIND_FINAL_STATE, "the new table holds %s; the reference table %s", got, wanted);
}

static void check_backends(const struct tables *tables) {
    check_old_table_empty(ct_memory_rows(tables->backend[TABLE_OLD]));
    check_no_metadata(ct_memory_rows(tables->backend[TABLE_NEW]));
}

static void finish(void *bugs) {
    (void)bugs;
    const struct tables *tables = &world_present()->tables;
    sct_check(!tables->awaits_annotation, KIND_ANNOTATION_PROTOCOL,
              "the last backend call was not annotated");
    check_backends(tables);
    check_equal(ct_memory_rows(tables->backend[TABLE_NEW]), ct_memory_rows(tables->reference));
    if (history_oracle_is_due())
        history_oracle_check(world_present());
}

static void finish_history(void *bugs) {
    (void)bugs;
    check_backends(&world_present()->tables);
    history_oracle_check(world_present());
}

static void review(void *bugs, const struct sct_violation *violation, struct text *remark) {
    (void)bugs;
    history_oracle_review(world_present(), violation, remark);
}

extern const struct scenario scenario_default;
const struct scenario scenario_default = {
    .model = "migrating-table",
    .name = "default",
    .summary = "rich inputs, faults, every backend call a step of its own, the end is checked",
    .setup = setup,
    .finish = finish,
    .review = review,
    .coverage = &migrating_coverage,
    .show = migrating_show,
    .terms = migrating_terms,
    .reaches_all = true,
};

extern const struct scenario scenario_history;
const struct scenario scenario_history = {
    .model = "migrating-table",
    .name = "history",
    .summary = "default, judged by the history of the calls alone: annotations are ignored",
    .setup = setup_history,
    .finish = finish_history,
    .coverage = &migrating_coverage,
    .show = migrating_show,
    .terms = migrating_terms,
};
