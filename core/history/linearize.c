#include "core/history/linearize.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/rng.h"
#include "core/history/lin_unique.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROUND_STEPS = 100000 };

// Of a part: its key, and where its events are among those of all parts.
struct part {
    uint64_t key;
    uint32_t first_event, event_count;
};

struct parts {
    struct part *parts; // in the order of their first calls
    uint32_t count;
    uint32_t *events;    // part by part, as in a history
    uint32_t *scratch;   // one element for every operation
    uint32_t *undecided; // numbers of parts
    uint32_t undecided_count;
};

struct lin_checker {
    struct lin_limits limits;
    struct lin_memory memory;
    struct parts parts;   // of the last check
    size_t after_parts;   // memory used by them
    uint32_t failed_part; // that could not be linearized
};

struct lin_checker *lin_open(const struct lin_limits *limits) {
    struct lin_checker *checker = grow_new(1, sizeof *checker, "a linearizability checker");
    checker->limits = *limits;
    checker->memory.base = malloc(limits->memory_bytes); // the system gives pages as they are used
    if (checker->memory.base)
        checker->memory.size = limits->memory_bytes & ~(size_t)7;
    return checker;
}

void lin_close(struct lin_checker *checker) {
    if (!checker)
        return;
    free(checker->memory.base);
    free(checker);
}

// ---- Parts -------------------------------------------------------------------------------------

// Finds the part of [key], or makes it. [slots] holds part numbers + 1.
static uint32_t part_of_key(struct parts *parts, uint32_t *slots, uint32_t mask, uint64_t key) {
    // Parts are disjoint and independent (Herlihy and Wing: linearizability is local), so each is
    // searched alone, which is what makes long histories of many keys cheap.
    uint32_t at = (uint32_t)rng_mix(key) & mask;
    for (; slots[at] != 0; at = (at + 1) & mask)
        if (parts->parts[slots[at] - 1].key == key)
            return slots[at] - 1;
    ASSERT(parts->count < mask);
    parts->parts[parts->count] = (struct part){.key = key};
    slots[at] = ++parts->count;
    return slots[at] - 1;
}

// Sets scratch to the part of every operation and counts the parts' events.
static bool assign_parts(struct lin_memory *memory, const struct lin_spec *spec,
                         const struct sct_history *history, struct parts *parts) {
    uint32_t count = history->operation_count;
    uint32_t slot_count = 16;
    while (slot_count < 2 * count)
        slot_count *= 2;
    parts->scratch = lin_take(memory, count * sizeof *parts->scratch);
    parts->parts = lin_take(memory, ((size_t)count + 1) * sizeof *parts->parts);
    parts->events = lin_take(memory, history->event_count * sizeof *parts->events);
    parts->undecided = lin_take(memory, count * sizeof *parts->undecided);
    size_t mark = memory->used;
    uint32_t *slots = lin_take(memory, slot_count * sizeof *slots);
    if (!parts->scratch || !parts->parts || !parts->events || !parts->undecided || !slots)
        return false;
    memset(slots, 0, slot_count * sizeof *slots);
    ASSERT(slot_count >= 2 * count); // open addressing finds an empty slot
    for (uint32_t i = 0; i < count; i++) {
        const struct sct_operation *operation = &history->operations[i];
        uint32_t part = part_of_key(parts, slots, slot_count - 1,
                                    spec->part ? spec->part(spec->context, operation) : 0);
        parts->scratch[i] = part;
        parts->parts[part].event_count += operation->returned_at == SCT_NEVER ? 1 : 2;
    }
    memory->used = mark;
    return true;
}

// Divides the history into parts. Returns false if it has no memory.
static bool divide(struct lin_memory *memory, const struct lin_spec *spec,
                   const struct sct_history *history, struct parts *parts) {
    *parts = (struct parts){0};
    if (!assign_parts(memory, spec, history, parts))
        return false;
    uint32_t first = 0;
    // By counting: first how many events each part has, then where each begins, then each event in
    // its place, in the order of the history.
    for (uint32_t i = 0; i < parts->count; i++) {
        parts->parts[i].first_event = first;
        first += parts->parts[i].event_count;
        parts->parts[i].event_count = 0;
        parts->undecided[parts->undecided_count++] = i;
    }
    for (uint32_t i = 0; i < history->event_count; i++) {
        struct part *part = &parts->parts[parts->scratch[history->events[i] / 2]];
        parts->events[part->first_event + part->event_count++] = history->events[i];
        ASSERT(parts->scratch[history->events[i] / 2] < parts->count);
    }
    return true;
}

static struct lin_part part_until(const struct sct_history *history, const struct parts *parts,
                                  uint32_t number, uint32_t cut) {
    ASSERT(number < parts->count);
    const struct part *part = &parts->parts[number];
    return (struct lin_part){
        .operations = history->operations,
        .events = parts->events + part->first_event,
        .event_count = part->event_count,
        .cut = cut,
        .scratch = parts->scratch,
    };
}

// ---- Check -------------------------------------------------------------------------------------

// Decides [part] with at most [steps_max] steps and what is left of all, and adds what it took.
static struct lin_found decide(struct lin_checker *checker, const struct lin_spec *spec,
                               const struct lin_part *part, uint64_t steps_max,
                               struct lin_result *result) {
    struct lin_found found;
    ASSERT(result->steps <= checker->limits.steps_max);
    uint64_t left = checker->limits.steps_max - result->steps;
    if (!lin_unique(&checker->memory, spec, part, &found))
        lin_search(&checker->memory, spec, part, steps_max < left ? steps_max : left, &found);
    result->steps += found.steps < left ? found.steps : left;
    result->configurations += found.configurations;
    return found;
}

static void set_failure(struct lin_result *result, const struct lin_found *found,
                        uint32_t part_size) {
    ASSERT(found->blocked < SCT_HISTORY_OPERATIONS_MAX);
    result->verdict = LIN_NOT_LINEARIZABLE;
    result->limit = LIN_NO_LIMIT;
    result->blocked = found->blocked;
    result->part_size = part_size;
    result->order = found->order;
    result->order_count = found->order_count;
    result->state = found->state;
    result->is_longest = found->is_first;
}

static uint32_t calls_in(const struct lin_part *part) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < part->event_count; i++)
        count += !(part->events[i] & 1);
    return count;
}

// Tries every undecided part with [steps_max] steps. After a part that cannot be linearized no
// other matters, and it returns false; after an unknown one, others do.
static bool check_round(struct lin_checker *checker, const struct lin_spec *spec,
                        const struct sct_history *history, uint64_t steps_max,
                        struct lin_result *result) {
    struct parts *parts = &checker->parts;
    uint32_t count = parts->undecided_count;
    parts->undecided_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = parts->undecided[i];
        struct lin_part part = part_until(history, parts, number, SCT_NEVER);
        // Part by part the same memory: what one part needs is free for the next.
        checker->memory.used = checker->after_parts;
        if (spec->forget)
            spec->forget(spec->context);
        struct lin_found found = decide(checker, spec, &part, steps_max, result);
        if (found.verdict == LIN_NOT_LINEARIZABLE) {
            checker->failed_part = number;
            set_failure(result, &found, calls_in(&part));
            return false;
        }
        if (found.limit == LIN_STEPS && result->steps < checker->limits.steps_max) {
            parts->undecided[parts->undecided_count++] = number;
        } else if (found.verdict == LIN_UNKNOWN) {
            result->verdict = LIN_UNKNOWN;
            result->limit = found.limit;
        }
    }
    return true;
}

void lin_check(struct lin_checker *checker, const struct lin_spec *spec,
               const struct sct_history *history, struct lin_result *result) {
    ASSERT(spec->state_words >= 1);
    ASSERT(!spec->equal == !spec->hash);
    ASSERT(!spec->reaches == !spec->leads);
    ASSERT(!spec->access || spec->state_words == 1);
    struct lin_memory *memory = &checker->memory;
    *result = (struct lin_result){.verdict = LIN_UNKNOWN, .limit = LIN_MEMORY};
    memory->used = 0;
    memory->top = memory->size;
    struct parts *parts = &checker->parts;
    if (!divide(memory, spec, history, parts))
        return;
    *result = (struct lin_result){.verdict = LIN_LINEARIZABLE, .parts = parts->count};
    checker->after_parts = memory->used;
    // The rounds before one are together little more than a tenth of it.
    // A wrong part is often found at once, behind one that takes for ever: so all are tried with
    // little first.
    for (uint64_t steps = FIRST_ROUND_STEPS; parts->undecided_count > 0; steps *= 10)
        if (!check_round(checker, spec, history, steps, result))
            return;
}

// ---- Explain -----------------------------------------------------------------------------------

struct bisection {
    struct lin_checker *checker;
    const struct lin_spec *spec;
    struct lin_part part;
    uint32_t *returns; // the part's operations that returned, in that order
    uint32_t return_count;
    struct lin_result *result;
};

static enum lin_verdict verdict_until(struct bisection *bisection, uint32_t cut,
                                      struct lin_found *found) {
    // Monotone in the cut: what can be linearized up to a return can be up to every earlier one.
    bisection->part.cut = cut;
    *found = decide(bisection->checker, bisection->spec, &bisection->part, UINT64_MAX,
                    bisection->result);
    return found->verdict;
}

static uint32_t position_of_return(const struct bisection *bisection, uint32_t number) {
    ASSERT(number < bisection->return_count);
    return bisection->part.operations[bisection->returns[number]].returned_at;
}

// Copies what the check found to the place where the next search will leave it alone.
static bool keep_failure(struct lin_memory *memory, const struct lin_spec *spec,
                         struct lin_result *result) {
    size_t order_bytes = result->order_count * sizeof *result->order;
    size_t state_bytes = spec->state_words * sizeof *result->state;
    uint32_t *order = lin_take(memory, order_bytes);
    uint64_t *state = lin_take(memory, state_bytes);
    if (!order || !state)
        return false;
    // The check's own come behind its larger arrays, so this overwrites neither before its time.
    memmove(order, result->order, order_bytes);
    memmove(state, result->state, state_bytes);
    result->order = order;
    result->state = state;
    return true;
}

static bool list_returns(struct lin_memory *memory, struct bisection *bisection) {
    const struct lin_part *part = &bisection->part;
    bisection->returns = lin_take(memory, part->event_count * sizeof *bisection->returns);
    if (!bisection->returns)
        return false;
    for (uint32_t i = 0; i < part->event_count; i++)
        if (part->events[i] & 1)
            bisection->returns[bisection->return_count++] = part->events[i] / 2;
    return true;
}

// Sets [first] to the number of the first return with which the part cannot be linearized any more.
// Fails when a limit is reached.
static bool find_first_failure(struct bisection *bisection, uint32_t *first) {
    struct lin_memory *memory = &bisection->checker->memory;
    size_t mark = memory->used;
    ASSERT(bisection->return_count > 0);                  // without a return nothing fails
    uint32_t low = 0, high = bisection->return_count - 1; // with this one it cannot
    // The check came to the blocked return, so everything before that one is fine.
    while (bisection->returns[low] != bisection->result->blocked)
        low++;
    for (uint32_t middle = low; low < high; middle = low + (high - low) / 2) {
        struct lin_found found;
        uint32_t cut = position_of_return(bisection, middle) + 1;
        enum lin_verdict verdict = verdict_until(bisection, cut, &found);
        memory->used = mark;
        if (verdict == LIN_UNKNOWN)
            return false;
        if (verdict == LIN_LINEARIZABLE)
            low = middle + 1;
        else
            high = middle;
    }
    *first = high;
    return true;
}

void lin_explain(struct lin_checker *checker, const struct lin_spec *spec,
                 const struct sct_history *history, struct lin_result *result) {
    ASSERT(result->verdict == LIN_NOT_LINEARIZABLE);
    if (result->is_longest)
        return;
    struct lin_memory *memory = &checker->memory;
    memory->used = checker->after_parts;
    struct bisection bisection = {
        .checker = checker,
        .spec = spec,
        .part = part_until(history, &checker->parts, checker->failed_part, SCT_NEVER),
        .result = result,
    };
    uint32_t first;
    if (!keep_failure(memory, spec, result) || !list_returns(memory, &bisection) ||
        !find_first_failure(&bisection, &first))
        return;
    struct lin_found found;
    uint32_t blocked = bisection.returns[first];
    if (blocked != result->blocked) {
        if (verdict_until(&bisection, position_of_return(&bisection, first), &found) !=
                LIN_LINEARIZABLE ||
            !found.state)
            return;
        found.blocked = blocked;
        set_failure(result, &found, result->part_size);
    }
    result->is_longest = true;
}
