// What of a systematic search the options ask for, and whether that goes together.
//
// core/search/search.h says what goes with what and why; here the options are named. What is asked
// for and cannot be is an error; what is on unless it is asked for (the cache) is left out.
#ifndef HARNESS_CLI_SEARCH_OPTIONS_H
#define HARNESS_CLI_SEARCH_OPTIONS_H

#include "core/search/search.h"
#include "harness/cli/session.h"

// Of one process.
struct sct_search_options search_options(struct session *session);

// Whether the session's strategy, systematic or not, does all that the options ask for.
bool search_options_check(struct session *session, struct error *error);

#endif
