// The tables of a file by their names.
#include "tests/model/sqlite/store.h"

#include "model/sqlite/catalog.h"

#include <string.h>

static struct ct_sqlite_table *open_unnamed(void) {
    struct error error;
    struct ct_sqlite_table *table =
        ct_sqlite_open(&(struct ct_sqlite_options){.path = path, .busy_ms = 10}, &error);
    assert_non_null(table);
    return table;
}

static bool choose(struct ct_sqlite_table *table, const char *name) {
    bool is_there;
    assert_int_equal(ct_sqlite_choose(table, name, &arena, &is_there).kind, CT_SUCCEEDED);
    return is_there;
}

static bool create(struct ct_sqlite_table *table, const char *name) {
    bool is_new;
    assert_int_equal(ct_sqlite_create(table, name, &arena, &is_new).kind, CT_SUCCEEDED);
    return is_new;
}

static bool drop(struct ct_sqlite_table *table, const char *name) {
    bool was_there;
    assert_int_equal(ct_sqlite_drop(table, name, &arena, &was_there).kind, CT_SUCCEEDED);
    return was_there;
}

// Names are found without case and listed as they were given.
static void test_names(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_unnamed();
    const char *const *names;
    size_t count;
    assert_false(choose(table, "Demo"));
    assert_true(create(table, "Demo"));
    assert_false(create(table, "demo"));
    assert_true(create(table, "alpha"));
    assert_true(create(table, "Zeta"));
    assert_true(choose(table, "dEMO"));
    assert_int_equal(ct_sqlite_names(table, "", 10, &arena, &names, &count).kind, CT_SUCCEEDED);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "alpha");
    assert_string_equal(names[1], "Demo");
    assert_string_equal(names[2], "Zeta");
    ct_sqlite_names(table, "DEMO", 1, &arena, &names, &count);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "Demo");
    assert_true(drop(table, "DEMO"));
    assert_false(drop(table, "Demo"));
    close_store(table);
}

// Rows are those of the table that is chosen.
static void test_choice(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_unnamed();
    assert_true(ct_failed_with(put_rows(table, "a", 1, 1), CT_STATUS_NOT_FOUND));
    create(table, "one");
    create(table, "two");
    choose(table, "one");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    choose(table, "two");
    assert_int_equal(number_in(table, "a", 0), -1);
    assert_false(choose(table, "three")); // and nothing has changed
    assert_int_equal(put_rows(table, "a", 1, 2).kind, CT_SUCCEEDED);
    choose(table, "one");
    assert_int_equal(number_in(table, "a", 0), 1);
    close_store(table);
}

// Who has chosen a table that another one deletes writes no more, neither into it nor into one that
// is made later under any name; its rows are gone.
static void test_dropped_under_way(void **state) {
    (void)state;
    struct ct_sqlite_table *table = open_unnamed(), *other = open_unnamed();
    create(table, "first");
    choose(table, "first");
    assert_int_equal(put_rows(table, "a", 1, 1).kind, CT_SUCCEEDED);
    assert_true(drop(other, "first"));
    assert_true(create(other, "second"));
    assert_true(create(other, "first"));
    assert_true(ct_failed_with(put_rows(table, "a", 1, 2), CT_STATUS_NOT_FOUND));
    assert_int_equal(number_in(table, "a", 0), -1);
    for (int i = 0; i < 2; i++) {
        choose(other, i ? "first" : "second");
        assert_int_equal(number_in(other, "a", 0), -1);
    }
    close_store(table);
    close_store(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, make_store, remove_store),
        cmocka_unit_test_setup_teardown(test_choice, make_store, remove_store),
        cmocka_unit_test_setup_teardown(test_dropped_under_way, make_store, remove_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
