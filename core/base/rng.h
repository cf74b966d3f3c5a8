// Seeded generator with a fixed algorithm: xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded by
// splitmix64. The same seed gives the same numbers on every machine and compiler; tests hold test
// vectors. Not for secrets.
//
// Stability: provisional, for strategies of one's own.
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

// The splitmix64 step: a bijective mixing of 64 bits; also used to derive seeds from seeds.
static inline uint64_t rng_mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void rng_seed(struct rng *rng, uint64_t seed);

static inline uint64_t rng_rotate_(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

// What the next number will be.
static inline uint64_t rng_peek_(const struct rng *rng) {
    return rng_rotate_(rng->state[1] * 5, 7) * 9;
}

static inline void rng_step_(struct rng *rng) {
    uint64_t *s = rng->state;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate_(s[3], 45);
}

// 64 fair bits.
static inline uint64_t rng_next(struct rng *rng) {
    uint64_t result = rng_peek_(rng);
    rng_step_(rng);
    return result;
}

// The rest of the next: whether the draw [product] is one of those that would make some numbers
// likelier, in which case it is drawn anew.
__attribute__((unused, noinline, cold)) static uint32_t
rng_below_rarely_(struct rng *rng, uint32_t count, uint64_t product) {
    uint32_t threshold = (uint32_t)(-count) % count;
    while ((uint32_t)product < threshold)
        product = (rng_next(rng) >> 32) * count;
    return (uint32_t)(product >> 32);
}

// Uniform in 0 .. [count]-1, without bias (Lemire 2019, multiply and reject). [count] >= 1.
static inline uint32_t rng_below(struct rng *rng, uint32_t count) {
    uint64_t product = (rng_next(rng) >> 32) * count;
    if (__builtin_expect((uint32_t)product < count, 0))
        return rng_below_rarely_(rng, count, product);
    return (uint32_t)(product >> 32);
}

// The same into [drawn], if one number is enough for it, as nearly always; else false, and nothing
// was drawn. It calls nothing, so that whoever can do without has no registers to keep.
static inline bool rng_below_at_once(struct rng *rng, uint32_t count, uint32_t *drawn) {
    uint64_t product = (rng_peek_(rng) >> 32) * count;
    if (__builtin_expect((uint32_t)product < count, 0))
        return false;
    rng_step_(rng);
    *drawn = (uint32_t)(product >> 32);
    return true;
}

// Uniform in 0 .. [count]-1 for counts beyond 32 bits. [count] >= 1.
uint64_t rng_below64(struct rng *rng, uint64_t count);

// Uniform in [0, 1) with 53 bits.
static inline double rng_unit(struct rng *rng) {
    return (double)(rng_next(rng) >> 11) / 9007199254740992 /* 2^53 */;
}

#endif
