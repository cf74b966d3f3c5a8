#include "tests/support/test.h"

#include "core/base/rng.h"
#include "core/strategy/path.h"

#include <math.h>
#include <string.h>

// ---- A tree ------------------------------------------------------------------------------------

// What is asked at a node is drawn from the answers that lead to it, so the tree needs no memory
// and every walk through it meets the same.
enum { DEPTH_MAX = 7 };

struct node {
    uint64_t hash;
    uint32_t depth;
};

static const struct node root = {.hash = 7};

static struct node below(struct node node, uint32_t answer) {
    return (struct node){rng_mix(node.hash ^ (answer + 1)), node.depth + 1};
}

static bool is_leaf(struct node node) {
    return node.depth == DEPTH_MAX || (node.depth > 2 && node.hash % 8 == 0);
}

static uint32_t count_of(struct node node) {
    return 2 + (uint32_t)(node.hash >> 8) % 2;
}

static enum sct_frame_kind kind_of(struct node node) {
    return node.hash >> 16 & 1 ? SCT_FRAME_VALUE : SCT_FRAME_SCHEDULE;
}

static bool is_preempting(struct node node) {
    return node.hash >> 17 & 1;
}

static uint32_t cost_of(enum sct_bound_kind bound, struct node node, uint32_t answer) {
    if (bound == SCT_BOUND_NONE || kind_of(node) != SCT_FRAME_SCHEDULE)
        return 0;
    return bound == SCT_BOUND_DELAYS ? answer : is_preempting(node) && answer > 0;
}

// ---- Its leaves, by plain recursion ------------------------------------------------------------

enum { LEAVES_MAX = 4096 };

struct leaves {
    uint64_t hashes[LEAVES_MAX];
    uint32_t costs[LEAVES_MAX];
    size_t count;
};

static void add(struct leaves *leaves, uint64_t hash, uint32_t cost) {
    assert_true(leaves->count < LEAVES_MAX);
    leaves->costs[leaves->count] = cost;
    leaves->hashes[leaves->count++] = hash;
}

static void list(struct leaves *leaves, enum sct_bound_kind bound, struct node node,
                 uint32_t spent) {
    if (is_leaf(node)) {
        add(leaves, node.hash, spent);
        return;
    }
    for (uint32_t i = 0; i < count_of(node); i++)
        list(leaves, bound, below(node, i), spent + cost_of(bound, node, i));
}

// ---- The same by paths -------------------------------------------------------------------------

static uint64_t walk(struct sct_path *path) {
    struct node node = root;
    path->position = 0;
    while (!is_leaf(node)) {
        uint32_t answer;
        bool is_same =
            sct_path_answer(path, kind_of(node), count_of(node), is_preempting(node), &answer);
        assert_true(is_same && answer < count_of(node));
        node = below(node, answer);
    }
    return node.hash;
}

static void assert_same(const struct leaves *found, const struct leaves *expected) {
    assert_int_equal(found->count, expected->count);
    assert_memory_equal(found->hashes, expected->hashes, found->count * sizeof *found->hashes);
}

static struct leaves all, found;

// Without a bound: every leaf once, from left to right.
static void test_every_leaf_once(void **state) {
    (void)state;
    struct sct_path path = {0};
    all.count = found.count = 0;
    list(&all, SCT_BOUND_NONE, root, 0);
    assert_true(all.count > 100);
    do
        add(&found, walk(&path), 0);
    while (sct_path_advance(&path));
    assert_true(path.is_exhausted);
    assert_same(&found, &all);
    sct_path_deinit(&path);
}

// With bounds: bound b has the leaves that cost at most b, and those that cost b are there for the
// first time; after the last bound that leaves something out the search ends.
static void expect_bounds(enum sct_bound_kind kind) {
    struct sct_path path = {.bound_kind = kind, .bound_limit = SCT_BOUND_MAX};
    all.count = 0;
    list(&all, kind, root, 0);
    uint32_t most = 0;
    for (size_t i = 0; i < all.count; i++)
        most = all.costs[i] > most ? all.costs[i] : most;
    assert_true(most >= 2);
    for (uint32_t bound = 0; bound <= most; bound++) {
        static struct leaves expected;
        expected.count = found.count = 0;
        for (size_t i = 0; i < all.count; i++)
            if (all.costs[i] <= bound)
                add(&expected, all.hashes[i], all.costs[i]);
        bool goes_on = true;
        assert_int_equal(path.bound, bound);
        while (goes_on && path.bound == bound) {
            uint64_t hash = walk(&path);
            assert_true(sct_path_spent(&path) == expected.costs[found.count]);
            assert_int_equal(sct_path_is_first_time(&path), sct_path_spent(&path) == bound);
            add(&found, hash, sct_path_spent(&path));
            goes_on = sct_path_advance(&path);
        }
        assert_same(&found, &expected);
        assert_int_equal(goes_on, bound < most);
    }
    sct_path_deinit(&path);
}

static void test_bounds(void **state) {
    (void)state;
    expect_bounds(SCT_BOUND_DELAYS);
    expect_bounds(SCT_BOUND_PREEMPTIONS);
}

// The last bound to be tried is the last, even if it leaves something out.
static void test_last_bound(void **state) {
    (void)state;
    struct sct_path path = {.bound_kind = SCT_BOUND_DELAYS, .bound_limit = 1};
    do
        walk(&path);
    while (sct_path_advance(&path));
    assert_int_equal(path.bound, 1);
    assert_true(path.meets_bound);
    sct_path_deinit(&path);
}

// A program that asks something else where the path has been is told.
static void test_another_question_is_noticed(void **state) {
    (void)state;
    struct sct_path path = {0};
    uint32_t answer;
    for (int change = 0; change < 3; change++) {
        path.position = 0;
        enum sct_frame_kind kind = change == 1 ? SCT_FRAME_SCHEDULE : SCT_FRAME_VALUE;
        assert_int_equal(sct_path_answer(&path, kind, change == 2 ? 4 : 3, false, &answer),
                         change == 0);
    }
    sct_path_deinit(&path);
}

// ---- Shares ------------------------------------------------------------------------------------

// Before the first leaf lies nothing, behind the last one all; what lies before a leaf and what is
// left from it on are the whole, and the share grows by the leaf's own weight.
static void test_shares_are_the_whole(void **state) {
    (void)state;
    struct sct_path path = {0};
    double before = 0;
    do {
        walk(&path);
        double weight = 1;
        for (uint32_t i = 0; i < path.depth; i++)
            weight /= path.frames[i].count;
        assert_true(fabs(sct_path_share(&path) - before) < 1e-9);
        assert_true(fabs(sct_path_share(&path) + sct_path_left(&path) - 1) < 1e-9);
        before += weight;
    } while (sct_path_advance(&path));
    assert_true(fabs(before - 1) < 1e-9);
    assert_true(sct_path_share(&path) == 1 && sct_path_left(&path) == 0);
    sct_path_deinit(&path);
}

// ---- Sharing a tree ----------------------------------------------------------------------------

enum { WORKERS_MAX = 40 };

// Several take turns as a generator says, and give parts of theirs away as it says: together they
// come to every leaf once, and each to neighbours, in order. What is left is divided by giving.
static void test_splits_lose_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sct_path paths[WORKERS_MAX] = {{0}};
        static uint8_t times[LEAVES_MAX];
        uint32_t workers = 1, busy = 1;
        struct rng rng;
        rng_seed(&rng, seed);
        all.count = 0;
        list(&all, SCT_BOUND_NONE, root, 0);
        memset(times, 0, sizeof times);
        while (busy > 0) {
            struct sct_path *path = &paths[rng_below(&rng, workers)];
            if (path->is_exhausted)
                continue;
            uint64_t hash = walk(path);
            for (size_t i = 0; i < all.count; i++)
                times[i] = (uint8_t)(times[i] + (all.hashes[i] == hash));
            double left = sct_path_left(path);
            bool can_split = sct_path_can_split(path);
            if (workers < WORKERS_MAX && rng_below(&rng, 8) == 0) {
                assert_int_equal(sct_path_split(path, &paths[workers]), can_split);
                if (can_split) {
                    double divided = sct_path_left(path) + sct_path_left(&paths[workers]);
                    assert_true(fabs(divided - left) < 1e-9);
                    workers++;
                    busy++;
                }
            }
            busy -= !sct_path_advance(path);
        }
        assert_true(workers > 3);
        for (size_t i = 0; i < all.count; i++)
            assert_int_equal(times[i], 1);
        for (uint32_t i = 0; i < workers; i++)
            sct_path_deinit(&paths[i]);
    }
}

// What is given away is on the right of all that is kept.
static void test_what_is_given_is_on_the_right(void **state) {
    (void)state;
    struct sct_path path = {0}, right = {0};
    all.count = found.count = 0;
    list(&all, SCT_BOUND_NONE, root, 0);
    add(&found, walk(&path), 0);
    assert_true(sct_path_split(&path, &right));
    while (sct_path_advance(&path))
        add(&found, walk(&path), 0);
    do
        add(&found, walk(&right), 0);
    while (sct_path_advance(&right));
    assert_same(&found, &all);
    sct_path_deinit(&path);
    sct_path_deinit(&right);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_leaf_once),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_last_bound),
        cmocka_unit_test(test_another_question_is_noticed),
        cmocka_unit_test(test_shares_are_the_whole),
        cmocka_unit_test(test_splits_lose_nothing),
        cmocka_unit_test(test_what_is_given_is_on_the_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
