// The part of a report that says what a campaign has reached.
#ifndef HARNESS_REPORT_CAMPAIGN_REPORT_COVERAGE_H
#define HARNESS_REPORT_CAMPAIGN_REPORT_COVERAGE_H

#include "harness/report/campaign/report.h"

#include <jansson.h>

// A new object: cells, unreached, bug_lines, marks.
json_t *report_coverage_json(const struct campaign_report *run);

// The table of --coverage, the bug lines and the marks.
void report_coverage_text(FILE *out, const struct campaign_report *run);

// The marks alone, if there are any; nothing else says that something has happened.
void report_marks_text(FILE *out);

#endif
