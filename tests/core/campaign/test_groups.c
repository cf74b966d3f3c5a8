#define _POSIX_C_SOURCE 200809L // strdup
#include "tests/support/test.h"

#include "core/campaign/groups.h"
#include "core/trace/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *pattern_of(const char *kind, const char *message) {
    struct sct_violation violation = {.kind = kind};
    snprintf(violation.message, sizeof violation.message, "%s", message);
    return sct_violation_pattern(&violation);
}

// Messages that differ in values only have one pattern: numbers, what is quoted, what is in braces.
static void test_values_do_not_count(void **state) {
    (void)state;
    static const char *const messages[] = {
        "row 1 of 'a' was {x=1}",
        "row 27 of 'b c' was {}",
        "row -3 of '' was {y, 'z'}",
        "row of '1' was {1}",
    };
    char *expected = pattern_of("kind", messages[0]);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        char *pattern = pattern_of("kind", messages[i]);
        assert_string_equal(pattern, expected);
        free(pattern);
    }
    free(expected);
}

// Other words, another kind, or words on another side of the kind make another pattern.
static void test_words_count(void **state) {
    (void)state;
    static const char *const violations[][2] = {
        {"kind", "row was wrong"},
        {"kind", "row is wrong"},
        {"other", "row was wrong"},
        {"kin", "drow was wrong"},
        {"kind", ""},
        {"kind", "a quote ' is no value"},
        {"kind", "a brace { as well"},
    };
    enum { COUNT = sizeof violations / sizeof violations[0] };
    char *patterns[COUNT];
    for (int i = 0; i < COUNT; i++)
        patterns[i] = pattern_of(violations[i][0], violations[i][1]);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(patterns[i], patterns[j]);
    for (int i = 0; i < COUNT; i++)
        free(patterns[i]);
}

// Groups are found by their pattern and listed in the order in which they came.
static void test_groups_are_found_and_listed(void **state) {
    (void)state;
    enum { COUNT = 500 };
    struct sct_groups groups;
    struct sct_group *made[COUNT];
    char pattern[32];
    sct_groups_init(&groups);
    for (int i = 0; i < COUNT; i++) {
        snprintf(pattern, sizeof pattern, "pattern %d", i * 7919 % COUNT);
        assert_null(sct_groups_find(&groups, pattern));
        made[i] = sct_groups_append(&groups, strdup(pattern));
        assert_int_equal(made[i]->count, 0);
        made[i]->count = 1;
    }
    const struct sct_group *group = groups.first;
    for (int i = 0; i < COUNT; i++, group = group->next) {
        snprintf(pattern, sizeof pattern, "pattern %d", i * 7919 % COUNT);
        assert_ptr_equal(group, made[i]);
        assert_ptr_equal(sct_groups_find(&groups, pattern), made[i]);
        assert_string_equal(group->pattern, pattern);
    }
    assert_null(group);
    assert_null(sct_groups_find(&groups, "pattern"));
    sct_groups_deinit(&groups);
    sct_groups_free(groups.first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_do_not_count),
        cmocka_unit_test(test_words_count),
        cmocka_unit_test(test_groups_are_found_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
