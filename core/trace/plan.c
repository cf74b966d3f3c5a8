#include "core/trace/plan.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
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
    for (uint32_t i = first; i - first < count && i < plan->value_count; i++) {
        is_changed |= plan->values[i].answer > 0;
        plan->values[i].answer = 0;
    }
    return is_changed;
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
    follower->seen.value_count = follower->seen.switch_count = 0;
    follower->preemption_count = follower->decision_count = 0;
    follower->first_free = follower->next_place = 0;
    if (follower->leader) {
        begin_inner(follower, follower->leader);
        return;
    }
    if (follower->scheduler)
        begin_inner(follower, follower->scheduler);
    ASSERT(follower->plan); // without a leader, values come from it
    uint32_t count = follower->plan->value_count;
    GROW(follower->taken_at, count, follower->taken_capacity, memory_name);
    for (uint32_t i = 0; i < count; i++)
        follower->taken_at[i] = SCT_NOT_TAKEN;
}

// Linear: a plan that is worth following has few switches, and this runs once per decision.
static const struct sct_plan_switch *find_switch(const struct sct_plan *plan, uint64_t task,
                                                 uint32_t step) {
    for (uint32_t i = 0; i < plan->switch_count; i++)
        if (plan->switches[i].step == step && plan->switches[i].task == task)
            return &plan->switches[i];
    return NULL;
}

static unsigned planned_slot(const struct sct_plan *plan, const struct sct_schedule_point *point) {
    // The plan's target may not be enabled here, or not exist: then it is as if nothing were
    // planned.
    unsigned current = point->current;
    const struct sct_plan_switch *planned =
        find_switch(plan, point->slots[current].identity.signature, point->slots[current].steps);
    ASSERT(!planned || planned->step == point->slots[current].steps);
    for (uint64_t left = planned ? point->enabled : 0; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        if (point->slots[slot].identity.signature == planned->target)
            return slot;
    }
    return sct_alternative_slot(point, 0);
}

static unsigned placed_slot(struct sct_follower *follower, const struct sct_schedule_point *point) {
    uint32_t at = follower->next_place;
    if (at == follower->place_count || follower->places[at].ordinal != point->ordinal)
        return sct_alternative_slot(point, 0);
    ASSERT(at < follower->place_count);
    ASSERT(at == 0 || follower->places[at - 1].ordinal < follower->places[at].ordinal);
    follower->next_place++;
    uint32_t answer = follower->places[at].answer;
    return sct_alternative_slot(point, answer < point->count ? answer : 0);
}

static unsigned answer_slot(struct sct_follower *follower, const struct sct_schedule_point *point) {
    struct sct_strategy *inner = follower->leader ? follower->leader : follower->scheduler;
    ASSERT(!follower->leader || !follower->scheduler); // one of them decides
    if (inner) {
        unsigned slot = inner->ops->pick(inner, point);
        follower->base.diverged = inner->diverged;
        return slot;
    }
    return follower->places ? placed_slot(follower, point) : planned_slot(follower->plan, point);
}

// What the task in [slot] would do next; NULL if it has ended.
static const char *label_of(unsigned slot) {
    const struct sct_engine *engine = sct_engine_now;
    return engine->now.alive >> slot & 1 ? engine->seats[slot].task->label : NULL;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    struct sct_follower *follower = (struct sct_follower *)strategy;
    unsigned slot = answer_slot(follower, point);
    ASSERT(point->enabled >> slot & 1);
    uint32_t at = follower->decision_count++;
    GROW(follower->counts, follower->decision_count, follower->count_capacity, memory_name);
    follower->counts[at] = point->count;
    if (slot == sct_alternative_slot(point, 0))
        return slot;
    unsigned current = point->current;
    // A task that has not begun, cannot go on or gives way loses the turn without being preempted.
    bool could_stay = !point->gives_way && (point->enabled >> current & 1);
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
    uint32_t i = follower->first_free;
    for (; i < plan->value_count; i++)
        if (!is_taken(follower, i) && plan->values[i].question == asked->question &&
            plan->values[i].asker == asked->asker)
            break;
    if (i == plan->value_count)
        return 0;
    ASSERT(!is_taken(follower, i));
    follower->taken_at[i] = asked->step;
    // Values are mostly asked for in the order of the plan: all before [first_free] are taken, so
    // a search begins there and is short.
    while (follower->first_free < plan->value_count && is_taken(follower, follower->first_free))
        follower->first_free++;
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

// How many steps later than in the plan the last value of [task] up to [step] was met.
static int64_t drift(const struct sct_follower *follower, const struct sct_plan *plan,
                     uint64_t task, uint32_t step) {
    int64_t steps = 0;
    for (uint32_t i = 0; i < plan->value_count; i++)
        if (plan->values[i].asker == task && plan->values[i].step <= step && is_taken(follower, i))
            steps = (int64_t)follower->taken_at[i] - plan->values[i].step;
    return steps;
}

bool sct_follower_realign(const struct sct_follower *follower, struct sct_plan *plan) {
    ASSERT(plan != &follower->seen);
    bool is_changed = false;
    for (uint32_t i = 0; i < plan->switch_count; i++) {
        struct sct_plan_switch *moved = &plan->switches[i];
        // A switch stays beside the value it followed: if that came two steps earlier, so does it.
        int64_t step = moved->step + drift(follower, plan, moved->task, moved->step);
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
    sct_follower_init(follower);
}

const struct sct_result *sct_plan_record(struct sct_engine *engine,
                                         const struct sct_program *program,
                                         struct sct_strategy *strategy, uint64_t seed,
                                         struct sct_plan *plan) {
    struct sct_follower follower;
    sct_follower_init(&follower);
    follower.leader = strategy;
    ASSERT(strategy->ops != &follower_ops);
    // The seed of the leader's generator is drawn from the follower's.
    const struct sct_result *result = sct_engine_run(engine, program, &follower.base, seed);
    sct_plan_copy(plan, &follower.seen);
    sct_follower_free(&follower);
    return result;
}
