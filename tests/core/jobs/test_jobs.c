#define _GNU_SOURCE // truncate
#include "tests/support/counting.h"
#include "tests/support/programs.h"

#include "core/jobs/jobs.h"
#include "core/campaign/marks.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { ITERATIONS = 3000 };

// ---- A program ---------------------------------------------------------------------------------

static uint64_t verdicts[40]; // how often each was drawn

// One execution in four is wrong.
static void be_wrong_at_times(void *argument) {
    two_points(argument);
    uint32_t value = sct_choose(40, "verdict");
    if (sct_marks_are_counting)
        verdicts[value]++;
    if (value == 39)
        MARK("the largest verdict");
    check_verdict(value);
}

static void sometimes_wrong(void *context) {
    (void)context;
    start("a", two_points, NULL);
    start("b", be_wrong_at_times, NULL);
}

// One check in three gives up, in passing executions and in reviews.
static void give_up_at_times(void *context) {
    (void)context;
    if (sct_fingerprint_so_far() % 3 == 0)
        sct_check_gave_up();
}

static void remark_a_violation(void *context, const struct sct_violation *violation,
                               struct text *remark) {
    give_up_at_times(context);
    text_add(remark, "about %s after %llx", violation->kind,
             (unsigned long long)sct_fingerprint_so_far());
}

static const struct sct_program faulty = {
    .setup = sometimes_wrong, .finish = give_up_at_times, .review = remark_a_violation};

// ---- Campaigns ---------------------------------------------------------------------------------

static char *record_iteration(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    char buffer[100];
    snprintf(buffer, sizeof buffer, "%llu %s", (unsigned long long)iteration,
             result->violation.kind);
    return strdup(buffer);
}

static struct sct_campaign_options options_with(struct sct_strategy *strategy) {
    return (struct sct_campaign_options){
        .program = &faulty,
        .strategy = strategy,
        .seed = 7,
        .iterations = ITERATIONS,
        .keep_going = true,
        .repeat_every = 100,
        .before_counted = begin_counting,
        .after_counted = end_counting,
        .record = record_iteration,
    };
}

static unsigned executions; // of this process so far

// Wrong wherever an execution came before.
static void leave_something_behind(void *context) {
    sometimes_wrong(context);
    sct_check(executions++ == 0, SCT_KIND_ASSERTION, "somebody was here");
}

static const struct sct_program untidy = {.setup = leave_something_behind};

static const struct sct_counters counters = {verdicts, sizeof verdicts / sizeof verdicts[0]};

// Everything that a campaign and its counters say, as one text.
static void describe(const struct sct_campaign *campaign, struct text *text) {
    text_add(text, "%llu %llu %llu %llu %llu %llu %llx %zu\n",
             (unsigned long long)campaign->iterations_run, (unsigned long long)campaign->violations,
             (unsigned long long)campaign->decisions, (unsigned long long)campaign->points,
             (unsigned long long)campaign->distinct_behaviours,
             (unsigned long long)campaign->checks_unknown,
             (unsigned long long)campaign->fingerprint, campaign->share_count);
    for (size_t i = 0; i < campaign->share_count; i++)
        text_add(text, "%llu/%llu ", (unsigned long long)campaign->shares[i].violations,
                 (unsigned long long)campaign->shares[i].iterations_run);
    for (const struct sct_group *group = campaign->groups; group; group = group->next)
        text_add(text, "\n%llu %llu %u %s %s %s; %s (%s)", (unsigned long long)group->iteration,
                 (unsigned long long)group->count, group->decision_count, group->violation.kind,
                 group->violation.machine, group->violation.message, group->violation.remark,
                 group->record);
    text_add(text, "\n%llu;", (unsigned long long)sct_marks_reached("the largest verdict"));
    for (size_t i = 0; i < counters.count; i++)
        text_add(text, " %llu", (unsigned long long)verdicts[i]);
    text_add(text, "\n%g %g %g", campaign->rate.estimate, campaign->rate.low95,
             campaign->rate.high95);
}

static struct sct_campaign run_alone(const struct sct_campaign_options *options,
                                     struct text *text) {
    memset(verdicts, 0, sizeof verdicts);
    sct_marks_reset();
    struct sct_campaign campaign;
    sct_campaign_run(engine, options, &campaign);
    describe(&campaign, text);
    sct_campaign_free(&campaign);
    return campaign;
}

static char told_buffer[1000];
static struct text told;

static void tell(void *context, const struct sct_group *group) {
    (void)context;
    text_add(&told, "%s ", group->record);
}

static bool are_isolated; // the jobs of the test

static bool run_jobs(const struct sct_campaign_options *options, unsigned workers,
                     struct sct_checkpoint *checkpoint, struct text *text, struct error *error) {
    const struct sct_range_options range = {
        .campaign = options,
        .counters = &counters,
        .counter_arrays = 1,
        .range_iterations = are_isolated ? 1 : 0,
    };
    const struct sct_jobs jobs = {.range = &range,
                                  .workers = workers,
                                  .is_isolated = are_isolated,
                                  .on_new_group = tell,
                                  .checkpoint = checkpoint};
    memset(verdicts, 0, sizeof verdicts);
    sct_marks_reset();
    told = text_in(told_buffer, sizeof told_buffer);
    struct sct_campaign campaign;
    bool is_good = sct_jobs_run(engine, &jobs, &campaign, error);
    describe(&campaign, text);
    sct_campaign_free(&campaign);
    return is_good;
}

enum { TEXT_BYTES = 4000 };

static void assert_same_with_jobs(const struct sct_campaign_options *options, unsigned workers,
                                  const char *expected) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct error error = {{0}};
    assert_true(run_jobs(options, workers, NULL, &text, &error));
    assert_string_equal(text.data, expected);
}

// ---- Tests -------------------------------------------------------------------------------------

// Counts, groups, records, marks and counters are those of one process, whatever the number of
// workers, to the end and to the first violation alike.
static void test_jobs_change_nothing(void **state) {
    (void)state;
    static const unsigned workers[] = {1, 2, 3, 7, 20};
    struct sct_strategy *strategy = new_strategy("portfolio");
    for (int keeps_going = 0; keeps_going < 2; keeps_going++) {
        struct sct_campaign_options options = options_with(strategy);
        options.keep_going = keeps_going;
        options.first_iteration = keeps_going ? 0 : 1;
        char buffer[TEXT_BYTES];
        struct text text = text_in(buffer, sizeof buffer);
        struct sct_campaign campaign = run_alone(&options, &text);
        assert_true(!keeps_going || (campaign.checks_unknown > ITERATIONS / 4 &&
                                     campaign.checks_unknown < ITERATIONS / 2));
        for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++)
            assert_same_with_jobs(&options, workers[i], text.data);
    }
    sct_strategy_free(strategy);
}

// The same where each execution has a process of its own; and then none finds what another has left
// behind, which in one process all but the first do.
static void test_isolated_executions_change_nothing(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("portfolio");
    struct sct_campaign_options options = options_with(strategy);
    options.iterations = 60;
    options.repeat_every = 0;
    char buffer[TEXT_BYTES], untidy_buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct sct_campaign tidy = run_alone(&options, &text);
    are_isolated = true;
    assert_same_with_jobs(&options, 1, text.data);
    assert_same_with_jobs(&options, 3, text.data);
    options.program = &untidy;
    options.record = NULL;
    struct error error = {{0}};
    text = text_in(untidy_buffer, sizeof untidy_buffer);
    assert_true(run_jobs(&options, 2, NULL, &text, &error));
    assert_null(strstr(text.data, "somebody was here"));
    are_isolated = false;
    assert_int_equal(executions, 0);
    text = text_in(untidy_buffer, sizeof untidy_buffer);
    assert_true(run_alone(&options, &text).violations > tidy.violations);
    assert_non_null(strstr(text.data, "somebody was here"));
    sct_strategy_free(strategy);
}

// Shards are disjoint and complete: with a step of 3, three campaigns add up to the whole.
static void test_shards_add_up(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = options_with(strategy);
    struct sct_campaign whole, shard;
    sct_campaign_run(engine, &options, &whole);
    uint64_t violations = 0, decisions = 0, fingerprint = 0;
    for (uint64_t i = 0; i < 3; i++) {
        options.first_iteration = i;
        options.iteration_step = 3;
        options.iterations = ITERATIONS / 3;
        sct_campaign_run(engine, &options, &shard);
        violations += shard.violations;
        decisions += shard.decisions;
        fingerprint += shard.fingerprint;
        sct_campaign_free(&shard);
    }
    assert_int_equal(violations, whole.violations);
    assert_int_equal(decisions, whole.decisions);
    assert_true(fingerprint == whole.fingerprint);
    sct_campaign_free(&whole);
    sct_strategy_free(strategy);
}

static void die_in_1234(void *context, uint64_t iteration) {
    begin_counting(context, iteration);
    if (iteration == 1234)
        raise(SIGKILL);
}

static void exit_in_1234(void *context, uint64_t iteration) {
    begin_counting(context, iteration);
    if (iteration == 1234)
        _exit(9);
}

// A worker that dies is an error which names the iteration; what came before is kept: the four
// ranges before 1024.
static void test_dead_worker_is_an_error(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    for (int by_signal = 0; by_signal < 2; by_signal++) {
        struct sct_campaign_options options = options_with(strategy);
        char expected_buffer[TEXT_BYTES], buffer[TEXT_BYTES];
        struct text expected = text_in(expected_buffer, sizeof expected_buffer);
        struct text text = text_in(buffer, sizeof buffer);
        options.iterations = 1024;
        run_alone(&options, &expected);
        options.iterations = ITERATIONS;
        options.before_counted = by_signal ? die_in_1234 : exit_in_1234;
        struct error error = {{0}};
        assert_false(run_jobs(&options, 2, NULL, &text, &error));
        assert_string_equal(error.text, by_signal
                                            ? "worker 0 was killed by signal 9 in iteration 1234 "
                                              "(--only-iteration 1234 runs it alone)"
                                            : "worker 0 ended with status 9 in iteration 1234 "
                                              "(--only-iteration 1234 runs it alone)");
        assert_string_equal(text.data, expected.data);
    }
    sct_strategy_free(strategy);
}

// ---- Checkpoints -------------------------------------------------------------------------------

static const char path[] = "test_jobs.checkpoint";

static void resume(const struct sct_campaign_options *options, unsigned workers,
                   const char *expected) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct error error = {{0}};
    struct sct_checkpoint checkpoint;
    if (!sct_checkpoint_open(&checkpoint, path, &error))
        fail_msg("%s", error.text);
    assert_string_equal(checkpoint.text, "a campaign");
    assert_true(run_jobs(options, workers, &checkpoint, &text, &error));
    sct_checkpoint_close(&checkpoint);
    assert_string_equal(text.data, expected);
}

static long file_size(void) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

static void write_checkpoint(const struct sct_campaign_options *options, struct text *text) {
    struct error error = {{0}};
    struct sct_checkpoint checkpoint;
    assert_true(sct_checkpoint_create(&checkpoint, path, "a campaign", &error));
    assert_true(run_jobs(options, 2, &checkpoint, text, &error));
    sct_checkpoint_close(&checkpoint);
}

// Whatever the length to which a checkpoint was written, the campaign that goes on from it is the
// whole one; and then the file holds all of it.
static void test_cut_checkpoint_is_resumed(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("portfolio");
    struct sct_campaign_options options = options_with(strategy);
    char buffer[TEXT_BYTES], told_at_first[sizeof told_buffer];
    struct text text = text_in(buffer, sizeof buffer);
    write_checkpoint(&options, &text);
    strcpy(told_at_first, told.data);
    long size = file_size();
    for (long cut = size; cut > 60; cut -= size / 20 + 3) {
        assert_int_equal(truncate(path, cut), 0);
        resume(&options, 1 + (unsigned)cut % 3, text.data);
        assert_string_equal(told.data, told_at_first);
        assert_int_equal(file_size(), size);
    }
    unlink(path);
    sct_strategy_free(strategy);
}

// A damaged record, and all behind it, are run again.
static void test_damaged_checkpoint_is_repaired(void **state) {
    (void)state;
    struct sct_strategy *strategy = new_strategy("random");
    struct sct_campaign_options options = options_with(strategy);
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    write_checkpoint(&options, &text);
    long size = file_size();
    for (long at = 80; at < size; at += size / 10) {
        FILE *file = fopen(path, "r+b");
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 0x40, file);
        fclose(file);
        resume(&options, 2, text.data);
        assert_int_equal(file_size(), size);
    }
    unlink(path);
    sct_strategy_free(strategy);
}

// Errors of files are errors, with the file's name.
static void test_checkpoint_errors(void **state) {
    (void)state;
    struct sct_checkpoint checkpoint;
    struct error error = {{0}};
    assert_false(sct_checkpoint_open(&checkpoint, "no/such/file", &error));
    assert_string_equal(error.text, "checkpoint 'no/such/file': No such file or directory");
    assert_false(sct_checkpoint_create(&checkpoint, "no/such/file", "text", &error));
    FILE *file = fopen(path, "wb");
    fputs("mtcheck-trace 1\nsomething else\n", file);
    fclose(file);
    assert_false(sct_checkpoint_open(&checkpoint, path, &error));
    assert_string_equal(error.text, "checkpoint 'test_jobs.checkpoint': expected a file that "
                                    "--checkpoint has written");
    unlink(path);
    assert_false(sct_checkpoint_create(&checkpoint, "/dev/full", "text", &error));
    assert_string_equal(error.text, "checkpoint '/dev/full': No space left on device");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_jobs_change_nothing),
        ENGINE_TEST(test_isolated_executions_change_nothing),
        ENGINE_TEST(test_shards_add_up),
        ENGINE_TEST(test_dead_worker_is_an_error),
        ENGINE_TEST(test_cut_checkpoint_is_resumed),
        ENGINE_TEST(test_damaged_checkpoint_is_repaired),
        ENGINE_TEST(test_checkpoint_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
