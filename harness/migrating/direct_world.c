// The direct world: main programs are tasks, and so is the arrival of a configuration at a machine.
#include "harness/migrating/app.h"

struct arrival {
    struct app *app;
    enum mt_state state;
    struct sct_latch *latch;
};

static void arrive(void *argument) {
    struct arrival *arrival = argument;
    struct app *app = arrival->app;
    struct mt_config *mirror = &app->mirror.config;
    app->pushed_state = arrival->state;
    sct_waiters_wake(&app->progress);
    while (app->held_state < arrival->state)
        sct_waiters_wait(&app->progress, "a call that is to begin in the present state");
    app->arrived_state = arrival->state;
    sct_waiters_wake(&app->progress);
    if (sct_narrating())
        sct_note("receives %s", mt_state_name(arrival->state));
    mirror->ops->push(mirror, HERE, arrival->state);
    sct_latch_count_down(arrival->latch);
}

static void push(struct app *migrator, const char *where, enum mt_state state) {
    struct world *world = migrator->world;
    sct_point("push", where, &sct_access_unknown);
    struct sct_latch *latch = ARENA_NEW(sct_arena(), struct sct_latch);
    sct_latch_init(latch, world->app_count);
    for (size_t i = 0; i < world->app_count; i++) {
        struct arrival *arrival = ARENA_NEW(sct_arena(), struct arrival);
        *arrival = (struct arrival){&world->apps[i], state, latch};
        sct_task_start(world->apps[i].client.machine, "new configuration", arrive, arrival);
    }
    sct_latch_wait(latch, "the machines to take a new configuration");
}

static void act_later(struct hook *hook) {
    sct_task_start(hook->app->client.machine, "action", hook_run, hook);
}

const struct delivery delivery_direct = {.push = push, .act_later = act_later};

static void run_program(void *argument) {
    struct app *app = argument;
    app->program(app);
}

void world_start_direct(struct world *world) {
    for (size_t i = 0; i < world->app_count; i++)
        sct_task_start(world->apps[i].client.machine, "main", run_program, &world->apps[i]);
}
