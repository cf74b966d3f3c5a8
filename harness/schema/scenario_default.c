// default: the roll-out over one table, every call of it a step of its own.
#include "harness/scenario.h"
#include "harness/schema/show.h"
#include "harness/table/retell.h"

struct world {
    struct tables tables;
    struct tables_host host;
    struct fleet fleet;
    struct client clients[PARTIES_MAX];
};

static struct world *present_world; // of this execution: set up anew by each

static size_t choose_row(void *context, size_t count) {
    (void)context;
    return sct_choose((uint32_t)count, "valid row");
}

static void run_server(void *argument) {
    struct client *client = argument;
    fleet_serve(&present_world->fleet, (size_t)(client - present_world->clients));
}

static void run_worker(void *argument) {
    fleet_sweep(argument);
}

static void restart_worker(struct fleet *fleet) {
    struct sct_machine *machine = fleet->worker_client->machine;
    sct_machine_stop(machine);
    sct_task_start(machine, "main again", run_worker, fleet);
}

static void join(struct world *world, size_t index, const char *name) {
    struct client *client = &world->clients[index];
    client_init(client, &transport_direct, &world->host, sct_machine_create(name));
    fleet_join(&world->fleet, client->machine, &client->old_table.table);
}

static void setup(void *bugs) {
    struct world *world = ARENA_NEW(sct_arena(), struct world);
    struct fleet *fleet = &world->fleet;
    present_world = world;
    fleet_draw(fleet, bugs);
    tables_init(&world->tables, &(struct tables_options){.choose = choose_row,
                                                         .is_plain = true,
                                                         .wrote = ledger_wrote,
                                                         .wrote_context = &fleet->ledger});
    tables_host_init(&world->host, &world->tables);
    fleet_load(fleet, &world->tables);
    size_t servers = fleet->state.count;
    for (size_t i = 0; i < servers; i++)
        join(world, i, fleet_server_name(i));
    join(world, servers, WORKER_NAME);
    fleet->restart_worker = restart_worker;
    for (size_t i = 0; i < servers; i++)
        sct_task_start(world->clients[i].machine, "main", run_server, &world->clients[i]);
    fleet_start(fleet, &world->clients[servers]);
    sct_task_start(world->clients[servers].machine, "main", run_worker, fleet);
}

static void finish(void *bugs) {
    (void)bugs;
    fleet_check_end(&present_world->fleet);
}

static void show(struct panel_sink *sink) {
    schema_show(sink, &present_world->fleet, present_world->tables.backend[TABLE_OLD]);
}

extern const struct scenario scenario_schema_default;
const struct scenario scenario_schema_default = {
    .model = "schema-upgrade",
    .name = "default",
    .summary = "small fleets, every call a step of its own, the worker dies and comes back",
    .setup = setup,
    .finish = finish,
    .coverage = &schema_coverage,
    .show = show,
    .terms = schema_terms,
    .retell = table_retell,
    .steps = table_steps,
    .reaches_all = true,
};
