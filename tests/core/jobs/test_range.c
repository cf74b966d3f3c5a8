#include "tests/support/counting.h"
#include "tests/support/programs.h"

#include "core/jobs/range.h"

#include <stdlib.h>

enum { ITERATIONS = 600, VERDICTS = 40 };

static uint64_t verdicts[VERDICTS]; // how often each was drawn, by executions that count

static void decide(void *argument) {
    two_points(argument);
    uint32_t value = sct_choose(VERDICTS, "verdict");
    if (sct_marks_are_counting)
        verdicts[value]++;
    if (value == VERDICTS - 1)
        MARK("the largest of all");
    check_verdict(value);
}

static void set_up(void *context) {
    (void)context;
    start("a", two_points, NULL);
    start("b", decide, NULL);
}

static const struct sct_program program = {.setup = set_up};
static const struct sct_counters counters = {verdicts, VERDICTS};

// What a campaign comes to.
struct total {
    struct sct_campaign campaign;
    uint64_t verdicts[VERDICTS];
    uint64_t marks;
};

static uint64_t count_of_mark(void) {
    for (const struct sct_mark *mark = NULL; (mark = sct_marks_next(mark));)
        if (strcmp(mark->name, "the largest of all") == 0)
            return mark->count;
    return 0;
}

static struct sct_campaign_options describe(struct sct_strategy *strategy) {
    return (struct sct_campaign_options){.program = &program,
                                         .strategy = strategy,
                                         .seed = 1,
                                         .first_iteration = 5,
                                         .iteration_step = 3,
                                         .iterations = ITERATIONS,
                                         .keep_going = true,
                                         .repeat_every = 50,
                                         .before_counted = begin_counting,
                                         .after_counted = end_counting};
}

static void keep_counts(struct total *total) {
    memcpy(total->verdicts, verdicts, sizeof verdicts);
    total->marks = count_of_mark();
}

// From the [first]-th iteration on, without a limit of time.
static bool run_range(const struct sct_range_options *options, uint64_t first, uint64_t iterations,
                      struct sct_bytes *bytes) {
    return sct_range_run(engine, options,
                         &(struct sct_range){.first = first, .iterations = iterations}, bytes);
}

static bool add_range(const struct sct_range_options *options, const struct sct_bytes *bytes,
                      struct sct_sum *sum, bool *goes_on) {
    struct sct_reader range = {bytes->data, bytes->data + bytes->size, false};
    return sct_range_add(options, &range, sum, NULL, goes_on);
}

static void run_whole(struct sct_strategy *strategy, struct total *total) {
    struct sct_campaign_options options = describe(strategy);
    sct_range_clear(&(struct sct_range_options){
        .campaign = &options, .counters = &counters, .counter_arrays = 1});
    sct_campaign_run(engine, &options, &total->campaign);
    keep_counts(total);
}

// In ranges of [length] iterations, all run before the first is added.
static void run_in_ranges(struct sct_strategy *strategy, uint64_t length, struct total *total) {
    struct sct_campaign_options options = describe(strategy);
    const struct sct_range_options range = {
        .campaign = &options, .counters = &counters, .counter_arrays = 1};
    struct sct_bytes parts[ITERATIONS] = {{0}};
    size_t count = 0;
    for (uint64_t first = 0; first < ITERATIONS; first += length) {
        uint64_t left = ITERATIONS - first;
        assert_true(run_range(&range, first, left < length ? left : length, &parts[count++]));
    }
    struct sct_sum sum;
    sct_range_clear(&range);
    sct_sum_init(&sum, &total->campaign, strategy);
    for (size_t i = 0; i < count; i++) {
        bool goes_on;
        assert_true(add_range(&range, &parts[i], &sum, &goes_on));
        assert_true(goes_on);
        sct_bytes_free(&parts[i]);
    }
    sct_sum_close(&sum, &options);
    keep_counts(total);
}

static void assert_same(const struct total *a, const struct total *b) {
    const struct sct_campaign *x = &a->campaign, *y = &b->campaign;
    assert_int_equal(x->iterations_run, y->iterations_run);
    assert_int_equal(x->violations, y->violations);
    assert_int_equal(x->decisions, y->decisions);
    assert_int_equal(x->points, y->points);
    assert_true(x->fingerprint == y->fingerprint);
    assert_int_equal(x->distinct_behaviours, y->distinct_behaviours);
    assert_memory_equal(a->verdicts, b->verdicts, sizeof a->verdicts);
    assert_int_equal(a->marks, b->marks);
    const struct sct_group *other = y->groups;
    for (const struct sct_group *group = x->groups; group; group = group->next) {
        assert_non_null(other);
        assert_string_equal(group->pattern, other->pattern);
        assert_string_equal(group->violation.kind, other->violation.kind);
        assert_string_equal(group->violation.message, other->violation.message);
        assert_int_equal(group->iteration, other->iteration);
        assert_int_equal(group->count, other->count);
        assert_int_equal(group->decision_count, other->decision_count);
        assert_ptr_equal(group->strategy, other->strategy);
        other = other->next;
    }
    assert_null(other);
}

// Sums are the same whatever the ranges.
static void test_ranges_add_up(void **state) {
    (void)state;
    static const uint64_t lengths[] = {1, 7, 256, ITERATIONS};
    struct sct_strategy *strategy = new_strategy("portfolio");
    struct total whole, ranges;
    run_whole(strategy, &whole);
    assert_true(whole.campaign.violations > 0 && whole.campaign.groups->next && whole.marks > 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        run_in_ranges(strategy, lengths[i], &ranges);
        assert_same(&whole, &ranges);
        sct_campaign_free(&ranges.campaign);
    }
    sct_campaign_free(&whole.campaign);
    sct_strategy_free(strategy);
}

// A range that a violation ends says so, and has no more iterations than until then.
static void test_ranges_end_early(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = describe(strategy);
    options.keep_going = false;
    const struct sct_range_options range = {
        .campaign = &options, .counters = &counters, .counter_arrays = 1};
    struct sct_bytes bytes = {0};
    assert_false(run_range(&range, 0, ITERATIONS, &bytes));
    struct sct_sum sum;
    struct sct_campaign campaign;
    bool goes_on = true;
    sct_sum_init(&sum, &campaign, strategy);
    assert_true(add_range(&range, &bytes, &sum, &goes_on));
    assert_false(goes_on);
    assert_true(campaign.iterations_run < ITERATIONS);
    assert_int_equal(campaign.violations, 1);
    sct_sum_close(&sum, &options);
    sct_campaign_free(&campaign);
    sct_bytes_free(&bytes);
    sct_strategy_free(strategy);
}

static struct {
    uint64_t iterations[8];
    size_t count;
} told;

static void tell_group(void *context, const struct sct_group *group) {
    (void)context;
    assert_true(told.count < sizeof told.iterations / sizeof told.iterations[0]);
    told.iterations[told.count++] = group->iteration;
}

// A group is told once, whatever ranges it is in, with its number moved by the offset.
static void test_new_groups_are_told_once(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = describe(strategy);
    struct sct_range_options range = {
        .campaign = &options, .counters = &counters, .counter_arrays = 1};
    struct sct_bytes bytes = {0};
    struct sct_sum sum;
    struct sct_campaign campaign;
    bool goes_on;
    run_range(&range, 0, ITERATIONS, &bytes);
    sct_sum_init(&sum, &campaign, strategy);
    told.count = 0;
    range.iteration_offset = 1000000;
    for (int i = 0; i < 2; i++) {
        struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
        assert_true(sct_range_add(&range, &reader, &sum, tell_group, &goes_on));
    }
    assert_int_equal(told.count, 3);
    for (size_t i = 0; i < told.count; i++)
        assert_in_range(told.iterations[i], 1000000, 1000000 + 3 * ITERATIONS + 5);
    assert_int_equal(campaign.iterations_run, 2 * ITERATIONS);
    sct_sum_close(&sum, &options);
    sct_campaign_free(&campaign);
    sct_bytes_free(&bytes);
    sct_strategy_free(strategy);
}

// No beginning of a range is one, nor is one with more behind it.
static void test_damaged_ranges_are_refused(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = describe(strategy);
    const struct sct_range_options range = {
        .campaign = &options, .counters = &counters, .counter_arrays = 1};
    struct sct_bytes bytes = {0};
    run_range(&range, 0, 30, &bytes);
    for (size_t length = 0; length <= bytes.size + 1; length++) {
        unsigned char *copy = calloc(1, length + 1);
        memcpy(copy, bytes.data, length < bytes.size ? length : bytes.size);
        struct sct_sum sum;
        struct sct_campaign campaign;
        bool goes_on;
        sct_sum_init(&sum, &campaign, strategy);
        const struct sct_bytes part = {.data = copy, .size = length};
        assert_int_equal(add_range(&range, &part, &sum, &goes_on), length == bytes.size);
        sct_sum_close(&sum, &options);
        sct_campaign_free(&campaign);
        free(copy);
    }
    sct_bytes_free(&bytes);
    sct_strategy_free(strategy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_ranges_add_up),
        ENGINE_TEST(test_ranges_end_early),
        ENGINE_TEST(test_new_groups_are_told_once),
        ENGINE_TEST(test_damaged_ranges_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
