// What the tables of core/search/states.h and core/search/shared_states.h are made of: entries with
// open addressing, in buckets of one line of the processor's cache. An entry is a key and a word,
// whose meaning is the table's; a word of 0 says that the entry is free.
#ifndef CORE_SEARCH_BUCKET_H
#define CORE_SEARCH_BUCKET_H

#include "core/base/digest.h"

#include <stdatomic.h>

enum { SCT_BUCKET_ENTRIES = 3 };

struct sct_bucket {
    struct digest keys[SCT_BUCKET_ENTRIES];
    _Atomic uint32_t words[SCT_BUCKET_ENTRIES];
    uint32_t unused;
};
_Static_assert(sizeof(struct sct_bucket) == 64, "one cache line");

__extension__ typedef unsigned __int128 sct_uint128; // gcc and clang, on all 64-bit machines

// How many there are in [bytes] bytes, at least one.
static inline uint64_t sct_bucket_count(uint64_t bytes) {
    uint64_t count = bytes / sizeof(struct sct_bucket);
    return count ? count : 1;
}

// So many percent of the entries of [count] buckets, at least one.
static inline uint64_t sct_bucket_percent(uint64_t count, uint64_t percent) {
    uint64_t entries = count * SCT_BUCKET_ENTRIES * percent / 100;
    return entries ? entries : 1;
}

// Where a key belongs among [count] buckets. In a larger table keys have the same order, but for
// those that did not find their place free, so that growing goes through both in one direction.
static inline uint64_t sct_bucket_first(struct digest key, uint64_t count) {
    return (uint64_t)((sct_uint128)key.low * count >> 64);
}

// Where it is looked for next.
static inline uint64_t sct_bucket_next(uint64_t at, uint64_t count) {
    return at + 1 < count ? at + 1 : 0;
}

// The key and the word of entry [place], counted from 0 on.
static inline struct digest *sct_bucket_key(struct sct_bucket *buckets, uint64_t place) {
    return &buckets[place / SCT_BUCKET_ENTRIES].keys[place % SCT_BUCKET_ENTRIES];
}

static inline _Atomic uint32_t *sct_bucket_word(struct sct_bucket *buckets, uint64_t place) {
    return &buckets[place / SCT_BUCKET_ENTRIES].words[place % SCT_BUCKET_ENTRIES];
}

// [bytes] bytes of free entries, with mmap; shared with processes forked from now on, or not. Huge
// pages where there are some: a lookup in small ones of a large table waits for their addresses.
// FAIL_RESOURCE.
void *sct_bucket_map(uint64_t bytes, bool is_shared);

// Makes all entries free of [bytes] bytes so mapped, of which the first [used] were used.
void sct_bucket_clear(struct sct_bucket *buckets, uint64_t used, uint64_t bytes, bool is_shared);

#endif
