#include "tests/support/test.h"

#include "core/campaign/marks.h"

#include <string.h>

static void reach_b(void) {
    MARK("b");
}

static void reach_a(void) {
    MARK("a");
}

static void reach_b_elsewhere(void) {
    MARK("b");
}

static void reach_uncounted(void) {
    MARK("uncounted");
}

static int stop_counting(void **state) {
    (void)state;
    sct_marks_count(false);
    sct_marks_reset();
    return 0;
}

// What is reached while nothing counts leaves no trace.
static void test_mark_counts_only_while_counting(void **state) {
    (void)state;
    reach_a();
    reach_uncounted();
    sct_marks_count(true);
    reach_a();
    reach_a();
    sct_marks_count(false);
    reach_a();
    assert_int_equal(sct_marks_reached("a"), 2);
    assert_int_equal(sct_marks_reached("uncounted"), 0);
    assert_int_equal(sct_marks_reached("unknown"), 0);
}

// Marks are listed by name, in whatever order they were reached; places of one name add up.
static void test_marks_are_listed_by_name(void **state) {
    (void)state;
    sct_marks_count(true);
    reach_b();
    reach_a();
    reach_b_elsewhere();
    const struct sct_mark *first = sct_marks_next(NULL);
    assert_string_equal(first->name, "a");
    assert_string_equal(sct_marks_next(first)->name, "b");
    assert_string_equal(sct_marks_next(sct_marks_next(first))->name, "b");
    assert_int_equal(sct_marks_reached("b"), 2);
    sct_marks_reset();
    assert_int_equal(sct_marks_reached("b"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_mark_counts_only_while_counting, stop_counting),
        cmocka_unit_test_teardown(test_marks_are_listed_by_name, stop_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
