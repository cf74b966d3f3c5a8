// Coverage: how often each cell of a table of situations was reached by the executions that count.
//
// A model names its axes (state, operation, ...); a cell is one value of each, and its count is a
// plain sum, so parts of a campaign add up to the whole in any order. Which cells a test is
// expected to reach, given enough executions, is the model's to say.
#ifndef HARNESS_SUBJECT_COVERAGE_H
#define HARNESS_SUBJECT_COVERAGE_H

#include "core/base/text.h"
#include "core/campaign/marks.h"

enum { COVERAGE_AXES = 4 };

struct coverage_axis {
    const char *name;
    const char *const *values;
    size_t count;
};

enum coverage_expectation {
    COVERAGE_REQUIRED,   // a long run reaches it
    COVERAGE_RARE,       // it can be reached, but a long run may miss it
    COVERAGE_IMPOSSIBLE, // it cannot
};

// What is expected of the cells whose values are all in the sets (bit v of sets[a]: value v of axis
// a), and why.
struct coverage_rule {
    enum coverage_expectation expectation;
    unsigned sets[COVERAGE_AXES];
    const char *why;
};

struct coverage {
    // In the order of cells, the last the fastest. In a printed table the first two are the lines,
    // the others the columns.
    struct coverage_axis axes[COVERAGE_AXES];
    uint64_t *counts; // of all cells
    // The first that holds counts; where none does, the cell is COVERAGE_REQUIRED.
    const struct coverage_rule *rules;
    size_t rule_count;
};

size_t coverage_cell_count(const struct coverage *coverage);

// The values of the [index]-th cell, and back.
void coverage_values(const struct coverage *coverage, size_t index, size_t *values);
size_t coverage_index(const struct coverage *coverage, const size_t *values);

// Counts one in that cell, if what happens now counts (see sct_marks_count).
static inline void coverage_reach(const struct coverage *coverage, size_t index) {
    if (sct_marks_are_counting)
        coverage->counts[index]++;
}

void coverage_reset(const struct coverage *coverage);

// What is expected of the [index]-th cell, and in *[why] the reason, or NULL.
enum coverage_expectation coverage_expectation(const struct coverage *coverage, size_t index,
                                               const char **why);

// Whether the cell is required, but was not reached.
bool coverage_is_missing(const struct coverage *coverage, size_t index);

size_t coverage_missing_count(const struct coverage *coverage);

// Appends the cell's values, separated by spaces.
void coverage_name(const struct coverage *coverage, size_t index, struct text *text);

#endif
