// A failing execution that was made smaller: what was removed, and why it fails.
#ifndef HARNESS_REPORT_EXECUTION_MINIMIZED_H
#define HARNESS_REPORT_EXECUTION_MINIMIZED_H

#include "core/trace/minimize.h"
#include "core/trace/trace.h"
#include "harness/report/execution/explain.h"
#include "harness/report/execution/report.h"
#include "harness/report/output.h"

#include <jansson.h>
#include <stdio.h>

struct minimized {
    struct sct_minimum minimum;
    char path[REPORT_PATH_MAX + 40]; // of the new trace; empty if it could not be written
    struct sct_trace trace;          // itself; owned
    char machines[200];              // removed: "a, b", empty: none
    char values[600];                // given back to the first alternative, likewise
    struct explanation explanation;
};

void minimized_free(struct minimized *minimized);

void minimized_print(FILE *out, const struct minimized *minimized, struct report_call call);

// The member "minimized" of a report; a new reference.
json_t *minimized_json(const struct minimized *minimized);

#endif
