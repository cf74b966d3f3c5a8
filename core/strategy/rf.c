// RF: sampling directed by reads-from (after Wolff, Shi, Duck, Mathur, Roychoudhury, "Greybox
// fuzzing for concurrency testing", ASPLOS 2024: its scheduler, without its feedback).
//
// Two steps of different tasks communicate if they race (same object, overlapping keys, not both
// reads) and no step that races with the second comes between them. A step is known by its site:
// what it is called and where it stands, not by its task or address, so that one of a hundred like
// threads is as good as another. The calibration's executions show which sites communicate with
// which; each pair of sites, in either order, is something that an execution may be made to do.
//
// An execution draws a few such wishes from its own seed: "[second], at its n-th time, right after
// [first] of another task". Until a step of [first] has been taken, steps of [second] are held;
// then those that race with it are held and [second] goes on at once. Among the steps that are not
// held the inner strategy decides, and among all of them if all are held: a wish that this
// execution cannot fulfil costs nothing but delay.
//
// Stale values of weak memory are communication too. An execution either draws each of them often,
// or reads the newest stores, or the oldest that it may, but for a few reads that are drawn
// beforehand (after Gao, Chakraborty, Kulahcioglu Ozkan, "Probabilistic concurrency testing for
// weak memory programs", ASPLOS 2023).
#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/strategy/strategy.h"

#include <string.h>

enum {
    SITES_MAX = 256,
    PAIRS_MAX = 1024,
    PLACES = 2 * PAIRS_MAX, // of a table of pairs
    RECENT_MAX = 128,       // steps that a step of the calibration is compared with
    WISHES_MAX = 4,
    WEAK_MAX = 4,
};

// A step that has been taken.
struct taken {
    uint64_t site, task;
    struct sct_access access;
};

struct site {
    uint64_t name;
    uint32_t times;     // it was taken in the present execution of the calibration
    uint32_t times_max; // in the execution with most of them
};

struct pair {
    uint16_t first, second; // sites
    uint32_t times;         // that it was seen
};

struct wish {
    const struct pair *pair;
    uint32_t passes; // of the second site, before it begins
    bool is_fulfilled;
    bool has_begun; // [first] was taken, and nothing has raced with it since
    struct taken first;
};

enum weak_manner { WEAK_OFTEN, WEAK_NEWEST, WEAK_OLDEST, WEAK_MANNERS };

struct rf {
    struct sct_strategy base;
    struct sct_strategy *from; // of an execution of the calibration: who decides
    // The pending steps, by slot.
    struct {
        uint64_t site;
        uint64_t execution, task; // it is the step of that task of that execution,
        uint32_t steps;           // after so many
    } pending[SCT_TASKS_MAX];
    uint64_t execution;     // the present one, from 1
    struct sct_slots fresh; // tasks that the one who decides has not been told of
    struct wish wishes[WISHES_MAX];
    uint32_t wish_count;
    // Weak values.
    enum weak_manner manner;
    uint32_t weak_points[WEAK_MAX], weak_point_count, weak_count;
    // What was learnt.
    uint32_t weak_max;
    struct site known[SITES_MAX];
    uint32_t known_count;
    struct pair pairs[PAIRS_MAX];
    uint32_t pair_count;
    uint16_t places[PLACES]; // by both sites, the next free one onwards: index + 1; 0: free
    struct taken recent[RECENT_MAX];
    uint32_t recent_count; // in all
};

// ---- Sites -------------------------------------------------------------------------------------

static uint64_t hash_text(const char *text) {
    return text ? hash_bytes(text, strlen(text)) : 0;
}

// Of a place its folder is left out, which depends on where the program was built.
static uint64_t name_site(const struct sct_slot *slot) {
    const char *slash = slot->where ? strrchr(slot->where, '/') : NULL;
    return rng_mix(hash_text(slot->label)) ^ hash_text(slash ? slash + 1 : slot->where);
}

static uint64_t site_of(struct rf *rf, const struct sct_slot *slots, unsigned slot) {
    const struct sct_slot *now = &slots[slot];
    ASSERT(slot < SCT_TASKS_MAX);
    // Hashing two texts is dear: a step is named once, when it is first looked at, and asked for at
    // every decision until it is taken.
    if (rf->pending[slot].execution != rf->execution ||
        rf->pending[slot].task != now->identity.signature ||
        rf->pending[slot].steps != now->steps) {
        rf->pending[slot].site = name_site(now);
        rf->pending[slot].execution = rf->execution;
        rf->pending[slot].task = now->identity.signature;
        rf->pending[slot].steps = now->steps;
    }
    return rf->pending[slot].site;
}

// ---- The calibration ---------------------------------------------------------------------------

static bool is_step(const struct sct_access *access) {
    return access->mode != SCT_ACCESS_NONE && access->mode != SCT_ACCESS_UNKNOWN;
}

// SITES_MAX: there is no room.
static uint32_t find_site(struct rf *rf, uint64_t name) {
    ASSERT(rf->known_count <= SITES_MAX);
    uint32_t i = 0;
    while (i < rf->known_count && rf->known[i].name != name)
        i++;
    if (i == rf->known_count && i < SITES_MAX)
        rf->known[rf->known_count++] = (struct site){.name = name};
    return i;
}

static void add_pair(struct rf *rf, uint32_t first, uint32_t second, uint32_t times) {
    ASSERT(first < rf->known_count && second < rf->known_count);
    // At most half of the places are taken, as PLACES is 2 * PAIRS_MAX: the search ends.
    uint64_t at = rng_mix((uint64_t)first << 16 | second);
    for (; rf->places[at % PLACES]; at++) {
        struct pair *pair = &rf->pairs[rf->places[at % PLACES] - 1];
        if (pair->first == first && pair->second == second) {
            pair->times += times;
            return;
        }
    }
    if (rf->pair_count == PAIRS_MAX)
        return;
    rf->pairs[rf->pair_count] =
        (struct pair){.first = (uint16_t)first, .second = (uint16_t)second, .times = times};
    rf->places[at % PLACES] = (uint16_t)++rf->pair_count;
}

// The last step of another task that races with [step]; NULL: it was long ago.
static const struct taken *find_first(const struct rf *rf, const struct taken *step) {
    uint32_t count = rf->recent_count < RECENT_MAX ? rf->recent_count : RECENT_MAX;
    for (uint32_t i = 1; i <= count; i++) {
        const struct taken *earlier = &rf->recent[(rf->recent_count - i) % RECENT_MAX];
        if (earlier->task != step->task && sct_accesses_race(&earlier->access, &step->access))
            return earlier;
    }
    return NULL;
}

static void learn_step(struct rf *rf, const struct taken *step) {
    uint32_t second = find_site(rf, step->site);
    if (second == SITES_MAX)
        return;
    struct site *site = &rf->known[second];
    if (++site->times > site->times_max)
        site->times_max = site->times;
    const struct taken *earlier = find_first(rf, step);
    if (earlier) {
        uint32_t first = find_site(rf, earlier->site);
        ASSERT(first < SITES_MAX);
        add_pair(rf, first, second, 1);
        // The other order was not seen, which makes it the rarer of any two that are drawn.
        add_pair(rf, second, first, 0);
    }
    rf->recent[rf->recent_count++ % RECENT_MAX] = *step;
}

static void forget(struct rf *rf) {
    rf->known_count = rf->pair_count = rf->weak_max = 0;
    memset(rf->places, 0, sizeof rf->places);
}

static void end_learning(struct rf *rf) {
    if (rf->weak_count > rf->weak_max)
        rf->weak_max = rf->weak_count;
}

static void learn(struct sct_strategy *strategy, struct sct_strategy *from) {
    struct rf *rf = (struct rf *)strategy;
    if (rf->from)
        end_learning(rf);
    else
        forget(rf);
    rf->from = from;
}

static void begin_learning(struct rf *rf) {
    ASSERT(rf->from && rf->from->ops->begin);
    for (uint32_t i = 0; i < rf->known_count; i++)
        rf->known[i].times = 0;
    rf->recent_count = 0;
    // A copy: it decides as it would alone under the same seed, and what is learnt draws nothing.
    rf->from->rng = rf->base.rng;
    rf->from->ops->begin(rf->from);
}

// ---- Wishes ------------------------------------------------------------------------------------

static const struct pair *draw_pair(struct rf *rf) {
    ASSERT(rf->pair_count > 0);
    struct rng *rng = &rf->base.rng;
    const struct pair *pair = &rf->pairs[rng_below(rng, rf->pair_count)];
    const struct pair *other = &rf->pairs[rng_below(rng, rf->pair_count)];
    return other->times < pair->times ? other : pair; // the rarer of two
}

static struct wish draw_wish(struct rf *rf) {
    struct wish wish = {.pair = draw_pair(rf)};
    ASSERT(wish.pair->first < rf->known_count && wish.pair->second < rf->known_count);
    uint32_t times = rf->known[wish.pair->second].times_max;
    if (times > 1 && rng_below(&rf->base.rng, 2))
        wish.passes = rng_below(&rf->base.rng, times);
    return wish;
}

static void draw_weak_points(struct rf *rf) {
    ASSERT(rf->weak_max > 0); // or there is nothing to choose them from
    struct rng *rng = &rf->base.rng;
    rf->manner = (enum weak_manner)rng_below(rng, WEAK_MANNERS);
    rf->weak_point_count = 1 + rng_below(rng, WEAK_MAX);
    for (uint32_t i = 0; i < rf->weak_point_count; i++)
        rf->weak_points[i] = rng_below(rng, rf->weak_max);
}

static void begin(struct sct_strategy *strategy) {
    struct rf *rf = (struct rf *)strategy;
    struct sct_strategy *inner = strategy->inner;
    ASSERT(inner && !inner->path);
    rf->execution++;
    rf->weak_count = rf->wish_count = 0;
    sct_slots_clear(&rf->fresh);
    if (rf->from) {
        begin_learning(rf);
        return;
    }
    inner->calibration = strategy->calibration;
    rng_seed(&inner->rng, rng_next(&strategy->rng));
    inner->ops->begin(inner);
    if (rf->weak_max > 0)
        draw_weak_points(rf);
    if (rf->pair_count == 0)
        return;
    // Drawn before the first step, so that all of them are a function of the seed alone; one that
    // contradicts another is a wish that is not fulfilled.
    rf->wish_count = 1 + rng_below(&strategy->rng, WISHES_MAX);
    for (uint32_t i = 0; i < rf->wish_count; i++)
        rf->wishes[i] = draw_wish(rf);
}

static bool is_other(const struct taken *step, const struct sct_slot *slot) {
    return step->task != slot->identity.signature;
}

// What the wishes say of the slots of a decision.
struct view {
    struct sct_slots held, wanted;
};

// [wish] has begun: its second step is wanted, and whatever else would come between is held.
static void look_for_second(struct rf *rf, const struct wish *wish,
                            const struct sct_schedule_point *point, struct view *view) {
    uint64_t second = rf->known[wish->pair->second].name;
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(point->enabled);
         sct_slots_next(&walk, &slot);) {
        const struct sct_slot *pending = &point->slots[slot];
        if (!sct_accesses_race(pending->access, &wish->first.access))
            continue;
        bool is_next = site_of(rf, point->slots, slot) == second && is_other(&wish->first, pending);
        sct_slots_add(is_next ? &view->wanted : &view->held, slot);
    }
}

// Whether the pending step of [slot] races with that of one of [others].
static bool races_with_any(const struct sct_schedule_point *point, unsigned slot,
                           const struct sct_slots *others) {
    unsigned other;
    for (struct sct_slots_walk walk = sct_slots_walk(others); sct_slots_next(&walk, &other);)
        if (other != slot &&
            sct_accesses_race(point->slots[slot].access, point->slots[other].access))
            return true;
    return false;
}

// [wish] has not: second steps are held, and first ones wanted that one of them would follow. (Both
// may be the same site; one of two then goes first.)
static void look_for_first(struct rf *rf, const struct wish *wish,
                           const struct sct_schedule_point *point, struct view *view) {
    uint64_t first = rf->known[wish->pair->first].name;
    uint64_t second = rf->known[wish->pair->second].name;
    struct sct_slots firsts = {{0}, 0}, seconds = {{0}, 0};
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(point->enabled);
         sct_slots_next(&walk, &slot);) {
        uint64_t site = site_of(rf, point->slots, slot);
        if (site == first)
            sct_slots_add(&firsts, slot);
        if (site == second)
            sct_slots_add(&seconds, slot);
    }
    struct sct_slots held = seconds;
    for (struct sct_slots_walk walk = sct_slots_walk(&firsts); sct_slots_next(&walk, &slot);) {
        if (!races_with_any(point, slot, &seconds))
            continue;
        sct_slots_add(&view->wanted, slot);
        sct_slots_remove(&held, slot);
    }
    for (struct sct_slots_walk walk = sct_slots_walk(&held); sct_slots_next(&walk, &slot);)
        sct_slots_add(&view->held, slot);
}

// A step was taken.
static void follow(struct rf *rf, struct wish *wish, const struct taken *step) {
    uint64_t first = rf->known[wish->pair->first].name;
    uint64_t second = rf->known[wish->pair->second].name;
    bool is_second = step->site == second;
    if (wish->is_fulfilled)
        return;
    if (wish->passes > 0) {
        wish->passes -= is_second;
        return;
    }
    // Either the second step, right after the first: fulfilled. Or another one has come between:
    // the wish waits for the next [first].
    if (wish->has_begun && sct_accesses_race(&step->access, &wish->first.access)) {
        wish->has_begun = false;
        wish->is_fulfilled = is_second && step->task != wish->first.task;
    }
    if (!wish->is_fulfilled && step->site == first) {
        wish->has_begun = true;
        wish->first = *step;
    }
}

static void take(struct rf *rf, const struct sct_slot *slots, unsigned slot) {
    const struct sct_slot *pending = &slots[slot];
    if (!is_step(pending->access) || (rf->wish_count == 0 && !rf->from))
        return;
    const struct taken step = {site_of(rf, slots, slot), pending->identity.signature,
                               *pending->access};
    if (rf->from)
        learn_step(rf, &step);
    for (uint32_t i = 0; i < rf->wish_count; i++)
        follow(rf, &rf->wishes[i], &step);
}

// The slots among which the inner strategy decides.
static struct sct_slots let_through(struct rf *rf, const struct sct_schedule_point *point) {
    struct view view = {{{0}, 0}, {{0}, 0}};
    for (uint32_t i = 0; i < rf->wish_count; i++) {
        const struct wish *wish = &rf->wishes[i];
        if (wish->is_fulfilled || wish->passes > 0)
            continue;
        if (wish->has_begun)
            look_for_second(rf, wish, point, &view);
        else
            look_for_first(rf, wish, point, &view);
    }
    struct sct_slots free = *point->enabled;
    unsigned slot;
    // Held by one wish beats wanted by another: to hold costs nothing, to go on may spoil.
    for (struct sct_slots_walk walk = sct_slots_walk(&view.held); sct_slots_next(&walk, &slot);) {
        sct_slots_remove(&view.wanted, slot);
        sct_slots_remove(&free, slot);
    }
    if (!sct_slots_are_empty(&view.wanted))
        return view.wanted;
    return sct_slots_are_empty(&free) ? *point->enabled : free;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    struct rf *rf = (struct rf *)strategy;
    struct sct_strategy *decides = rf->from ? rf->from : strategy->inner;
    const struct sct_slots enabled = let_through(rf, point);
    struct sct_schedule_point rest = *point;
    unsigned slot;
    // Fresh tasks are kept until the inner strategy is asked next: where one slot alone is let
    // through it is not, and would never hear of them.
    for (struct sct_slots_walk walk = sct_slots_walk(point->fresh); sct_slots_next(&walk, &slot);)
        sct_slots_add(&rf->fresh, slot);
    rest.enabled = &enabled;
    rest.count = sct_slots_count(&enabled);
    rest.fresh = &rf->fresh;
    slot = sct_slots_only(&enabled);
    if (slot == SCT_TASKS_MAX) {
        slot = decides->ops->pick(decides, &rest);
        sct_slots_clear(&rf->fresh);
    }
    take(rf, point->slots, slot);
    return slot;
}

static void forced(struct sct_strategy *strategy, const struct sct_slot *slots, unsigned slot) {
    take((struct rf *)strategy, slots, slot);
}

// ---- Values ------------------------------------------------------------------------------------

static uint32_t choose(struct sct_strategy *strategy, uint32_t count) {
    struct rf *rf = (struct rf *)strategy;
    struct sct_strategy *decides = rf->from ? rf->from : strategy->inner;
    return decides->ops->choose(decides, count);
}

static uint32_t choose_weak(struct sct_strategy *strategy, uint32_t count) {
    struct rf *rf = (struct rf *)strategy;
    // Counted while calibrating, too: the most of any execution is the range of the points.
    uint32_t number = rf->weak_count++;
    if (rf->from)
        return sct_ask_value(rf->from, count, true);
    if (rf->weak_max == 0 || rf->manner == WEAK_OFTEN)
        return sct_choose_often_first(strategy, count);
    for (uint32_t i = 0; i < rf->weak_point_count; i++)
        if (rf->weak_points[i] == number)
            return sct_choose_uniform(strategy, count);
    return rf->manner == WEAK_NEWEST ? 0 : count - 1;
}

extern const struct sct_strategy_ops sct_strategy_rf_ops;
const struct sct_strategy_ops sct_strategy_rf_ops = {
    .name = "rf",
    .summary =
        "rf:STRATEGY: that one, held to drawn pairs of steps that communicate (alone: rf:pos)",
    .size = sizeof(struct rf),
    .is_wrapper = true,
    .inner_default = "pos",
    .learn = learn,
    .begin = begin,
    .pick = pick,
    .forced = forced,
    .choose = choose,
    .choose_weak = choose_weak,
};
