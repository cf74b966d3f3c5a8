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

// A sequence of several values, hashed at once, which costs a fraction of folding them one by one:
//     struct digest_words words = digest_words(digest);
//     digest_words_add(&words, value);
//     digest = digest_words_end(&words);
// One value is digest_fold, two are digest_fold_digest. Nothing tells where one thing ends and the
// next begins but what was added: whoever adds a list adds its length or its end.
enum { DIGEST_WORDS = 30 }; // XXH3 has another, slower way for more than 240 bytes

struct digest_words {
    uint32_t count;
    uint64_t words[DIGEST_WORDS]; // the first two: the digest of all before the others
};

static inline struct digest_words digest_words(struct digest digest) {
    struct digest_words words;
    words.count = 2;
    words.words[0] = digest.low;
    words.words[1] = digest.high;
    return words;
}

struct digest digest_words_end(const struct digest_words *words);

static inline void digest_words_add(struct digest_words *words, uint64_t value) {
    if (__builtin_expect(words->count == DIGEST_WORDS, 0))
        *words = digest_words(digest_words_end(words));
    words->words[words->count++] = value;
}

static inline void digest_words_add_digest(struct digest_words *words, struct digest digest) {
    digest_words_add(words, digest.low);
    digest_words_add(words, digest.high);
}

// Its end is told. NULL differs from every text.
void digest_words_add_text(struct digest_words *words, const char *text);

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
