// PCT: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS
// 2010).
//
// Every task has a random priority; the enabled task of the highest one runs. At d-1 random
// decisions the task about to run drops below all others. A bug of depth d is found by one
// execution with probability at least 1/(n k^(d-1)), n tasks, k scheduling decisions (section 2.4).
//
// Only decisions between at least two tasks count for k. Priorities are independent 64-bit draws,
// so a new task's rank among those not yet lowered is uniform, the top included: a child can
// overtake its creator at once. Change points are distinct and uniform in 1..k, drawn by Floyd's
// algorithm. A task that gives way (sct_yield) drops below all others too, or who spins would
// starve the one it waits for.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

enum { DEPTH_MAX = 32 };

// Priorities in three bands: as drawn, from 2^63 on; lowered by a change point, from here on;
// lowered by giving way, below.
static const uint64_t lowered = UINT64_C(1) << 62;

struct pct {
    struct sct_strategy base;
    uint64_t priorities[SCT_TASKS_MAX];
    // change_points[i] lowers a task to priority lowered + i: below all drawn, in a random order.
    uint32_t change_points[DEPTH_MAX];
    uint32_t change_count;
    uint32_t next_change; // the least of them that is still to come; UINT32_MAX: none
};

static bool is_taken(const struct pct *pct, uint32_t count, uint32_t point) {
    ASSERT(count <= DEPTH_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (pct->change_points[i] == point)
            return true;
    return false;
}

static void shuffle(struct pct *pct) {
    ASSERT(pct->change_count <= DEPTH_MAX);
    for (uint32_t i = pct->change_count; i > 1; i--) {
        uint32_t j = rng_below(&pct->base.rng, i);
        uint32_t moved = pct->change_points[i - 1];
        pct->change_points[i - 1] = pct->change_points[j];
        pct->change_points[j] = moved;
    }
}

static void find_next_change(struct pct *pct, uint32_t after) {
    pct->next_change = UINT32_MAX;
    for (uint32_t i = 0; i < pct->change_count; i++) {
        uint32_t point = pct->change_points[i];
        if (point > after && point < pct->next_change)
            pct->next_change = point;
    }
}

static void begin(struct sct_strategy *strategy) {
    struct pct *pct = (struct pct *)strategy;
    uint32_t k = strategy->calibration.decisions_max;
    uint32_t wanted = strategy->parameter - 1;
    ASSERT(strategy->parameter >= 1);
    ASSERT(k >= 1);
    // More change points than decisions: all of them, once.
    pct->change_count = wanted < k ? wanted : k;
    // Floyd: for j = k-m+1 .. k take a random t <= j, or j itself if t is taken.
    for (uint32_t i = 0; i < pct->change_count; i++) {
        uint32_t j = k - pct->change_count + 1 + i;
        uint32_t point = 1 + rng_below(&strategy->rng, j);
        pct->change_points[i] = is_taken(pct, i, point) ? j : point;
    }
    shuffle(pct); // Floyd's set is uniform, its order is not
    find_next_change(pct, 0);
}

static inline void rank_fresh_tasks(struct pct *pct, const struct sct_slots *fresh, bool is_wide) {
    // The highest bit is set: above whatever a change point lowers a task to.
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk_in(fresh, is_wide);
         sct_slots_next(&walk, &slot);)
        pct->priorities[slot] = rng_next(&pct->base.rng) | UINT64_C(1) << 63;
}

static inline unsigned highest(const struct pct *pct, const struct sct_slots *enabled,
                               bool is_wide) {
    struct sct_slots_walk walk = sct_slots_walk_in(enabled, is_wide);
    unsigned best = 0, slot;
    bool is_found = sct_slots_next(&walk, &best);
    ASSERT(is_found);
    while (sct_slots_next(&walk, &slot))
        if (pct->priorities[slot] > pct->priorities[best])
            best = slot;
    return best;
}

__attribute__((always_inline)) static inline unsigned
pick_among(struct sct_strategy *strategy, const struct sct_schedule_point *point, bool is_wide) {
    struct pct *pct = (struct pct *)strategy;
    rank_fresh_tasks(pct, point->fresh, is_wide);
    if (point->gives_way) // whoever gave way before comes first
        pct->priorities[point->current] = lowered - point->ordinal;
    unsigned slot = highest(pct, point->enabled, is_wide);
    if (point->ordinal < pct->next_change)
        return slot;
    find_next_change(pct, point->ordinal);
    for (uint32_t i = 0; i < pct->change_count; i++) {
        // At most one: they are distinct. The task about to run drops, and the next highest runs.
        if (pct->change_points[i] == point->ordinal) {
            pct->priorities[slot] = lowered + i;
            return highest(pct, point->enabled, is_wide);
        }
    }
    return slot;
}

__attribute__((noinline, cold)) static unsigned
pick_widely(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    ASSERT(sct_slots_are_wide(point->enabled)); // slower where they are not
    return pick_among(strategy, point, true);
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    return sct_slots_are_wide(point->enabled) ? pick_widely(strategy, point)
                                              : pick_among(strategy, point, false);
}

extern const struct sct_strategy_ops sct_strategy_pct_ops;
const struct sct_strategy_ops sct_strategy_pct_ops = {
    .name = "pct",
    .summary = "random priorities with D-1 priority changes (PCT); pct:D finds bugs of depth D",
    .size = sizeof(struct pct),
    .parameter_default = 3,
    .parameter_min = 1,
    .parameter_max = DEPTH_MAX,
    .begin = begin,
    .pick = pick,
    .ignores_keys = true,
    .choose = sct_choose_uniform,
};
