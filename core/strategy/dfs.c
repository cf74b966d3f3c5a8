// Depth-first search: every execution there is, one after the other, within a bound if one is given
// (see core/strategy/path.h). Complete: when it ends, nothing was left out but what the bound and
// the limit of steps leave out.
#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/strategy/strategy.h"

#include <string.h>

struct dfs {
    struct sct_strategy base;
    struct sct_path path;
};

static const char *const bound_names[] = {
    [SCT_BOUND_DELAYS] = "delay=",
    [SCT_BOUND_PREEMPTIONS] = "preempt=",
};

static bool parse(struct sct_strategy *strategy, const char *text, struct error *error) {
    struct dfs *dfs = (struct dfs *)strategy;
    ASSERT(!strategy->path);
    // The path is there with a spec that is refused, too: whoever frees the strategy closes it.
    strategy->path = &dfs->path;
    if (!text)
        return true;
    for (int kind = SCT_BOUND_DELAYS; kind <= SCT_BOUND_PREEMPTIONS; kind++) {
        size_t length = strlen(bound_names[kind]);
        if (strncmp(text, bound_names[kind], length) != 0)
            continue;
        dfs->path.bound_kind = (enum sct_bound_kind)kind;
        return number_parse32(text + length, 0, SCT_BOUND_MAX, &dfs->path.bound_limit) ||
               error_set(error, "strategy 'dfs:%.200s': expected a number from 0 to %d after '='",
                         text, SCT_BOUND_MAX);
    }
    return error_set(error, "strategy 'dfs:%.200s': expected 'dfs:delay=D' or 'dfs:preempt=P'",
                     text);
}

static void format(const struct sct_strategy *strategy, struct text *text) {
    const struct sct_path *path = strategy->path;
    ASSERT(path);
    if (path->bound_kind != SCT_BOUND_NONE)
        text_add(text, ":%s%u", bound_names[path->bound_kind], path->bound_limit);
}

static void begin(struct sct_strategy *strategy) {
    ASSERT(!strategy->path->is_exhausted);
    strategy->path->position = 0;
}

// Whether the task that ran last could go on. A slot without steps has a new task.
static bool can_stay(const struct sct_schedule_point *point) {
    // Then leaving it is a preemption. Where it ended and another task has got its slot since,
    // choosing any task is free.
    return sct_slots_have(point->enabled, point->current) && point->slots[point->current].steps > 0;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    uint32_t alternative;
    strategy->diverged = !sct_path_answer(strategy->path, SCT_FRAME_SCHEDULE, point->count,
                                          can_stay(point), &alternative);
    // The engine ends an execution that has diverged before it uses the answer.
    return strategy->diverged ? 0 : sct_alternative_slot(point, alternative);
}

static uint32_t choose(struct sct_strategy *strategy, uint32_t count) {
    uint32_t alternative;
    strategy->diverged =
        !sct_path_answer(strategy->path, SCT_FRAME_VALUE, count, false, &alternative);
    return alternative;
}

static void close(struct sct_strategy *strategy) {
    ASSERT(strategy->path == &((struct dfs *)strategy)->path);
    sct_path_deinit(strategy->path);
}

extern const struct sct_strategy_ops sct_strategy_dfs_ops;
const struct sct_strategy_ops sct_strategy_dfs_ops = {
    .name = "dfs",
    .summary = "every execution, to the last; dfs:delay=D, dfs:preempt=P: within bounds 0, 1, .. D",
    .size = sizeof(struct dfs),
    .parse = parse,
    .format = format,
    .begin = begin,
    .pick = pick,
    .choose = choose,
    .close = close,
};
