// Progress of a campaign for a person who waits: one line on standard error, rewritten, if that is
// a terminal and neither --quiet nor the variable CI says otherwise.
#ifndef HARNESS_CLI_PROGRESS_H
#define HARNESS_CLI_PROGRESS_H

#include "core/campaign/campaign.h"

struct progress {
    bool is_shown;
    uint64_t iterations; // asked for, or SCT_UNLIMITED
    double seconds_max;  // 0: no limit
    double started_at, told_at;
};

void progress_begin(struct progress *progress, bool is_wanted, uint64_t iterations,
                    double seconds_max);

// Shows what there is so far, ten times a second at the most.
void progress_tell(struct progress *progress, const struct sct_campaign *campaign);

// Clears the line.
void progress_end(struct progress *progress);

#endif
