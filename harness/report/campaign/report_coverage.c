#include "harness/report/campaign/report_coverage.h"
#include "harness/report/json.h"

#include <inttypes.h>
#include <string.h>

enum { CELL_NAME_BYTES = 120, LABEL_WIDTH = 24, COLUMN_WIDTH = 7 };

// ---- JSON --------------------------------------------------------------------------------------

static json_t *json_cell(const struct coverage *coverage, size_t index) {
    size_t values[COVERAGE_AXES];
    coverage_values(coverage, index, values);
    json_t *object = json_object();
    for (size_t i = 0; i < COVERAGE_AXES; i++)
        json_object_set_new(object, coverage->axes[i].name,
                            json_string(coverage->axes[i].values[values[i]]));
    json_object_set_new(object, "count", value_number(coverage->counts[index]));
    return object;
}

static json_t *json_cells(const struct coverage *coverage) {
    json_t *array = json_array();
    for (size_t i = 0; i < coverage_cell_count(coverage); i++)
        if (coverage->counts[i] > 0)
            json_array_append_new(array, json_cell(coverage, i));
    return array;
}

static json_t *json_unreached(const struct coverage *coverage) {
    json_t *array = json_array();
    for (size_t i = 0; i < coverage_cell_count(coverage); i++) {
        char buffer[CELL_NAME_BYTES];
        struct text name = text_in(buffer, sizeof buffer);
        if (!coverage_is_missing(coverage, i))
            continue;
        coverage_name(coverage, i, &name);
        json_array_append_new(array, json_string(name.data));
    }
    return array;
}

static json_t *json_variant_lines(const struct campaign_report *run) {
    ASSERT(run->reached || !run->what.subject->variants);
    json_t *object = json_object();
    for (size_t i = 0; i < subject_variant_count(run->what.subject); i++)
        json_object_set_new(object, run->what.subject->variants->at(i).name,
                            value_number(run->reached[i]));
    return object;
}

static json_t *json_marks(void) {
    json_t *object = json_object();
    for (const struct sct_mark *mark = NULL; (mark = sct_marks_next(mark));) {
        const json_t *before = json_object_get(object, mark->name); // another place of that name
        uint64_t count = mark->count + (uint64_t)json_integer_value(before);
        if (count > 0)
            json_object_set_new(object, mark->name, value_number(count));
    }
    return object;
}

json_t *report_coverage_json(const struct campaign_report *run) {
    const struct coverage *coverage = subject_view(run->what.test)->coverage;
    ASSERT(coverage || !run->what.test->reaches_all);
    json_t *object = json_object();
    json_object_set_new(object, "cells", coverage ? json_cells(coverage) : json_array());
    json_object_set_new(object, "unreached",
                        run->what.test->reaches_all ? json_unreached(coverage) : json_array());
    json_object_set_new(object, "bug_lines", json_variant_lines(run));
    json_object_set_new(object, "marks", json_marks());
    return object;
}

// ---- Text --------------------------------------------------------------------------------------

// Shortened to at most six characters.
static void print_count(FILE *out, uint64_t count) {
    if (count < 100000)
        fprintf(out, " %*" PRIu64, COLUMN_WIDTH - 1, count);
    else if (count < 100000000)
        fprintf(out, " %*" PRIu64 "k", COLUMN_WIDTH - 2, count / 1000);
    else
        fprintf(out, " %*" PRIu64 "M", COLUMN_WIDTH - 2, count / 1000000);
}

static void print_cell(FILE *out, const struct coverage *coverage, size_t index) {
    const char *why;
    if (coverage->counts[index] == 0 &&
        coverage_expectation(coverage, index, &why) == COVERAGE_IMPOSSIBLE)
        fprintf(out, " %*s", COLUMN_WIDTH - 1, ".");
    else
        print_count(out, coverage->counts[index]);
}

static size_t column_count(const struct coverage *coverage) {
    return coverage->axes[2].count * coverage->axes[3].count;
}

// A line without a count is of interest if one could be there.
// The last two axes make the columns, the first two the lines.
static bool is_line_empty(const struct coverage *coverage, size_t line) {
    size_t columns = column_count(coverage);
    for (size_t i = line * columns; i < (line + 1) * columns; i++)
        if (coverage->counts[i] > 0 || coverage_is_missing(coverage, i))
            return false;
    return true;
}

static void print_heading(FILE *out, const struct coverage *coverage) {
    const struct coverage_axis *outer = &coverage->axes[2], *inner = &coverage->axes[3];
    int group = (int)inner->count * COLUMN_WIDTH;
    fprintf(out, "%-*s", LABEL_WIDTH, "");
    for (size_t i = 0; i < outer->count; i++)
        fprintf(out, " %-*.*s", group - 1, group - 1, outer->values[i]);
    fprintf(out, "\n%-*s", LABEL_WIDTH, "");
    for (size_t i = 0; i < column_count(coverage); i++)
        fprintf(out, " %*.*s", COLUMN_WIDTH - 1, COLUMN_WIDTH - 1, inner->values[i % inner->count]);
    fprintf(out, "\n");
}

static void print_line(FILE *out, const struct coverage *coverage, size_t line) {
    char buffer[CELL_NAME_BYTES];
    struct text label = text_in(buffer, sizeof buffer);
    const struct coverage_axis *outer = &coverage->axes[0], *inner = &coverage->axes[1];
    text_add(&label, "%s %s", outer->values[line / inner->count],
             inner->values[line % inner->count]);
    fprintf(out, "%-*s", LABEL_WIDTH, label.data);
    size_t columns = column_count(coverage);
    for (size_t i = line * columns; i < (line + 1) * columns; i++)
        print_cell(out, coverage, i);
    fprintf(out, "\n");
}

static void print_table(FILE *out, const struct coverage *coverage) {
    fprintf(out, "coverage: calls by %s, %s, %s and %s (. cannot be)\n", coverage->axes[0].name,
            coverage->axes[1].name, coverage->axes[2].name, coverage->axes[3].name);
    print_heading(out, coverage);
    size_t lines = coverage->axes[0].count * coverage->axes[1].count;
    for (size_t i = 0; i < lines; i++)
        if (!is_line_empty(coverage, i))
            print_line(out, coverage, i);
}

static void print_variant_lines(FILE *out, const struct campaign_report *run) {
    fprintf(out, "bug lines reached:\n");
    for (size_t i = 0; i < subject_variant_count(run->what.subject); i++)
        fprintf(out, "  %12" PRIu64 "  %s\n", run->reached[i],
                run->what.subject->variants->at(i).name);
}

static void print_marks(FILE *out) {
    fprintf(out, "marks reached:\n");
    for (const struct sct_mark *mark = sct_marks_next(NULL), *next; mark; mark = next) {
        uint64_t count = mark->count;
        // Marks are in the order of their names, so those of one name stand together.
        for (next = mark->next; next && strcmp(next->name, mark->name) == 0; next = next->next)
            count += next->count; // another place of that name
        if (count > 0)
            fprintf(out, "  %12" PRIu64 "  %s\n", count, mark->name);
    }
}

void report_marks_text(FILE *out) {
    if (sct_marks_next(NULL))
        print_marks(out);
}

void report_coverage_text(FILE *out, const struct campaign_report *run) {
    const struct coverage *coverage = subject_view(run->what.test)->coverage;
    if (coverage)
        print_table(out, coverage);
    if (run->what.subject->variants)
        print_variant_lines(out, run);
    print_marks(out);
}
