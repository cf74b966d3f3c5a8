// Judging counts of random events. Seeds in tests are fixed, so no test is a gamble: a bound of
// five deviations separates "as it should be" (fewer than 1 in 10^6 seeds beyond it) from a defect.
#ifndef TESTS_SUPPORT_CHANCE_H
#define TESTS_SUPPORT_CHANCE_H

#include "tests/support/test.h"

#include <math.h>
#include <stdbool.h>

static inline double chance_deviation(double runs, double probability) {
    return sqrt(runs * probability * (1 - probability));
}

// [hits] in [runs] is what an event of exactly this probability gives.
static inline void assert_chance(uint64_t hits, uint64_t runs, double probability) {
    double expected = (double)runs * probability;
    double excess = fabs((double)hits - expected);
    double allowed = 5 * chance_deviation((double)runs, probability);
    if (excess > allowed)
        fail_msg("%llu hits in %llu runs, expected %.1f +- %.1f", (unsigned long long)hits,
                 (unsigned long long)runs, expected, allowed);
}

// [hits] in [runs] does not refute that the event has at least this probability.
static inline void assert_chance_at_least(uint64_t hits, uint64_t runs, double probability) {
    double expected = (double)runs * probability;
    double allowed = 5 * chance_deviation((double)runs, probability);
    if ((double)hits < expected - allowed)
        fail_msg("%llu hits in %llu runs, expected at least %.1f - %.1f", (unsigned long long)hits,
                 (unsigned long long)runs, expected, allowed);
}

// Chi-square of [cells] counts that should be equal.
static inline double chi_square(const uint64_t *seen, uint32_t cells) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < cells; i++)
        total += seen[i];
    double expected = (double)total / cells;
    double sum = 0;
    for (uint32_t i = 0; i < cells; i++)
        sum += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
    return sum;
}

// Whether chi-square is less than five deviations above its mean: [cells] - 1 with the deviation
// sqrt(2 ([cells] - 1)).
static inline bool chi_square_fits(double statistic, uint32_t cells) {
    double degrees = cells - 1.0;
    return statistic <= degrees + 5 * sqrt(2 * degrees);
}

static inline void assert_uniform(const uint64_t *seen, uint32_t cells) {
    double statistic = chi_square(seen, cells);
    if (!chi_square_fits(statistic, cells))
        fail_msg("chi-square %.1f over %u cells", statistic, cells);
}

#endif
