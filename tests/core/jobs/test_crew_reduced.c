// Searches with sleep sets by several processes: the same executions as by one, in their order;
// with a cache the same states and ends.
#define _GNU_SOURCE // usleep
#define CHECKPOINT "test_reduced.checkpoint"
#include "tests/core/memory/drawn.h"
#include "tests/support/crews.h"
#include "tests/support/declared.h"

static const struct sct_program declared = {
    .setup = set_up, .digest = add_cells, .tasks_observe = true};

static bool has_cells; // not of little programs

static void count_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (result->outcome != SCT_PRUNED)
        ends[has_cells && result->outcome == SCT_PASSED ? digest_cells().low % 15 : 15]++;
}

static int open_reduced(void **state) {
    reduction = SCT_REDUCE_SLEEP;
    has_cells = true;
    (void)state;
    engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 200});
    return 0;
}

// Draws the next program after *[seed] of so many executions, reduced, or a few more.
static struct sct_campaign_options draw_reduced(uint64_t *seed, bool is_comparable,
                                                uint64_t least) {
    struct sct_campaign_options options = options_for(&declared);
    options.iterations = 20 * least;
    for (;;) {
        char buffer[TEXT_BYTES];
        struct text text = text_in(buffer, sizeof buffer);
        // Of programs whose states cannot be compared: with machines that may be stopped, too.
        if (is_comparable)
            draw_program(++*seed, OPCODES, true);
        else
            do
                draw_program(++*seed, OPCODES_AND_ALL, false);
            while (program_text[0][0].code == SPIN || program_text[0][1].code == SPIN ||
                   program_text[0][2].code == SPIN);
        struct sct_campaign campaign = search_alone(options, "dfs", false, &text);
        if (campaign.search.is_exhausted && campaign.iterations_run >= least) {
            options.iterations = SCT_UNLIMITED;
            return options;
        }
    }
}

// Everything is as with one process, to the end and to the first violation.
static void test_sleepers_change_nothing(void **state) {
    (void)state;
    uint64_t pieces = 0, seed = 0;
    for (int n = 0; n < 16; n++) {
        struct sct_campaign_options options = draw_reduced(&seed, false, n < 8 ? 20 : 200);
        options.keep_going = n % 4 != 3;
        pieces += expect_same_with_all(&options, "dfs", false);
    }
    assert_true(pieces > 16 * (1 + 2 + 3 + 7));
}

// Where loads read older stores, which is a choice, and tasks sleep half.
static void test_sleepers_with_a_memory(void **state) {
    (void)state;
    struct rng rng;
    struct little little;
    const struct sct_program program = {
        .setup = little_setup,
        .memory = sct_memory_new(&(struct sct_memory_options){.model = SCT_MEMORY_C11}),
    };
    struct sct_campaign_options options = options_for(&program);
    uint64_t pieces = 0;
    rng_seed(&rng, 18);
    little_now = &little;
    has_cells = false;
    for (int n = 0; n < 16; n++) {
        draw_little(&rng, DRAW_ANY, 8, &little);
        draw_locks(&rng, &little);
        pieces += expect_same_with_all(&options, "dfs", false);
    }
    assert_true(pieces > 16 * (1 + 2 + 3 + 7));
    sct_memory_free(program.memory);
}

// The same states and verdict, whoever enters a state first.
static void test_sleepers_share_the_cache(void **state) {
    (void)state;
    uint64_t pieces = 0, seed = 500;
    for (int n = 0; n < 10; n++) {
        struct sct_campaign_options options = draw_reduced(&seed, true, 200);
        pieces += expect_same_with_all(&options, "dfs", true);
    }
    assert_true(pieces > 10 * (1 + 2 + 3 + 7));
}

static void test_left_reduced_search_is_resumed(void **state) {
    (void)state;
    uint64_t seed = 900;
    for (int n = 0; n < 4; n++) {
        struct sct_campaign_options options = draw_reduced(&seed, n == 3, 100);
        options.keep_going = n != 1;
        expect_resumed(options, "dfs", n == 3);
    }
    unlink(CHECKPOINT);
}

static void test_killed_reduced_search_is_resumed(void **state) {
    (void)state;
    uint64_t seed = 950;
    struct sct_campaign_options options = draw_reduced(&seed, false, 300);
    expect_survives(options, false);
    options = draw_reduced(&seed, true, 300);
    expect_survives(options, true);
    unlink(CHECKPOINT);
    unlink(CHECKPOINT ".tmp");
}

#define REDUCED_TEST(name) cmocka_unit_test_setup_teardown(name, open_reduced, close_engine)

int main(void) {
    const struct CMUnitTest tests[] = {
        REDUCED_TEST(test_sleepers_change_nothing),
        REDUCED_TEST(test_sleepers_with_a_memory),
        REDUCED_TEST(test_sleepers_share_the_cache),
        REDUCED_TEST(test_left_reduced_search_is_resumed),
        REDUCED_TEST(test_killed_reduced_search_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
