#include "core/history/lin_memo.h"
#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/rng.h"

#include <string.h>

enum { FIRST_SLOTS = 256 };

static const uint64_t link_mask = UINT64_C(0xffffffff00000000); // of an entry's first word

static uint64_t *entry_at(const struct lin_memo *memo, uint32_t number) {
    ASSERT(number >= 1);
    ASSERT(number <= memo->entry_count);
    return memo->entries_end - (size_t)number * lin_memo_entry_words(memo);
}

static uint32_t link_of(const uint64_t *entry) {
    return (uint32_t)(entry[0] >> 32);
}

static uint64_t *new_slots(struct lin_memory *memory, uint32_t count) {
    ASSERT((count & (count - 1)) == 0); // a mask finds the place
    uint64_t *slots = lin_take(memory, count * sizeof *slots);
    if (slots)
        memset(slots, 0, count * sizeof *slots);
    return slots;
}

bool lin_memo_init(struct lin_memo *memo, struct lin_memory *memory, const struct lin_spec *spec,
                   uint32_t set_words, uint32_t used_words) {
    ASSERT(set_words >= 1);
    ASSERT(spec->state_words >= 1);
    // The slots lie among what grows upwards, and old ones stay there when they are doubled: all of
    // them together are twice the last, and the block is taken back as a whole.
    *memo = (struct lin_memo){
        .memory = memory,
        .spec = spec,
        .slot_count = FIRST_SLOTS,
        .set_words = set_words,
        .state_words = spec->state_words,
        .used_words = used_words,
    };
    memory->top = memory->size & ~(size_t)7;
    memo->entries_end = (uint64_t *)(void *)(memory->base + memory->top);
    memo->slots = new_slots(memory, FIRST_SLOTS);
    return memo->slots != NULL;
}

static uint64_t hash_key(const struct lin_memo *memo, const uint64_t *entry) {
    const struct lin_spec *spec = memo->spec;
    // The link is in the first word, and 0 in an entry that is looked for: see lin_memo_add.
    if (!spec->hash)
        return hash_bytes(entry, (memo->set_words + memo->state_words) * sizeof *entry);
    // Of the specification's own hash nothing is asked but that equal states have equal ones:
    // mixed, so that a poor one does not fill one place.
    return rng_mix(hash_bytes(entry, memo->set_words * sizeof *entry) ^
                   spec->hash(spec->context, entry + memo->set_words));
}

static bool has_same_key(const struct lin_memo *memo, const uint64_t *a, const uint64_t *b) {
    if (((a[0] ^ b[0]) & ~link_mask) != 0)
        return false;
    for (uint32_t i = 1; i < memo->set_words; i++)
        if (a[i] != b[i])
            return false;
    const uint64_t *state_a = a + memo->set_words, *state_b = b + memo->set_words;
    if (memo->spec->equal)
        // Asked last, after bits have shown that all else is equal: it is a call.
        return memo->spec->equal(memo->spec->context, state_a, state_b);
    for (uint32_t i = 0; i < memo->state_words; i++)
        if (state_a[i] != state_b[i])
            return false;
    return true;
}

// Whether every operation of [a] is one of [b].
static bool is_subset(const uint64_t *a, const uint64_t *b, uint32_t words) {
    for (uint32_t i = 0; i < words; i++)
        if (a[i] & ~b[i])
            return false;
    return true;
}

// Doubles the slots. They hold enough of the hash to be moved without a look at the entries.
static bool grow(struct lin_memo *memo) {
    ASSERT(memo->slots_used <= memo->slot_count);
    uint32_t count = memo->slot_count * 2;
    uint64_t *slots = count ? new_slots(memo->memory, count) : NULL;
    if (!slots)
        return false;
    for (uint32_t i = 0; i < memo->slot_count; i++) {
        if (memo->slots[i] == 0)
            continue;
        uint32_t at = (uint32_t)(memo->slots[i] >> 32) & (count - 1);
        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = memo->slots[i];
    }
    memo->slots = slots;
    memo->slot_count = count;
    return true;
}

// The slot of [entry]'s key, or the empty one where it belongs.
static uint64_t *find(const struct lin_memo *memo, const uint64_t *entry, uint32_t hash) {
    uint32_t mask = memo->slot_count - 1;
    // Ends: at most half of the slots are used. Other keys with the same half of the hash are
    // passed by.
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        uint64_t slot = memo->slots[at];
        if (slot == 0 || ((uint32_t)(slot >> 32) == hash &&
                          has_same_key(memo, entry_at(memo, (uint32_t)slot), entry)))
            return &memo->slots[at];
    }
}

static void set_link(uint64_t *entry, uint32_t number) {
    entry[0] = (entry[0] & ~link_mask) | (uint64_t)number << 32;
}

// Looks through the entries of [entry]'s key, the first of which is number [first]. None of them
// covers another. The first one that [entry] covers becomes it, others that it covers are dropped.
static enum lin_memo_answer compare(const struct lin_memo *memo, uint32_t first,
                                    const uint64_t *entry, bool *is_placed, uint64_t *steps) {
    uint32_t at = memo->set_words + memo->state_words;
    uint64_t *previous = NULL;
    // Fewer open operations used, with all else equal, can do all that more can: whoever has used a
    // superset of what somebody else did is searched already (an antichain of minimal sets).
    for (uint32_t number = first; number != 0;) {
        uint64_t *other = entry_at(memo, number);
        number = link_of(other);
        ++*steps;
        if (is_subset(other + at, entry + at, memo->used_words))
            return LIN_MEMO_KNOWN;
        if (!is_subset(entry + at, other + at, memo->used_words)) {
            previous = other;
        } else if (*is_placed) {
            ASSERT(previous); // the first that was covered is the placed one
            set_link(previous, number);
        } else {
            memcpy(other + at, entry + at, memo->used_words * sizeof *entry);
            *is_placed = true;
            previous = other;
        }
    }
    return LIN_MEMO_NEW;
}

enum lin_memo_answer lin_memo_add(struct lin_memo *memo, const uint64_t *entry, uint64_t *steps) {
    ASSERT(link_of(entry) == 0);
    // Before the key is looked for, as growing moves the slots.
    if (memo->slots_used * 2 >= memo->slot_count && !grow(memo))
        return LIN_MEMO_FULL;
    uint32_t hash = (uint32_t)(hash_key(memo, entry) >> 32);
    uint64_t *slot = find(memo, entry, hash);
    uint32_t first = (uint32_t)*slot;
    bool is_placed = false;
    if (compare(memo, first, entry, &is_placed, steps) == LIN_MEMO_KNOWN)
        return LIN_MEMO_KNOWN;
    if (is_placed)
        return LIN_MEMO_NEW;
    size_t bytes = lin_memo_entry_words(memo) * sizeof *entry;
    // From both ends of one block: entries grow downwards, all else upwards, until they meet.
    if (memo->memory->top - memo->memory->used < bytes || memo->entry_count == UINT32_MAX)
        return LIN_MEMO_FULL;
    memo->memory->top -= bytes;
    uint64_t *added = entry_at(memo, ++memo->entry_count);
    memcpy(added, entry, bytes);
    set_link(added, first);
    if (first == 0)
        ASSERT(*slot == 0);
    memo->slots_used++;
    *slot = (uint64_t)hash << 32 | memo->entry_count;
    return LIN_MEMO_NEW;
}
