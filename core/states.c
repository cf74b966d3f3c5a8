#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE
#include "core/states.h"
#include "core/base/assert.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

enum { BUCKET_ENTRIES = 3, LOAD_PERCENT = 90, POINTS_BITS = 24 };

// One line of the processor's cache. meta: used (1 bit), bound (7 bits), points (24 bits).
struct sct_state_bucket {
    struct digest keys[BUCKET_ENTRIES];
    uint32_t meta[BUCKET_ENTRIES];
    uint32_t unused;
};
_Static_assert(sizeof(struct sct_state_bucket) == 64, "one cache line");

static const uint32_t used_bit = UINT32_C(1) << 31;
static const uint32_t points_mask = (UINT32_C(1) << POINTS_BITS) - 1;

void sct_states_init(struct sct_states *states, uint64_t bytes) {
    uint64_t count = bytes / sizeof(struct sct_state_bucket);
    count = count ? count : 1;
    void *memory = mmap(NULL, count * sizeof(struct sct_state_bucket), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: a state cache of %llu bytes",
                (unsigned long long)bytes);
    *states = (struct sct_states){.buckets = memory, .bucket_count = count};
    states->capacity = count * BUCKET_ENTRIES / 100 * LOAD_PERCENT;
    if (states->capacity == 0)
        states->capacity = 1;
}

void sct_states_deinit(struct sct_states *states) {
    munmap(states->buckets, states->bucket_count * sizeof *states->buckets);
    *states = (struct sct_states){0};
}

void sct_states_clear(struct sct_states *states) {
    // The pages are dropped: zeroing them all would make them resident.
    if (states->count > 0 &&
        madvise(states->buckets, states->bucket_count * sizeof *states->buckets, MADV_DONTNEED) !=
            0)
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

static uint64_t first_bucket(const struct sct_states *states, struct digest key) {
    return key.low % states->bucket_count;
}

enum sct_visit sct_states_visit(struct sct_states *states, struct digest key,
                                struct sct_budget budget, uint64_t *entry, bool *is_complete) {
    uint32_t meta = pack(budget);
    uint64_t at = first_bucket(states, key);
    for (;; at = at + 1 < states->bucket_count ? at + 1 : 0) {
        struct sct_state_bucket *bucket = &states->buckets[at];
        for (uint32_t i = 0; i < BUCKET_ENTRIES; i++) {
            uint32_t known = bucket->meta[i];
            *entry = at * BUCKET_ENTRIES + i + 1;
            *is_complete = (known & points_mask) == SCT_POINTS_UNLIMITED;
            if (known == 0) {
                if (states->count == states->capacity)
                    return SCT_VISIT_FULL;
                states->count++;
            } else if (!digest_equal(bucket->keys[i], key)) {
                continue;
            } else if (suffices(known, meta)) {
                return SCT_VISIT_KNOWN;
            }
            bucket->keys[i] = key;
            bucket->meta[i] = meta;
            return SCT_VISIT_NEW;
        }
    }
}

void sct_states_complete(struct sct_states *states, uint64_t entry) {
    ASSERT(entry > 0);
    struct sct_state_bucket *bucket = &states->buckets[(entry - 1) / BUCKET_ENTRIES];
    bucket->meta[(entry - 1) % BUCKET_ENTRIES] |= SCT_POINTS_UNLIMITED;
}

double sct_states_bytes_each(const struct sct_states *states) {
    return (double)(states->bucket_count * sizeof *states->buckets) / (double)states->capacity;
}

double sct_states_collision(uint64_t count) {
    return ldexp((double)count * (double)count, -129);
}
