#include "tests/support/programs.h"

#include "core/campaign/campaign.h"

#include <stdio.h>

// ---- Programs ----------------------------------------------------------------------------------

// Tasks with these numbers of steps; a task of s steps has s - 1 scheduling points in it.
static const int *steps;
static int task_count;

static void walk(void *argument) {
    for (int i = 1; i < *(const int *)argument; i++)
        step("step");
}

static void independent(void *context) {
    (void)context;
    for (int i = 0; i < task_count; i++)
        start("m", walk, (void *)(uintptr_t)&steps[i]);
}

static const struct sct_program independent_program = {.setup = independent};

// ---- Searching ---------------------------------------------------------------------------------

enum { SEEN_MAX = 5000 };

static uint64_t fingerprints[SEEN_MAX];
static size_t seen_count;

static void note_fingerprint(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    if (seen_count < SEEN_MAX)
        fingerprints[seen_count++] = result->fingerprint;
}

static struct sct_campaign search(const char *spec, const struct sct_program *program,
                                  uint64_t iterations) {
    struct sct_campaign campaign;
    struct sct_strategy *strategy = new_strategy(spec);
    story = text_in(story_buffer, sizeof story_buffer);
    seen_count = 0;
    sct_campaign_run(engine,
                     &(struct sct_campaign_options){.program = program,
                                                    .strategy = strategy,
                                                    .iterations = iterations,
                                                    .keep_going = true,
                                                    .repeat_every = 7,
                                                    .after_counted = note_fingerprint},
                     &campaign);
    assert_false(campaign.unrepeatable.is_found);
    campaign.search.path = NULL; // the strategy's
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
    return campaign;
}

static void expect_count(const char *spec, const struct sct_program *program, uint64_t count) {
    struct sct_campaign campaign = search(spec, program, SCT_UNLIMITED);
    assert_true(campaign.search.is_exhausted);
    assert_int_equal(campaign.search.executions, count);
    assert_int_equal(campaign.search.repeated + count, campaign.iterations_run);
}

// ---- Exact counts ------------------------------------------------------------------------------

static uint64_t multinomial(void) {
    uint64_t count = 1, total = 0;
    for (int i = 0; i < task_count; i++)
        for (int j = 1; j <= steps[i]; j++)
            count = count * ++total / (uint64_t)j; // an integer after each factor
    return count;
}

// Tasks that do not touch each other have as many executions as their steps can be interleaved.
static void test_dfs_counts_interleavings(void **state) {
    (void)state;
    static const int programs[][4] = {{1},       {5},       {1, 1},    {3, 3},       {2, 5},
                                      {2, 2, 2}, {1, 2, 3}, {4, 4, 1}, {1, 1, 1, 1}, {2, 2, 2, 1}};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        steps = programs[i];
        for (task_count = 0; task_count < 4 && steps[task_count] > 0;)
            task_count++;
        expect_count("dfs", &independent_program, multinomial());
    }
}

// No execution comes twice.
static void test_dfs_executions_differ(void **state) {
    (void)state;
    static const int three[] = {3, 3, 3};
    steps = three;
    task_count = 3;
    expect_count("dfs", &independent_program, 1680);
    assert_int_equal(seen_count, 1680);
    for (size_t i = 0; i < seen_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(fingerprints[i] != fingerprints[j]);
}

static void draw_values(void *context) {
    (void)context;
    uint32_t digits = sct_choose(3, "digits");
    for (uint32_t i = 0; i < digits; i++)
        sct_choose(4, "digit");
}

// Values are branches like any other: strings of up to two digits of four are 1 + 4 + 16.
static void test_dfs_counts_values(void **state) {
    (void)state;
    const struct sct_program program = {.setup = draw_values};
    expect_count("dfs", &program, 21);
}

static void draw_then_step(void *argument) {
    (void)argument;
    uint32_t count = 1 + sct_choose(2, "steps");
    for (uint32_t i = 0; i < count; i++)
        step("step");
}

static void mixed(void *context) {
    (void)context;
    start("a", draw_then_step, NULL);
    start("b", draw_then_step, NULL);
}

// Scheduling and values in one tree: for each of the four answers (s, t) the tasks have s + 1 and
// t + 1 steps: C(4,2) + 2 C(5,2) + C(6,3) = 6 + 20 + 20 executions.
static void test_dfs_counts_mixed_trees(void **state) {
    (void)state;
    const struct sct_program program = {.setup = mixed};
    expect_count("dfs", &program, 46);
}

// ---- An independent enumeration ----------------------------------------------------------------

enum { DEPTH_MAX = 64 };

// Answers with a list, then with zeros; remembers what was asked and what it costs.
static struct {
    uint32_t answers[DEPTH_MAX], counts[DEPTH_MAX], length, asked;
    bool is_schedule[DEPTH_MAX], stays[DEPTH_MAX];
} list;

static uint32_t next_answer(uint32_t count, bool is_schedule, bool stays) {
    uint32_t at = list.asked++;
    list.counts[at] = count;
    list.is_schedule[at] = is_schedule;
    list.stays[at] = stays;
    if (at >= list.length)
        list.answers[at] = 0;
    return list.answers[at];
}

static unsigned pick_listed(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    (void)strategy;
    bool stays =
        sct_slots_have(point->enabled, point->current) && point->slots[point->current].steps > 0;
    return sct_alternative_slot(point, next_answer(point->count, true, stays));
}

static uint32_t choose_listed(struct sct_strategy *strategy, uint32_t count) {
    (void)strategy;
    return next_answer(count, false, false);
}

// Runs one execution after the other by counting with the answers as digits of mixed radices, most
// significant first; gives each one's fingerprint, delays and preemptions.
static void enumerate(const struct sct_program *program,
                      void (*visit)(uint64_t fingerprint, uint32_t delays, uint32_t preemptions)) {
    static const struct sct_strategy_ops ops = {.name = "list",
                                                .size = sizeof(struct sct_strategy),
                                                .begin = stay_begin,
                                                .pick = pick_listed,
                                                .choose = choose_listed};
    struct sct_strategy strategy = {.ops = &ops};
    list.length = 0;
    for (;;) {
        list.asked = 0;
        uint64_t fingerprint = run_with(&strategy, program, 0)->fingerprint;
        uint32_t delays = 0, preemptions = 0;
        for (uint32_t i = 0; i < list.asked; i++) {
            delays += list.is_schedule[i] ? list.answers[i] : 0;
            preemptions += list.is_schedule[i] && list.stays[i] && list.answers[i] > 0;
        }
        visit(fingerprint, delays, preemptions);
        list.length = list.asked;
        while (list.length > 0 && list.answers[list.length - 1] + 1 == list.counts[list.length - 1])
            list.length--;
        if (list.length == 0)
            return;
        list.answers[list.length - 1]++;
    }
}

enum { BOUNDS = 6 };

static uint64_t all_count, with_delays[BOUNDS], with_preemptions[BOUNDS];

static void count_costs(uint64_t fingerprint, uint32_t delays, uint32_t preemptions) {
    (void)fingerprint;
    all_count++;
    for (uint32_t bound = 0; bound < BOUNDS; bound++) {
        with_delays[bound] += delays <= bound;
        with_preemptions[bound] += preemptions <= bound;
    }
}

static void count_all(const struct sct_program *program) {
    all_count = 0;
    memset(with_delays, 0, sizeof with_delays);
    memset(with_preemptions, 0, sizeof with_preemptions);
    enumerate(program, count_costs);
}

static void mark_found(uint64_t fingerprint, uint32_t delays, uint32_t preemptions) {
    (void)delays;
    (void)preemptions;
    size_t i = 0;
    while (i < seen_count && fingerprints[i] != fingerprint)
        i++;
    assert_true(i < seen_count);
    all_count++;
}

static void block(void *argument) {
    struct sct_machine *other = *(struct sct_machine **)argument;
    struct sct_message *message = ARENA_NEW(sct_arena(), struct sct_message);
    step("before");
    sct_send(other, message, "send", "here:1");
    sct_receive(1, false, "the other's message");
    step("after");
}

// Two that send to each other and a third of two steps.
static void messages(void *context) {
    (void)context;
    struct sct_machine **pair = ARENA_ARRAY(sct_arena(), struct sct_machine *, 2);
    static const int two = 2;
    pair[0] = sct_machine_create("a");
    pair[1] = sct_machine_create("b");
    sct_task_start(pair[0], "main", block, &pair[1]);
    sct_task_start(pair[1], "main", block, &pair[0]);
    start("c", walk, (void *)(uintptr_t)&two);
}

// Found are exactly the executions that a straightforward enumeration finds.
static void test_dfs_finds_what_enumeration_finds(void **state) {
    (void)state;
    const struct sct_program programs[] = {
        {.setup = mixed}, {.setup = messages}, {.setup = draw_values}};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        struct sct_campaign campaign = search("dfs", &programs[i], SCT_UNLIMITED);
        assert_int_equal(campaign.search.executions, seen_count);
        all_count = 0;
        enumerate(&programs[i], mark_found);
        assert_int_equal(all_count, seen_count);
    }
}

// ---- Bounds ------------------------------------------------------------------------------------

// By hand: three tasks of one step have 3, 5 and 6 executions with at most 1, 2 and 3 delays, and
// three of two steps 5, 15 and 30 (see test_delay.c). Two tasks of n steps have no execution but 2
// without preemption, and all C(2n, n) if there are enough of them: 2(n - 1).
static void test_dfs_bounds_by_hand(void **state) {
    (void)state;
    static const int ones[] = {1, 1, 1}, twos[] = {2, 2, 2}, pair[] = {3, 3};
    task_count = 3;
    steps = ones;
    expect_count("dfs:delay=0", &independent_program, 1);
    expect_count("dfs:delay=1", &independent_program, 3);
    expect_count("dfs:delay=2", &independent_program, 5);
    expect_count("dfs:delay=3", &independent_program, 6);
    expect_count("dfs:preempt=0", &independent_program, 6);
    steps = twos;
    expect_count("dfs:delay=1", &independent_program, 5);
    expect_count("dfs:delay=2", &independent_program, 15);
    expect_count("dfs:delay=3", &independent_program, 30);
    expect_count("dfs:preempt=0", &independent_program, 6);
    steps = pair;
    task_count = 2;
    expect_count("dfs:preempt=0", &independent_program, 2);
    expect_count("dfs:preempt=4", &independent_program, 20);
}

static void expect_bounded(const struct sct_program *program) {
    count_all(program);
    for (uint32_t bound = 0; bound < BOUNDS; bound++) {
        char spec[32];
        snprintf(spec, sizeof spec, "dfs:delay=%u", bound);
        expect_count(spec, program, with_delays[bound]);
        snprintf(spec, sizeof spec, "dfs:preempt=%u", bound);
        expect_count(spec, program, with_preemptions[bound]);
    }
}

// By brute force: what the bound lets through is what costs no more, counted over all executions.
static void test_dfs_bounds_by_brute_force(void **state) {
    (void)state;
    static const int three[] = {3, 2, 3};
    const struct sct_program programs[] = {{.setup = mixed}, {.setup = messages}};
    expect_bounded(&programs[0]);
    expect_bounded(&programs[1]);
    steps = three;
    task_count = 3;
    expect_bounded(&independent_program);
}

// Bounds beyond the last that leaves something out are not tried.
static void test_dfs_bounds_end_early(void **state) {
    (void)state;
    static const int pair[] = {2, 2};
    steps = pair;
    task_count = 2;
    struct sct_campaign campaign = search("dfs:preempt=50", &independent_program, SCT_UNLIMITED);
    assert_true(campaign.search.is_exhausted);
    assert_int_equal(campaign.search.executions, 6);
    assert_int_equal(campaign.search.bounds_completed, 3); // 0, 1 and 2
}

// ---- Verdicts ----------------------------------------------------------------------------------

static uint32_t shared;

static void add_one(void *argument) {
    (void)argument;
    uint32_t old = shared;
    step("write");
    shared = old + 1;
}

static void race(void *context) {
    (void)context;
    shared = 0;
    start("a", add_one, NULL);
    start("b", add_one, NULL);
}

static void check_sum(void *context) {
    (void)context;
    sct_check(shared == 2, "lost-update", "the sum is %u", shared);
}

// Of the six interleavings of read, write and read, write four lose an update; one preemption is
// needed, so the bound is 1.
static void test_dfs_counts_violations(void **state) {
    (void)state;
    const struct sct_program program = {.setup = race, .finish = check_sum};
    struct sct_campaign campaign = search("dfs", &program, SCT_UNLIMITED);
    assert_int_equal(campaign.search.executions, 6);
    assert_int_equal(campaign.violations, 4);
    struct sct_strategy *strategy = new_strategy("dfs:preempt=3");
    sct_campaign_run(engine,
                     &(struct sct_campaign_options){
                         .program = &program, .strategy = strategy, .iterations = SCT_UNLIMITED},
                     &campaign);
    assert_int_equal(campaign.violations, 1);
    assert_int_equal(campaign.groups->bound, 1);
    assert_int_equal(campaign.search.bounds_completed, 1);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

static void wait_for_ever(void *argument) {
    step("before");
    sct_receive(1, (uintptr_t)argument, "a message that nobody sends");
}

static void deadlocks(void *context) {
    (void)context;
    start("a", wait_for_ever, NULL);
    start("b", wait_for_ever, NULL);
}

// Every execution of a program that cannot end well is a deadlock: six of two tasks of two steps.
static void test_dfs_counts_deadlocks(void **state) {
    (void)state;
    const struct sct_program program = {.setup = deadlocks};
    struct sct_campaign campaign = search("dfs", &program, SCT_UNLIMITED);
    assert_int_equal(campaign.search.executions, 6);
    assert_int_equal(campaign.violations, 6);
}

static void spin(void *argument) {
    (void)argument;
    for (;;)
        step("again");
}

static void one_step(void *argument) {
    (void)argument;
}

static void endless(void *context) {
    (void)context;
    start("spinner", spin, NULL);
    start("other", one_step, NULL);
}

// An endless program is searched up to the limit of steps: the other task runs after 0, 1, .. or
// none of the spinner's steps within it. The limit counts scheduling points, the first before any
// step: with 10 of them the other task runs at one of 10, or not at all.
static void test_dfs_is_cut_off_at_the_step_limit(void **state) {
    (void)state;
    engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 10});
    const struct sct_program program = {.setup = endless};
    struct sct_campaign campaign = search("dfs", &program, SCT_UNLIMITED);
    assert_true(campaign.search.is_exhausted);
    assert_int_equal(campaign.search.executions, 11);
    assert_int_equal(campaign.step_limit_hits, 11);
    sct_engine_close(engine);
}

// ---- Stops -------------------------------------------------------------------------------------

// With half of an even tree searched the estimate is exact, and at the end it always is.
static void test_dfs_estimates_the_tree(void **state) {
    (void)state;
    static const int pair[] = {6, 6};
    steps = pair;
    task_count = 2;
    struct sct_campaign campaign = search("dfs", &independent_program, 400);
    assert_false(campaign.search.is_exhausted);
    assert_int_equal(campaign.iterations_run, 400);
    assert_true(campaign.search.estimate > 400 && campaign.search.estimate < 1e5);
    campaign = search("dfs", &independent_program, SCT_UNLIMITED);
    assert_int_equal(campaign.search.executions, 924);
    assert_true(campaign.search.estimate == 924);
}

static void forgetful(void *context) {
    static uint32_t calls; // not under control
    (void)context;
    sct_choose(2, "first");
    sct_choose(calls++ < 3 ? 2 : 3, "second");
}

// A program that is no function of its choices is noticed.
static void test_dfs_notices_nondeterminism(void **state) {
    (void)state;
    const struct sct_program program = {.setup = forgetful};
    struct sct_strategy *strategy = new_strategy("dfs");
    struct sct_campaign campaign;
    sct_campaign_run(engine,
                     &(struct sct_campaign_options){
                         .program = &program, .strategy = strategy, .iterations = SCT_UNLIMITED},
                     &campaign);
    assert_true(campaign.unrepeatable.is_found);
    assert_int_equal(campaign.unrepeatable.iteration, 3);
    sct_campaign_free(&campaign);
    sct_strategy_free(strategy);
}

// ---- Specs -------------------------------------------------------------------------------------

static void test_dfs_specs(void **state) {
    (void)state;
    static const char *const good[] = {"dfs", "dfs:delay=0", "dfs:preempt=100"};
    static const char *const bad[] = {"dfs:",          "dfs:3",          "dfs:delay",
                                      "dfs:delay=",    "dfs:delay=-1",   "dfs:delay=101",
                                      "dfs:preempt=x", "dfs:preempt=1 ", "fair:dfs"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char buffer[64];
        struct text text = text_in(buffer, sizeof buffer);
        struct sct_strategy *strategy = new_strategy(good[i]);
        sct_strategy_format(strategy, &text);
        assert_string_equal(buffer, good[i]);
        sct_strategy_free(strategy);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {{0}};
        assert_null(sct_strategy_new(bad[i], &error));
        assert_non_null(strstr(error.text, "expected"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_dfs_counts_interleavings),
        ENGINE_TEST(test_dfs_executions_differ),
        ENGINE_TEST(test_dfs_counts_values),
        ENGINE_TEST(test_dfs_counts_mixed_trees),
        ENGINE_TEST(test_dfs_finds_what_enumeration_finds),
        ENGINE_TEST(test_dfs_bounds_by_hand),
        ENGINE_TEST(test_dfs_bounds_by_brute_force),
        ENGINE_TEST(test_dfs_bounds_end_early),
        ENGINE_TEST(test_dfs_counts_violations),
        ENGINE_TEST(test_dfs_counts_deadlocks),
        cmocka_unit_test(test_dfs_is_cut_off_at_the_step_limit),
        ENGINE_TEST(test_dfs_estimates_the_tree),
        ENGINE_TEST(test_dfs_notices_nondeterminism),
        cmocka_unit_test(test_dfs_specs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
