#define _GNU_SOURCE // getentropy
#include "harness/cli/campaign.h"
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/jobs/jobs.h"
#include "core/jobs/process.h"
#include "core/trace/replay.h"
#include "harness/cli/finding.h"
#include "harness/cli/mpi.h"
#include "harness/cli/process.h"
#include "harness/report/campaign/report_ci.h"
#include "harness/report/campaign/report_coverage.h"
#include "harness/cli/resume.h"
#include "harness/cli/search.h"
#include "harness/cli/search_options.h"
#include "harness/cli/session.h"
#include "harness/cli/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Every so often an execution is repeated, to notice nondeterminism that is not under control.
enum { REPEAT_EVERY = 1000 };

// ---- Findings ----------------------------------------------------------------------------------

// Found by this process.
static void on_violation(void *context, uint64_t iteration, const struct sct_result *result) {
    struct sct_trace trace;
    finding_capture(context, iteration, result, &trace);
    finding_keep(context, &trace);
}

// What a worker found, as text for the process that asked for it.
static char *record(void *context, uint64_t iteration, const struct sct_result *result) {
    struct sct_trace trace;
    finding_capture(context, iteration, result, &trace);
    char *text = sct_trace_format(&trace);
    sct_trace_free(&trace);
    return text;
}

// Found by a worker, which in a search does not know the number that it has in the whole.
// As text, since workers are processes; it was made by this program, so it must be readable.
static void on_new_group(void *context, const struct sct_group *group) {
    struct sct_trace trace;
    struct error error;
    char *text = grow_text(group->record, "a trace");
    bool is_good = sct_trace_parse(text, strlen(text), &trace, &error);
    ASSERT(is_good);
    trace.iteration = group->iteration;
    finding_keep(context, &trace);
}

// How often each variant's places were passed is counted for good here: executions that do not
// count (calibration, repetitions) pass them too.
static void begin_counting(void *context, uint64_t iteration) {
    struct session *session = context;
    sct_witness_note(&session->witness, iteration, session->counted++);
    if (session->passing)
        memcpy(session->passes, session->passing, session->variant_count * sizeof *session->passes);
    sct_marks_count(true);
}

// [restrict], since this runs after each execution: several counters are then added at once.
static void end_counting(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)iteration;
    struct session *session = context;
    sct_marks_count(false);
    if (!session->passing || result->outcome == SCT_STOPPED)
        return;
    const uint64_t *restrict now = session->passing;
    const uint64_t *restrict before = session->passes;
    uint64_t *restrict reached = session->reached;
    size_t count = session->variant_count;
    for (size_t i = 0; i < count; i++)
        reached[i] += now[i] - before[i];
}

static void on_progress(void *context, const struct sct_campaign *campaign) {
    progress_tell(&((struct session *)context)->progress, campaign);
}

static void draw_seed(struct session *session) {
    session->run.seed = session->options->seed;
    if (!session->options->is_seed_random)
        return;
    if (getentropy(&session->run.seed, sizeof session->run.seed) != 0)
        fail_at(FAIL_RESOURCE, HERE, "cannot draw a random seed: %s", strerror(errno));
}

// Of a limit of time a quarter at most is for measuring, but what takes less than half a second is
// always measured whole: then the limit decides nothing but how many executions there are.
static double calibration_end(const struct session *session) {
    double quarter = session->options->time_limit / 4;
    return quarter > 0 ? clock_seconds() + (quarter > 0.5 ? quarter : 0.5) : 0;
}

static void calibrate_here(const struct session *session) {
    char name[256];
    struct text text = text_in(name, sizeof name);
    text_add(&text, "%s/%s", session->run.what.subject->name, session->run.what.test->name);
    sct_engine_stop(session->engine, &process_interrupted, calibration_end(session));
    sct_calibrate(session->engine, &session->program, name, session->strategy, session->run.seed);
    sct_engine_stop(session->engine, NULL, 0);
}

// What a process of its own has measured.
struct measured {
    const struct session *session;
    struct sct_calibration *calibrations; // of the strategy's members; shared memory
};

static void calibrate_there(void *context) {
    const struct measured *measured = context;
    struct sct_strategy *strategy = measured->session->strategy;
    sct_engine_forked(measured->session->engine);
    calibrate_here(measured->session);
    for (size_t i = 0; i < sct_strategy_count(strategy); i++)
        measured->calibrations[i] = sct_strategy_member(strategy, i)->calibration;
}

// One that does not come to its end has measured nothing.
// Isolated, the measurement may end its process, too; the strategy then has the least that it can
// do with.
static void calibrate(struct session *session) {
    if (!session->run.what.test->is_isolated) {
        calibrate_here(session);
        return;
    }
    size_t count = sct_strategy_count(session->strategy);
    size_t bytes = count * sizeof(struct sct_calibration);
    struct measured measured = {session, sct_map_shared(bytes)};
    bool is_done = sct_process_run_until(calibrate_there, &measured, &process_interrupted) == 0;
    for (size_t i = 0; i < count; i++)
        sct_strategy_member(session->strategy, i)->calibration =
            is_done ? measured.calibrations[i]
                    : (struct sct_calibration){.decisions_max = 1, .tasks_max = 1};
    munmap(measured.calibrations, bytes);
}

// How many of the iterations 0 .. all-1 belong to the shard.
// Shard I has the iterations I, I + N, I + 2 N, ...: each has its share of every part of the
// campaign.
static uint64_t shard_size(const struct options *options, uint64_t all) {
    if (all == SCT_UNLIMITED)
        return SCT_UNLIMITED;
    uint64_t step = options->shard_count;
    return options->shard_index < all ? (all - options->shard_index - 1) / step + 1 : 0;
}

static struct sct_campaign_options describe_campaign(struct session *session) {
    const struct options *options = session->options;
    bool is_single = options_have(options, OPTION_ONLY_ITERATION);
    return (struct sct_campaign_options){
        .program = &session->program,
        .strategy = session->strategy,
        .seed = session->run.seed,
        .first_iteration = is_single ? options->only_iteration : options->shard_index,
        .iteration_step = options->shard_count,
        .iterations = is_single ? 1 : shard_size(options, session_iterations(session)),
        .seconds_max = options->time_limit,
        .keep_going = options->keep_going,
        .interrupted = &process_interrupted,
        // Isolated, a repetition would not find what the first one did; the witness repeats.
        .repeat_every = session->run.what.test->is_isolated ? 0 : REPEAT_EVERY,
        .before_counted = begin_counting,
        .after_counted = end_counting,
        .on_progress = on_progress,
        .context = session,
    };
}

// By workers, which send what they have found.
static bool run_jobs(struct session *session, struct sct_campaign_options *campaign_options,
                     struct sct_checkpoint *checkpoint, struct sct_campaign *campaign,
                     struct error *error) {
    const struct coverage *coverage = subject_view(session->run.what.test)->coverage;
    struct sct_counters counters[2] = {{session->reached, session->variant_count}};
    if (coverage)
        counters[1] = (struct sct_counters){coverage->counts, coverage_cell_count(coverage)};
    campaign_options->record = record;
    struct sct_range_options range = {
        .campaign = campaign_options,
        .counters = counters,
        .counter_arrays = coverage ? 2 : 1,
        .range_iterations = session->run.what.test->is_isolated ? 1 : 0,
    };
    struct sct_checkpoint *resumed = checkpoint->file ? checkpoint : NULL;
    if (search_is_shared(session)) {
        struct sct_crew_jobs crew = {
            .range = &range, .on_new_group = on_new_group, .resumed = resumed};
        return search_run(session, &crew, campaign, error);
    }
    if (mpi_is_worker())
        mpi_work(session->engine, &range);
    struct sct_jobs jobs = {
        .range = &range,
        .source = mpi_source(),
        .workers = session->options->jobs,
        .is_isolated = session->run.what.test->is_isolated,
        .on_new_group = on_new_group,
        .checkpoint = resumed,
    };
    return sct_jobs_run(session->engine, &jobs, campaign, error);
}

static void open_search(struct session *session) {
    struct sct_search_options options = search_options(session);
    session->search = sct_search_open(&options);
    session->run.is_reduced = options.reduction != SCT_REDUCE_NONE;
    session->run.explorer = sct_search_explorer(session->search);
}

static void describe_run(struct session *session) {
    const struct options *options = session->options;
    session->run.iterations =
        options_have(options, OPTION_ONLY_ITERATION) ? 1 : session_iterations(session);
    session->run.shard_index = options->shard_index;
    session->run.shard_count = options->shard_count;
    session->run.steps_max = session->steps_max;
    session->run.keep_going = options->keep_going;
    session->run.shows_coverage = options->coverage;
}

// Goes the way that a worker of a search was on.
static void run_deadly_way(struct session *session, const struct sct_campaign *campaign) {
    const struct sct_record *record = campaign->died.record;
    struct sct_trace trace = {.decision_count = sct_record_count(record)};
    trace.decisions = grow_new(trace.decision_count + 1, sizeof *trace.decisions, "a trace");
    for (uint32_t i = 0; i < trace.decision_count; i++)
        trace.decisions[i] = sct_record_decision(record, i);
    struct sct_replay replay;
    sct_replay_init(&replay, &trace);
    sct_witness_note(&session->witness, campaign->died.iteration, campaign->iterations_run);
    sct_engine_run(session->engine, &session->program, &replay.base, 0);
    sct_trace_free(&trace);
}

// A worker died there, and with it what it had to say. Run alone it may end this process too; then
// the witness sees it.
static void run_deadly(struct session *session, struct sct_campaign_options *campaign_options,
                       const struct sct_campaign *died) {
    struct sct_campaign campaign;
    if (died->died.record) {
        run_deadly_way(session, died);
        return;
    }
    campaign_options->first_iteration = died->died.iteration;
    campaign_options->iterations = 1;
    campaign_options->repeat_every = 0;
    campaign_options->record = NULL;
    sct_campaign_run(session->engine, campaign_options, &campaign);
    sct_campaign_free(&campaign);
}

static bool run_shared(struct session *session, struct sct_campaign_options *campaign_options,
                       struct sct_checkpoint *checkpoint, struct sct_campaign *campaign,
                       struct error *error) {
    bool is_whole = run_jobs(session, campaign_options, checkpoint, campaign, error);
    if (campaign->died.is_found)
        run_deadly(session, campaign_options, campaign);
    return is_whole;
}

// By this process alone unless jobs, a checkpoint or isolation are asked for: a debugger then sees
// everything.
static bool run_campaign(struct session *session, struct sct_checkpoint *checkpoint,
                         struct sct_campaign *campaign, struct error *error) {
    const struct options *options = session->options;
    struct sct_campaign_options campaign_options = describe_campaign(session);
    describe_run(session);
    if (subject_view(session->run.what.test)->coverage)
        coverage_reset(subject_view(session->run.what.test)->coverage);
    sct_marks_reset();
    bool is_systematic = session->strategy->path;
    bool is_shared = is_systematic ? search_is_shared(session)
                                   : options->jobs > 1 || checkpoint->file || mpi_source();
    if (session->run.what.test->is_isolated ||
        (!options_have(options, OPTION_ONLY_ITERATION) && is_shared))
        return run_shared(session, &campaign_options, checkpoint, campaign, error);
    if (options_have(options, OPTION_ONLY_ITERATION) && options->verbose)
        sct_engine_narrate(session->engine, session_narrate, session_narration(session));
    campaign_options.on_violation = on_violation;
    if (is_systematic)
        open_search(session);
    campaign_options.search = session->search;
    sct_campaign_run(session->engine, &campaign_options, campaign);
    sct_engine_narrate(session->engine, NULL, NULL);
    return true;
}

// --only-iteration with --trace writes a passing execution too, and reports may be about one.
static void save_single_run(struct session *session, const struct sct_campaign *campaign) {
    const struct options *options = session->options;
    if (!options_have(options, OPTION_ONLY_ITERATION) || campaign->violations > 0 ||
        campaign->iterations_run == 0 || session->run.what.test->is_isolated)
        return;
    const struct sct_result *result = sct_engine_last_result(session->engine);
    if (options->trace)
        on_violation(session, options->only_iteration, result);
    else if (inspect_is_asked_for(options))
        finding_capture(session, options->only_iteration, result, &session->first);
}

static void report_standard(const struct session *session, const struct sct_campaign *campaign) {
    switch (session->options->format) {
    case FORMAT_JSON:
        report_campaign_json(stdout, &session->run, campaign);
        break;
    case FORMAT_GITHUB:
        report_campaign_github(stdout, &session->run, campaign);
        break;
    case FORMAT_TEXT:
        if (!session->options->quiet)
            report_campaign_text(stdout, &session->run, campaign);
    }
}

// Whether it is written, if it is asked for.
static bool write_junit(const struct session *session, const struct sct_campaign *campaign) {
    struct error error;
    if (!session->options->junit ||
        report_junit(session->options->junit, &session->run, campaign, &error))
        return true;
    complain("%s", error.text);
    return false;
}

// ---- Minimising --------------------------------------------------------------------------------

// --minimize: the first violation of the campaign. Its original trace is on disk by now.
static void minimize_first(struct session *session, const struct sct_campaign *campaign,
                           struct minimized *minimized) {
    struct sct_replay replay;
    if (!session->options->minimize || campaign->violations == 0 || campaign->unrepeatable.is_found)
        return;
    sct_replay_init(&replay, &session->first);
    if (session_minimize(session, &replay.base, &session->first, session->run.traces->path,
                         minimized))
        session->run.minimized = minimized;
}

// Reports about the first violation, as small as it was made (or the single execution). False if
// something could not be written, which is named.
static bool inspect_first(struct session *session, struct inspection *inspection) {
    const struct group_trace *first = session->run.traces;
    const struct minimized *minimized = session->run.minimized;
    *inspection = session_inspection(session, first ? first->path : NULL);
    bool is_told = session->options->format == FORMAT_TEXT && !session->options->quiet && first;
    if (!session->first.decisions || !(is_told || inspect_is_asked_for(session->options)))
        return true;
    if (minimized)
        session_inspect_minimized(inspection, minimized);
    bool is_done = inspect_trace(inspection, minimized ? &minimized->trace : &session->first);
    session->run.story = inspection->has_story ? &inspection->story : NULL;
    return is_done;
}

// Names the cells that should have been reached and were not; whether there are any.
static bool complain_of_coverage(const struct coverage *coverage) {
    size_t missing = coverage_missing_count(coverage);
    if (missing == 0)
        return false;
    char buffer[6000];
    struct text cells = text_in(buffer, sizeof buffer);
    const char *separator = "";
    for (size_t i = 0; i < coverage_cell_count(coverage); i++) {
        if (!coverage_is_missing(coverage, i))
            continue;
        text_add(&cells, "%s", separator);
        coverage_name(coverage, i, &cells);
        separator = "; ";
    }
    complain("%zu cells of the coverage were not reached: %s", missing, cells.data);
    return true;
}

static int verdict_of(const struct session *session, const struct sct_campaign *campaign) {
    const struct minimized *minimized = session->run.minimized;
    if (campaign->was_interrupted || (minimized && minimized->minimum.was_interrupted))
        return EXIT_INTERRUPTED;
    if (campaign->violations > 0)
        return EXIT_VIOLATION;
    // The search ended there: what it has not come to may fail.
    if (campaign->search.is_cache_full) {
        complain("the state cache is full (%" PRIu64
                 " states): no verdict; give --cache more bytes",
                 sct_explorer_count(session->run.explorer));
        return EXIT_NO_VERDICT;
    }
    if (campaign->iterations_run == 0 && session->options->time_limit > 0) {
        complain("no execution was run within the time limit: no verdict");
        return EXIT_NO_VERDICT;
    }
    // Clean would be a lie: no execution has come to its end.
    if (sct_campaign_is_cut_off(campaign)) {
        complain("every execution was cut off after %" PRIu32
                 " steps: no verdict; does it spin? a loop that waits wants to yield, or more "
                 "--max-steps",
                 session->steps_max);
        return EXIT_NO_VERDICT;
    }
    bool is_incomplete = session->options->require_coverage &&
                         complain_of_coverage(subject_view(session->run.what.test)->coverage);
    return is_incomplete ? EXIT_NO_VERDICT : EXIT_CLEAN;
}

static int report(struct session *session, const struct sct_campaign *campaign) {
    struct inspection inspection;
    if (campaign->unrepeatable.is_found) {
        complain("iteration %" PRIu64 " did not repeat: %s", campaign->unrepeatable.iteration,
                 campaign->unrepeatable.difference.text);
        write_junit(session, campaign);
        return EXIT_TOOL_FAILED;
    }
    bool is_written = inspect_first(session, &inspection);
    session->run.use_color = session_uses_color(session->options);
    session->run.look = inspect_look(session->options, session->run.use_color);
    if (session->run.what.test->conclude)
        session->run.conclusion = session->run.what.test->conclude(&(struct subject_end){
            .engine = session->engine,
            .campaign = campaign,
            .kind = campaign->groups ? campaign->groups->violation.kind : NULL,
            .is_told = session->options->format == FORMAT_TEXT && !session->options->quiet &&
                       !session->run.what.test->is_isolated,
            .explains = session->options->minimize,
        });
    report_standard(session, campaign);
    is_written = write_junit(session, campaign) && is_written;
    inspect_end(&inspection);
    session->run.story = NULL; // it was the inspection's
    int verdict = verdict_of(session, campaign);
    // A report that got lost does not change what was found, but must not look like success.
    return verdict == EXIT_CLEAN && !is_written ? EXIT_TOOL_FAILED : verdict;
}

static void free_traces(struct session *session) {
    while (session->run.traces) {
        struct group_trace *next = session->run.traces->next;
        free(session->run.traces);
        session->run.traces = next;
    }
}

static bool check_coverage_options(const struct session *session, struct error *error) {
    const struct subject_test *test = session->run.what.test;
    return !session->options->require_coverage || test->reaches_all ||
           error_set(error, "option --require-coverage: test %s is not meant to reach everything",
                     test->name);
}

static bool create_checkpoint(const struct session *session, struct sct_checkpoint *checkpoint,
                              struct error *error) {
    const struct options *options = session->options;
    if (search_is_shared(session))
        return search_check(session, checkpoint, error);
    if (!options->checkpoint || mpi_is_worker())
        return true;
    char buffer[4096];
    struct text text = text_in(buffer, sizeof buffer);
    resume_describe(session->run.what.subject, options, session->run.seed, session->run.probe,
                    &text);
    return sct_checkpoint_create(checkpoint, options->checkpoint, text.data, error);
}

// A search that is not shared leaves the workers that were asked for without work.
static void tell_of_lone_search(const struct session *session) {
    const struct options *options = session->options;
    if (session->strategy->path && options->jobs > 1 && !search_is_shared(session))
        complain("--jobs %u: a search %s runs in one process", options->jobs,
                 options->reduction == SCT_REDUCE_DPOR ? "with --reduce dpor"
                                                       : "of some iterations");
}

static int run_and_report(void *context) {
    struct session *session = context;
    const struct options *options = session->options;
    process_catch_interrupts();
    session_open_engine(session, options->max_steps);
    tell_of_lone_search(session);
    calibrate(session);
    struct sct_campaign campaign;
    struct error error;
    bool is_narrated = options_have(options, OPTION_ONLY_ITERATION) && options->verbose;
    progress_begin(&session->progress, !options->quiet && !is_narrated,
                   shard_size(options, session_iterations(session)), options->time_limit);
    bool is_whole = run_campaign(session, session->checkpoint, &campaign, &error);
    progress_end(&session->progress);
    if (session->unconfirmed.is_found && !campaign.unrepeatable.is_found) {
        campaign.unrepeatable.is_found = true;
        campaign.unrepeatable.iteration = session->unconfirmed.iteration;
        campaign.unrepeatable.difference = session->unconfirmed.difference;
    }
    session->run.failure = is_whole ? NULL : error.text;
    save_single_run(session, &campaign);
    struct minimized minimized = {0};
    minimize_first(session, &campaign, &minimized);
    int status = report(session, &campaign);
    minimized_free(&minimized);
    if (!is_whole) {
        complain("%s", error.text);
        status = EXIT_TOOL_FAILED;
    }
    sct_search_close(session->search);
    if (session->shared.head)
        sct_shared_states_deinit(&session->shared);
    sct_campaign_free(&campaign);
    free_traces(session);
    sct_trace_free(&session->first);
    return status;
}

// ---- What the witness sees ---------------------------------------------------------------------

// The campaign until then, and the execution that ended its process as a violation.
static void sum_up_death(struct session *session, const struct sct_death *death,
                         struct sct_campaign *campaign) {
    struct sct_sum sum;
    struct sct_campaign_options campaign_options = describe_campaign(session);
    sct_sum_init(&sum, campaign, session->strategy);
    campaign->iterations_run = death->executions + 1;
    campaign->violations = 1;
    struct sct_violation violation = {.kind = death->trace->kind};
    snprintf(violation.machine, sizeof violation.machine, "%.40s", death->trace->machine);
    snprintf(violation.message, sizeof violation.message, "%s", death->trace->message);
    struct sct_group *group = sct_groups_append(&sum.groups, sct_violation_pattern(&violation));
    group->violation = violation;
    group->iteration = death->iteration;
    group->strategy = sct_strategy_for(session->strategy, death->iteration);
    group->decision_count = death->trace->decision_count;
    group->count = 1;
    sct_sum_close(&sum, &campaign_options);
}

// In the witness, which has run nothing.
static int report_death(void *context, const struct sct_death *death) {
    struct session *session = context;
    if (!death->trace) {
        complain("%s", death->difference->text);
        return EXIT_TOOL_FAILED;
    }
    if (!death->is_reproduced) {
        complain("%s (iteration %" PRIu64 "): %s", death->trace->message, death->iteration,
                 death->difference->text);
        return EXIT_TOOL_FAILED;
    }
    session->steps_max = session->witness.engine.steps_max;
    struct sct_trace trace;
    finding_of_death(session, death, &trace);
    session->witness.socket = 0; // it has confirmed this one
    finding_keep(session, &trace);
    sct_trace_free(&session->first); // to tell more of it would end this process
    session->first = (struct sct_trace){.decisions = NULL};
    describe_run(session);
    struct sct_campaign campaign;
    sum_up_death(session, death, &campaign);
    int status = report(session, &campaign);
    sct_campaign_free(&campaign);
    return status_flush(status);
}

// What leaves this process says how the test decides in this build.
static void probe(struct session *session) {
    const struct options *options = session->options;
    if (options->format == FORMAT_JSON || options->checkpoint || options->resume)
        session->run.probe = session_probe(session);
}

static bool prepare_campaign(struct session *session, struct sct_checkpoint *checkpoint,
                             struct error *error) {
    const struct options *options = session->options;
    if (!session_choose_test(session, options->model, options->test, error) ||
        !session_choose_variant(session, options->bug, error) ||
        !check_coverage_options(session, error) || !session_check_isolation(session, error))
        return false;
    // Before the checkpoint, which says the seed that was drawn.
    draw_seed(session);
    session->strategy = sct_strategy_new(options->strategy, error);
    if (!session->strategy || !search_options_check(session, error))
        return false;
    if (session->run.what.test->is_isolated && (mpi_source() || mpi_is_worker()))
        return error_set(error, "mpirun: not of isolated executions, which share no process");
    if (session->run.what.test->is_isolated && session->strategy->path)
        return error_set(error, "strategy '%s': a search needs its executions in one process",
                         options->strategy);
    struct text text = text_in(session->strategy_text, sizeof session->strategy_text);
    sct_strategy_format(session->strategy, &text);
    session->run.strategy = session->strategy_text;
    probe(session);
    return (!checkpoint->file || resume_fits(checkpoint, session->run.probe, error)) &&
           create_checkpoint(session, checkpoint, error);
}

// Processes of mpirun have nobody beside them.
static int run_watched(struct session *session) {
    if (mpi_source() || mpi_is_worker())
        return run_and_report(session);
    return session_run_watched(session, session->options->max_steps, run_and_report, report_death);
}

int campaign_command(const struct command *command, const struct options *options,
                     struct sct_checkpoint *checkpoint) {
    struct session session = {.command = command,
                              .options = options,
                              .run = {.call = command->call},
                              .checkpoint = checkpoint};
    session.last_trace = &session.run.traces;
    struct error error;
    bool is_ready = prepare_campaign(&session, checkpoint, &error);
    mpi_agree(is_ready);
    session.run.seed = mpi_share(session.run.seed);
    if (mpi_is_worker() && session.strategy->path) // a search is rank 0's alone
        exit(EXIT_CLEAN);
    int status = is_ready ? run_watched(&session) : status_usage(&error);
    sct_strategy_free(session.strategy);
    session_end(&session);
    return status_flush(status);
}
