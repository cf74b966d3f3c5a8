#include "core/campaign/sketch.h"
#include "core/base/assert.h"

#include <math.h>
#include <string.h>

enum {
    RANK_BITS = 64 - SCT_SKETCH_BITS,
    RANK_MAX = RANK_BITS + 1, // of a hash that is 0 behind the register's number
};

void sct_sketch_add(struct sct_sketch *sketch, uint64_t hash) {
    uint64_t rest = hash << SCT_SKETCH_BITS;
    // The place of the first 1: place r has one hash in 2^r, so the greatest tells how many there
    // were, and a second time of the same hash changes nothing.
    int rank = rest == 0 ? RANK_MAX : __builtin_clzll(rest) + 1;
    uint8_t *place = &sketch->registers[hash >> RANK_BITS];
    ASSERT(rank >= 1 && rank <= RANK_MAX);
    if (*place < rank)
        *place = (uint8_t)rank;
}

void sct_sketch_unite(struct sct_sketch *sketch, const struct sct_sketch *other) {
    for (int i = 0; i < SCT_SKETCH_REGISTERS; i++)
        if (sketch->registers[i] < other->registers[i])
            sketch->registers[i] = other->registers[i];
}

// Ertl's corrections for registers that are still 0, and for those that can grow no more: series
// that converge, summed until a further term changes nothing.
static double correction_of_empty(double x) {
    double y = 1, z = x, last;
    ASSERT(x < 1);
    do {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    } while (z != last);
    return z;
}

static double correction_of_full(double x) {
    double y = 1, z = 1 - x, last;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        last = z;
        y /= 2;
        z -= (1 - x) * (1 - x) * y;
    } while (z != last);
    return z / 3;
}

uint64_t sct_sketch_estimate(const struct sct_sketch *sketch) {
    const double all = SCT_SKETCH_REGISTERS, twice_ln_2 = 1.3862943611198906;
    double counts[RANK_MAX + 1] = {0};
    for (int i = 0; i < SCT_SKETCH_REGISTERS; i++) {
        ASSERT(sketch->registers[i] <= RANK_MAX);
        counts[sketch->registers[i]]++;
    }
    if (counts[0] == all)
        return 0;
    double sum = all * correction_of_full(1 - counts[RANK_MAX] / all);
    // The sum over all registers of 2^-rank, by Horner's rule; its terms for the ranks 0 and
    // RANK_MAX are the two corrections.
    for (int rank = RANK_BITS; rank >= 1; rank--)
        sum = (sum + counts[rank]) / 2;
    sum += all * correction_of_empty(counts[0] / all);
    // The harmonic mean of 2^rank, for each register, by the factor that takes its bias off where
    // there are many of them: 1 / (2 ln 2).
    double estimate = all * all / (twice_ln_2 * sum) + 0.5;
    // Where all registers are full there is no end.
    return estimate < 0x1p63 ? (uint64_t)estimate : UINT64_MAX;
}

// From '#' on, where 51 further ones have neither '"' nor '\\' among them.
enum { FIRST_CHARACTER = '#' };

void sct_sketch_write(const struct sct_sketch *sketch, char text[SCT_SKETCH_REGISTERS + 1]) {
    _Static_assert(FIRST_CHARACTER + RANK_MAX < '\\', "no escapes");
    for (int i = 0; i < SCT_SKETCH_REGISTERS; i++)
        text[i] = (char)(FIRST_CHARACTER + sketch->registers[i]);
    text[SCT_SKETCH_REGISTERS] = '\0';
}

bool sct_sketch_read(struct sct_sketch *sketch, const char *text) {
    if (strlen(text) != SCT_SKETCH_REGISTERS)
        return false;
    for (int i = 0; i < SCT_SKETCH_REGISTERS; i++) {
        if (text[i] < FIRST_CHARACTER || text[i] > FIRST_CHARACTER + RANK_MAX)
            return false;
        sketch->registers[i] = (uint8_t)(text[i] - FIRST_CHARACTER);
    }
    return true;
}
