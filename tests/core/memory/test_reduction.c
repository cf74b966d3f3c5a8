// Reduced searches lose nothing of what a memory shows: the same graphs as by every order of steps,
// of thousands of random little programs with all orders mixed, under each model.
#include "tests/core/memory/drawn.h"

static struct graphs whole, reduced;

struct drawing {
    uint64_t seed;
    size_t programs;
    bool has_locks;
};

struct counts {
    uint64_t graphs, whole, sleep, pruned, dpor, dpor_pruned;
};

static void compare_one(const struct little *little, const struct sct_memory_options *options,
                        struct counts *counts) {
    counts->whole += little_graphs(little, options, SCT_REDUCE_NONE, &whole).executions;
    counts->graphs += whole.count;
    struct little_search search = {0};
    for (enum sct_reduction reduction = SCT_REDUCE_SLEEP; reduction <= SCT_REDUCE_DPOR;
         reduction++) {
        search = little_graphs(little, options, reduction, &reduced);
        if (reduction == SCT_REDUCE_SLEEP) {
            counts->sleep += search.executions;
            counts->pruned += search.pruned;
        }
        if (reduced.count == whole.count && graphs_lacking(&whole, &reduced) == 0)
            continue;
        print_little(little);
        fail_msg("%s, reduction %d: %zu graphs of %zu", sct_memory_model_name(options->model),
                 (int)reduction, reduced.count, whole.count);
    }
    counts->dpor += search.executions;
    counts->dpor_pruned += search.pruned;
}

static struct counts compare(struct sct_memory_options options, struct drawing drawing) {
    struct rng rng;
    rng_seed(&rng, drawing.seed);
    struct counts counts = {0};
    for (size_t i = 0; i < drawing.programs; i++) {
        struct little little;
        draw_little(&rng, DRAW_ANY, drawing.has_locks ? 5 : 6, &little);
        if (drawing.has_locks)
            draw_locks(&rng, &little);
        compare_one(&little, &options, &counts);
    }
    print_message("%s: %llu graphs; %llu executions, by sleep sets %llu and %llu given up, by dpor "
                  "%llu and %llu\n",
                  sct_memory_model_name(options.model), (unsigned long long)counts.graphs,
                  (unsigned long long)counts.whole, (unsigned long long)counts.sleep,
                  (unsigned long long)counts.pruned, (unsigned long long)counts.dpor,
                  (unsigned long long)counts.dpor_pruned);
    return counts;
}

// Stores that may still be read, or not, do not wake who has slept: less than two executions for a
// graph, where every order has many.
static void test_reduction_of_c11(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11};
    struct counts counts =
        compare(options, (struct drawing){11, ARENA_POISONS ? 100 : 1000, false});
    assert_true(counts.sleep < 2 * counts.graphs && counts.whole > 10 * counts.graphs);
    assert_true(counts.dpor <= counts.sleep && counts.dpor_pruned * 10 < counts.pruned);
}

// Where the graph alone decides, each is met once by races, and little is given up.
static void test_reduction_of_exact_c11(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = true};
    struct counts counts =
        compare(options, (struct drawing){14, ARENA_POISONS ? 100 : 2000, false});
    assert_true(counts.dpor == counts.graphs && counts.dpor_pruned * 20 < counts.graphs);
}

// Steps that depend on each other by their order beside those that do by what they read.
static void test_reduction_with_locks(void **state) {
    (void)state;
    for (int is_exact = 0; is_exact <= 1; is_exact++) {
        const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = is_exact};
        compare(options, (struct drawing){15, ARENA_POISONS ? 50 : 500, true});
    }
}

static void test_reduction_of_tso(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_TSO};
    compare(options, (struct drawing){12, ARENA_POISONS ? 50 : 500, false});
}

static void test_reduction_of_sc(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_SC};
    compare(options, (struct drawing){13, ARENA_POISONS ? 50 : 500, false});
}

// Snapshots are a matter of speed alone: as many executions, ended and given up, of the same
// graphs.
static void test_reduction_by_snapshots(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = true};
    uint64_t executions = 0, restored = 0;
    struct rng rng;
    rng_seed(&rng, 16);
    for (int i = 0; i < (ARENA_POISONS ? 50 : 500); i++) {
        struct little little;
        draw_little(&rng, DRAW_ANY, 8, &little);
        draw_locks(&rng, &little);
        little_begins_anew = true;
        struct little_search anew = little_graphs(&little, &options, SCT_REDUCE_DPOR, &whole);
        little_begins_anew = false;
        struct little_search copied = little_graphs(&little, &options, SCT_REDUCE_DPOR, &reduced);
        assert_int_equal(anew.restored, 0);
        assert_int_equal(copied.executions, anew.executions);
        assert_int_equal(copied.pruned, anew.pruned);
        assert_int_equal(reduced.count, whole.count);
        assert_memory_equal(reduced.hashes, whole.hashes, whole.count * sizeof *whole.hashes);
        executions += copied.executions + copied.pruned;
        restored += copied.restored;
    }
    print_message("%llu executions, %llu of them from a snapshot\n", (unsigned long long)executions,
                  (unsigned long long)restored);
    // Nearly all but the first of each program, where memory can be copied (not under sanitizers).
    assert_true(ARENA_POISONS || restored * 10 > executions * 7);
}

static void digest_nothing(void *context, struct digest *state) {
    (void)context;
    (void)state;
}

// What cannot go together is refused in words.
static void test_reduction_refuses(void **state) {
    (void)state;
    struct error error;
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_program program = {
        .setup = little_setup,
        .memory = sct_memory_new(&(struct sct_memory_options){.stale_max = 1}),
    };
    struct sct_search_options options = {
        .program = &program, .strategy = strategy, .reduction = SCT_REDUCE_SLEEP};
    assert_false(sct_search_check(&options, &error));
    assert_non_null(strstr(error.text, "stale reads"));
    options.reduction = SCT_REDUCE_NONE;
    assert_true(sct_search_check(&options, &error));
    program.digest = digest_nothing;
    options.cache_bytes = 1 << 20;
    assert_false(sct_search_check(&options, &error));
    assert_non_null(strstr(error.text, "memory"));
    sct_memory_free(program.memory);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_reduction_of_c11),     ENGINE_TEST(test_reduction_of_exact_c11),
        ENGINE_TEST(test_reduction_with_locks), ENGINE_TEST(test_reduction_of_tso),
        ENGINE_TEST(test_reduction_of_sc),      ENGINE_TEST(test_reduction_by_snapshots),
        ENGINE_TEST(test_reduction_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
