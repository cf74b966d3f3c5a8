// Randomised delay bounding (Emmi, Qadeer, Rakamaric, POPL 2011).
//
// The base schedule is deterministic: stay on the running task while it is enabled, else the next
// in round-robin order. D delays fall on random decisions, or on none; the task that would run is
// passed over once for each delay that fell there. Every execution has at most D delays, and every
// schedule with at most D occurs.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

enum { DELAYS_MAX = 32 };

struct delay {
    struct sct_strategy base;
    uint32_t points[DELAYS_MAX]; // 0: this delay is not used, so that fewer than D occur too
};

static void begin(struct sct_strategy *strategy) {
    ASSERT(strategy->parameter <= DELAYS_MAX);
    ASSERT(strategy->calibration.decisions_max >= 1);
    // One value more than there are decisions: 0, which is none of them.
    struct delay *delay = (struct delay *)strategy;
    for (uint32_t i = 0; i < strategy->parameter; i++)
        delay->points[i] = rng_below(&strategy->rng, strategy->calibration.decisions_max + 1);
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    ASSERT(point->count >= 2);
    const struct delay *delay = (const struct delay *)strategy;
    uint32_t passed_over = 0;
    for (uint32_t i = 0; i < strategy->parameter; i++)
        passed_over += delay->points[i] == point->ordinal;
    // The order of the alternatives is the round-robin order, from the task that would run on.
    return sct_alternative_slot(point, passed_over % point->count);
}

extern const struct sct_strategy_ops sct_strategy_delay_ops;
const struct sct_strategy_ops sct_strategy_delay_ops = {
    .name = "delay",
    .summary = "round-robin without preemption, passing over a task at D random points (delay:D)",
    .size = sizeof(struct delay),
    .parameter_default = 5,
    .parameter_min = 1,
    .parameter_max = DELAYS_MAX,
    .begin = begin,
    .pick = pick,
    .ignores_keys = true,
    .choose = sct_choose_uniform,
};
