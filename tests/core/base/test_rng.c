#include "tests/support/test.h"

#include "core/base/rng.h"

// splitmix64 from the state 0: the stream of the published reference, also computed with Python's
// unbounded integers. rng_mix(x) is the output from the state x.
static void test_rng_mix_is_splitmix64(void **state) {
    (void)state;
    const uint64_t from_zero[] = {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
                                  UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec)};
    for (uint64_t i = 0; i < 4; i++)
        assert_true(rng_mix(i * UINT64_C(0x9e3779b97f4a7c15)) == from_zero[i]);
    assert_true(rng_mix(1234567) == UINT64_C(6457827717110365317));
}

// xoshiro256** from the state 1, 2, 3, 4, computed with Python's unbounded integers.
static void test_rng_next_is_xoshiro256starstar(void **state) {
    (void)state;
    const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct rng rng = {.state = {1, 2, 3, 4}};
    for (int i = 0; i < 10; i++)
        assert_true(rng_next(&rng) == expected[i]);
}

// Seeding fills the state with the first four outputs of splitmix64; the 1st to 3rd and the 1000th
// number of two seeds, computed with Python.
static void test_rng_seed_gives_fixed_streams(void **state) {
    (void)state;
    const struct {
        uint64_t seed, first[3], thousandth;
    } streams[] = {
        {0,
         {UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a), UINT64_C(0x1a5f849d4933e6e0)},
         UINT64_C(0x7aac8c483a2edd2f)},
        {42,
         {UINT64_C(0x15780b2e0c2ec716), UINT64_C(0x6104d9866d113a7e), UINT64_C(0xae17533239e499a1)},
         UINT64_C(0x8de5848c61ab8968)},
    };
    for (int i = 0; i < 2; i++) {
        struct rng rng;
        rng_seed(&rng, streams[i].seed);
        for (int j = 0; j < 3; j++)
            assert_true(rng_next(&rng) == streams[i].first[j]);
        for (int j = 3; j < 999; j++)
            rng_next(&rng);
        assert_true(rng_next(&rng) == streams[i].thousandth);
    }
}

enum { DRAWS = 200000, CELLS_MAX = 32 };

// Chi-square of [cells] equally likely cells.
static double chi_square(const int *seen, int cells) {
    double expected = (double)DRAWS / cells;
    double sum = 0;
    for (int i = 0; i < cells; i++)
        sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    return sum;
}

// The mean of chi-square is cells - 1 and its deviation sqrt(2 (cells - 1)); with fixed seeds the
// test is no gamble, and a bound of mean + 5 deviations (12.3 for 2 cells, 70.4 for 32) leaves
// room.
static void assert_fair(const int *seen, int cells) {
    double degrees = cells - 1;
    double excess = chi_square(seen, cells) - degrees;
    assert_true(excess <= 0 || excess * excess <= 25 * 2 * degrees);
}

// All answers below a small count come equally often.
static void test_rng_below_is_uniform(void **state) {
    (void)state;
    for (uint32_t count = 2; count <= CELLS_MAX; count++) {
        struct rng rng;
        rng_seed(&rng, count);
        int seen[CELLS_MAX] = {0};
        int seen64[CELLS_MAX] = {0};
        for (int i = 0; i < DRAWS; i++) {
            seen[rng_below(&rng, count)]++;
            seen64[rng_below64(&rng, count)]++;
        }
        assert_fair(seen, (int)count);
        assert_fair(seen64, (int)count);
    }
}

// With count = 3 * 2^30 a plain multiplication gives every third answer twice the chance; with
// rejection the answers modulo 3 are equally likely.
static void test_rng_below_rejects_the_bias_of_large_counts(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    int seen[3] = {0};
    for (int i = 0; i < DRAWS; i++)
        seen[rng_below(&rng, UINT32_C(3) << 30) % 3]++;
    assert_fair(seen, 3);
}

// What it draws is what rng_below draws; or it draws nothing. With that count it often does not.
static void test_rng_below_at_once_draws_the_same_or_nothing(void **state) {
    (void)state;
    const uint32_t count = UINT32_C(3) << 30;
    struct rng rng;
    rng_seed(&rng, 7);
    int drawn_count = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct rng before = rng, other = rng;
        uint32_t drawn, expected = rng_below(&other, count);
        bool is_drawn = rng_below_at_once(&rng, count, &drawn);
        assert_true(!is_drawn || drawn == expected);
        assert_memory_equal(&rng, is_drawn ? &other : &before, sizeof rng);
        drawn_count += is_drawn;
        rng = other;
    }
    assert_in_range(drawn_count, DRAWS / 5, DRAWS / 3); // a fourth
}

// With count = 3 * 2^62 a plain remainder gives the first third twice the chance.
static void test_rng_below64_rejects_the_bias_of_large_counts(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    int seen[3] = {0};
    for (int i = 0; i < DRAWS; i++)
        seen[rng_below64(&rng, UINT64_C(3) << 62) >> 62]++;
    assert_fair(seen, 3);
}

// The only number below 1 is 0.
static void test_rng_below_one_is_zero(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rng_below(&rng, 1), 0);
        assert_int_equal(rng_below64(&rng, 1), 0);
    }
}

// Units lie in [0, 1) and fill ten equal cells equally.
static void test_rng_unit_is_uniform(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3);
    int seen[10] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double unit = rng_unit(&rng);
        assert_true(unit >= 0 && unit < 1);
        seen[(int)(unit * 10)]++;
    }
    assert_fair(seen, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_mix_is_splitmix64),
        cmocka_unit_test(test_rng_next_is_xoshiro256starstar),
        cmocka_unit_test(test_rng_seed_gives_fixed_streams),
        cmocka_unit_test(test_rng_below_is_uniform),
        cmocka_unit_test(test_rng_below_rejects_the_bias_of_large_counts),
        cmocka_unit_test(test_rng_below_at_once_draws_the_same_or_nothing),
        cmocka_unit_test(test_rng_below64_rejects_the_bias_of_large_counts),
        cmocka_unit_test(test_rng_below_one_is_zero),
        cmocka_unit_test(test_rng_unit_is_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
