// Minimisation: the smallest execution that still fails the same way.
//
// Fails the same way: the same kind and message pattern (sct_violation_pattern). Small, in this
// order: operations of the application; answers that differ from the default, preemptions counted
// twice; decisions; the answers themselves. The steps, repeated until none of them helps:
//   values    back to the first alternative, in halves down to one by one (as ddmin), or lower;
//             left out, so that what was drawn after them is drawn in their place (a call, an
//             operation)
//   switches  left out in halves down to one by one (Choi and Zeller, ISSTA 2002); the roles of two
//             tasks exchanged
//   search    all schedules with few switches for the same values, and some hundred random ones for
//             each simpler input for which the present schedule does not fail
// None has more decisions than the start.
//
// Failing is not monotone: a subset may pass where a smaller one fails, so the result is the
// smallest that was met, with no single answer in it that could be given back.
//
// Deterministic: the same start, seed and limits of tries give the same result. Whatever is tried
// is an ordinary execution; one that hangs costs hang_ms, one at the step limit is not the failure,
// and one that is long is left when the time is over or an interruption comes (sct_engine_stop).
#ifndef CORE_TRACE_MINIMIZE_H
#define CORE_TRACE_MINIMIZE_H

#include "core/trace/plan.h"

#include <signal.h>

struct sct_measures {
    uint32_t deviations; // answers that differ from the default
    uint32_t decisions;
    uint32_t preemptions; // deviations that took the turn from a task that could have gone on
    uint32_t operations;  // sct_count_operation
};

struct sct_minimum {
    struct sct_measures before, now;
    uint64_t tries; // executions so far
    uint64_t looks; // how often it has looked whether to go on: once more after a limit
    double elapsed_seconds;
    bool was_interrupted;
    bool reached_limit; // of tries or seconds: it may not be the minimum
};

enum { SCT_MINIMIZE_TRIES = 100000 };

struct sct_minimize_options {
    const struct sct_program *program;
    struct sct_strategy *start; // leads to the failure, e.g. a replay; run once
    uint64_t start_seed;        // what the generator of [start] is seeded with
    uint64_t seed;              // of the random executions
    uint64_t tries_max;         // 0: SCT_MINIMIZE_TRIES
    double seconds_max;         // 0: no limit; the result then depends on the machine's speed
    const volatile sig_atomic_t *interrupted; // stop soon, keep the best; may be NULL
    // Told now and then how far it is; may be NULL.
    void (*progress)(void *context, const struct sct_minimum *minimum);
    void *context;
};

// False if [start] does not lead to a violation, or was left before it did: then [minimum] says why
// (was_interrupted, reached_limit). Else the engine's last run is the smallest failing
// execution that was found, to be captured as a trace, and *[plan] (zero-initialised before, freed
// by the caller with sct_plan_free) is it as a plan.
bool sct_minimize(struct sct_engine *engine, const struct sct_minimize_options *options,
                  struct sct_plan *plan, struct sct_minimum *minimum);

#endif
