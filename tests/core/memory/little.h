// Little programs: threads of a few operations on atomics, without branches. What they may do is
// asked of the engine, by an exhaustive search, and of the axioms (axioms.h). Each store has a
// value of its own, so that what was read and the order of the stores of each location, together a
// graph, say all about an execution.
#ifndef TESTS_CORE_MEMORY_LITTLE_H
#define TESTS_CORE_MEMORY_LITTLE_H

#include "core/memory/model.h" // first: its parameters have the name of a static of programs.h

#include "core/engine/inside.h"
#include "tests/support/programs.h"

#include "core/base/hash.h"
#include "core/search/search.h"
#include "core/threads/atomic.h"
#include "core/threads/lock.h"

enum {
    LITTLE_THREADS = 4,
    LITTLE_LENGTH = 6,
    LITTLE_LOCATIONS = 4,
    LITTLE_GRAPHS = 1 << 14,
};

enum little_op { END, LOAD, STORE, EXCHANGE, CAS, FENCE, LOCKED_LOAD, LOCKED_STORE };

struct little_step {
    enum little_op op;
    uint32_t location;
    uint32_t value;    // that is stored
    uint32_t expected; // of a CAS
    enum sct_order order, failure;
};

struct little {
    const char *name;
    struct little_step steps[LITTLE_THREADS][LITTLE_LENGTH];
};

// One execution: what each step read (0 also where it reads nothing), the order of the stores.
struct graph {
    uint8_t reads[LITTLE_THREADS][LITTLE_LENGTH];
    uint8_t stores[LITTLE_LOCATIONS][LITTLE_THREADS * LITTLE_LENGTH + 2]; // ends with 0
};

// A set of them, by hash, and of their outcomes: what was read, and the last stores.
struct graphs {
    uint64_t hashes[LITTLE_GRAPHS], outcomes[LITTLE_GRAPHS];
    size_t count, outcome_count;
};

static inline bool is_among(const uint64_t *hashes, size_t count, uint64_t hash) {
    for (size_t i = 0; i < count; i++)
        if (hashes[i] == hash)
            return true;
    return false;
}

static inline void add_hash(uint64_t *hashes, size_t *count, uint64_t hash) {
    if (is_among(hashes, *count, hash))
        return;
    assert_true(*count < LITTLE_GRAPHS);
    hashes[(*count)++] = hash;
}

static inline void graphs_empty(struct graphs *graphs) {
    graphs->count = graphs->outcome_count = 0;
}

// No store has the value 0 but the first.
static inline uint8_t last_store(const uint8_t *stores) {
    uint32_t last = 0;
    while (stores[last + 1] != 0)
        last++;
    return stores[last];
}

static inline void graphs_add(struct graphs *graphs, const struct graph *graph) {
    struct graph outcome = *graph;
    memset(outcome.stores, 0, sizeof outcome.stores);
    for (int i = 0; i < LITTLE_LOCATIONS; i++)
        outcome.stores[i][0] = last_store(graph->stores[i]);
    add_hash(graphs->hashes, &graphs->count, hash_bytes(graph, sizeof *graph));
    add_hash(graphs->outcomes, &graphs->outcome_count, hash_bytes(&outcome, sizeof outcome));
}

// How many of [a] are not in [b].
static inline size_t graphs_lacking(const struct graphs *a, const struct graphs *b) {
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        count += !is_among(b->hashes, b->count, a->hashes[i]);
    return count;
}

// ---- Running them ------------------------------------------------------------------------------

static const struct little *little_now;

static struct little_world {
    struct graph graph;
    struct sct_atomic atomics[LITTLE_LOCATIONS];
    struct sct_lock lock;
} * little_world;

static inline uint64_t little_execute(const struct little_step *step) {
    struct sct_atomic *atomic = &little_world->atomics[step->location];
    uint64_t value = step->expected;
    switch (step->op) {
    case LOAD:
        return sct_atomic_load_explicit(atomic, step->order);
    case STORE:
        sct_atomic_store_explicit(atomic, step->value, step->order);
        return 0;
    case EXCHANGE:
        return sct_atomic_exchange_explicit(atomic, step->value, step->order);
    case CAS:
        sct_atomic_compare_exchange_explicit(atomic, &value, step->value, step->order,
                                             step->failure);
        return value;
    case FENCE:
        sct_fence(step->order);
        return 0;
    case LOCKED_LOAD:
        sct_lock_acquire(&little_world->lock);
        value = sct_atomic_load_explicit(atomic, step->order);
        sct_lock_release(&little_world->lock);
        return value;
    case LOCKED_STORE:
        sct_lock_acquire(&little_world->lock);
        sct_atomic_store_explicit(atomic, step->value, step->order);
        sct_lock_release(&little_world->lock);
        return 0;
    case END:
        return 0;
    }
    return 0;
}

static inline void little_thread(void *argument) {
    uint32_t thread = (uint32_t)(uintptr_t)argument;
    const struct little_step *steps = little_now->steps[thread];
    for (uint32_t i = 0; i < LITTLE_LENGTH && steps[i].op != END; i++)
        little_world->graph.reads[thread][i] = (uint8_t)little_execute(&steps[i]);
}

static inline void little_setup(void *unused) {
    static const char *const names[LITTLE_LOCATIONS] = {"x", "y", "z", "w"};
    static const char *const threads[LITTLE_THREADS] = {"a", "b", "c", "d"};
    (void)unused;
    little_world = ARENA_NEW(sct_arena(), struct little_world);
    for (int i = 0; i < LITTLE_LOCATIONS; i++)
        sct_atomic_init(&little_world->atomics[i], names[i], 0);
    sct_lock_init(&little_world->lock, "lock");
    for (uintptr_t i = 0; i < LITTLE_THREADS; i++)
        if (little_now->steps[i][0].op != END)
            sct_task_start_with(sct_machine_create(threads[i]), "main", little_thread, (void *)i,
                                &sct_access_none);
}

// What the first step of each thread must have read; 0: anything. Other graphs are not counted.
static uint8_t little_wanted[LITTLE_THREADS];

static inline void little_finish(void *graphs) {
    struct graph *graph = &little_world->graph;
    for (int i = 0; i < LITTLE_THREADS; i++)
        if (little_wanted[i] > 0 && graph->reads[i][0] != little_wanted[i])
            return;
    for (int i = 0; i < LITTLE_LOCATIONS; i++) {
        const struct sct_location *location = little_world->atomics[i].location;
        for (uint32_t k = 0; k < location->count; k++)
            graph->stores[i][k] = (uint8_t)location->stores[k]->value;
    }
    graphs_add(graphs, graph);
}

struct little_search {
    uint64_t executions, pruned; // that ended, that were given up
    uint64_t restored;           // that went on from a snapshot
};

static bool little_begins_anew; // without snapshots

// Every graph that [little] has under the model of [options], by an exhaustive search.
static inline struct little_search little_graphs(const struct little *little,
                                                 const struct sct_memory_options *options,
                                                 enum sct_reduction reduction,
                                                 struct graphs *graphs) {
    little_now = little;
    graphs_empty(graphs);
    struct sct_program program = {
        .setup = little_setup,
        .finish = little_finish,
        .context = graphs,
        .is_copyable = !little_begins_anew,
        .memory = sct_memory_new(options),
    };
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_search *search = sct_search_open(&(struct sct_search_options){
        .program = &program, .strategy = strategy, .reduction = reduction});
    struct little_search counts = {0};
    do {
        const struct sct_result *result = sct_search_run(search, engine, 1);
        if (result->outcome == SCT_PRUNED)
            counts.pruned++;
        else
            assert_passed(result);
        counts.executions += result->outcome == SCT_PASSED;
    } while (sct_path_advance(strategy->path));
    counts.restored = sct_search_restored(search);
    sct_search_close(search);
    sct_strategy_free(strategy);
    sct_memory_free(program.memory);
    return counts;
}

#endif
