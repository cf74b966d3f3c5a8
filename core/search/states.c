#include "core/search/states.h"
#include "core/base/assert.h"
#include "core/base/reserve.h"
#include "core/search/bucket.h"

#include <math.h>

enum {
    LOAD_PERCENT = 90,
    POINTS_BITS = 24,
    FIRST_BYTES = 4 * 1024 * 1024, // a table of no more is made at once
};

// What an entry's word says: used (1 bit), bound (7 bits), points (24 bits).
static const uint32_t used_bit = UINT32_C(1) << 31;
static const uint32_t points_mask = (UINT32_C(1) << POINTS_BITS) - 1;

static size_t bytes_of(const struct sct_states *states) {
    return states->bucket_count * sizeof *states->buckets;
}

static void make_table(struct sct_states *states, uint64_t bytes) {
    states->bucket_count = sct_bucket_count(bytes);
    states->buckets = sct_bucket_map(bytes_of(states), false);
    states->capacity = sct_bucket_percent(states->bucket_count, LOAD_PERCENT);
    ASSERT(states->capacity > 0 && states->count <= states->capacity);
}

// Tables of 2^-k of the limit; the last two are a fourth of it and three fourths, so that they are
// together as large as it is.
static uint64_t first_bytes(uint64_t limit) {
    uint64_t bytes = limit;
    while (bytes > FIRST_BYTES)
        bytes /= 2;
    return bytes;
}

static uint64_t next_bytes(const struct sct_states *states) {
    uint64_t fourth = states->limit / 4, bytes = bytes_of(states) * 2;
    // Both tables are in use while entries move. After 1/4 of the limit comes 3/4 at once: doubling
    // to 1/2 would leave the rest unused.
    return bytes <= fourth ? bytes : 3 * fourth;
}

void sct_states_init(struct sct_states *states, uint64_t bytes) {
    ASSERT(bytes > 0);
    *states = (struct sct_states){.limit = bytes};
    make_table(states, first_bytes(bytes));
}

void sct_states_deinit(struct sct_states *states) {
    ASSERT(states->buckets);
    reserve_free(states->buckets, bytes_of(states));
    *states = (struct sct_states){0};
}

void sct_states_clear(struct sct_states *states) {
    ASSERT(states->buckets && states->count <= states->capacity);
    if (states->count > 0)
        sct_bucket_clear(states->buckets, states->bucket_count, bytes_of(states), false);
    states->count = 0;
}

// The bound above the points, in one word: then complete is the largest number of points, and to be
// complete is to set bits. A number of points that would say so is one less.
static uint32_t pack(struct sct_budget budget) {
    ASSERT(budget.bound < 1U << (31 - POINTS_BITS));
    uint32_t points =
        budget.points < SCT_POINTS_UNLIMITED ? budget.points : SCT_POINTS_UNLIMITED - 1;
    return used_bit | budget.bound << POINTS_BITS | points;
}

// Whether the budget in [known] is at least that in [meta].
static bool suffices(uint32_t known, uint32_t meta) {
    // Two budgets, of which neither makes up for the other: points left before the limit of steps,
    // and what is left of the bound.
    return (known & points_mask) >= (meta & points_mask) &&
           known >> POINTS_BITS >= meta >> POINTS_BITS;
}

static struct digest *key_of(const struct sct_states *states, uint64_t entry) {
    ASSERT(entry > 0);
    return sct_bucket_key(states->buckets, entry - 1);
}

// Nobody else uses the table, so no order is asked for.
static uint32_t meta_of(const struct sct_states *states, uint64_t entry) {
    ASSERT(entry > 0);
    return atomic_load_explicit(sct_bucket_word(states->buckets, entry - 1), memory_order_relaxed);
}

static void set_meta(struct sct_states *states, uint64_t entry, uint32_t meta) {
    atomic_store_explicit(sct_bucket_word(states->buckets, entry - 1), meta, memory_order_relaxed);
}

// The entry of [key], or the free one where it would be.
static uint64_t find(const struct sct_states *states, struct digest key) {
    uint64_t at = sct_bucket_first(key, states->bucket_count);
    // It ends: a table is never full, and nothing is ever taken out of it.
    for (;; at = sct_bucket_next(at, states->bucket_count)) {
        const struct sct_bucket *bucket = &states->buckets[at];
        for (uint32_t i = 0; i < SCT_BUCKET_ENTRIES; i++)
            if (atomic_load_explicit(&bucket->words[i], memory_order_relaxed) == 0 ||
                digest_equal(bucket->keys[i], key))
                return at * SCT_BUCKET_ENTRIES + i + 1;
    }
}

static void put(struct sct_states *states, uint64_t entry, struct digest key, uint32_t meta) {
    *key_of(states, entry) = key;
    set_meta(states, entry, meta);
}

enum sct_visit sct_states_visit(struct sct_states *states, struct digest key,
                                struct sct_budget budget, uint64_t *entry, bool *is_complete) {
    uint32_t meta = pack(budget);
    *entry = find(states, key);
    uint32_t known = meta_of(states, *entry);
    *is_complete = (known & points_mask) == SCT_POINTS_UNLIMITED;
    if (known == 0 && states->count == states->capacity)
        return SCT_VISIT_FULL;
    if (known != 0 && suffices(known, meta))
        return SCT_VISIT_KNOWN;
    // Met again with more: searched again, and its entry says so from now on. It is complete no
    // more until a pop says so.
    states->count += known == 0;
    put(states, *entry, key, meta);
    return SCT_VISIT_NEW;
}

void sct_states_complete(struct sct_states *states, uint64_t entry) {
    ASSERT(meta_of(states, entry) & used_bit);
    // From now on the points of no visit are too many: nothing below was cut off.
    set_meta(states, entry, meta_of(states, entry) | SCT_POINTS_UNLIMITED);
}

bool sct_states_can_grow(const struct sct_states *states) {
    return bytes_of(states) < next_bytes(states);
}

void sct_states_grow(const struct sct_states *states, struct sct_states *larger) {
    ASSERT(sct_states_can_grow(states));
    *larger = (struct sct_states){.limit = states->limit, .count = states->count};
    make_table(larger, next_bytes(states));
    for (uint64_t entry = 1; entry <= states->bucket_count * SCT_BUCKET_ENTRIES; entry++) {
        struct digest key = *key_of(states, entry);
        uint32_t meta = meta_of(states, entry);
        if (meta != 0)
            put(larger, find(larger, key), key, meta);
    }
}

uint64_t sct_states_moved(const struct sct_states *states, const struct sct_states *larger,
                          uint64_t entry) {
    uint64_t moved = find(larger, *key_of(states, entry));
    ASSERT(meta_of(larger, moved) == meta_of(states, entry));
    return moved;
}

double sct_states_bytes_each(const struct sct_states *states) {
    ASSERT(states->capacity > 0);
    return (double)bytes_of(states) / (double)states->capacity;
}

double sct_states_collision(uint64_t count) {
    return ldexp((double)count * (double)count, -129);
}
