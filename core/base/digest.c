#include "core/base/digest.h"
#include "core/base/assert.h"
#include "core/base/hash.h"

#include <string.h>

struct digest digest_of(const void *data, size_t bytes) {
    XXH128_hash_t hash = XXH3_128bits(data, bytes);
    // XXH3 is no cryptographic hash: nobody chooses contents so that they collide, and what a
    // collision costs is a state that is not searched (sct_states_collision).
    return (struct digest){hash.low64, hash.high64};
}

// Flattened: with the number of bytes known there is little left of the hash function.
__attribute__((flatten)) struct digest digest_fold(struct digest digest, uint64_t value) {
    uint64_t words[3] = {digest.low, digest.high, value};
    return digest_of(words, sizeof words);
}

__attribute__((flatten)) struct digest digest_fold_digest(struct digest digest,
                                                          struct digest other) {
    uint64_t words[4] = {digest.low, digest.high, other.low, other.high};
    return digest_of(words, sizeof words);
}

struct digest digest_fold_bytes(struct digest digest, const void *data, size_t bytes) {
    // By their digest: the length takes part in it, so no two sequences run into each other.
    return digest_fold_digest(digest, digest_of(data, bytes));
}

// Texts are short as a rule: what is left of the hash function for them is done here.
__attribute__((flatten)) struct digest digest_fold_text(struct digest digest, const char *text) {
    // A fold of one word is of 24 bytes, one of bytes of 32: they differ by length already.
    return text ? digest_fold_bytes(digest, text, strlen(text)) : digest_fold(digest, 0);
}

struct digest digest_words_end(const struct digest_words *words) {
    ASSERT(words->count >= 2 && words->count <= DIGEST_WORDS);
    return digest_of(words->words, words->count * sizeof *words->words);
}

static inline uint64_t load32(const char *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t byte_at(const char *bytes, size_t at) {
    return (uint64_t)(unsigned char)bytes[at] << 8 * at;
}

// The [count] bytes, less than eight, and zeros. In two or three loads, which may overlap: most
// texts here are shorter than what it takes to call a function that copies them.
static inline uint64_t short_word(const char *bytes, size_t count) {
    uint64_t word = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (count >= 4)
        return load32(bytes) | load32(bytes + count - 4) << 8 * (count - 4);
    if (count > 0)
        word = byte_at(bytes, 0) | byte_at(bytes, count / 2) | byte_at(bytes, count - 1);
#else
    memcpy(&word, bytes, count);
#endif
    return word;
}

// Eight bytes a word, with the zero at its end and zeros behind that, so that the first word with a
// zero byte is the last. No text begins with a zero and has more behind it: so does NULL.
void digest_words_add_text(struct digest_words *words, const char *text) {
    ASSERT(words->count <= DIGEST_WORDS);
    if (!text) { // not the same as ""
        digest_words_add(words, 0x100);
        return;
    }
    size_t left = strlen(text);
    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), text += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text, sizeof word);
        digest_words_add(words, word);
    }
    digest_words_add(words, short_word(text, left));
}
