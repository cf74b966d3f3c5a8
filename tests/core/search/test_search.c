#include "tests/support/programs.h"

#include "core/campaign/campaign.h"
#include "core/search/search.h"

static void no_setup(void *context) {
    (void)context;
}

static void no_digest(void *context, struct digest *state) {
    (void)context;
    (void)state;
}

static const struct sct_program plain = {.setup = no_setup};
static const struct sct_program with_digest = {
    .setup = no_setup, .digest = no_digest, .tasks_observe = true};
static struct sct_memory memory;
static const struct sct_program remembering = {
    .setup = no_setup, .digest = no_digest, .memory = &memory};
static const struct sct_program unobserved = {.setup = no_setup, .digest = no_digest};

// ---- What goes with what -----------------------------------------------------------------------

static void expect(const struct sct_program *program, const char *spec,
                   struct sct_search_options options, const char *refusal) {
    struct error error = {.text = ""};
    struct sct_strategy *strategy = new_strategy(spec);
    options.program = program;
    options.strategy = strategy;
    bool is_good = sct_search_check(&options, &error);
    if (is_good != !refusal || (refusal && !strstr(error.text, refusal)))
        fail_msg("%s: expected '%s', found '%s'", spec, refusal ? refusal : "", error.text);
    if (is_good) // what is said to go together can be opened
        sct_search_close(sct_search_open(&options));
    sct_strategy_free(strategy);
}

static void test_search_says_what_goes_with_what(void **state) {
    (void)state;
    struct sct_shared_states shared;
    sct_shared_states_init(&shared, 1 << 12);
    const struct sct_search_options none = {.cache_bytes = 0}, cache = {.cache_bytes = 1 << 12},
                                    joint = {.shared = &shared},
                                    sleep = {.reduction = SCT_REDUCE_SLEEP},
                                    dpor = {.reduction = SCT_REDUCE_DPOR};
    struct sct_search_options sleep_cache = sleep, dpor_cache = dpor, sleep_joint = sleep,
                              dpor_joint = dpor;
    sleep_cache.cache_bytes = dpor_cache.cache_bytes = 1 << 12;
    sleep_joint.shared = dpor_joint.shared = &shared;
    expect(&plain, "dfs", none, NULL);
    expect(&plain, "dfs:delay=2", none, NULL);
    expect(&plain, "random", none, "systematic strategy");
    expect(&with_digest, "dfs:preempt=1", cache, NULL);
    expect(&with_digest, "dfs", joint, NULL);
    expect(&plain, "dfs", cache, "digest");
    expect(&plain, "dfs", joint, "digest");
    expect(&plain, "dfs", sleep, NULL);
    expect(&plain, "dfs", dpor, NULL);
    expect(&plain, "dfs:delay=2", sleep, "bound");
    expect(&plain, "dfs:preempt=2", dpor, "bound");
    expect(&with_digest, "dfs", sleep_cache, NULL);
    expect(&with_digest, "dfs", dpor_cache, "hides races");
    expect(&unobserved, "dfs", cache, NULL);
    expect(&unobserved, "dfs", sleep_cache, "say what they read");
    expect(&with_digest, "dfs", sleep_joint, NULL);
    expect(&with_digest, "dfs", dpor_joint, "hides races");
    expect(&remembering, "dfs", none, NULL);
    expect(&remembering, "dfs", cache, "memory model");
    sct_shared_states_deinit(&shared);
}

// ---- One search, several campaigns -------------------------------------------------------------

static int cells[2];

static void write_cells(void *argument) {
    int *cell = argument;
    for (int i = 0; i < 3; i++) {
        sct_point("write", HERE, &sct_access_unknown);
        ++*cell;
    }
}

static void set_up_writers(void *context) {
    (void)context;
    cells[0] = cells[1] = 0;
    for (int i = 0; i < 2; i++)
        start(i ? "b" : "a", write_cells, &cells[i]);
}

static void add_cells(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(cells, sizeof cells));
}

static const struct sct_program writers = {
    .setup = set_up_writers, .digest = add_cells, .tasks_observe = true};

// In pieces of three executions: what the campaigns add up to is what one of them has.
static void test_search_serves_several_campaigns(void **state) {
    (void)state;
    struct sct_campaign whole, piece;
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_search_options options = {
        .program = &writers, .strategy = strategy, .cache_bytes = 1 << 12};
    struct sct_search *search = sct_search_open(&options);
    struct sct_campaign_options campaign = {
        .program = &writers, .strategy = strategy, .iterations = SCT_UNLIMITED, .search = search};
    sct_campaign_run(engine, &campaign, &whole);
    assert_true(whole.search.is_exhausted);
    sct_search_close(search);
    sct_strategy_free(strategy);

    strategy = options.strategy = campaign.strategy = new_strategy("dfs");
    campaign.search = search = sct_search_open(&options);
    campaign.iterations = 3;
    uint64_t states = 0, transitions = 0, executions = 0, pieces = 0;
    do {
        sct_campaign_run(engine, &campaign, &piece);
        states += piece.search.states_met;
        transitions += piece.search.transitions;
        executions += piece.iterations_run;
        pieces++;
    } while (!piece.search.is_exhausted);
    assert_true(pieces > 2);
    assert_int_equal(states, whole.search.states_met);
    assert_int_equal(transitions, whole.search.transitions);
    assert_int_equal(executions, whole.iterations_run);
    sct_search_close(search);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_search_says_what_goes_with_what),
        ENGINE_TEST(test_search_serves_several_campaigns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
