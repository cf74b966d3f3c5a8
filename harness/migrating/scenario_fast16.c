// fast16: the published workload at the published message granularity with the published checks
// (two random machines and the migrator), plus deadlock and failed activities.
#include "harness/migrating/show.h"
#include "harness/migrating/workload.h"
#include "harness/scenario.h"
#include "harness/table/retell.h"

enum { PUBLISHED_CALL_LIMIT = 100 };

static void create(struct world *world) {
    load_published_rows(world);
    app_start_published(app_add(world, "service-0", random_program));
    app_start_published(app_add(world, "service-1", random_program));
    app_start_published(app_add(world, "migrator", app_migrate));
}

static void setup(void *bugs) {
    struct tables_options options = {
        .calls_max = PUBLISHED_CALL_LIMIT,
        .choose = published_choice,
    };
    struct world *world = world_new(&transport_published, &delivery_published, &options, bugs);
    world_start_published(world, create);
}

extern const struct scenario scenario_fast16;
const struct scenario scenario_fast16 = {
    .model = "migrating-table",
    .name = "fast16",
    .summary = "the published workload at the published message granularity (FAST 2016)",
    .setup = setup,
    .coverage = &migrating_coverage,
    .show = migrating_show,
    .terms = migrating_terms,
    .retell = table_retell,
    .steps = table_steps,
};
