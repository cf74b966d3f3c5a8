// POS: partial-order sampling (Yuan, Yang, Gu, CAV 2018, algorithm 2).
//
// Every pending step has a random priority; the enabled step of the highest one runs. Then the
// steps that race with it (same object, overlapping keys, not both reads) draw anew, and so does
// the next step of its task: which of two racing steps comes first is decided afresh each time. A
// step that touches nothing is run at once: its order does not matter. (That of a step which merely
// races with no other enabled one does: what follows them may race with it.)
#include "core/base/assert.h"
#include "core/strategy/strategy.h"

struct pos {
    struct sct_strategy base;
    uint64_t priorities[SCT_TASKS_MAX];
    uint32_t seen_steps[SCT_TASKS_MAX]; // the priority belongs to the step after this many
};

// What is left of the execution before does no harm: every slot is fresh once in each execution,
// and is drawn for then.
static void begin(struct sct_strategy *strategy) {
    (void)strategy;
}

static void draw(struct pos *pos, const struct sct_schedule_point *point, unsigned slot) {
    ASSERT(slot < SCT_TASKS_MAX);
    pos->priorities[slot] = rng_next(&pos->base.rng);
    pos->seen_steps[slot] = point->slots[slot].steps;
}

// What the slots tell in one look at each of them: there may be 64 and more.
struct seen {
    unsigned highest; // of the enabled, by priority
    unsigned free;    // the first enabled that touches nothing; SCT_TASKS_MAX: none
};

// Draws for tasks that are new, waiting or not, and those that have moved on since their last draw,
// in the order of slots.
static inline struct seen look(struct pos *pos, const struct sct_schedule_point *point,
                               bool is_wide) {
    struct seen seen = {SCT_TASKS_MAX, SCT_TASKS_MAX};
    uint64_t best = 0;
    for (uint32_t word = 0; word <= (is_wide ? point->enabled->last : 0); word++) {
        uint64_t fresh = point->fresh->words[word], enabled = point->enabled->words[word];
        for (uint64_t left = enabled | fresh; left; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(left), slot = word * 64 + bit;
            const struct sct_slot *known = &point->slots[slot];
            if (fresh >> bit & 1 || pos->seen_steps[slot] != known->steps)
                draw(pos, point, slot);
            if (!(enabled >> bit & 1))
                continue;
            if (known->access->mode == SCT_ACCESS_NONE && seen.free == SCT_TASKS_MAX)
                seen.free = slot;
            // Of equals the first.
            if (seen.highest == SCT_TASKS_MAX || pos->priorities[slot] > best) {
                seen.highest = slot;
                best = pos->priorities[slot];
            }
        }
    }
    ASSERT(seen.highest != SCT_TASKS_MAX);
    return seen;
}

__attribute__((always_inline)) static inline unsigned
pick_among(struct sct_strategy *strategy, const struct sct_schedule_point *point, bool is_wide) {
    struct pos *pos = (struct pos *)strategy;
    struct seen seen = look(pos, point, is_wide);
    // A priority was drawn for it all the same, so that how many numbers a step costs does not
    // depend on what it touches.
    if (seen.free != SCT_TASKS_MAX)
        return seen.free;
    const struct sct_access *chosen = point->slots[seen.highest].access;
    // With that all others race, none of which touches nothing.
    bool races_with_all = chosen->mode == SCT_ACCESS_UNKNOWN;
    // Its state stays in registers: many draws, each of which needs that of the one before.
    struct rng rng = pos->base.rng;
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk_in(point->enabled, is_wide);
         sct_slots_next(&walk, &slot);)
        if (slot != seen.highest &&
            (races_with_all || sct_accesses_race(point->slots[slot].access, chosen)))
            pos->priorities[slot] = rng_next(&rng); // of the same step
    pos->base.rng = rng;
    return seen.highest;
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

extern const struct sct_strategy_ops sct_strategy_pos_ops;
const struct sct_strategy_ops sct_strategy_pos_ops = {
    .name = "pos",
    .summary = "partial-order sampling: random priorities, drawn anew where steps race",
    .size = sizeof(struct pos),
    .begin = begin,
    .pick = pick,
    .choose = sct_choose_uniform,
    .choose_weak = sct_choose_often_first,
};
