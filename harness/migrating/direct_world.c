// The direct world: main programs are tasks, and so is the arrival of a configuration at a machine.
#include "core/campaign/marks.h"
#include "core/engine/inside.h"
#include "harness/migrating/app.h"
#include "harness/migrating/slow_call.h"

// A state on its way to a machine, and then at its mirror until that has done with it. They are
// taken in the order of the pushes: a migrator that died may have left some on their way. But the
// mirror may be told the next one while calls still keep it from being done with one.
struct arrival {
    struct app *app;
    enum mt_state state;
    struct sct_latch *latch;
    struct arrival *next;
    bool is_taken;
};

static void append(struct arrival *arrival) {
    struct arrival **link = &arrival->app->arrivals;
    while (*link)
        link = &(*link)->next;
    *link = arrival;
}

// The push need not wait for the machine any more.
static void remove_arrival(struct arrival *arrival) {
    struct arrival **link = &arrival->app->arrivals;
    while (*link != arrival)
        link = &(*link)->next;
    *link = arrival->next;
    sct_latch_count_down(arrival->latch);
}

static const struct arrival *first_on_the_way(const struct app *app) {
    const struct arrival *arrival = app->arrivals;
    while (arrival->is_taken)
        arrival = arrival->next;
    return arrival;
}

static void wait_for_progress(struct app *app, const char *waits_for) {
    sct_waiters_wait(&app->progress, waits_for);
    sct_touch(&app->access);
}

static void await_turn(struct arrival *arrival) {
    struct app *app = arrival->app;
    // A state that overtook an earlier one would take the machine back when that comes.
    while (first_on_the_way(app) != arrival)
        wait_for_progress(app, "an earlier configuration to be taken");
    app->pushed_state = arrival->state;
    sct_waiters_wake(&app->progress);
    world_wake_others(app->world);
    // A call that is drawn for a state holds it until it has begun there. The push waits: that only
    // makes the configuration travel slowly.
    while (app->held_state < arrival->state)
        wait_for_progress(app, "a call that is to begin in the present state");
    app->arrived_state = arrival->state;
    arrival->is_taken = true;
    sct_waiters_wake(&app->progress);
}

static void arrive(void *argument) {
    struct arrival *arrival = argument;
    // Not what the migrator knew when it pushed.
    sct_forget((struct digest){0, 0}, &arrival->state, sizeof arrival->state);
    struct app *app = arrival->app;
    struct mt_config *mirror = &app->mirror.config;
    await_turn(arrival);
    sct_tell_taken(arrival, app->client.machine);
    if (sct_narrating())
        sct_note_as(SCT_NOTE_STATE, "receives %s", mt_state_name(arrival->state));
    if (app->arrivals != arrival)
        MARK("a push reaches a machine while an earlier one waits there");
    mirror->ops->push(mirror, HERE, arrival->state);
    sct_touch(&app->access); // the push may have waited
    remove_arrival(arrival);
    sct_waiters_wake(&app->progress);
}

static size_t living_count(const struct world *world) {
    size_t count = 0;
    for (size_t i = 0; i < world->app_count; i++)
        count += !world->apps[i]->is_dead;
    return count;
}

// All arrivals are made at once, in one step, and each is a task: which machine takes the state
// first is for the scheduler. The dead are not waited for (app_die).
static void push(struct app *migrator, const char *where, enum mt_state state) {
    struct world *world = migrator->world;
    sct_point("push", where, sct_reducing() ? &sct_access_none : &sct_access_unknown);
    world->state = state;
    struct sct_latch *latch = ARENA_NEW(sct_arena(), struct sct_latch);
    sct_latch_init(latch, living_count(world));
    for (size_t i = 0; i < world->app_count; i++) {
        if (world->apps[i]->is_dead)
            continue;
        struct arrival *arrival = ARENA_NEW(sct_arena(), struct arrival);
        *arrival = (struct arrival){.app = world->apps[i], .state = state, .latch = latch};
        sct_touch(&world->apps[i]->access);
        append(arrival);
        sct_tell_sent(arrival, world->apps[i]->client.machine, mt_state_name(state));
        sct_task_start_with(world->apps[i]->client.machine, "new configuration", arrive, arrival,
                            &world->apps[i]->access);
    }
    // It dies with the state on its way to everybody, and nobody waits for the machines: the one
    // that is started again must push it once more.
    if (state == migrator->deadly_push) {
        migrator->deadly_push = 0; // not the next process
        migrator->client.faults.die(&migrator->client);
    }
    sct_latch_wait(latch, "the machines to take a new configuration");
    if (migrator->slow_at > 0 && state == migrator->slow_state)
        slow_call_next(migrator, migrator->slow_at, migrator->slowness);
}

static void act_later(struct hook *hook) {
    sct_task_start(hook->app->client.machine, "action", hook_run, hook);
}

const struct delivery delivery_direct = {.push = push, .act_later = act_later};

static void run_program(void *argument) {
    struct app *app = argument;
    app->program(app);
    app_needs(app, MT_STATE_COUNT);
}

void world_start_direct(struct world *world) {
    for (size_t i = 0; i < world->app_count; i++)
        sct_task_start_with(world->apps[i]->client.machine, "main", run_program, world->apps[i],
                            &world->apps[i]->access);
}

// What it had on its way is done with, or the push would wait for it for ever.
void app_die(struct app *app) {
    ASSERT(!app->world->tables.awaits_annotation);
    sct_machine_stop(app->client.machine);
    app->is_dead = true;
    app_needs(app, MT_STATE_COUNT);
    while (app->arrivals)
        remove_arrival(app->arrivals);
}

void app_restart(struct app *app) {
    app->is_dead = false;
    app->stands_still = 0;
    // Who starts reads the state that was pushed last.
    app_open(app, app->world->state);
    sct_task_start(app->client.machine, "main again", run_program, app);
}

// A task may have forgotten how many batches it has sent; how many come before the one that will
// not be answered still matters, and whether that will be done.
static uint64_t loss_ahead(const struct client_faults *faults) {
    if (faults->lost_answer_at <= faults->writes)
        return 0;
    return 4 * (uint64_t)(faults->lost_answer_at - faults->writes) + faults->loss;
}

// Small numbers, a byte each.
static uint64_t states_of(const struct app *app) {
    return (uint64_t)app->arrived_state | (uint64_t)app->held_state << 8 |
           (uint64_t)app->pushed_state << 16 | (uint64_t)app->deadly_push << 24 |
           (uint64_t)app->is_dead << 32 | (uint64_t)(app->reads != 0) << 40;
}

static void add_app(struct app *app, struct digest_words *words) {
    digest_words_add(words, states_of(app));
    digest_words_add(words, loss_ahead(&app->client.faults));
    // None is 0, which ends the list.
    for (const struct arrival *arrival = app->arrivals; arrival; arrival = arrival->next)
        digest_words_add(words, 1 + 2 * (uint64_t)arrival->state + arrival->is_taken);
    digest_words_add(words, 0);
    mt_config_service_add(&app->mirror, words);
    if (app->reads)
        digest_words_add_digest(words, ct_memory_window_digest(&app->seen));
}

// Of what tasks share and a later step may read. What a task knows by itself is in its own digest,
// as far as it has not said that it forgets it.
struct digest world_digest(struct world *world) {
    struct digest_words words = digest_words((struct digest){world->state, world->app_count});
    tables_add(&world->tables, &words);
    for (size_t i = 0; i < world->app_count; i++)
        add_app(world->apps[i], &words);
    return digest_words_end(&words);
}
