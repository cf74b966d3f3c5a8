// A try of the minimiser: an execution by a plan, and whether it is the same failure and smaller.
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/trace/minimize_internal.h"
#include "core/trace/pattern.h"

#include <stdlib.h>
#include <string.h>

static const double progress_seconds = 0.25;

static int compare(const struct sct_cost *a, const struct sct_cost *b) {
    for (int i = 0; i < 4; i++)
        if (a->fields[i] != b->fields[i])
            return a->fields[i] < b->fields[i] ? -1 : 1;
    return 0;
}

bool sct_minimizer_should_stop(struct sct_minimizer *minimizer) {
    const struct sct_minimize_options *options = minimizer->options;
    struct sct_minimum *minimum = minimizer->minimum;
    minimum->looks++;
    minimum->elapsed_seconds = clock_seconds() - minimizer->started_at;
    if (options->interrupted && *options->interrupted)
        minimum->was_interrupted = true;
    if (minimum->tries >= minimizer->tries_max ||
        (options->seconds_max > 0 && minimum->elapsed_seconds >= options->seconds_max))
        minimum->reached_limit = true;
    return minimum->was_interrupted || minimum->reached_limit;
}

// By the clock: a try of a long execution takes as long as hundreds of others.
static void tell_progress(struct sct_minimizer *minimizer) {
    const struct sct_minimize_options *options = minimizer->options;
    double elapsed = minimizer->minimum->elapsed_seconds;
    if (!options->progress || elapsed - minimizer->told_at < progress_seconds)
        return;
    minimizer->told_at = elapsed;
    options->progress(options->context, minimizer->minimum);
}

struct sct_cost sct_minimizer_measure(const struct sct_follower *follower,
                                      const struct sct_result *result,
                                      struct sct_measures *measures) {
    const struct sct_plan *seen = &follower->seen;
    ASSERT(follower->preemption_count <= seen->switch_count);
    uint64_t sum = 0;
    *measures = (struct sct_measures){
        .deviations = seen->switch_count,
        .decisions = result->decision_count,
        .preemptions = follower->preemption_count,
        .operations = result->operation_count,
    };
    for (uint32_t i = 0; i < seen->value_count; i++) {
        measures->deviations += seen->values[i].answer > 0;
        sum += seen->values[i].answer;
    }
    // Fewer operations of the system under test first: they are what a reader must understand. A
    // preemption counts twice, since it is harder to follow than another answer. The sum of the
    // answers is last: it makes a lowered value an improvement although as much deviates as before.
    return (struct sct_cost){{measures->operations, measures->deviations + measures->preemptions,
                              measures->decisions, sum}};
}

bool sct_is_same_failure(const struct sct_minimizer *minimizer, const struct sct_result *result) {
    if (result->outcome != SCT_VIOLATED)
        return false;
    char *pattern = sct_violation_pattern(&result->violation);
    ASSERT(minimizer->pattern);
    // Patterns leave out numbers and the like: values of a smaller execution are other ones.
    // Without a pattern at all a minimum would often be another, simpler failure.
    bool is_same = strcmp(pattern, minimizer->pattern) == 0;
    free(pattern);
    return is_same;
}

bool sct_minimizer_run(struct sct_minimizer *minimizer, struct sct_found *found, uint64_t seed,
                       bool is_any) {
    struct sct_minimum *minimum = minimizer->minimum;
    if (sct_minimizer_should_stop(minimizer))
        return false;
    const struct sct_result *result = sct_engine_run(minimizer->engine, minimizer->options->program,
                                                     &minimizer->follower.base, seed);
    ASSERT(result->outcome != SCT_DIVERGED); // what does not fit a plan is answered by default
    minimum->tries++;
    tell_progress(minimizer);
    if (!sct_is_same_failure(minimizer, result))
        return false;
    struct sct_measures measures;
    struct sct_cost cost = sct_minimizer_measure(&minimizer->follower, result, &measures);
    // With fewer switches a thread that waits may go round and round before the fair tail ends its
    // wait: such an execution is none that anybody would rather read.
    bool is_longer = measures.decisions > minimum->before.decisions;
    if (!is_any && (is_longer || compare(&cost, &found->cost) >= 0))
        return false;
    // What happened is kept, not what was planned: entries that fitted nothing fall away.
    sct_plan_copy(&found->plan, &minimizer->follower.seen);
    found->cost = cost;
    found->measures = measures;
    found->schedule_count = result->schedule_count;
    found->task_count = result->task_count;
    if (found == &minimizer->best)
        minimum->now = measures;
    return true;
}

bool sct_minimizer_try_plan(struct sct_minimizer *minimizer, const struct sct_plan *plan,
                            struct sct_found *found) {
    ASSERT(plan != &minimizer->follower.seen);
    minimizer->follower.plan = plan;
    minimizer->follower.scheduler = NULL;
    minimizer->follower.places = NULL;
    return sct_minimizer_run(minimizer, found, 0, false);
}

bool sct_minimizer_try(struct sct_minimizer *minimizer, struct sct_found *found) {
    if (sct_minimizer_try_plan(minimizer, &minimizer->candidate, found))
        return true;
    if (sct_minimizer_is_over(minimizer))
        return false; // it may not have been run
    // Without values that were left out a task takes fewer steps, and a switch that is planned
    // after so many comes too late or never.
    return sct_follower_realign(&minimizer->follower, &minimizer->candidate) &&
           sct_minimizer_try_plan(minimizer, &minimizer->candidate, found);
}
