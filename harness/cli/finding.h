// Findings: the trace of an execution that violates something, from whoever found it to its file.
#ifndef HARNESS_CLI_FINDING_H
#define HARNESS_CLI_FINDING_H

#include "harness/cli/session.h"

// The engine's last run, as iteration [iteration] of the session's campaign; not bound to the
// engine. To be freed.
void finding_capture(const struct session *session, uint64_t iteration,
                     const struct sct_result *result, struct sct_trace *trace);

// The execution that ended the campaign's process, as a trace; to be freed.
void finding_of_death(const struct session *session, const struct sct_death *death,
                      struct sct_trace *trace);

// Writes [trace], which it takes over, before anything else is done with it, and notes where; the
// first of a session is kept. If it cannot be written it goes to standard error: nothing is lost.
// But one that the session's witness does not confirm is session->unconfirmed, if it is the first.
void finding_keep(struct session *session, struct sct_trace *trace);

#endif
