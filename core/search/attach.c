#include "core/search/attach.h"
#include "core/engine/state.h"

// ---- Sleep sets --------------------------------------------------------------------------------

static void touch(struct sct_search *search, const struct sct_access *access) {
    sct_sleep_touch(&search->sleep, access);
}

// Kept in the moment, where a snapshot restores it.
static void touch_while(struct sct_search *search, const bool *is_unfinished) {
    ASSERT(is_unfinished);
    search->sleep.now.is_unfinished = is_unfinished;
}

static void stop_asleep(struct sct_search *search) {
    sct_sleep_stop(&search->sleep);
}

static void close_asleep(struct sct_search *search) {
    sct_sleep_close(&search->sleep);
}

static void point_asleep(struct sct_search *search, struct sct_engine *engine) {
    sct_sleep_point(&search->sleep, engine);
}

static void open_asleep(struct sct_search *search, struct sct_engine *engine, unsigned slot) {
    sct_sleep_open(&search->sleep, engine, slot);
}

// ---- Races, on top of them ---------------------------------------------------------------------

static void start(struct sct_search *search, unsigned slot, uint64_t signature) {
    sct_dpor_start(search->dpor, slot, signature);
}

static void wake(struct sct_search *search, unsigned slot) {
    sct_dpor_wake(search->dpor, slot);
}

static void grant(struct sct_search *search, unsigned slot) {
    sct_dpor_grant(search->dpor, slot);
}

static void time_passes(struct sct_search *search) {
    sct_dpor_time_passes(search->dpor);
}

// Each moment is told to the sleep sets first: what the races are found from (the footprint of the
// running step, the node of its decision) is theirs.
static void stop(struct sct_search *search) {
    sct_sleep_stop(&search->sleep);
    sct_dpor_stop(search->dpor);
}

static void close(struct sct_search *search) {
    sct_sleep_close(&search->sleep);
    sct_dpor_close(search->dpor);
}

static void point(struct sct_search *search, struct sct_engine *engine) {
    sct_sleep_point(&search->sleep, engine);
    sct_dpor_point(search->dpor, engine);
}

static void open(struct sct_search *search, struct sct_engine *engine, unsigned slot) {
    sct_sleep_open(&search->sleep, engine, slot);
    sct_dpor_open(search->dpor, engine, slot);
}

// ---- States and snapshots ----------------------------------------------------------------------

static void meet(struct sct_search *search, struct sct_engine *engine) {
    sct_explorer_meet(&search->explorer, engine);
}

static void visit(struct sct_search *search, struct sct_engine *engine) {
    sct_explorer_visit(&search->explorer, engine);
}

static void observe(struct sct_search *search, struct sct_engine *engine, unsigned slot) {
    sct_explorer_observe(&search->explorer, engine, slot);
}

static bool offer(struct sct_search *search, struct sct_engine *engine) {
    return sct_snapshots_offer(&search->snapshots, engine);
}

static struct sct_strand *take(struct sct_search *search, struct sct_engine *engine) {
    return sct_snapshots_take(&search->snapshots, engine);
}

static struct sct_strand *restore(struct sct_search *search, struct sct_engine *engine) {
    return sct_snapshots_restore(&search->snapshots, engine);
}

// ---- The tables --------------------------------------------------------------------------------

// With sleep sets or without, whose flag says. The engine tests it before every call, so that the
// functions that nobody wants are never called, and none asks again.
static const struct sct_seam plain_calls = {
    .touch = touch,
    .touch_while = touch_while,
    .stop = stop_asleep,
    .close = close_asleep,
    .point = point_asleep,
    .open = open_asleep,
    .meet = meet,
    .visit = visit,
    .observe = observe,
    .offer = offer,
    .take = take,
    .restore = restore,
};

// No cache goes with it.
static const struct sct_seam dpor_calls = {
    .touch = touch,
    .touch_while = touch_while,
    .stop = stop,
    .close = close,
    .point = point,
    .open = open,
    .start = start,
    .wake = wake,
    .grant = grant,
    .time_passes = time_passes,
    .offer = offer,
    .take = take,
    .restore = restore,
};

void sct_search_attach(struct sct_search *search, struct sct_engine *engine) {
    ASSERT(!search->dpor || !search->has_explorer);
    ASSERT(!search->dpor || search->has_sleep); // it stands on them
    if (search->has_sleep)
        sct_sleep_begin(&search->sleep);
    if (search->dpor)
        sct_dpor_begin(search->dpor);
    sct_engine_attach(
        engine, &(struct sct_seam_use){
                    .search = search,
                    .calls = search->dpor ? &dpor_calls : &plain_calls,
                    .is_reducing = search->has_sleep,
                    .follows_causes = search->dpor,
                    .keeps_digests = search->has_explorer,
                    // A task that does not say what it reads is taken to have read all that there
                    // is.
                    .observes_all = search->has_explorer && !search->options.program->tasks_observe,
                    .forgets_nothing = search->options.forgets_nothing,
                    // A listener would miss what came before the snapshot.
                    .takes_snapshots = search->has_snapshots && !engine->listener,
                });
}
