// Fair tail: the inner strategy for a prefix, then a random walk, which is fair with probability 1.
// What happens for ever in the tail is the system's doing, not the scheduler's.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

// The prefix is this many times the longest calibration execution.
enum { PREFIX_FACTOR = 2 };

static bool is_in_tail(const struct sct_strategy *strategy, uint32_t ordinal) {
    ASSERT(ordinal >= 1);
    // Divided, where a product of the two might overflow.
    return (ordinal - 1) / PREFIX_FACTOR >= strategy->calibration.decisions_max;
}

static void begin(struct sct_strategy *strategy) {
    struct sct_strategy *inner = strategy->inner;
    ASSERT(inner);
    ASSERT(!inner->path); // a search must see every decision
    inner->calibration = strategy->calibration;
    // Its own numbers: what the tail draws does not depend on how many the prefix took.
    rng_seed(&inner->rng, rng_next(&strategy->rng));
    inner->ops->begin(inner);
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    if (is_in_tail(strategy, point->ordinal))
        return sct_alternative_slot(point, rng_below(&strategy->rng, point->count));
    return strategy->inner->ops->pick(strategy->inner, point);
}

// Values have no fairness: they are the inner strategy's to the end.
static uint32_t choose(struct sct_strategy *strategy, uint32_t count) {
    return strategy->inner->ops->choose(strategy->inner, count);
}

static uint32_t choose_weak(struct sct_strategy *strategy, uint32_t count) {
    return sct_ask_value(strategy->inner, count, true);
}

extern const struct sct_strategy_ops sct_strategy_fair_ops;
const struct sct_strategy_ops sct_strategy_fair_ops = {
    .name = "fair",
    .summary = "fair:STRATEGY: that strategy at first, then a fair random walk",
    .size = sizeof(struct sct_strategy),
    .is_wrapper = true,
    .begin = begin,
    .pick = pick,
    .choose = choose,
    .choose_weak = choose_weak,
};
