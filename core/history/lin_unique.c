#include "core/history/lin_unique.h"
#include "core/base/assert.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX
#define AT_END UINT64_MAX // of an operation that never returned

// Instants are positions + 1, times 4, so that what takes effect has room between two events; at 0
// the initial value is written.

// What writes or appends. The one that begins a chain, as all do that nobody read, has the zone.
struct maker {
    uint64_t value; // written or appended
    uint64_t called, returned;
    uint32_t index; // operation; NOBODY: the initial value
    bool is_append;
    // As all reads tell it, if one of them has seen it: what stands before and behind it.
    uint32_t first, before, behind;
    uint32_t depth; // so many stand before it
    // As far as the cut.
    bool is_read;
    uint64_t finish; // the first return in the chain
    uint64_t start;  // the last call in it
};

struct read {
    uint64_t value, called, returned;
    uint32_t index;
    uint32_t last; // maker that it has seen; NOBODY: it contradicts those that returned before
};

// An operation in its chain, and when it takes effect.
struct member {
    uint64_t called, returned;
    uint64_t instant;
    uint32_t chain;
    uint32_t level; // depth * 2, + 1 for a read
    uint32_t index; // NOBODY: the initial value
};

struct attempt {
    const struct lin_spec *spec;
    const struct lin_part *part;
    uint64_t cut;         // events from this instant on have not happened
    struct maker *makers; // writes by value, then appends by value
    uint32_t maker_count;
    struct read *reads;
    uint32_t read_count;
    struct read *others; // reads of what is not known
    uint32_t other_count;
    struct member *members;
    uint32_t member_count;
    uint64_t *keys;    // to sort zones by
    uint32_t *forward; // chains whose zone is, by its begin
    uint32_t forward_count;
    uint64_t *pieces; // of a value
    uint32_t piece_capacity;
    uint64_t steps;
};

static uint64_t instant_of(uint32_t position) {
    return ((uint64_t)position + 1) * 4;
}

static int compare(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

// ---- Operations --------------------------------------------------------------------------------

static int by_value(const void *a, const void *b) {
    const struct maker *left = a, *right = b;
    if (left->is_append != right->is_append)
        return left->is_append ? 1 : -1;
    return left->value != right->value ? compare(left->value, right->value)
                                       : compare(left->called, right->called);
}

static void add(struct attempt *attempt, const struct sct_operation *operation, uint32_t index) {
    const struct lin_spec *spec = attempt->spec;
    bool has_returned = operation->returned_at != SCT_NEVER;
    uint64_t called = instant_of(operation->called_at), value = 0;
    uint64_t returned = has_returned ? instant_of(operation->returned_at) : AT_END;
    enum lin_access access = spec->access(spec->context, operation, &value);
    ASSERT(access != LIN_SEARCHED);
    if (access == LIN_READS) {
        ASSERT(has_returned);
        attempt->reads[attempt->read_count++] =
            (struct read){.value = value, .called = called, .returned = returned, .index = index};
    } else if (access == LIN_PASSES) {
        if (has_returned)
            attempt->others[attempt->other_count++] =
                (struct read){.called = called, .returned = returned, .index = index};
    } else {
        attempt->makers[attempt->maker_count++] = (struct maker){
            .value = value,
            .called = called,
            .returned = returned,
            .index = index,
            .is_append = access == LIN_APPENDS,
        };
    }
}

static int by_return(const void *a, const void *b) {
    return compare(((const struct read *)a)->returned, ((const struct read *)b)->returned);
}

// Sorts the part's operations into makers, reads and others.
static void collect(struct attempt *attempt) {
    const struct lin_part *part = attempt->part;
    uint64_t initial;
    attempt->spec->init(attempt->spec->context, &initial);
    attempt->makers[attempt->maker_count++] = (struct maker){.value = initial, .index = NOBODY};
    for (uint32_t i = 0; i < part->event_count; i++) {
        uint32_t index = part->events[i] / 2;
        struct sct_operation operation = part->operations[index];
        if ((part->events[i] & 1) || operation.called_at >= part->cut)
            continue;
        if (operation.returned_at >= part->cut) {
            operation.returned_at = SCT_NEVER;
            operation.has_output = false;
        }
        add(attempt, &operation, index);
    }
    qsort(attempt->makers, attempt->maker_count, sizeof *attempt->makers, by_value);
    qsort(attempt->reads, attempt->read_count, sizeof *attempt->reads, by_return);
    for (uint32_t i = 0; i < attempt->maker_count; i++) {
        struct maker *maker = &attempt->makers[i];
        maker->first = i;
        maker->before = maker->behind = NOBODY;
    }
}

// ---- Chains ------------------------------------------------------------------------------------

enum origin {
    ORIGIN_NONE,    // nobody wrote or appended that
    ORIGIN_ONE,     // known
    ORIGIN_SEVERAL, // perhaps
};

static enum origin find_maker(const struct attempt *attempt, bool is_append, uint64_t value,
                              uint32_t *number) {
    struct maker sought = {.value = value, .is_append = is_append};
    uint32_t low = 0, high = attempt->maker_count;
    // The first that does not stand before what is sought.
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (by_value(&attempt->makers[middle], &sought) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct maker *maker = &attempt->makers[low];
    *number = low;
    if (low == attempt->maker_count || maker->value != value || maker->is_append != is_append)
        return ORIGIN_NONE;
    bool is_last = low + 1 == attempt->maker_count;
    return !is_last && maker[1].value == value && maker[1].is_append == is_append ? ORIGIN_SEVERAL
                                                                                  : ORIGIN_ONE;
}

// Sets the pieces of [value] and how many they are.
static enum origin take_apart(const struct attempt *attempt, uint64_t value, uint32_t *count) {
    const struct lin_spec *spec = attempt->spec;
    attempt->pieces[0] = value;
    *count = 1;
    if (spec->take_apart)
        *count = spec->take_apart(spec->context, value, attempt->pieces, attempt->piece_capacity);
    ASSERT(*count == LIN_SEVERAL_WAYS || *count <= attempt->piece_capacity);
    return *count == 0 ? ORIGIN_NONE : *count == LIN_SEVERAL_WAYS ? ORIGIN_SEVERAL : ORIGIN_ONE;
}

// Whether maker number [behind] can stand behind number [before]: whether it does, or neither had
// another place; then it does.
static bool link_makers(struct attempt *attempt, uint32_t before, uint32_t behind) {
    struct maker *maker = &attempt->makers[before], *next = &attempt->makers[behind];
    ASSERT(next->is_append);
    if (maker->behind == behind)
        return true;
    if (maker->behind != NOBODY || next->before != NOBODY)
        return false;
    maker->behind = behind;
    next->before = before;
    next->first = maker->first;
    next->depth = maker->depth + 1;
    return true;
}

// Finds what [read] has seen. ORIGIN_NONE: no order has that.
static enum origin follow(struct attempt *attempt, struct read *read) {
    uint32_t count, maker, last = NOBODY;
    enum origin origin = take_apart(attempt, read->value, &count);
    read->last = NOBODY;
    if (origin != ORIGIN_ONE)
        return origin;
    for (uint32_t i = 0; i < count; i++, last = maker) {
        attempt->steps++;
        origin = find_maker(attempt, i > 0, attempt->pieces[i], &maker);
        if (origin != ORIGIN_ONE)
            return origin;
        if (i > 0 && !link_makers(attempt, last, maker))
            return ORIGIN_NONE;
    }
    read->last = last;
    return ORIGIN_ONE;
}

// Finds what every read has seen, in the order of their returns, up to the first that no order has:
// with its return the part is not linearizable, whatever others say later. False if something may
// have come about in several ways.
static bool form_chains(struct attempt *attempt) {
    enum origin origin = ORIGIN_ONE;
    for (uint32_t i = 0; i < attempt->read_count; i++) {
        if (origin == ORIGIN_ONE)
            origin = follow(attempt, &attempt->reads[i]);
        else
            attempt->reads[i].last = NOBODY;
        if (origin == ORIGIN_SEVERAL)
            return false;
    }
    return true;
}

// ---- As far as a cut ---------------------------------------------------------------------------

static uint64_t return_of(const struct attempt *attempt, uint64_t returned) {
    return returned < attempt->cut ? returned : AT_END;
}

static void extend(struct maker *chain, uint64_t called, uint64_t returned) {
    if (returned < chain->finish)
        chain->finish = returned;
    if (called > chain->start)
        chain->start = called;
}

// Puts all that [read] has seen into its chain. False if some of it was not called yet.
static bool add_seen(struct attempt *attempt, const struct read *read) {
    if (read->last == NOBODY)
        return false;
    struct maker *first = &attempt->makers[attempt->makers[read->last].first];
    // What stands before one that was put there is there, too.
    for (uint32_t i = read->last; i != NOBODY; i = attempt->makers[i].before) {
        struct maker *maker = &attempt->makers[i];
        if (maker->is_read)
            break;
        if (maker->called >= attempt->cut)
            return false;
        attempt->steps++;
        maker->is_read = true;
        extend(first, maker->called, return_of(attempt, maker->returned));
    }
    extend(first, read->called, read->returned);
    return true;
}

// Sets zones and members to what they are as far as the cut, or returns false.
static bool fill_chains(struct attempt *attempt) {
    for (uint32_t i = 0; i < attempt->maker_count; i++) {
        struct maker *maker = &attempt->makers[i];
        maker->is_read = false;
        maker->finish = return_of(attempt, maker->returned);
        maker->start = maker->called;
        attempt->steps++;
    }
    for (uint32_t i = 0; i < attempt->read_count && attempt->reads[i].returned < attempt->cut; i++)
        if (!add_seen(attempt, &attempt->reads[i]))
            return false;
    return true;
}

// The chain of a maker: its own, unless somebody has read it in another.
static uint32_t chain_of(const struct attempt *attempt, uint32_t number) {
    const struct maker *maker = &attempt->makers[number];
    ASSERT(number < attempt->maker_count);
    return maker->is_read ? maker->first : number;
}

// A write or append that never returned and was not read need not have happened; one that was not
// called has not.
static bool is_needed(const struct attempt *attempt, const struct maker *maker) {
    return maker->is_read || maker->returned < attempt->cut;
}

static int by_level(const void *a, const void *b) {
    const struct member *left = a, *right = b;
    if (left->chain != right->chain)
        return compare(left->chain, right->chain);
    return left->level != right->level ? compare(left->level, right->level)
                                       : compare(left->called, right->called);
}

static void list_members(struct attempt *attempt) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < attempt->maker_count; i++) {
        const struct maker *maker = &attempt->makers[i];
        if (is_needed(attempt, maker))
            attempt->members[count++] = (struct member){
                .called = maker->called,
                .returned = return_of(attempt, maker->returned),
                .chain = chain_of(attempt, i),
                .level = maker->is_read ? maker->depth * 2 : 0,
                .index = maker->index,
            };
    }
    for (uint32_t i = 0; i < attempt->read_count && attempt->reads[i].returned < attempt->cut;
         i++) {
        const struct read *read = &attempt->reads[i];
        attempt->members[count++] = (struct member){
            .called = read->called,
            .returned = read->returned,
            .chain = attempt->makers[read->last].first,
            .level = attempt->makers[read->last].depth * 2 + 1,
            .index = read->index,
        };
    }
    qsort(attempt->members, count, sizeof *attempt->members, by_level);
    attempt->member_count = count;
}

// Whether in no chain an operation returned before one on a lower level was called.
static bool are_in_order(const struct attempt *attempt) {
    uint64_t lower = 0, called = 0; // the last call on lower levels, and on this one too
    for (uint32_t i = 0; i < attempt->member_count; i++) {
        const struct member *member = &attempt->members[i];
        bool is_first = i == 0 || member->chain != member[-1].chain;
        if (is_first)
            lower = called = 0;
        else if (member->level != member[-1].level)
            lower = called;
        if (member->returned < lower)
            return false;
        called = member->called > called ? member->called : called;
    }
    return true;
}

// ---- Zones -------------------------------------------------------------------------------------

static bool begins_chain(const struct attempt *attempt, uint32_t number) {
    return chain_of(attempt, number) == number;
}

static bool is_forward(const struct maker *chain) {
    return chain->finish <= chain->start;
}

static int by_number(const void *a, const void *b) {
    return compare(*(const uint64_t *)a, *(const uint64_t *)b);
}

// Lists the forward zones. False if two of them overlap.
static bool list_forward(struct attempt *attempt) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < attempt->maker_count; i++)
        if (begins_chain(attempt, i) && is_forward(&attempt->makers[i]))
            attempt->keys[count++] = attempt->makers[i].finish / 4 << 32 | i;
    ASSERT(count >= 1); // the initial value's
    qsort(attempt->keys, count, sizeof *attempt->keys, by_number);
    for (uint32_t i = 0; i < count; i++) {
        attempt->forward[i] = (uint32_t)attempt->keys[i];
        if (i > 0 && attempt->makers[attempt->forward[i - 1]].start >
                         attempt->makers[attempt->forward[i]].finish)
            return false;
    }
    attempt->forward_count = count;
    return true;
}

// The forward zone that has begun last before [instant]. There is one: the initial value's.
static const struct maker *zone_before(const struct attempt *attempt, uint64_t instant) {
    uint32_t low = 0, high = attempt->forward_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (attempt->makers[attempt->forward[middle]].finish < instant)
            low = middle;
        else
            high = middle;
    }
    return &attempt->makers[attempt->forward[low]];
}

// When [chain] begins: in a backward zone an instant that is in no forward one. False if there is
// none.
static bool find_instant(const struct attempt *attempt, const struct maker *chain,
                         uint64_t *instant) {
    *instant = chain->finish;
    if (is_forward(chain))
        return true;
    const struct maker *zone = zone_before(attempt, chain->start);
    // Forward zones do not overlap: just behind the end of one there is none.
    *instant = (zone->start > chain->start ? zone->start : chain->start) + 2;
    return *instant < chain->finish;
}

static bool has_room(const struct attempt *attempt) {
    uint64_t instant;
    for (uint32_t i = 0; i < attempt->maker_count; i++)
        if (begins_chain(attempt, i) && is_needed(attempt, &attempt->makers[i]) &&
            !find_instant(attempt, &attempt->makers[i], &instant))
            return false;
    return true;
}

// Whether the part, as far as [cut], is linearizable.
static bool is_linearizable(struct attempt *attempt, uint32_t cut) {
    attempt->cut = cut == SCT_NEVER ? AT_END : instant_of(cut);
    if (!fill_chains(attempt))
        return false;
    list_members(attempt);
    return are_in_order(attempt) && list_forward(attempt) && has_room(attempt);
}

// The index of the first operation with whose return the part is not linearizable any more.
static uint32_t find_first_failure(struct attempt *attempt) {
    const struct lin_part *part = attempt->part;
    // With event number [high] it cannot be linearized; with all before number [low] it can.
    uint32_t low = 0, high = part->event_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct sct_operation *operation = &part->operations[part->events[middle] / 2];
        uint32_t position =
            part->events[middle] & 1 ? operation->returned_at : operation->called_at;
        if (position < part->cut && is_linearizable(attempt, position + 1))
            low = middle + 1;
        else
            high = middle;
    }
    ASSERT(part->events[high] & 1); // a call alone makes nothing wrong
    return part->events[high] / 2;
}

// ---- Order -------------------------------------------------------------------------------------

static int by_instant(const void *a, const void *b) {
    const struct member *left = a, *right = b;
    if (left->instant != right->instant)
        return compare(left->instant, right->instant);
    return left->chain != right->chain || left->level != right->level
               ? by_level(a, b)
               : compare(left->index, right->index);
}

// Sorts the members of a part that is linearizable by when they take effect.
static void place(struct attempt *attempt) {
    uint64_t instant = 0;
    for (uint32_t i = 0; i < attempt->member_count; i++) {
        struct member *member = &attempt->members[i];
        if (i == 0 || member->chain != member[-1].chain) {
            bool has_instant = find_instant(attempt, &attempt->makers[member->chain], &instant);
            ASSERT(has_instant);
        }
        // As soon as it was called and what stands before it in the chain has taken effect.
        if (member->called > instant)
            instant = member->called + 1;
        ASSERT(instant <= member->returned);
        member->instant = instant;
    }
    for (uint32_t i = 0; i < attempt->other_count; i++) {
        const struct read *other = &attempt->others[i];
        // It fits anywhere, so behind all else that takes effect at its call.
        if (other->returned < attempt->cut)
            attempt->members[attempt->member_count++] = (struct member){
                .instant = other->called + 3, .chain = NOBODY, .index = other->index};
    }
    qsort(attempt->members, attempt->member_count, sizeof *attempt->members, by_instant);
}

// Whether member number [i] of the order sets the value, whatever it was.
static bool is_write(const struct attempt *attempt, uint32_t i) {
    uint64_t value;
    uint32_t index = attempt->members[i].index;
    return index == NOBODY ||
           attempt->spec->access(attempt->spec->context, &attempt->part->operations[index],
                                 &value) == LIN_WRITES;
}

// Sets [state] to the one after the order found. Returns no limit, or the one of the specification.
static enum lin_limit follow_order(const struct attempt *attempt, uint64_t *state) {
    const struct lin_spec *spec = attempt->spec;
    uint32_t i = attempt->member_count;
    // What stands before the last write has no say in it. There is one, if of the initial value.
    do
        ASSERT(i > 0);
    while (!is_write(attempt, --i));
    spec->init(spec->context, state);
    for (; i < attempt->member_count; i++) {
        uint32_t index = attempt->members[i].index;
        if (index == NOBODY)
            continue;
        struct sct_operation operation = attempt->part->operations[index];
        operation.has_output &= instant_of(operation.returned_at) < attempt->cut;
        uint64_t next = *state;
        uint32_t ways = spec->step(spec->context, state, &operation, 0, &next);
        if (ways == LIN_GAVE_UP)
            return LIN_SPECIFICATION;
        ASSERT(ways == 1);
        *state = next;
    }
    return LIN_NO_LIMIT;
}

// Tells the order found and the state after it, or why it cannot.
static enum lin_limit tell(const struct attempt *attempt, struct lin_memory *memory,
                           struct lin_found *found) {
    uint32_t *order = lin_take(memory, attempt->member_count * sizeof *order);
    uint64_t *state = lin_take(memory, sizeof *state);
    if (!order || !state)
        return LIN_MEMORY;
    enum lin_limit limit = follow_order(attempt, state);
    if (limit != LIN_NO_LIMIT)
        return limit;
    for (uint32_t i = 0; i < attempt->member_count; i++)
        if (attempt->members[i].index != NOBODY)
            order[found->order_count++] = attempt->members[i].index;
    found->order = order;
    found->state = state;
    return LIN_NO_LIMIT;
}

// ---- Whether it is such a part -----------------------------------------------------------------

static bool has_only_accesses(const struct lin_spec *spec, const struct lin_part *part) {
    uint64_t value;
    for (uint32_t i = 0; i < part->event_count; i++)
        if (spec->access(spec->context, &part->operations[part->events[i] / 2], &value) ==
            LIN_SEARCHED)
            return false;
    return true;
}

static bool take_arrays(struct attempt *attempt, struct lin_memory *memory, size_t calls) {
    size_t makers = calls + 1; // the initial value's
    attempt->makers = lin_take(memory, makers * sizeof *attempt->makers);
    attempt->reads = lin_take(memory, calls * sizeof *attempt->reads);
    attempt->others = lin_take(memory, calls * sizeof *attempt->others);
    attempt->members = lin_take(memory, makers * sizeof *attempt->members);
    attempt->keys = lin_take(memory, makers * sizeof *attempt->keys);
    attempt->forward = lin_take(memory, makers * sizeof *attempt->forward);
    attempt->pieces = lin_take(memory, makers * sizeof *attempt->pieces);
    attempt->piece_capacity = (uint32_t)makers;
    return attempt->makers && attempt->reads && attempt->others && attempt->members &&
           attempt->keys && attempt->forward && attempt->pieces;
}

bool lin_unique(struct lin_memory *memory, const struct lin_spec *spec, const struct lin_part *part,
                struct lin_found *found) {
    if (!spec->access || !has_only_accesses(spec, part))
        return false;
    ASSERT(spec->state_words == 1);
    struct attempt attempt = {.spec = spec, .part = part};
    size_t mark = memory->used;
    bool is_unique = take_arrays(&attempt, memory, part->event_count);
    if (is_unique) {
        collect(&attempt);
        is_unique = form_chains(&attempt);
    }
    if (!is_unique) {
        memory->used = mark;
        return false;
    }
    *found = (struct lin_found){.verdict = LIN_LINEARIZABLE};
    if (!is_linearizable(&attempt, part->cut)) {
        found->verdict = LIN_NOT_LINEARIZABLE;
        found->is_first = true;
        found->blocked = find_first_failure(&attempt);
        bool is_fine = is_linearizable(&attempt, part->operations[found->blocked].returned_at);
        ASSERT(is_fine);
    }
    place(&attempt);
    enum lin_limit limit = tell(&attempt, memory, found);
    if (limit != LIN_NO_LIMIT && found->verdict == LIN_NOT_LINEARIZABLE)
        *found = (struct lin_found){.verdict = LIN_UNKNOWN, .limit = limit};
    found->steps = attempt.steps;
    return true;
}
