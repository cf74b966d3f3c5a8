#define _GNU_SOURCE // pipe2, MAP_ANONYMOUS, F_SETPIPE_SZ
#include "core/jobs/jobs.h"
#include "core/base/grow.h"
#include "core/jobs/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// Room for ranges that wait for those before them.
enum { PIPE_BYTES = 1 << 20 };

struct worker {
    pid_t process;
    int pipe; // from it
};

struct crew {
    const struct sct_jobs *jobs;
    struct sct_engine *engine;
    struct sct_sum sum;
    struct worker workers[SCT_WORKERS_MAX];
    volatile uint64_t *present_iterations; // of each worker; shared with it
    uint64_t next_range;                   // to be added
    struct sct_bytes bytes;                // of the range in hand
};

static const struct sct_campaign_options *campaign_of(const struct crew *crew) {
    return crew->jobs->range->campaign;
}

uint64_t sct_range_iterations(const struct sct_campaign_options *campaign, uint64_t range) {
    uint64_t all = campaign->iterations;
    if (range >= all / SCT_RANGE_ITERATIONS + (all % SCT_RANGE_ITERATIONS != 0))
        return 0;
    uint64_t left = all - range * SCT_RANGE_ITERATIONS;
    return left < SCT_RANGE_ITERATIONS ? left : SCT_RANGE_ITERATIONS;
}

// ---- A worker ----------------------------------------------------------------------------------

// 0 is no limit, so nothing left is a moment.
static double seconds_left(const struct crew *crew) {
    double limit = campaign_of(crew)->seconds_max;
    double left = limit - sct_sum_seconds(&crew->sum);
    return limit == 0 ? 0 : left > 0 ? left : 1e-9;
}

_Noreturn static void work(struct crew *crew, unsigned index, int pipe) {
    sct_engine_forked(crew->engine);
    struct sct_range_options options = *crew->jobs->range;
    options.present_iteration = &crew->present_iterations[index];
    unsigned workers = crew->jobs->workers;
    uint64_t first = crew->next_range + (index + workers - crew->next_range % workers) % workers;
    for (uint64_t range = first; sct_range_iterations(campaign_of(crew), range) > 0;
         range += workers) {
        bool goes_on = sct_range_run(crew->engine, &options, range * SCT_RANGE_ITERATIONS,
                                     sct_range_iterations(campaign_of(crew), range),
                                     seconds_left(crew), &crew->bytes);
        uint64_t size = crew->bytes.size;
        if (!sct_write_all(pipe, &size, sizeof size) ||
            !sct_write_all(pipe, crew->bytes.data, size))
            _exit(1);
        if (!goes_on)
            break;
    }
    _exit(0);
}

static bool start_worker(struct crew *crew, unsigned index, struct error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(error, "cannot start worker %u: %s", index, strerror(errno));
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); // a smaller one will do
    pid_t first_process = getpid(), process = fork();
    if (process == 0) {
        sct_process_begin(first_process);
        for (unsigned i = 0; i < index; i++)
            close(crew->workers[i].pipe);
        close(ends[0]);
        work(crew, index, ends[1]);
    }
    close(ends[1]);
    crew->workers[index] = (struct worker){process, ends[0]};
    return process > 0 || error_set(error, "cannot start worker %u: %s", index, strerror(errno));
}

// ---- Adding their ranges ------------------------------------------------------------------------

static bool is_interrupted(const struct crew *crew) {
    const volatile sig_atomic_t *interrupted = campaign_of(crew)->interrupted;
    return interrupted && *interrupted;
}

enum reading { READ_ALL, READ_INTERRUPTED, READ_END };

static enum reading read_all(const struct crew *crew, int pipe, void *data, size_t size) {
    for (char *at = data; size > 0;) {
        if (is_interrupted(crew))
            return READ_INTERRUPTED;
        ssize_t got = read(pipe, at, size);
        if (got == 0 || (got < 0 && errno != EINTR))
            return READ_END;
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return READ_ALL;
}

static enum reading read_range(struct crew *crew, int pipe) {
    uint64_t size;
    enum reading reading = read_all(crew, pipe, &size, sizeof size);
    crew->bytes.size = 0;
    char buffer[16384];
    while (reading == READ_ALL && crew->bytes.size < size) {
        size_t left = size - crew->bytes.size;
        size_t wanted = left < sizeof buffer ? left : sizeof buffer;
        reading = read_all(crew, pipe, buffer, wanted);
        if (reading == READ_ALL)
            sct_bytes_add(&crew->bytes, buffer, wanted);
    }
    return reading;
}

static bool describe_death(struct crew *crew, unsigned index, struct error *error) {
    int status = 0;
    struct worker *worker = &crew->workers[index];
    waitpid(worker->process, &status, 0);
    worker->process = 0;
    uint64_t iteration = crew->present_iterations[index];
    if (WIFSIGNALED(status))
        return error_set(error,
                         "worker %u was killed by signal %d in iteration %" PRIu64
                         " (--only-iteration %" PRIu64 " runs it alone)",
                         index, WTERMSIG(status), iteration, iteration);
    return error_set(error,
                     "worker %u ended with status %d in iteration %" PRIu64
                     " (--only-iteration %" PRIu64 " runs it alone)",
                     index, WEXITSTATUS(status), iteration, iteration);
}

static void add_range(struct crew *crew, bool *goes_on) {
    bool is_range = sct_range_add(crew->jobs->range, crew->bytes.data, crew->bytes.size, &crew->sum,
                                  crew->jobs->on_new_group, goes_on);
    ASSERT(is_range); // a pipe loses nothing, and a checkpoint has checksums
    crew->next_range++;
}

static void add_checkpoint(struct crew *crew, bool *goes_on) {
    while (*goes_on && sct_checkpoint_next(crew->jobs->checkpoint, &crew->bytes))
        add_range(crew, goes_on);
}

// The next range, from whoever runs it.
static enum reading next_range(struct crew *crew) {
    const struct sct_range_source *source = crew->jobs->source;
    if (!source) {
        unsigned index = (unsigned)(crew->next_range % crew->jobs->workers);
        return read_range(crew, crew->workers[index].pipe);
    }
    if (is_interrupted(crew))
        return READ_INTERRUPTED;
    source->next(source->context, &crew->bytes);
    return READ_ALL;
}

// Adds the ranges as they come, until one ends the campaign or there are no more.
static bool add_ranges(struct crew *crew, struct error *error) {
    const struct sct_campaign_options *options = campaign_of(crew);
    for (bool goes_on = true; goes_on && sct_range_iterations(options, crew->next_range) > 0;) {
        unsigned index = (unsigned)(crew->next_range % crew->jobs->workers);
        enum reading reading = next_range(crew);
        if (reading == READ_INTERRUPTED) {
            crew->sum.campaign->was_interrupted = true;
            return true;
        }
        if (reading == READ_END)
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

static void dismiss(struct crew *crew) {
    for (unsigned i = 0; i < crew->jobs->workers; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->process > 0) {
            kill(worker->process, SIGKILL);
            waitpid(worker->process, NULL, 0);
        }
        if (worker->pipe > 0)
            close(worker->pipe);
    }
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
    for (unsigned i = 0; is_good && i < jobs->workers; i++)
        is_good = start_worker(crew, i, error);
    return is_good && add_ranges(crew, error);
}

bool sct_jobs_run(struct sct_engine *engine, const struct sct_jobs *jobs,
                  struct sct_campaign *campaign, struct error *error) {
    ASSERT(jobs->workers >= 1 && jobs->workers <= SCT_WORKERS_MAX);
    struct crew crew = {.jobs = jobs, .engine = engine};
    size_t shared_bytes = sizeof(uint64_t) * SCT_WORKERS_MAX;
    void *shared =
        mmap(NULL, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        grow_failed(shared_bytes, "workers");
    crew.present_iterations = shared;
    sct_sum_init(&crew.sum, campaign, jobs->range->campaign->strategy);
    fflush(NULL); // a worker must not write it again
    bool is_good = run_crew(&crew, error);
    dismiss(&crew);
    sct_sum_close(&crew.sum, jobs->range->campaign);
    sct_bytes_free(&crew.bytes);
    munmap(shared, shared_bytes);
    return is_good;
}
