#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/search/states.h"

#include <stdlib.h>

static struct digest key_of(uint64_t number) {
    return digest_fold((struct digest){0, 0}, number);
}

// What the cache should know of each of a few states: every budget it was visited with.
enum { KEYS = 50, VISITS = 40 };
static struct {
    struct sct_budget budgets[VISITS];
    size_t count;
    bool is_complete;
} model[KEYS];

static bool is_known(uint64_t number, struct sct_budget budget) {
    for (size_t i = 0; i < model[number].count; i++) {
        struct sct_budget known = model[number].budgets[i];
        bool has_points = model[number].is_complete || known.points >= budget.points;
        if (has_points && known.bound >= budget.bound)
            return true;
    }
    return false;
}

// Random visits, with budgets that grow one with the other: a state is known if it was met with as
// much before, and complete if that was said.
static void test_visits_agree_with_a_list(void **state) {
    (void)state;
    struct sct_states states;
    struct rng rng;
    size_t met = 0;
    rng_seed(&rng, 1);
    sct_states_init(&states, 1 << 16);
    for (int i = 0; i < KEYS * VISITS / 2; i++) {
        uint64_t number = rng_below(&rng, KEYS), entry;
        if (model[number].count == VISITS)
            continue;
        uint32_t bound = rng_below(&rng, 4);
        struct sct_budget budget = {.points = 10 * bound + rng_below(&rng, 10), .bound = bound};
        bool is_complete, expected = is_known(number, budget);
        enum sct_visit visit =
            sct_states_visit(&states, key_of(number), budget, &entry, &is_complete);
        assert_int_equal(visit, expected ? SCT_VISIT_KNOWN : SCT_VISIT_NEW);
        if (visit == SCT_VISIT_KNOWN) {
            assert_int_equal(is_complete, model[number].is_complete);
            continue;
        }
        met += model[number].count == 0;
        assert_int_equal(states.count, met);
        model[number].budgets[model[number].count++] = budget;
        model[number].is_complete = false; // what is searched anew is not complete
        if (rng_below(&rng, 8) == 0) {
            sct_states_complete(&states, entry);
            model[number].is_complete = true;
        }
    }
    sct_states_deinit(&states);
}

// Budgets without a limit, and just below: unlimited is more than any number.
static void test_largest_budgets(void **state) {
    (void)state;
    struct sct_states states;
    uint64_t entry;
    bool is_complete;
    const struct sct_budget large = {.points = UINT32_MAX, .bound = 100};
    const struct sct_budget least = {.points = SCT_POINTS_UNLIMITED - 1, .bound = 100};
    sct_states_init(&states, 4096);
    assert_int_equal(sct_states_visit(&states, key_of(1), least, &entry, &is_complete),
                     SCT_VISIT_NEW);
    assert_int_equal(sct_states_visit(&states, key_of(1), large, &entry, &is_complete),
                     SCT_VISIT_KNOWN);
    assert_false(is_complete);
    sct_states_complete(&states, entry);
    assert_int_equal(sct_states_visit(&states, key_of(1), large, &entry, &is_complete),
                     SCT_VISIT_KNOWN);
    assert_true(is_complete);
    sct_states_deinit(&states);
}

static bool meet(struct sct_states *states, uint64_t number, uint64_t *entry) {
    bool is_complete;
    enum sct_visit visit =
        sct_states_visit(states, key_of(number), (struct sct_budget){1, 1}, entry, &is_complete);
    assert_int_not_equal(visit, SCT_VISIT_FULL);
    return visit == SCT_VISIT_NEW;
}

// A small cache holds 95 % of its entries, then is full for new states, not for known ones;
// cleared it holds as many again.
static void test_full_and_cleared(void **state) {
    (void)state;
    struct sct_states states;
    uint64_t entry;
    bool is_complete;
    sct_states_init(&states, 68 * 100);
    assert_int_equal(states.capacity, 285); // of 3 in each of 100 buckets
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 285; i++)
            assert_true(meet(&states, i, &entry));
        assert_int_equal(
            sct_states_visit(&states, key_of(285), (struct sct_budget){1, 1}, &entry, &is_complete),
            SCT_VISIT_FULL);
        for (uint64_t i = 0; i < 285; i++)
            assert_false(meet(&states, i, &entry));
        assert_int_equal(states.count, 285);
        assert_false(sct_states_can_grow(&states));
        sct_states_clear(&states);
        assert_int_equal(states.count, 0);
    }
    assert_true(sct_states_bytes_each(&states) == 6800.0 / 285);
    sct_states_deinit(&states);
}

// As a search does: while there is room to grow, everything is kept, at its new place; both tables
// together never take more than the limit.
static void test_growing_keeps_everything(void **state) {
    (void)state;
    enum { LIMIT = 1 << 25, COUNT = 700 * 1000 };
    struct sct_states states, larger;
    uint64_t *entries = calloc(COUNT, sizeof *entries), entry;
    unsigned grown = 0;
    sct_states_init(&states, LIMIT);
    for (uint64_t i = 0; i < COUNT; i++) {
        if (states.count == states.capacity) {
            assert_true(sct_states_can_grow(&states));
            sct_states_grow(&states, &larger);
            assert_true((states.bucket_count + larger.bucket_count) * 68 <= LIMIT);
            assert_int_equal(larger.count, states.count);
            for (uint64_t j = 0; j < i; j++)
                entries[j] = sct_states_moved(&states, &larger, entries[j]);
            sct_states_deinit(&states);
            states = larger;
            grown++;
        }
        assert_true(meet(&states, i, &entries[i]));
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_false(meet(&states, i, &entry));
        assert_true(entry == entries[i]);
    }
    assert_int_equal(grown, 2); // 4 MiB, 8 MiB, then three fourths of 32 MiB
    assert_false(sct_states_can_grow(&states));
    sct_states_deinit(&states);
    free(entries);
}

// n^2 / 2^129, as core/base/digest.h has it.
static void test_collision(void **state) {
    (void)state;
    assert_true(sct_states_collision(0) == 0);
    assert_true(sct_states_collision(UINT64_C(1) << 32) == 0x1p-65);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visits_agree_with_a_list),
        cmocka_unit_test(test_largest_budgets),
        cmocka_unit_test(test_full_and_cleared),
        cmocka_unit_test(test_growing_keeps_everything),
        cmocka_unit_test(test_collision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
