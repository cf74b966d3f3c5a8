// The published world: machines, configuration delivery and hooks by messages.
//
// A push is a message of the migrator to the tables, which sends one message to each machine in the
// order of their creation (a scheduling point after each). A machine that takes it moves its mirror
// and its local subscriptions, and answers when all of those have completed. On the last answer the
// tables reply to the migrator.
#include "harness/migrating/app.h"

enum {
    MESSAGE_PUSH = MESSAGE_USER, // migrator to tables
    MESSAGE_APPLY,               // tables to each machine
    MESSAGE_DONE,                // back
    MESSAGE_ACTION,              // of a machine to itself
};

// A push on its way to one machine.
struct remote_push {
    struct sct_message apply, done;
    struct app *app;
    enum mt_state state;
    struct sct_strand *waiter;
};

// ---- At the migrator ---------------------------------------------------------------------------

struct push_request {
    struct remote_call call;
    enum mt_state state;
};

static void push(struct app *migrator, const char *where, enum mt_state state) {
    struct push_request request = {.state = state};
    request.call.payload = migrator->world;
    published_call(&migrator->client, &request.call, MESSAGE_PUSH, "push", where);
}

// The action starts before the machine takes any later message.
static void act_later(struct hook *hook) {
    hook->message.kind = MESSAGE_ACTION;
    sct_send(hook->app->client.machine, &hook->message, "action", HERE);
}

const struct delivery delivery_published = {.push = push, .act_later = act_later};

// ---- At the tables -----------------------------------------------------------------------------

static void serve_push(void *argument) {
    struct push_request *request = argument;
    struct world *world = request->call.payload;
    struct mt_config *master = &world->master.config;
    master->ops->push(master, HERE, request->state);
    published_reply(&request->call, "reply to push");
}

// A mirror's subscription at the master: moves the machine and waits for it.
// Parks until the machine answers: the master's push waits for this apply as for any other, so the
// barrier of all machines is that of one service.
static void apply_remotely(struct mt_subscription *subscription, enum mt_state state) {
    struct app *app = MESSAGE_OF(struct app, at_master, subscription);
    struct remote_push *remote = ARENA_NEW(sct_arena(), struct remote_push);
    *remote = (struct remote_push){.apply.kind = MESSAGE_APPLY, .app = app, .state = state};
    remote->done.kind = MESSAGE_DONE;
    remote->waiter = sct_self();
    sct_send(app->client.machine, &remote->apply, "configuration", HERE);
    sct_park("a machine to take a new configuration");
}

static void on_host_message(struct tables_host *host, struct sct_message *message) {
    (void)host;
    if (message->kind == MESSAGE_PUSH)
        sct_activity_start("push", serve_push, MESSAGE_OF(struct push_request, call, message));
    else if (message->kind == MESSAGE_DONE)
        sct_wake(MESSAGE_OF(struct remote_push, done, message)->waiter);
    else
        fail_at(FAIL_ASSERTION, HERE, "the tables got a message of kind %u", message->kind);
}

struct host_start {
    struct world *world;
    void (*create)(struct world *world);
};

static void host_main(void *argument) {
    struct host_start *start = argument;
    start->create(start->world);
    published_serve(&start->world->host);
}

void world_start_published(struct world *world, void (*create)(struct world *world)) {
    struct host_start *start = ARENA_NEW(sct_arena(), struct host_start);
    *start = (struct host_start){world, create};
    world->host.on_message = on_host_message;
    client_init(&world->host_client, world->transport, &world->host, world->host.machine);
    mt_config_service_init(&world->master, &world->host_client.env, MT_USE_OLD_HIDE_METADATA,
                           false);
    sct_task_start(world->host.machine, "tables", host_main, start);
}

// ---- At the applications -----------------------------------------------------------------------

static void apply_here(void *argument) {
    struct remote_push *remote = argument;
    struct mt_config *mirror = &remote->app->mirror.config;
    if (sct_narrating())
        sct_note_as(SCT_NOTE_STATE, "receives %s", mt_state_name(remote->state));
    mirror->ops->push(mirror, HERE, remote->state);
    sct_send(remote->app->world->host.machine, &remote->done, "configuration taken", HERE);
}

static void on_app_message(struct client *client, struct sct_message *message) {
    (void)client;
    if (message->kind == MESSAGE_APPLY)
        sct_activity_start("new configuration", apply_here,
                           MESSAGE_OF(struct remote_push, apply, message));
    else if (message->kind == MESSAGE_ACTION)
        sct_activity_start("action", hook_run, MESSAGE_OF(struct hook, message, message));
    else
        fail_at(FAIL_ASSERTION, HERE, "a machine got a message of kind %u", message->kind);
}

static void run_program(void *argument) {
    struct app *app = argument;
    app->program(app);
}

static void app_main(void *argument) {
    struct app *app = argument;
    sct_activity_start("main", run_program, app);
    published_client_loop(&app->client, on_app_message);
}

void app_start_published(struct app *app) {
    app->at_master.apply = apply_remotely;
    struct mt_config *master = &app->world->master.config;
    enum mt_state state;
    master->ops->subscribe(master, &app->at_master, &state);
    sct_task_start(app->client.machine, "machine", app_main, app);
    sct_point("create the next machine", HERE, &sct_access_unknown);
}
