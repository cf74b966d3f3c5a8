// Parts of the trees of reduced searches: parted anywhere, any number of times, and searched in any
// order, they have the executions of the whole tree, each once, from left to right. In one process,
// so that there are thousands of them, and by the frontier of those who do it by several.
#include "tests/core/memory/drawn.h"
#include "tests/support/automata.h"
#include "tests/support/ends.h"

#include "core/jobs/frontier.h"
#include "core/search/parts.h"

// ---- Searching ---------------------------------------------------------------------------------

enum { EXECUTIONS_MAX = 1000, CACHE_BYTES = 1 << 18 };

static struct rng chance;

// What one execution was, in a piece's ranges.
static uint64_t name_of(const struct sct_result *result) {
    return rng_mix(result->fingerprint) ^ (uint64_t)result->outcome;
}

static void note_end(const struct sct_result *result) {
    struct digest end = {1, 0};
    if (result->outcome == SCT_VIOLATED)
        ends_add(digest_fold_text(end, result->violation.message));
    else if (result->outcome == SCT_PASSED)
        ends_add(digest_cells());
}

struct searching {
    struct sct_search *search;
    struct sct_strategy *strategy;
    struct sct_frontier frontier;
    struct sct_piece *piece; // that is searched
    uint64_t executions, parted, guards, stops, awoken;
    void (*note)(const struct sct_result *result);
};

static void open_search(struct searching *searching, const struct sct_program *program,
                        struct sct_shared_states *states) {
    searching->strategy = new_strategy("dfs");
    searching->search = sct_search_open(&(struct sct_search_options){
        .program = program,
        .strategy = searching->strategy,
        .reduction = SCT_REDUCE_SLEEP,
        .shared = states,
    });
}

static void close_search(struct searching *searching) {
    sct_search_close(searching->search);
    sct_strategy_free(searching->strategy);
}

static void take_part(void *context, const struct sct_path *path, const struct sct_bytes *known,
                      bool is_guard) {
    struct searching *searching = context;
    struct sct_piece *piece = is_guard
                                  ? sct_frontier_guard(&searching->frontier, searching->piece, path)
                                  : sct_frontier_give(&searching->frontier, searching->piece, path);
    sct_bytes_add(&piece->known, known->data, known->size);
    searching->guards += is_guard;
}

static void take_stop(struct searching *searching) {
    struct sct_sleep *sleep = sct_search_sleep(searching->search);
    if (sleep->has_late_stop && searching->piece->under) {
        sct_piece_has_stop(searching->piece);
        searching->stops++;
    }
    sleep->has_late_stop = false;
}

// After an execution, now and then.
static void part(struct searching *searching) {
    struct sct_sleep *sleep = sct_search_sleep(searching->search);
    while (rng_below(&chance, 3) == 0 && sct_sleep_can_part(sleep)) {
        take_stop(searching);
        sct_sleep_part(sleep, take_part, searching);
        searching->parted++;
    }
}

// The path as it stands, in whatever process it goes on.
static void put_back(struct searching *searching) {
    struct sct_bytes bytes = {0};
    struct sct_piece *piece = searching->piece;
    sct_path_write(searching->strategy->path, &bytes);
    struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
    assert_true(sct_path_read(&reader, &piece->path));
    sct_bytes_free(&bytes);
    piece->known.size = 0;
    sct_sleep_write(sct_search_sleep(searching->search), &piece->known);
}

static void take_piece(struct searching *searching) {
    struct sct_bytes bytes = {0};
    struct sct_piece *piece = searching->piece;
    sct_path_write(&piece->path, &bytes);
    struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
    assert_true(sct_path_read(&reader, searching->strategy->path));
    sct_bytes_free(&bytes);
    reader = (struct sct_reader){piece->known.data, piece->known.data + piece->known.size, false};
    assert_true(sct_sleep_read(sct_search_sleep(searching->search), &reader));
    sct_search_leap(searching->search);
}

static void run_one(struct searching *searching) {
    const struct sct_result *result = sct_search_run(searching->search, engine, 1);
    assert_int_not_equal(result->outcome, SCT_DIVERGED);
    sct_bytes_add_number(&searching->piece->ranges, name_of(result));
    searching->executions++;
    if (searching->note)
        searching->note(result);
}

// Any of those that wait.
static struct sct_piece *choose_piece(const struct sct_frontier *frontier) {
    uint32_t count = 0;
    struct sct_piece *chosen = NULL;
    for (struct sct_piece *piece = frontier->first; piece; piece = piece->next)
        if (!piece->is_done && !piece->is_guard && rng_below(&chance, ++count) == 0)
            chosen = piece;
    return chosen;
}

// Searches some of a piece, which then is somebody else's.
static void search_piece(struct searching *searching) {
    take_piece(searching);
    bool goes_on = true;
    do {
        run_one(searching);
        goes_on = sct_path_advance(searching->strategy->path);
        if (goes_on)
            part(searching);
    } while (goes_on && rng_below(&chance, 8) > 0);
    take_stop(searching);
    put_back(searching);
    if (goes_on)
        return;
    searching->piece->is_done = true;
    struct sct_piece *guard = searching->piece->under;
    sct_piece_is_done(searching->piece);
    for (; guard; guard = guard->under)
        searching->awoken += !guard->is_guard && !guard->is_done;
}

static void search_in_parts(struct searching *searching) {
    searching->piece = sct_frontier_add(&searching->frontier, NULL, searching->strategy->path);
    sct_sleep_write(sct_search_sleep(searching->search), &searching->piece->known);
    while ((searching->piece = choose_piece(&searching->frontier)))
        search_piece(searching);
}

// ---- Without a cache ---------------------------------------------------------------------------

static uint64_t names[EXECUTIONS_MAX];

// In one piece, whose executions are named in their order; false if they are too many.
static bool search_whole(const struct sct_program *program, uint64_t *count) {
    struct searching searching = {.piece = NULL};
    open_search(&searching, program, NULL);
    *count = 0;
    bool goes_on = true;
    while (goes_on && *count < EXECUTIONS_MAX) {
        names[(*count)++] = name_of(sct_search_run(searching.search, engine, 1));
        goes_on = sct_path_advance(searching.strategy->path);
    }
    close_search(&searching);
    return !goes_on;
}

// The pieces, from left to right, have those executions.
static void expect_names(const struct sct_frontier *frontier, uint64_t count, uint64_t seed) {
    uint64_t i = 0;
    for (const struct sct_piece *piece = frontier->first; piece; piece = piece->next) {
        struct sct_reader reader = {piece->ranges.data, piece->ranges.data + piece->ranges.size,
                                    false};
        assert_true(piece->is_done && !piece->is_guard);
        for (; reader.at < reader.end; i++)
            if (sct_take_number(&reader) != names[i < count ? i : 0] || i >= count)
                fail_msg("program %llu: execution %llu of %llu is another one",
                         (unsigned long long)seed, (unsigned long long)i,
                         (unsigned long long)count);
    }
    if (i != count)
        fail_msg("program %llu: %llu executions of %llu", (unsigned long long)seed,
                 (unsigned long long)i, (unsigned long long)count);
}

static struct searching sum;

static bool compare_parts(const struct sct_program *program, uint64_t seed) {
    uint64_t count;
    if (!search_whole(program, &count))
        return false;
    struct searching searching = {.piece = NULL};
    open_search(&searching, program, NULL);
    search_in_parts(&searching);
    expect_names(&searching.frontier, count, seed);
    sum.parted += searching.parted;
    sum.guards += searching.guards;
    sum.stops += searching.stops;
    sum.awoken += searching.awoken;
    sct_frontier_deinit(&searching.frontier);
    close_search(&searching);
    return true;
}

static const struct sct_program declared = {
    .setup = set_up, .digest = add_cells, .tasks_observe = true};

static void tell(const char *what, uint64_t programs) {
    print_message(
        "%s: %llu programs, parted %llu times, %llu guards, %llu told of a stop, of which "
        "%llu were searched\n",
        what, (unsigned long long)programs, (unsigned long long)sum.parted,
        (unsigned long long)sum.guards, (unsigned long long)sum.stops,
        (unsigned long long)sum.awoken);
}

// Of programs with values, locks, mailboxes, loops without an end, and machines that are stopped.
static void test_parts_are_the_whole(void **state) {
    (void)state;
    uint64_t programs = 0, all = ARENA_POISONS ? 100 : 1000;
    sct_engine_close(engine);
    engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 40});
    rng_seed(&chance, 1);
    sum = (struct searching){.piece = NULL};
    for (uint64_t seed = 1; seed <= all; seed++) {
        draw_program(seed, OPCODES_AND_ALL, false);
        programs += compare_parts(&declared, seed);
    }
    tell("declared", programs);
    assert_true(programs > all / 2 && sum.parted > programs);
    assert_true(sum.guards > programs / 10 && sum.awoken > 0);
}

// Of programs with a memory, where tasks sleep half.
static void test_parts_with_a_memory(void **state) {
    (void)state;
    uint64_t programs = 0, all = ARENA_POISONS ? 50 : 500;
    struct rng rng;
    rng_seed(&rng, 17);
    rng_seed(&chance, 2);
    sum = (struct searching){.piece = NULL};
    struct sct_program program = {
        .setup = little_setup,
        .memory = sct_memory_new(&(struct sct_memory_options){.model = SCT_MEMORY_C11}),
    };
    for (uint64_t i = 0; i < all; i++) {
        struct little little;
        draw_little(&rng, DRAW_ANY, 7, &little);
        draw_locks(&rng, &little);
        little_now = &little;
        programs += compare_parts(&program, i);
    }
    tell("c11", programs);
    assert_true(programs > all / 2 && sum.parted > programs);
    sct_memory_free(program.memory);
}

// ---- With a cache ------------------------------------------------------------------------------

static struct ends ends_alone;

// The states that a search without a reduction meets, all in one piece.
static uint64_t states_of_whole(const struct sct_program *program) {
    struct searching searching = {.piece = NULL};
    searching.strategy = new_strategy("dfs");
    searching.search = sct_search_open(&(struct sct_search_options){
        .program = program, .strategy = searching.strategy, .cache_bytes = CACHE_BYTES});
    ends.count = 0;
    do
        note_end(sct_search_run(searching.search, engine, 1));
    while (sct_path_advance(searching.strategy->path));
    uint64_t states = sct_search_explorer(searching.search)->states.count;
    ends_sort();
    ends_alone = ends;
    close_search(&searching);
    return states;
}

static uint64_t transitions, executions;

static void compare_states(const struct sct_program *program, uint64_t seed) {
    struct sct_shared_states shared;
    struct searching searching = {.note = note_end};
    uint64_t states = states_of_whole(program);
    sct_shared_states_init(&shared, CACHE_BYTES);
    open_search(&searching, program, &shared);
    ends.count = 0;
    search_in_parts(&searching);
    ends_sort();
    const struct sct_explorer *explorer = sct_search_explorer(searching.search);
    if (explorer->states_met != states || !ends_equal(&ends, &ends_alone))
        fail_msg("program %llu: %llu states of %llu, %zu ends of %zu", (unsigned long long)seed,
                 (unsigned long long)explorer->states_met, (unsigned long long)states, ends.count,
                 ends_alone.count);
    assert_int_equal(sct_shared_states_count(&shared), states);
    transitions += explorer->transitions;
    executions += searching.executions;
    sum.parted += searching.parted;
    assert_int_equal(searching.guards, 0);
    sct_frontier_deinit(&searching.frontier);
    close_search(&searching);
    sct_shared_states_deinit(&shared);
}

// All states and all ends, whoever meets a state first.
static void test_parts_share_states(void **state) {
    (void)state;
    rng_seed(&chance, 3);
    sum = (struct searching){.piece = NULL};
    transitions = executions = 0;
    uint64_t all = ARENA_POISONS ? 100 : 1000;
    for (uint64_t seed = 1; seed <= all; seed++) {
        draw_program(seed, OPCODES_AND_ALL, true);
        compare_states(&declared, seed);
    }
    print_message("%llu transitions, %llu executions, parted %llu times\n",
                  (unsigned long long)transitions, (unsigned long long)executions,
                  (unsigned long long)sum.parted);
    assert_true(sum.parted > all);
}

// The same of states in cycles, where nobody can wait until another one is done.
static void test_parts_share_states_of_automata(void **state) {
    (void)state;
    const struct sct_program cyclic = {
        .setup = set_up_automata, .digest = add_cells, .tasks_observe = true};
    rng_seed(&chance, 4);
    sum = (struct searching){.piece = NULL};
    uint64_t all = ARENA_POISONS ? 200 : 3000;
    for (uint64_t seed = 1; seed <= all; seed++) {
        draw_automata(seed);
        compare_states(&cyclic, seed);
    }
    assert_true(sum.parted > all / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_parts_are_the_whole),
        ENGINE_TEST(test_parts_with_a_memory),
        ENGINE_TEST(test_parts_share_states),
        ENGINE_TEST(test_parts_share_states_of_automata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
