// Arrivals at barriers commute unless one of them is the last: reduced searches come to the same
// ends as every order of steps, of thousands of random little programs with barriers that are for
// fewer threads, as many or more than there are, and with far fewer executions.
#include "tests/core/memory/drawn.h"
#include "tests/support/ends.h"

#include "core/threads/barrier.h"

enum { BARRIERS = 2, RUNS_MAX = 4000, CACHE_BYTES = 1 << 20 };

static struct program {
    struct little little;
    uint32_t threads, counts[BARRIERS];
    bool arrives[LITTLE_THREADS][LITTLE_LENGTH]; // at the barrier of the step's location
} program_now;

static struct arrival_world {
    struct sct_barrier barriers[BARRIERS];
    uint8_t done[LITTLE_THREADS];
} * arrival_world;

static void run_thread(void *argument) {
    uint32_t thread = (uint32_t)(uintptr_t)argument;
    const struct little_step *steps = program_now.little.steps[thread];
    for (uint32_t i = 0; i < LITTLE_LENGTH && steps[i].op != END; i++) {
        uint64_t value = program_now.arrives[thread][i]
                             ? 1U + sct_barrier_wait(&arrival_world->barriers[steps[i].location])
                             : little_execute(&steps[i]);
        little_world->graph.reads[thread][i] = (uint8_t)value;
        arrival_world->done[thread]++;
    }
}

static void set_up(void *unused) {
    static const char *const names[LITTLE_LOCATIONS] = {"x", "y", "z", "w"};
    static const char *const threads[LITTLE_THREADS] = {"a", "b", "c", "d"};
    static const char *const barriers[BARRIERS] = {"first", "second"};
    (void)unused;
    little_world = ARENA_NEW(sct_arena(), struct little_world);
    arrival_world = ARENA_NEW(sct_arena(), struct arrival_world);
    for (int i = 0; i < LITTLE_LOCATIONS; i++)
        sct_atomic_init(&little_world->atomics[i], names[i], 0);
    for (int i = 0; i < BARRIERS; i++)
        sct_barrier_init(&arrival_world->barriers[i], barriers[i], program_now.counts[i]);
    for (uintptr_t i = 0; i < program_now.threads; i++)
        sct_task_start_with(sct_machine_create(threads[i]), "main", run_thread, (void *)i,
                            &sct_access_none);
}

// What threads that have ended have read, too, which is in no task's state any more.
static void add_reads(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(&little_world->graph, sizeof little_world->graph));
    digest_add(state, digest_of(arrival_world->done, sizeof arrival_world->done));
}

// What each thread has read and learnt so far (it may wait for ever), and the order of the stores.
static struct digest digest_end(void) {
    struct digest end = digest_of(&little_world->graph, sizeof little_world->graph);
    end = digest_fold_bytes(end, arrival_world->done, sizeof arrival_world->done);
    for (int i = 0; i < LITTLE_LOCATIONS; i++) {
        const struct sct_location *location = little_world->atomics[i].location;
        end = digest_fold(end, little_world->atomics[i].value);
        for (uint32_t k = 0; location && k < location->count; k++)
            end = digest_fold(end, location->stores[k]->value);
    }
    for (int i = 0; i < BARRIERS; i++)
        end = digest_fold(end, arrival_world->barriers[i].arrived);
    return end;
}

// ---- Searching ---------------------------------------------------------------------------------

struct way {
    const struct sct_memory_options *memory; // NULL: none
    enum sct_reduction reduction;
    bool has_cache;
};

struct searched {
    uint64_t executions, pruned;
    bool is_whole;
};

static struct searched search(const struct way *way) {
    struct sct_program program = {
        .setup = set_up,
        .digest = add_reads,
        .tasks_observe = true,
        .is_copyable = true,
        .memory = way->memory ? sct_memory_new(way->memory) : NULL,
    };
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_search *search = sct_search_open(
        &(struct sct_search_options){.program = &program,
                                     .strategy = strategy,
                                     .reduction = way->reduction,
                                     .cache_bytes = way->has_cache ? CACHE_BYTES : 0});
    struct searched searched = {0, 0, false};
    ends.count = 0;
    while (!searched.is_whole && searched.executions + searched.pruned < RUNS_MAX) {
        const struct sct_result *result = sct_search_run(search, engine, 1);
        assert_true(result->outcome == SCT_PASSED || result->outcome == SCT_PRUNED ||
                    result->outcome == SCT_VIOLATED);
        searched.pruned += result->outcome == SCT_PRUNED;
        searched.executions += result->outcome != SCT_PRUNED;
        if (result->outcome != SCT_PRUNED)
            ends_add(digest_end());
        searched.is_whole = !sct_path_advance(strategy->path);
    }
    sct_search_close(search);
    sct_strategy_free(strategy);
    sct_memory_free(program.memory);
    ends_sort();
    return searched;
}

// ---- Comparing ---------------------------------------------------------------------------------

static void draw(struct rng *rng, uint32_t left) {
    struct little *little = &program_now.little;
    memset(&program_now, 0, sizeof program_now);
    little->name = "arrivals";
    program_now.threads = 2 + rng_below(rng, 3);
    for (int i = 0; i < BARRIERS; i++)
        program_now.counts[i] = 1 + rng_below(rng, program_now.threads);
    for (uint32_t t = 0, value = 0; t < program_now.threads; t++) {
        uint32_t length = 1 + rng_below(rng, 3);
        for (uint32_t i = 0; i < length && left > 0; i++, left--) {
            struct little_step *step = &little->steps[t][i];
            draw_step(rng, DRAW_ANY, ++value, step);
            program_now.arrives[t][i] = rng_below(rng, 2);
            step->location = program_now.arrives[t][i] ? rng_below(rng, 4) == 0 : step->location;
        }
    }
}

static void print_program(void) {
    print_message("barriers for %u and %u; arrivals:", program_now.counts[0],
                  program_now.counts[1]);
    for (int t = 0; t < LITTLE_THREADS; t++)
        for (int i = 0; i < LITTLE_LENGTH; i++)
            if (program_now.arrives[t][i])
                print_message(" %c%d", 'a' + t, i);
    print_message("\n");
    print_little(&program_now.little);
}

struct sums {
    uint64_t programs, ends, whole, sleep, sleep_pruned, dpor, dpor_pruned;
};

static struct searched expect_same(const struct way *way, const struct ends *expected) {
    struct searched searched = search(way);
    if (searched.is_whole && ends_equal(&ends, expected))
        return searched;
    print_program();
    fail_msg("reduction %d: %zu ends of %zu", (int)way->reduction, ends.count, expected->count);
    return searched;
}

static struct sums compare(const struct sct_memory_options *memory, uint64_t seed,
                           uint64_t programs, uint32_t length) {
    static struct ends expected;
    struct sums sums = {0};
    struct rng rng;
    rng_seed(&rng, seed);
    while (sums.programs < programs) {
        draw(&rng, length);
        struct searched whole = search(&(struct way){.memory = memory});
        if (!whole.is_whole)
            continue;
        expected = ends;
        struct searched sleep =
            expect_same(&(struct way){memory, SCT_REDUCE_SLEEP, false}, &expected);
        struct searched dpor =
            expect_same(&(struct way){memory, SCT_REDUCE_DPOR, false}, &expected);
        if (!memory)
            expect_same(&(struct way){memory, SCT_REDUCE_SLEEP, true}, &expected);
        sums.programs++;
        sums.ends += expected.count;
        sums.whole += whole.executions;
        sums.sleep += sleep.executions;
        sums.sleep_pruned += sleep.pruned;
        sums.dpor += dpor.executions;
        sums.dpor_pruned += dpor.pruned;
    }
    print_message("%llu ends; %llu executions, by sleep sets %llu and %llu given up, by dpor %llu "
                  "and %llu\n",
                  (unsigned long long)sums.ends, (unsigned long long)sums.whole,
                  (unsigned long long)sums.sleep, (unsigned long long)sums.sleep_pruned,
                  (unsigned long long)sums.dpor, (unsigned long long)sums.dpor_pruned);
    return sums;
}

static uint64_t programs_of(uint64_t count) {
    return ARENA_POISONS ? count / 10 : count;
}

// A graph says who was the last at each barrier, and what was read.
static void test_arrivals_of_exact_c11(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11, .is_exact = true};
    compare(&options, 31, programs_of(1500), 7);
}

static void test_arrivals_of_c11(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_C11};
    compare(&options, 32, programs_of(500), 7);
}

static void test_arrivals_of_tso(void **state) {
    (void)state;
    const struct sct_memory_options options = {.model = SCT_MEMORY_TSO};
    compare(&options, 33, programs_of(300), 7);
}

// With a cache as well.
static void test_arrivals_without_a_memory(void **state) {
    (void)state;
    compare(NULL, 34, programs_of(1500), 7);
}

// ---- Rounds ------------------------------------------------------------------------------------

// [threads] threads that pass a barrier twice: one execution for each pair of last ones, where
// every order of arrivals would be the square of threads!.
static void expect_last_ones(uint32_t threads) {
    memset(&program_now, 0, sizeof program_now);
    program_now.threads = program_now.counts[0] = threads;
    program_now.counts[1] = 1;
    for (uint32_t t = 0; t < threads; t++)
        for (uint32_t i = 0; i < 2; i++) {
            program_now.little.steps[t][i].op = LOAD;
            program_now.arrives[t][i] = true;
        }
    for (enum sct_reduction r = SCT_REDUCE_SLEEP; r <= SCT_REDUCE_DPOR; r++) {
        struct searched searched = search(&(struct way){.reduction = r});
        assert_true(searched.is_whole);
        assert_int_equal(searched.executions, threads * threads);
        assert_int_equal(ends.count, threads * threads);
    }
}

static void test_rounds_have_a_last_one(void **state) {
    (void)state;
    for (uint32_t threads = 2; threads <= LITTLE_THREADS; threads++)
        expect_last_ones(threads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_arrivals_of_exact_c11),  ENGINE_TEST(test_arrivals_of_c11),
        ENGINE_TEST(test_arrivals_of_tso),        ENGINE_TEST(test_arrivals_without_a_memory),
        ENGINE_TEST(test_rounds_have_a_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
