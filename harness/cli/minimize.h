// --minimize: shrinks a failing execution, writes its trace, and finds out what was removed and why
// it fails.
#ifndef HARNESS_CLI_MINIMIZE_H
#define HARNESS_CLI_MINIMIZE_H

#include "harness/report/execution/minimized.h"
#include "harness/subject/subject.h"

#include <signal.h>

// What takes longer, --minimize or --explain, stops with what it has: it is a help, not a duty.
static const double minimize_seconds_max = 30;

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

#endif
