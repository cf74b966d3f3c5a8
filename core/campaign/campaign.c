#include "core/campaign/campaign.h"
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/engine/record.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_EVERY = 64, REPEAT_FIRST = 3 };

// ---- Calibration -------------------------------------------------------------------------------

// Steps of tasks over the calibration executions.
struct tally {
    struct sct_calibration *calibration;
    uint32_t executions[SCT_TASK_COUNTS_MAX]; // in which the task was started
    uint64_t steps[SCT_TASK_COUNTS_MAX];
};

static void tally_task(void *context, const struct sct_task_identity *identity, uint32_t steps) {
    struct tally *tally = context;
    struct sct_calibration *calibration = tally->calibration;
    // By signature: the same task is another object, and may have another number, in each
    // execution. Programs have few tasks; a table would not be faster.
    uint32_t i = 0;
    while (i < calibration->count_count &&
           calibration->counts[i].identity.signature != identity->signature)
        i++;
    ASSERT(i <= calibration->count_count);
    if (i == SCT_TASK_COUNTS_MAX)
        return; // the rest count as unseen
    if (i == calibration->count_count) {
        calibration->count_count++;
        calibration->counts[i].identity = *identity;
    }
    tally->executions[i]++;
    tally->steps[i] += steps;
}

static void average(struct tally *tally) {
    struct sct_calibration *calibration = tally->calibration;
    // Rounded up: a task that has taken a step in one execution of many is not one without steps.
    for (uint32_t i = 0; i < calibration->count_count; i++)
        calibration->counts[i].steps =
            (uint32_t)((tally->steps[i] + tally->executions[i] - 1) / tally->executions[i]);
}

static uint64_t calibration_seed(const char *name, const struct sct_strategy *strategy,
                                 uint64_t seed) {
    char buffer[512];
    // By names, so that a strategy measures the same alone and among others, in any process.
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%s ", name);
    sct_strategy_format(strategy, &text);
    return rng_mix(seed ^ hash_bytes(text.data, text.length));
}

// Random walks see the program's middle; runs without any change of priorities starve tasks and see
// its longest executions, which change points must be able to reach.
static const char *const calibration_strategies[] = {"random", "pct:1"};
enum { CALIBRATION_STRATEGIES = 2 };

// Each such execution takes seconds: one will do, and the campaign finds it anyway.
static bool has_hung(const struct sct_result *result) {
    return result->outcome == SCT_VIOLATED && strcmp(result->violation.kind, SCT_KIND_HANG) == 0;
}

// False if an execution hung, or it is time to stop (sct_engine_stop): then what was measured until
// then must do.
static bool calibrate_one(struct sct_engine *engine, const struct sct_program *program,
                          struct sct_strategy *const *measuring, struct sct_strategy *strategy,
                          uint64_t seed) {
    struct sct_calibration *calibration = &strategy->calibration;
    *calibration = (struct sct_calibration){.decisions_max = 1, .tasks_max = 1};
    struct tally tally = {.calibration = calibration};
    // Of those that went on until the tail, which count only if there were no others.
    uint32_t endless_max = 1;
    bool hangs = false;
    sct_engine_watch_tasks(engine, tally_task, &tally);
    bool is_late = false;
    for (uint64_t i = 0; i < SCT_CALIBRATION_RUNS && !hangs && !is_late; i++) {
        struct sct_strategy *decides = measuring[i % CALIBRATION_STRATEGIES];
        // Strategies that learn from the program itself (by its labels, say) come along on the
        // walk, and answer as the one that measures does.
        if (strategy->ops->learn)
            strategy->ops->learn(strategy, decides);
        const struct sct_result *result =
            sct_engine_run(engine, program, strategy->ops->learn ? strategy : decides,
                           sct_execution_seed(seed, i));
        // One that starves or livelocks is as long as the step bound allows: no measure for
        // where change points and delays should fall.
        uint32_t *longest =
            sct_engine_was_in_tail(engine) ? &endless_max : &calibration->decisions_max;
        if (result->schedule_count > *longest)
            *longest = result->schedule_count;
        if (result->task_count > calibration->tasks_max)
            calibration->tasks_max = result->task_count;
        hangs = has_hung(result);
        is_late = sct_engine_should_stop(engine);
    }
    if (strategy->ops->learn)
        strategy->ops->learn(strategy, NULL);
    // No execution ended before the tail: better a length that is too large than none.
    if (calibration->decisions_max == 1)
        calibration->decisions_max = endless_max;
    sct_engine_watch_tasks(engine, NULL, NULL);
    average(&tally);
    return !hangs && !is_late;
}

void sct_calibrate(struct sct_engine *engine, const struct sct_program *program, const char *name,
                   struct sct_strategy *strategy, uint64_t seed) {
    struct error error;
    // A systematic search draws nothing that lengths could guide.
    if (strategy->path)
        return;
    struct sct_strategy *measuring[CALIBRATION_STRATEGIES];
    for (int i = 0; i < CALIBRATION_STRATEGIES; i++) {
        measuring[i] = sct_strategy_new(calibration_strategies[i], &error);
        ASSERT(measuring[i]);
    }
    bool goes_on = true;
    for (size_t i = 0; i < sct_strategy_count(strategy); i++) {
        struct sct_strategy *member = sct_strategy_member(strategy, i);
        if (goes_on)
            goes_on = calibrate_one(engine, program, measuring, member,
                                    calibration_seed(name, member, seed));
        else // the last one that was measured stands for all
            member->calibration = sct_strategy_member(strategy, i - 1)->calibration;
    }
    for (int i = 0; i < CALIBRATION_STRATEGIES; i++)
        sct_strategy_free(measuring[i]);
}

struct sct_strategy *sct_strategy_for(struct sct_strategy *strategy, uint64_t iteration) {
    return sct_strategy_member(strategy, iteration % sct_strategy_count(strategy));
}

// ---- Sums --------------------------------------------------------------------------------------

void sct_sum_init(struct sct_sum *sum, struct sct_campaign *campaign,
                  struct sct_strategy *strategy) {
    *campaign = (struct sct_campaign){
        .share_count = sct_strategy_count(strategy),
        .search.path = strategy->path,
    };
    ASSERT(campaign->share_count <= SCT_SHARES_MAX);
    for (size_t i = 0; i < campaign->share_count; i++)
        campaign->shares[i].strategy = sct_strategy_member(strategy, i);
    sum->campaign = campaign;
    sct_groups_init(&sum->groups);
    sct_seen_init(&sum->seen);
    sum->started_at = clock_seconds();
}

double sct_sum_seconds(const struct sct_sum *sum) {
    return clock_seconds() - sum->started_at;
}

// What was counted while they were few is exact; then only the whole can be estimated.
static void close_behaviours(struct sct_sum *sum) {
    struct sct_campaign *campaign = sum->campaign;
    if (campaign->search.path)
        return;
    uint64_t count = sct_seen_count(&sum->seen), runs = campaign->iterations_run;
    campaign->distinct_is_estimate = !sct_seen_is_exact(&sum->seen);
    // An estimate may be of more than were run.
    campaign->distinct_behaviours = count < runs ? count : runs;
    campaign->sketch = sct_seen_take_sketch(&sum->seen);
}

void sct_sum_close(struct sct_sum *sum, const struct sct_campaign_options *options) {
    struct sct_campaign *campaign = sum->campaign;
    campaign->groups = sum->groups.first;
    campaign->elapsed_seconds = sct_sum_seconds(sum);
    uint64_t runs = campaign->iterations_run;
    ASSERT(campaign->violations <= runs);
    // Who stops at the first failure has drawn until it came: another distribution than so many
    // failures of a number that was fixed before.
    if (runs == 0)
        campaign->rate = (struct sct_rate){.high95 = 1};
    else if (campaign->violations > 0 && !options->keep_going)
        campaign->rate = sct_rate_until_first(runs);
    else
        campaign->rate = sct_rate_fixed(campaign->violations, runs);
    close_behaviours(sum);
    sct_groups_deinit(&sum->groups);
    sct_seen_deinit(&sum->seen);
}

// The state of one sct_campaign_run.
struct run {
    const struct sct_campaign_options *options;
    struct sct_campaign *campaign;
    struct sct_sum sum;
    struct sct_search *search;  // systematic: the options', or a plain one of its own; else NULL
    struct sct_searched before; // what that search had done already
};

// Counts it in its group; whether that is new.
static bool count_violation(struct run *run, const struct sct_result *result, uint64_t iteration) {
    const struct sct_campaign_options *options = run->options;
    ASSERT(result->outcome == SCT_VIOLATED);
    run->campaign->violations++;
    char *pattern = sct_violation_pattern(&result->violation);
    struct sct_group *group = sct_groups_find(&run->sum.groups, pattern);
    if (group) {
        free(pattern);
        group->count++;
        return false;
    }
    group = sct_groups_append(&run->sum.groups, pattern);
    group->violation = result->violation;
    group->iteration = iteration;
    group->strategy = sct_strategy_for(options->strategy, iteration);
    group->decision_count = result->decision_count;
    group->count = 1;
    if (options->strategy->path)
        group->bound = options->strategy->path->bound;
    // The record before the callback: it is a copy of the engine's decisions, and the callback may
    // run something else in that engine.
    if (options->record)
        group->record = options->record(options->context, iteration, result);
    if (options->on_violation)
        options->on_violation(options->context, iteration, result);
    return true;
}

// ---- The loop ----------------------------------------------------------------------------------

// A function of the options and the iteration's number alone; repeating relies on that.
static const struct sct_result *run_one(struct run *run, struct sct_engine *engine,
                                        uint64_t iteration) {
    const struct sct_campaign_options *options = run->options;
    return sct_engine_run(engine, options->program, sct_strategy_for(options->strategy, iteration),
                          sct_execution_seed(options->seed, iteration));
}

static const struct sct_result *run_counted(struct run *run, struct sct_engine *engine,
                                            uint64_t iteration) {
    const struct sct_campaign_options *options = run->options;
    if (options->before_counted)
        options->before_counted(options->context, iteration);
    const struct sct_result *result =
        run->search
            ? sct_search_run(run->search, engine, sct_execution_seed(options->seed, iteration))
            : run_one(run, engine, iteration);
    if (options->after_counted)
        options->after_counted(options->context, iteration, result);
    return result;
}

// Counts an execution in its share; whether it is the first of a new group of violations.
static bool account_verdict(struct run *run, const struct sct_result *result, uint64_t iteration) {
    struct sct_campaign *campaign = run->campaign;
    struct sct_share *share = &campaign->shares[iteration % campaign->share_count];
    share->iterations_run++;
    share->violations += result->outcome == SCT_VIOLATED;
    if (result->outcome == SCT_STEP_LIMIT)
        campaign->step_limit_hits++;
    campaign->checks_unknown += result->checks_unknown;
    return result->outcome == SCT_VIOLATED && count_violation(run, result, iteration);
}

// Systematic executions are distinct by construction, but those of a smaller bound come again.
static bool is_first_time(struct sct_searched *search, enum sct_outcome outcome) {
    if (!search->path)
        return true;
    // A search within a bound runs everything of the bound before it again (iterative context
    // bounding: Musuvathi and Qadeer 2007). Only what is new at this bound is counted as an
    // execution; what a cache or a reduction cut off is none.
    search->bound_runs++;
    search->pruned += outcome == SCT_PRUNED;
    if (outcome == SCT_PRUNED)
        return false;
    bool is_first = sct_path_is_first_time(search->path);
    search->executions += is_first;
    search->repeated += !is_first;
    return is_first;
}

// Whether the execution is the first of a new group of violations.
static bool account(struct run *run, const struct sct_result *result, uint64_t iteration) {
    struct sct_campaign *campaign = run->campaign;
    campaign->iterations_run++;
    campaign->decisions += result->decision_count;
    campaign->points += result->point_count;
    // A sum of mixed terms: the same in whatever order the executions were run. Those of a search
    // differ anyway, and have no numbers before all on their left were run.
    uint64_t number = campaign->search.path ? 0 : iteration;
    campaign->fingerprint +=
        rng_mix(rng_mix(number) ^ result->fingerprint ^ (uint64_t)result->outcome);
    // Behind the fingerprint, which is of all that was run, and before verdicts and behaviours,
    // which are of executions.
    if (!is_first_time(&campaign->search, result->outcome))
        return false;
    campaign->distinct_behaviours +=
        campaign->search.path || sct_seen_add(&run->sum.seen, result->fingerprint);
    return account_verdict(run, result, iteration);
}

// ---- Repeating ---------------------------------------------------------------------------------

static bool compare_decisions(const uint32_t *first, uint32_t first_count,
                              const struct sct_engine *engine, struct error *difference) {
    const uint32_t *second = sct_engine_packed(engine);
    uint32_t i = 0, second_count = sct_engine_last_result(engine)->decision_count;
    // The first difference is what helps: behind it nothing need agree.
    while (i < first_count && i < second_count && first[i] == second[i])
        i++;
    if (i == first_count && i == second_count)
        return true;
    return error_set(difference, "decision %u of %u differs from the first time (%u decisions)", i,
                     second_count, first_count);
}

static bool compare_results(const struct sct_result *first, const struct sct_result *second,
                            struct error *difference) {
    bool is_same = first->outcome == second->outcome &&
                   (first->outcome != SCT_VIOLATED ||
                    (strcmp(first->violation.kind, second->violation.kind) == 0 &&
                     strcmp(first->violation.message, second->violation.message) == 0 &&
                     strcmp(first->violation.remark, second->violation.remark) == 0));
    is_same = is_same && first->checks_unknown == second->checks_unknown;
    return is_same || error_set(difference, "the same decisions ended differently: %.150s; %.150s",
                                first->outcome == SCT_VIOLATED ? first->violation.message : "-",
                                second->outcome == SCT_VIOLATED ? second->violation.message : "-");
}

// Runs the engine's last execution again; false with what is different.
static bool repeats(struct run *run, struct sct_engine *engine, uint64_t iteration,
                    struct error *difference) {
    struct sct_result first = *sct_engine_last_result(engine);
    size_t bytes = sizeof(uint32_t) * first.decision_count;
    uint32_t *decisions = grow_to(NULL, bytes, 1, "the decisions to be repeated");
    memcpy(decisions, sct_engine_packed(engine), bytes);
    // With the strategy's own answers, not by replaying the decisions: a strategy that is not
    // repeatable is to be found, too. The engine's result is overwritten by this, hence the copy.
    const struct sct_result *second = run_one(run, engine, iteration);
    // One that was left is no repetition, and no other execution either.
    bool is_same = second->outcome == SCT_STOPPED ||
                   (compare_decisions(decisions, first.decision_count, engine, difference) &&
                    compare_results(&first, second, difference));
    free(decisions);
    return is_same;
}

static void check_repeats(struct run *run, struct sct_engine *engine, uint64_t iteration) {
    struct sct_campaign *campaign = run->campaign;
    campaign->unrepeatable.is_found =
        !repeats(run, engine, iteration, &campaign->unrepeatable.difference);
    campaign->unrepeatable.iteration = iteration;
}

static bool should_stop(const struct run *run) {
    const struct sct_campaign_options *options = run->options;
    // Between executions: one that was left counts for nothing, so a campaign is of whole ones.
    if (options->interrupted && *options->interrupted) {
        run->campaign->was_interrupted = true;
        return true;
    }
    if (run->campaign->unrepeatable.is_found)
        return true;
    if (run->campaign->violations > 0 && !options->keep_going)
        return true;
    // One at least, however short the time: else a loaded machine would report a clean run of none.
    return options->seconds_max > 0 && run->campaign->iterations_run > 0 &&
           sct_sum_seconds(&run->sum) >= options->seconds_max;
}

// ---- Systematic search -------------------------------------------------------------------------

// The path knows which share of the tree lies on its left, if all subtrees of a node were equal
// (Knuth 1975); so many executions for that share make so many for all.
static void estimate(struct sct_searched *search) {
    double share = search->path ? sct_path_share(search->path) : 0;
    search->estimate = share > 0 ? (double)search->bound_runs / share : 0;
}

// An execution of the search that did not go the way of those before it.
static void check_followed(struct run *run, const struct sct_result *result, uint64_t iteration) {
    struct sct_campaign *campaign = run->campaign;
    const struct sct_path *path = campaign->search.path;
    // Diverged: a prefix of the path did not fit. Not new: it fitted, but the decision that had
    // been moved on was never reached, and the search would run the same leaf for ever.
    if (result->outcome != SCT_DIVERGED && sct_path_is_new(path))
        return;
    campaign->unrepeatable.is_found = true;
    campaign->unrepeatable.iteration = iteration;
    error_set(&campaign->unrepeatable.difference,
              "decision %u: the same decisions led to another choice than before", path->position);
}

bool sct_searched_advance(struct sct_searched *search, struct sct_path *path) {
    uint32_t bound = path->bound;
    // The path goes on to the next bound by itself where this one is done.
    search->is_exhausted = !sct_path_advance(path);
    if (search->is_exhausted || path->bound != bound)
        search->bounds_completed++;
    if (path->bound != bound)
        search->bound_runs = 0;
    return !search->is_exhausted;
}

// ---- Campaigns ---------------------------------------------------------------------------------

static bool is_cache_full(const struct run *run) {
    const struct sct_explorer *explorer = run->search ? sct_search_explorer(run->search) : NULL;
    return explorer && explorer->is_full;
}

// Runs and counts one execution; false if there is no further one.
static bool run_iteration(struct run *run, struct sct_engine *engine, uint64_t iteration) {
    const struct sct_campaign_options *options = run->options;
    struct sct_path *path = options->strategy->path;
    const struct sct_result *result = run_counted(run, engine, iteration);
    if (result->outcome == SCT_STOPPED) {
        run->campaign->was_interrupted = options->interrupted && *options->interrupted;
        return false;
    }
    if (path)
        check_followed(run, result, iteration);
    if (run->campaign->unrepeatable.is_found)
        return false;
    bool is_new_group = account(run, result, iteration);
    // Nor does the path advance: this leaf was not searched to its end.
    if (is_cache_full(run)) {
        run->campaign->search.is_cache_full = true;
        return false;
    }
    bool is_early = run->campaign->iterations_run <= REPEAT_FIRST;
    // What a search has cut off is not repeated: without the search (run_one) it goes on, and is
    // another execution.
    bool is_due = options->repeat_every > 0 && result->outcome != SCT_PRUNED &&
                  (is_early || iteration % options->repeat_every == 0);
    // Before the path advances, as the leaf's answers are what is repeated.
    if (is_due || (options->repeat_every > 0 && is_new_group))
        check_repeats(run, engine, iteration);
    return !path || sct_searched_advance(&run->campaign->search, path);
}

static void tell_progress(struct run *run) {
    if (!run->options->on_progress || run->campaign->iterations_run % PROGRESS_EVERY != 0)
        return;
    estimate(&run->campaign->search);
    run->options->on_progress(run->options->context, run->campaign);
}

// How far the search has come, in all campaigns that it has served.
static struct sct_searched extent_of(const struct sct_search *search) {
    const struct sct_explorer *explorer = sct_search_explorer(search);
    return (struct sct_searched){
        .restored = sct_search_restored(search),
        .states_met = explorer ? explorer->states_met : 0,
        .transitions = explorer ? explorer->transitions : 0,
    };
}

static void begin_search(struct run *run) {
    const struct sct_campaign_options *options = run->options;
    run->search = options->search;
    if (!run->search && options->strategy->path)
        run->search = sct_search_open(&(struct sct_search_options){.program = options->program,
                                                                   .strategy = options->strategy});
    if (!run->search)
        return;
    ASSERT(sct_search_options(run->search)->strategy == options->strategy);
    ASSERT(sct_search_options(run->search)->program == options->program);
    sct_search_leap(run->search); // the path may have been moved since its last campaign
    run->before = extent_of(run->search);
}

static void end_search(struct run *run) {
    struct sct_searched *search = &run->campaign->search;
    if (!run->search)
        return;
    struct sct_searched now = extent_of(run->search);
    // Differences: a search serves many campaigns (the pieces of a tree, say), each of which
    // reports what it did itself.
    search->restored = now.restored - run->before.restored;
    search->states_met = now.states_met - run->before.states_met;
    search->transitions = now.transitions - run->before.transitions;
    if (run->search != run->options->search)
        sct_search_close(run->search);
}

void sct_campaign_run(struct sct_engine *engine, const struct sct_campaign_options *options,
                      struct sct_campaign *campaign) {
    struct run run = {.options = options, .campaign = campaign};
    sct_sum_init(&run.sum, campaign, options->strategy);
    begin_search(&run);
    uint64_t step = options->iteration_step ? options->iteration_step : 1;
    bool goes_on = true;
    sct_engine_stop(engine, options->interrupted,
                    options->seconds_max > 0 ? run.sum.started_at + options->seconds_max : 0);
    for (uint64_t i = 0; i < options->iterations && goes_on && !should_stop(&run); i++) {
        goes_on = run_iteration(&run, engine, options->first_iteration + i * step);
        tell_progress(&run);
        goes_on = goes_on && (!options->goes_on || options->goes_on(options->context));
    }
    sct_engine_stop(engine, NULL, 0);
    end_search(&run);
    estimate(&campaign->search);
    sct_sum_close(&run.sum, options);
}

void sct_campaign_free(struct sct_campaign *campaign) {
    sct_groups_free(campaign->groups);
    campaign->groups = NULL;
    sct_seen_free_sketch(campaign->sketch);
    campaign->sketch = NULL;
    sct_record_free(campaign->died.record);
    campaign->died.record = NULL;
}

bool sct_campaign_is_cut_off(const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    uint64_t ended = search->path ? search->executions : campaign->iterations_run;
    ASSERT(campaign->step_limit_hits <= ended);
    // One execution that ended by itself is enough to say that the program can.
    return ended > 0 && campaign->step_limit_hits == ended;
}
