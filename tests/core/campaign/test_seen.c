#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/campaign/seen.h"

#include <string.h>

static struct sct_seen seen;

static int setup(void **state) {
    (void)state;
    sct_seen_init(&seen);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sct_seen_deinit(&seen);
    return 0;
}

// A fingerprint is new once; 0 is one like others.
static void test_seen_add_tells_new_from_known(void **state) {
    (void)state;
    const uint64_t fingerprints[] = {0, UINT64_MAX, 2, UINT64_C(1) << 63};
    for (size_t i = 0; i < 4; i++) {
        assert_true(sct_seen_add(&seen, fingerprints[i]));
        assert_int_equal(seen.count, i + 1);
    }
    for (size_t i = 0; i < 4; i++)
        assert_false(sct_seen_add(&seen, fingerprints[i]));
    assert_int_equal(seen.count, 4);
}

// 300,000 elements of regular form, which a table without mixing would take badly: the set grows
// and forgets nothing.
static void test_seen_grows_without_forgetting(void **state) {
    (void)state;
    enum { COUNT = 300000 };
    for (uint64_t i = 1; i <= COUNT; i++)
        assert_true(sct_seen_add(&seen, i << 32));
    for (uint64_t i = 1; i <= COUNT; i++)
        assert_false(sct_seen_add(&seen, i << 32));
    assert_int_equal(seen.count, COUNT);
    assert_true(seen.capacity >= 2 * COUNT);
    assert_int_equal(seen.capacity & (seen.capacity - 1), 0);
}

// Random elements below 10,000 and their repetitions: as an array of flags would answer.
static void test_seen_agrees_with_flags(void **state) {
    (void)state;
    static bool flags[10000];
    struct rng rng;
    rng_seed(&rng, 1);
    size_t count = 0;
    for (int i = 0; i < 50000; i++) {
        uint32_t element = 2 + rng_below(&rng, 9998);
        assert_int_equal(sct_seen_add(&seen, element), !flags[element]);
        count += !flags[element];
        flags[element] = true;
    }
    assert_int_equal(seen.count, count);
}

// Adds the numbers from [first] to before [end].
static void add_range(struct sct_seen *to, uint64_t first, uint64_t end) {
    for (uint64_t i = first; i < end; i++)
        sct_seen_add(to, i);
}

// One too many for the table: the table goes, the number is an estimate of the whole, and what was
// there before is not new for that.
static void test_seen_estimates_what_is_too_much(void **state) {
    (void)state;
    add_range(&seen, 2, SCT_SEEN_EXACT_MAX + 2);
    assert_true(sct_seen_is_exact(&seen));
    assert_int_equal(sct_seen_count(&seen), SCT_SEEN_EXACT_MAX);
    assert_true(seen.capacity * sizeof *seen.slots <= 32 << 20);
    assert_false(sct_seen_add(&seen, 2));
    add_range(&seen, SCT_SEEN_EXACT_MAX + 2, 2 * SCT_SEEN_EXACT_MAX + 2);
    assert_false(sct_seen_is_exact(&seen));
    uint64_t count = sct_seen_count(&seen);
    assert_in_range(count, SCT_SEEN_EXACT_MAX * 2 * 0.975, SCT_SEEN_EXACT_MAX * 2 * 1.025);
    add_range(&seen, 2, 1000);
    assert_int_equal(sct_seen_count(&seen), count);
}

static struct sct_sketch sketch, other, both;

static void sketch_range(struct sct_sketch *to, uint64_t first, uint64_t end) {
    for (uint64_t i = first; i < end; i++)
        sct_sketch_add(to, rng_mix(i));
}

// Four times the standard error, for so many sizes.
static void test_sketch_is_right_for_few_and_many(void **state) {
    (void)state;
    memset(&sketch, 0, sizeof sketch);
    assert_int_equal(sct_sketch_estimate(&sketch), 0);
    uint64_t count = 0;
    for (uint64_t size = 1; size <= 1 << 20; size += 1 + size / 8) {
        sketch_range(&sketch, count, size);
        count = size;
        double error = (double)sct_sketch_estimate(&sketch) / (double)count - 1;
        assert_true(error < 0.033 && error > -0.033);
    }
}

// However a set is divided, with what is in several parts: the same sketch, also by way of text.
static void test_sketches_unite(void **state) {
    (void)state;
    char text[SCT_SKETCH_REGISTERS + 1];
    memset(&sketch, 0, sizeof sketch);
    memset(&other, 0, sizeof other);
    memset(&both, 0, sizeof both);
    sketch_range(&both, 0, 100000);
    sketch_range(&other, 0, 60000);
    sct_sketch_write(&other, text);
    assert_null(strpbrk(text, "\"\\"));
    assert_true(sct_sketch_read(&sketch, text));
    assert_memory_equal(&sketch, &other, sizeof sketch);
    memset(&other, 0, sizeof other);
    sketch_range(&other, 40000, 100000);
    sct_sketch_unite(&sketch, &other);
    assert_memory_equal(&sketch, &both, sizeof sketch);
    text[7] = '\"';
    assert_false(sct_sketch_read(&sketch, text));
    assert_false(sct_sketch_read(&sketch, "#"));
}

// Hashes at the ends: of nothing but zeros behind the register's number, or none.
static void test_sketch_takes_any_hash(void **state) {
    (void)state;
    memset(&sketch, 0, sizeof sketch);
    sct_sketch_add(&sketch, 0);
    sct_sketch_add(&sketch, UINT64_MAX);
    assert_int_equal(sketch.registers[0], 64 - SCT_SKETCH_BITS + 1);
    assert_int_equal(sketch.registers[SCT_SKETCH_REGISTERS - 1], 1);
    for (uint64_t i = 0; i < SCT_SKETCH_REGISTERS; i++)
        sct_sketch_add(&sketch, i << (64 - SCT_SKETCH_BITS));
    assert_true(sct_sketch_estimate(&sketch) > UINT64_C(1) << 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_seen_add_tells_new_from_known),
        TEST(test_seen_grows_without_forgetting),
        TEST(test_seen_agrees_with_flags),
        TEST(test_seen_estimates_what_is_too_much),
        cmocka_unit_test(test_sketch_is_right_for_few_and_many),
        cmocka_unit_test(test_sketches_unite),
        cmocka_unit_test(test_sketch_takes_any_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
