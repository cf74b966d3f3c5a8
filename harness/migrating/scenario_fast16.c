// fast16: the published workload at the published message granularity with the published checks
// (two random machines and the migrator), plus deadlock and failed activities.
#include "harness/migrating/show.h"
#include "harness/migrating/workload.h"
#include "harness/subject/subject.h"

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

extern const struct subject_test scenario_fast16;
const struct subject_test scenario_fast16 = {
    .name = "fast16",
    .summary = "the published workload at the published message granularity (FAST 2016)",
    .program = {.setup = setup},
    .view = &migrating_view,
};
