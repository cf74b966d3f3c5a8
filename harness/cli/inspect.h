// Inspections: a recorded execution once more, with somebody who listens: for the reports about
// that one execution (harness/report) that were asked for.
#ifndef HARNESS_CLI_INSPECT_H
#define HARNESS_CLI_INSPECT_H

#include "harness/cli/options.h"
#include "harness/report/execution/report.h"

// What is looked at, and by which engine; the caller fills in all but [run.trace] and the story.
struct inspection {
    const struct options *options;
    struct execution_report run;
    struct sct_engine *engine;
    const struct sct_program *program;
    struct story story; // if has_story
    bool has_story;
};

// Whether the options name a page or an export.
bool inspect_is_asked_for(const struct options *options);

// Replays [trace] for its story, and writes the page and the exports that the options name. False
// if that cannot be done: named on standard error.
bool inspect_trace(struct inspection *inspection, const struct sct_trace *trace);

// Frees the story.
void inspect_end(struct inspection *inspection);

// How the story in the report on standard output is to look.
struct report_text_options inspect_look(const struct options *options, bool use_color);

#endif
