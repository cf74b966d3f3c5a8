#define _GNU_SOURCE // fmemopen
#include "tests/support/test.h"

#include "core/base/bytes.h"
#include "core/base/rng.h"

#include <stdlib.h>
#include <string.h>

static struct sct_reader reader_of(const struct sct_bytes *bytes) {
    return (struct sct_reader){bytes->data, bytes->data + bytes->size, false};
}

// What was added comes back in its order, and nothing is left.
static void test_what_was_added_comes_back(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    sct_bytes_add_number(&bytes, 0);
    sct_bytes_add_number(&bytes, UINT64_MAX);
    sct_bytes_add_text(&bytes, "text");
    sct_bytes_add_text(&bytes, "");
    sct_bytes_add_text(&bytes, NULL);
    sct_bytes_add_block(&bytes, "\0\1\2", 3);
    sct_bytes_add_block(&bytes, NULL, 0);
    struct sct_reader reader = reader_of(&bytes);
    size_t size;
    assert_true(sct_take_number(&reader) == 0);
    assert_true(sct_take_number(&reader) == UINT64_MAX);
    assert_string_equal(sct_take_text(&reader), "text");
    assert_string_equal(sct_take_text(&reader), "");
    assert_null(sct_take_text(&reader));
    assert_memory_equal(sct_take_block(&reader, &size), "\0\1\2", 3);
    assert_int_equal(size, 3);
    assert_null(sct_take_block(&reader, &size));
    assert_int_equal(size, 0);
    assert_true(reader.at == reader.end && !reader.is_bad);
    sct_bytes_free(&bytes);
}

// The lowest byte first, whatever the machine: checkpoints travel.
static void test_numbers_have_one_form(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    sct_bytes_add_number(&bytes, UINT64_C(0x0123456789abcdef));
    assert_int_equal(bytes.size, 8);
    assert_memory_equal(bytes.data, "\xef\xcd\xab\x89\x67\x45\x23\x01", 8);
    sct_bytes_free(&bytes);
}

// Whatever is cut off at the end, and wherever: nothing is read behind it, and that is noticed.
static void test_every_truncation_is_noticed(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    sct_bytes_add_number(&bytes, 7);
    sct_bytes_add_text(&bytes, "some text");
    sct_bytes_add_block(&bytes, "block", 5);
    for (size_t length = 0; length <= bytes.size; length++) {
        unsigned char *copy = malloc(length ? length : 1); // whose end a sanitizer watches
        memcpy(copy, bytes.data, length);
        struct sct_reader reader = {copy, copy + length, false};
        size_t size;
        sct_take_number(&reader);
        sct_take_text(&reader);
        sct_take_block(&reader, &size);
        assert_int_equal(reader.is_bad, length < bytes.size);
        free(copy);
    }
    sct_bytes_free(&bytes);
}

// A text without its NUL and a length beyond all bytes are bad; after that everything is 0.
static void test_bad_lengths(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    size_t size = 1;
    sct_bytes_add_block(&bytes, "text without an end", 4);
    sct_bytes_add_number(&bytes, 5);
    struct sct_reader reader = reader_of(&bytes);
    assert_null(sct_take_text(&reader));
    assert_true(reader.is_bad);
    assert_true(sct_take_number(&reader) == 0);
    bytes.size = 0;
    sct_bytes_add_number(&bytes, UINT64_MAX);
    sct_bytes_add_number(&bytes, 5);
    reader = reader_of(&bytes);
    assert_null(sct_take_block(&reader, &size));
    assert_true(size == 0 && reader.is_bad);
    sct_bytes_free(&bytes);
}

// Random pieces, some longer than all before them together.
static void test_growing_keeps_the_contents(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    static unsigned char expected[1 << 20];
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t size = 0; size < sizeof expected;) {
        size_t length = rng_below(&rng, 1 << rng_below(&rng, 17));
        length = length < sizeof expected - size ? length : sizeof expected - size;
        for (size_t i = 0; i < length; i++)
            expected[size + i] = (unsigned char)rng_below(&rng, 256);
        sct_bytes_add(&bytes, expected + size, length);
        size += length;
        assert_int_equal(bytes.size, size);
    }
    assert_memory_equal(bytes.data, expected, sizeof expected);
    sct_bytes_free(&bytes);
    assert_true(!bytes.data && bytes.size == 0 && bytes.capacity == 0);
}

// Files of lengths around the steps in which memory grows, behind what is there already.
static void test_reading_a_file(void **state) {
    (void)state;
    enum { MOST = 40000 };
    static unsigned char contents[MOST];
    for (size_t i = 0; i < MOST; i++)
        contents[i] = (unsigned char)(i * 7 + i / 256);
    static const size_t lengths[] = {1, 4095, 4096, 4097, 12288, 12289, MOST};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (size_t most = lengths[i] - 1; most <= lengths[i] + 1; most++) {
            struct sct_bytes bytes = {0};
            FILE *in = fmemopen(contents, lengths[i], "r");
            sct_bytes_add(&bytes, "before", 6);
            bool is_whole = sct_bytes_read(&bytes, in, most);
            assert_int_equal(is_whole, lengths[i] <= most);
            assert_memory_equal(bytes.data, "before", 6);
            if (is_whole)
                assert_int_equal(bytes.size, 6 + lengths[i]);
            assert_memory_equal(bytes.data + 6, contents, is_whole ? lengths[i] : 1);
            fclose(in);
            sct_bytes_free(&bytes);
        }
}

// What is too long is not read to its end.
static void test_reading_stops_at_the_limit(void **state) {
    (void)state;
    static unsigned char contents[1 << 20];
    struct sct_bytes bytes = {0};
    FILE *in = fmemopen(contents, sizeof contents, "r");
    assert_false(sct_bytes_read(&bytes, in, 10));
    assert_true(bytes.size < sizeof contents / 2);
    fclose(in);
    sct_bytes_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_added_comes_back),
        cmocka_unit_test(test_numbers_have_one_form),
        cmocka_unit_test(test_every_truncation_is_noticed),
        cmocka_unit_test(test_bad_lengths),
        cmocka_unit_test(test_growing_keeps_the_contents),
        cmocka_unit_test(test_reading_a_file),
        cmocka_unit_test(test_reading_stops_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
