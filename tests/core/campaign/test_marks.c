#include "tests/support/test.h"

#include "core/campaign/marks.h"

#include <stdio.h>
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

enum { MANY = 1 << 14 };

// Listed in any order, and added by name by other processes: some 14 comparisons for each of 2^14
// marks to sort them, and a few to find each. An ordered list would take 2^27.
static void test_marks_many_take_few_comparisons(void **state) {
    (void)state;
    static struct sct_mark marks[MANY];
    static char names[MANY][16];
    uint64_t before = sct_marks_comparisons();
    sct_marks_count(true);
    for (uint32_t i = 0; i < MANY; i++) {
        // An odd factor: each number once, and not in order.
        snprintf(names[i], sizeof names[i], "many %05u", i * 7919 % MANY);
        marks[i].name = names[i];
        sct_mark_reach(&marks[i]);
    }
    char name[16];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 2 * MANY; i++) { // half of them are new the first time
            snprintf(name, sizeof name, "many %05u", i);
            sct_marks_add(name, 2);
        }
    uint32_t seen = 0;
    const struct sct_mark *last = NULL;
    for (const struct sct_mark *mark = NULL; (mark = sct_marks_next(mark));) {
        if (strncmp(mark->name, "many ", 5) != 0)
            continue;
        assert_int_equal(mark->count, seen < MANY ? 5 : 4);
        assert_true(!last || strcmp(last->name, mark->name) < 0);
        last = mark;
        seen++;
    }
    assert_int_equal(seen, 2 * MANY);
    assert_true(sct_marks_comparisons() - before < 40 * MANY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_mark_counts_only_while_counting, stop_counting),
        cmocka_unit_test_teardown(test_marks_are_listed_by_name, stop_counting),
        cmocka_unit_test_teardown(test_marks_many_take_few_comparisons, stop_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
