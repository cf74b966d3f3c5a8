// Jobs: a campaign by several processes, with the results of one.
//
// Workers are forked; worker w of W runs the parts w, w + W, w + 2W, ... and sends each through a
// pipe. The parts are added in order, so whatever ends the campaign ends it at the same execution
// whatever the number of workers, and what a worker did beyond that is thrown away. A checkpoint
// gets every part that was added.
#ifndef CORE_JOBS_JOBS_H
#define CORE_JOBS_JOBS_H

#include "core/jobs/checkpoint.h"

enum {
    SCT_PART_ITERATIONS = 256,
    SCT_WORKERS_MAX = 256,
};

// Where parts come from, in their order, if not from forked workers.
struct sct_part_source {
    // Parts from [first] on are wanted.
    void (*begin)(void *context, uint64_t first);
    // The next of them, into [bytes]. May wait long; must not after campaign->interrupted is set.
    void (*next)(void *context, struct sct_bytes *bytes);
    // No more are wanted. Called once after begin, whatever happened.
    void (*end)(void *context);
    void *context;
};

struct sct_jobs {
    const struct sct_part_options *part;
    unsigned workers;                     // 1 .. SCT_WORKERS_MAX
    const struct sct_part_source *source; // NULL: that many forked workers
    // Called for every new group, in the order of iterations, before anything else is done with it.
    void (*on_new_group)(void *context, const struct sct_group *group);
    // NULL, or where added parts go. If it was opened, not created, its parts are added first.
    struct sct_checkpoint *checkpoint;
};

// How many iterations part number [part] of the campaign has; 0: there is no such part.
uint64_t sct_part_iterations(const struct sct_campaign_options *campaign, uint64_t part);

// Runs the campaign of jobs->part. False, with the reason, if a worker died or the checkpoint
// failed: the campaign is then what was added until then. [campaign] is to be freed in any case.
bool sct_jobs_run(struct sct_engine *engine, const struct sct_jobs *jobs,
                  struct sct_campaign *campaign, struct error *error);

#endif
