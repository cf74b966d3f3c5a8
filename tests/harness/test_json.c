#define _POSIX_C_SOURCE 200809L // open_memstream
#include "tests/support/test.h"

#include "core/base/assert.h"
#include "harness/models.h"
#include "harness/report/campaign/report.h"
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

// What [print] says of a campaign of four executions, as text for free().
static char *report_of(void (*print)(FILE *, const struct campaign_report *,
                                     const struct sct_campaign *),
                       const struct sct_campaign *campaign, uint64_t shards) {
    char *text = NULL;
    size_t bytes;
    const struct subject *subject = subject_find(models, "schema-upgrade");
    uint64_t reached[64] = {0};
    assert_true(subject_variant_count(subject) <= 64);
    const struct campaign_report run = {
        .what = {.subject = subject, .test = subject_test(subject, "default")},
        .reached = reached,
        .strategy = "random",
        .commit = "",
        .iterations = 4,
        .shard_count = shards,
    };
    FILE *out = open_memstream(&text, &bytes);
    print(out, &run, campaign);
    fclose(out);
    return text;
}

// A number of behaviours that is an estimate is called one, in text and in JSON; what a shard has
// seen goes with its report.
static void test_report_says_what_is_an_estimate(void **state) {
    (void)state;
    struct sct_sketch sketch = {{0}};
    struct sct_campaign campaign = {.iterations_run = 4, .distinct_behaviours = 3};
    char *text = report_of(report_campaign_text, &campaign, 1);
    assert_non_null(strstr(text, "4 executions (3 distinct) in"));
    free(text);
    campaign.distinct_is_estimate = true;
    campaign.sketch = &sketch;
    text = report_of(report_campaign_text, &campaign, 1);
    assert_non_null(strstr(text, "4 executions (about 3 distinct) in"));
    assert_non_null(strstr(text, "is an estimate"));
    free(text);
    for (uint64_t shards = 1; shards <= 2; shards++) {
        text = report_of(report_campaign_json, &campaign, shards);
        assert_non_null(strstr(text, "\"distinct_is_estimate\": true"));
        assert_int_equal(strstr(text, "distinct_sketch") != NULL, shards > 1);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_says_what_is_an_estimate),
        cmocka_unit_test(test_json_fails_for_want_of_memory),
        cmocka_unit_test(test_json_of_any_bytes),
        cmocka_unit_test(test_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
