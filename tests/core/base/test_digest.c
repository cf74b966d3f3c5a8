#include "tests/support/test.h"

#include "core/base/digest.h"

#include <string.h>

static const struct digest empty = {0, 0};

// Different sequences have different digests: also those that differ in order, in where one value
// ends and the next begins, or in what kind of thing was folded.
static void test_sequences_differ(void **state) {
    (void)state;
    const struct digest digests[] = {
        empty,
        digest_fold(empty, 1),
        digest_fold(digest_fold(empty, 0), 0),
        digest_fold(digest_fold(empty, 1), 2),
        digest_fold(digest_fold(empty, 2), 1),
        digest_fold_text(empty, NULL),
        digest_fold_text(empty, ""),
        digest_fold_text(empty, "a"),
        digest_fold_text(empty, "ab"),
        digest_fold_text(digest_fold_text(empty, "a"), "b"),
        digest_fold_text(digest_fold_text(empty, ""), "ab"),
        digest_fold_text(digest_fold_text(empty, "ab"), ""),
        digest_fold_digest(empty, digest_fold(empty, 1)),
        digest_fold_digest(digest_fold(empty, 1), empty),
        digest_fold_digest(empty, (struct digest){1, 2}),
        digest_fold_digest(empty, (struct digest){1, 3}),
        digest_fold_digest(empty, (struct digest){3, 2}),
        digest_fold((struct digest){1, 2}, 0),
        digest_fold((struct digest){1, 3}, 0),
        digest_fold((struct digest){3, 2}, 0),
    };
    size_t count = sizeof digests / sizeof digests[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            assert_int_equal(digest_equal(digests[i], digests[j]), i == j);
}

static struct digest of_texts(const char *first, const char *second) {
    struct digest_words words = digest_words(empty);
    digest_words_add_text(&words, first);
    digest_words_add_text(&words, second);
    return digest_words_end(&words);
}

// Of texts, where each ends and whether there is one; at every length of the last word.
static void test_texts_differ(void **state) {
    (void)state;
    static const char *const texts[] = {NULL,       "",         "\1",        "a",
                                        "aaaaaaa",  "aaaaaaaa", "aaaaaaaaa", "aaaaaaab",
                                        "\377\377", "ab",       "ba",        "aaaaaaaaaaaaaaaa"};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    struct digest digests[COUNT * COUNT];
    for (size_t i = 0; i < COUNT * COUNT; i++)
        digests[i] = of_texts(texts[i / COUNT], texts[i % COUNT]);
    for (size_t i = 0; i < COUNT * COUNT; i++)
        for (size_t j = 0; j < COUNT * COUNT; j++)
            assert_int_equal(digest_equal(digests[i], digests[j]), i == j);
}

// However many there are, and each of them counts: more than are hashed at once, too.
static void test_words_are_folds(void **state) {
    (void)state;
    struct digest_words one = digest_words((struct digest){1, 2}), two = one;
    digest_words_add(&one, 3);
    digest_words_add_digest(&two, (struct digest){3, 4});
    assert_true(digest_equal(digest_words_end(&one), digest_fold((struct digest){1, 2}, 3)));
    assert_true(digest_equal(digest_words_end(&two),
                             digest_fold_digest((struct digest){1, 2}, (struct digest){3, 4})));
    enum { LENGTHS = 4 * DIGEST_WORDS };
    struct digest digests[2 * LENGTHS];
    for (size_t length = 0; length < LENGTHS; length++)
        for (size_t changed = 0; changed < 2; changed++) {
            struct digest_words words = digest_words(empty);
            for (size_t i = 0; i < length; i++)
                digest_words_add(&words, 7);
            digest_words_add(&words, changed); // the last
            digests[2 * length + changed] = digest_words_end(&words);
        }
    for (size_t i = 0; i < 2 * LENGTHS; i++)
        for (size_t j = 0; j < 2 * LENGTHS; j++)
            assert_int_equal(digest_equal(digests[i], digests[j]), i == j);
}

// The same contents have the same digest, wherever they lie.
static void test_contents_decide(void **state) {
    (void)state;
    char buffer[64];
    for (size_t offset = 0; offset < 8; offset++) {
        strcpy(buffer + offset, "the contents");
        assert_true(digest_equal(digest_of(buffer + offset, 12), digest_of("the contents", 12)));
        assert_true(digest_equal(digest_fold_text(empty, buffer + offset),
                                 digest_fold_text(empty, "the contents")));
        assert_true(digest_equal(digest_fold_bytes(empty, buffer + offset, 12),
                                 digest_fold_bytes(empty, "the contents", 12)));
    }
}

// Every single bit of what is hashed matters to both halves.
static void test_every_bit_matters(void **state) {
    (void)state;
    unsigned char bytes[40] = {0};
    struct digest before = digest_of(bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        struct digest after = digest_of(bytes, sizeof bytes);
        assert_true(after.low != before.low && after.high != before.high);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

// A collection has no order, counts its members and can lose them again.
static void test_collections_are_sums(void **state) {
    (void)state;
    struct digest a = digest_of("a", 1), b = digest_of("b", 1), ab = empty, ba = empty, aab = empty;
    digest_add(&ab, a);
    digest_add(&ab, b);
    digest_add(&ba, b);
    digest_add(&ba, a);
    assert_true(digest_equal(ab, ba));
    digest_add(&aab, a);
    digest_add(&aab, ab);
    assert_false(digest_equal(aab, ab));
    digest_subtract(&ab, b);
    assert_true(digest_equal(ab, a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences_differ),  cmocka_unit_test(test_texts_differ),
        cmocka_unit_test(test_words_are_folds),   cmocka_unit_test(test_contents_decide),
        cmocka_unit_test(test_every_bit_matters), cmocka_unit_test(test_collections_are_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
