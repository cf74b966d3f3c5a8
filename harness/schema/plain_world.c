#include "harness/schema/plain_world.h"
#include "core/engine/inside.h"
#include "core/engine/program.h"
#include "harness/schema/coverage.h"
#include "harness/schema/show.h"
#include "harness/table/retell.h"

struct plain_world *plain_world_new(void) {
    struct plain_world *world = ARENA_NEW(sct_arena(), struct plain_world);
    sct_context_set(world);
    return world;
}

static size_t choose_row(void *context, size_t count) {
    (void)context;
    return sct_choose((uint32_t)count, "valid row");
}

static void run_server(void *argument) {
    const struct plain_server *server = argument;
    server->world->serve(&server->world->fleet, server->index);
}

static void run_worker(void *argument) {
    fleet_sweep(argument);
}

static void restart_worker(struct fleet *fleet) {
    struct sct_machine *machine = fleet->worker_client->machine;
    sct_machine_stop(machine);
    sct_task_start_with(machine, "main again", run_worker, fleet, &sct_access_none);
}

static void join(struct plain_world *world, size_t index, const char *name) {
    struct client *client = &world->clients[index];
    client_init(client, &transport_direct, &world->host, sct_machine_create(name));
    fleet_join(&world->fleet, client, &client->old_table.table);
}

void plain_world_open(struct plain_world *world, bool etags_per_key) {
    struct fleet *fleet = &world->fleet;
    tables_init(&world->tables, &(struct tables_options){.choose = choose_row,
                                                         .etags_per_key = etags_per_key,
                                                         .is_plain = true,
                                                         .wrote = ledger_wrote,
                                                         .wrote_context = &fleet->ledger});
    tables_host_init(&world->host, &world->tables);
    size_t servers = fleet->state.count;
    for (size_t i = 0; i < servers; i++)
        join(world, i, fleet_server_name(i));
    join(world, servers, WORKER_NAME);
    fleet->restart_worker = restart_worker;
}

void plain_world_start(struct plain_world *world,
                       void (*serve)(struct fleet *fleet, size_t index)) {
    size_t servers = world->fleet.state.count;
    struct client *worker = &world->clients[servers];
    world->serve = serve;
    for (size_t i = 0; i < servers; i++) {
        world->servers[i] = (struct plain_server){world, i};
        sct_task_start_with(world->clients[i].machine, "main", run_server, &world->servers[i],
                            &sct_access_none);
    }
    fleet_start(&world->fleet, worker);
    sct_task_start_with(worker->machine, "main", run_worker, &world->fleet, &sct_access_none);
}

static void show(const void *context, struct panel_sink *sink) {
    const struct plain_world *world = context;
    schema_show(sink, &world->fleet, world->tables.backend[TABLE_OLD]);
}

const struct subject_view schema_view = {
    .coverage = &schema_coverage,
    .show = show,
    .terms = schema_terms,
    .retell = table_retell,
    .steps = table_steps,
};
