// Coverage: how often each cell of a table of situations was reached by the executions that count.
//
// A model names its axes (state, operation, ...); a cell is one value of each, and its count is a
// plain sum, so parts of a campaign add up to the whole in any order. Which cells a test is
// expected to reach, given enough executions, is the model's to say.
#ifndef HARNESS_COVERAGE_H
#define HARNESS_COVERAGE_H

#include "core/base/text.h"
#include "core/marks.h"

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

struct coverage {
    // In the order of cells, the last the fastest. In a printed table the first two are the lines,
    // the others the columns.
    struct coverage_axis axes[COVERAGE_AXES];
    uint64_t *counts; // of all cells
    // What is expected of the cell with these values, and in *[why] the reason if it is excused.
    enum coverage_expectation (*expect)(const size_t *values, const char **why);
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

// What is expected of the [index]-th cell.
enum coverage_expectation coverage_expectation(const struct coverage *coverage, size_t index,
                                               const char **why);

// Whether the cell is required, but was not reached.
bool coverage_is_missing(const struct coverage *coverage, size_t index);

size_t coverage_missing_count(const struct coverage *coverage);

// Appends the cell's values, separated by spaces.
void coverage_name(const struct coverage *coverage, size_t index, struct text *text);

#endif
