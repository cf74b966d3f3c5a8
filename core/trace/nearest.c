#include "core/trace/nearest.h"
#include "core/base/assert.h"
#include "core/base/clock.h"

struct attempt {
    struct sct_engine *engine;
    const struct sct_program *program;
    const struct sct_plan *plan;
    struct sct_follower follower;
    struct sct_plan candidate;
    struct sct_nearest nearest;
    const struct sct_nearest_limits *limits;
    double started_at, told_at; // seconds of the clock
};

static const double progress_seconds = 0.25;

// Looked at before every run, and by every loop of runs.
static bool is_over(struct attempt *attempt) {
    const struct sct_nearest_limits *limits = attempt->limits;
    struct sct_nearest *nearest = &attempt->nearest;
    double now = clock_seconds();
    nearest->was_interrupted |= limits->interrupted && *limits->interrupted;
    nearest->reached_limit |=
        nearest->was_interrupted ||
        (limits->seconds_max > 0 && now - attempt->started_at >= limits->seconds_max);
    if (limits->progress && now - attempt->told_at >= progress_seconds) {
        attempt->told_at = now;
        limits->progress(limits->context, nearest);
    }
    return nearest->reached_limit;
}

// The nearest execution that passes differs from the failing one in one answer, the last that can
// be: what the failure needs before it is in both.
static bool passes(struct attempt *attempt) {
    // One answer of the plan is changed; what comes behind it may be all different, for the plan
    // may fit no more.
    attempt->follower.plan = &attempt->candidate;
    attempt->nearest.tries++;
    const struct sct_result *result =
        sct_engine_run(attempt->engine, attempt->program, &attempt->follower.base, 0);
    if (result->outcome == SCT_STOPPED)
        is_over(attempt); // also if it was the last one: it says nothing
    if (result->outcome != SCT_PASSED)
        return false;
    attempt->nearest.is_found = true;
    return true;
}

static bool passes_without_switch(struct attempt *attempt, bool preemptions) {
    ASSERT(attempt->plan != &attempt->candidate);
    // From the last one back: the first that passes shares the longest beginning with the failure.
    for (uint32_t i = attempt->plan->switch_count; i-- > 0 && !is_over(attempt);) {
        if (attempt->plan->switches[i].is_preemption != preemptions)
            continue;
        sct_plan_copy(&attempt->candidate, attempt->plan);
        sct_plan_drop_switches(&attempt->candidate, i, 1);
        attempt->nearest.is_switch = true;
        attempt->nearest.index = i;
        if (passes(attempt))
            return true;
    }
    return false;
}

static bool passes_without_value(struct attempt *attempt) {
    for (uint32_t i = attempt->plan->value_count; i-- > 0 && !is_over(attempt);) {
        // A value that is 0 already makes no other execution, and is not run.
        if (attempt->plan->values[i].answer == 0)
            continue;
        sct_plan_copy(&attempt->candidate, attempt->plan);
        attempt->nearest.is_switch = false;
        attempt->nearest.index = i;
        sct_plan_zero_values(&attempt->candidate, i, 1);
        if (passes(attempt))
            return true;
    }
    return false;
}

struct sct_nearest sct_nearest_find(struct sct_engine *engine, const struct sct_program *program,
                                    const struct sct_plan *plan,
                                    const struct sct_nearest_limits *limits) {
    struct attempt attempt = {.engine = engine,
                              .program = program,
                              .plan = plan,
                              .limits = limits,
                              .started_at = clock_seconds()};
    attempt.told_at = attempt.started_at;
    sct_follower_init(&attempt.follower);
    sct_engine_stop(engine, limits->interrupted,
                    limits->seconds_max > 0 ? attempt.started_at + limits->seconds_max : 0);
    // Preemptions first: they are what a reader takes for the cause of a race.
    if (!passes_without_switch(&attempt, true) && !passes_without_switch(&attempt, false))
        passes_without_value(&attempt);
    sct_engine_stop(engine, NULL, 0);
    sct_plan_free(&attempt.candidate);
    sct_follower_free(&attempt.follower);
    return attempt.nearest;
}
