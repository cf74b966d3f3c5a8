#include "harness/migrating/faults.h"
#include "harness/migrating/slow_call.h"
#include "model/migrating/entity.h"

enum {
    // Of so many executions one has the fault.
    ERROR_RARITY = 8,
    LOSS_RARITY = 2,
    DEATH_RARITY = 3,
    CALLS = 24, // a fault falls at one of so many backend calls of its client, which few exceed
    WRITES = 8, // or of so many batches
    PASS_CALLS = 6,
    MARKS = 3, // or of so many that write marks of partitions
};

// One of [count], early ones more often: few programs get to the last ones.
// Two draws, of which the second is within the first: number k has the chance of the sum of 1 / n
// over n > k, divided by [count].
static uint32_t draw_early(uint32_t count, const char *label) {
    uint32_t within = 1 + sct_choose(count, label);
    return sct_choose(within, "how early");
}

static struct app *draw_any(struct world *world) {
    return world->apps[sct_choose((uint32_t)world->app_count, "victim")];
}

// The migrator, of whose death most depends, or anybody.
static struct app *draw_victim(struct world *world) {
    struct app *migrator = world->apps[world->app_count - 1];
    return sct_choose(4, "migrator") == 0 ? draw_any(world) : migrator;
}

static void draw_server_error(struct world *world) {
    if (sct_choose(ERROR_RARITY, "server error") != ERROR_RARITY - 1)
        return;
    struct app *victim = draw_any(world);
    victim->client.faults.server_error_at = 1 + draw_early(CALLS, "backend call that fails");
}

bool faults_writes_mark(const struct request *request) {
    const struct ct_operation *first = &request->as.execute.batch->operations[0];
    return request->table == TABLE_OLD && mt_is_internal(first->entity->key) &&
           (first->type == CT_INSERT || first->type == CT_REPLACE);
}

static void lose_answer_of(struct app *victim) {
    static const enum slowness weighted[] = {SLOW_ONE_CALL, SLOW_ALL, SLOW_ALL};
    struct client_faults *faults = &victim->client.faults;
    uint32_t drawn = sct_choose(8, "of which batches");
    bool of_marks = drawn >= 4;
    faults->may_lose = of_marks ? faults_writes_mark : NULL;
    faults->lost_answer_at =
        1 + draw_early(of_marks ? MARKS : WRITES, "batch that is not answered");
    if (drawn % 4 > 0)
        slow_call_after_loss(victim, weighted[drawn % 4 - 1]);
}

static void draw_lost_answer(struct world *world) {
    if (sct_choose(LOSS_RARITY, "lost answer") != LOSS_RARITY - 1)
        return;
    lose_answer_of(draw_any(world));
    if (sct_choose(3, "another lost answer") == 2)
        lose_answer_of(draw_any(world));
}

// The migrator stands still somewhere in a pass, and others make their calls.
static void draw_slow_pass(struct world *world) {
    uint32_t drawn = sct_choose(12 * PASS_CALLS, "slow pass");
    if (drawn < 8 * PASS_CALLS)
        return;
    struct app *migrator = world->apps[world->app_count - 1];
    migrator->slow_at = 1 + drawn % PASS_CALLS;
    migrator->slow_state = drawn / PASS_CALLS % 2 == 0 ? MT_PREFER_NEW : MT_USE_NEW_HIDE_METADATA;
    migrator->slowness = drawn / PASS_CALLS % 4 < 2 ? SLOW_ONE_CALL : SLOW_ALL;
}

// ---- Deaths ------------------------------------------------------------------------------------

// A task of a machine of its own: when it runs, the process dies.
static void kill(void *argument) {
    struct app *app = argument;
    struct tables_host *host = app->client.host;
    // A call and its annotation are one step of the protocol: to die in between would leave the
    // tables waiting for ever.
    while (host->tables->awaits_annotation)
        sct_waiters_wait(&host->ready, "the annotation of the last backend call");
    sct_note_as(SCT_NOTE_FAULT, "FAULT: %s dies", app->name);
    app_die(app);
    if (app->program == app_migrate)
        app_restart(app);
}

// By another machine, since a machine that is stopped does not return; and as a task, so that the
// death comes at any later step, not just at the call that it was drawn for.
static void die(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    sct_task_start(sct_machine_create("death"), "death", kill, app);
}

// Any push, or seven times of eight the one that machines gather at.
static enum mt_state draw_push(enum mt_state busy_push) {
    const uint32_t pushes = MT_STATE_COUNT - 1;
    bool is_busy = busy_push > MT_USE_OLD_HIDE_METADATA;
    uint32_t drawn = sct_choose(is_busy ? 8 * pushes : pushes, "deadly push");
    return drawn < pushes ? (enum mt_state)(1 + drawn) : busy_push;
}

static void draw_death(struct world *world, enum mt_state busy_push) {
    uint32_t drawn = sct_choose(DEATH_RARITY, "death");
    // Where machines gather at a push, which is what a death endangers, all but the first.
    if (drawn == 0 || (busy_push == MT_USE_OLD_HIDE_METADATA && drawn < DEATH_RARITY - 1))
        return;
    struct app *victim = draw_victim(world);
    struct client_faults *faults = &victim->client.faults;
    faults->die = die;
    // What a push waits for is the migrator's alone: many deaths fall there.
    if (victim->program == app_migrate && sct_choose(5, "death in a push") > 0) {
        victim->deadly_push = draw_push(busy_push);
        return;
    }
    faults->death_after = draw_early(CALLS, "backend calls before the death");
    if (faults->death_after == 0)
        die(&victim->client);
}

void faults_kill(struct app *app) {
    app->client.faults.die = die;
    die(&app->client);
}

void faults_draw(struct world *world, enum mt_state busy_push) {
    draw_death(world, busy_push);
    draw_server_error(world);
    draw_lost_answer(world);
    draw_slow_pass(world);
}
