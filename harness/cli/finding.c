#define _POSIX_C_SOURCE 200809L // stat
#include "harness/cli/finding.h"
#include "core/base/grow.h"
#include "harness/cli/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Begins the usual name of a trace, which says what was run.
static void name_trace(const struct session *session, struct text *text) {
    const struct subject_run *what = &session->run.what;
    if (!what->subject->variants)
        text_add(text, "%s-%s", what->subject->name, what->test->name);
    else if (what->variant)
        text_add(text, "%s-%s-%d", session->command->name, what->subject->name,
                 what->variant->number);
    else
        text_add(text, "%s-%s-none", session->command->name, what->subject->name);
}

static void trace_path(const struct session *session, uint64_t iteration, char *path,
                       size_t bytes) {
    const struct options *options = session->options;
    struct text text = text_in(path, bytes);
    struct stat status;
    bool is_special = options->trace && stat(options->trace, &status) == 0 &&
                      !S_ISREG(status.st_mode); // a pipe, a device: one for all
    if (options->trace && (session->trace_count == 0 || is_special)) {
        text_add(&text, "%s", options->trace);
    } else if (options->trace) {
        text_add(&text, "%s.%" PRIu64, options->trace, session->trace_count + 1);
    } else {
        name_trace(session, &text);
        text_add(&text, "-%" PRIu64 "-%" PRIu64 ".trace", session->run.seed, iteration);
    }
}

static struct sct_trace describe_trace(const struct session *session, uint64_t iteration) {
    const struct sct_strategy *strategy = sct_strategy_for(session->strategy, iteration);
    const struct subject_run *what = &session->run.what;
    struct sct_trace trace = {
        .steps_max = session->steps_max,
        .calibration = strategy->calibration,
        .seed = session->run.seed,
        .iteration = iteration,
    };
    snprintf(trace.model, sizeof trace.model, "%s", what->subject->name);
    snprintf(trace.test, sizeof trace.test, "%s", what->test->name);
    if (what->subject->binding)
        snprintf(trace.binding, sizeof trace.binding, "%s", what->subject->binding);
    snprintf(trace.bug, sizeof trace.bug, "%s", what->variant ? what->variant->name : "none");
    struct text text = text_in(trace.strategy, sizeof trace.strategy);
    sct_strategy_format(strategy, &text);
    return trace;
}

void finding_capture(const struct session *session, uint64_t iteration,
                     const struct sct_result *result, struct sct_trace *trace) {
    struct sct_trace bound = describe_trace(session, iteration);
    sct_trace_capture(&bound, session->engine, result);
    sct_trace_copy(trace, &bound);
    sct_trace_free(&bound);
}

void finding_of_death(const struct session *session, const struct sct_death *death,
                      struct sct_trace *trace) {
    struct sct_trace header = describe_trace(session, death->iteration), bound = *death->trace;
    memcpy(bound.model, header.model, sizeof bound.model);
    memcpy(bound.test, header.test, sizeof bound.test);
    memcpy(bound.bug, header.bug, sizeof bound.bug);
    memcpy(bound.strategy, header.strategy, sizeof bound.strategy);
    memcpy(bound.binding, header.binding, sizeof bound.binding);
    bound.seed = header.seed;
    bound.steps_max = header.steps_max;
    sct_trace_copy(trace, &bound);
}

static void note_unconfirmed(struct session *session, uint64_t iteration,
                             const struct error *difference) {
    if (session->unconfirmed.is_found)
        return;
    session->unconfirmed.is_found = true;
    session->unconfirmed.iteration = iteration;
    session->unconfirmed.difference = *difference;
}

void finding_keep(struct session *session, struct sct_trace *trace) {
    ASSERT(session->last_trace && !*session->last_trace); // the end of the list
    struct error error;
    char *text = sct_trace_format(trace);
    // Before it is kept: what does not happen again is nondeterminism that is not under control,
    // and no finding.
    if (!sct_witness_confirms(&session->witness, text, &error)) {
        note_unconfirmed(session, trace->iteration, &error);
        sct_trace_free(trace);
        free(text);
        return;
    }
    struct group_trace *entry = grow_new(1, sizeof *entry, "the list of traces");
    trace_path(session, trace->iteration, entry->path, sizeof entry->path);
    if (!sct_trace_write(entry->path, text, &error)) {
        complain("%s; here it is:", error.text);
        // So that a full disk does not lose it.
        fputs(text, stderr);
        entry->path[0] = '\0';
    }
    free(text);
    *session->last_trace = entry;
    session->last_trace = &entry->next;
    if (session->trace_count++ == 0)
        session->first = *trace;
    else
        sct_trace_free(trace);
}
