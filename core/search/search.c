#include "core/search/search.h"
#include "core/base/grow.h"
#include "core/engine/state.h"
#include "core/search/attach.h"

#include <stdlib.h>

static bool has_cache(const struct sct_search_options *options) {
    return options->cache_bytes > 0 || options->shared;
}

static bool check_reduction(const struct sct_search_options *options, struct error *error) {
    if (options->strategy->path->bound_kind != SCT_BOUND_NONE)
        return error_set(error, "a reduction and a bound contradict each other: what is kept of "
                                "several executions may be the one beyond the bound");
    if (options->program->memory && options->program->memory->is_bounded)
        return error_set(error,
                         "a reduction and a bound on stale reads contradict each other: what "
                         "is kept of several executions may be the one beyond the bound");
    if (options->reduction == SCT_REDUCE_DPOR && has_cache(options))
        return error_set(error, "dpor and a state cache contradict each other: a state that was "
                                "met hides races (sleep sets go with it)");
    if (has_cache(options) && !options->program->tasks_observe)
        return error_set(error, "a reduction and a state cache want a program whose tasks say what "
                                "they read");
    return true;
}

bool sct_search_check(const struct sct_search_options *options, struct error *error) {
    if (!options->strategy->path)
        return error_set(error, "a search wants a systematic strategy (dfs), found '%s'",
                         options->strategy->ops->name);
    if (has_cache(options) && !options->program->digest)
        return error_set(error, "a state cache wants a program that has a digest of its states");
    if (has_cache(options) && options->program->memory)
        return error_set(error, "a state cache and a memory model contradict each other: what may "
                                "still be read, and by whom, is in no state");
    return options->reduction == SCT_REDUCE_NONE || check_reduction(options, error);
}

static void open_explorer(struct sct_search *search) {
    const struct sct_search_options *options = &search->options;
    search->has_explorer = has_cache(options);
    if (options->shared)
        sct_explorer_init_shared(&search->explorer, options->program, search->path, options->shared,
                                 options->reduction != SCT_REDUCE_NONE ? &search->sleep : NULL);
    else if (search->has_explorer)
        sct_explorer_init(&search->explorer, options->program, search->path, options->cache_bytes);
}

static void open_reduction(struct sct_search *search) {
    enum sct_reduction reduction = search->options.reduction;
    search->has_sleep = reduction != SCT_REDUCE_NONE;
    if (search->has_sleep)
        sct_sleep_init(&search->sleep, search->path);
    search->sleep.merges_twins = search->options.program->has_twins;
    // With a cache a free step that leads to a known state would end the execution, and with it all
    // that the others, who were left out for its sake, could have done.
    search->sleep.takes_free_steps = reduction == SCT_REDUCE_SLEEP && !search->has_explorer;
    search->sleep.takes_loads_last =
        // Who comes first is of no consequence to what is found, only to how often it is tried.
        reduction == SCT_REDUCE_DPOR && search->options.program->memory;
    if (reduction == SCT_REDUCE_DPOR)
        search->dpor = sct_dpor_new(&search->sleep, search->options.program->memory);
}

static void open_snapshots(struct sct_search *search) {
    const struct sct_search_options *options = &search->options;
    size_t bytes = options->snapshot_bytes ? options->snapshot_bytes : SCT_SNAPSHOT_BYTES;
    // Snapshots do not change what a search does, but for its speed: without them it runs the
    // prefix again.
    search->has_snapshots =
        options->program->is_copyable && bytes != SCT_NO_SNAPSHOTS && sct_snapshots_work();
    const struct sct_snapshot_parts parts = {.sleep = search->has_sleep ? &search->sleep : NULL,
                                             .dpor = search->dpor,
                                             .outside = options->program->outside};
    if (search->has_snapshots)
        sct_snapshots_init(&search->snapshots, search->path, &parts, bytes);
}

struct sct_search *sct_search_open(const struct sct_search_options *options) {
    struct error error;
    // Front ends check first, and tell the user; here it is a mistake of the caller.
    ASSERT(sct_search_check(options, &error));
    struct sct_search *search = grow_new(1, sizeof *search, "the search");
    search->options = *options;
    search->path = options->strategy->path;
    ASSERT(search->path);
    open_explorer(search);
    open_reduction(search);
    open_snapshots(search);
    return search;
}

// Those that stand on others first.
void sct_search_close(struct sct_search *search) {
    if (!search)
        return;
    ASSERT(!search->dpor || search->has_sleep);
    if (search->has_snapshots)
        sct_snapshots_deinit(&search->snapshots);
    sct_dpor_free(search->dpor);
    if (search->has_sleep)
        sct_sleep_deinit(&search->sleep);
    if (search->has_explorer)
        sct_explorer_deinit(&search->explorer);
    free(search);
}

// An execution may end within a step: that is closed here.
static void take_note(struct sct_search *search, const struct sct_engine *engine) {
    if (search->has_explorer)
        sct_explorer_end(&search->explorer, engine->result.outcome);
    ASSERT(engine->seam.search == search);
    // Given up within a step, which found nothing new to read.
    if (search->dpor && engine->result.outcome == SCT_PRUNED && search->sleep.now.is_running)
        sct_dpor_break(search->dpor);
    if (search->has_sleep)
        engine->seam.calls->close(search);
    enum sct_outcome outcome = engine->result.outcome;
    // One that was left is run again, if the search goes on.
    bool is_whole = outcome == SCT_PASSED || outcome == SCT_PRUNED || outcome == SCT_STOPPED;
    if (search->has_sleep && !is_whole)
        sct_sleep_break(&search->sleep);
    if (search->dpor)
        sct_dpor_end(search->dpor, engine);
}

const struct sct_result *sct_search_run(struct sct_search *search, struct sct_engine *engine,
                                        uint64_t seed) {
    const struct sct_search_options *options = &search->options;
    ASSERT(search->path == options->strategy->path && !engine->seam.search);
    // For this execution only: the same engine runs others in between (repetitions, minimising)
    // that no search may hear of.
    sct_search_attach(search, engine);
    const struct sct_result *result =
        sct_engine_run(engine, options->program, options->strategy, seed);
    take_note(search, engine);
    sct_engine_attach(engine, NULL);
    return result;
}

void sct_search_leap(struct sct_search *search) {
    ASSERT(search->path);
    // The path stands elsewhere now, where none of them leads.
    if (search->has_snapshots)
        sct_snapshots_forget(&search->snapshots);
}

struct sct_sleep *sct_search_sleep(struct sct_search *search) {
    return search && search->has_sleep && !search->dpor ? &search->sleep : NULL;
}

const struct sct_search_options *sct_search_options(const struct sct_search *search) {
    return &search->options;
}

const struct sct_explorer *sct_search_explorer(const struct sct_search *search) {
    return search->has_explorer ? &search->explorer : NULL;
}

struct sct_shared_states *sct_search_shared(const struct sct_search *search) {
    return search ? search->options.shared : NULL;
}

uint64_t sct_search_restored(const struct sct_search *search) {
    return search->has_snapshots ? search->snapshots.restored : 0;
}
