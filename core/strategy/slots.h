// Sets of slots: which of the tasks that live is meant, wherever several may be.
//
// Slots are given out from the lowest one on, so the first word is mostly all there is: whoever
// goes through a set looks at no word behind the last that was ever used. Knows no engine.
//
// Stability: provisional, as strategy.h.
#ifndef CORE_STRATEGY_SLOTS_H
#define CORE_STRATEGY_SLOTS_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stdint.h>

// So many tasks live at a time.
enum { SCT_TASKS_MAX = 512, SCT_SLOT_WORDS = SCT_TASKS_MAX / 64 };

// And so many in a search with a reduction, which keeps a word for each decision of its path.
enum { SCT_REDUCED_TASKS_MAX = 64 };

// Empty when all is 0.
struct sct_slots {
    uint64_t words[SCT_SLOT_WORDS]; // bit s % 64 of word s / 64: slot s
    uint32_t last;                  // no member is in a word behind this one
};

// The number of ones in [bits].
SCT_API uint32_t sct_count_bits(uint64_t bits);

static inline bool sct_slots_have(const struct sct_slots *set, unsigned slot) {
    return set->words[slot / 64] >> slot % 64 & 1;
}

static inline void sct_slots_add(struct sct_slots *set, unsigned slot) {
    set->words[slot / 64] |= UINT64_C(1) << slot % 64;
    if (__builtin_expect(slot / 64 > set->last, 0))
        set->last = slot / 64;
}

// The same of one that was a member before.
static inline void sct_slots_add_again(struct sct_slots *set, unsigned slot) {
    set->words[slot / 64] |= UINT64_C(1) << slot % 64;
}

static inline void sct_slots_remove(struct sct_slots *set, unsigned slot) {
    set->words[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

// Whether there may be members behind the first word.
static inline bool sct_slots_are_wide(const struct sct_slots *set) {
    return __builtin_expect(set->last > 0, 0);
}

static inline void sct_slots_clear(struct sct_slots *set) {
    set->words[0] = 0;
    for (uint32_t i = 1; sct_slots_are_wide(set) && i <= set->last; i++)
        set->words[i] = 0;
}

static inline bool sct_slots_are_empty(const struct sct_slots *set) {
    bool are_empty = set->words[0] == 0;
    for (uint32_t i = 1; are_empty && i <= set->last; i++)
        are_empty = set->words[i] == 0;
    return are_empty;
}

static inline uint32_t sct_slots_count(const struct sct_slots *set) {
    uint32_t count = sct_count_bits(set->words[0]);
    for (uint32_t i = 1; sct_slots_are_wide(set) && i <= set->last; i++)
        count += sct_count_bits(set->words[i]);
    return count;
}

static inline bool sct_slots_equal(const struct sct_slots *a, const struct sct_slots *b) {
    bool are_equal = true;
    for (uint32_t i = 0; i <= (a->last > b->last ? a->last : b->last); i++)
        are_equal = are_equal && a->words[i] == b->words[i];
    return are_equal;
}

// The lowest slot that is no member; SCT_TASKS_MAX: all are.
static inline unsigned sct_slots_first_free(const struct sct_slots *set) {
    unsigned word = 0;
    while (word < SCT_SLOT_WORDS && set->words[word] == UINT64_MAX)
        word++;
    return word * 64 + (word < SCT_SLOT_WORDS ? (unsigned)__builtin_ctzll(~set->words[word]) : 0);
}

// The highest member; 0 if there is none.
static inline unsigned sct_slots_highest(const struct sct_slots *set) {
    uint32_t word = set->last;
    while (word > 0 && set->words[word] == 0)
        word--;
    return set->words[word] == 0 ? 0 : word * 64 + 63 - (unsigned)__builtin_clzll(set->words[word]);
}

// Goes through a set, in ascending order:
//     for (struct sct_slots_walk walk = sct_slots_walk(set); sct_slots_next(&walk, &slot);)
// The set may not change meanwhile.
struct sct_slots_walk {
    const struct sct_slots *set;
    uint64_t left;      // of the word
    unsigned low, last; // the slots of that word's lowest bit, and of the last word's
};

static inline struct sct_slots_walk sct_slots_walk(const struct sct_slots *set) {
    return (struct sct_slots_walk){set, set->words[0], 0, 64 * set->last};
}

// The same where it is known whether the set is wide: of a constant the compiler makes a loop over
// one word, which costs a third less.
static inline struct sct_slots_walk sct_slots_walk_in(const struct sct_slots *set, bool is_wide) {
    return (struct sct_slots_walk){set, set->words[0], 0, is_wide ? 64 * set->last : 0};
}

static inline bool sct_slots_next(struct sct_slots_walk *walk, unsigned *slot) {
    while (__builtin_expect(walk->left == 0, 0)) {
        if (walk->low == walk->last)
            return false;
        walk->low += 64;
        walk->left = walk->set->words[walk->low / 64];
    }
    *slot = walk->low + (unsigned)__builtin_ctzll(walk->left);
    walk->left &= walk->left - 1;
    return true;
}

// The member of a set that has one; SCT_TASKS_MAX: it has several. Not of an empty one.
static inline unsigned sct_slots_only(const struct sct_slots *set) {
    const unsigned several = SCT_TASKS_MAX;
    uint64_t first = set->words[0];
    if (__builtin_expect(set->last == 0, 1))
        return first & (first - 1) ? several : (unsigned)__builtin_ctzll(first);
    struct sct_slots_walk walk = sct_slots_walk(set);
    unsigned slot = several, second;
    sct_slots_next(&walk, &slot);
    return sct_slots_next(&walk, &second) ? several : slot;
}

#endif
