#include "core/base/rng.h"
#include "core/base/assert.h"

void rng_seed(struct rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        // As the authors advise: another generator, so that seeds that are alike give states that
        // are not.
        rng->state[i] = rng_mix(seed);
        // The increment of splitmix64, which rng_mix adds as well: so these are the first four
        // words of that generator's own sequence.
        seed += UINT64_C(0x9e3779b97f4a7c15);
    }
    // All zero is the one state that the generator never leaves. rng_mix is a bijection, so that at
    // most one word is zero.
    ASSERT(rng->state[0] | rng->state[1]);
}

uint64_t rng_below64(struct rng *rng, uint64_t count) {
    ASSERT(count >= 1);
    // 2^64 mod count: numbers below it would make the first remainders likelier, and are drawn
    // anew.
    uint64_t threshold = (uint64_t)(-count) % count;
    uint64_t bits = rng_next(rng);
    while (bits < threshold)
        bits = rng_next(rng);
    return bits % count;
}
