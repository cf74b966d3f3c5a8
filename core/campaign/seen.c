#define _GNU_SOURCE // MAP_ANONYMOUS
#include "core/campaign/seen.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/rng.h"

#include <sys/mman.h>

enum { FIRST_CAPACITY = 1 << 12 };

static uint64_t *map_slots(size_t capacity) {
    // Pages of zeros, which the system gives without writing them: an empty set costs nothing.
    uint64_t *slots = mmap(NULL, capacity * sizeof *slots, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slots == MAP_FAILED)
        grow_failed(capacity * sizeof *slots, "a set of fingerprints");
    return slots;
}

void sct_seen_init(struct sct_seen *seen) {
    *seen = (struct sct_seen){.slots = map_slots(FIRST_CAPACITY), .capacity = FIRST_CAPACITY};
}

void sct_seen_deinit(struct sct_seen *seen) {
    ASSERT(seen->slots);
    munmap(seen->slots, seen->capacity * sizeof *seen->slots);
    *seen = (struct sct_seen){0};
}

// Where [key] stands or would stand. Keys are mixed again: they need not be good hashes.
static uint64_t *find(uint64_t *slots, size_t capacity, uint64_t key) {
    ASSERT(key != 0);
    ASSERT((capacity & (capacity - 1)) == 0);
    size_t at = (size_t)rng_mix(key) & (capacity - 1);
    // Ends: at most half of the slots are taken.
    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static void grow(struct sct_seen *seen) {
    ASSERT(seen->count <= seen->capacity);
    size_t capacity = seen->capacity * 2;
    uint64_t *slots = map_slots(capacity);
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->slots[i] != 0)
            *find(slots, capacity, seen->slots[i]) = seen->slots[i];
    munmap(seen->slots, seen->capacity * sizeof *seen->slots);
    seen->slots = slots;
    seen->capacity = capacity;
}

bool sct_seen_add(struct sct_seen *seen, uint64_t fingerprint) {
    ASSERT(seen->count * 2 <= seen->capacity);
    // Fingerprints 0 and 1 count as one, which is as unlikely to matter as two of N being equal.
    uint64_t key = fingerprint != 0 ? fingerprint : 1; // 0 marks an empty slot
    uint64_t *slot = find(seen->slots, seen->capacity, key);
    if (*slot == key)
        return false;
    *slot = key;
    if (++seen->count * 2 > seen->capacity)
        grow(seen);
    return true;
}
