#include "core/search/states.h"
#include "core/base/assert.h"
#include "core/base/reserve.h"
#include "core/search/bucket.h"

#include <math.h>

enum {
    LOAD_PERCENT = 95,
    POINTS_BITS = 24,
    FIRST_BYTES = 4 * 1024 * 1024, // a table of no more is made at once
};

// What an entry's word says: used (1 bit), bound (7 bits), points (24 bits).
static const uint32_t used_bit = UINT32_C(1) << 31;
static const uint32_t points_mask = (UINT32_C(1) << POINTS_BITS) - 1;

// Of a bucket with its tags.
static const uint64_t bucket_bytes = sizeof(struct sct_bucket) + sizeof(uint32_t);

static size_t bytes_of(const struct sct_states *states) {
    return states->bucket_count * bucket_bytes;
}

// In one piece: the tags behind the buckets.
static void make_table(struct sct_states *states, uint64_t bytes) {
    states->bytes = bytes;
    states->bucket_count = bytes < bucket_bytes ? 1 : bytes / bucket_bytes;
    states->buckets = sct_bucket_map(bytes_of(states), false);
    states->tags = (uint32_t *)(states->buckets + states->bucket_count);
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
    uint64_t fourth = states->limit / 4, bytes = states->bytes * 2;
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
        sct_bucket_clear(states->buckets, bytes_of(states), bytes_of(states), false);
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

// ---- Tags --------------------------------------------------------------------------------------

// What is known of a bucket without a look into it: ten bits of each entry's key, 0 of a free one.
// Most states are new, and of a thousand new ones few meet an entry with their tag: the tags of
// all, a sixteenth of the table, are in the processor's caches when the table is not.
enum { TAG_BITS = 10 };

// Not of the bits that say which bucket it is.
static uint32_t tag_of(struct digest key) {
    uint32_t tag = (uint32_t)(key.high >> (64 - TAG_BITS));
    return tag ? tag : 1;
}

// Where a key is, or would be.
struct place {
    uint64_t entry;
    bool is_free;
};

static struct place find(const struct sct_states *states, struct digest key) {
    const uint32_t mask = (UINT32_C(1) << TAG_BITS) - 1, sought = tag_of(key);
    uint64_t at = sct_bucket_first(key, states->bucket_count);
    // It ends: a table is never full, and nothing is ever taken out of it.
    for (;; at = sct_bucket_next(at, states->bucket_count)) {
        uint32_t tags = states->tags[at];
        for (uint32_t i = 0; i < SCT_BUCKET_ENTRIES; i++, tags >>= TAG_BITS) {
            uint32_t tag = tags & mask;
            if (tag == 0 || (tag == sought && digest_equal(states->buckets[at].keys[i], key)))
                return (struct place){at * SCT_BUCKET_ENTRIES + i + 1, tag == 0};
        }
    }
}

// In the free [entry].
static void put(struct sct_states *states, uint64_t entry, struct digest key, uint32_t meta) {
    uint64_t place = entry - 1;
    *key_of(states, entry) = key;
    set_meta(states, entry, meta);
    states->tags[place / SCT_BUCKET_ENTRIES] |= tag_of(key)
                                                << place % SCT_BUCKET_ENTRIES * TAG_BITS;
}

// ---- Visits ------------------------------------------------------------------------------------

// The tag first, which is waited for; the entry is read or, without waiting, written.
void sct_states_prefetch(const struct sct_states *states, struct digest key) {
    uint64_t at = sct_bucket_first(key, states->bucket_count);
    __builtin_prefetch(&states->tags[at]);
    __builtin_prefetch(&states->buckets[at], 1);
}

enum sct_visit sct_states_visit(struct sct_states *states, struct digest key,
                                struct sct_budget budget, uint64_t *entry, bool *is_complete) {
    uint32_t meta = pack(budget);
    struct place place = find(states, key);
    *entry = place.entry;
    *is_complete = false;
    if (place.is_free) {
        if (states->count == states->capacity)
            return SCT_VISIT_FULL;
        states->count++;
        put(states, place.entry, key, meta);
        return SCT_VISIT_NEW;
    }
    uint32_t known = meta_of(states, place.entry);
    *is_complete = (known & points_mask) == SCT_POINTS_UNLIMITED;
    if (suffices(known, meta))
        return SCT_VISIT_KNOWN;
    // Met again with more: searched again, and its entry says so from now on. It is complete no
    // more until a pop says so.
    set_meta(states, place.entry, meta);
    return SCT_VISIT_NEW;
}

void sct_states_complete(struct sct_states *states, uint64_t entry) {
    ASSERT(meta_of(states, entry) & used_bit);
    // From now on the points of no visit are too many: nothing below was cut off.
    set_meta(states, entry, meta_of(states, entry) | SCT_POINTS_UNLIMITED);
}

bool sct_states_can_grow(const struct sct_states *states) {
    return states->bytes < next_bytes(states);
}

void sct_states_grow(const struct sct_states *states, struct sct_states *larger) {
    ASSERT(sct_states_can_grow(states));
    *larger = (struct sct_states){.limit = states->limit, .count = states->count};
    make_table(larger, next_bytes(states));
    for (uint64_t entry = 1; entry <= states->bucket_count * SCT_BUCKET_ENTRIES; entry++) {
        struct digest key = *key_of(states, entry);
        uint32_t meta = meta_of(states, entry);
        if (meta != 0)
            put(larger, find(larger, key).entry, key, meta);
    }
}

uint64_t sct_states_moved(const struct sct_states *states, const struct sct_states *larger,
                          uint64_t entry) {
    struct place moved = find(larger, *key_of(states, entry));
    ASSERT(!moved.is_free && meta_of(larger, moved.entry) == meta_of(states, entry));
    return moved.entry;
}

double sct_states_bytes_each(const struct sct_states *states) {
    ASSERT(states->capacity > 0);
    return (double)bytes_of(states) / (double)states->capacity;
}

double sct_states_collision(uint64_t count) {
    return ldexp((double)count * (double)count, -129);
}
