// What the files of core/trace/minimize.h have in common: the minimiser's own state, a try, and the
// steps that change values.
#ifndef CORE_TRACE_MINIMIZE_INTERNAL_H
#define CORE_TRACE_MINIMIZE_INTERNAL_H

#include "core/trace/minimize.h"

enum {
    SCT_MINIMIZE_WAYS = 4, // of random schedules
    SCT_DROP_LENGTH = 24,  // values left out together, when not all to the end
    SCT_LOWER_VALUES = 40, // nonzero values up to which lowering and leaving out are tried in pairs
};

// The smaller the better, field by field.
struct sct_cost {
    uint64_t fields[4];
};

// A failing execution.
struct sct_found {
    struct sct_plan plan;
    struct sct_cost cost;
    struct sct_measures measures;
    uint32_t schedule_count, task_count;
};

struct sct_minimizer {
    struct sct_engine *engine;
    const struct sct_minimize_options *options;
    struct sct_minimum *minimum;
    struct sct_follower follower;
    struct sct_strategy *ways[SCT_MINIMIZE_WAYS];
    char *pattern;
    struct sct_found best, other; // [other] is worked on when it comes from a search
    struct sct_plan candidate, input;
    uint64_t tries_max;
    double started_at; // seconds of the clock
    double told_at;    // when progress was: so many seconds after that
};

// Whether a limit or an interruption was met: nothing is run any more. Every loop of tries ends
// with it, for even what leads up to a try is work.
static inline bool sct_minimizer_is_over(const struct sct_minimizer *minimizer) {
    return minimizer->minimum->was_interrupted || minimizer->minimum->reached_limit;
}

// The clock, the limits and an interruption: as above. Looked at before every try, so one try more
// is the most that an interruption waits for.
bool sct_minimizer_should_stop(struct sct_minimizer *minimizer);

// Whether the execution failed as the first one did.
bool sct_is_same_failure(const struct sct_minimizer *minimizer, const struct sct_result *result);

// What the execution that [follower] has just followed costs a reader, and its [measures].
struct sct_cost sct_minimizer_measure(const struct sct_follower *follower,
                                      const struct sct_result *result,
                                      struct sct_measures *measures);

// Runs what the follower is set to; if that fails the same way and is smaller than *[found], or if
// [is_any], it becomes *[found].
bool sct_minimizer_run(struct sct_minimizer *minimizer, struct sct_found *found, uint64_t seed,
                       bool is_any);

// Runs [plan], not the follower's own, likewise.
bool sct_minimizer_try_plan(struct sct_minimizer *minimizer, const struct sct_plan *plan,
                            struct sct_found *found);

// Runs minimizer->candidate, as it is, and with its switches moved to where the changed values have
// moved the steps; what fails and is smaller becomes *[found].
bool sct_minimizer_try(struct sct_minimizer *minimizer, struct sct_found *found);

// How many values [asker] was given from the [first] one on; [max] if they are more.
uint32_t sct_minimizer_count_from(const struct sct_plan *plan, uint64_t asker, uint32_t first,
                                  uint32_t max);

// The steps: whether they helped. Values to their default, lower, left out; lower and some behind
// left out.
bool sct_minimize_zero(struct sct_minimizer *minimizer, struct sct_found *found);
bool sct_minimize_lower(struct sct_minimizer *minimizer, struct sct_found *found);
bool sct_minimize_drop(struct sct_minimizer *minimizer, struct sct_found *found);
bool sct_minimize_lower_and_drop(struct sct_minimizer *minimizer, struct sct_found *found);

#endif
