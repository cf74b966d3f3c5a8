// Random walk: uniformly among the enabled tasks. Fair with probability 1.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

static void begin(struct sct_strategy *strategy) {
    (void)strategy;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    ASSERT(point->count >= 2);
    return sct_alternative_slot(point, rng_below(&strategy->rng, point->count));
}

extern const struct sct_strategy_ops sct_strategy_random_ops;
const struct sct_strategy_ops sct_strategy_random_ops = {
    .name = "random",
    .summary = "random walk: uniformly among the enabled tasks",
    .size = sizeof(struct sct_strategy),
    .begin = begin,
    .pick = pick,
    .picks_uniformly = true,
    .ignores_keys = true,
    .choose = sct_choose_uniform,
    .choose_weak = sct_choose_often_first,
};
