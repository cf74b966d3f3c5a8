// Strategies: how the next task and the next value are chosen. One file each in core/strategy/, one
// line each in strategies.def.
//
// The engine asks and records; a strategy only answers. It sees no trace, no clock and no
// randomness but its own generator, seeded anew for every execution, so that execution i of a
// campaign is the same alone. The engine asks only where there are at least two alternatives.
//
// Stability: provisional: strategies of one's own may have to change with 0.3. Names of strategies
// stay; what a strategy picks for a seed may change, which CHANGES tells.
#ifndef CORE_STRATEGY_STRATEGY_H
#define CORE_STRATEGY_STRATEGY_H

#include "core/base/api.h"
#include "core/base/assert.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/strategy/access.h"
#include "core/strategy/path.h"
#include "core/strategy/slots.h"

// Recognises a task across executions: by its machine, its name, and how many such came before.
struct sct_task_identity {
    uint64_t signature;
    uint64_t parent; // the signature of the task that started it; 0: none did
};

// What is known of the task in a slot.
struct sct_slot {
    const struct sct_access *access; // what it is about to touch, if it is enabled; never NULL
    const char *label, *where;       // what that step is called, and its place; may be NULL
    uint32_t steps;                  // that it has taken so far, forced ones included
    struct sct_task_identity identity;
};

// A scheduling decision. Tasks are known by slots 0 .. SCT_TASKS_MAX-1; a slot is reused when its
// task has ended.
struct sct_schedule_point {
    const struct sct_slots *enabled; // the slots that may run; at least two
    uint32_t count;                  // how many those are: the number of alternatives
    const struct sct_slots *alive;   // the slots in use, waiting tasks included
    const struct sct_slots *fresh;   // whose task is new since the previous scheduling decision
    unsigned current;                // the slot that ran last; it may be enabled or not
    bool gives_way;                  // and its task wants others to run (sct_yield)
    uint32_t ordinal; // this is the ordinal-th scheduling decision of the execution, from 1
    const struct sct_slot *slots; // SCT_TASKS_MAX of them
};

enum { SCT_TASK_COUNTS_MAX = 128 };

// How many steps a task took, on average of the executions in which it was started (rounded up).
struct sct_task_count {
    struct sct_task_identity identity;
    uint32_t steps;
};

// What a strategy may know of the system beforehand: measured on calibration executions.
struct sct_calibration {
    // Scheduling decisions of the longest execution that ended before its fair tail (if none did:
    // of the longest), at least 1.
    uint32_t decisions_max;
    uint32_t tasks_max; // tasks of the execution with most of them
    struct sct_task_count counts[SCT_TASK_COUNTS_MAX];
    uint32_t count_count;
};

struct sct_strategy {
    const struct sct_strategy_ops *ops;
    struct rng rng;     // seeded by the engine before begin
    uint32_t parameter; // the number after the colon, or ops->parameter_default
    struct sct_calibration calibration;
    struct sct_strategy *inner;    // of a wrapper; owned
    struct sct_strategy **members; // ops->members made; owned
    size_t member_count;
    // Of a systematic strategy: where its search stands. The one who runs the executions calls
    // sct_path_advance between them. NULL: the strategy samples.
    struct sct_path *path;
    bool diverged; // set by replay and systematic strategies: not what was recorded
};

struct sct_strategy_ops {
    const char *name;
    const char *summary;
    size_t size; // bytes of the strategy's own structure, whose first member is struct sct_strategy
    // Parameter "name:N". A maximum of 0: the strategy has none.
    uint32_t parameter_default, parameter_min, parameter_max;
    // In place of the number: reads what stands after the colon (NULL: no colon), and writes it
    // with the colon. False with an error that says what was expected.
    bool (*parse)(struct sct_strategy *strategy, const char *text, struct error *error);
    void (*format)(const struct sct_strategy *strategy, struct text *text);
    // For those that learn from the calibration: the coming execution is one of it, and decided by
    // [from], which begin is called for here too; NULL: it is over. May be NULL.
    void (*learn)(struct sct_strategy *strategy, struct sct_strategy *from);
    // Called before each execution.
    void (*begin)(struct sct_strategy *strategy);
    // The slot to run, one of point->enabled.
    unsigned (*pick)(struct sct_strategy *strategy, const struct sct_schedule_point *point);
    // Pick answers the alternative rng_below([rng], point->count), whatever else the point says,
    // and nothing is [forced]: the engine may draw it itself, without a call.
    bool picks_uniformly;
    // It looks at no keys of what steps touch: whoever announces a step need not find them out.
    bool ignores_keys;
    // Told of a step that is taken without being asked, since no other can be. May be NULL.
    void (*forced)(struct sct_strategy *strategy, const struct sct_slot *slots, unsigned slot);
    // A value in 0 .. count-1; count >= 2.
    uint32_t (*choose)(struct sct_strategy *strategy, uint32_t count);
    // The same, where 0 is what often happens (sct_choose_weak). NULL: as choose.
    uint32_t (*choose_weak)(struct sct_strategy *strategy, uint32_t count);
    // Asked to the end: the engine does not put a random walk in its place for the fair tail (see
    // core/engine/monitor.h). For those that must answer every decision, as a replay.
    bool is_asked_in_tail;
    bool is_wrapper; // its spec is "name:STRATEGY": it has an inner strategy and no parameter
    const char *inner_default; // of a wrapper: what "name" alone means; NULL: nothing
    // For strategies made of others: their specs, NULL-terminated; the execution with number i is
    // served by the (i modulo their number)-th. NULL: it serves all executions itself.
    const char *const *members;
    // Frees what the strategy has allocated; may be NULL.
    void (*close)(struct sct_strategy *strategy);
};

// The alternatives of a scheduling point have an order: cyclic by slot, from the current task on,
// or from the next one on if it gives way. Alternative 0 is therefore "stay" whenever the current
// task is enabled and does not give way; then it is the last.

// The slot that is the first of them, enabled or not; SCT_TASKS_MAX: that is the lowest.
static inline unsigned sct_first_slot(const struct sct_schedule_point *point) {
    return point->current + point->gives_way;
}

// The slot of that alternative, where there are more than 64.
SCT_API unsigned sct_wide_alternative_slot(const struct sct_schedule_point *point,
                                           uint32_t alternative);

// The slot of an alternative, of those in one word, when the first of them is that one.
static inline unsigned sct_word_alternative_slot(uint64_t enabled, unsigned first,
                                                 uint32_t alternative) {
    uint64_t rotated = enabled >> (first & 63) | enabled << (-first & 63);
    // The first slot's bit is the lowest now: the alternatives are the bits from there on, in
    // order.
    while (alternative-- > 0)
        rotated &= rotated - 1;
    ASSERT(rotated);
    return ((unsigned)__builtin_ctzll(rotated) + first) % 64;
}

// Where no more than those of the first word are enabled.
static inline unsigned sct_narrow_alternative_slot(const struct sct_schedule_point *point,
                                                   uint32_t alternative) {
    return sct_word_alternative_slot(point->enabled->words[0], sct_first_slot(point), alternative);
}

static inline unsigned sct_alternative_slot(const struct sct_schedule_point *point,
                                            uint32_t alternative) {
    return sct_slots_are_wide(point->enabled) ? sct_wide_alternative_slot(point, alternative)
                                              : sct_narrow_alternative_slot(point, alternative);
}

uint32_t sct_slot_alternative(const struct sct_schedule_point *point, unsigned slot);

// A uniform value, rng_below of their generator: what most strategies answer for values.
uint32_t sct_choose_uniform(struct sct_strategy *strategy, uint32_t count);

// What they answer for weak ones: 0 every second time, else one of the others. (Rarer others find
// less, on long programs too; strategies with few switches do best with a uniform value.)
uint32_t sct_choose_often_first(struct sct_strategy *strategy, uint32_t count);

// Asks for a value of either kind.
static inline uint32_t sct_ask_value(struct sct_strategy *strategy, uint32_t count, bool is_weak) {
    return is_weak && strategy->ops->choose_weak ? strategy->ops->choose_weak(strategy, count)
                                                 : strategy->ops->choose(strategy, count);
}

// Makes the strategy that [spec] ("random", "pct:3", ...) names, with malloc; NULL and a one-line
// error if there is none such. Freed with sct_strategy_free.
SCT_API struct sct_strategy *sct_strategy_new(const char *spec, struct error *error);

SCT_API void sct_strategy_free(struct sct_strategy *strategy);

// The strategies that really serve executions: the members, or the strategy itself.
size_t sct_strategy_count(const struct sct_strategy *strategy);
struct sct_strategy *sct_strategy_member(struct sct_strategy *strategy, size_t index);

// "name", "name:parameter" or "name:inner".
void sct_strategy_format(const struct sct_strategy *strategy, struct text *text);

// The registry, for listings: the i-th strategy's description, NULL after the last.
const struct sct_strategy_ops *sct_strategy_at(size_t index);

#endif
