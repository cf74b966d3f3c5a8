#include "tests/support/failures.h"

#include "core/base/text.h"

#include <string.h>

// Pieces that fit are joined, and the length follows.
static void test_text_add_joins_pieces(void **state) {
    (void)state;
    char buffer[16];
    struct text text = text_in(buffer, sizeof buffer);
    assert_string_equal(text.data, "");
    text_add(&text, "%s=%d", "a", 1);
    text_add(&text, ";");
    assert_string_equal(text.data, "a=1;");
    assert_int_equal(text.length, 4);
}

// For every capacity a text is whole if it fits, otherwise its beginning and three dots; the byte
// after the buffer is never touched.
static void test_text_add_marks_what_it_cut(void **state) {
    (void)state;
    const char whole[] = "0123456789";
    for (size_t capacity = 4; capacity <= 14; capacity++) {
        char buffer[16];
        memset(buffer, '#', sizeof buffer);
        struct text text = text_in(buffer, capacity);
        text_add(&text, "%s", whole);
        assert_int_equal(buffer[capacity], '#');
        assert_int_equal(strlen(buffer), text.length);
        if (capacity > 10) {
            assert_string_equal(buffer, whole);
            continue;
        }
        assert_int_equal(text.length, capacity - 1);
        assert_memory_equal(buffer, whole, capacity - 4);
        assert_string_equal(buffer + capacity - 4, "...");
    }
}

// Adding to a text that is cut already keeps it cut.
static void test_text_add_after_the_cut_changes_nothing(void **state) {
    (void)state;
    char buffer[8];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "0123456789");
    text_add(&text, "more");
    text_add(&text, "%s", "");
    assert_string_equal(buffer, "0123...");
}

// A buffer without room for the three dots is refused.
static void test_text_in_refuses_a_tiny_buffer(void **state) {
    (void)state;
    char buffer[4];
    fail_handler_set(raise_in_test);
    expect_assert_failure(text_in(buffer, 3));
    fail_handler_set(NULL);
    assert_string_equal(text_in(buffer, 4).data, "");
}

// The error is formatted, cut at its size, and the call is false.
static void test_error_set_formats_and_returns_false(void **state) {
    (void)state;
    struct error error;
    assert_false(error_set(&error, "line %d: %s", 3, "bad"));
    assert_string_equal(error.text, "line 3: bad");
    error_set(&error, "%600d", 1);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_add_joins_pieces),
        cmocka_unit_test(test_text_add_marks_what_it_cut),
        cmocka_unit_test(test_text_add_after_the_cut_changes_nothing),
        cmocka_unit_test(test_text_in_refuses_a_tiny_buffer),
        cmocka_unit_test(test_error_set_formats_and_returns_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
