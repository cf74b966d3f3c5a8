#include "tests/support/test.h"

#include "core/memory/clock.h"

static struct arena arena;

static int open_arena(void **state) {
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

// What is not there is before every epoch, whatever the lengths.
static void test_clock_is_zero_beyond_its_end(void **state) {
    (void)state;
    struct sct_clock clock = {0};
    assert_int_equal(sct_clock_at(&clock, 0), 0);
    assert_false(sct_clock_has(&clock, 900, 1));
    sct_clock_set(&clock, &arena, 9, 4);
    assert_int_equal(sct_clock_at(&clock, 9), 4);
    assert_int_equal(sct_clock_at(&clock, 8), 0);
    assert_int_equal(sct_clock_at(&clock, 1000), 0);
    assert_true(sct_clock_has(&clock, 9, 4));
    assert_false(sct_clock_has(&clock, 9, 5));
}

// A join is the greater of both everywhere, for the shorter and the longer one.
static void test_clock_joins(void **state) {
    (void)state;
    for (int is_long_first = 0; is_long_first < 2; is_long_first++) {
        struct sct_clock first = {0}, second = {0};
        sct_clock_set(&first, &arena, 0, 3);
        sct_clock_set(&first, &arena, 1, 1);
        sct_clock_set(&second, &arena, 1, 2);
        sct_clock_set(&second, &arena, 40, 7);
        struct sct_clock *to = is_long_first ? &second : &first;
        sct_clock_join(to, &arena, is_long_first ? &first : &second);
        assert_int_equal(sct_clock_at(to, 0), 3);
        assert_int_equal(sct_clock_at(to, 1), 2);
        assert_int_equal(sct_clock_at(to, 2), 0);
        assert_int_equal(sct_clock_at(to, 40), 7);
    }
}

static void test_clock_copy_is_its_own(void **state) {
    (void)state;
    struct sct_clock clock = {0};
    assert_int_equal(sct_clock_copy(&clock, &arena).length, 0);
    sct_clock_set(&clock, &arena, 2, 5);
    struct sct_clock copy = sct_clock_copy(&clock, &arena);
    sct_clock_set(&clock, &arena, 2, 6);
    assert_int_equal(sct_clock_at(&copy, 2), 5);
}

// Keeps what it had when it becomes longer.
static void test_clock_grows(void **state) {
    (void)state;
    struct sct_clock clock = {0};
    for (uint32_t i = 0; i < SCT_THREADS_MAX; i++)
        sct_clock_set(&clock, &arena, i, i + 1);
    for (uint32_t i = 0; i < SCT_THREADS_MAX; i++)
        assert_int_equal(sct_clock_at(&clock, i), i + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_is_zero_beyond_its_end),
        cmocka_unit_test(test_clock_joins),
        cmocka_unit_test(test_clock_copy_is_its_own),
        cmocka_unit_test(test_clock_grows),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
