// URW: uniform random walk over interleavings (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025).
//
// Picks a task with probability proportional to the steps it has left, those of the tasks that it
// will start included: if the counts are exact and nothing blocks, every interleaving is equally
// likely. The counts come from the calibration, by the task's identity; a task that was not seen
// there counts as the shortest one that was.
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

#include <string.h>

enum { PLACES = 256 };
_Static_assert((int)SCT_TASK_COUNTS_MAX < (int)PLACES, "some places are free, which ends a search");

struct urw {
    struct sct_strategy base;
    uint32_t own[SCT_TASKS_MAX];     // steps of the task itself
    uint32_t carried[SCT_TASKS_MAX]; // steps of tasks that it will still start
    // What follows from the calibration [counted], which is the same in all executions of a
    // campaign.
    struct sct_calibration counted;
    uint32_t descending[SCT_TASK_COUNTS_MAX]; // steps of all tasks that descend from each
    uint32_t shortest;
    uint8_t places[PLACES]; // by signature, the next free one onwards: index + 1; 0: free
};

static uint32_t shortest(const struct sct_calibration *calibration) {
    ASSERT(calibration->count_count <= SCT_TASK_COUNTS_MAX);
    uint32_t steps = calibration->count_count > 0 ? UINT32_MAX : 1;
    for (uint32_t i = 0; i < calibration->count_count; i++)
        if (calibration->counts[i].steps < steps)
            steps = calibration->counts[i].steps;
    return steps;
}

// The steps of all tasks that descend from [signature].
static uint32_t descendants(const struct sct_calibration *calibration, uint64_t signature) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < calibration->count_count; i++) {
        const struct sct_task_count *count = &calibration->counts[i];
        if (count->identity.parent == signature && count->identity.signature != signature)
            // Ends: a task is counted below the one that started it, and that came before it.
            sum += count->steps + descendants(calibration, count->identity.signature);
    }
    return sum;
}

static void place(struct urw *urw, uint32_t index) {
    ASSERT(index < SCT_TASK_COUNTS_MAX);
    uint64_t at = urw->counted.counts[index].identity.signature;
    // Signatures are hashes already.
    while (urw->places[at % PLACES])
        at++;
    urw->places[at % PLACES] = (uint8_t)(index + 1);
}

static bool is_counted(const struct urw *urw, const struct sct_calibration *calibration) {
    return urw->counted.count_count == calibration->count_count &&
           memcmp(urw->counted.counts, calibration->counts,
                  calibration->count_count * sizeof calibration->counts[0]) == 0;
}

static void begin(struct sct_strategy *strategy) {
    struct urw *urw = (struct urw *)strategy;
    const struct sct_calibration *calibration = &strategy->calibration;
    ASSERT(calibration->count_count <= SCT_TASK_COUNTS_MAX);
    if (urw->shortest > 0 && is_counted(urw, calibration))
        return;
    urw->counted = *calibration;
    urw->shortest = shortest(calibration);
    memset(urw->places, 0, sizeof urw->places);
    for (uint32_t i = 0; i < calibration->count_count; i++) {
        urw->descending[i] = descendants(calibration, calibration->counts[i].identity.signature);
        place(urw, i);
    }
}

// The index of the task's count; UINT32_MAX: it has none.
static uint32_t find(const struct urw *urw, uint64_t signature) {
    for (uint64_t at = signature; urw->places[at % PLACES]; at++) {
        uint32_t index = urw->places[at % PLACES] - 1U;
        if (urw->counted.counts[index].identity.signature == signature)
            return index;
    }
    return UINT32_MAX;
}

static void take_from_parent(struct urw *urw, const struct sct_schedule_point *point,
                             uint64_t parent, uint32_t steps) {
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(point->alive); sct_slots_next(&walk, &slot);)
        if (point->slots[slot].identity.signature == parent)
            // More children than the calibration saw: nothing is left to take, and never less than
            // that.
            urw->carried[slot] -= steps < urw->carried[slot] ? steps : urw->carried[slot];
}

// All new tasks get their counts before any takes from its parent: the parent may be new as well,
// in whatever slot.
__attribute__((noinline)) static void meet(struct urw *urw,
                                           const struct sct_schedule_point *point) {
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(point->fresh); sct_slots_next(&walk, &slot);) {
        uint32_t index = find(urw, point->slots[slot].identity.signature);
        bool is_known = index != UINT32_MAX;
        urw->own[slot] = is_known ? urw->counted.counts[index].steps : urw->shortest;
        urw->carried[slot] = is_known ? urw->descending[index] : 0;
    }
    for (struct sct_slots_walk walk = sct_slots_walk(point->fresh); sct_slots_next(&walk, &slot);) {
        const struct sct_task_identity *identity = &point->slots[slot].identity;
        uint32_t index = find(urw, identity->signature);
        if (index != UINT32_MAX && identity->parent)
            take_from_parent(urw, point, identity->parent,
                             urw->counted.counts[index].steps + urw->descending[index]);
    }
}

static uint64_t weight(const struct urw *urw, const struct sct_schedule_point *point,
                       unsigned slot) {
    uint32_t own = urw->own[slot], taken = point->slots[slot].steps;
    // A task that has outlived its estimate still gets its turn: the smallest weight, not none.
    uint64_t left = (uint64_t)(own > taken ? own - taken : 0) + urw->carried[slot];
    return left > 0 ? left : 1;
}

__attribute__((always_inline)) static inline unsigned
pick_among(struct sct_strategy *strategy, const struct sct_schedule_point *point, bool is_wide) {
    struct urw *urw = (struct urw *)strategy;
    if (!sct_slots_are_empty(point->fresh))
        meet(urw, point);
    uint64_t sum = 0;
    unsigned slot = 0;
    for (struct sct_slots_walk walk = sct_slots_walk_in(point->enabled, is_wide);
         sct_slots_next(&walk, &slot);)
        sum += weight(urw, point, slot);
    ASSERT(sum > 0);
    // In integers: sums of 512 tasks of at most 2^33 each are far from 2^64.
    uint64_t drawn = rng_below64(&strategy->rng, sum), own;
    // Ends at the latest at the last enabled task: [drawn] is below the sum of the weights.
    for (struct sct_slots_walk walk = sct_slots_walk_in(point->enabled, is_wide);
         sct_slots_next(&walk, &slot) && drawn >= (own = weight(urw, point, slot)); drawn -= own)
        ;
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

extern const struct sct_strategy_ops sct_strategy_urw_ops;
const struct sct_strategy_ops sct_strategy_urw_ops = {
    .name = "urw",
    .summary = "uniform over interleavings: tasks weighted by the steps they have left",
    .size = sizeof(struct urw),
    .begin = begin,
    .pick = pick,
    .ignores_keys = true,
    .choose = sct_choose_uniform,
    .choose_weak = sct_choose_often_first,
};
