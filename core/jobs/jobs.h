// Jobs: a campaign by several processes, with the results of one.
//
// Workers are forked; worker w of W runs the ranges w, w + W, w + 2W, ... and sends each through a
// pipe. The ranges are added in order, so whatever ends the campaign ends it at the same execution
// whatever the number of workers, and what a worker did beyond that is thrown away. A checkpoint
// gets every range that was added.
//
// Isolated, a worker runs no execution itself: it forks a process for each, which finds everything
// as it was before the first. That is for programs whose state cannot be put back.
#ifndef CORE_JOBS_JOBS_H
#define CORE_JOBS_JOBS_H

#include "core/jobs/checkpoint.h"

enum {
    SCT_RANGE_ITERATIONS = 256,
    SCT_WORKERS_MAX = 256,
};

// Where ranges come from, in their order, if not from forked workers.
struct sct_range_source {
    // Parts from [first] on are wanted.
    void (*begin)(void *context, uint64_t first);
    // The next of them, into [bytes]. May wait long; must not after campaign->interrupted is set.
    void (*next)(void *context, struct sct_bytes *bytes);
    // No more are wanted. Called once after begin, whatever happened.
    void (*end)(void *context);
    void *context;
};

struct sct_jobs {
    const struct sct_range_options *range;
    unsigned workers;                      // 1 .. SCT_WORKERS_MAX
    bool is_isolated;                      // ranges of one iteration, each in a process of its own
    const struct sct_range_source *source; // NULL: that many forked workers
    // Called for every new group, in the order of iterations, before anything else is done with it.
    void (*on_new_group)(void *context, const struct sct_group *group);
    // NULL, or where added ranges go. If it was opened, not created, its ranges are added first.
    struct sct_checkpoint *checkpoint;
};

// How many iterations range number [range] of the campaign has; 0: there is no such range. And
// which is its first.
uint64_t sct_range_iterations(const struct sct_range_options *options, uint64_t range);
uint64_t sct_range_first(const struct sct_range_options *options, uint64_t range);

// Runs the campaign of jobs->range. False, with the reason, if a worker died or the checkpoint
// failed: the campaign is then what was added until then. [campaign] is to be freed in any case.
bool sct_jobs_run(struct sct_engine *engine, const struct sct_jobs *jobs,
                  struct sct_campaign *campaign, struct error *error);

#endif
