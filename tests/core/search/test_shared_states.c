#define _GNU_SOURCE // MAP_ANONYMOUS
#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/search/shared_states.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static enum sct_visit visit(struct sct_shared_states *states, uint64_t key, uint32_t bound) {
    return sct_shared_states_visit(states, digest_fold((struct digest){0, 0}, key), bound);
}

// A state is known with as much left of the bound or less, new with more.
static void test_shared_states_compare_bounds(void **state) {
    (void)state;
    struct sct_shared_states states;
    sct_shared_states_init(&states, 1 << 16);
    assert_int_equal(visit(&states, 7, 2), SCT_VISIT_NEW);
    assert_int_equal(visit(&states, 7, 2), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 7, 0), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, 8, 0), SCT_VISIT_NEW);
    assert_int_equal(visit(&states, 7, 3), SCT_VISIT_NEW);
    assert_int_equal(visit(&states, 7, 3), SCT_VISIT_KNOWN);
    assert_int_equal(sct_shared_states_count(&states), 2);
    sct_shared_states_deinit(&states);
}

// Filled to its capacity the table still finds every state, and says that it is full; cleared it
// has none.
static void test_shared_states_fill_up(void **state) {
    (void)state;
    struct sct_shared_states states;
    uint64_t capacity = sct_shared_states_capacity(1 << 16);
    sct_shared_states_init(&states, 1 << 16);
    assert_true(capacity > 2000 && sct_shared_states_bytes_each(&states) < 25);
    for (uint64_t i = 0; i < capacity; i++)
        assert_int_equal(visit(&states, i, 0), SCT_VISIT_NEW);
    for (uint64_t i = 0; i < capacity; i++)
        assert_int_equal(visit(&states, i, 0), SCT_VISIT_KNOWN);
    assert_int_equal(visit(&states, capacity, 0), SCT_VISIT_FULL);
    assert_false(sct_shared_states_wants_growth(&states));
    sct_shared_states_clear(&states);
    assert_int_equal(sct_shared_states_count(&states), 0);
    for (uint64_t i = 0; i < capacity; i++)
        assert_int_equal(visit(&states, i, 0), SCT_VISIT_NEW);
    sct_shared_states_deinit(&states);
}

// A table grows when it asks for it, keeps every state with its bound, and in the end is as large
// as it may be.
static void test_shared_states_grow(void **state) {
    (void)state;
    enum { LIMIT = 48 << 20 };
    struct sct_shared_states states;
    uint64_t capacity = sct_shared_states_capacity(LIMIT), growths = 0;
    sct_shared_states_init(&states, LIMIT);
    for (uint64_t i = 0; i < capacity; i++) {
        if (sct_shared_states_wants_growth(&states)) {
            sct_shared_states_grow(&states);
            growths++;
        }
        assert_int_equal(visit(&states, i, (uint32_t)(i % 3)), SCT_VISIT_NEW);
    }
    assert_true(growths > 0);
    assert_int_equal(sct_shared_states_count(&states), capacity);
    for (uint64_t i = 0; i < capacity; i++) {
        assert_int_equal(visit(&states, i, (uint32_t)(i % 3)), SCT_VISIT_KNOWN);
        assert_int_equal(visit(&states, i, (uint32_t)(i % 3 + 1)), SCT_VISIT_NEW);
    }
    assert_int_equal(visit(&states, capacity, 0), SCT_VISIT_FULL);
    sct_shared_states_deinit(&states);
}

enum { PROCESSES = 4, KEYS = 20000, VISITS = 60000 };

// Many visits of few keys; how many of them entered one.
static uint64_t visit_many(struct sct_shared_states *states, uint64_t seed) {
    struct rng rng;
    uint64_t entered = 0;
    rng_seed(&rng, seed);
    for (int i = 0; i < VISITS; i++)
        entered += visit(states, rng_below(&rng, KEYS), 0) == SCT_VISIT_NEW;
    return entered;
}

// Of several processes that come to a state, exactly one enters it.
static void test_shared_states_are_entered_once(void **state) {
    (void)state;
    struct sct_shared_states states;
    uint64_t *entered = mmap(NULL, PROCESSES * sizeof *entered, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(entered != MAP_FAILED);
    sct_shared_states_init(&states, 1 << 20);
    for (uint64_t i = 0; i < PROCESSES; i++) {
        if (fork() != 0)
            continue;
        entered[i] = visit_many(&states, i);
        _exit(0);
    }
    uint64_t sum = 0, seen = 0, place = 0;
    for (int i = 0; i < PROCESSES; i++)
        wait(NULL);
    for (int i = 0; i < PROCESSES; i++)
        sum += entered[i];
    struct digest key;
    uint32_t bound;
    while (sct_shared_states_next(&states, &place, &key, &bound))
        seen += bound == 0;
    assert_int_equal(sum, sct_shared_states_count(&states));
    assert_int_equal(sum, seen);
    assert_true(sum > KEYS * 9 / 10);
    sct_shared_states_deinit(&states);
    munmap(entered, PROCESSES * sizeof *entered);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_states_compare_bounds),
        cmocka_unit_test(test_shared_states_fill_up),
        cmocka_unit_test(test_shared_states_grow),
        cmocka_unit_test(test_shared_states_are_entered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
