#include "tests/support/test.h"

#include "core/campaign/statistics.h"

#include <math.h>

static void assert_near(double actual, double expected, double relative_error) {
    if (fabs(actual - expected) > relative_error * fabs(expected))
        fail_msg("%.12g, expected %.12g", actual, expected);
}

// Bounds of Clopper and Pearson, computed from the binomial sums in 50 decimal digits.
static void test_rate_fixed_gives_table_values(void **state) {
    (void)state;
    const struct {
        uint64_t failures, runs;
        double low, high;
    } table[] = {
        {1, 1, 0.025, 1},
        {1, 10, 0.00252857854446, 0.445016117028},
        {5, 10, 0.187086028447, 0.812913971553},
        {9, 10, 0.554983882972, 0.997471421456},
        {10, 10, 0.691502892181, 1},
        {5, 100, 0.0164318791821, 0.112834911105},
        {50, 100, 0.398321129503, 0.601678870497},
        {3, 1000, 0.00061909993165, 0.00874202323848},
        {500, 1000, 0.468549172972, 0.531450827028},
        {2000, 4000, 0.484384902305, 0.515615097695},
        {7, 12345, 0.00022800536739, 0.00116794975389},
        {1, 100000, 2.53178047793e-07, 5.57151603477e-05},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sct_rate rate = sct_rate_fixed(table[i].failures, table[i].runs);
        assert_near(rate.estimate, (double)table[i].failures / (double)table[i].runs, 1e-15);
        assert_near(rate.low95, table[i].low, 1e-9);
        assert_near(rate.high95, table[i].high, 1e-9);
    }
}

// Without failures the upper bound is one-sided: the rate at which [runs] runs all pass once in
// twenty times.
static void test_rate_fixed_without_failures_is_one_sided(void **state) {
    (void)state;
    assert_near(sct_rate_fixed(0, 10).high95, 0.258865550893, 1e-9);
    assert_near(sct_rate_fixed(0, 1).high95, 0.95, 1e-12);
    // The "rule of three", with all its digits where 1 - 0.05^(1/n) has none left in plain terms.
    assert_near(sct_rate_fixed(0, UINT64_C(1000000000000)).high95, 2.99573227355e-12, 1e-9);
    for (uint64_t runs = 1; runs < 5000; runs = runs * 3 / 2 + 1) {
        struct sct_rate rate = sct_rate_fixed(0, runs);
        assert_true(rate.estimate <= 0 && rate.low95 <= 0);
        assert_near(pow(1 - rate.high95, (double)runs), 0.05, 1e-9);
    }
}

// P(X <= failures) of [runs] executions of rate [p].
static double binomial(uint64_t failures, uint64_t runs, double p) {
    double sum = 0, n = (double)runs;
    for (uint64_t i = 0; i <= failures; i++) {
        double x = (double)i;
        sum += exp(lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1) + x * log(p) +
                   (n - x) * log1p(-p));
    }
    return sum;
}

// The bounds fulfil their definition: each tail has 2.5 %.
static void test_rate_fixed_fulfils_its_definition(void **state) {
    (void)state;
    for (uint64_t runs = 2; runs <= 300; runs += 37) {
        for (uint64_t failures = 1; failures < runs; failures += 1 + runs / 17) {
            struct sct_rate rate = sct_rate_fixed(failures, runs);
            assert_near(1 - binomial(failures - 1, runs, rate.low95), 0.025, 1e-8);
            assert_near(binomial(failures, runs, rate.high95), 0.025, 1e-8);
        }
    }
}

// More failures mean a higher rate, more runs of the same outcome a narrower interval; the estimate
// lies inside.
static void test_rate_fixed_is_monotone(void **state) {
    (void)state;
    struct sct_rate previous = sct_rate_fixed(0, 200);
    for (uint64_t failures = 1; failures <= 200; failures++) {
        struct sct_rate rate = sct_rate_fixed(failures, 200);
        assert_true(rate.low95 > previous.low95 && rate.high95 > previous.high95);
        assert_true(rate.low95 < rate.estimate && rate.estimate <= rate.high95);
        previous = rate;
    }
    for (uint64_t runs = 10; runs < UINT64_C(10000000000); runs *= 10) {
        struct sct_rate few = sct_rate_fixed(runs / 10, runs);
        struct sct_rate many = sct_rate_fixed(runs, runs * 10);
        assert_true(many.low95 > few.low95 && many.high95 < few.high95);
    }
}

// Far beyond tables the interval is the normal one: half a milliard failures in a milliard.
static void test_rate_fixed_is_exact_for_large_counts(void **state) {
    (void)state;
    struct sct_rate rate = sct_rate_fixed(500000000, 1000000000);
    double deviation = sqrt(0.25 / 1e9);
    assert_near(rate.high95 - 0.5, 1.959963984540 * deviation, 1e-4);
    assert_near(0.5 - rate.low95, 1.959963984540 * deviation, 1e-4);
}

// Inverse sampling: at the lower bound a first failure so early, at the upper one so late, has the
// probability 2.5 %: P(N <= n) = 1 - (1-p)^n and P(N >= n) = (1-p)^(n-1).
static void test_rate_until_first_fulfils_its_definition(void **state) {
    (void)state;
    for (uint64_t runs = 2; runs < 1000000; runs = runs * 2 + 1) {
        struct sct_rate rate = sct_rate_until_first(runs);
        double n = (double)runs;
        assert_near(rate.estimate, 1 / n, 1e-15);
        assert_near(-expm1(n * log1p(-rate.low95)), 0.025, 1e-9);
        assert_near(exp((n - 1) * log1p(-rate.high95)), 0.025, 1e-9);
        assert_true(rate.low95 < rate.estimate && rate.estimate < rate.high95);
    }
    struct sct_rate at_once = sct_rate_until_first(1);
    assert_near(at_once.low95, 0.025, 1e-12);
    assert_near(at_once.high95, 1, 1e-15);
}

// A later first failure means a lower rate, in all three numbers.
static void test_rate_until_first_is_monotone(void **state) {
    (void)state;
    struct sct_rate previous = sct_rate_until_first(1);
    for (uint64_t runs = 2; runs < 1000; runs++) {
        struct sct_rate rate = sct_rate_until_first(runs);
        assert_true(rate.low95 < previous.low95);
        assert_true(rate.estimate < previous.estimate);
        assert_true(rate.high95 < previous.high95);
        previous = rate;
    }
}

// All [runs] miss a failure of this rate with (1-rate)^runs.
static void test_miss_probability_is_a_power(void **state) {
    (void)state;
    assert_near(sct_miss_probability(0.5, 10), 1 / 1024.0, 1e-12);
    assert_near(sct_miss_probability(0.001, 1000), 0.367695424771, 1e-9);
    assert_near(sct_miss_probability(1e-12, 1000000), 0.999999000000, 1e-9);
    assert_near(sct_miss_probability(0, 1000), 1, 1e-15);
    assert_near(sct_miss_probability(0.3, 0), 1, 1e-15);
    assert_true(sct_miss_probability(1, 1) <= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_fixed_gives_table_values),
        cmocka_unit_test(test_rate_fixed_without_failures_is_one_sided),
        cmocka_unit_test(test_rate_fixed_fulfils_its_definition),
        cmocka_unit_test(test_rate_fixed_is_monotone),
        cmocka_unit_test(test_rate_fixed_is_exact_for_large_counts),
        cmocka_unit_test(test_rate_until_first_fulfils_its_definition),
        cmocka_unit_test(test_rate_until_first_is_monotone),
        cmocka_unit_test(test_miss_probability_is_a_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
