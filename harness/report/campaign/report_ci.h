// Reports for continuous integration: JUnit XML and annotations of GitHub's workflow commands.
#ifndef HARNESS_REPORT_CAMPAIGN_REPORT_CI_H
#define HARNESS_REPORT_CAMPAIGN_REPORT_CI_H

#include "harness/report/campaign/report.h"

// Writes the campaign as a test suite of one test case to the file at [path]: valid for the schema
// of Jenkins and for that of Ant's JUnit task. What XML cannot hold becomes '?'.
bool report_junit(const char *path, const struct campaign_report *run,
                  const struct sct_campaign *campaign, struct error *error);

// One "::error" line a group of violations, or one "::notice" line.
void report_campaign_github(FILE *out, const struct campaign_report *run,
                            const struct sct_campaign *campaign);

#endif
