#include "core/trace/nearest.h"

struct search {
    struct sct_engine *engine;
    const struct sct_program *program;
    const struct sct_plan *plan;
    struct sct_follower follower;
    struct sct_plan candidate;
    struct sct_nearest nearest;
};

// The nearest execution that passes differs from the failing one in one answer, the last that can
// be: what the failure needs before it is in both.
static bool passes(struct search *search) {
    search->follower.plan = &search->candidate;
    const struct sct_result *result =
        sct_engine_run(search->engine, search->program, &search->follower.base, 0);
    if (result->outcome != SCT_PASSED)
        return false;
    search->nearest.is_found = true;
    return true;
}

static bool passes_without_switch(struct search *search, bool preemptions) {
    ASSERT(search->plan != &search->candidate);
    for (uint32_t i = search->plan->switch_count; i-- > 0;) {
        if (search->plan->switches[i].is_preemption != preemptions)
            continue;
        sct_plan_copy(&search->candidate, search->plan);
        sct_plan_drop_switches(&search->candidate, i, 1);
        search->nearest.is_switch = true;
        search->nearest.index = i;
        if (passes(search))
            return true;
    }
    return false;
}

static bool passes_without_value(struct search *search) {
    for (uint32_t i = search->plan->value_count; i-- > 0;) {
        sct_plan_copy(&search->candidate, search->plan);
        search->nearest.is_switch = false;
        search->nearest.index = i;
        if (sct_plan_zero_values(&search->candidate, i, 1) && passes(search))
            return true;
    }
    return false;
}

struct sct_nearest sct_nearest_find(struct sct_engine *engine, const struct sct_program *program,
                                    const struct sct_plan *plan) {
    struct search search = {.engine = engine, .program = program, .plan = plan};
    sct_follower_init(&search.follower);
    // Preemptions first: they are what a reader takes for the cause of a race.
    if (!passes_without_switch(&search, true) && !passes_without_switch(&search, false))
        passes_without_value(&search);
    sct_plan_free(&search.candidate);
    sct_follower_free(&search.follower);
    return search.nearest;
}
