// The nearest execution that does not fail: a plan with one answer given back to the default.
//
// What the failure needs before that answer is in both executions; so the place where they part is
// where the failure was still to be avoided.
#ifndef CORE_TRACE_NEAREST_H
#define CORE_TRACE_NEAREST_H

#include "core/trace/plan.h"

#include <signal.h>

struct sct_nearest {
    bool is_found;      // else every single answer's return leads to a violation still
    bool is_switch;     // which: a switch of the plan, or a value
    uint32_t index;     // of the switch or the value in the plan, which says at which decision
    bool reached_limit; // of the time, or it was interrupted: not all answers were tried
    bool was_interrupted;
    uint32_t tries; // executions
};

// All 0: none.
struct sct_nearest_limits {
    double seconds_max;                       // after that no other run begins
    const volatile sig_atomic_t *interrupted; // likewise
    // Told now and then how far it is.
    void (*progress)(void *context, const struct sct_nearest *nearest);
    void *context;
};

// Looks for one: the plan's switches from the last to the first, preemptions before others, then
// its values from the last to the first. [plan] is one that an execution left. The engine's last
// run is then the passing one, if there is one.
struct sct_nearest sct_nearest_find(struct sct_engine *engine, const struct sct_program *program,
                                    const struct sct_plan *plan,
                                    const struct sct_nearest_limits *limits);

#endif
