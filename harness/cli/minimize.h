// --minimize: shrinks a failing execution, writes its trace, and tells what was removed and why it
// fails.
#ifndef HARNESS_CLI_MINIMIZE_H
#define HARNESS_CLI_MINIMIZE_H

#include "core/trace/minimize.h"
#include "core/trace/trace.h"
#include "harness/cli/explain.h"
#include "harness/cli/options.h"

#include <jansson.h>
#include <stdio.h>

struct minimized {
    struct sct_minimum minimum;
    char path[OPTIONS_PATH_MAX + 40]; // of the new trace; empty if it could not be written
    struct sct_trace trace;           // itself; owned
    char machines[200];               // removed: "a, b", empty: none
    char values[600];                 // given back to the first alternative, likewise
    struct explanation explanation;
};

struct minimize_job {
    struct sct_engine *engine;
    const struct sct_program *program;
    const struct subject_run *what;
    struct sct_strategy *start;     // leads to the failure
    const struct sct_trace *header; // of the original: what the new trace takes over
    const char *path;               // of the original; the new one is written to [path].min
    const volatile sig_atomic_t *interrupted;
    bool shows_progress; // on standard error
};

// Does the job. False if the start does not fail (again). To be freed with minimized_free.
bool minimize_trace(const struct minimize_job *job, struct minimized *minimized);

void minimized_free(struct minimized *minimized);

void minimized_print(FILE *out, const struct minimized *minimized, const char *command);

// The member "minimized" of a report; a new reference.
json_t *minimized_json(const struct minimized *minimized);

#endif
