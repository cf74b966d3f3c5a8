// A set of 64-bit fingerprints that tells how many it has: exactly up to some millions, beyond by
// estimate (core/campaign/sketch.h). Open addressing in mapped memory: no heap, 16 bytes an element
// at the most after growing, and never more than 48 MiB, even while it grows.
#ifndef CORE_CAMPAIGN_SEEN_H
#define CORE_CAMPAIGN_SEEN_H

#include "core/campaign/sketch.h"

#include <stddef.h>

enum { SCT_SEEN_EXACT_MAX = 3 << 20 }; // elements

struct sct_seen {
    uint64_t *slots;           // 0: empty; NULL: there were too many
    size_t capacity;           // a power of two
    size_t count;              // in the slots
    struct sct_sketch *sketch; // of all that was added; mapped
};

void sct_seen_init(struct sct_seen *seen);

void sct_seen_deinit(struct sct_seen *seen);

// Adds [fingerprint]; whether it is new, or nobody knows. FAIL_RESOURCE when there is no memory to
// grow.
bool sct_seen_add(struct sct_seen *seen, uint64_t fingerprint);

static inline bool sct_seen_is_exact(const struct sct_seen *seen) {
    return seen->slots != NULL;
}

// How many different ones were added: exactly, or by estimate.
uint64_t sct_seen_count(const struct sct_seen *seen);

// Takes the sketch out, for sct_seen_free_sketch; the set is good for sct_seen_deinit only.
struct sct_sketch *sct_seen_take_sketch(struct sct_seen *seen);

// NULL is none.
void sct_seen_free_sketch(struct sct_sketch *sketch);

#endif
