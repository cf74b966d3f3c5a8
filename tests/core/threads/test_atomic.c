#include "tests/support/every.h"

#include "core/threads/atomic.h"
#include "core/campaign/campaign.h"
#include "core/threads/thread.h"

static struct sct_atomic x, y;
static struct sct_shared shared;
static int plain;
static uint64_t seen[2], sums[8];

static void visit_any(const struct sct_result *result) {
    assert_passed(result);
}

static void *use_all(void *argument) {
    (void)argument;
    uint64_t expected = 5;
    sct_atomic_store(&x, 6);
    sct_check(!sct_atomic_compare_exchange(&x, &expected, 9), "wrong", "exchanged");
    sct_check(expected == 6, "wrong", "the value was not told");
    sct_check(sct_atomic_compare_exchange(&x, &expected, 12), "wrong", "not exchanged");
    sct_check(sct_atomic_exchange(&x, 10) == 12, "wrong", "exchange");
    sct_check(sct_atomic_fetch_add(&x, 2) == 10, "wrong", "add");
    sct_check(sct_atomic_fetch_sub(&x, 13) == 12, "wrong", "sub");
    sct_check(sct_atomic_fetch_and(&x, 7) == UINT64_MAX, "wrong", "a difference below 0");
    sct_check(sct_atomic_fetch_or(&x, 8) == 7, "wrong", "or");
    sct_check(sct_atomic_fetch_xor(&x, 1) == 15, "wrong", "xor");
    sct_check(sct_atomic_load(&x) == 14, "wrong", "load");
    return NULL;
}

static void one_user(void *context) {
    (void)context;
    sct_atomic_init(&x, "x", 0);
    sct_thread_create("t", use_all, NULL);
}

// Each operation returns the old value and leaves the new one.
static void test_atomic_operations(void **state) {
    (void)state;
    assert_int_equal(run_every_setup(one_user, visit_any), 1);
}

static void *store_and_load(void *argument) {
    bool is_first = argument;
    sct_atomic_store(is_first ? &x : &y, 1);
    seen[is_first] = sct_atomic_load(is_first ? &y : &x);
    return NULL;
}

static void store_buffering(void *context) {
    (void)context;
    sct_atomic_init(&x, "x", 0);
    sct_atomic_init(&y, "y", 0);
    sct_thread_create("a", store_and_load, &x);
    sct_thread_create("b", store_and_load, NULL);
}

static void visit_seen(const struct sct_result *result) {
    assert_passed(result);
    sums[seen[0] + 2 * seen[1]]++;
}

// Sequential consistency: of the four outcomes of "store buffering" exactly the one in which both
// miss the other's store is impossible. Steps of each: start, store, load; C(6,3) executions.
static void test_atomic_store_buffering(void **state) {
    (void)state;
    memset(sums, 0, sizeof sums);
    assert_int_equal(run_every_setup(store_buffering, visit_seen), 20);
    assert_int_equal(sums[0], 0);
    assert_true(sums[1] > 0 && sums[2] > 0 && sums[3] > 0);
}

static void *exchange_weakly(void *argument) {
    (void)argument;
    uint64_t expected = 0;
    seen[0] = sct_atomic_compare_exchange_weak(&x, &expected, 1);
    expected = 7;
    sct_check(!sct_atomic_compare_exchange_weak(&x, &expected, 1), "wrong", "7 is not the value");
    return NULL;
}

static void weak(void *context) {
    (void)context;
    sct_atomic_init(&x, "x", 0);
    sct_thread_create("t", exchange_weakly, NULL);
}

static void visit_weak(const struct sct_result *result) {
    assert_passed(result);
    assert_int_equal(x.value, seen[0]);
    sums[seen[0]]++;
}

// A weak exchange of an equal value succeeds or fails, by one choice; of another it fails without.
static void test_atomic_weak_exchange_may_fail(void **state) {
    (void)state;
    memset(sums, 0, sizeof sums);
    assert_int_equal(run_every_setup(weak, visit_weak), 2);
    assert_true(sums[0] == 1 && sums[1] == 1);
}

static void *increment_plain(void *argument) {
    (void)argument;
    sct_shared_read(&shared);
    int value = plain;
    sct_shared_write(&shared);
    plain = value + 1;
    return NULL;
}

static void two_increments(void *context) {
    (void)context;
    plain = 0;
    sct_shared_init(&shared, "counter");
    sct_thread_create("a", increment_plain, NULL);
    sct_thread_create("b", increment_plain, NULL);
}

static void visit_plain(const struct sct_result *result) {
    assert_passed(result);
    sums[plain]++;
}

// A marked plain counter loses updates. Of the 20 executions (start, read, write of each) an update
// is kept where one's write comes before the other's read: then only the other's start is free, at
// one of 4 places, on either side.
static void test_shared_accesses_interleave(void **state) {
    (void)state;
    memset(sums, 0, sizeof sums);
    assert_int_equal(run_every_setup(two_increments, visit_plain), 20);
    assert_int_equal(sums[2], 8);
    assert_int_equal(sums[1], 12);
}

static void *touch_x(void *argument) {
    (void)argument;
    sct_atomic_store(&x, 1);
    return NULL;
}

static void *load_x(void *argument) {
    (void)argument;
    sct_atomic_load(&x);
    return NULL;
}

static void *touch_y(void *argument) {
    (void)argument;
    sct_atomic_store(&y, 1);
    return NULL;
}

static bool raced[3];

// Three tasks are about to take their one step: notes which pairs of accesses race.
static unsigned watch_pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    (void)strategy;
    if (point->enabled->words[0] == 7 &&
        point->slots[0].steps + point->slots[1].steps + point->slots[2].steps == 3) {
        raced[0] = sct_accesses_race(point->slots[0].access, point->slots[1].access);
        raced[1] = sct_accesses_race(point->slots[1].access, point->slots[2].access);
        raced[2] = sct_accesses_race(point->slots[0].access, point->slots[2].access);
    }
    unsigned least = 0;
    for (unsigned slot = 0; slot < 3; slot++)
        if (sct_slots_have(point->enabled, slot) &&
            (!(sct_slots_have(point->enabled, least)) ||
             point->slots[slot].steps < point->slots[least].steps))
            least = slot;
    return least;
}

static void three_touch(void *context) {
    sct_atomic_init(&x, "x", 0);
    sct_atomic_init(&y, "y", 0);
    sct_thread_create("a", context ? load_x : touch_x, NULL);
    sct_thread_create("b", load_x, NULL);
    sct_thread_create("c", touch_y, NULL);
}

// What a step declares: a store and a load of one atomic race, two loads do not, nor do accesses to
// different ones.
static void test_atomic_accesses_are_declared(void **state) {
    (void)state;
    static const struct sct_strategy_ops ops = {
        .name = "watch",
        .size = sizeof(struct sct_strategy),
        .begin = stay_begin,
        .pick = watch_pick,
        .choose = stay_choose,
    };
    struct sct_strategy strategy = {.ops = &ops};
    struct sct_program program = {.setup = three_touch};
    raced[1] = raced[2] = true;
    assert_passed(run_with(&strategy, &program, 0));
    assert_true(raced[0] && !raced[1] && !raced[2]);
    program.context = &x;
    raced[0] = true;
    assert_passed(run_with(&strategy, &program, 0));
    assert_false(raced[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_atomic_operations),
        ENGINE_TEST(test_atomic_store_buffering),
        ENGINE_TEST(test_atomic_weak_exchange_may_fail),
        ENGINE_TEST(test_shared_accesses_interleave),
        ENGINE_TEST(test_atomic_accesses_are_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
