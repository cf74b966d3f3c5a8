// The models compared with others of the same, on random little programs: c11 with the axioms of
// RC11, tso with a machine of store buffers, sc with that machine without buffers. Graphs, not
// outcomes alone.
#include "tests/core/memory/axioms.h"
#include "tests/core/memory/buffers.h"
#include "tests/core/memory/drawn.h"

static struct graphs by_model, by_axioms;

// ---- c11 ---------------------------------------------------------------------------------------

struct tally {
    size_t programs, graphs, extra, missing, programs_missing;
};

static struct tally compare(enum draw_profile profile, bool is_exact, uint64_t seed,
                            size_t programs) {
    struct rng rng;
    rng_seed(&rng, seed);
    struct tally tally = {.programs = programs};
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = is_exact};
    for (size_t i = 0; i < programs; i++) {
        struct little little;
        draw_little(&rng, profile, 8, &little);
        axiom_search(&little, &by_axioms);
        little_graphs(&little, &options, SCT_REDUCE_SLEEP, &by_model);
        size_t extra = graphs_lacking(&by_model, &by_axioms);
        size_t missing = graphs_lacking(&by_axioms, &by_model);
        if (extra > 0 || (missing > 0 && (is_exact || profile != DRAW_ANY))) {
            print_little(&little);
            fail_msg("program %zu: %zu graphs of %zu; %zu too many, %zu missing", i, by_model.count,
                     by_axioms.count, extra, missing);
        }
        tally.graphs += by_axioms.count;
        tally.missing += missing;
        tally.programs_missing += missing > 0;
    }
    return tally;
}

static void test_axioms_without_seq_cst(void **state) {
    (void)state;
    compare(DRAW_WEAK, false, 1, 1000);
}

static void test_axioms_with_fences(void **state) {
    (void)state;
    compare(DRAW_FENCES, false, 2, 1000);
}

static void test_axioms_with_seq_cst_only(void **state) {
    (void)state;
    compare(DRAW_SEQ_CST_ONLY, false, 3, 1000);
}

// Where SEQ_CST and weaker accesses mix, the order of execution shows a few graphs less.
static void test_axioms_with_any_orders(void **state) {
    (void)state;
    struct tally tally = compare(DRAW_ANY, false, 4, 1000);
    print_message("%zu programs, %zu graphs; not shown: %zu, of %zu programs\n", tally.programs,
                  tally.graphs, tally.missing, tally.programs_missing);
}

static void test_axioms_exactly(void **state) {
    (void)state;
    compare(DRAW_ANY, true, 4, 1000);
    compare(DRAW_FENCES, true, 7, 300);
    compare(DRAW_SEQ_CST_ONLY, true, 8, 300);
}

// ---- tso, sc -----------------------------------------------------------------------------------

static void compare_with_buffers(enum sct_memory_model model, uint64_t seed, size_t programs) {
    struct rng rng;
    rng_seed(&rng, seed);
    const struct sct_memory_options options = {.model = model};
    for (size_t i = 0; i < programs; i++) {
        struct little little;
        draw_little(&rng, DRAW_ANY, 8, &little);
        buffer_search(&little, model == SCT_MEMORY_TSO, &by_axioms);
        little_graphs(&little, &options, SCT_REDUCE_SLEEP, &by_model);
        size_t extra = graphs_lacking(&by_model, &by_axioms);
        size_t missing = graphs_lacking(&by_axioms, &by_model);
        if (extra + missing > 0) {
            print_little(&little);
            fail_msg("program %zu: %zu graphs of %zu; %zu too many, %zu missing", i, by_model.count,
                     by_axioms.count, extra, missing);
        }
    }
}

static void test_axioms_of_store_buffers(void **state) {
    (void)state;
    compare_with_buffers(SCT_MEMORY_TSO, 5, 1000);
}

static void test_axioms_of_interleaving(void **state) {
    (void)state;
    compare_with_buffers(SCT_MEMORY_SC, 6, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_axioms_without_seq_cst),   ENGINE_TEST(test_axioms_with_fences),
        ENGINE_TEST(test_axioms_with_seq_cst_only), ENGINE_TEST(test_axioms_with_any_orders),
        ENGINE_TEST(test_axioms_exactly),           ENGINE_TEST(test_axioms_of_store_buffers),
        ENGINE_TEST(test_axioms_of_interleaving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
