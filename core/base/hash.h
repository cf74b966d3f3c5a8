// xxHash (XXH3), inlined: the only place that includes it. For fingerprints, never for order.
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#endif
#include <xxhash.h>
#ifdef __clang__
#pragma clang diagnostic pop
#endif

// The 64-bit hash of [bytes] bytes; the same on every machine of the same byte order.
static inline uint64_t hash_bytes(const void *data, size_t bytes) {
    return XXH3_64bits(data, bytes);
}

#endif
