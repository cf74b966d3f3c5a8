#include "harness/migrating/faults.h"

enum {
    // Of so many executions one has the fault.
    ERROR_RARITY = 8,
    LOSS_RARITY = 3,
    DEATH_RARITY = 3,
    CALLS = 24, // a fault falls at one of so many backend calls of its client, which few exceed
    WRITES = 8, // or of so many batches
};

// One of [count], early ones more often: few programs get to the last ones.
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

static void draw_lost_answer(struct world *world) {
    if (sct_choose(LOSS_RARITY, "lost answer") != LOSS_RARITY - 1)
        return;
    struct app *victim = draw_any(world);
    victim->client.faults.lost_answer_at = 1 + draw_early(WRITES, "batch that is not answered");
}

// ---- Deaths ------------------------------------------------------------------------------------

// A task of a machine of its own: when it runs, the process dies.
static void kill(void *argument) {
    struct app *app = argument;
    struct tables_host *host = app->client.host;
    while (host->tables->awaits_annotation)
        sct_waiters_wait(&host->ready, "the annotation of the last backend call");
    sct_note_as(SCT_NOTE_FAULT, "FAULT: %s dies", app->name);
    app_die(app);
    if (app->program == app_migrate)
        app_restart(app);
}

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
}
