#include "core/base/rng.h"

void rng_seed(struct rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        rng->state[i] = rng_mix(seed);
        seed += UINT64_C(0x9e3779b97f4a7c15);
    }
}

uint64_t rng_below64(struct rng *rng, uint64_t count) {
    uint64_t threshold = (uint64_t)(-count) % count;
    uint64_t bits = rng_next(rng);
    while (bits < threshold)
        bits = rng_next(rng);
    return bits % count;
}
