// Sticky random walk: stays on the running task, and leaves it with probability 2^-B at each
// decision. Long uninterrupted stretches, as of a program that is not preempted often.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

enum { COINS_MAX = 30 };

static void begin(struct sct_strategy *strategy) {
    (void)strategy;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    ASSERT(strategy->parameter <= COINS_MAX);
    bool may_stay = !point->gives_way && sct_slots_have(point->enabled, point->current);
    // Coins and no probability: no floating point decides.
    if (may_stay && rng_below(&strategy->rng, UINT32_C(1) << strategy->parameter) != 0)
        return point->current;
    return sct_alternative_slot(point, rng_below(&strategy->rng, point->count));
}

extern const struct sct_strategy_ops sct_strategy_sticky_ops;
const struct sct_strategy_ops sct_strategy_sticky_ops = {
    .name = "sticky",
    .summary = "random walk that stays where it is and moves with probability 2^-B (sticky:B)",
    .size = sizeof(struct sct_strategy),
    .parameter_default = 3,
    .parameter_min = 1,
    .parameter_max = COINS_MAX,
    .begin = begin,
    .pick = pick,
    .ignores_keys = true,
    .choose = sct_choose_uniform,
    .choose_weak = sct_choose_often_first,
};
