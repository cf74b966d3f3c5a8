// default: the roll-out over one table, every call of it a step of its own.
#include "harness/scenario.h"
#include "harness/schema/plain_world.h"
#include "harness/schema/show.h"
#include "harness/table/retell.h"

static void setup(void *bugs) {
    struct plain_world *world = plain_world_new();
    struct fleet *fleet = &world->fleet;
    fleet_draw(fleet, bugs);
    plain_world_open(world, false);
    fleet_load(fleet, &world->tables);
    fleet_draw_deaths(fleet);
    plain_world_start(world, fleet_serve);
}

static void finish(void *bugs) {
    (void)bugs;
    fleet_check_end(&plain_world_present()->fleet);
}

extern const struct scenario scenario_schema_default;
const struct scenario scenario_schema_default = {
    .model = "schema-upgrade",
    .name = "default",
    .summary = "small fleets, every call a step of its own, the worker dies and comes back",
    .setup = setup,
    .finish = finish,
    .coverage = &schema_coverage,
    .show = plain_world_show,
    .terms = schema_terms,
    .retell = table_retell,
    .steps = table_steps,
    .reaches_all = true,
};
