#include "core/jobs/jobs.h"
#include "core/jobs/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct crew {
    const struct sct_jobs *jobs;
    struct sct_engine *engine;
    struct sct_sum sum;
    struct sct_worker workers[SCT_WORKERS_MAX];
    volatile uint64_t *present_iterations; // of each worker; shared with it
    volatile uint64_t *sent_ranges;        // by each, where they are isolated; shared with it
    uint64_t next_range;                   // to be added
    struct sct_bytes bytes;                // of the range in hand
};

static const struct sct_campaign_options *campaign_of(const struct crew *crew) {
    return crew->jobs->range->campaign;
}

static uint64_t range_size(const struct sct_range_options *options) {
    return options->range_iterations ? options->range_iterations : SCT_RANGE_ITERATIONS;
}

uint64_t sct_range_first(const struct sct_range_options *options, uint64_t range) {
    return range * range_size(options);
}

uint64_t sct_range_iterations(const struct sct_range_options *options, uint64_t range) {
    // Rounded up without a sum, which could overflow: SCT_UNLIMITED is the largest number there is.
    uint64_t all = options->campaign->iterations, each = range_size(options);
    if (range >= all / each + (all % each != 0))
        return 0;
    uint64_t left = all - range * each;
    return left < each ? left : each;
}

// ---- A worker ----------------------------------------------------------------------------------

// 0 is no limit, so nothing left is a moment.
static double seconds_left(const struct crew *crew) {
    double limit = campaign_of(crew)->seconds_max;
    double left = limit - sct_sum_seconds(&crew->sum);
    return limit == 0 ? 0 : left > 0 ? left : 1e-9;
}

// A range that a worker has before it.
struct piece {
    struct crew *crew;
    struct sct_range_options options;
    uint64_t range;
    int channel;
};

enum { GOES_NOT_ON = 2 }; // exit status of who has run the last range

// Volatile, not atomic: one writes, and the other reads when that one's process has ended.
static volatile uint64_t *sent_by(const struct piece *piece) {
    return &piece->crew->sent_ranges[piece->range % piece->crew->jobs->workers];
}

// Whether the campaign goes on behind it.
static bool run_piece(struct piece *piece) {
    struct crew *crew = piece->crew;
    const struct sct_range range = {
        .first = sct_range_first(&piece->options, piece->range),
        .iterations = sct_range_iterations(&piece->options, piece->range),
        .seconds_max = seconds_left(crew),
    };
    bool goes_on = sct_range_run(crew->engine, &piece->options, &range, &crew->bytes);
    // Nobody reads any more: the first process has what it wants, or is gone.
    if (!sct_write_message(piece->channel, &crew->bytes))
        _exit(1);
    // After the message: whoever dies in between has told all, and is still taken for one who has
    // not, which is the safe side.
    ++*sent_by(piece);
    return goes_on;
}

static void run_alone(void *context) {
    struct piece *piece = context;
    sct_engine_forked(piece->crew->engine);
    if (!run_piece(piece))
        _exit(GOES_NOT_ON);
}

// Whoever ends there without having told what there was takes the worker with it, which so tells
// that.
static bool run_isolated(struct piece *piece) {
    uint64_t sent = *sent_by(piece);
    int status = sct_process_run(run_alone, piece);
    if (status >= 0 && *sent_by(piece) > sent)
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    // Die as it did, so that the first process says by which signal (sct_worker_died).
    if (status >= 0 && WIFSIGNALED(status)) {
        // Some a worker ignores (sct_process_begin), others have handlers (guard.c): none is to
        // keep it alive.
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    _exit(status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

_Noreturn static void work(void *context, unsigned index, int channel) {
    struct crew *crew = context;
    ASSERT(index < crew->jobs->workers);
    sct_engine_forked(crew->engine);
    struct piece piece = {.crew = crew, .options = *crew->jobs->range, .channel = channel};
    piece.options.present_iteration = &crew->present_iterations[index];
    unsigned workers = crew->jobs->workers;
    // Ranges go to workers in turn, by their numbers: the next of this one's at or behind the first
    // that the checkpoint does not have.
    uint64_t first = crew->next_range + (index + workers - crew->next_range % workers) % workers;
    bool goes_on = true;
    for (piece.range = first; goes_on && sct_range_iterations(&piece.options, piece.range) > 0;
         piece.range += workers) {
        ASSERT(piece.range % workers == index && piece.range >= crew->next_range);
        goes_on = crew->jobs->is_isolated ? run_isolated(&piece) : run_piece(&piece);
    }
    // Not exit: handlers and buffers are the first process's, of which this one is a copy.
    _exit(0);
}

// ---- Adding their ranges ------------------------------------------------------------------------

static bool is_interrupted(const struct crew *crew) {
    const volatile sig_atomic_t *interrupted = campaign_of(crew)->interrupted;
    return interrupted && *interrupted;
}

static bool describe_death(struct crew *crew, unsigned index, struct error *error) {
    ASSERT(index < crew->jobs->workers);
    char when[100];
    uint64_t iteration = crew->present_iterations[index];
    crew->sum.campaign->died.is_found = true;
    crew->sum.campaign->died.iteration = iteration;
    snprintf(when, sizeof when,
             "in iteration %" PRIu64 " (--only-iteration %" PRIu64 " runs it alone)", iteration,
             iteration);
    return sct_worker_died(crew->workers, index, when, error);
}

static void add_range(struct crew *crew, bool *goes_on) {
    struct sct_reader reader = {crew->bytes.data, crew->bytes.data + crew->bytes.size, false};
    bool is_range =
        sct_range_add(crew->jobs->range, &reader, &crew->sum, crew->jobs->on_new_group, goes_on);
    ASSERT(is_range); // a pipe loses nothing, and a checkpoint has checksums
    crew->next_range++;
}

static void add_checkpoint(struct crew *crew, bool *goes_on) {
    ASSERT(crew->next_range == 0);
    while (*goes_on && sct_checkpoint_next(crew->jobs->checkpoint, &crew->bytes))
        add_range(crew, goes_on);
}

// The next range, from whoever runs it.
static enum sct_reading next_range(struct crew *crew) {
    const struct sct_range_source *source = crew->jobs->source;
    if (!source) {
        // From the one whose turn it is, though others may have more: pipes hold what they have run
        // ahead, and block them when they are full.
        unsigned index = (unsigned)(crew->next_range % crew->jobs->workers);
        return sct_read_message(crew->workers[index].channel, &crew->bytes,
                                campaign_of(crew)->interrupted);
    }
    if (is_interrupted(crew))
        return SCT_READ_INTERRUPTED;
    source->next(source->context, &crew->bytes);
    ASSERT(crew->bytes.size > 0);
    return SCT_READ_ALL;
}

// Adds the ranges as they come, until one ends the campaign or there are no more.
static bool add_ranges(struct crew *crew, struct error *error) {
    const struct sct_campaign_options *options = campaign_of(crew);
    for (bool goes_on = true;
         goes_on && sct_range_iterations(crew->jobs->range, crew->next_range) > 0;) {
        unsigned index = (unsigned)(crew->next_range % crew->jobs->workers);
        enum sct_reading reading = next_range(crew);
        if (reading == SCT_READ_INTERRUPTED) {
            crew->sum.campaign->was_interrupted = true;
            return true;
        }
        if (reading == SCT_READ_END)
            return describe_death(crew, index, error);
        add_range(crew, &goes_on);
        // What ended early by the clock is not what the same range would be if it were run again.
        bool has_ended = crew->sum.campaign->violations > 0 && !options->keep_going;
        if (crew->jobs->checkpoint && (goes_on || has_ended) &&
            !sct_checkpoint_append(crew->jobs->checkpoint, &crew->bytes, error))
            return false;
        if (options->on_progress)
            options->on_progress(options->context, crew->sum.campaign);
    }
    return true;
}

static bool run_crew(struct crew *crew, struct error *error) {
    const struct sct_jobs *jobs = crew->jobs;
    bool goes_on = true, is_good = true;
    if (jobs->checkpoint)
        add_checkpoint(crew, &goes_on);
    crew->sum.campaign->iterations_resumed = crew->sum.campaign->iterations_run;
    if (jobs->source) { // which waits to be told, even that nothing is left to do
        jobs->source->begin(jobs->source->context, crew->next_range);
        is_good = !goes_on || add_ranges(crew, error);
        jobs->source->end(jobs->source->context);
        return is_good;
    }
    if (!goes_on)
        return true;
    const struct sct_work todo = {.run = work, .context = crew};
    for (unsigned i = 0; is_good && i < jobs->workers; i++)
        is_good = sct_worker_start(crew->workers, i, &todo, error);
    return is_good && add_ranges(crew, error);
}

bool sct_jobs_run(struct sct_engine *engine, const struct sct_jobs *jobs,
                  struct sct_campaign *campaign, struct error *error) {
    ASSERT(jobs->workers >= 1 && jobs->workers <= SCT_WORKERS_MAX);
    ASSERT(!jobs->range->campaign->search); // core/jobs/crew.h
    ASSERT(!jobs->is_isolated || jobs->range->range_iterations == 1);
    struct crew crew = {.jobs = jobs, .engine = engine};
    size_t shared_bytes = 2 * sizeof(uint64_t) * SCT_WORKERS_MAX;
    void *shared = sct_map_shared(shared_bytes);
    crew.present_iterations = shared;
    crew.sent_ranges = crew.present_iterations + SCT_WORKERS_MAX;
    sct_sum_init(&crew.sum, campaign, jobs->range->campaign->strategy);
    fflush(NULL); // a worker must not write it again
    bool is_good = run_crew(&crew, error);
    sct_workers_dismiss(crew.workers, jobs->workers);
    sct_sum_close(&crew.sum, jobs->range->campaign);
    sct_bytes_free(&crew.bytes);
    munmap(shared, shared_bytes);
    return is_good;
}
