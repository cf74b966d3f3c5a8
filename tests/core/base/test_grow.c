#include "tests/support/failures.h"

#include "core/base/grow.h"

#include <stdlib.h>
#include <string.h>

// What is refused is NULL under AddressSanitizer too.
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

// A compiler may leave out memory that goes nowhere.
static void *volatile looked_at;

static int watch_failures(void **state) {
    (void)state;
    fail_handler_set(raise_in_test);
    return 0;
}

// What is new is zero, also where nothing is asked for: it can be freed and is not NULL.
static void test_new_is_zero(void **state) {
    (void)state;
    for (size_t count = 0; count < 100; count++) {
        unsigned char *bytes = grow_new(count, 3, "a test");
        assert_non_null(bytes);
        for (size_t i = 0; i < 3 * count; i++)
            assert_int_equal(bytes[i], 0);
        free(bytes);
    }
}

// GROW keeps the contents, and n elements one by one need about log2(n) moves.
static void test_grow_keeps_and_doubles(void **state) {
    (void)state;
    enum { COUNT = 10000 };
    uint64_t *numbers = NULL;
    uint32_t capacity = 0, moves = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t before = capacity;
        GROW(numbers, i + 1, capacity, "a test");
        assert_true(capacity > i);
        moves += capacity != before;
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(numbers[i], i);
    assert_int_equal(moves, 9); // 64 * 2^8 >= 10000
    free(numbers);
}

// A step of many elements is taken at once, and no more than that.
static void test_grow_reaches_far(void **state) {
    (void)state;
    char *bytes = NULL;
    uint32_t capacity = 0;
    GROW(bytes, 1000, capacity, "a test");
    assert_int_equal(capacity, 1000);
    GROW(bytes, 1001, capacity, "a test");
    assert_int_equal(capacity, 2000);
    memset(bytes, 'x', capacity);
    free(bytes);
}

static void test_text_is_copied(void **state) {
    (void)state;
    char text[] = "text";
    char *copy = grow_text(text, "a test");
    text[0] = 'x';
    assert_string_equal(copy, "text");
    free(copy);
    assert_null(grow_text(NULL, "a test"));
}

// More than there is, sizes that do not fit into a size_t and counts that do not fit into the
// capacity are all failed_with in one form.
static void test_refusals_are_failed_with(void **state) {
    (void)state;
    expect_assert_failure(looked_at = grow_new(PTRDIFF_MAX / 2, 2, "a huge test"));
    char expected[64];
    snprintf(expected, sizeof expected, "out of memory: %zu bytes for a huge test",
             (size_t)PTRDIFF_MAX - 1);
    assert_string_equal(failed_with, expected);
    expect_assert_failure(looked_at = grow_to(NULL, SIZE_MAX / 2 + 2, 2, "a wrapping test"));
    snprintf(expected, sizeof expected, "out of memory: %zu bytes for a wrapping test", SIZE_MAX);
    assert_string_equal(failed_with, expected);
    uint32_t capacity = 0;
    expect_assert_failure(grow_room(NULL, (size_t)UINT32_MAX + 1, &capacity, 1, "a long test"));
    assert_string_equal(failed_with, "out of memory: 4294967296 bytes for a long test");
    assert_int_equal(capacity, 0);
    expect_assert_failure(grow_failed(0, "the test"));
    assert_string_equal(failed_with, "out of memory: the test");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_zero),
        cmocka_unit_test(test_grow_keeps_and_doubles),
        cmocka_unit_test(test_grow_reaches_far),
        cmocka_unit_test(test_text_is_copied),
        cmocka_unit_test(test_refusals_are_failed_with),
    };
    return cmocka_run_group_tests(tests, watch_failures, NULL);
}
