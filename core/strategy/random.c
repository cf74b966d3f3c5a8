// Random walk: uniformly among the enabled tasks. Fair with probability 1.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

static void begin(struct sct_strategy *strategy) {
    (void)strategy;
}

// The engine records the number of the alternative, and would have to count the slots before the
// one picked for it.
static uint32_t pick_alternative(struct sct_strategy *strategy,
                                 const struct sct_schedule_point *point) {
    ASSERT(point->count >= 2);
    return rng_below(&strategy->rng, point->count);
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    return sct_alternative_slot(point, pick_alternative(strategy, point));
}

extern const struct sct_strategy_ops sct_strategy_random_ops;
const struct sct_strategy_ops sct_strategy_random_ops = {
    .name = "random",
    .summary = "random walk: uniformly among the enabled tasks",
    .size = sizeof(struct sct_strategy),
    .begin = begin,
    .pick = pick,
    .pick_alternative = pick_alternative,
    .choose = sct_choose_uniform,
    .choose_weak = sct_choose_often_first,
};
