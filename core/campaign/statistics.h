// What a campaign's counts say: exact confidence bounds for a rate of failure.
#ifndef CORE_CAMPAIGN_STATISTICS_H
#define CORE_CAMPAIGN_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

struct sct_rate {
    double estimate;
    double low95, high95;
};

// [failures] in [runs] >= 1 independent executions, all of which were meant to be run: the
// two-sided 95 % interval of Clopper and Pearson (Biometrika 26, 1934). Without failures high95 is
// the exact one-sided bound 1 - 0.05^(1/runs), and low95 is 0.
struct sct_rate sct_rate_fixed(uint64_t failures, uint64_t runs);

// The first failure came at run number [runs] and ended the campaign (inverse sampling, geometric
// distribution): the two-sided 95 % interval.
struct sct_rate sct_rate_until_first(uint64_t runs);

// The probability that [runs] executions all miss a failure of rate [rate].
double sct_miss_probability(double rate, uint64_t runs);

#endif
