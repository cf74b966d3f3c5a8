// Digests: 128 bits that stand for contents (XXH3, see hash.h). Equal contents have equal digests;
// that N different contents have two equal ones has a probability of N^2 / 2^129.
#ifndef CORE_BASE_DIGEST_H
#define CORE_BASE_DIGEST_H

#include "core/base/hash.h"

#include <stdbool.h>
#include <string.h>

struct digest {
    uint64_t low, high;
};

static inline struct digest digest_of(const void *data, size_t bytes) {
    XXH128_hash_t hash = XXH3_128bits(data, bytes);
    return (struct digest){hash.low64, hash.high64};
}

// The sequence that [digest] stands for, followed by [value].
static inline struct digest digest_fold(struct digest digest, uint64_t value) {
    uint64_t words[3] = {digest.low, digest.high, value};
    return digest_of(words, sizeof words);
}

static inline struct digest digest_fold_digest(struct digest digest, struct digest other) {
    uint64_t words[4] = {digest.low, digest.high, other.low, other.high};
    return digest_of(words, sizeof words);
}

static inline struct digest digest_fold_bytes(struct digest digest, const void *data,
                                              size_t bytes) {
    return digest_fold_digest(digest, digest_of(data, bytes));
}

// NULL differs from every text.
static inline struct digest digest_fold_text(struct digest digest, const char *text) {
    return text ? digest_fold_bytes(digest, text, strlen(text)) : digest_fold(digest, 0);
}

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
