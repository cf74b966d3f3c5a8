#include "tests/support/failures.h"

#include "core/base/arena.h"

enum { SIZE = 1 << 16 };

static int setup(void **state) {
    static struct arena arena;
    arena_init(&arena, SIZE);
    *state = &arena;
    fail_handler_set(raise_in_test);
    return 0;
}

static int teardown(void **state) {
    fail_handler_set(NULL);
    arena_deinit(*state);
    return 0;
}

// Allocations are aligned, disjoint and keep their contents.
static void test_arena_alloc_gives_disjoint_aligned_memory(void **state) {
    char *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = arena_alloc(*state, i);
        assert_int_equal((uintptr_t)blocks[i] % ARENA_ALIGNMENT, 0);
        memset(blocks[i], (int)i, i);
    }
    for (size_t i = 0; i < 64; i++)
        for (size_t byte = 0; byte < i; byte++)
            assert_int_equal(blocks[i][byte], i);
}

// The last byte can be had, the one after it is refused as a limit.
static void test_arena_alloc_fails_exactly_when_full(void **state) {
    arena_alloc(*state, SIZE - 8);
    assert_non_null(arena_alloc(*state, 8));
    expect_assert_failure(arena_alloc(*state, 1));
    assert_int_equal(failed_as, FAIL_LIMIT);
}

// A size near the largest does not wrap around into a small one.
static void test_arena_alloc_refuses_a_size_that_wraps(void **state) {
    expect_assert_failure(arena_alloc(*state, SIZE_MAX));
    expect_assert_failure(arena_alloc(*state, SIZE_MAX - 7));
}

// After a reset to a mark the same addresses are handed out again, and what lies below survives.
static void test_arena_reset_forgets_what_came_after_the_mark(void **state) {
    char *below = arena_alloc(*state, 8);
    memcpy(below, "survive", 8);
    size_t mark = arena_mark(*state);
    void *first = arena_alloc(*state, 24);
    arena_reset(*state, mark);
    assert_ptr_equal(arena_alloc(*state, 24), first);
    assert_string_equal(below, "survive");
}

// A mark of the future is a mistake of the caller.
static void test_arena_reset_refuses_a_mark_above_the_fill(void **state) {
    expect_assert_failure(arena_reset(*state, 8));
    assert_int_equal(failed_as, FAIL_ASSERTION);
}

// Reused memory is zeroed when asked for.
static void test_arena_zalloc_zeroes_reused_memory(void **state) {
    memset(arena_alloc(*state, 32), 0xff, 32);
    arena_reset(*state, 0);
    char *zeroed = arena_zalloc(*state, 32);
    for (int i = 0; i < 32; i++)
        assert_int_equal(zeroed[i], 0);
}

// Texts are copied with their end; NULL stays NULL.
static void test_arena_text_is_copied(void **state) {
    char original[] = "text";
    const char *copy = arena_strdup(*state, original);
    original[0] = 'n';
    assert_string_equal(copy, "text");
    assert_null(arena_strdup(*state, NULL));
    assert_string_equal(arena_printf(*state, "%s-%d", "a", 12), "a-12");
}

#if ARENA_POISONS
// Under AddressSanitizer what was reset, and what was never handed out, is poisoned.
static void test_arena_poisons_what_is_not_handed_out(void **state) {
    char *block = arena_alloc(*state, 8);
    assert_false(__asan_address_is_poisoned(block));
    assert_true(__asan_address_is_poisoned(block + 8));
    arena_reset(*state, 0);
    assert_true(__asan_address_is_poisoned(block));
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arena_alloc_gives_disjoint_aligned_memory, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_arena_alloc_fails_exactly_when_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_arena_alloc_refuses_a_size_that_wraps, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_arena_reset_forgets_what_came_after_the_mark, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_arena_reset_refuses_a_mark_above_the_fill, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_arena_zalloc_zeroes_reused_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_arena_text_is_copied, setup, teardown),
#if ARENA_POISONS
        cmocka_unit_test_setup_teardown(test_arena_poisons_what_is_not_handed_out, setup, teardown),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
