// over-migration: the roll-out over a MigratingTable, while that is itself being migrated.
#include "harness/migrating/app.h"
#include "harness/migrating/final_state.h"
#include "harness/migrating/show.h"
#include "harness/migrating/workload.h"
#include "harness/subject/subject.h"
#include "harness/schema/show.h"
#include "harness/table/retell.h"

static void run_server(struct app *app) {
    fleet_serve(app->world->upper, app->index);
}

static void run_worker(struct app *app) {
    fleet_sweep(app->world->upper);
}

// The whole process dies here, with its instance of the migrating table.
static void restart_worker(struct fleet *fleet) {
    struct app *app = (struct app *)(void *)fleet->worker_client; // its first member
    app_die(app);
    app_restart(app);
}

static struct app *join(struct world *world, const char *name, void (*program)(struct app *app)) {
    struct app *app = app_add(world, name, program);
    fleet_join(world->upper, &app->client, app_checked_table(app));
    return app;
}

static void setup(void *bugs) {
    struct fleet *fleet = ARENA_NEW(sct_arena(), struct fleet);
    fleet_draw(fleet, bugs);
    struct world *world = world_new(&transport_direct, &delivery_direct,
                                    &(struct tables_options){.choose = uniform_choice,
                                                             .wrote = ledger_wrote,
                                                             .wrote_context = &fleet->ledger},
                                    bugs);
    world->upper = fleet;
    fleet_load(fleet, &world->tables);
    for (size_t i = 0; i < fleet->state.count; i++)
        join(world, fleet_server_name(i), run_server);
    struct app *worker = join(world, WORKER_NAME, run_worker);
    app_add(world, "migrator", app_migrate);
    fleet->restart_worker = restart_worker;
    world_start_direct(world);
    fleet_draw_deaths(fleet);
    struct client *clients[APPS_MAX];
    for (size_t i = 0; i < world->app_count; i++)
        clients[i] = &world->apps[i]->client;
    fleet_draw_server_error(clients, world->app_count);
    fleet_start(fleet, &worker->client);
}

static void finish(void *context) {
    const struct world *world = context;
    fleet_check_end(world->upper);
    // Both checks: the upgrade is right over the virtual table, and the migration has moved it.
    final_state_check(&world->tables);
}

static const struct subject_view view = {
    .coverage = &schema_coverage,
    .show = migrating_show,
    .terms = schema_terms,
    .retell = table_retell,
    .steps = table_steps,
};

extern const struct subject_test scenario_schema_over_migration;
const struct subject_test scenario_schema_over_migration = {
    .name = "over-migration",
    .summary = "the same over a MigratingTable that is being migrated meanwhile",
    .program = {.setup = setup, .finish = finish},
    .view = &view,
};
