#include "core/strategy/strategy.h"
#include "core/base/assert.h"

#include <stdlib.h>
#include <string.h>

#define STRATEGY(symbol) extern const struct sct_strategy_ops sct_strategy_##symbol##_ops;
#include "core/base/grow.h"
#include "core/base/number.h"
#include "core/strategy/strategies.def"
#undef STRATEGY

static const struct sct_strategy_ops *const registry[] = {
#define STRATEGY(symbol) &sct_strategy_##symbol##_ops,
#include "core/strategy/strategies.def"
#undef STRATEGY
};

enum { REGISTRY_COUNT = sizeof registry / sizeof registry[0] };

// The bits of all bytes: each two bits more make four copies, with 0, 1, 1 and 2 more.
#define ONES_2(n) (n), (n) + 1, (n) + 1, (n) + 2
#define ONES_4(n) ONES_2(n), ONES_2((n) + 1), ONES_2((n) + 1), ONES_2((n) + 2)
#define ONES_6(n) ONES_4(n), ONES_4((n) + 1), ONES_4((n) + 1), ONES_4((n) + 2)
static const uint8_t ones[256] = {ONES_6(0), ONES_6(1), ONES_6(1), ONES_6(2)};

// Byte by byte: sets of slots are mostly low numbers, which are given out first. (Without a
// processor option there is no instruction for this, and the library's function is slow.)
uint32_t sct_count_bits(uint64_t bits) {
    uint32_t count = ones[bits & 0xff];
    while (__builtin_expect(bits > 0xff, 0)) {
        bits >>= 8;
        count += ones[bits & 0xff];
    }
    return count;
}

// Members of [set] that are below [slot].
static uint32_t count_below(const struct sct_slots *set, unsigned slot) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < slot / 64 && i <= set->last; i++)
        count += sct_count_bits(set->words[i]);
    if (slot / 64 <= set->last)
        count += sct_count_bits(set->words[slot / 64] & ((UINT64_C(1) << slot % 64) - 1));
    return count;
}

__attribute__((noinline, cold)) unsigned
sct_wide_alternative_slot(const struct sct_schedule_point *point, uint32_t alternative) {
    // Alternatives count around the ring of enabled slots, from the first one: as an index among
    // them in the order of slots that is a sum modulo their number.
    uint32_t index =
        (count_below(point->enabled, sct_first_slot(point)) + alternative) % point->count;
    struct sct_slots_walk walk = sct_slots_walk(point->enabled);
    unsigned slot = 0;
    ASSERT(alternative < point->count);
    while (sct_slots_next(&walk, &slot) && index > 0)
        index--;
    return slot;
}

__attribute__((noinline, cold)) static uint32_t
wide_slot_alternative(const struct sct_schedule_point *point, unsigned slot) {
    unsigned first = sct_first_slot(point);
    ASSERT(sct_slots_have(point->enabled, slot));
    uint32_t below = count_below(point->enabled, slot), passed = count_below(point->enabled, first);
    return slot >= first ? below - passed : point->count - passed + below;
}

uint32_t sct_slot_alternative(const struct sct_schedule_point *point, unsigned slot) {
    if (sct_slots_are_wide(point->enabled))
        return wide_slot_alternative(point, slot);
    ASSERT(point->enabled->words[0] >> slot & 1);
    unsigned first = sct_first_slot(point) % 64;
    // Those that come before [slot]: from [first] on, and below [slot]; or, if that comes first,
    // either. As a difference: with [slot] the lower one, the bits between are what is missing.
    uint64_t before = (UINT64_C(1) << slot) - (UINT64_C(1) << first) - (slot < first);
    return sct_count_bits(point->enabled->words[0] & before);
}

uint32_t sct_choose_uniform(struct sct_strategy *strategy, uint32_t count) {
    ASSERT(count >= 1);
    return rng_below(&strategy->rng, count);
}

uint32_t sct_choose_often_first(struct sct_strategy *strategy, uint32_t count) {
    // Half of the time what nearly always happens; the other half is shared by the rest, however
    // many they are.
    return rng_below(&strategy->rng, 2) == 0 ? 0 : 1 + rng_below(&strategy->rng, count - 1);
}

static const struct sct_strategy_ops *find(const char *name, size_t length) {
    ASSERT(name);
    for (size_t i = 0; i < REGISTRY_COUNT; i++)
        if (strlen(registry[i]->name) == length && memcmp(registry[i]->name, name, length) == 0)
            return registry[i];
    return NULL;
}

// Reads the number after the colon into [parameter].
static bool parse_parameter(const struct sct_strategy_ops *ops, const char *text,
                            uint32_t *parameter, struct error *error) {
    ASSERT(ops->parameter_min <= ops->parameter_max);
    if (ops->parameter_max == 0)
        return error_set(error, "strategy '%s' takes no parameter", ops->name);
    return number_parse32(text, ops->parameter_min, ops->parameter_max, parameter) ||
           error_set(error, "strategy '%s:%s': expected a number from %u to %u", ops->name, text,
                     ops->parameter_min, ops->parameter_max);
}

static struct sct_strategy *allocate(const struct sct_strategy_ops *ops, uint32_t parameter) {
    ASSERT(ops->size >= sizeof(struct sct_strategy));
    struct sct_strategy *strategy = grow_new(1, ops->size, "a strategy");
    strategy->ops = ops;
    strategy->parameter = parameter;
    // What holds of every program: so a strategy that nobody has calibrated works, too.
    strategy->calibration = (struct sct_calibration){.decisions_max = 1, .tasks_max = 1};
    return strategy;
}

static void add_members(struct sct_strategy *strategy) {
    ASSERT(strategy->member_count == 0);
    const char *const *specs = strategy->ops->members;
    while (specs[strategy->member_count])
        strategy->member_count++;
    strategy->members =
        grow_new(strategy->member_count, sizeof *strategy->members, "a strategy's members");
    struct error error;
    for (size_t i = 0; i < strategy->member_count; i++) {
        strategy->members[i] = sct_strategy_new(specs[i], &error);
        ASSERT(strategy->members[i]);
    }
}

static struct sct_strategy *new_wrapper(const struct sct_strategy_ops *ops, const char *inner_spec,
                                        struct error *error) {
    ASSERT(ops->is_wrapper);
    if (!inner_spec)
        inner_spec = ops->inner_default;
    if (!inner_spec || !*inner_spec) {
        error_set(error, "strategy '%s': expected '%s:STRATEGY'", ops->name, ops->name);
        return NULL;
    }
    struct sct_strategy *inner = sct_strategy_new(inner_spec, error);
    if (!inner)
        return NULL;
    // Members would have to be rotated, a path to see every decision; a wrapper in a wrapper has no
    // use yet and no test.
    if (inner->ops->is_wrapper || inner->ops->members || inner->path) {
        error_set(error, "strategy '%s:%s': expected a simple strategy inside", ops->name,
                  inner_spec);
        sct_strategy_free(inner);
        return NULL;
    }
    struct sct_strategy *strategy = allocate(ops, 0);
    strategy->inner = inner;
    return strategy;
}

struct sct_strategy *sct_strategy_new(const char *spec, struct error *error) {
    ASSERT(spec);
    const char *colon = strchr(spec, ':');
    const struct sct_strategy_ops *ops = find(spec, colon ? (size_t)(colon - spec) : strlen(spec));
    if (!ops) {
        error_set(error, "unknown strategy '%.200s' (see --list strategies)", spec);
        return NULL;
    }
    if (ops->is_wrapper)
        return new_wrapper(ops, colon ? colon + 1 : NULL, error);
    uint32_t parameter = ops->parameter_default;
    if (colon && !ops->parse && !parse_parameter(ops, colon + 1, &parameter, error))
        return NULL;
    ASSERT(ops->parameter_max == 0 || parameter <= ops->parameter_max);
    struct sct_strategy *strategy = allocate(ops, parameter);
    if (ops->parse && !ops->parse(strategy, colon ? colon + 1 : NULL, error)) {
        sct_strategy_free(strategy);
        return NULL;
    }
    if (ops->members)
        add_members(strategy);
    return strategy;
}

void sct_strategy_free(struct sct_strategy *strategy) {
    if (!strategy)
        return;
    ASSERT(!strategy->members == (strategy->member_count == 0));
    for (size_t i = 0; i < strategy->member_count; i++)
        sct_strategy_free(strategy->members[i]);
    free(strategy->members);
    sct_strategy_free(strategy->inner);
    // After what it may hold is gone, and before its memory is: [close] frees what the strategy has
    // made itself.
    if (strategy->ops->close)
        strategy->ops->close(strategy);
    free(strategy);
}

size_t sct_strategy_count(const struct sct_strategy *strategy) {
    return strategy->members ? strategy->member_count : 1;
}

struct sct_strategy *sct_strategy_member(struct sct_strategy *strategy, size_t index) {
    ASSERT(index < sct_strategy_count(strategy));
    return strategy->members ? strategy->members[index] : strategy;
}

void sct_strategy_format(const struct sct_strategy *strategy, struct text *text) {
    ASSERT(strategy->ops);
    text_add(text, "%s", strategy->ops->name);
    if (strategy->ops->parameter_max > 0)
        text_add(text, ":%u", strategy->parameter);
    if (strategy->ops->format)
        strategy->ops->format(strategy, text);
    if (strategy->inner) {
        text_add(text, ":");
        sct_strategy_format(strategy->inner, text);
    }
}

const struct sct_strategy_ops *sct_strategy_at(size_t index) {
    return index < REGISTRY_COUNT ? registry[index] : NULL;
}
