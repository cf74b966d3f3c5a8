#include "tests/support/test.h"

#include "core/base/clock.h"

// It never goes back, and it goes on: by steps that are far below a second.
static void test_goes_forward(void **state) {
    (void)state;
    double start = clock_seconds(), previous = start, now;
    assert_true(start > 0);
    do {
        now = clock_seconds();
        assert_true(now >= previous);
        previous = now;
    } while (now == start);
}

// Both are the same clock.
static void test_units_agree(void **state) {
    (void)state;
    double before = clock_seconds(), between = (double)clock_nanoseconds() * 1e-9;
    double after = clock_seconds();
    assert_true(before - 1e-6 <= between && between <= after + 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_goes_forward),
                                       cmocka_unit_test(test_units_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
