// default: rich inputs and faults under the free transport, and checks of what the migration
// leaves; judged by annotations and by the history of the calls. history: the same, judged without
// annotations.
#include "harness/migrating/faults.h"
#include "harness/migrating/final_state.h"
#include "harness/migrating/history_oracle.h"
#include "harness/migrating/rich_profile.h"
#include "harness/migrating/rich_workload.h"
#include "harness/migrating/show.h"
#include "harness/migrating/situations.h"
#include "harness/migrating/workload.h"
#include "harness/subject/subject.h"

static void wake_slow_calls(void *world, const struct sct_machine *caller) {
    (void)caller;
    world_wake_others(world);
}

// Who waits for a change of a partition's state hears of it at once.
static void notice_batch(void *world, const struct request *request, enum fate fate) {
    if (fate != FATE_NOT_DONE_UNANSWERED && faults_writes_mark(request))
        world_wake_others(world);
    migrating_notice_batch(world, request, fate);
}

static void set_up(struct bug_set *bugs, bool ignores_annotations) {
    struct tables_options options = {.choose = uniform_choice,
                                     .ignores_annotations = ignores_annotations};
    const struct profile *profile = rich_profile_draw();
    if (profile->has_limits)
        options.limits = (struct ct_table_limits){.query_rows = 1000, .no_delete_if_exists = true};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    world->profile = profile;
    // A slow call may wait for a row to change, which shows at linearization points alone.
    world->tables.options.wrote = wake_slow_calls;
    world->tables.options.wrote_context = world;
    world->tables.options.executed = notice_batch;
    world->tables.options.executed_context = world;
    world->begins = migrating_begin_situations;
    rich_load_rows(world);
    world_log(world);
    app_add(world, "service-0", rich_program);
    app_add(world, "service-1", rich_program);
    if (world->profile->has_third_service)
        app_add(world, "service-2", rich_program);
    app_add(world, "migrator", app_migrate);
    world_start_direct(world);
    faults_draw(world, rich_busy_push(world->profile));
}

static void setup(void *bugs) {
    set_up(bugs, false);
}

static void setup_history(void *bugs) {
    set_up(bugs, true);
}

static void finish(void *context) {
    struct world *world = context;
    final_state_check(&world->tables);
    final_state_check_released(world);
    if (history_oracle_is_due())
        history_oracle_check(world);
}

static void finish_history(void *context) {
    struct world *world = context;
    final_state_check_backends(&world->tables);
    final_state_check_released(world);
    history_oracle_check(world);
}

static void review(void *world, const struct sct_violation *violation, struct text *remark) {
    history_oracle_review(world, violation, remark);
}

extern const struct subject_test scenario_default;
const struct subject_test scenario_default = {
    .name = "default",
    .summary = "rich inputs, faults, every backend call a step of its own, the end is checked",
    .program = {.setup = setup, .finish = finish, .review = review},
    .view = &migrating_view,
    .reaches_all = true,
};

extern const struct subject_test scenario_history;
const struct subject_test scenario_history = {
    .name = "history",
    .summary = "default, judged by the history of the calls alone: annotations are ignored",
    .program = {.setup = setup_history, .finish = finish_history},
    .view = &migrating_view,
};
