// How many different fingerprints there were, by estimate, in a memory that does not grow:
// HyperLogLog (Flajolet and others 2007) of 64-bit hashes, read by Ertl's estimator (2017), which
// is right for few and many alike.
//
// A sketch is a function of the set of what was added: neither the order nor repetitions matter,
// and that of two sets together is got from theirs. So parts of a campaign have the estimate of the
// whole, however it was divided. The standard error is 0.8 %.
#ifndef CORE_CAMPAIGN_SKETCH_H
#define CORE_CAMPAIGN_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

enum { SCT_SKETCH_BITS = 14, SCT_SKETCH_REGISTERS = 1 << SCT_SKETCH_BITS };

struct sct_sketch {
    uint8_t registers[SCT_SKETCH_REGISTERS]; // empty: all 0
};

// [hash] is of good quality: all of its bits are used as if they were random.
void sct_sketch_add(struct sct_sketch *sketch, uint64_t hash);

// Makes [sketch] the one of both sets.
void sct_sketch_unite(struct sct_sketch *sketch, const struct sct_sketch *other);

uint64_t sct_sketch_estimate(const struct sct_sketch *sketch);

// As text, a printable character for each register, without quotes or backslashes; and back. False
// if [text] is no sketch.
void sct_sketch_write(const struct sct_sketch *sketch, char text[SCT_SKETCH_REGISTERS + 1]);
bool sct_sketch_read(struct sct_sketch *sketch, const char *text);

#endif
