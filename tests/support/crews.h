// Searches by crews, compared with the same search by one process. Who includes this says which
// programs, counts their ends (count_end), and has a file (CHECKPOINT).
#ifndef TESTS_SUPPORT_CREWS_H
#define TESTS_SUPPORT_CREWS_H

#include "tests/support/fork.h"
#include "tests/support/programs.h"

#include "core/campaign/marks.h"
#include "core/jobs/crew.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned worker_counts[] = {1, 2, 3, 7};
enum { WORKER_COUNTS = 4, CREW_CACHE_BYTES = 1 << 22, TEXT_BYTES = 4000 };

static uint64_t ends[16];            // how often executions ended in each of some ways
static enum sct_reduction reduction; // of the searches

static void count_end(void *context, uint64_t iteration, const struct sct_result *result);

static inline char *record_kind(void *context, uint64_t iteration,
                                const struct sct_result *result) {
    (void)context;
    (void)iteration;
    return strdup(result->violation.kind);
}

static inline struct sct_campaign_options options_for(const struct sct_program *program) {
    return (struct sct_campaign_options){
        .program = program,
        .iterations = SCT_UNLIMITED,
        .keep_going = true,
        .repeat_every = 100,
        .after_counted = count_end,
        .record = record_kind,
    };
}

// With a cache and a reduction who tries what depends on who comes first, but not what is met.
static inline void describe_states(const struct sct_campaign *campaign, struct text *text) {
    text_add(text, "%d violated %d exhausted %llu states", campaign->violations > 0,
             campaign->search.is_exhausted, (unsigned long long)campaign->search.states_met);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        text_add(text, " %d", ends[i] > 0);
    text_add(text, "\n");
}

// What is the same with any number of workers; of executions, which run along other paths with a
// cache, only what is counted once each.
static inline void describe(const struct sct_campaign *campaign, bool has_cache,
                            struct text *text) {
    const struct sct_searched *search = &campaign->search;
    if (has_cache && reduction != SCT_REDUCE_NONE) {
        describe_states(campaign, text);
        return;
    }
    text_add(text, "%llu executions %llu violations %llu cut %llu passed %llu pruned %llu again\n",
             (unsigned long long)campaign->iterations_run, (unsigned long long)campaign->violations,
             (unsigned long long)campaign->step_limit_hits, (unsigned long long)search->executions,
             (unsigned long long)search->pruned, (unsigned long long)search->repeated);
    text_add(text, "%d exhausted %u bounds %u bound %d left out\n", search->is_exhausted,
             search->bounds_completed, search->path->bound, search->path->meets_bound);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        text_add(text, "%llu ", (unsigned long long)ends[i]);
    text_add(text, "\n%llu states %llu transitions\n", (unsigned long long)search->states_met,
             (unsigned long long)search->transitions);
    if (has_cache)
        return;
    text_add(text, "%llx %llu decisions %llu points %llu runs %a in all\n",
             (unsigned long long)campaign->fingerprint, (unsigned long long)campaign->decisions,
             (unsigned long long)campaign->points, (unsigned long long)search->bound_runs,
             search->estimate);
    for (const struct sct_group *group = campaign->groups; group; group = group->next)
        text_add(text, "%llu: %llu with %u after %u: %s %s (%s)\n",
                 (unsigned long long)group->iteration, (unsigned long long)group->count,
                 group->bound, group->decision_count, group->violation.kind,
                 group->violation.message, group->record);
}

// In this process, as campaigns do it.
static inline struct sct_campaign search_alone(struct sct_campaign_options options,
                                               const char *spec, bool has_cache,
                                               struct text *text) {
    struct sct_campaign campaign;
    struct sct_strategy *strategy = new_strategy(spec);
    memset(ends, 0, sizeof ends);
    options.strategy = strategy;
    options.search = sct_search_open(
        &(struct sct_search_options){.program = options.program,
                                     .strategy = strategy,
                                     .reduction = reduction,
                                     .cache_bytes = has_cache ? CREW_CACHE_BYTES : 0});
    sct_campaign_run(engine, &options, &campaign);
    assert_false(campaign.unrepeatable.is_found);
    describe(&campaign, has_cache, text);
    sct_campaign_free(&campaign);
    sct_search_close(options.search);
    sct_strategy_free(strategy);
    return campaign;
}

static char told_buffer[TEXT_BYTES];
static struct text told;

static inline void tell_group(void *context, const struct sct_group *group) {
    (void)context;
    text_add(&told, "%s ", group->violation.message);
}

// What to search with.
struct crew {
    unsigned workers;
    uint64_t cache_bytes;
    const char *checkpoint;
    double checkpoint_seconds;
    const char *resumed;
};

static inline bool search_jointly(struct sct_campaign_options options, const char *spec,
                                  const struct crew *crew, struct sct_campaign *campaign,
                                  struct text *text, struct error *error) {
    static const struct sct_counters counters = {ends, sizeof ends / sizeof ends[0]};
    struct sct_shared_states states;
    struct sct_checkpoint resumed;
    struct sct_strategy *strategy = new_strategy(spec);
    memset(ends, 0, sizeof ends);
    told = text_in(told_buffer, sizeof told_buffer);
    options.strategy = strategy;
    struct sct_search_options search = {
        .program = options.program, .strategy = strategy, .reduction = reduction};
    if (crew->cache_bytes > 0) {
        sct_shared_states_init(&states, crew->cache_bytes);
        search.shared = &states;
    }
    if (search.shared || reduction != SCT_REDUCE_NONE)
        options.search = sct_search_open(&search);
    bool is_good = !crew->resumed || (sct_checkpoint_open(&resumed, crew->resumed, error) &&
                                      sct_crew_check(&resumed, crew->cache_bytes, error));
    const struct sct_range_options range = {
        .campaign = &options, .counters = &counters, .counter_arrays = 1};
    *campaign = (struct sct_campaign){.search.path = strategy->path};
    if (is_good)
        is_good = sct_crew_run(engine,
                               &(struct sct_crew_jobs){
                                   .range = &range,
                                   .workers = crew->workers,
                                   .on_new_group = tell_group,
                                   .checkpoint = crew->checkpoint,
                                   .checkpoint_text = "a search",
                                   .checkpoint_seconds = crew->checkpoint_seconds,
                                   .resumed = crew->resumed ? &resumed : NULL,
                               },
                               campaign, error);
    if (text)
        describe(campaign, crew->cache_bytes > 0, text);
    if (crew->resumed)
        sct_checkpoint_close(&resumed);
    sct_campaign_free(campaign);
    campaign->search.path = NULL;
    sct_search_close(options.search);
    if (search.shared)
        sct_shared_states_deinit(&states);
    sct_strategy_free(strategy);
    return is_good;
}

static inline struct sct_campaign expect_same(const struct sct_campaign_options *options,
                                              const char *spec, const struct crew *crew,
                                              const char *expected) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct error error = {{0}};
    struct sct_campaign campaign;
    if (!search_jointly(*options, spec, crew, &campaign, &text, &error))
        fail_msg("%u workers: %s", crew->workers, error.text);
    assert_string_equal(text.data, expected);
    return campaign;
}

static inline void be_slow(void *context, uint64_t iteration) {
    (void)context;
    (void)iteration;
    usleep(20);
}

// With every number of workers what one process finds. The pieces of all of them.
static inline uint64_t expect_same_with_all(const struct sct_campaign_options *options,
                                            const char *spec, bool has_cache) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    uint64_t pieces = 0;
    struct sct_campaign_options slow = *options;
    struct sct_campaign alone = search_alone(*options, spec, has_cache, &text);
    if (alone.iterations_run < 2000) // else one is ready before the others begin
        slow.before_counted = be_slow;
    for (int i = 0; i < WORKER_COUNTS; i++) {
        const struct crew crew = {.workers = worker_counts[i],
                                  .cache_bytes = has_cache ? CREW_CACHE_BYTES : 0};
        pieces += expect_same(&slow, spec, &crew, text.data).search.pieces;
    }
    return pieces;
}

// ---- Checkpoints -------------------------------------------------------------------------------

// Whatever the execution at which one process leaves a search, and with whatever number of workers
// it goes on, in the end it is the whole one.
static inline void expect_resumed(struct sct_campaign_options options, const char *spec,
                                  bool has_cache) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct error error = {{0}};
    struct sct_campaign whole = search_alone(options, spec, has_cache, &text), campaign;
    struct crew crew = {
        .workers = 1, .cache_bytes = has_cache ? CREW_CACHE_BYTES : 0, .checkpoint = CHECKPOINT};
    crew.checkpoint_seconds = 1000;
    for (int i = 0; i < WORKER_COUNTS; i++) {
        options.iterations = 1 + whole.iterations_run * (uint64_t)i / WORKER_COUNTS;
        crew.workers = 1;
        crew.resumed = NULL;
        if (!search_jointly(options, spec, &crew, &campaign, NULL, &error))
            fail_msg("%s", error.text);
        assert_true(campaign.iterations_run <= options.iterations);
        options.iterations = SCT_UNLIMITED;
        crew.workers = worker_counts[i];
        crew.resumed = CHECKPOINT;
        crew.cache_bytes *= 2; // another table
        expect_same(&options, spec, &crew, text.data);
        expect_same(&options, spec, &crew, text.data); // from the end
        crew.cache_bytes /= 2;
    }
}

// Begins the search, or goes on, in a process of its own that is killed after a while; whether it
// ended before.
static inline bool search_and_be_killed(const struct sct_campaign_options *options,
                                        struct crew crew, useconds_t microseconds) {
    pid_t process = fork_or_fail();
    if (process == 0) {
        struct sct_campaign campaign;
        struct error error;
        _exit(search_jointly(*options, "dfs", &crew, &campaign, NULL, &error) ? 0 : 9);
    }
    usleep(microseconds);
    kill(process, SIGKILL);
    int status;
    waitpid(process, &status, 0);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

// A search by several that is killed at any moment, again and again, comes to the same end.
static inline void expect_survives(struct sct_campaign_options options, bool has_cache) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct crew crew = {.cache_bytes = has_cache ? CREW_CACHE_BYTES : 0,
                        .checkpoint = CHECKPOINT,
                        .checkpoint_seconds = 0.001};
    search_alone(options, "dfs", has_cache, &text);
    options.before_counted = be_slow;
    unlink(CHECKPOINT);
    for (unsigned i = 0;; i++) {
        crew.workers = i % 3 + 1;
        crew.resumed = access(CHECKPOINT, R_OK) == 0 ? CHECKPOINT : NULL;
        if (search_and_be_killed(&options, crew, 3000 + 10000 * i))
            break;
    }
    crew.resumed = CHECKPOINT;
    expect_same(&options, "dfs", &crew, text.data);
}

#endif
