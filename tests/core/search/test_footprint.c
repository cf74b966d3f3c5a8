#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/search/footprint.h"

static struct sct_access access_of(enum sct_access_mode mode, uint32_t object, uint64_t low,
                                   uint64_t high) {
    return (struct sct_access){.mode = mode, .object = object, .low = low, .high = high};
}

static struct sct_footprint print_of(struct sct_access access) {
    struct sct_footprint print;
    sct_footprint_clear(&print);
    sct_footprint_add(&print, &access);
    return print;
}

static bool depend(const struct sct_footprint *a, const struct sct_footprint *b) {
    bool is_so = sct_footprints_depend(a, b);
    assert_int_equal(is_so, sct_footprints_depend(b, a));
    return is_so;
}

// Two steps depend if they touch the same keys of an object and not both read.
static void test_single_accesses(void **state) {
    (void)state;
    struct sct_footprint write = print_of(access_of(SCT_ACCESS_WRITE, 1, 10, 20));
    struct sct_footprint read = print_of(access_of(SCT_ACCESS_READ, 1, 20, 30));
    struct sct_footprint beside = print_of(access_of(SCT_ACCESS_WRITE, 1, 21, 21));
    struct sct_footprint other = print_of(access_of(SCT_ACCESS_WRITE, 2, 10, 20));
    struct sct_footprint unknown = print_of(access_of(SCT_ACCESS_UNKNOWN, 0, 0, 0));
    struct sct_footprint none = print_of(access_of(SCT_ACCESS_NONE, 0, 0, 0));
    assert_true(depend(&write, &write));
    assert_true(depend(&write, &read));
    assert_true(depend(&read, &beside));
    assert_false(depend(&read, &read));
    assert_false(depend(&write, &beside));
    assert_false(depend(&write, &other));
    assert_true(depend(&unknown, &other));
    assert_true(depend(&unknown, &unknown));
    assert_false(depend(&none, &write));
    assert_false(depend(&none, &unknown));
}

// Any two of the accesses of two steps are enough.
static void test_several_accesses(void **state) {
    (void)state;
    struct sct_footprint a, b;
    sct_footprint_clear(&a);
    sct_footprint_clear(&b);
    for (uint32_t i = 0; i < 5; i++) {
        struct sct_access mine = access_of(SCT_ACCESS_WRITE, i, 0, 9);
        struct sct_access others = access_of(SCT_ACCESS_WRITE, 10 + i, 0, 9);
        sct_footprint_add(&a, &mine);
        sct_footprint_add(&b, &others);
        assert_false(depend(&a, &b));
    }
    struct sct_access common = access_of(SCT_ACCESS_READ, 4, 9, 9);
    sct_footprint_add(&b, &common);
    assert_true(depend(&a, &b));
}

// One that touches more than a footprint can hold may touch anything.
static void test_too_many_accesses(void **state) {
    (void)state;
    struct sct_footprint many, other = print_of(access_of(SCT_ACCESS_READ, 1000, 0, 0));
    sct_footprint_clear(&many);
    for (uint32_t i = 0; i < SCT_TOUCHES_MAX; i++) {
        struct sct_access access = access_of(SCT_ACCESS_WRITE, i, 0, 0);
        sct_footprint_add(&many, &access);
        assert_false(depend(&many, &other));
    }
    struct sct_access last = access_of(SCT_ACCESS_WRITE, SCT_TOUCHES_MAX, 0, 0);
    sct_footprint_add(&many, &last);
    assert_true(depend(&many, &other));
    sct_footprint_clear(&many);
    assert_false(depend(&many, &other));
}

// Joined they touch what both touch, the marks included.
static void test_join(void **state) {
    (void)state;
    struct sct_footprint sum = print_of(access_of(SCT_ACCESS_WRITE, 1, 0, 0));
    struct sct_footprint second = print_of(access_of(SCT_ACCESS_WRITE, 2, 0, 0));
    struct sct_footprint third = print_of(access_of(SCT_ACCESS_READ, 3, 0, 0));
    struct sct_footprint writer = print_of(access_of(SCT_ACCESS_WRITE, 3, 0, 0));
    sct_footprint_join(&sum, &second);
    assert_true(depend(&sum, &second));
    assert_false(depend(&sum, &writer));
    sct_footprint_join(&sum, &third);
    assert_true(depend(&sum, &writer));
    struct sct_footprint unknown = print_of(access_of(SCT_ACCESS_UNKNOWN, 0, 0, 0));
    sct_footprint_join(&second, &unknown);
    assert_true(depend(&second, &writer));
    third.has_stopped = true;
    sct_footprint_join(&sum, &third);
    assert_true(sum.has_stopped);
}

// A step that stops a machine depends on every other, also on one that touches nothing.
static void test_stops(void **state) {
    (void)state;
    struct sct_footprint none = print_of(access_of(SCT_ACCESS_NONE, 0, 0, 0)), stop = none;
    assert_false(depend(&none, &stop));
    stop.has_stopped = true;
    stop.is_unknown = true;
    assert_true(depend(&none, &stop));
}

static struct sct_access draw_access(struct rng *rng) {
    static const uint32_t objects[] = {0, 1, 2, 63, 64, 65, UINT32_MAX - 1}; // some with one bit
    uint32_t object = rng_below(rng, sizeof objects / sizeof objects[0]);
    uint32_t low = rng_below(rng, 4), more = rng_below(rng, 2);
    bool writes = rng_below(rng, 2);
    return access_of(writes ? SCT_ACCESS_WRITE : SCT_ACCESS_READ, objects[object], low, low + more);
}

// What is left out without a look at each pair of accesses does not race: against all pairs, of
// footprints that were added to, joined, and cleared before.
static void test_pairs(void **state) {
    (void)state;
    enum { ROUNDS = 20000, MOST = 3, SIDES = 2 };
    struct rng rng;
    unsigned dependent = 0;
    rng_seed(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct sct_access accesses[SIDES][MOST];
        uint32_t counts[SIDES];
        struct sct_footprint prints[SIDES];
        for (int side = 0; side < SIDES; side++) {
            prints[side] = print_of(draw_access(&rng));
            sct_footprint_clear(&prints[side]);
            counts[side] = rng_below(&rng, MOST + 1);
            for (uint32_t i = 0; i < counts[side]; i++) {
                accesses[side][i] = draw_access(&rng);
                struct sct_footprint one = print_of(accesses[side][i]);
                if (rng_below(&rng, 2))
                    sct_footprint_join(&prints[side], &one);
                else
                    sct_footprint_add(&prints[side], &accesses[side][i]);
            }
        }
        bool races = false;
        for (uint32_t i = 0; i < counts[0]; i++)
            for (uint32_t j = 0; j < counts[1]; j++)
                races = races || sct_accesses_race(&accesses[0][i], &accesses[1][j]);
        enum sct_dependence expected = races ? SCT_DEPENDENT : SCT_INDEPENDENT;
        assert_int_equal(sct_footprint_after(&prints[0], &prints[1]), expected);
        assert_int_equal(depend(&prints[0], &prints[1]), races);
        dependent += races;
    }
    assert_true(dependent > ROUNDS / 20 && dependent < ROUNDS / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_accesses),
        cmocka_unit_test(test_several_accesses),
        cmocka_unit_test(test_too_many_accesses),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
