// Explanations: a failing execution in sentences, for somebody who knows the protocol but not the
// failure.
#ifndef HARNESS_REPORT_EXECUTION_EXPLAIN_H
#define HARNESS_REPORT_EXECUTION_EXPLAIN_H

#include "core/trace/episodes.h"
#include "core/trace/minimize.h"
#include "core/trace/nearest.h"
#include "harness/subject/subject.h"

#include <jansson.h>
#include <stdio.h>

#include <stdint.h>

struct explanation {
    char **lines; // one sentence or two each
    uint32_t count, capacity;
};

struct explaining {
    struct sct_engine *engine;
    const struct sct_program *program;
    const struct subject_run *what;
    const struct sct_plan *plan;
    struct sct_nearest_limits limits; // of the search for the nearest execution that passes
};

// Explains what the plan does, in the words of its test's view: one line for every change of
// machine (who was stopped between which two steps, what the others did meanwhile), one for the
// violation, and one for the nearest execution that passes. Runs executions. To be freed with
// explanation_free.
void explain(const struct explaining *explaining, struct explanation *explanation);

// Progress for its limits: a line on standard error that is written over, and is to be cleared with
// [explain_clear_progress].
void explain_show_progress(void *context, const struct sct_nearest *nearest);
void explain_clear_progress(void);

void explanation_free(struct explanation *explanation);

void explanation_print(FILE *out, const struct explanation *explanation);

// Prints [text] in lines of 100 columns; it begins at column [indent], and so do all the others.
void explanation_print_wrapped(FILE *out, int indent, const char *text);

// The member "explanation" of a report; a new reference.
json_t *explanation_json(const struct explanation *explanation);

// The machines of [before] that do nothing in [after], "a, b"; nothing is added if there is none.
void explain_lost_machines(struct text *text, const struct sct_episodes *before,
                           const struct sct_episodes *after);

#endif
