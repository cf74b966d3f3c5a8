#define _GNU_SOURCE // truncate
#include "tests/support/generated.h"
#include "tests/support/fork.h"

#include "core/campaign/marks.h"
#include "core/jobs/crew.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- Searching ---------------------------------------------------------------------------------

static const unsigned worker_counts[] = {1, 2, 3, 7};
enum { WORKER_COUNTS = 4, CACHE_BYTES = 1 << 22, TEXT_BYTES = 4000, ENDS_MAX = 4096 };

static uint64_t ends[16]; // how often executions ended with these sums of cells

static void count_end(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (result->outcome == SCT_PASSED)
        ends[(world->cells[0] * 4 + world->cells[1]) % 16]++;
}

static char *record_kind(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    return strdup(result->violation.kind);
}

static struct sct_campaign_options options_for(const struct sct_program *program) {
    return (struct sct_campaign_options){
        .program = program,
        .iterations = SCT_UNLIMITED,
        .keep_going = true,
        .repeat_every = 100,
        .after_counted = count_end,
        .record = record_kind,
    };
}

// What is the same with any number of workers; of executions, which run along other paths with a
// cache, only what is counted once each.
static void describe(const struct sct_campaign *campaign, bool has_cache, struct text *text) {
    const struct sct_searched *search = &campaign->search;
    text_add(text, "%llu executions %llu violations %llu cut %llu passed %llu pruned %llu again\n",
             (unsigned long long)campaign->iterations_run, (unsigned long long)campaign->violations,
             (unsigned long long)campaign->step_limit_hits, (unsigned long long)search->executions,
             (unsigned long long)search->pruned, (unsigned long long)search->repeated);
    text_add(text, "%d exhausted %u bounds %u bound %d left out\n", search->is_exhausted,
             search->bounds_completed, search->path->bound, search->path->meets_bound);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        text_add(text, "%llu ", (unsigned long long)ends[i]);
    text_add(text, "\n%llu states %llu transitions\n", (unsigned long long)search->states_met,
             (unsigned long long)search->transitions);
    if (has_cache)
        return;
    text_add(text, "%llx %llu decisions %llu points %llu runs %a in all\n",
             (unsigned long long)campaign->fingerprint, (unsigned long long)campaign->decisions,
             (unsigned long long)campaign->points, (unsigned long long)search->bound_runs,
             search->estimate);
    for (const struct sct_group *group = campaign->groups; group; group = group->next)
        text_add(text, "%llu: %llu with %u after %u: %s %s (%s)\n",
                 (unsigned long long)group->iteration, (unsigned long long)group->count,
                 group->bound, group->decision_count, group->violation.kind,
                 group->violation.message, group->record);
}

// In this process, as campaigns do it.
static struct sct_campaign search_alone(struct sct_campaign_options options, const char *spec,
                                        bool has_cache, struct text *text) {
    struct sct_campaign campaign;
    struct sct_strategy *strategy = new_strategy(spec);
    memset(ends, 0, sizeof ends);
    options.strategy = strategy;
    options.search =
        sct_search_open(&(struct sct_search_options){.program = options.program,
                                                     .strategy = strategy,
                                                     .cache_bytes = has_cache ? CACHE_BYTES : 0});
    sct_campaign_run(engine, &options, &campaign);
    assert_false(campaign.unrepeatable.is_found);
    describe(&campaign, has_cache, text);
    sct_campaign_free(&campaign);
    sct_search_close(options.search);
    sct_strategy_free(strategy);
    return campaign;
}

static char told_buffer[TEXT_BYTES];
static struct text told;

static void tell_group(void *context, const struct sct_group *group) {
    (void)context;
    text_add(&told, "%s ", group->violation.message);
}

// What to search with.
struct crew {
    unsigned workers;
    uint64_t cache_bytes;
    const char *checkpoint;
    double checkpoint_seconds;
    const char *resumed;
};

static bool search_jointly(struct sct_campaign_options options, const char *spec,
                           const struct crew *crew, struct sct_campaign *campaign,
                           struct text *text, struct error *error) {
    static const struct sct_counters counters = {ends, sizeof ends / sizeof ends[0]};
    struct sct_shared_states states;
    struct sct_checkpoint resumed;
    struct sct_strategy *strategy = new_strategy(spec);
    memset(ends, 0, sizeof ends);
    told = text_in(told_buffer, sizeof told_buffer);
    options.strategy = strategy;
    if (crew->cache_bytes > 0) {
        sct_shared_states_init(&states, crew->cache_bytes);
        options.search = sct_search_open(&(struct sct_search_options){
            .program = options.program, .strategy = strategy, .shared = &states});
    }
    bool is_good = !crew->resumed || (sct_checkpoint_open(&resumed, crew->resumed, error) &&
                                      sct_crew_check(&resumed, crew->cache_bytes, error));
    const struct sct_range_options range = {
        .campaign = &options, .counters = &counters, .counter_arrays = 1};
    *campaign = (struct sct_campaign){.search.path = strategy->path};
    if (is_good)
        is_good = sct_crew_run(engine,
                               &(struct sct_crew_jobs){
                                   .range = &range,
                                   .workers = crew->workers,
                                   .on_new_group = tell_group,
                                   .checkpoint = crew->checkpoint,
                                   .checkpoint_text = "a search",
                                   .checkpoint_seconds = crew->checkpoint_seconds,
                                   .resumed = crew->resumed ? &resumed : NULL,
                               },
                               campaign, error);
    if (text)
        describe(campaign, crew->cache_bytes > 0, text);
    if (crew->resumed)
        sct_checkpoint_close(&resumed);
    sct_campaign_free(campaign);
    campaign->search.path = NULL;
    if (crew->cache_bytes > 0) {
        sct_search_close(options.search);
        sct_shared_states_deinit(&states);
    }
    sct_strategy_free(strategy);
    return is_good;
}

static struct sct_campaign expect_same(const struct sct_campaign_options *options, const char *spec,
                                       const struct crew *crew, const char *expected) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct error error = {{0}};
    struct sct_campaign campaign;
    if (!search_jointly(*options, spec, crew, &campaign, &text, &error))
        fail_msg("%u workers: %s", crew->workers, error.text);
    assert_string_equal(text.data, expected);
    return campaign;
}

static void be_slow(void *context, uint64_t iteration) {
    (void)context;
    (void)iteration;
    usleep(20);
}

// With every number of workers what one process finds. The pieces of all of them.
static uint64_t expect_same_with_all(const struct sct_campaign_options *options, const char *spec,
                                     bool has_cache) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    uint64_t pieces = 0;
    struct sct_campaign_options slow = *options;
    struct sct_campaign alone = search_alone(*options, spec, has_cache, &text);
    if (alone.iterations_run < 2000) // else one is ready before the others begin
        slow.before_counted = be_slow;
    for (int i = 0; i < WORKER_COUNTS; i++) {
        const struct crew crew = {.workers = worker_counts[i],
                                  .cache_bytes = has_cache ? CACHE_BYTES : 0};
        pieces += expect_same(&slow, spec, &crew, text.data).search.pieces;
    }
    return pieces;
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
            const struct crew crew = {.workers = worker_counts[i], .cache_bytes = CACHE_BYTES};
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
    const struct crew crew = {.workers = 2, .cache_bytes = CACHE_BYTES};
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

// ---- Checkpoints -------------------------------------------------------------------------------

static const char path[] = "test_search.checkpoint";

// Whatever the execution at which one process leaves a search, and with whatever number of workers
// it goes on, in the end it is the whole one.
static void expect_resumed(struct sct_campaign_options options, const char *spec, bool has_cache) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct error error = {{0}};
    struct sct_campaign whole = search_alone(options, spec, has_cache, &text), campaign;
    struct crew crew = {
        .workers = 1, .cache_bytes = has_cache ? CACHE_BYTES : 0, .checkpoint = path};
    crew.checkpoint_seconds = 1000;
    for (int i = 0; i < WORKER_COUNTS; i++) {
        options.iterations = 1 + whole.iterations_run * (uint64_t)i / WORKER_COUNTS;
        crew.workers = 1;
        crew.resumed = NULL;
        if (!search_jointly(options, spec, &crew, &campaign, NULL, &error))
            fail_msg("%s", error.text);
        assert_true(campaign.iterations_run <= options.iterations);
        options.iterations = SCT_UNLIMITED;
        crew.workers = worker_counts[i];
        crew.resumed = path;
        crew.cache_bytes *= 2; // another table
        expect_same(&options, spec, &crew, text.data);
        expect_same(&options, spec, &crew, text.data); // from the end
        crew.cache_bytes /= 2;
    }
}

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
    struct crew crew = {.workers = 2, .checkpoint = path, .checkpoint_seconds = 1000};
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
    crew.resumed = path;
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
    unlink(path);
}

// Begins the search, or goes on, in a process of its own that is killed after a while; whether it
// ended before.
static bool search_and_be_killed(const struct sct_campaign_options *options, struct crew crew,
                                 useconds_t microseconds) {
    pid_t process = fork_or_fail();
    if (process == 0) {
        struct sct_campaign campaign;
        struct error error;
        _exit(search_jointly(*options, "dfs", &crew, &campaign, NULL, &error) ? 0 : 9);
    }
    usleep(microseconds);
    kill(process, SIGKILL);
    int status;
    waitpid(process, &status, 0);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

// A search by several that is killed at any moment, again and again, comes to the same end.
static void expect_survives(struct sct_campaign_options options, bool has_cache) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct crew crew = {.cache_bytes = has_cache ? CACHE_BYTES : 0,
                        .checkpoint = path,
                        .checkpoint_seconds = 0.001};
    search_alone(options, "dfs", has_cache, &text);
    options.before_counted = be_slow;
    unlink(path);
    for (unsigned i = 0;; i++) {
        crew.workers = i % 3 + 1;
        crew.resumed = access(path, R_OK) == 0 ? path : NULL;
        if (search_and_be_killed(&options, crew, 3000 + 10000 * i))
            break;
    }
    crew.resumed = path;
    expect_same(&options, "dfs", &crew, text.data);
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
    unlink(path);
    unlink("test_search.checkpoint.tmp");
}

static bool is_whole(uint64_t cache_bytes, struct error *error) {
    struct sct_checkpoint checkpoint;
    if (!sct_checkpoint_open(&checkpoint, path, error))
        return false;
    bool is_good = sct_crew_check(&checkpoint, cache_bytes, error);
    sct_checkpoint_close(&checkpoint);
    return is_good;
}

static void flip(long at) {
    FILE *file = fopen(path, "r+b");
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
    const struct crew crew = {.workers = 1, .cache_bytes = CACHE_BYTES, .checkpoint = path};
    assert_true(search_jointly(options, "dfs", &crew, &campaign, NULL, &error));
    assert_true(is_whole(CACHE_BYTES, &error));
    assert_false(is_whole(1, &error));
    assert_non_null(strstr(error.text, " states do not fit a cache of 1 bytes"));
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    for (long at = 0; at < size; at += size / 40 + 1) {
        flip(at);
        assert_false(is_whole(CACHE_BYTES, &error));
        flip(at);
    }
    assert_true(is_whole(CACHE_BYTES, &error));
    for (long cut = size - 1; cut > 0; cut -= size / 40 + 1) {
        assert_int_equal(truncate(path, cut), 0);
        assert_false(is_whole(CACHE_BYTES, &error));
    }
    unlink(path);
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
        ENGINE_TEST(test_search_is_stopped_at_its_end),
        ENGINE_TEST(test_left_search_is_resumed),
        ENGINE_TEST(test_killed_search_is_resumed),
        ENGINE_TEST(test_damaged_search_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
