#include "harness/migrating/slow_call.h"
#include "core/campaign/marks.h"
#include "model/migrating/entity.h"
#include "model/table/filter.h"
#include "model/table/row.h"

// Counters only grow, so to have seen another value is to have seen a call end.
static size_t calls_of_others(const struct app *app) {
    const struct world *world = app->world;
    size_t count = 0;
    for (size_t i = 0; i < world->app_count; i++)
        if (world->apps[i] != app)
            count += world->apps[i]->calls_ended;
    return count;
}

// Whether another application's program can go on though this one stays in [state]. A push may wait
// for it that is already on its way here; until then there is one more.
// Without it a wait could be for ever: each execution must end, or it would be a deadlock that the
// test has made and not the protocol.
static bool others_go_on(const struct app *app, enum mt_state state) {
    const struct world *world = app->world;
    enum mt_state reachable = world->state;
    if (!app->arrivals && reachable <= state)
        reachable = state + 1;
    for (size_t i = 0; i < world->app_count; i++) {
        const struct app *other = world->apps[i];
        if (other != app && other->program != app_migrate && !other->stands_still &&
            other->needed_state < MT_STATE_COUNT && other->needed_state <= reachable)
            return true;
    }
    return false;
}

// Whether the migrator goes on though [app] stands still: until a push of it waits for somebody who
// does, too.
static bool migrator_goes_on(const struct app *app) {
    const struct world *world = app->world;
    const struct app *migrator = world->apps[world->app_count - 1];
    if (migrator == app || migrator->program != app_migrate || migrator->is_dead ||
        migrator->stands_still > 0 || world->has_migrated)
        return false;
    for (size_t i = 0; i < world->app_count; i++)
        if (world->apps[i]->stands_still > 0 && world->apps[i]->arrivals)
            return false;
    return true;
}

static bool somebody_goes_on(const struct app *app, enum mt_state state) {
    return others_go_on(app, state) || migrator_goes_on(app);
}

// Whether a row that the running batch names (a query: any) is another one than in [revision] of
// the reference.
static bool has_changed(const struct app *app, size_t revision) {
    const struct ct_memory_table *reference = app->world->tables.reference;
    if (ct_memory_revision(reference) == revision)
        return false;
    const struct call_record *call = client_call(&app->client);
    if (!call || call->kind == CALL_QUERY)
        return true;
    const struct ct_batch *batch = &call->batch;
    struct ct_rows before = ct_memory_rows_at(reference, revision);
    struct ct_rows rows = ct_memory_rows(reference);
    for (size_t i = 0; i < batch->count; i++) {
        struct ct_key key = batch->operations[i].entity->key;
        // Rows are immutable and shared between revisions: another pointer is another version.
        if (ct_rows_find(before, key) != ct_rows_find(rows, key))
            return true;
    }
    return false;
}

static enum mt_partition_state partition_state(const struct app *app, const char *partition) {
    struct ct_rows rows = ct_memory_rows(app->world->tables.backend[TABLE_OLD]);
    return mt_partition_state_of(ct_rows_find(rows, mt_meta_key(partition)));
}

// What there was when one began to stand still.
struct before {
    size_t calls;    // of others
    size_t revision; // of the reference
    const char *partition;
    enum mt_partition_state state; // of that
};

static bool waits_for_more(const struct app *app, enum slowness slowness,
                           const struct before *before) {
    if (slowness == SLOW_ONE_CALL)
        return calls_of_others(app) == before->calls;
    if (slowness == SLOW_CHANGE)
        return !has_changed(app, before->revision);
    return slowness != SLOW_MARK || !before->partition ||
           partition_state(app, before->partition) == before->state;
}

// Whether another one has ended a call meanwhile.
static bool stand_still(struct app *app, enum mt_state state, enum slowness slowness,
                        const char *partition) {
    ASSERT(app->world->has_slow_calls);
    struct before before = {
        .calls = calls_of_others(app),
        .revision = ct_memory_revision(app->world->tables.reference),
        .partition = partition,
        .state = partition ? partition_state(app, partition) : MT_PARTITION_NONE,
    };
    if (sct_narrating())
        sct_note("stands still");
    // So that nobody waits for this one, which waits itself: two slow calls would wait for each
    // other.
    app->stands_still++;
    app_needs(app, MT_STATE_COUNT);
    // The next state, or once more the present one. A push that has not waited for this call is
    // gone already: it must not be this wait that shows it.
    if (slowness == SLOW_PUSH && state + 1 < MT_STATE_COUNT)
        while (!app->arrivals && app->world->state <= state)
            sct_waiters_wait(&app->world->others, "the next state of the migration");
    app->awaits_change = slowness == SLOW_CHANGE;
    while (others_go_on(app, state) && waits_for_more(app, slowness, &before))
        sct_waiters_wait(&app->world->others, "another application's call");
    app->awaits_change = false;
    app->stands_still--;
    app_needs(app, MT_USE_OLD_HIDE_METADATA);
    return calls_of_others(app) > before.calls;
}

// The state that a slow process keeps from being left: the migrator goes through all of them.
static enum mt_state state_of(const struct app *app) {
    return app->client.may_linearize ? app->view.state : MT_USE_OLD_HIDE_METADATA;
}

static const char *partition_of(const struct call_record *call) {
    return call->kind == CALL_BATCH ? call->batch.operations[0].entity->key.partition
                                    : ct_filter_partition(call->filter);
}

static void stall(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    bool is_in_window = client->faults.stalls_in_window;
    if (is_in_window && !others_go_on(app, app->view.state)) {
        client->faults.stall_before = 1;
        return;
    }
    enum slowness slowness = app->slowness;
    const char *partition = is_in_window ? partition_of(client_call(client)) : NULL;
    if (slowness == SLOW_MARK && app->view.state != MT_PREFER_OLD &&
        app->view.state != MT_PREFER_NEW)
        slowness = SLOW_CHANGE;
    if (stand_still(app, state_of(app), slowness, partition))
        MARK("a whole call falls between two backend calls of another machine's");
}

static void stall_after_loss(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    if (stand_still(app, state_of(app), app->slowness_after_loss, NULL))
        MARK("a whole call falls between a lost answer and the look at what was done");
}

// Beside the main program, which may wait for a state meanwhile, a stream may be moved to one.
static void stall_stream(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    struct world *world = app->world;
    enum mt_state state = app->mirror.current;
    struct before before = {.calls = calls_of_others(app)};
    if (sct_narrating())
        sct_note("stands still");
    app->stands_still++;
    world_wake_others(world);
    if (app->slowness_of_stream == SLOW_PUSH && state + 1 < MT_STATE_COUNT)
        while (!app->arrivals && world->state <= state)
            sct_waiters_wait(&world->others, "the next state of the migration");
    while (somebody_goes_on(app, state) && waits_for_more(app, app->slowness_of_stream, &before))
        sct_waiters_wait(&world->others, "another application's call");
    app->stands_still--;
    world_wake_others(world);
    if (calls_of_others(app) > before.calls)
        MARK("a whole call falls between two backend calls of a stream");
}

void slow_call_in_stream(struct app *app, size_t backend_call, enum slowness slowness) {
    app->slowness_of_stream = slowness;
    app->client.faults.stall_stream = stall_stream;
    app->client.faults.stream_stall_before = backend_call;
}

void slow_call_after_loss(struct app *app, enum slowness slowness) {
    app->slowness_after_loss = slowness;
    app->client.faults.stall_after_loss = stall_after_loss;
}

void slow_call_next(struct app *app, size_t backend_call, enum slowness slowness) {
    app->slowness = slowness;
    app->client.faults.stall = stall;
    app->client.faults.stall_before = backend_call;
    app->client.faults.stalls_in_window = false;
}

void slow_call_in_window(struct app *app, size_t window, enum slowness slowness) {
    slow_call_next(app, window, slowness);
    app->client.faults.stalls_in_window = true;
}

void slow_call_begin_late(struct app *app, enum slowness slowness, const char *partition) {
    if (app->held_state == MT_STATE_COUNT)
        return;
    if (stand_still(app, app->held_state, slowness, partition))
        MARK("a call begins in a held state after another machine's call");
}
