// Ranges of a campaign as bytes: what some iterations in a row added up to, so that another
// process, or a later one, can add it to the whole. Sums are the same whatever the ranges.
//
// The bytes are the same on every machine. They carry no checksum; see core/jobs/checkpoint.h.
#ifndef CORE_JOBS_RANGE_H
#define CORE_JOBS_RANGE_H

#include "core/base/bytes.h"
#include "core/campaign/campaign.h"

// Counters of the system under test's own: sums over the executions that count.
struct sct_counters {
    uint64_t *values;
    size_t count;
};

// What is summed up beside the campaign: these arrays, and all marks.
struct sct_range_options {
    const struct sct_campaign_options *campaign;
    const struct sct_counters *counters;
    size_t counter_arrays;
    volatile uint64_t *present_iteration; // told before each execution that counts; may be NULL
    uint64_t iteration_offset;            // of ranges that are added: what to add to their numbers
    uint64_t range_iterations;            // of jobs.h; 0: SCT_RANGE_ITERATIONS
};

// What stands between a campaign and somebody who runs a piece of it.
struct sct_range_hooks {
    const struct sct_campaign_options *whole;
    struct sct_bytes *fingerprints;       // gets those of the executions that count; may be NULL
    volatile uint64_t *present_iteration; // as above
};

// The campaign [whole] as it is for a piece of it: hooks that count and record reach it through
// [hooks], the context; findings and progress are told to nobody.
struct sct_campaign_options sct_range_describe(struct sct_range_hooks *hooks);

// Which iterations of a campaign.
struct sct_range {
    uint64_t first;      // from its [first]-th on
    uint64_t iterations; // how many, at least 1
    double seconds_max;  // as in the campaign's options
};

// Runs [range] of the campaign, and writes what its iterations added up to into [bytes], which is
// emptied before. Counters and marks begin at 0 and are left as the range left them. Ends early as
// a campaign does. Whether the campaign may go on behind this range.
bool sct_range_run(struct sct_engine *engine, const struct sct_range_options *options,
                   const struct sct_range *range, struct sct_bytes *bytes);

// Counters and marks begin at 0.
void sct_range_clear(const struct sct_range_options *options);

// Appends what a systematic search, which the counters and marks are those of, added up to: the
// same but for fingerprints, since no execution comes twice.
void sct_range_write(const struct sct_range_options *options, struct sct_campaign *campaign,
                     struct sct_bytes *bytes);

// Adds a range, all that [range] has left to read, to [sum], counters and marks included. Calls
// [on_new_group] for each group that is new. Whether the bytes are a range; if not, [sum] is
// spoilt.
// *[goes_on] as of sct_range_run.
bool sct_range_add(const struct sct_range_options *options, struct sct_reader *range,
                   struct sct_sum *sum, void (*on_new_group)(void *, const struct sct_group *),
                   bool *goes_on);

#endif
