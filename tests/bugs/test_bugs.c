#include "tests/support/test.h"

#include "bugs/bugs.h"

#include <stdio.h>
#include <string.h>

// Numbers and names are unique within a model, and every bug says what it does.
static void test_registry_is_unique_and_complete(void **state) {
    (void)state;
    for (int i = 0; i < BUG_COUNT; i++) {
        const struct bug_info *info = bug_info((enum bug)i);
        assert_true(info->number >= 0 && info->number <= 999);
        assert_true(strlen(info->name) > 0 && strlen(info->summary) > 0);
        for (int j = 0; j < i; j++) {
            const struct bug_info *other = bug_info((enum bug)j);
            if (other->model != info->model)
                continue;
            assert_int_not_equal(other->number, info->number);
            assert_string_not_equal(other->name, info->name);
        }
    }
}

// No name looks like a number, which would be found first.
static void test_registry_names_are_no_numbers(void **state) {
    (void)state;
    for (int i = 0; i < BUG_COUNT; i++) {
        const char *name = bug_info((enum bug)i)->name;
        assert_true(strspn(name, "0123456789") < strlen(name));
    }
}

// Every bug is found by its number and by its name.
static void test_find_accepts_number_and_name(void **state) {
    (void)state;
    for (int i = 0; i < BUG_COUNT; i++) {
        const struct bug_info *info = bug_info((enum bug)i);
        char number[16];
        snprintf(number, sizeof number, "%d", info->number);
        enum bug found = BUG_COUNT;
        assert_true(bug_find(info->model, number, &found));
        assert_int_equal(found, i);
        found = BUG_COUNT;
        assert_true(bug_find(info->model, info->name, &found));
        assert_int_equal(found, i);
    }
}

// The numbers of the published bugs are fixed for ever.
static void test_find_knows_published_numbers(void **state) {
    (void)state;
    enum bug found = BUG_COUNT;
    assert_true(bug_find(BUG_MODEL_MIGRATING_TABLE, "0", &found));
    assert_int_equal(found, BUG_QUERY_ATOMIC_FILTER_SHADOWING);
    assert_true(bug_find(BUG_MODEL_MIGRATING_TABLE, "6", &found));
    assert_int_equal(found, BUG_DELETE_PRIMARY_KEY);
    assert_true(bug_find(BUG_MODEL_MIGRATING_TABLE, "QueryStreamedLock", &found));
    assert_int_equal(found, BUG_QUERY_STREAMED_LOCK);
}

// What is neither a number nor a name of the registry is refused and changes nothing.
static void test_find_refuses_the_unknown(void **state) {
    (void)state;
    static const char *const unknown[] = {
        "",
        "99",
        "999",
        "1000",
        "-1",
        "+1",
        "1x",
        "x1",
        " 1",
        "1 ",
        "0x1",
        "1.0",
        "18446744073709551617",
        "4294967296",
        "querystreamedlock",
        "QueryStreamedLoc",
        "QueryStreamedLockX",
        "none",
    };
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        enum bug found = BUG_COUNT;
        assert_false(bug_find(BUG_MODEL_MIGRATING_TABLE, unknown[i], &found));
        assert_int_equal(found, BUG_COUNT);
    }
}

// Each kind has a name of its own.
static void test_kind_names_are_distinct(void **state) {
    (void)state;
    for (int i = 0; i <= BUG_KIND_PUBLISHED; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(bug_kind_name((enum bug_kind)i),
                                    bug_kind_name((enum bug_kind)j));
}

#ifndef MTCHECK_NO_BUGS

// An injected bug is on, in its own set only; all others stay off.
static void test_inject_turns_one_bug_on(void **state) {
    (void)state;
    for (int i = 0; i < BUG_COUNT; i++) {
        struct bug_set bugs = {0}, others = {0};
        bug_set_inject(&bugs, (enum bug)i);
        for (int j = 0; j < BUG_COUNT; j++) {
            assert_int_equal(bug_on(&bugs, (enum bug)j), i == j);
            assert_false(bug_on(&others, (enum bug)j));
        }
    }
}

// Several bugs can be on together.
static void test_inject_adds_up(void **state) {
    (void)state;
    struct bug_set bugs = {0};
    for (int i = 0; i < BUG_COUNT; i++)
        bug_set_inject(&bugs, (enum bug)i);
    for (int i = 0; i < BUG_COUNT; i++)
        assert_true(bug_on(&bugs, (enum bug)i));
}

// Passing a site counts, whether the bug is injected or not.
static void test_reached_counts_every_pass(void **state) {
    (void)state;
    struct bug_set bugs = {0};
    bug_set_inject(&bugs, BUG_QUERY_STREAMED_LOCK);
    for (int i = 0; i < 3; i++)
        bug_on(&bugs, BUG_QUERY_STREAMED_LOCK);
    bug_on(&bugs, BUG_DELETE_PRIMARY_KEY);
    assert_int_equal(bugs.reached[BUG_QUERY_STREAMED_LOCK], 3);
    assert_int_equal(bugs.reached[BUG_DELETE_PRIMARY_KEY], 1);
    assert_int_equal(bugs.reached[BUG_QUERY_ATOMIC_FILTER_SHADOWING], 0);
}

#else

// Compiled out, an injected bug stays off.
static void test_inject_has_no_effect(void **state) {
    (void)state;
    struct bug_set bugs = {0};
    bug_set_inject(&bugs, BUG_QUERY_STREAMED_LOCK);
    assert_false(bug_on(&bugs, BUG_QUERY_STREAMED_LOCK));
}

#endif

// Without a set no bug is on.
static void test_no_set_means_no_bugs(void **state) {
    (void)state;
    for (int i = 0; i < BUG_COUNT; i++)
        assert_false(bug_on(NULL, (enum bug)i));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry_is_unique_and_complete),
        cmocka_unit_test(test_registry_names_are_no_numbers),
        cmocka_unit_test(test_find_accepts_number_and_name),
        cmocka_unit_test(test_find_knows_published_numbers),
        cmocka_unit_test(test_find_refuses_the_unknown),
        cmocka_unit_test(test_kind_names_are_distinct),
#ifndef MTCHECK_NO_BUGS
        cmocka_unit_test(test_inject_turns_one_bug_on),
        cmocka_unit_test(test_inject_adds_up),
        cmocka_unit_test(test_reached_counts_every_pass),
#else
        cmocka_unit_test(test_inject_has_no_effect),
#endif
        cmocka_unit_test(test_no_set_means_no_bugs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
