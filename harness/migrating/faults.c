#include "harness/migrating/faults.h"

enum {
    RARITY = 8, // of so many executions one has the fault
    CALLS = 24, // a fault falls at one of so many backend calls of its client, which few exceed
};

static struct app *draw_victim(struct world *world) {
    return &world->apps[sct_choose((uint32_t)world->app_count, "victim")];
}

static void draw_server_error(struct world *world) {
    if (sct_choose(RARITY, "server error") != RARITY - 1)
        return;
    struct app *victim = draw_victim(world);
    victim->client.faults.server_error_at = 1 + sct_choose(CALLS, "backend call that fails");
}

void faults_draw(struct world *world) {
    draw_server_error(world);
}
