#include "harness/cli/search.h"
#include "harness/cli/mpi.h"
#include "harness/cli/resume.h"
#include "harness/cli/search_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PATH_BYTES = REPORT_PATH_MAX + 200, HEADER_BYTES = 4096 };

static const char *checkpoint_of(const struct options *options) {
    return options->resume ? options->resume : options->checkpoint;
}

// A process of MPI is not forked.
static unsigned workers_of(const struct options *options) {
    return mpi_source() ? 1 : options->jobs;
}

bool search_is_shared(const struct session *session) {
    const struct options *options = session->options;
    if (!session->strategy->path || options->reduction == SCT_REDUCE_DPOR)
        return false;
    bool is_limited =
        session_iterations(session) != SCT_UNLIMITED; // these are the first ones: of one process
    return checkpoint_of(options) || (workers_of(options) > 1 && !is_limited);
}

static uint64_t cache_bytes_of(const struct session *session) {
    return session->program.digest ? session->options->cache_bytes : 0;
}

// Nothing but a file can be replaced by another one.
static bool check_place(const char *path, struct error *error) {
    struct stat status;
    return stat(path, &status) != 0 || S_ISREG(status.st_mode) ||
           error_set(error, "checkpoint '%.300s': expected a file, found something else", path);
}

static bool check_can_be_written(const char *path, struct error *error) {
    char temporary[PATH_BYTES];
    struct sct_checkpoint file;
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (!check_place(path, error) || !sct_checkpoint_create(&file, temporary, "", error))
        return false;
    sct_checkpoint_close(&file);
    remove(temporary);
    return true;
}

bool search_check(const struct session *session, struct sct_checkpoint *resumed,
                  struct error *error) {
    const char *path = checkpoint_of(session->options);
    if (path && !check_can_be_written(path, error))
        return false;
    return !resumed->file || sct_crew_check(resumed, cache_bytes_of(session), error);
}

// What the checkpoint says of the search: the options, and whether there is a cache at all.
static void describe(const struct session *session, struct text *text) {
    uint64_t bytes = cache_bytes_of(session);
    resume_describe(session->run.what.subject, session->options, session->run.seed,
                    session->run.probe, text);
    if (bytes > 0)
        text_add(text, "--cache=%" PRIu64 "\n", bytes);
    else
        text_add(text, "--cache=off\n");
}

static void open_search(struct session *session) {
    struct sct_search_options search = search_options(session);
    search.cache_bytes = 0;
    if (cache_bytes_of(session) > 0) {
        sct_shared_states_init(&session->shared, cache_bytes_of(session));
        search.shared = &session->shared;
    }
    session->run.is_reduced = search.reduction != SCT_REDUCE_NONE;
    if (!search.shared && !session->run.is_reduced)
        return; // paths say all
    session->search = sct_search_open(&search);
    session->run.explorer = sct_search_explorer(session->search);
}

bool search_run(struct session *session, const struct sct_crew_jobs *jobs,
                struct sct_campaign *campaign, struct error *error) {
    const struct options *options = session->options;
    struct sct_campaign_options campaign_options = *jobs->range->campaign;
    struct sct_range_options range = *jobs->range;
    struct sct_crew_jobs own = *jobs;
    range.campaign = &campaign_options;
    own.range = &range;
    open_search(session);
    campaign_options.search = session->search;
    char buffer[HEADER_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe(session, &text);
    own.workers = workers_of(options);
    own.checkpoint = checkpoint_of(options);
    own.checkpoint_text = text.data;
    own.checkpoint_seconds = options->checkpoint_every;
    return sct_crew_run(session->engine, &own, campaign, error);
}
