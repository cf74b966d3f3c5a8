#define _GNU_SOURCE // MAP_ANONYMOUS
#include "tests/support/failures.h"

#include "core/base/reserve.h"

#include <sys/mman.h>

enum { BYTES = 64 * 1024 * 1024 };

static int watch_failures(void **state) {
    (void)state;
    fail_handler_set(raise_in_test);
    return 0;
}

// Whoever opens and closes something large again and again has one place for it, though others are
// free; and finds zeros there.
static void test_a_place_is_used_again(void **state) {
    (void)state;
    void *other = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(other != MAP_FAILED);
    unsigned char *first = reserve_new(BYTES, false, "a test"), *again = first;
    munmap(other, BYTES);
    for (int i = 0; i < 10; i++) {
        again[i] = 1;
        reserve_free(again, BYTES);
        void *small = reserve_new(4096, false, "a test");
        again = reserve_new(BYTES, false, "a test");
        reserve_free(small, 4096);
        assert_ptr_equal(again, first);
        assert_int_equal(again[i], 0);
    }
    reserve_free(again, BYTES);
}

// Two of one size are two.
static void test_a_place_is_taken_once(void **state) {
    (void)state;
    reserve_free(reserve_new(BYTES, false, "a test"), BYTES);
    char *one = reserve_new(BYTES, false, "a test"), *two = reserve_new(BYTES, true, "a test");
    assert_true(one + BYTES <= two || two + BYTES <= one);
    reserve_free(one, BYTES);
    reserve_free(two, BYTES);
}

static void test_refused_memory_is_a_failure(void **state) {
    (void)state;
    expect_assert_failure(reserve_new(PTRDIFF_MAX, false, "a test"));
    assert_int_equal(failed_as, FAIL_RESOURCE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_place_is_used_again),
        cmocka_unit_test(test_a_place_is_taken_once),
        cmocka_unit_test(test_refused_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, watch_failures, NULL);
}
