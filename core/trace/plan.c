#include "core/trace/plan.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/engine/state.h"

#include <stdlib.h>
#include <string.h>

static const char memory_name[] = "a plan";

static void resize_values(struct sct_plan *plan, uint32_t count) {
    // The pattern of every growing array here: never smaller, so that after the largest execution
    // following a plan allocates nothing.
    GROW(plan->values, count, plan->value_capacity, memory_name);
    plan->value_count = count;
}

static void resize_switches(struct sct_plan *plan, uint32_t count) {
    GROW(plan->switches, count, plan->switch_capacity, memory_name);
    plan->switch_count = count;
}

void sct_plan_copy(struct sct_plan *to, const struct sct_plan *from) {
    ASSERT(to != from);
    ASSERT(from->value_count <= from->value_capacity);
    ASSERT(from->switch_count <= from->switch_capacity);
    resize_values(to, from->value_count);
    resize_switches(to, from->switch_count);
    if (from->value_count > 0)
        memcpy(to->values, from->values, from->value_count * sizeof *to->values);
    if (from->switch_count > 0)
        memcpy(to->switches, from->switches, from->switch_count * sizeof *to->switches);
}

void sct_plan_free(struct sct_plan *plan) {
    ASSERT(plan->value_count <= plan->value_capacity);
    ASSERT(plan->switch_count <= plan->switch_capacity);
    free(plan->values);
    free(plan->switches);
    *plan = (struct sct_plan){0};
}

void sct_plan_drop_values(struct sct_plan *plan, uint32_t first, uint32_t count) {
    ASSERT(first <= plan->value_count);
    ASSERT(count <= plan->value_count - first);
    memmove(plan->values + first, plan->values + first + count,
            (plan->value_count - first - count) * sizeof *plan->values);
    plan->value_count -= count;
}

void sct_plan_drop_switches(struct sct_plan *plan, uint32_t first, uint32_t count) {
    ASSERT(first <= plan->switch_count);
    ASSERT(count <= plan->switch_count - first);
    memmove(plan->switches + first, plan->switches + first + count,
            (plan->switch_count - first - count) * sizeof *plan->switches);
    plan->switch_count -= count;
}

void sct_plan_drop_values_of_asker(struct sct_plan *plan, uint32_t first, uint32_t count) {
    ASSERT(first < plan->value_count);
    ASSERT(count > 0);
    // Of one asker: the values of others stay theirs, whatever lies between. A call's arguments are
    // asked for by one task, one after the other.
    uint64_t asker = plan->values[first].asker;
    uint32_t kept = first, dropped = 0;
    for (uint32_t i = first; i < plan->value_count; i++) {
        if (plan->values[i].asker == asker && dropped < count)
            dropped++;
        else
            plan->values[kept++] = plan->values[i];
    }
    plan->value_count = kept;
    ASSERT(kept + dropped <= plan->value_capacity);
}

bool sct_plan_zero_values(struct sct_plan *plan, uint32_t first, uint32_t count) {
    ASSERT(first <= plan->value_count);
    bool is_changed = false;
    // As a difference: [count] may be UINT32_MAX, all there are.
    for (uint32_t i = first; i - first < count && i < plan->value_count; i++) {
        is_changed |= plan->values[i].answer > 0;
        plan->values[i].answer = 0;
    }
    return is_changed;
}

// ---- Index -------------------------------------------------------------------------------------

// Makes room for [entries] and empties it. Slots that were ever needed stay.
static void clear_index(struct sct_plan_index *index, uint32_t entries) {
    // More than twice the entries, so that a slot is free wherever a search begins.
    uint32_t count = 2;
    while (count / 2 <= entries)
        count *= 2;
    GROW(index->slots, count, index->capacity, memory_name);
    index->slot_count = count;
    memset(index->slots, 0, count * sizeof *index->slots);
}

// The slot of the two keys, or the empty one where they belong.
static struct sct_plan_slot *find_slot(struct sct_follower *follower,
                                       const struct sct_plan_index *index, uint64_t first,
                                       uint64_t second) {
    uint32_t mask = index->slot_count - 1;
    ASSERT(index->slot_count >= 2 && (index->slot_count & mask) == 0);
    // Ends: at most half of the slots are used.
    for (uint32_t at = (uint32_t)rng_mix(first ^ rng_mix(second)) & mask;; at = (at + 1) & mask) {
        struct sct_plan_slot *slot = &index->slots[at];
        follower->looks++;
        if (!slot->is_used || (slot->key[0] == first && slot->key[1] == second))
            return slot;
    }
}

static void set_slot(struct sct_plan_slot *slot, uint64_t first, uint64_t second, uint32_t entry) {
    *slot = (struct sct_plan_slot){.key = {first, second}, .entry = entry, .is_used = true};
}

// Last to first: what is found in the end is the first entry of its keys.
static void index_switches(struct sct_follower *follower) {
    const struct sct_plan *plan = follower->plan;
    clear_index(&follower->switches, plan->switch_count);
    for (uint32_t i = plan->switch_count; i-- > 0;) {
        uint64_t task = plan->switches[i].task, step = plan->switches[i].step;
        // A task takes each step once in an execution: one entry for a step is enough.
        set_slot(find_slot(follower, &follower->switches, task, step), task, step, i);
    }
}

static void index_values(struct sct_follower *follower) {
    const struct sct_plan *plan = follower->plan;
    GROW(follower->taken_at, plan->value_count, follower->taken_capacity, memory_name);
    GROW(follower->next_alike, plan->value_count, follower->alike_capacity, memory_name);
    clear_index(&follower->values, plan->value_count);
    for (uint32_t i = plan->value_count; i-- > 0;) {
        uint64_t asker = plan->values[i].asker, question = plan->values[i].question;
        struct sct_plan_slot *slot = find_slot(follower, &follower->values, asker, question);
        // One asker asks the same question often (a loop): its answers form a list in their order,
        // whose head is in the slot.
        follower->next_alike[i] = slot->is_used ? slot->entry : SCT_NO_ENTRY;
        follower->taken_at[i] = SCT_NOT_TAKEN;
        set_slot(slot, asker, question, i);
    }
}

// ---- Following ---------------------------------------------------------------------------------

static void begin_inner(struct sct_follower *follower, struct sct_strategy *inner) {
    ASSERT(inner != &follower->base);
    // A generator of its own, seeded from the follower's: the inner strategy draws as it would
    // alone.
    rng_seed(&inner->rng, rng_next(&follower->base.rng));
    inner->diverged = false;
    inner->ops->begin(inner);
}

static void begin(struct sct_strategy *strategy) {
    struct sct_follower *follower = (struct sct_follower *)strategy;
    ASSERT(strategy->ops->begin == begin);
    // What is seen is kept in all cases, also when a plan is followed: what did not fit is not in
    // it.
    follower->seen.value_count = follower->seen.switch_count = 0;
    follower->preemption_count = follower->decision_count = 0;
    follower->next_place = 0;
    follower->looks = 0;
    // Who leads decides everything, and the follower only takes it down: it needs no plan.
    if (follower->leader) {
        begin_inner(follower, follower->leader);
        return;
    }
    if (follower->scheduler)
        begin_inner(follower, follower->scheduler);
    ASSERT(follower->plan); // without a leader, values come from it
    index_values(follower);
    if (!follower->scheduler && !follower->places)
        index_switches(follower);
}

static const struct sct_plan_switch *find_switch(struct sct_follower *follower, uint64_t task,
                                                 uint32_t step) {
    const struct sct_plan_slot *slot = find_slot(follower, &follower->switches, task, step);
    ASSERT(!slot->is_used || slot->entry < follower->plan->switch_count);
    return slot->is_used ? &follower->plan->switches[slot->entry] : NULL;
}

static unsigned planned_slot(struct sct_follower *follower,
                             const struct sct_schedule_point *point) {
    // The plan's target may not be enabled here, or not exist: then it is as if nothing were
    // planned.
    unsigned current = point->current;
    const struct sct_plan_switch *planned = find_switch(
        follower, point->slots[current].identity.signature, point->slots[current].steps);
    ASSERT(!planned || planned->step == point->slots[current].steps);
    // By who and after how many steps of their own, not by the number of the decision: so a plan
    // still fits where something before it is left out, which renumbers all decisions.
    struct sct_slots_walk walk = sct_slots_walk(point->enabled);
    unsigned slot;
    while (planned && sct_slots_next(&walk, &slot))
        if (point->slots[slot].identity.signature == planned->target)
            return slot;
    return sct_alternative_slot(point, 0);
}

static unsigned placed_slot(struct sct_follower *follower, const struct sct_schedule_point *point) {
    uint32_t at = follower->next_place;
    if (at == follower->place_count || follower->places[at].ordinal != point->ordinal)
        return sct_alternative_slot(point, 0);
    ASSERT(at < follower->place_count);
    ASSERT(at == 0 || follower->places[at - 1].ordinal < follower->places[at].ordinal);
    follower->next_place++;
    // Places are by the number of the decision: whoever goes through all schedules does not know
    // yet who will run there.
    uint32_t answer = follower->places[at].answer;
    return sct_alternative_slot(point, answer < point->count ? answer : 0);
}

static unsigned answer_slot(struct sct_follower *follower, const struct sct_schedule_point *point) {
    struct sct_strategy *inner = follower->leader ? follower->leader : follower->scheduler;
    ASSERT(!follower->leader || !follower->scheduler); // one of them decides
    if (inner) {
        unsigned slot = inner->ops->pick(inner, point);
        // The engine looks at the strategy that it runs, which is the follower.
        follower->base.diverged = inner->diverged;
        return slot;
    }
    return follower->places ? placed_slot(follower, point) : planned_slot(follower, point);
}

// What the task in [slot] would do next; NULL if it has ended.
static const char *label_of(unsigned slot) {
    const struct sct_engine *engine = sct_engine_now;
    return sct_slots_have(&engine->now.alive, slot) ? engine->slots[slot].label : NULL;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    struct sct_follower *follower = (struct sct_follower *)strategy;
    unsigned slot = answer_slot(follower, point);
    ASSERT(sct_slots_have(point->enabled, slot));
    // How many alternatives there were, for whoever searches schedules by places next.
    uint32_t at = follower->decision_count++;
    GROW(follower->counts, follower->decision_count, follower->count_capacity, memory_name);
    follower->counts[at] = point->count;
    // The default needs no entry: a plan has what is otherwise, so that an empty one is an
    // execution, too, the plainest there is.
    if (slot == sct_alternative_slot(point, 0))
        return slot;
    unsigned current = point->current;
    // A task that has not begun, cannot go on or gives way loses the turn without being preempted.
    bool could_stay = !point->gives_way && sct_slots_have(point->enabled, current);
    bool is_preemption = could_stay && point->slots[current].steps > 0;
    follower->preemption_count += is_preemption;
    resize_switches(&follower->seen, follower->seen.switch_count + 1);
    follower->seen.switches[follower->seen.switch_count - 1] = (struct sct_plan_switch){
        .task = point->slots[current].identity.signature,
        .target = point->slots[slot].identity.signature,
        .step = point->slots[current].steps,
        .is_preemption = is_preemption,
        .label = label_of(current),
        .decision = sct_engine_now->now.decision_count,
    };
    return slot;
}

static bool is_taken(const struct sct_follower *follower, uint32_t value) {
    ASSERT(value < follower->taken_capacity);
    return follower->taken_at[value] != SCT_NOT_TAKEN;
}

static uint32_t planned_value(struct sct_follower *follower, const struct sct_plan_value *asked) {
    const struct sct_plan *plan = follower->plan;
    // The list moves on: an answer is given once, in the order of the plan, and when they are used
    // up the default remains.
    struct sct_plan_slot *slot =
        find_slot(follower, &follower->values, asked->asker, asked->question);
    if (!slot->is_used || slot->entry == SCT_NO_ENTRY)
        return 0;
    uint32_t i = slot->entry;
    ASSERT(!is_taken(follower, i));
    slot->entry = follower->next_alike[i];
    follower->taken_at[i] = asked->step;
    return plan->values[i].answer < asked->count ? plan->values[i].answer : 0;
}

static uint32_t choose_value(struct sct_strategy *strategy, uint32_t count, bool is_weak) {
    struct sct_follower *follower = (struct sct_follower *)strategy;
    const struct sct_engine *engine = sct_engine_now;
    const struct sct_task *task = engine->now.current;
    struct sct_plan_value value = {
        .asker = task ? engine->slots[task->slot].identity.signature : 0,
        .step = task ? engine->slots[task->slot].steps : 0,
        .decision = engine->now.decision_count,
        // By its words: a question keeps its answer when others before it disappear.
        .question = hash_bytes(engine->question, strlen(engine->question)),
        .count = count,
    };
    ASSERT(count >= 1);
    struct sct_strategy *leader = follower->leader;
    value.answer = leader ? sct_ask_value(leader, count, is_weak) : planned_value(follower, &value);
    ASSERT(value.answer < count);
    follower->base.diverged = leader && leader->diverged;
    resize_values(&follower->seen, follower->seen.value_count + 1);
    follower->seen.values[follower->seen.value_count - 1] = value;
    return value.answer;
}

static uint32_t choose(struct sct_strategy *strategy, uint32_t count) {
    return choose_value(strategy, count, false);
}

static uint32_t choose_weak(struct sct_strategy *strategy, uint32_t count) {
    return choose_value(strategy, count, true);
}

// A value that was taken.
struct sct_plan_met {
    uint64_t asker;
    uint32_t step;  // as planned
    uint32_t value; // the last of the plan among those of the asker up to that step
};

static int compare_met(const void *a, const void *b) {
    const struct sct_plan_met *left = a, *right = b;
    if (left->asker != right->asker)
        return left->asker < right->asker ? -1 : 1;
    if (left->step != right->step)
        return left->step < right->step ? -1 : 1;
    return left->value < right->value ? -1 : left->value > right->value;
}

// Lists the values of [plan] that were taken, by asker and step; returns how many they are.
static uint32_t list_met(struct sct_follower *follower, const struct sct_plan *plan) {
    uint32_t count = 0;
    GROW(follower->met, plan->value_count, follower->met_capacity, memory_name);
    for (uint32_t i = 0; i < plan->value_count; i++)
        if (is_taken(follower, i))
            follower->met[count++] =
                (struct sct_plan_met){plan->values[i].asker, plan->values[i].step, i};
    if (count > 0)
        qsort(follower->met, count, sizeof *follower->met, compare_met);
    // The last value up to a step need not be the one that was asked for last there: the largest
    // index so far is carried along.
    for (uint32_t i = 1; i < count; i++) {
        struct sct_plan_met *met = &follower->met[i];
        if (met->asker == met[-1].asker && met->value < met[-1].value)
            met->value = met[-1].value;
    }
    return count;
}

// How many steps later than in the plan the last value of [task] up to [step] was met.
static int64_t drift(const struct sct_follower *follower, const struct sct_plan *plan,
                     uint32_t met_count, const struct sct_plan_switch *moved) {
    const struct sct_plan_met sought = {moved->task, moved->step, UINT32_MAX};
    uint32_t low = 0, high = met_count;
    // The last of the asker with a step of at most the sought one: a value of UINT32_MAX stands
    // behind all of them.
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_met(&follower->met[middle], &sought) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    // No value of its task comes before the switch: there is nothing to go by.
    if (low == 0 || follower->met[low - 1].asker != moved->task)
        return 0;
    uint32_t value = follower->met[low - 1].value;
    return (int64_t)follower->taken_at[value] - plan->values[value].step;
}

bool sct_follower_realign(struct sct_follower *follower, struct sct_plan *plan) {
    ASSERT(plan != &follower->seen);
    bool is_changed = false;
    uint32_t met_count = plan->switch_count > 0 ? list_met(follower, plan) : 0;
    for (uint32_t i = 0; i < plan->switch_count; i++) {
        struct sct_plan_switch *moved = &plan->switches[i];
        // A switch stays beside the value it followed: if that came two steps earlier, so does it.
        // Signed: something left out before makes it smaller, and it may not go below 0.
        int64_t step = moved->step + drift(follower, plan, met_count, moved);
        is_changed |= step != moved->step;
        moved->step = step < 0 ? 0 : (uint32_t)step;
    }
    return is_changed;
}

static const struct sct_strategy_ops follower_ops = {
    .name = "follower",
    .summary = "follows a plan, answers by default where it does not fit",
    .size = sizeof(struct sct_follower),
    .begin = begin,
    .pick = pick,
    .choose = choose,
    .choose_weak = choose_weak,
};

void sct_follower_init(struct sct_follower *follower) {
    *follower = (struct sct_follower){.base.ops = &follower_ops};
}

void sct_follower_free(struct sct_follower *follower) {
    ASSERT(follower->base.ops == &follower_ops);
    sct_plan_free(&follower->seen);
    free(follower->counts);
    free(follower->taken_at);
    free(follower->next_alike);
    free(follower->switches.slots);
    free(follower->values.slots);
    free(follower->met);
    sct_follower_init(follower);
}

const struct sct_result *sct_plan_record(struct sct_engine *engine,
                                         const struct sct_program *program,
                                         struct sct_strategy *strategy, uint64_t seed,
                                         struct sct_plan *plan) {
    struct sct_follower follower;
    sct_follower_init(&follower);
    // No plan is followed: the strategy decides, and what it did is the plan.
    follower.leader = strategy;
    ASSERT(strategy->ops != &follower_ops);
    // The seed of the leader's generator is drawn from the follower's.
    const struct sct_result *result = sct_engine_run(engine, program, &follower.base, seed);
    sct_plan_copy(plan, &follower.seen);
    sct_follower_free(&follower);
    return result;
}
