// Merging the JSON reports of shards into the report of the whole campaign.
//
// Exact, if every shard ran all its iterations: every count, the fingerprint, the groups, the
// coverage and the rates are those of one process that ran them all. A shard that stopped at its
// first violation ran beyond the first of all, or not as far: then the sums are of what was run,
// while first_violation and failure_rate are still those of one process. Three members say less
// than in other reports:
//   distinct_behaviours    that many at least: the most of any shard; at most their sum, which is
//                          added as distinct_behaviours_at_most, and about as many as is added as
//                          distinct_behaviours_estimate: of as many as one process estimates, its
//                          own
//   elapsed_seconds        the longest of the shards', as if they ran at the same time
//   executions_per_second  by that
#ifndef HARNESS_MERGE_MERGE_H
#define HARNESS_MERGE_MERGE_H

#include "core/base/text.h"

#include <jansson.h>

struct merge_input {
    const char *name; // for errors
    json_t *report;
};

// Merges [count] >= 1 reports, which it may put into another order. NULL, with the reason, if they
// are not the shards, all and each once, of one campaign. The caller owns the result.
json_t *merge_reports(struct merge_input *inputs, size_t count, struct error *error);

#endif
