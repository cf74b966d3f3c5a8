#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/campaign/seen.h"

static struct sct_seen seen;

static int setup(void **state) {
    (void)state;
    sct_seen_init(&seen);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sct_seen_deinit(&seen);
    return 0;
}

// A fingerprint is new once; 0 is one like others.
static void test_seen_add_tells_new_from_known(void **state) {
    (void)state;
    const uint64_t fingerprints[] = {0, UINT64_MAX, 2, UINT64_C(1) << 63};
    for (size_t i = 0; i < 4; i++) {
        assert_true(sct_seen_add(&seen, fingerprints[i]));
        assert_int_equal(seen.count, i + 1);
    }
    for (size_t i = 0; i < 4; i++)
        assert_false(sct_seen_add(&seen, fingerprints[i]));
    assert_int_equal(seen.count, 4);
}

// 300,000 elements of regular form, which a table without mixing would take badly: the set grows
// and forgets nothing.
static void test_seen_grows_without_forgetting(void **state) {
    (void)state;
    enum { COUNT = 300000 };
    for (uint64_t i = 1; i <= COUNT; i++)
        assert_true(sct_seen_add(&seen, i << 32));
    for (uint64_t i = 1; i <= COUNT; i++)
        assert_false(sct_seen_add(&seen, i << 32));
    assert_int_equal(seen.count, COUNT);
    assert_true(seen.capacity >= 2 * COUNT);
    assert_int_equal(seen.capacity & (seen.capacity - 1), 0);
}

// Random elements below 10,000 and their repetitions: as an array of flags would answer.
static void test_seen_agrees_with_flags(void **state) {
    (void)state;
    static bool flags[10000];
    struct rng rng;
    rng_seed(&rng, 1);
    size_t count = 0;
    for (int i = 0; i < 50000; i++) {
        uint32_t element = 2 + rng_below(&rng, 9998);
        assert_int_equal(sct_seen_add(&seen, element), !flags[element]);
        count += !flags[element];
        flags[element] = true;
    }
    assert_int_equal(seen.count, count);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_seen_add_tells_new_from_known),
        TEST(test_seen_grows_without_forgetting),
        TEST(test_seen_agrees_with_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
