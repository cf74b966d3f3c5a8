#define _DEFAULT_SOURCE // lgamma_r
#include "core/campaign/statistics.h"
#include "core/base/assert.h"

#include <math.h>

enum { BISECTIONS = 200, FRACTION_TERMS = 500 };

// The continued fraction of the incomplete beta function (Lentz's method).
static double beta_fraction(double a, double b, double x) {
    ASSERT(a > 0);
    ASSERT(b > 0);
    const double tiny = 1e-300;
    // The terms are those of Numerical Recipes, 6.4.
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double result = d;
    for (int m = 1; m <= FRACTION_TERMS; m++) {
        // A term for every whole and half step; [tiny] keeps a denominator that vanishes from
        // dividing by 0.
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + even * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + even / c;
        c = fabs(c) < tiny ? tiny : c;
        result *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + odd * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + odd / c;
        c = fabs(c) < tiny ? tiny : c;
        result *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return result;
}

// Not lgamma, which writes the sign to a variable of the library: a program under control has the
// same library, and what it changes there is compared (harness/programs/start.c).
static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

// The regularised incomplete beta function: the distribution function of Beta(a, b) at x.
static double beta_distribution(double a, double b, double x) {
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    // By logarithms: of a million runs the gamma function itself is beyond every double.
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    // The fraction converges quickly on this side of the mean; on the other the distribution's
    // mirror image is computed.
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

static double beta_quantile(double a, double b, double probability) {
    ASSERT(probability > 0);
    ASSERT(probability < 1);
    // Bisection: the distribution function grows, and 200 halvings leave nothing of a double.
    double low = 0, high = 1;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (beta_distribution(a, b, middle) < probability)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

struct sct_rate sct_rate_fixed(uint64_t failures, uint64_t runs) {
    ASSERT(runs >= 1);
    ASSERT(failures <= runs);
    double x = (double)failures, n = (double)runs;
    struct sct_rate rate = {.estimate = x / n, .low95 = 0, .high95 = 1};
    if (failures == 0) {
        // Exact and one-sided, 1 - 0.05^(1/n), without cancellation for a large n.
        rate.high95 = -expm1(log(0.05) / n);
        return rate;
    }
    // Clopper and Pearson: the rates at which so few, or so many, have a probability of 2.5 %.
    rate.low95 = beta_quantile(x, n - x + 1, 0.025);
    if (failures < runs)
        rate.high95 = beta_quantile(x + 1, n - x, 0.975);
    return rate;
}

struct sct_rate sct_rate_until_first(uint64_t runs) {
    ASSERT(runs >= 1);
    // The number of runs until the first failure is geometric: the bounds are the rates at which so
    // few, or so many, have a probability of 2.5 %, in closed form.
    double n = (double)runs;
    return (struct sct_rate){
        .estimate = 1 / n,
        .low95 = -expm1(log(0.975) / n),
        // A single run says nothing against any rate, however high.
        .high95 = runs == 1 ? 1 : -expm1(log(0.025) / (n - 1)),
    };
}

double sct_miss_probability(double rate, uint64_t runs) {
    ASSERT(rate >= 0);
    if (rate >= 1)
        return runs == 0;
    // (1 - rate)^runs; log1p keeps a rate of 1e-9, which 1 - rate would round away.
    return exp((double)runs * log1p(-rate));
}
