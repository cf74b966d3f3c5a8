#define _GNU_SOURCE // MAP_ANONYMOUS
#include "core/campaign/seen.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/rng.h"

#include <sys/mman.h>

enum { FIRST_CAPACITY = 1 << 12, LAST_CAPACITY = 1 << 22 };

_Static_assert((int)SCT_SEEN_EXACT_MAX < (int)LAST_CAPACITY, "a look for what is not there ends");

static void *map(size_t bytes) {
    // Pages of zeros, which the system gives without writing them: an empty set costs nothing.
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        grow_failed(bytes, "a set of fingerprints");
    return mapped;
}

void sct_seen_init(struct sct_seen *seen) {
    *seen = (struct sct_seen){
        .slots = map(FIRST_CAPACITY * sizeof *seen->slots),
        .capacity = FIRST_CAPACITY,
        .sketch = map(sizeof *seen->sketch),
    };
}

static void forget_slots(struct sct_seen *seen) {
    if (seen->slots)
        munmap(seen->slots, seen->capacity * sizeof *seen->slots);
    seen->slots = NULL;
}

void sct_seen_deinit(struct sct_seen *seen) {
    forget_slots(seen);
    sct_seen_free_sketch(seen->sketch);
    *seen = (struct sct_seen){0};
}

struct sct_sketch *sct_seen_take_sketch(struct sct_seen *seen) {
    struct sct_sketch *sketch = seen->sketch;
    ASSERT(sketch);
    seen->sketch = NULL;
    return sketch;
}

void sct_seen_free_sketch(struct sct_sketch *sketch) {
    if (sketch)
        munmap(sketch, sizeof *sketch);
}

// Where [key], whose mixed bits are [hash], stands or would stand.
static uint64_t *find(uint64_t *slots, size_t capacity, uint64_t key, uint64_t hash) {
    ASSERT(key != 0);
    ASSERT((capacity & (capacity - 1)) == 0);
    size_t at = (size_t)hash & (capacity - 1);
    // Ends: at most half of the slots are taken; of the last table, three quarters.
    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static void grow(struct sct_seen *seen) {
    ASSERT(seen->count <= seen->capacity);
    size_t capacity = seen->capacity * 2;
    uint64_t *slots = map(capacity * sizeof *slots);
    for (size_t i = 0; i < seen->capacity; i++) {
        uint64_t key = seen->slots[i];
        if (key != 0)
            *find(slots, capacity, key, rng_mix(key)) = key;
    }
    forget_slots(seen);
    seen->slots = slots;
    seen->capacity = capacity;
}

bool sct_seen_add(struct sct_seen *seen, uint64_t fingerprint) {
    // Fingerprints 0 and 1 count as one, which is as unlikely to matter as two of N being equal.
    uint64_t key = fingerprint != 0 ? fingerprint : 1; // 0 marks an empty slot
    // Mixed again: they need not be good hashes.
    uint64_t hash = rng_mix(key);
    // From the first on, so that nothing depends on when the table was given up.
    sct_sketch_add(seen->sketch, hash);
    if (!seen->slots)
        return true;
    uint64_t *slot = find(seen->slots, seen->capacity, key, hash);
    if (*slot == key)
        return false;
    if (seen->count == SCT_SEEN_EXACT_MAX) {
        forget_slots(seen);
        return true;
    }
    *slot = key;
    // The last table, of 32 MiB, gets fuller instead of larger.
    if (++seen->count * 2 > seen->capacity && seen->capacity < LAST_CAPACITY)
        grow(seen);
    return true;
}

uint64_t sct_seen_count(const struct sct_seen *seen) {
    if (seen->slots)
        return seen->count;
    // More than that are certain.
    uint64_t estimate = sct_sketch_estimate(seen->sketch);
    return estimate > SCT_SEEN_EXACT_MAX ? estimate : SCT_SEEN_EXACT_MAX + 1;
}
