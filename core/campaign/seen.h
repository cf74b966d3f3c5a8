// A growing set of 64-bit fingerprints. Open addressing in mapped memory: no heap, 16 bytes an
// element at the most after growing.
#ifndef CORE_CAMPAIGN_SEEN_H
#define CORE_CAMPAIGN_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sct_seen {
    uint64_t *slots; // 0: empty
    size_t capacity; // a power of two
    size_t count;
};

void sct_seen_init(struct sct_seen *seen);

void sct_seen_deinit(struct sct_seen *seen);

// Adds [fingerprint]; whether it is new. FAIL_RESOURCE when there is no memory to grow.
bool sct_seen_add(struct sct_seen *seen, uint64_t fingerprint);

#endif
