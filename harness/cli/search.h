// Systematic searches of the command by several processes, and those that can be killed and go on:
// how core/jobs/crew.h is used. All others are campaigns like any.
#ifndef HARNESS_CLI_SEARCH_H
#define HARNESS_CLI_SEARCH_H

#include "core/jobs/crew.h"
#include "harness/cli/session.h"

// Whether the session's search is one of these.
bool search_is_shared(const struct session *session);

// Whether it can be searched as the options say: its checkpoint can be written, and one that is
// resumed, and then open in [resumed], is whole.
bool search_check(const struct session *session, struct sct_checkpoint *resumed,
                  struct error *error);

// Searches. False, with the reason, as sct_crew_run. Of [jobs] the caller has filled in what to
// search, who hears of it, and what is resumed; the options say the rest.
bool search_run(struct session *session, const struct sct_crew_jobs *jobs,
                struct sct_campaign *campaign, struct error *error);

#endif
