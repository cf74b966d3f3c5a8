// Systematic search by several processes, and by one that can be killed and go on.
//
// Forked workers search pieces of the tree (core/jobs/frontier.h), the first of which is all of it.
// One that has nothing to do asks; a busy one, between two executions, gives a piece away. So each
// execution of the tree is run once, by somebody.
//
// Without a state cache the results are those of one process, whatever the number of workers: what
// the pieces come to is put together from left to right, and if a violation ends the search it is
// the leftmost one, since workers go on to its left and what was done to its right is thrown away.
// (Only what is counted in steps, such as coverage, counts a prefix again for each piece.)
//
// With a state cache, which the workers share (core/search/shared_states.h), the verdict is the
// same and, as long as no execution is cut off at the limit of steps, so is the number of states;
// which execution enters a state depends on who comes first, and with it what is counted in
// executions, and which violation is found first. (So it is with transitions, if the search is
// reduced.) If one was cut off the search is not exhausted
// when it ends, but cut (sct_search.is_cut).
//
// A search with sleep sets is shared in the same way (core/search/parts.h); one by dpor is not.
//
// Within a bound all workers finish one bound before the next one begins.
//
// A checkpoint is one moment of all this: pieces, sums and states, taken while all workers wait
// between two executions. It takes the place of the one before in one step, so that there is always
// a complete one. What one process with a checkpoint does is the same as what several do.
#ifndef CORE_JOBS_CREW_H
#define CORE_JOBS_CREW_H

#include "core/jobs/checkpoint.h"

struct sct_crew_jobs {
    // Its campaign has a systematic strategy, and no search but one with shared states or with
    // sleep sets, or both. A limit of iterations is kept by one worker alone.
    const struct sct_range_options *range;
    unsigned workers; // 1 .. SCT_WORKERS_MAX
    // Called for every new group, in their order, before anything else is done with it.
    void (*on_new_group)(void *context, const struct sct_group *group);
    const char *checkpoint;      // file, NULL: none
    const char *checkpoint_text; // what it says of the campaign
    // Between two checkpoints; more if writing them would take more than a twentieth of the time.
    double checkpoint_seconds;
    struct sct_checkpoint *resumed; // opened and checked, to go on from; NULL: from the root
};

// Whether all records of a checkpoint are there and are those of a search, and its states fit a
// cache of [cache_bytes] bytes. Leaves the file where it was.
bool sct_crew_check(struct sct_checkpoint *checkpoint, uint64_t cache_bytes, struct error *error);

// Searches. False, with the reason, if a worker died or a checkpoint failed: the campaign is then
// what was added until then. [campaign] is to be freed in any case.
bool sct_crew_run(struct sct_engine *engine, const struct sct_crew_jobs *jobs,
                  struct sct_campaign *campaign, struct error *error);

#endif
