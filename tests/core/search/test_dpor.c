#include "core/engine/inside.h"
#include "tests/support/declared.h"
#include "tests/support/searches.h"
#include "tests/support/every.h"

#include "core/threads/atomic.h"
#include "core/campaign/campaign.h"

#include <stdlib.h>

// ---- Searching ---------------------------------------------------------------------------------

static struct digest (*digest_end)(void); // of the running program's final state

static void note_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (result->outcome == SCT_VIOLATED)
        ends_add(digest_fold_text((struct digest){1, 0}, result->violation.message));
    else if (result->outcome == SCT_PASSED)
        ends_add(digest_end ? digest_end() : (struct digest){0, 0});
}

static struct sct_searched search(enum sct_reduction reduction, const struct sct_program *program,
                                  uint64_t iterations) {
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_campaign campaign = search_whole(
        &(struct whole_search){
            .engine = engine,
            .options = {.program = program, .strategy = strategy, .reduction = reduction},
            .iterations = iterations,
            .repeat_every = 10,
            .note_end = note_end},
        NULL);
    sct_strategy_free(strategy);
    return campaign.search;
}

// Both reductions complete exactly [traces] executions; whether dpor has begun no more than sleep
// sets alone, which begin every alternative.
static void expect_traces(void (*setup)(void *), uint64_t traces) {
    const struct sct_program program = {.setup = setup};
    struct sct_searched sleep = search(SCT_REDUCE_SLEEP, &program, 1000000);
    struct sct_searched dpor = search(SCT_REDUCE_DPOR, &program, 1000000);
    assert_true(sleep.is_exhausted && dpor.is_exhausted);
    assert_int_equal(sleep.executions, traces);
    assert_int_equal(dpor.executions, traces);
    assert_true(dpor.pruned <= sleep.pruned);
}

static void start_quiet(const char *name, void (*function)(void *), uintptr_t number) {
    sct_task_start_with(sct_machine_create(name), "main", function, (void *)number,
                        &sct_access_none);
}

// ---- Classical examples ------------------------------------------------------------------------

enum { VARIABLES_MAX = 128 };

static uint32_t size; // the example's n

static struct shared {
    struct sct_shared variables[VARIABLES_MAX];
    struct sct_lock inode_locks[VARIABLES_MAX], block_locks[VARIABLES_MAX];
    uint32_t values[VARIABLES_MAX], inodes[VARIABLES_MAX];
    bool is_busy[VARIABLES_MAX];
} * shared;

static void make_shared(void) {
    shared = ARENA_NEW(sct_arena(), struct shared);
    for (int i = 0; i < VARIABLES_MAX; i++) {
        sct_shared_init(&shared->variables[i], "v");
        sct_lock_init(&shared->inode_locks[i], "inode");
        sct_lock_init(&shared->block_locks[i], "block");
    }
}

static uint32_t read_variable(uint32_t variable) {
    sct_shared_read(&shared->variables[variable]);
    return shared->values[variable];
}

static void write_variable(uint32_t variable, uint32_t value) {
    sct_shared_write(&shared->variables[variable]);
    shared->values[variable] = value;
}

static void write_own(void *argument) {
    uint32_t number = (uint32_t)(uintptr_t)argument;
    write_variable(number, 1);
    write_variable(number, read_variable(number) + 1);
}

static void write_first(void *argument) {
    write_variable(0, (uint32_t)(uintptr_t)argument);
}

static void read_first(void *argument) {
    read_variable((uint32_t)(uintptr_t)argument);
    read_variable(0);
}

static void independent_writers(void *context) {
    (void)context;
    make_shared();
    for (uintptr_t i = 0; i < size; i++)
        start_quiet("writer", write_own, i);
}

static void writers(void *context) {
    (void)context;
    make_shared();
    for (uintptr_t i = 0; i < size; i++)
        start_quiet("writer", write_first, i);
}

static void readers(void *context) {
    (void)context;
    make_shared();
    start_quiet("writer", write_first, 7);
    for (uintptr_t i = 1; i <= size; i++)
        start_quiet("reader", read_first, i);
}

static void look_for_zero(void *argument) {
    uint32_t i = (uint32_t)(uintptr_t)argument;
    while (read_variable(i) != 0)
        i--;
}

static void copy_left_neighbour(void *argument) {
    uint32_t number = (uint32_t)(uintptr_t)argument;
    write_variable(number, read_variable(number - 1) + 1);
}

static void last_zero(void *context) {
    (void)context;
    make_shared();
    start_quiet("reader", look_for_zero, size);
    for (uintptr_t i = 1; i <= size; i++)
        start_quiet("writer", copy_left_neighbour, i);
}

// Steps that compare and set an entry of a table: four messages of each task, by a hash.
static void insert_all(void *argument) {
    uint32_t number = (uint32_t)(uintptr_t)argument;
    for (uint32_t m = 1; m <= 4; m++) {
        uint32_t message = m * 11 + number, entry = message * 7 % VARIABLES_MAX;
        for (;; entry = (entry + 1) % VARIABLES_MAX) {
            sct_shared_write(&shared->variables[entry]);
            if (shared->values[entry] == 0)
                break;
        }
        shared->values[entry] = message;
    }
}

static void indexer(void *context) {
    (void)context;
    make_shared();
    for (uintptr_t i = 0; i < size; i++)
        start_quiet("inserter", insert_all, i);
}

// Gives the file that it opens a free block.
static void open_file(void *argument) {
    enum { BLOCKS = 26, INODES = 32 };
    uint32_t inode = (uint32_t)(uintptr_t)argument % INODES, block = inode * 2 % BLOCKS;
    sct_lock_acquire(&shared->inode_locks[inode]);
    for (; shared->inodes[inode] == 0; block = (block + 1) % BLOCKS) {
        sct_lock_acquire(&shared->block_locks[block]);
        if (!shared->is_busy[block]) {
            shared->is_busy[block] = true;
            shared->inodes[inode] = block + 1;
        }
        sct_lock_release(&shared->block_locks[block]);
    }
    sct_lock_release(&shared->inode_locks[inode]);
}

static void file_system(void *context) {
    (void)context;
    make_shared();
    for (uintptr_t i = 0; i < size; i++)
        start_quiet("opener", open_file, i);
}

static void test_independent_writers_have_one_trace(void **state) {
    (void)state;
    for (size = 2; size <= 6; size++) {
        expect_traces(independent_writers, 1);
        struct sct_searched dpor =
            search(SCT_REDUCE_DPOR, &(struct sct_program){.setup = independent_writers}, 10);
        assert_int_equal(dpor.pruned, 0);
    }
}

static void test_writers_have_a_trace_for_each_order(void **state) {
    (void)state;
    uint64_t factorial = 1;
    for (size = 2; size <= 6; size++) {
        factorial *= size;
        expect_traces(writers, factorial);
    }
}

static void test_readers_and_writer(void **state) {
    (void)state;
    for (size = 1; size <= 7; size++)
        expect_traces(readers, UINT64_C(1) << size);
}

static void test_last_zero(void **state) {
    (void)state;
    for (size = 2; size <= 5; size++)
        expect_traces(last_zero, (size + 3) * (UINT64_C(1) << (size - 2)));
}

// Sleep sets alone are hopeless here: what is asked of the search is to see what is independent.
static void expect_traces_by_dpor(void (*setup)(void *), uint64_t traces) {
    const struct sct_program program = {.setup = setup};
    struct sct_searched dpor = search(SCT_REDUCE_DPOR, &program, 1000000);
    assert_true(dpor.is_exhausted);
    assert_int_equal(dpor.executions, traces);
}

static void test_indexer(void **state) {
    (void)state;
    for (size = 9; size <= 13; size++)
        expect_traces_by_dpor(indexer, size < 12 ? 1 : UINT64_C(1) << 3 * (size - 11));
}

static void test_file_system(void **state) {
    (void)state;
    for (size = 12; size <= 17; size++)
        expect_traces_by_dpor(file_system, size < 14 ? 1 : UINT64_C(1) << (size - 13));
}

// ---- Traces counted by brute force -------------------------------------------------------------

// Two or three tasks that read and write a few variables. A trace is the set of pairs of dependent
// events in their order.
enum { EVENTS_MAX = TASKS * INSTRUCTIONS };

static struct {
    uint32_t count;
    bool is_write[INSTRUCTIONS];
    uint32_t variables[INSTRUCTIONS];
} accessors[TASKS];

static struct {
    uint32_t task, index, variable;
    bool is_write;
} events[EVENTS_MAX];
static uint32_t event_count;

static void access_all(void *argument) {
    uint32_t task = (uint32_t)(uintptr_t)argument;
    for (uint32_t i = 0; i < accessors[task].count; i++) {
        uint32_t variable = accessors[task].variables[i];
        if (accessors[task].is_write[i])
            sct_shared_write(&shared->variables[variable]);
        else
            sct_shared_read(&shared->variables[variable]);
        events[event_count].task = task;
        events[event_count].index = i;
        events[event_count].variable = variable;
        events[event_count++].is_write = accessors[task].is_write[i];
    }
}

static void start_accessors(void *context) {
    (void)context;
    make_shared();
    event_count = 0;
    for (uintptr_t i = 0; i < TASKS; i++)
        start_quiet("accessor", access_all, i);
}

static void note_trace(const struct sct_result *result) {
    assert_passed(result);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < event_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (events[i].variable == events[k].variable &&
                (events[i].is_write || events[k].is_write))
                sum += rng_mix(1 + events[i].task + 8 * events[i].index +
                               64 * (events[k].task + 8 * events[k].index));
    ends_add((struct digest){sum, 0});
}

static void draw_accessors(uint64_t seed) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (int t = 0; t < TASKS; t++) {
        accessors[t].count = 1 + rng_below(&rng, t == 0 ? 3 : 2);
        for (uint32_t i = 0; i < accessors[t].count; i++) {
            accessors[t].is_write[i] = rng_below(&rng, 2);
            accessors[t].variables[i] = rng_below(&rng, 3);
        }
    }
}

static void test_traces_are_those_of_brute_force(void **state) {
    (void)state;
    digest_end = NULL;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        draw_accessors(seed);
        ends.count = 0;
        run_every_setup(start_accessors, note_trace);
        uint64_t traces = ends.count;
        expect_traces(start_accessors, traces);
    }
}

// ---- Generated programs ------------------------------------------------------------------------

static void expect_same_ends(enum sct_reduction reduction, const struct sct_program *program,
                             const struct ends *all, uint64_t seed, uint64_t *executions) {
    struct sct_searched reduced = search(reduction, program, 1000000);
    *executions += reduced.executions + reduced.pruned;
    if (!reduced.is_exhausted || !ends_equal(&ends, all))
        fail_msg("reduction %d, program %llu: %zu ends without, %zu with", (int)reduction,
                 (unsigned long long)seed, all->count, ends.count);
}

// Whatever programs do, they end in the same ways with and without reduction: final states,
// deadlocks, violations. Programs too large to be searched without are passed over.
static void test_reduced_searches_find_the_same_ends(void **state) {
    (void)state;
    const struct sct_program program = {.setup = set_up};
    static struct ends all;
    uint64_t executions[3] = {0, 0, 0};
    size_t compared = 0, programs = ARENA_POISONS ? 60 : 300;
    digest_end = digest_cells;
    for (uint64_t seed = 1; compared < programs; seed++) {
        assert_true(seed < 10 * programs);
        draw_program(seed, OPCODES, false);
        struct sct_searched whole = search(SCT_REDUCE_NONE, &program, 4000);
        if (!whole.is_exhausted)
            continue;
        executions[0] += whole.executions;
        all = ends;
        expect_same_ends(SCT_REDUCE_SLEEP, &program, &all, seed, &executions[1]);
        expect_same_ends(SCT_REDUCE_DPOR, &program, &all, seed, &executions[2]);
        compared++;
    }
    digest_end = NULL;
    assert_true(executions[2] < executions[1] && executions[1] < executions[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_independent_writers_have_one_trace),
        ENGINE_TEST(test_writers_have_a_trace_for_each_order),
        ENGINE_TEST(test_readers_and_writer),
        ENGINE_TEST(test_last_zero),
        ENGINE_TEST(test_indexer),
        ENGINE_TEST(test_file_system),
        ENGINE_TEST(test_traces_are_those_of_brute_force),
        ENGINE_TEST(test_reduced_searches_find_the_same_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
