#include "tests/support/test.h"

#include "core/base/assert.h"
#include "harness/report/json.h"
#include "harness/report/plain.h"

#include <stdlib.h>
#include <string.h>

static enum fail_kind failed_as;

static void raise_in_test(enum fail_kind kind, const char *where, const char *message) {
    (void)where;
    failed_as = kind;
    mock_assert(false, message, __FILE__, __LINE__);
}

// A value for which there is no memory ends the process: no report lacks it silently.
static void test_json_fails_for_want_of_memory(void **state) {
    (void)state;
    json_malloc_t allocate;
    json_free_t release;
    json_allocates_or_fails();
    json_get_alloc_funcs(&allocate, &release);
    fail_handler_set(raise_in_test);
    expect_assert_failure(allocate(SIZE_MAX / 2));
    assert_int_equal(failed_as, FAIL_RESOURCE);
    fail_handler_set(NULL);
}

// Whatever the bytes, there is a text: UTF-8 as it is, all else byte by byte.
static void test_json_of_any_bytes(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {{"", ""},
                 {"\xc3\xa9", "\xc3\xa9"},
                 {"a\xff", "a\xc3\xbf"},
                 {"\xe2\x82", "\xc3\xa2\xc2\x82"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *value = value_text(cases[i].bytes);
        assert_string_equal(json_string_value(value), cases[i].text);
        json_decref(value);
    }
    json_t *value = value_text(NULL);
    assert_true(json_is_null(value));
}

// What a terminal would obey is told, what it shows stays.
static void test_plain_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *plain, *word;
    } cases[] = {
        {"a b", "a b", "'a b'"},
        {"", "", "''"},
        {"it's", "it's", "'it'\\''s'"},
        {"\x1b[m\x7f", "\\x1b[m\\x7f", "''$'\\x1b''[m'$'\\x7f'''"},
        {"\xc2\x9b\xc2\xa0", "\\xc2\\x9b\xc2\xa0", "''$'\\xc2\\x9b''\xc2\xa0'"},
        {"\n", "\\x0a", "''$'\\x0a'''"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[100];
        struct text text = text_in(buffer, sizeof buffer);
        plain_add(&text, cases[i].text);
        assert_string_equal(buffer, cases[i].plain);
        text = text_in(buffer, sizeof buffer);
        plain_add_word(&text, cases[i].text);
        assert_string_equal(buffer, cases[i].word);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_fails_for_want_of_memory),
        cmocka_unit_test(test_json_of_any_bytes),
        cmocka_unit_test(test_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
