#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/rng.h"
#include "core/trace/minimize_internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// ---- To the default ----------------------------------------------------------------------------

// How many of [count] answers from [first] on are not the default.
static uint32_t count_nonzero(const struct sct_plan *plan, uint32_t first, uint32_t count) {
    uint32_t end = first + smaller(count, plan->value_count - first), found = 0;
    ASSERT(first <= plan->value_count);
    for (uint32_t i = first; i < end; i++)
        found += plan->values[i].answer > 0;
    return found;
}

// All but a run of values by default: when only a short run matters this is a single try.
static bool zero_others(struct sct_minimizer *minimizer, struct sct_found *found, uint32_t first,
                        uint32_t count) {
    struct sct_plan *candidate = &minimizer->candidate;
    sct_plan_copy(candidate, &found->plan);
    uint32_t end = first + smaller(count, candidate->value_count - first);
    sct_plan_zero_values(candidate, 0, first);
    sct_plan_zero_values(candidate, end, candidate->value_count - end);
    return sct_minimizer_try(minimizer, found);
}

// Sets runs of values, or all others, to 0: halves, quarters, ... single ones.
bool sct_minimize_zero(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better = false;
    for (uint32_t length = found->plan.value_count; length > 0; length /= 2) {
        // Kept up to date here, as counting costs as much as copying the plan.
        uint32_t all = count_nonzero(&found->plan, 0, UINT32_MAX);
        for (uint32_t i = 0; i < found->plan.value_count && !sct_minimizer_is_over(minimizer);
             i += length) {
            // Known before the plan is copied: most runs of a long one have nothing to set to 0.
            // Setting all others is then setting all, which the first run was.
            uint32_t inside = count_nonzero(&found->plan, i, length);
            if (inside == 0)
                continue;
            sct_plan_copy(&minimizer->candidate, &found->plan);
            sct_plan_zero_values(&minimizer->candidate, i, length);
            bool has_helped = sct_minimizer_try(minimizer, found) ||
                              (all > inside && zero_others(minimizer, found, i, length));
            if (has_helped)
                all = count_nonzero(&found->plan, 0, UINT32_MAX);
            is_better |= has_helped;
        }
    }
    return is_better;
}

// Makes single values lower: the lowest that still fails, half, one less.
bool sct_minimize_lower(struct sct_minimizer *minimizer, struct sct_found *found) {
    // Upwards from 1, because the lowest is wanted, but only for a while; beyond that one less at a
    // time, which each success repeats with the new answer.
    enum { LOWEST_TRIED = 8 };
    bool is_better = false;
    for (uint32_t i = 0; i < found->plan.value_count; i++)
        for (uint32_t value = 1; i < found->plan.value_count && !sct_minimizer_is_over(minimizer);
             value++) {
            uint32_t answer = found->plan.values[i].answer;
            if (value >= answer)
                break;
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.values[i].answer = value > LOWEST_TRIED ? answer - 1 : value;
            bool is_lower = sct_minimizer_try(minimizer, found);
            is_better |= is_lower;
            if (is_lower == (value <= LOWEST_TRIED))
                break; // the lowest, or not even one less
        }
    return is_better;
}

// ---- Left out ----------------------------------------------------------------------------------

// Of a long plan most values are the default. Which of those are left out does not matter, if
// nothing else of the plan stands between them: what comes behind is the same. So one is tried for
// all that are alike, and the tries of a long plan are as many as those of a short one.
struct alike {
    const struct sct_plan *plan;
    uint32_t *stretches; // of a value: so much else of the plan stands before it
    uint32_t capacity;
    uint64_t *tried; // open addressing; 0: empty
    uint32_t slot_count, tried_count, tried_capacity;
};

static const char memory_name[] = "a minimisation";

static void forget_tried(struct alike *alike) {
    alike->tried_count = 0;
    memset(alike->tried, 0, alike->slot_count * sizeof *alike->tried);
}

// Begins with [plan], whose values and switches are in the order of decisions.
static void look_at(struct alike *alike, const struct sct_plan *plan) {
    enum { FIRST_SLOTS = 256 };
    uint32_t stretch = 0, next = 0;
    alike->plan = plan;
    GROW(alike->stretches, plan->value_count, alike->capacity, memory_name);
    for (uint32_t i = 0; i < plan->value_count; i++) {
        const struct sct_plan_value *value = &plan->values[i];
        for (; next < plan->switch_count && plan->switches[next].decision < value->decision; next++)
            stretch++;
        // One that is not the default is alone in its stretch.
        stretch += value->answer > 0;
        alike->stretches[i] = stretch;
        stretch += value->answer > 0;
    }
    if (alike->slot_count == 0) {
        alike->slot_count = FIRST_SLOTS;
        GROW(alike->tried, alike->slot_count, alike->tried_capacity, memory_name);
    }
    forget_tried(alike);
}

static void free_alike(struct alike *alike) {
    free(alike->stretches);
    free(alike->tried);
}

// The slot of [key], or the empty one where it belongs.
static uint64_t *find(struct alike *alike, uint64_t key) {
    uint32_t mask = alike->slot_count - 1, at = (uint32_t)key & mask;
    ASSERT(alike->tried_count * 2 <= alike->slot_count);
    while (alike->tried[at] != 0 && alike->tried[at] != key)
        at = (at + 1) & mask;
    return &alike->tried[at];
}

static void grow_tried(struct alike *alike) {
    uint32_t old_count = alike->slot_count;
    uint64_t *old = alike->tried;
    alike->slot_count = alike->tried_capacity = old_count * 2;
    alike->tried = grow_new(alike->slot_count, sizeof *alike->tried, memory_name);
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i] != 0)
            *find(alike, old[i]) = old[i];
    free(old);
}

// Whether leaving out [count] values of an asker from the [first] one on is as what was tried.
static bool was_tried(struct alike *alike, uint32_t first, uint32_t count) {
    const struct sct_plan *plan = alike->plan;
    uint64_t asker = plan->values[first].asker, questions = 0;
    uint32_t left = count;
    for (uint32_t i = first; i < plan->value_count && left > 0; i++) {
        if (plan->values[i].asker != asker)
            continue;
        if (alike->stretches[i] != alike->stretches[first] || plan->values[i].answer > 0)
            return false;
        // In any order: each question's own values move up.
        questions += rng_mix(plan->values[i].question);
        left--;
    }
    if (left > 0)
        return false;
    uint64_t key =
        rng_mix(rng_mix(questions ^ asker) ^ ((uint64_t)alike->stretches[first] << 32 | count));
    // The hash stands for the run. Of two with the same one the second is not tried: that may cost
    // a smaller minimum, never a wrong one.
    uint64_t *slot = find(alike, key | 1);
    if (*slot != 0)
        return true;
    *slot = key | 1;
    if (++alike->tried_count * 2 > alike->slot_count)
        grow_tried(alike);
    return false;
}

uint32_t sct_minimizer_count_from(const struct sct_plan *plan, uint64_t asker, uint32_t first,
                                  uint32_t max) {
    uint32_t count = 0;
    for (uint32_t i = first; i < plan->value_count && count < max; i++)
        count += plan->values[i].asker == asker;
    return count;
}

// Tries to leave out values of their asker from the [first] one on, after [lowered], unless it is
// SCT_NO_ENTRY, was lowered by one.
static bool drop_from(struct sct_minimizer *minimizer, struct sct_found *found, struct alike *alike,
                      uint32_t first, uint32_t lowered) {
    uint64_t asker = found->plan.values[first].asker;
    uint32_t rest = sct_minimizer_count_from(&found->plan, asker, first, SCT_DROP_LENGTH);
    // Longer runs first: a call and all its arguments go in one try, while a part of them leaves
    // the rest of the arguments to be read by the wrong question.
    for (uint32_t length = rest; length > 0; length--) {
        if (was_tried(alike, first, length))
            continue;
        sct_plan_copy(&minimizer->candidate, &found->plan);
        if (lowered != SCT_NO_ENTRY)
            minimizer->candidate.values[lowered].answer--;
        sct_plan_drop_values_of_asker(&minimizer->candidate, first, length);
        if (sct_minimizer_try(minimizer, found))
            return true;
    }
    return false;
}

bool sct_minimize_drop(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better = false;
    struct alike alike = {0};
    look_at(&alike, &found->plan);
    for (uint32_t i = 0; i < found->plan.value_count && !sct_minimizer_is_over(minimizer); i++) {
        if (!drop_from(minimizer, found, &alike, i, SCT_NO_ENTRY))
            continue;
        is_better = true;
        look_at(&alike, &found->plan);
    }
    free_alike(&alike);
    return is_better;
}

// Lowers the [i]-th value by one and leaves out values of the same task behind it: one call fewer,
// and not the last.
static bool lower_and_drop(struct sct_minimizer *minimizer, struct sct_found *found,
                           struct alike *alike, uint32_t i) {
    ASSERT(i < found->plan.value_count);
    ASSERT(found->plan.values[i].answer > 0);
    uint64_t asker = found->plan.values[i].asker;
    forget_tried(alike); // what was left out after another was lowered
    for (uint32_t first = i + 1;
         first < found->plan.value_count && !sct_minimizer_is_over(minimizer); first++)
        if (found->plan.values[first].asker == asker &&
            drop_from(minimizer, found, alike, first, i))
            return true;
    return false;
}

bool sct_minimize_lower_and_drop(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better = false;
    struct alike alike = {0};
    look_at(&alike, &found->plan);
    uint32_t nonzero = count_nonzero(&found->plan, 0, UINT32_MAX);
    for (uint32_t i = 0; i < found->plan.value_count && !sct_minimizer_is_over(minimizer); i++) {
        // A try for each pair of a value and a run behind it: with many values that is not to be
        // had.
        if (found->plan.values[i].answer == 0 || nonzero > SCT_LOWER_VALUES ||
            !lower_and_drop(minimizer, found, &alike, i))
            continue;
        is_better = true;
        look_at(&alike, &found->plan);
        nonzero = count_nonzero(&found->plan, 0, UINT32_MAX);
    }
    free_alike(&alike);
    return is_better;
}
