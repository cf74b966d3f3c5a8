#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE
#include "core/search/states.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

enum {
    BUCKET_ENTRIES = 3,
    LOAD_PERCENT = 90,
    POINTS_BITS = 24,
    FIRST_BYTES = 4 * 1024 * 1024, // a table of no more is made at once
};

// One line of the processor's cache. meta: used (1 bit), bound (7 bits), points (24 bits).
struct sct_state_bucket {
    struct digest keys[BUCKET_ENTRIES];
    uint32_t meta[BUCKET_ENTRIES];
    uint32_t unused;
};
_Static_assert(sizeof(struct sct_state_bucket) == 64, "one cache line");

__extension__ typedef unsigned __int128 uint128; // gcc and clang, on all 64-bit machines

static const uint32_t used_bit = UINT32_C(1) << 31;
static const uint32_t points_mask = (UINT32_C(1) << POINTS_BITS) - 1;

static size_t bytes_of(const struct sct_states *states) {
    return states->bucket_count * sizeof *states->buckets;
}

// Huge pages, if there are some: a lookup in small ones of a large table waits for their addresses.
static void make_table(struct sct_states *states, uint64_t bytes) {
    uint64_t count = bytes / sizeof(struct sct_state_bucket);
    states->bucket_count = count ? count : 1;
    states->buckets = mmap(NULL, bytes_of(states), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (states->buckets == MAP_FAILED)
        grow_failed(bytes, "a state cache");
    madvise(states->buckets, bytes_of(states), MADV_HUGEPAGE);
    states->capacity = states->bucket_count * BUCKET_ENTRIES / 100 * LOAD_PERCENT;
    if (states->capacity == 0)
        states->capacity = 1;
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
    return bytes <= fourth ? bytes : 3 * fourth;
}

void sct_states_init(struct sct_states *states, uint64_t bytes) {
    *states = (struct sct_states){.limit = bytes};
    make_table(states, first_bytes(bytes));
}

void sct_states_deinit(struct sct_states *states) {
    munmap(states->buckets, bytes_of(states));
    *states = (struct sct_states){0};
}

void sct_states_clear(struct sct_states *states) {
    // The pages are dropped: zeroing them all would make them resident.
    if (states->count > 0 && madvise(states->buckets, bytes_of(states), MADV_DONTNEED) != 0)
        fail_at(FAIL_RESOURCE, HERE, "the system does not clear the state cache");
    states->count = 0;
}

static uint32_t pack(struct sct_budget budget) {
    uint32_t points =
        budget.points < SCT_POINTS_UNLIMITED ? budget.points : SCT_POINTS_UNLIMITED - 1;
    return used_bit | budget.bound << POINTS_BITS | points;
}

// Whether the budget in [known] is at least that in [meta].
static bool suffices(uint32_t known, uint32_t meta) {
    return (known & points_mask) >= (meta & points_mask) &&
           known >> POINTS_BITS >= meta >> POINTS_BITS;
}

static uint32_t *meta_of(const struct sct_states *states, uint64_t entry) {
    ASSERT(entry > 0);
    return &states->buckets[(entry - 1) / BUCKET_ENTRIES].meta[(entry - 1) % BUCKET_ENTRIES];
}

static struct digest *key_of(const struct sct_states *states, uint64_t entry) {
    return &states->buckets[(entry - 1) / BUCKET_ENTRIES].keys[(entry - 1) % BUCKET_ENTRIES];
}

// In a larger table keys have the same order, but for those that did not find their place free.
static uint64_t first_bucket(const struct sct_states *states, struct digest key) {
    return (uint64_t)((uint128)key.low * states->bucket_count >> 64);
}

// The entry of [key], or the free one where it would be.
static uint64_t find(const struct sct_states *states, struct digest key) {
    uint64_t at = first_bucket(states, key);
    for (;; at = at + 1 < states->bucket_count ? at + 1 : 0) {
        const struct sct_state_bucket *bucket = &states->buckets[at];
        for (uint32_t i = 0; i < BUCKET_ENTRIES; i++)
            if (bucket->meta[i] == 0 || digest_equal(bucket->keys[i], key))
                return at * BUCKET_ENTRIES + i + 1;
    }
}

static void put(struct sct_states *states, uint64_t entry, struct digest key, uint32_t meta) {
    *key_of(states, entry) = key;
    *meta_of(states, entry) = meta;
}

enum sct_visit sct_states_visit(struct sct_states *states, struct digest key,
                                struct sct_budget budget, uint64_t *entry, bool *is_complete) {
    uint32_t meta = pack(budget);
    *entry = find(states, key);
    uint32_t known = *meta_of(states, *entry);
    *is_complete = (known & points_mask) == SCT_POINTS_UNLIMITED;
    if (known == 0 && states->count == states->capacity)
        return SCT_VISIT_FULL;
    if (known != 0 && suffices(known, meta))
        return SCT_VISIT_KNOWN;
    states->count += known == 0;
    put(states, *entry, key, meta);
    return SCT_VISIT_NEW;
}

void sct_states_complete(struct sct_states *states, uint64_t entry) {
    *meta_of(states, entry) |= SCT_POINTS_UNLIMITED;
}

bool sct_states_can_grow(const struct sct_states *states) {
    return bytes_of(states) < next_bytes(states);
}

void sct_states_grow(const struct sct_states *states, struct sct_states *larger) {
    ASSERT(sct_states_can_grow(states));
    *larger = (struct sct_states){.limit = states->limit, .count = states->count};
    make_table(larger, next_bytes(states));
    for (uint64_t entry = 1; entry <= states->bucket_count * BUCKET_ENTRIES; entry++) {
        struct digest key = *key_of(states, entry);
        uint32_t meta = *meta_of(states, entry);
        if (meta != 0)
            put(larger, find(larger, key), key, meta);
    }
}

uint64_t sct_states_moved(const struct sct_states *states, const struct sct_states *larger,
                          uint64_t entry) {
    return find(larger, *key_of(states, entry));
}

double sct_states_bytes_each(const struct sct_states *states) {
    return (double)bytes_of(states) / (double)states->capacity;
}

double sct_states_collision(uint64_t count) {
    return ldexp((double)count * (double)count, -129);
}
