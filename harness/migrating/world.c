// Worlds and the applications in them: how they come to be, and how an application's instance sees
// the configuration through its mirror.
#include "core/engine/monitor.h"
#include "core/engine/program.h"
#include "harness/migrating/app.h"

// All of it is in the execution's arena: nothing is given back, the next execution begins with an
// empty one.
struct world *world_new(const struct transport *transport, const struct delivery *delivery,
                        const struct tables_options *options, struct bug_set *bugs) {
    struct world *world = ARENA_NEW(sct_arena(), struct world);
    world->transport = transport;
    world->delivery = delivery;
    world->bugs = bugs;
    tables_init(&world->tables, options);
    tables_host_init(&world->host, &world->tables);
    sct_waiters_init(&world->migrated);
    sct_waiters_init(&world->others);
    world->has_slow_calls = true;
    sct_context_set(world);
    return world;
}

// A queue is shared: where it cannot be used, it must not make steps depend on each other.
void world_wake_others(struct world *world) {
    if (world->has_slow_calls)
        sct_waiters_wake(&world->others);
}

void world_log(struct world *world) {
    world->log = ARENA_NEW(sct_arena(), struct table_log);
    table_log_init(world->log, sct_arena(), ct_memory_rows(world->tables.reference));
}

static struct app *app_of(struct mt_config *config) {
    return MESSAGE_OF(struct app, config, config);
}

void app_release_state(struct app *app) {
    sct_touch(&app->access);
    if (app->held_state == MT_STATE_COUNT)
        return;
    app->held_state = MT_STATE_COUNT;
    sct_waiters_wake(&app->progress);
}

void app_take_view(struct app *app, enum mt_state state) {
    app->view.state = state;
    app->view.old_rows = ct_memory_rows(app->world->tables.backend[TABLE_OLD]);
}

// The beginning of a call or stream: a state that was held for it need not be held any more.
// It is here that a call learns its state, which is what coverage and held states are about.
static struct ct_outcome subscribe(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state) {
    struct mt_config *mirror = &app_of(config)->mirror.config;
    sct_touch(&app_of(config)->access);
    app_of(config)->subscriptions++;
    struct ct_outcome outcome = mirror->ops->subscribe(mirror, subscription, state);
    sct_observe(state, sizeof *state);
    app_take_view(app_of(config), *state);
    if (app_of(config)->client.calls && app_of(config)->world->begins)
        app_of(config)->world->begins(app_of(config));
    app_release_state(app_of(config));
    return outcome;
}

void app_needs(struct app *app, enum mt_state state) {
    app->needed_state = state;
    world_wake_others(app->world);
}

static void hold_state(struct app *app, enum mt_state state) {
    app->held_state = state;
    sct_waiters_wake(&app->progress); // an earlier one may have been held
}

void app_await_state(struct app *app, enum mt_state state, enum patience patience) {
    sct_touch(&app->access);
    if (patience != AWAIT_ARRIVAL && app->arrived_state <= state)
        hold_state(app, state);
    bool to_end = patience == HOLD_TO_END && state + 1 < MT_STATE_COUNT;
    // A later one on its way while this one has not arrived: the migration has skipped it. It must
    // not be this wait that shows it.
    while (app->pushed_state <= state && (app->arrived_state < state || to_end)) {
        app_needs(app, to_end ? state + 1 : state);
        sct_waiters_wait(&app->progress, "a state of the migration");
        sct_touch(&app->access);
    }
    app->needed_state = MT_USE_OLD_HIDE_METADATA;
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    struct mt_config *mirror = &app_of(config)->mirror.config;
    sct_touch(&app_of(config)->access);
    mirror->ops->unsubscribe(mirror, subscription);
}

// It never fails here: in this world only tables do. Pushes that fail are for the tests of
// production.
static struct ct_outcome push(struct mt_config *config, const char *where, enum mt_state state) {
    struct app *app = app_of(config);
    if (sct_narrating())
        sct_note_as(SCT_NOTE_STATE, "pushes %s", mt_state_name(state));
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a push to end");
    app->world->delivery->push(app, where, state);
    sct_monitor_cold(&monitor);
    return ct_success();
}

static const struct mt_config_ops config_ops = {
    .version = MT_CONFIG_VERSION,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .push = push,
};

// The mirror is cooperative: tasks of a world change places at scheduling points only, so it needs
// no lock.
void app_open(struct app *app, enum mt_state state) {
    mt_config_service_init(&app->mirror, &app->client.env, state, false);
    app->arrived_state = app->pushed_state = state;
    app->held_state = MT_STATE_COUNT;
    sct_waiters_init(&app->progress);
    app->config.ops = &config_ops;
    app->instance = mt_open(&(struct mt_options){
        .old_table = &app->client.old_table.table,
        .new_table = &app->client.new_table.table,
        .config = &app->config,
        .env = &app->client.env,
        .bugs = app->world->bugs,
    });
    app->table = mt_interface(app->instance);
}

struct app *app_add(struct world *world, const char *name, void (*program)(struct app *app)) {
    ASSERT(world->app_count < APPS_MAX);
    struct app *app = ARENA_NEW(sct_arena(), struct app);
    world->apps[world->app_count] = app;
    app->index = world->app_count++;
    app->access = (struct sct_access){.mode = SCT_ACCESS_WRITE, .object = world->tables.objects++};
    app->world = world;
    app->name = name;
    app->program = program;
    client_init(&app->client, world->transport, &world->host, sct_machine_create(name));
    app_open(app, MT_USE_OLD_HIDE_METADATA);
    return app;
}
