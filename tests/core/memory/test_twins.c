// Threads that begin alike, merged: of every graph one is met that is the same but for the names of
// such threads, and no other, of thousands of random little programs.
#include "tests/core/memory/drawn.h"

enum { TWINS_MAX = 3, PERMUTATIONS = 6 };

// The last [others] threads are of no kin.
static struct twin_program {
    struct little little;
    uint32_t twins, others;
    bool is_mixed; // the others are started first
} program_now;

static struct twin_world {
    uint64_t times[LITTLE_THREADS][LITTLE_LENGTH]; // of the stores that loads have read
    bool has_read[LITTLE_THREADS][LITTLE_LENGTH];
    uint32_t threads;                 // started
    uint32_t numbers[LITTLE_THREADS]; // by thread: which number the memory has for it
} * twin_world;

static void twin_thread(void *argument) {
    uint32_t thread = (uint32_t)(uintptr_t)argument;
    const struct little_step *steps = little_now->steps[thread];
    for (uint32_t i = 0; i < LITTLE_LENGTH && steps[i].op != END; i++) {
        uint64_t value = little_execute(&steps[i]);
        enum little_op op = steps[i].op;
        // What a read-modify-write has read is the store before its own.
        twin_world->has_read[thread][i] =
            op == LOAD || op == LOCKED_LOAD || (op == CAS && value != steps[i].expected);
        twin_world->times[thread][i] = sct_location_last_time();
    }
}

static void start_twins(uint32_t from, uint32_t to) {
    static const char *const names[LITTLE_THREADS] = {"a", "b", "c", "d"};
    for (uintptr_t i = from; i < to; i++) {
        sct_kin(i < program_now.twins);
        twin_world->numbers[i] = ++twin_world->threads;
        sct_task_start_with(sct_machine_create(names[i]), "main", twin_thread, (void *)i,
                            &sct_access_none);
    }
    sct_kin(0);
}

static void twin_setup(void *unused) {
    static const char *const names[LITTLE_LOCATIONS] = {"x", "y", "z", "w"};
    (void)unused;
    little_world = ARENA_NEW(sct_arena(), struct little_world);
    twin_world = ARENA_NEW(sct_arena(), struct twin_world);
    *twin_world = (struct twin_world){.threads = 0};
    for (int i = 0; i < LITTLE_LOCATIONS; i++)
        sct_atomic_init(&little_world->atomics[i], names[i], 0);
    sct_lock_init(&little_world->lock, "lock");
    uint32_t twins = program_now.twins, all = twins + program_now.others;
    if (program_now.is_mixed)
        start_twins(twins, all);
    start_twins(0, twins);
    if (!program_now.is_mixed)
        start_twins(twins, all);
}

// ---- Graphs, but for the names of twins --------------------------------------------------------

static const uint32_t permutations[PERMUTATIONS][TWINS_MAX] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1},
                                                               {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

// What [store] is called, its thread being another one by [names].
static uint64_t event_under(const struct sct_store *store, const uint32_t *names) {
    uint32_t thread = (uint32_t)(store->event >> 32);
    for (uint32_t i = 0; i < program_now.twins; i++)
        if (twin_world->numbers[i] == thread)
            return (uint64_t)twin_world->numbers[names[i]] << 32 | (uint32_t)store->event;
    return store->event;
}

static const struct sct_store *store_of(uint64_t time) {
    for (int i = 0; i < LITTLE_LOCATIONS; i++) {
        const struct sct_location *location = little_world->atomics[i].location;
        for (uint32_t k = 0; k < location->count; k++)
            if (location->stores[k]->time == time)
                return location->stores[k];
    }
    fail_msg("a load has read a store that is not there");
    return NULL;
}

static uint64_t hash_under(const uint32_t *names) {
    uint64_t hash = 1;
    uint32_t all = program_now.twins + program_now.others;
    uint64_t reads[LITTLE_THREADS][LITTLE_LENGTH] = {{0}};
    for (uint32_t t = 0; t < all; t++)
        for (uint32_t i = 0; i < LITTLE_LENGTH; i++)
            if (twin_world->has_read[t][i])
                reads[t < program_now.twins ? names[t] : t][i] =
                    1 + event_under(store_of(twin_world->times[t][i]), names);
    hash = hash_bytes(reads, sizeof reads);
    for (int i = 0; i < LITTLE_LOCATIONS; i++) {
        const struct sct_location *location = little_world->atomics[i].location;
        for (uint32_t k = 0; k < location->count; k++)
            hash = rng_mix(hash ^ event_under(location->stores[k], names));
    }
    return hash;
}

static void twin_finish(void *graphs) {
    uint64_t least = UINT64_MAX, identity = hash_under(permutations[0]);
    for (int i = 0; i < PERMUTATIONS; i++) {
        bool is_of_twins = true; // it leaves those that there are not where they are
        for (uint32_t k = program_now.twins; k < TWINS_MAX; k++)
            is_of_twins = is_of_twins && permutations[i][k] == k;
        uint64_t hash = is_of_twins ? hash_under(permutations[i]) : least;
        least = hash < least ? hash : least;
    }
    struct graphs *all = graphs;
    add_hash(all->hashes, &all->count, least);
    add_hash(all->outcomes, &all->outcome_count, identity); // here: with their names
}

static struct little_search search_twins(const struct sct_memory_options *options,
                                         enum sct_reduction reduction, bool has_twins,
                                         struct graphs *graphs) {
    little_now = &program_now.little;
    graphs_empty(graphs);
    struct sct_program program = {
        .setup = twin_setup,
        .finish = twin_finish,
        .context = graphs,
        .is_copyable = true,
        .has_twins = has_twins,
        .memory = sct_memory_new(options),
    };
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_search *search = sct_search_open(&(struct sct_search_options){
        .program = &program, .strategy = strategy, .reduction = reduction});
    struct little_search counts = {0};
    do {
        const struct sct_result *result = sct_search_run(search, engine, 1);
        counts.pruned += result->outcome == SCT_PRUNED;
        counts.executions += result->outcome == SCT_PASSED;
        assert_true(result->outcome == SCT_PRUNED || result->outcome == SCT_PASSED);
    } while (sct_path_advance(strategy->path));
    sct_search_close(search);
    sct_strategy_free(strategy);
    sct_memory_free(program.memory);
    return counts;
}

// ---- Comparing ---------------------------------------------------------------------------------

struct sums {
    uint64_t named, graphs, full, full_pruned, merged, merged_pruned;
};

static struct graphs whole, merged;

static void compare_one(const struct sct_memory_options *options, enum sct_reduction reduction,
                        struct sums *sums) {
    struct little_search full = search_twins(options, reduction, false, &whole);
    struct little_search fewer = search_twins(options, reduction, true, &merged);
    sums->named += whole.outcome_count;
    sums->graphs += whole.count;
    sums->full += full.executions;
    sums->full_pruned += full.pruned;
    sums->merged += fewer.executions;
    sums->merged_pruned += fewer.pruned;
    if (merged.count == whole.count && graphs_lacking(&whole, &merged) == 0)
        return;
    print_little(&program_now.little);
    fail_msg("%s, reduction %d, %u twins: %zu graphs of %zu", sct_memory_model_name(options->model),
             (int)reduction, program_now.twins, merged.count, whole.count);
}

// [twins] threads of the same steps, and perhaps another one; few enough for a search.
static void draw_twins(struct rng *rng, uint32_t twins, bool has_locks) {
    struct little *little = &program_now.little;
    memset(&program_now, 0, sizeof program_now);
    little->name = "twins";
    program_now.twins = twins;
    program_now.others = rng_below(rng, 2);
    program_now.is_mixed = rng_below(rng, 2);
    uint32_t length = 1 + rng_below(rng, twins == 2 ? 3 : 2), value = 0;
    for (uint32_t i = 0; i < length; i++)
        draw_step(rng, DRAW_ANY, ++value, &little->steps[0][i]);
    if (has_locks)
        draw_locks(rng, little);
    for (uint32_t t = 1; t < twins; t++)
        memcpy(little->steps[t], little->steps[0], sizeof little->steps[0]);
    for (uint32_t i = 0; i < 2 && program_now.others > 0; i++)
        draw_step(rng, DRAW_ANY, ++value, &little->steps[twins][i]);
}

static struct sums compare(struct sct_memory_options options, uint64_t seed, size_t programs,
                           uint32_t twins, bool has_locks) {
    struct rng rng;
    rng_seed(&rng, seed);
    struct sums sums = {0};
    for (size_t i = 0; i < programs; i++) {
        draw_twins(&rng, twins, has_locks);
        for (enum sct_reduction r = SCT_REDUCE_SLEEP; r <= SCT_REDUCE_DPOR; r++)
            compare_one(&options, r, &sums);
    }
    print_message("%s, %u twins: %llu graphs, %llu but for names; executions %llu and %llu given "
                  "up, merged %llu and %llu\n",
                  sct_memory_model_name(options.model), twins, (unsigned long long)sums.named,
                  (unsigned long long)sums.graphs, (unsigned long long)sums.full,
                  (unsigned long long)sums.full_pruned, (unsigned long long)sums.merged,
                  (unsigned long long)sums.merged_pruned);
    return sums;
}

static size_t programs_of(size_t count) {
    return ARENA_POISONS ? count / 10 : count;
}

static void test_twins_of_two(void **state) {
    (void)state;
    for (int is_exact = 0; is_exact <= 1; is_exact++) {
        const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = is_exact};
        struct sums sums = compare(options, 21, programs_of(1000), 2, false);
        assert_true(sums.merged < sums.full);
    }
}

static void test_twins_of_three(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = true};
    struct sums sums = compare(options, 22, programs_of(300), 3, false);
    assert_true(sums.merged < sums.full);
}

static void test_twins_with_locks(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = true};
    compare(options, 23, programs_of(500), 2, true);
}

static void test_twins_under_other_models(void **state) {
    (void)state;
    compare((struct sct_memory_options){.model = SCT_MEMORY_TSO}, 24, programs_of(500), 2, false);
    compare((struct sct_memory_options){.model = SCT_MEMORY_SC}, 25, programs_of(500), 2, false);
}

// ---- Values that several store -----------------------------------------------------------------

// Read-modify-writes that want each other's stores, of few values: what a compare-exchange could
// have read in place of what it has read is a matter of values. (In little.h each is stored once.)
static void draw_exchanges(struct rng *rng) {
    static const enum little_op ops[] = {CAS, CAS, CAS, CAS, EXCHANGE, LOAD, STORE};
    struct little *little = &program_now.little;
    memset(&program_now, 0, sizeof program_now);
    little->name = "exchanges";
    program_now.twins = 1;
    program_now.others = 2;
    for (uint32_t t = 0; t < 3; t++)
        for (uint32_t i = 0; i < 2; i++) {
            struct little_step *step = &little->steps[t][i];
            draw_step(rng, DRAW_WEAK, 1 + rng_below(rng, 2), step);
            step->op = ops[rng_below(rng, 7)];
            step->order = step->failure = SCT_RELAXED;
            step->location = rng_below(rng, 4) == 0;
            step->expected = rng_below(rng, 3);
        }
}

static void test_dpor_of_equal_values(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = true};
    struct little_search sum = {0};
    uint64_t graphs = 0;
    struct rng rng;
    rng_seed(&rng, 26);
    for (size_t i = 0; i < programs_of(1000); i++) {
        draw_exchanges(&rng);
        search_twins(&options, SCT_REDUCE_SLEEP, false, &whole);
        struct little_search search = search_twins(&options, SCT_REDUCE_DPOR, false, &merged);
        sum.executions += search.executions;
        sum.pruned += search.pruned;
        graphs += whole.count;
        if (merged.count == whole.count && graphs_lacking(&whole, &merged) == 0)
            continue;
        print_little(&program_now.little);
        fail_msg("by dpor %zu graphs of %zu", merged.count, whole.count);
    }
    print_message("%llu graphs; by dpor %llu executions and %llu given up\n",
                  (unsigned long long)graphs, (unsigned long long)sum.executions,
                  (unsigned long long)sum.pruned);
    assert_true(sum.executions == graphs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_dpor_of_equal_values),     ENGINE_TEST(test_twins_of_two),
        ENGINE_TEST(test_twins_of_three),           ENGINE_TEST(test_twins_with_locks),
        ENGINE_TEST(test_twins_under_other_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
