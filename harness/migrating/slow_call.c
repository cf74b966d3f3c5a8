#include "harness/migrating/slow_call.h"
#include "core/campaign/marks.h"
#include "model/table/row.h"

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
static bool others_go_on(const struct app *app, enum mt_state state) {
    const struct world *world = app->world;
    enum mt_state reachable = world->state;
    if (!app->arrivals && reachable <= state)
        reachable = state + 1;
    for (size_t i = 0; i < world->app_count; i++) {
        const struct app *other = world->apps[i];
        if (other != app && other->program != app_migrate && other->needed_state < MT_STATE_COUNT &&
            other->needed_state <= reachable)
            return true;
    }
    return false;
}

// Whether a row that the running batch names is another one than in [revision] of the reference.
static bool has_changed(const struct app *app, size_t revision) {
    const struct ct_memory_table *reference = app->world->tables.reference;
    if (ct_memory_revision(reference) == revision)
        return false;
    const struct ct_batch *batch = &client_call(&app->client)->batch;
    struct ct_rows before = ct_memory_rows_at(reference, revision);
    struct ct_rows rows = ct_memory_rows(reference);
    for (size_t i = 0; i < batch->count; i++) {
        struct ct_key key = batch->operations[i].entity->key;
        if (ct_rows_find(before, key) != ct_rows_find(rows, key))
            return true;
    }
    return false;
}

static bool waits_for_more(const struct app *app, enum slowness slowness, size_t calls,
                           size_t revision) {
    if (slowness == SLOW_ONE_CALL)
        return calls_of_others(app) == calls;
    return slowness != SLOW_CHANGE || !has_changed(app, revision);
}

// Whether another one has ended a call meanwhile.
static bool stand_still(struct app *app, enum mt_state state, enum slowness slowness) {
    ASSERT(app->world->has_slow_calls);
    size_t before = calls_of_others(app);
    size_t revision = ct_memory_revision(app->world->tables.reference);
    if (sct_narrating())
        sct_note("stands still");
    app_needs(app, MT_STATE_COUNT);
    // The next state, or once more the present one. A push that has not waited for this call is
    // gone already: it must not be this wait that shows it.
    if (slowness == SLOW_PUSH && state + 1 < MT_STATE_COUNT)
        while (!app->arrivals && app->world->state <= state)
            sct_waiters_wait(&app->world->others, "the next state of the migration");
    while (others_go_on(app, state) && waits_for_more(app, slowness, before, revision))
        sct_waiters_wait(&app->world->others, "another application's call");
    app_needs(app, MT_USE_OLD_HIDE_METADATA);
    return calls_of_others(app) > before;
}

static void stall(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    if (app->slowness == SLOW_CHANGE && !others_go_on(app, app->view.state)) {
        client->faults.stall_before = 1;
        return;
    }
    if (stand_still(app, app->view.state, app->slowness))
        MARK("a whole call falls between two backend calls of another machine's");
}

void slow_call_next(struct app *app, size_t backend_call, enum slowness slowness) {
    app->slowness = slowness;
    app->client.faults.stall = stall;
    app->client.faults.stall_before = backend_call;
    app->client.faults.stalls_in_window = false;
}

void slow_call_in_window(struct app *app, size_t window) {
    slow_call_next(app, window, SLOW_CHANGE);
    app->client.faults.stalls_in_window = true;
}

void slow_call_begin_late(struct app *app, enum slowness slowness) {
    if (app->held_state == MT_STATE_COUNT)
        return;
    if (stand_still(app, app->held_state, slowness))
        MARK("a call begins in a held state after another machine's call");
}
