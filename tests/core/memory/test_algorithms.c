// Every execution of algorithms under c11, tso and sc, with races looked for: right ones have no
// violation, wrong ones have theirs.
#include "tests/core/memory/algorithms.h"

#include "core/search/search.h"

// ---- Running them ------------------------------------------------------------------------------

struct verdict {
    uint64_t executions, passed;
    const char *kind; // of the violations, one kind; NULL: there is none
};

static const struct sct_memory_options c11 = {.model = SCT_MEMORY_C11, .races = SCT_RACES_FIRST},
                                       tso = {.model = SCT_MEMORY_TSO, .races = SCT_RACES_FIRST},
                                       sc = {.model = SCT_MEMORY_SC, .races = SCT_RACES_FIRST};

static struct verdict run_all(void (*setup)(void *), void *context,
                              const struct sct_memory_options *options) {
    struct sct_program program = {
        .setup = setup, .context = context, .is_copyable = true, .memory = sct_memory_new(options)};
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_search *search = sct_search_open(&(struct sct_search_options){
        .program = &program, .strategy = strategy, .reduction = SCT_REDUCE_SLEEP});
    struct verdict verdict = {0, 0, NULL};
    do {
        const struct sct_result *result = sct_search_run(search, engine, 1);
        verdict.executions += result->outcome != SCT_PRUNED;
        verdict.passed += result->outcome == SCT_PASSED;
        if (result->outcome != SCT_VIOLATED)
            continue;
        if (verdict.kind && strcmp(verdict.kind, result->violation.kind) != 0)
            fail_msg("%s and %s", verdict.kind, result->violation.kind);
        verdict.kind = result->violation.kind;
    } while (sct_path_advance(strategy->path));
    sct_search_close(search);
    sct_strategy_free(strategy);
    sct_memory_free(program.memory);
    return verdict;
}

static void expect(void (*setup)(void *), void *context, const struct sct_memory_options *options,
                   const char *kind) {
    struct verdict verdict = run_all(setup, context, options);
    print_message("  %s: %s, %d executions, %d passed\n", sct_memory_model_name(options->model),
                  verdict.kind ? verdict.kind : "none", (int)verdict.executions,
                  (int)verdict.passed);
    if (kind)
        assert_non_null(verdict.kind);
    else if (verdict.kind)
        fail_msg("%s", verdict.kind);
    if (kind)
        assert_string_equal(verdict.kind, kind);
}

// ---- The verdicts ------------------------------------------------------------------------------

static void test_algorithm_peterson(void **state) {
    (void)state;
    struct orders strong = {SCT_SEQ_CST, SCT_SEQ_CST, SCT_RELAXED};
    struct orders weak = {SCT_RELEASE, SCT_ACQUIRE, SCT_RELAXED};
    expect(set_up_peterson, &strong, &c11, NULL);
    expect(set_up_peterson, &strong, &tso, NULL);
    expect(set_up_peterson, &strong, &sc, NULL);
    expect(set_up_peterson, &weak, &c11, SCT_KIND_DATA_RACE);
    expect(set_up_peterson, &weak, &tso, SCT_KIND_DATA_RACE);
    expect(set_up_peterson, &weak, &sc, NULL);
}

static void test_algorithm_dekker(void **state) {
    (void)state;
    struct orders fenced = {.fence = SCT_SEQ_CST}, weak = {.fence = SCT_ACQ_REL};
    expect(set_up_dekker, &fenced, &c11, NULL);
    expect(set_up_dekker, &fenced, &sc, NULL);
    expect(set_up_dekker, &weak, &c11, SCT_KIND_DATA_RACE);
    expect(set_up_dekker, &weak, &tso, SCT_KIND_DATA_RACE);
    expect(set_up_dekker, &weak, &sc, NULL);
}

static void test_algorithm_seqlock(void **state) {
    (void)state;
    struct orders fenced = {.fence = SCT_ACQUIRE}, unfenced = {.fence = SCT_RELAXED};
    expect(set_up_seqlock, &fenced, &c11, NULL);
    expect(set_up_seqlock, &fenced, &sc, NULL);
    expect(set_up_seqlock, &unfenced, &c11, "torn");
    expect(set_up_seqlock, &unfenced, &tso, NULL); // x86 keeps loads in order
    expect(set_up_seqlock, &unfenced, &sc, NULL);
}

static void test_algorithm_deque(void **state) {
    (void)state;
    struct orders right = {.fence = SCT_SEQ_CST}, wrong = {.fence = SCT_ACQ_REL};
    expect(set_up_deque, &right, &c11, NULL);
    expect(set_up_deque, &right, &tso, NULL);
    expect(set_up_deque, &right, &sc, NULL);
    expect(set_up_deque, &wrong, &c11, "twice");
    expect(set_up_deque, &wrong, &tso, "twice");
    expect(set_up_deque, &wrong, &sc, NULL);
}

static void test_algorithm_double_checked_lock(void **state) {
    (void)state;
    struct orders right = {SCT_RELEASE, SCT_ACQUIRE, SCT_RELAXED};
    struct orders wrong = {SCT_RELAXED, SCT_ACQUIRE, SCT_RELAXED};
    expect(set_up_lazy, &right, &c11, NULL);
    expect(set_up_lazy, &right, &sc, NULL);
    expect(set_up_lazy, &wrong, &c11, SCT_KIND_DATA_RACE);
    expect(set_up_lazy, &wrong, &sc, SCT_KIND_DATA_RACE);
}

static void test_algorithm_reference_count(void **state) {
    (void)state;
    struct orders right = {.store = SCT_ACQ_REL}, wrong = {.store = SCT_RELAXED};
    expect(set_up_counted, &right, &c11, NULL);
    expect(set_up_counted, &wrong, &c11, SCT_KIND_DATA_RACE);
    expect(set_up_counted, &wrong, &sc, SCT_KIND_DATA_RACE);
}

static void test_algorithm_stack(void **state) {
    (void)state;
    struct orders right = {SCT_RELEASE, SCT_ACQUIRE, SCT_RELAXED};
    struct orders wrong = {SCT_RELAXED, SCT_ACQUIRE, SCT_RELAXED};
    frees_nodes = false;
    expect(set_up_stack, &right, &c11, NULL);
    expect(set_up_stack, &right, &sc, NULL);
    expect(set_up_stack, &wrong, &c11, SCT_KIND_DATA_RACE);
    frees_nodes = true;
    expect(set_up_stack, &right, &c11, SCT_KIND_DATA_RACE);
    expect(set_up_stack, &right, &sc, SCT_KIND_DATA_RACE);
}

static void test_algorithm_that_gives_up(void **state) {
    (void)state;
    expect(set_up_polls, NULL, &c11, "gave-up");
    expect(set_up_polls, NULL, &sc, "gave-up");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_algorithm_peterson),
        ENGINE_TEST(test_algorithm_dekker),
        ENGINE_TEST(test_algorithm_seqlock),
        ENGINE_TEST(test_algorithm_deque),
        ENGINE_TEST(test_algorithm_double_checked_lock),
        ENGINE_TEST(test_algorithm_reference_count),
        ENGINE_TEST(test_algorithm_stack),
        ENGINE_TEST(test_algorithm_that_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
