// The shapes by which memory models are told apart, with the known numbers of their outcomes (what
// was read, and the last store of each location) under c11, tso and sc. The numbers are those of
// the literature (Alglave, Maranget, Tautschnig, "Herding cats", TOPLAS 2014; Lahav et al., PLDI
// 2017); the axioms and the machine of store buffers have to agree.
#include "tests/core/memory/axioms.h"
#include "tests/core/memory/buffers.h"

enum { X, Y, Z };

#define W(location_, value_, order_) \
    { .op = STORE, .location = location_, .value = value_, .order = SCT_##order_ }
#define R(location_, order_) \
    { .op = LOAD, .location = location_, .order = SCT_##order_ }
#define U(location_, value_, order_) \
    { .op = EXCHANGE, .location = location_, .value = value_, .order = SCT_##order_ }
#define F(order_) \
    { .op = FENCE, .order = SCT_##order_ }

struct shape {
    struct little little;
    size_t c11, tso, sc;
};

static const struct shape shapes[] = {
    // Store buffering: both miss the other's store.
    {{"SB", {{W(X, 1, RELAXED), R(Y, RELAXED)}, {W(Y, 2, RELAXED), R(X, RELAXED)}}}, 4, 4, 3},
    {{"SB+rel-acq", {{W(X, 1, RELEASE), R(Y, ACQUIRE)}, {W(Y, 2, RELEASE), R(X, ACQUIRE)}}},
     4,
     4,
     3},
    {{"SB+sc", {{W(X, 1, SEQ_CST), R(Y, SEQ_CST)}, {W(Y, 2, SEQ_CST), R(X, SEQ_CST)}}}, 3, 3, 3},
    {{"SB+fence",
      {{W(X, 1, RELAXED), F(SEQ_CST), R(Y, RELAXED)}, {W(Y, 2, RELAXED), R(X, RELAXED)}}},
     4,
     4,
     3},
    {{"SB+fences",
      {{W(X, 1, RELAXED), F(SEQ_CST), R(Y, RELAXED)},
       {W(Y, 2, RELAXED), F(SEQ_CST), R(X, RELAXED)}}},
     3,
     3,
     3},
    {{"SB+acq_rel-fences",
      {{W(X, 1, RELAXED), F(ACQ_REL), R(Y, RELAXED)},
       {W(Y, 2, RELAXED), F(ACQ_REL), R(X, RELAXED)}}},
     4,
     4,
     3},
    {{"SB+rmws", {{U(X, 1, ACQ_REL), R(Y, RELAXED)}, {U(Y, 2, ACQ_REL), R(X, RELAXED)}}}, 4, 3, 3},
    {{"SB+rfi",
      {{W(X, 1, RELAXED), R(X, RELAXED), R(Y, RELAXED)},
       {W(Y, 2, RELAXED), R(Y, RELAXED), R(X, RELAXED)}}},
     4,
     4,
     3},
    // Message passing: the flag is seen, the message is not.
    {{"MP", {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {R(Y, RELAXED), R(X, RELAXED)}}}, 4, 3, 3},
    {{"MP+rel-acq", {{W(X, 1, RELAXED), W(Y, 2, RELEASE)}, {R(Y, ACQUIRE), R(X, RELAXED)}}},
     3,
     3,
     3},
    {{"MP+rel", {{W(X, 1, RELAXED), W(Y, 2, RELEASE)}, {R(Y, RELAXED), R(X, RELAXED)}}}, 4, 3, 3},
    {{"MP+acq", {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {R(Y, ACQUIRE), R(X, RELAXED)}}}, 4, 3, 3},
    {{"MP+fences",
      {{W(X, 1, RELAXED), F(RELEASE), W(Y, 2, RELAXED)},
       {R(Y, RELAXED), F(ACQUIRE), R(X, RELAXED)}}},
     3,
     3,
     3},
    {{"MP+relf-acq",
      {{W(X, 1, RELAXED), F(RELEASE), W(Y, 2, RELAXED)}, {R(Y, ACQUIRE), R(X, RELAXED)}}},
     3,
     3,
     3},
    {{"MP+relf",
      {{W(X, 1, RELAXED), F(RELEASE), W(Y, 2, RELAXED)}, {R(Y, RELAXED), R(X, RELAXED)}}},
     4,
     3,
     3},
    {{"MP+acqf",
      {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {R(Y, RELAXED), F(ACQUIRE), R(X, RELAXED)}}},
     4,
     3,
     3},
    // Load buffering: C11 allows 4, RC11 does not.
    {{"LB", {{R(X, RELAXED), W(Y, 1, RELAXED)}, {R(Y, RELAXED), W(X, 2, RELAXED)}}}, 3, 3, 3},
    // Stores in an order that neither thread has.
    {{"2+2W", {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {W(Y, 3, RELAXED), W(X, 4, RELAXED)}}},
     4,
     3,
     3},
    {{"2+2W+rel", {{W(X, 1, RELEASE), W(Y, 2, RELEASE)}, {W(Y, 3, RELEASE), W(X, 4, RELEASE)}}},
     4,
     3,
     3},
    {{"2+2W+sc", {{W(X, 1, SEQ_CST), W(Y, 2, SEQ_CST)}, {W(Y, 3, SEQ_CST), W(X, 4, SEQ_CST)}}},
     3,
     3,
     3},
    {{"S", {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {R(Y, RELAXED), W(X, 3, RELAXED)}}}, 4, 3, 3},
    {{"S+rel-acq", {{W(X, 1, RELAXED), W(Y, 2, RELEASE)}, {R(Y, ACQUIRE), W(X, 3, RELAXED)}}},
     3,
     3,
     3},
    {{"R", {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {W(Y, 3, RELAXED), R(X, RELAXED)}}}, 4, 4, 3},
    {{"R+fences",
      {{W(X, 1, RELAXED), F(SEQ_CST), W(Y, 2, RELAXED)},
       {W(Y, 3, RELAXED), F(SEQ_CST), R(X, RELAXED)}}},
     3,
     3,
     3},
    {{"R+sc", {{W(X, 1, SEQ_CST), W(Y, 2, SEQ_CST)}, {W(Y, 3, SEQ_CST), R(X, SEQ_CST)}}}, 3, 3, 3},
    // Coherence, the same under every model.
    {{"CoRR", {{W(X, 1, RELAXED)}, {R(X, RELAXED), R(X, RELAXED)}}}, 3, 3, 3},
    {{"CoWR", {{W(X, 1, RELAXED), R(X, RELAXED)}, {W(X, 2, RELAXED)}}}, 3, 3, 3},
    {{"CoRW", {{R(X, RELAXED), W(X, 1, RELAXED)}, {W(X, 2, RELAXED)}}}, 3, 3, 3},
    // Through a third thread.
    {{"WRC",
      {{W(X, 1, RELAXED)}, {R(X, RELAXED), W(Y, 2, RELAXED)}, {R(Y, RELAXED), R(X, RELAXED)}}},
     8,
     7,
     7},
    {{"WRC+rel-acq",
      {{W(X, 1, RELAXED)}, {R(X, ACQUIRE), W(Y, 2, RELEASE)}, {R(Y, ACQUIRE), R(X, RELAXED)}}},
     7,
     7,
     7},
    {{"ISA2+rel-acq",
      {{W(X, 1, RELAXED), W(Y, 2, RELEASE)},
       {R(Y, ACQUIRE), W(Z, 3, RELEASE)},
       {R(Z, ACQUIRE), R(X, RELAXED)}}},
     7,
     7,
     7},
    {{"RWC",
      {{W(X, 1, RELAXED)}, {R(X, ACQUIRE), R(Y, ACQUIRE)}, {W(Y, 2, RELAXED), R(X, RELAXED)}}},
     8,
     8,
     7},
    {{"RWC+fences",
      {{W(X, 1, RELAXED)},
       {R(X, ACQUIRE), F(SEQ_CST), R(Y, ACQUIRE)},
       {W(Y, 2, RELAXED), F(SEQ_CST), R(X, RELAXED)}}},
     7,
     7,
     7},
    // Independent readers.
    {{"IRIW+acq",
      {{W(X, 1, RELEASE)},
       {W(Y, 2, RELEASE)},
       {R(X, ACQUIRE), R(Y, ACQUIRE)},
       {R(Y, ACQUIRE), R(X, ACQUIRE)}}},
     16,
     15,
     15},
    {{"IRIW+sc",
      {{W(X, 1, SEQ_CST)},
       {W(Y, 2, SEQ_CST)},
       {R(X, SEQ_CST), R(Y, SEQ_CST)},
       {R(Y, SEQ_CST), R(X, SEQ_CST)}}},
     15,
     15,
     15},
    {{"IRIW+fences",
      {{W(X, 1, RELAXED)},
       {W(Y, 2, RELAXED)},
       {R(X, RELAXED), F(SEQ_CST), R(Y, RELAXED)},
       {R(Y, RELAXED), F(SEQ_CST), R(X, RELAXED)}}},
     15,
     15,
     15},
    // A release sequence through another thread's relaxed read-modify-write carries the message.
    {{"MP+rmw-between",
      {{W(X, 1, RELAXED), W(Y, 2, RELEASE)}, {U(Y, 3, RELAXED)}, {R(Y, ACQUIRE), R(X, RELAXED)}}},
     9,
     9,
     9},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

// ---- Outcomes ----------------------------------------------------------------------------------

static struct graphs model_graphs, other_graphs;

static size_t outcomes_of(const struct little *little, enum sct_memory_model model,
                          enum sct_reduction reduction) {
    const struct sct_memory_options options = {.model = model};
    little_graphs(little, &options, reduction, &model_graphs);
    return model_graphs.outcome_count;
}

static void expect(const struct little *little, enum sct_memory_model model, size_t expected) {
    static const enum sct_reduction reductions[] = {SCT_REDUCE_NONE, SCT_REDUCE_SLEEP,
                                                    SCT_REDUCE_DPOR};
    bool has_four = little->steps[3][0].op != END;
    for (int i = has_four; i < 3; i++) {
        size_t found = outcomes_of(little, model, reductions[i]);
        if (found != expected)
            fail_msg("%s, %s, reduction %d: %zu outcomes, expected %zu", little->name,
                     sct_memory_model_name(model), i, found, expected);
    }
}

static void test_litmus_outcomes_are_the_known_ones(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        expect(&shapes[i].little, SCT_MEMORY_C11, shapes[i].c11);
        expect(&shapes[i].little, SCT_MEMORY_TSO, shapes[i].tso);
        expect(&shapes[i].little, SCT_MEMORY_SC, shapes[i].sc);
    }
}

static void expect_same(const char *name, enum sct_memory_model model,
                        const struct little *little) {
    outcomes_of(little, model, SCT_REDUCE_SLEEP);
    if (graphs_lacking(&model_graphs, &other_graphs) > 0 ||
        graphs_lacking(&other_graphs, &model_graphs) > 0)
        fail_msg("%s: other graphs under %s", name, sct_memory_model_name(model));
}

static void test_litmus_graphs_are_those_of_the_definitions(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        const struct little *little = &shapes[i].little;
        axiom_search(little, &other_graphs);
        expect_same(little->name, SCT_MEMORY_C11, little);
        buffer_search(little, true, &other_graphs);
        expect_same(little->name, SCT_MEMORY_TSO, little);
        buffer_search(little, false, &other_graphs);
        expect_same(little->name, SCT_MEMORY_SC, little);
    }
}

// ---- The exact order of SEQ_CST ----------------------------------------------------------------

// Where the order of execution shows less than RC11: how many graphs in which thread a, b, c reads
// what is wanted first (0: anything), by the order of execution and by the axioms.
static const struct {
    struct little little;
    uint8_t wanted[LITTLE_THREADS];
    size_t by_execution, exactly;
} mixed[] = {
    {{"IRIW+acq-sc",
      {{W(X, 1, SEQ_CST)},
       {R(X, ACQUIRE), R(Y, SEQ_CST)},
       {R(Y, ACQUIRE), R(X, SEQ_CST)},
       {W(Y, 2, SEQ_CST)}}},
     {0},
     15,
     16},
    {{"WWmerge1",
      {{R(X, ACQUIRE), R(Y, SEQ_CST)},
       {W(X, 1, SEQ_CST), W(X, 2, SEQ_CST)},
       {W(Y, 3, SEQ_CST), R(X, SEQ_CST)}}},
     {0},
     15,
     18},
    {{"WWmerge2",
      {{R(X, ACQUIRE), R(Y, SEQ_CST)}, {W(X, 1, SEQ_CST)}, {W(Y, 2, SEQ_CST), R(X, SEQ_CST)}}},
     {0},
     7,
     8},
    {{"Z6.U",
      {{W(X, 1, SEQ_CST), W(Y, 2, RELEASE)},
       {U(Y, 3, SEQ_CST), R(Y, RELAXED)},
       {W(Y, 4, SEQ_CST), R(X, SEQ_CST)}}},
     {0},
     22,
     24},
    {{"psc-base-notin-ar",
      {{R(X, RELAXED), W(Y, 1, SEQ_CST)}, {W(Y, 2, SEQ_CST)}, {R(Y, RELAXED), W(X, 3, RELAXED)}}},
     {3, 0, 2},
     1,
     2},
    {{"psc-ar",
      {{R(Y, RELAXED), F(SEQ_CST), R(Z, RELAXED)},
       {W(Z, 1, RELAXED), F(SEQ_CST), W(X, 2, RELAXED)},
       {R(X, RELAXED), W(Y, 3, RELAXED)}}},
     {3, 0, 2},
     1,
     2},
};

static void test_litmus_exactly(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mixed / sizeof *mixed; i++)
        for (int is_exact = 0; is_exact < 2; is_exact++) {
            const struct sct_memory_options options = {.model = SCT_MEMORY_C11,
                                                       .is_exact = is_exact};
            memcpy(little_wanted, mixed[i].wanted, sizeof little_wanted);
            little_graphs(&mixed[i].little, &options, SCT_REDUCE_SLEEP, &model_graphs);
            memset(little_wanted, 0, sizeof little_wanted);
            size_t expected = is_exact ? mixed[i].exactly : mixed[i].by_execution;
            if (is_exact) {
                axiom_search(&mixed[i].little, &other_graphs);
                assert_int_equal(graphs_lacking(&model_graphs, &other_graphs), 0);
            }
            if (model_graphs.count != expected)
                fail_msg("%s: %zu graphs, expected %zu", mixed[i].little.name, model_graphs.count,
                         expected);
        }
}

// ---- Options -----------------------------------------------------------------------------------

// The message goes on in a relaxed store of the releasing thread by C11, no more by C20.
static void test_litmus_release_sequences(void **state) {
    (void)state;
    static const struct little little = {
        "MP+own-store",
        {{W(X, 1, RELAXED), W(Y, 2, RELEASE), W(Y, 3, RELAXED)}, {R(Y, ACQUIRE), R(X, RELAXED)}}};
    static const struct little overwritten = {
        "MP+other-store",
        {{W(X, 1, RELAXED), W(Y, 2, RELEASE)}, {W(Y, 3, RELAXED)}, {R(Y, ACQUIRE), R(X, RELAXED)}}};
    struct sct_memory_options options = {.model = SCT_MEMORY_C11};
    little_graphs(&little, &options, SCT_REDUCE_SLEEP, &model_graphs);
    assert_int_equal(model_graphs.count, 5);
    options.has_c11_release_sequences = true;
    little_graphs(&little, &options, SCT_REDUCE_SLEEP, &model_graphs);
    assert_int_equal(model_graphs.count, 4);
    little_graphs(&overwritten, &options, SCT_REDUCE_SLEEP, &model_graphs);
    size_t by_c11 = model_graphs.count;
    options.has_c11_release_sequences = false;
    little_graphs(&overwritten, &options, SCT_REDUCE_SLEEP, &model_graphs);
    assert_int_equal(model_graphs.count, by_c11); // another's store ends the sequence
}

// Bounds: no stale choice is sequential consistency; with more of them more is shown.
static void test_litmus_bounds(void **state) {
    (void)state;
    const struct little *shape = NULL;
    for (int i = 0; i < SHAPES; i++)
        if (strcmp(shapes[i].little.name, "2+2W") == 0)
            shape = &shapes[i].little;
    struct sct_memory_options options = {.model = SCT_MEMORY_C11, .stale_max = 1};
    little_graphs(shape, &options, SCT_REDUCE_NONE, &model_graphs);
    assert_int_equal(model_graphs.count, 4);
    options = (struct sct_memory_options){.model = SCT_MEMORY_C11, .history = 1};
    little_graphs(shape, &options, SCT_REDUCE_NONE, &model_graphs);
    assert_int_equal(model_graphs.count, 3);
}

// ---- What is told of reads ---------------------------------------------------------------------

// How often a store was said to be readable or hidden for each reason.
static size_t told[SCT_HIDDEN_BY_BOUND + 1];

static void count_told(void *context, const struct sct_readable *stores, uint32_t count) {
    (void)context;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count; i++) {
        told[stores[i].why]++;
        bool is_readable =
            stores[i].why == SCT_READABLE_NEWEST || stores[i].why == SCT_READABLE_OLDER;
        assert_true(is_readable || !stores[i].is_taken);
        assert_int_equal(stores[i].step > 0, !stores[i].is_initial);
        taken += stores[i].is_taken;
    }
    assert_int_equal(taken, 1);
}

static void hear_nothing(void *context, uint32_t decision, const char *machine, const char *line) {
    (void)context;
    (void)decision;
    (void)machine;
    (void)line;
}

static void tell_of(const struct little *little) {
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .on_load = count_told};
    memset(told, 0, sizeof told);
    sct_engine_narrate(engine, hear_nothing, NULL);
    little_graphs(little, &options, SCT_REDUCE_SLEEP, &model_graphs);
    sct_engine_narrate(engine, NULL, NULL);
}

// Each store is readable or hidden for the reason that the program's orders give it.
static void test_litmus_reads_are_told(void **state) {
    (void)state;
    static const struct little relaxed = {
        "MP", {{W(X, 1, RELAXED), W(Y, 2, RELAXED)}, {R(Y, RELAXED), R(X, RELAXED)}}};
    static const struct little ordered = {
        "MP+rel+acq", {{W(X, 1, RELAXED), W(Y, 2, RELEASE)}, {R(Y, ACQUIRE), R(X, RELAXED)}}};
    static const struct little twice = {"CoRR",
                                        {{W(X, 1, RELAXED)}, {R(X, RELAXED), R(X, RELAXED)}}};
    static const struct little own = {"CoWR", {{W(X, 1, RELAXED), R(X, RELAXED)}}};
    static const struct little both = {"updates", {{U(X, 1, RELAXED)}, {U(X, 2, RELAXED)}}};
    tell_of(&relaxed);
    assert_true(told[SCT_READABLE_OLDER] > 0 && told[SCT_HIDDEN_BY_EDGE] == 0);
    tell_of(&ordered);
    assert_true(told[SCT_READABLE_OLDER] > 0 && told[SCT_HIDDEN_BY_EDGE] > 0);
    tell_of(&twice);
    assert_true(told[SCT_HIDDEN_BY_READ] > 0 && told[SCT_HIDDEN_BY_OWN] == 0);
    tell_of(&own);
    assert_true(told[SCT_HIDDEN_BY_OWN] == 1 && told[SCT_READABLE_NEWEST] == 1);
    tell_of(&both);
    assert_true(told[SCT_HIDDEN_BY_TAKER] > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_litmus_outcomes_are_the_known_ones),
        ENGINE_TEST(test_litmus_graphs_are_those_of_the_definitions),
        ENGINE_TEST(test_litmus_exactly),
        ENGINE_TEST(test_litmus_release_sequences),
        ENGINE_TEST(test_litmus_bounds),
        ENGINE_TEST(test_litmus_reads_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
