// Digests: 128 bits that stand for contents (XXH3, see hash.h). Equal contents have equal digests;
// that N different contents have two equal ones has a probability of N^2 / 2^129.
//
// Stability: what is marked stays within 0.2, the values of digests do not.
#ifndef CORE_BASE_DIGEST_H
#define CORE_BASE_DIGEST_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest {
    uint64_t low, high;
};

SCT_API struct digest digest_of(const void *data, size_t bytes);

// The sequence that [digest] stands for, followed by [value], [other] or bytes.
SCT_API struct digest digest_fold(struct digest digest, uint64_t value);
struct digest digest_fold_digest(struct digest digest, struct digest other);
SCT_API struct digest digest_fold_bytes(struct digest digest, const void *data, size_t bytes);

// NULL differs from every text.
struct digest digest_fold_text(struct digest digest, const char *text);

// A collection without order: the sum of its members.
static inline void digest_add(struct digest *sum, struct digest member) {
    sum->low += member.low;
    sum->high += member.high;
}

static inline void digest_subtract(struct digest *sum, struct digest member) {
    sum->low -= member.low;
    sum->high -= member.high;
}

static inline bool digest_equal(struct digest a, struct digest b) {
    return a.low == b.low && a.high == b.high;
}

#endif
