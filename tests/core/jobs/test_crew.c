#define _GNU_SOURCE // truncate
#define CHECKPOINT "test_search.checkpoint"
#include "tests/support/busy.h"
#include "tests/support/crews.h"
#include "tests/support/generated.h"

#include <signal.h>
#include <sys/wait.h>

// With these sums of cells.
static void count_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (result->outcome == SCT_PASSED)
        ends[(world->cells[0] * 4 + world->cells[1]) % 16]++;
}

// ---- Without a cache ---------------------------------------------------------------------------

static const struct sct_program generated = {
    .setup = set_up, .digest = add_cells, .tasks_observe = true};

// Draws the next program after *[seed] whose executions are at least so many, but can be run.
static void draw_searchable(uint64_t *seed, const char *spec, uint64_t least) {
    struct sct_campaign_options options = options_for(&generated);
    options.iterations = 20000;
    for (;;) {
        char buffer[TEXT_BYTES];
        struct text text = text_in(buffer, sizeof buffer);
        draw_program(++*seed);
        struct sct_campaign campaign = search_alone(options, spec, false, &text);
        if (campaign.search.is_exhausted && campaign.iterations_run >= least)
            return;
    }
}

// To the end, and to the first violation, which is the leftmost of the tree: everything is as with
// one process, and the tree was indeed shared out.
static void test_workers_change_nothing(void **state) {
    (void)state;
    static const char *const specs[] = {"dfs", "dfs:delay=2", "dfs:preempt=2"};
    uint64_t pieces = 0;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        uint64_t seed = 100 * i;
        for (int n = 0; n < 6; n++) {
            draw_searchable(&seed, specs[i], n < 3 ? 1 : 300);
            struct sct_campaign_options options = options_for(&generated);
            options.keep_going = n % 2 == 0;
            pieces += expect_same_with_all(&options, specs[i], false);
        }
    }
    assert_true(pieces > 18 * (1 + 2 + 3 + 7));
}

// ---- With a cache ------------------------------------------------------------------------------

// The same states, transitions and verdict, whoever enters a state first.
static void test_workers_share_the_cache(void **state) {
    (void)state;
    uint64_t pieces = 0, seed = 500;
    struct sct_campaign_options options = options_for(&generated);
    for (int n = 0; n < 10; n++) {
        draw_searchable(&seed, "dfs", 300);
        pieces += expect_same_with_all(&options, "dfs", true);
    }
    assert_true(pieces > 10 * (1 + 2 + 3 + 7));
}

static uint64_t ends_met(void) {
    uint64_t met = 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        met |= (uint64_t)(ends[i] > 0) << i;
    return met;
}

// Within bounds a state may be entered again with more of the bound left, so numbers depend on who
// comes first, but what is found does not. One worker does what one process does.
static void test_workers_share_the_cache_within_bounds(void **state) {
    (void)state;
    static const char *const specs[] = {"dfs:delay=2", "dfs:preempt=2"};
    uint64_t seed = 700;
    for (int n = 0; n < 12; n++) {
        const char *spec = specs[n % 2];
        char buffer[TEXT_BYTES];
        struct text text = text_in(buffer, sizeof buffer);
        draw_searchable(&seed, spec, 100);
        struct sct_campaign_options options = options_for(&generated);
        struct sct_campaign alone = search_alone(options, spec, true, &text), together;
        uint64_t met = ends_met();
        options.before_counted = be_slow;
        for (int i = 0; i < WORKER_COUNTS; i++) {
            struct error error = {{0}};
            const struct crew crew = {.workers = worker_counts[i], .cache_bytes = CREW_CACHE_BYTES};
            assert_true(search_jointly(options, spec, &crew, &together, NULL, &error));
            assert_true(together.search.is_exhausted == alone.search.is_exhausted);
            assert_int_equal(ends_met(), met);
            assert_true((together.violations > 0) == (alone.violations > 0));
            if (crew.workers > 1)
                continue;
            assert_int_equal(together.search.bounds_completed, alone.search.bounds_completed);
            assert_int_equal(together.search.states_met, alone.search.states_met);
        }
    }
}

// A cache of several processes is not searched again with a larger number of steps: then the search
// does not claim to be exhausted, though it has come to its end. Without a cache it is, up to the
// limit, as with one process.
static void test_cut_search_is_not_exhausted(void **state) {
    (void)state;
    sct_engine_close(engine);
    engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 8});
    uint64_t seed = 500;
    draw_searchable(&seed, "dfs", 100);
    struct sct_campaign_options options = options_for(&generated);
    expect_same_with_all(&options, "dfs", false);
    struct sct_campaign campaign;
    struct error error;
    const struct crew crew = {.workers = 2, .cache_bytes = CREW_CACHE_BYTES};
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    assert_true(campaign.step_limit_hits > 0);
    assert_true(campaign.search.is_cut);
    assert_false(campaign.search.is_exhausted);
}

// A cache without room ends the search of all workers, which then has no verdict; what was found
// until then counts.
static void test_full_cache_ends_the_search(void **state) {
    (void)state;
    struct sct_campaign_options options = options_for(&generated);
    uint64_t seed = 500;
    draw_searchable(&seed, "dfs", 300);
    for (int i = 0; i < WORKER_COUNTS; i++) {
        struct sct_campaign campaign;
        struct error error;
        const struct crew crew = {.workers = worker_counts[i], .cache_bytes = 1};
        assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
        assert_true(campaign.search.is_cache_full);
        assert_false(campaign.search.is_exhausted);
        assert_true(campaign.iterations_run > 0);
    }
}

// ---- Ends that come too early ------------------------------------------------------------------

static void die_in_100(void *context, uint64_t iteration) {
    (void)context;
    if (iteration == 100)
        raise(SIGKILL);
}

// A worker that dies is an error which names it; nobody claims that the search was one.
static void test_dead_searcher_is_an_error(void **state) {
    (void)state;
    struct sct_campaign_options options = options_for(&generated);
    uint64_t seed = 0;
    draw_searchable(&seed, "dfs", 1000);
    options.before_counted = die_in_100;
    for (unsigned workers = 1; workers < 4; workers++) {
        struct sct_campaign campaign;
        struct error error = {{0}};
        const struct crew crew = {.workers = workers};
        assert_false(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
        assert_non_null(strstr(error.text, " was killed by signal 9 after about "));
        assert_false(campaign.search.is_exhausted);
    }
}

static void walk(void *argument) {
    (void)argument;
    for (int i = 0; i < 8; i++)
        step("step");
}

static void be_wrong(void *argument) {
    (void)argument;
    sct_check(false, "wrong", "it is wrong");
}

// Nobody lives to see the end of it, and on its right is a violation.
static void endless_and_wrong(void *context) {
    (void)context;
    if (sct_choose(2, "side") == 1) {
        start("wrong", be_wrong, NULL);
        return;
    }
    for (int i = 0; i < 3; i++)
        start("m", walk, NULL);
}

static const struct sct_program endless = {.setup = endless_and_wrong};
static volatile sig_atomic_t interrupted;

static void interrupt_late(void *context, const struct sct_campaign *campaign) {
    (void)context;
    if (campaign->violations > 0 && campaign->iterations_run > 3000)
        interrupted = 1;
}

// What was found on the right counts when a search is interrupted, though it waits for the left.
static void test_interrupted_search_keeps_what_was_found(void **state) {
    (void)state;
    struct sct_campaign campaign;
    struct error error;
    const struct crew crew = {.workers = 3};
    struct sct_campaign_options options = options_for(&endless);
    options.after_counted = NULL;
    options.keep_going = false;
    options.interrupted = &interrupted;
    options.on_progress = interrupt_late;
    interrupted = 0;
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    assert_true(campaign.was_interrupted && campaign.iterations_run > 3000);
    assert_false(campaign.search.is_exhausted);
    assert_int_equal(campaign.violations, 1);
    assert_string_equal(told.data, "it is wrong ");
    options.on_progress = NULL;
    options.interrupted = NULL;
    options.seconds_max = 0.3;
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    assert_true(campaign.iterations_run > 0 && campaign.elapsed_seconds < 30);
    assert_false(campaign.was_interrupted);
}

// ---- Executions that are long ------------------------------------------------------------------

// Nearly endless, as a test that fails must end, too: some seconds.
enum { ENDLESS_STEPS = SCT_STEPS_LIMIT };

static int begun, first_long; // executions of this process
static int left;              // tasks, of the three of an execution

// What is long has no alternatives: the last one goes round, when the others have ended.
static void step_twice(void *argument) {
    (void)argument;
    step("one");
    step("two");
    bool is_long = --left == 0 && begun >= first_long;
    for (uint32_t turn = 0; is_long && turn < ENDLESS_STEPS / 2; turn++) {
        be_busy();
        step("turn");
    }
}

static void start_three(void *context) {
    (void)context;
    begun++;
    left = 3;
    start("a", step_twice, NULL);
    start("b", step_twice, NULL);
    start("c", step_twice, NULL);
}

static const struct sct_program sometimes_long = {.setup = start_three};

// When its time is over a search leaves the execution that it is in, and goes on with it: nothing
// is lost, and nothing is done twice.
static void test_search_leaves_a_long_execution(void **state) {
    (void)state;
    sct_engine_close(engine);
    engine = sct_engine_open(&(struct sct_engine_options){
        .steps_max = ENDLESS_STEPS, .fair_after = ENDLESS_STEPS, .catch_signals = true});
    struct sct_campaign_options options = options_for(&sometimes_long);
    options.after_counted = NULL;
    options.repeat_every = 0;
    for (reduction = SCT_REDUCE_NONE; reduction <= SCT_REDUCE_SLEEP; reduction++) {
        char all_buffer[TEXT_BYTES], rest_buffer[TEXT_BYTES];
        struct text all = text_in(all_buffer, sizeof all_buffer);
        struct text rest = text_in(rest_buffer, sizeof rest_buffer);
        struct crew crew = {.workers = 1, .checkpoint = CHECKPOINT, .checkpoint_seconds = 1000};
        struct sct_campaign campaign;
        struct error error = {{0}};
        begun = 0;
        first_long = 1000000;
        options.seconds_max = 0;
        search_alone(options, "dfs", false, &all);
        begun = 0;
        first_long = 7;
        options.seconds_max = 0.1;
        assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
        assert_int_equal(campaign.iterations_run, 6);
        assert_false(campaign.search.is_exhausted || campaign.was_interrupted);
        first_long = 1000000;
        options.seconds_max = 0;
        crew.resumed = CHECKPOINT;
        assert_true(search_jointly(options, "dfs", &crew, &campaign, &rest, &error));
        assert_string_equal(rest.data, all.data);
    }
    reduction = SCT_REDUCE_NONE;
    unlink(CHECKPOINT);
}

// ---- Checkpoints -------------------------------------------------------------------------------

static volatile sig_atomic_t is_stopped;

static void stop(void *context, const struct sct_campaign *campaign) {
    (void)context;
    (void)campaign;
    is_stopped = 1;
}

// Longer than a worker is waited for before progress is told.
static void nap(void *context) {
    (void)context;
    usleep(400 * 1000);
}

// A search that is stopped while a worker runs the very last execution goes on to its end, although
// there is nothing left to hand out.
static void test_search_is_stopped_at_its_end(void **state) {
    (void)state;
    static const struct sct_program napping = {.setup = nap};
    struct sct_campaign_options options = options_for(&napping);
    struct crew crew = {.workers = 2, .checkpoint = CHECKPOINT, .checkpoint_seconds = 1000};
    struct sct_campaign campaign;
    struct error error = {{0}};
    options.interrupted = &is_stopped;
    options.on_progress = stop;
    options.after_counted = NULL;
    is_stopped = 0;
    alarm(60); // it may wait for ever
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    assert_true(campaign.was_interrupted && !campaign.search.is_exhausted);
    options.on_progress = NULL;
    is_stopped = 0;
    crew.resumed = CHECKPOINT;
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    alarm(0);
    assert_true(campaign.search.is_exhausted);
    assert_int_equal(campaign.iterations_run, 1);
}

static void test_left_search_is_resumed(void **state) {
    (void)state;
    static const char *const specs[] = {"dfs", "dfs:delay=2", "dfs:preempt=2"};
    uint64_t seed = 900;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        draw_searchable(&seed, specs[i], 100);
        struct sct_campaign_options options = options_for(&generated);
        expect_resumed(options, specs[i], false);
        options.keep_going = false;
        expect_resumed(options, specs[i], false);
    }
    struct sct_campaign_options options = options_for(&generated);
    draw_searchable(&seed, "dfs", 300);
    expect_resumed(options, "dfs", true);
    unlink(CHECKPOINT);
}

static void test_killed_search_is_resumed(void **state) {
    (void)state;
    uint64_t seed = 950;
    struct sct_campaign_options options = options_for(&generated);
    draw_searchable(&seed, "dfs", 1000);
    expect_survives(options, false);
    expect_survives(options, true);
    options.keep_going = false;
    expect_survives(options, false);
    unlink(CHECKPOINT);
    unlink(CHECKPOINT ".tmp");
}

static bool is_whole(uint64_t cache_bytes, struct error *error) {
    struct sct_checkpoint checkpoint;
    if (!sct_checkpoint_open(&checkpoint, CHECKPOINT, error))
        return false;
    bool is_good = sct_crew_check(&checkpoint, cache_bytes, error);
    sct_checkpoint_close(&checkpoint);
    return is_good;
}

static void flip(long at) {
    FILE *file = fopen(CHECKPOINT, "r+b");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 0x10, file);
    fclose(file);
}

// A checkpoint that was cut short or changed is refused, and so is one whose states do not fit.
static void test_damaged_search_is_refused(void **state) {
    (void)state;
    struct sct_campaign_options options = options_for(&generated);
    struct sct_campaign campaign;
    struct error error = {{0}};
    uint64_t seed = 500;
    draw_searchable(&seed, "dfs", 300);
    options.iterations = 100;
    const struct crew crew = {
        .workers = 1, .cache_bytes = CREW_CACHE_BYTES, .checkpoint = CHECKPOINT};
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    assert_true(is_whole(CREW_CACHE_BYTES, &error));
    assert_false(is_whole(1, &error));
    assert_non_null(strstr(error.text, " states do not fit a cache of 1 bytes"));
    FILE *file = fopen(CHECKPOINT, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    for (long at = 0; at < size; at += size / 40 + 1) {
        flip(at);
        assert_false(is_whole(CREW_CACHE_BYTES, &error));
        flip(at);
    }
    assert_true(is_whole(CREW_CACHE_BYTES, &error));
    for (long cut = size - 1; cut > 0; cut -= size / 40 + 1) {
        assert_int_equal(truncate(CHECKPOINT, cut), 0);
        assert_false(is_whole(CREW_CACHE_BYTES, &error));
    }
    unlink(CHECKPOINT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_workers_change_nothing),
        ENGINE_TEST(test_workers_share_the_cache),
        ENGINE_TEST(test_workers_share_the_cache_within_bounds),
        ENGINE_TEST(test_cut_search_is_not_exhausted),
        ENGINE_TEST(test_full_cache_ends_the_search),
        ENGINE_TEST(test_dead_searcher_is_an_error),
        ENGINE_TEST(test_interrupted_search_keeps_what_was_found),
        ENGINE_TEST(test_search_leaves_a_long_execution),
        ENGINE_TEST(test_search_is_stopped_at_its_end),
        ENGINE_TEST(test_left_search_is_resumed),
        ENGINE_TEST(test_killed_search_is_resumed),
        ENGINE_TEST(test_damaged_search_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
