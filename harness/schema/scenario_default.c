// default: the roll-out over one table, every call of it a step of its own.
#include "harness/subject/subject.h"
#include "harness/schema/plain_world.h"
#include "harness/schema/show.h"

static void setup(void *bugs) {
    struct plain_world *world = plain_world_new();
    struct fleet *fleet = &world->fleet;
    // The fleet first: how many clients there are depends on it.
    fleet_draw(fleet, bugs);
    plain_world_open(world, false);
    fleet_load(fleet, &world->tables);
    fleet_draw_deaths(fleet);
    struct client *clients[PARTIES_MAX];
    for (size_t i = 0; i < fleet->ledger.party_count; i++)
        clients[i] = &world->clients[i];
    fleet_draw_server_error(clients, fleet->ledger.party_count);
    plain_world_start(world, fleet_serve);
}

static void finish(void *context) {
    const struct plain_world *world = context;
    fleet_check_end(&world->fleet);
}

extern const struct subject_test scenario_schema_default;
const struct subject_test scenario_schema_default = {
    .name = "default",
    .summary = "small fleets, every call a step of its own, the worker dies and comes back",
    .program = {.setup = setup, .finish = finish},
    .view = &schema_view,
    .reaches_all = true,
};
