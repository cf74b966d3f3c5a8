// Campaigns: many independent executions of one program under one strategy, and what they add up
// to.
//
// Execution i is a function of seed, name, strategy and i alone: the same in a campaign, alone, or
// in another order. What a strategy must know of the program is measured beforehand, on a fixed
// number of uncounted executions.
//
// Under a systematic strategy an execution is a function of the program and of those before it; the
// campaign moves the search on from each to the next, and ends when the tree is exhausted. It
// begins where the strategy's path stands: at the root, if the strategy is fresh.
#ifndef CORE_CAMPAIGN_CAMPAIGN_H
#define CORE_CAMPAIGN_CAMPAIGN_H

#include "core/campaign/groups.h"
#include "core/campaign/seen.h"
#include "core/campaign/statistics.h"
#include "core/search/search.h"

#include <signal.h>

enum { SCT_CALIBRATION_RUNS = 16 };

#define SCT_UNLIMITED UINT64_MAX

struct sct_campaign;
struct sct_record; // core/engine/record.h

struct sct_campaign_options {
    const struct sct_program *program;
    struct sct_strategy *strategy; // calibrated; one with members takes them in turn
    uint64_t seed;
    uint64_t first_iteration;
    uint64_t iteration_step; // from one iteration to the next; 0 is 1
    uint64_t iterations;     // how many from there on; SCT_UNLIMITED is allowed
    double seconds_max;      // 0: no limit; ends an execution that is long (sct_engine_stop)
    bool keep_going;         // do not stop at the first violation
    // Of a systematic strategy: the search (core/search/search.h), of the same program and
    // strategy, which may have served other campaigns before. NULL: without cache and reduction.
    struct sct_search *search;
    // The first executions, every repeat_every-th, and the first violation of each group are run
    // again and compared; a difference ends the campaign. 0: none is.
    uint64_t repeat_every;
    const volatile sig_atomic_t *interrupted; // stop soon when it is not 0; may be NULL
    // Called before and after every execution that counts, so not for repetitions: for whoever
    // counts something in executions. May be NULL.
    void (*before_counted)(void *context, uint64_t iteration);
    void (*after_counted)(void *context, uint64_t iteration, const struct sct_result *result);
    // Called at once for every violation whose kind and message pattern are new.
    void (*on_violation)(void *context, uint64_t iteration, const struct sct_result *result);
    // Called before that; what it returns (allocated with malloc, or NULL) is kept in the group.
    char *(*record)(void *context, uint64_t iteration, const struct sct_result *result);
    // Systematic search: called between two executions, when the path stands at the next one; the
    // campaign ends there if it returns false, and another one can go on. May be NULL.
    bool (*goes_on)(void *context);
    // Called now and then with what there is so far, for those who wait.
    void (*on_progress)(void *context, const struct sct_campaign *campaign);
    void *context; // of all of them
};

// What one strategy of a campaign did.
struct sct_share {
    const struct sct_strategy *strategy;
    uint64_t iterations_run;
    uint64_t violations;
};

enum { SCT_SHARES_MAX = 32 };

// How far a systematic search came.
struct sct_searched {
    const struct sct_path *path; // the strategy's; NULL: the strategy samples
    bool is_exhausted;           // nothing is left within the bound and the limit of steps
    bool is_cache_full;          // the search ended because the cache has no room
    uint64_t executions;         // that ended in a verdict or at the limit of steps, once each
    uint64_t pruned;             // that ended in a state met before, or (reduced) all asleep
    uint64_t repeated;           // executions that belong to a smaller bound and were run again
    uint64_t bound_runs;         // executions of the present bound, those included
    uint32_t bounds_completed;   // how many bounds were searched to their end
    uint64_t restored;           // executions that went on from a snapshot
    uint64_t states_met;         // with a cache: states entered, over all bounds
    uint64_t states_resumed;     // those of them that came from a checkpoint
    uint64_t transitions;        // with a cache: from state to state, known ones included
    uint64_t pieces;             // in which several processes searched; 0: one process did
    bool is_cut;     // not exhausted only because of the limit of steps; core/jobs/crew.h
    double estimate; // of the executions within the present bound; 0: cannot tell
};

struct sct_campaign {
    uint64_t iterations_run;
    uint64_t iterations_resumed; // those of them that came from a checkpoint: not in the time below
    uint64_t violations;
    uint64_t step_limit_hits;
    uint64_t checks_unknown; // see sct_check_gave_up
    uint64_t decisions;
    uint64_t points;
    uint64_t distinct_behaviours;
    // They were too many to be kept apart: their number is an estimate, once the campaign is over.
    bool distinct_is_estimate;
    struct sct_sketch *sketch; // of them, once it is over; NULL: of a search, which has none
    // Over iteration number, decisions and outcome of all executions: a sum modulo 2^64, so that
    // parts of a campaign add up to the whole in any order.
    uint64_t fingerprint;
    double elapsed_seconds;
    bool was_interrupted;
    // The first execution that was not the same when repeated: the system under test depends on
    // something that is not under control.
    struct {
        bool is_found;
        uint64_t iteration;
        struct error difference;
    } unrepeatable;
    // Of campaigns by several processes: one of them died in this iteration, or, of a search, with
    // these decisions behind it (owned).
    struct {
        bool is_found;
        uint64_t iteration;
        struct sct_record *record;
    } died;
    struct sct_rate rate;
    struct sct_share shares[SCT_SHARES_MAX];
    size_t share_count;
    struct sct_searched search;
    struct sct_group *groups; // the first is the first violation
};

// Measures what [strategy] (each of its members, if it has some) may know, by SCT_CALIBRATION_RUNS
// executions, random walks and executions without priority changes in turn, whose seeds derive from
// [seed], [name] and the strategy's spec. What they find is ignored, but the first that hangs is
// the last, and so is one after which it is time to stop (sct_engine_stop). Systematic strategies
// need nothing and get nothing.
void sct_calibrate(struct sct_engine *engine, const struct sct_program *program, const char *name,
                   struct sct_strategy *strategy, uint64_t seed);

// The strategy that serves execution [iteration].
struct sct_strategy *sct_strategy_for(struct sct_strategy *strategy, uint64_t iteration);

// Runs a campaign. The groups are freed by sct_campaign_free.
void sct_campaign_run(struct sct_engine *engine, const struct sct_campaign_options *options,
                      struct sct_campaign *campaign);

void sct_campaign_free(struct sct_campaign *campaign);

// Whether every execution was cut off at the limit of steps, as where all of them spin: then that
// there was no violation says nothing.
bool sct_campaign_is_cut_off(const struct sct_campaign *campaign);

// ---- Campaigns in parts ------------------------------------------------------------------------

// A campaign under way: the sum of the executions, or of the parts, added so far.
struct sct_sum {
    struct sct_campaign *campaign;
    struct sct_groups groups;
    struct sct_seen seen;
    double started_at; // seconds of the monotonic clock
};

// An empty sum of executions under [strategy] in [campaign], which is overwritten.
void sct_sum_init(struct sct_sum *sum, struct sct_campaign *campaign,
                  struct sct_strategy *strategy);

// Completes the campaign with what follows from the sums, and frees the rest.
void sct_sum_close(struct sct_sum *sum, const struct sct_campaign_options *options);

// Moves a search to the next leaf of [path]; false when there is nothing left.
bool sct_searched_advance(struct sct_searched *search, struct sct_path *path);

// Seconds since sct_sum_init.
double sct_sum_seconds(const struct sct_sum *sum);

#endif
