// Witnesses: a process from before the campaign, which has run nothing of the system under test.
//
// The campaign runs in a process that the witness forks. Two things follow from that.
//
// Every new violation is replayed in a fresh process, forked from the witness: one that needs what
// earlier executions left behind in the process (a static, a file) does not reproduce there, and
// nobody could replay its trace.
//
// And no end of the campaign's process goes unseen, not even one that nothing in it could prevent
// (SIGKILL, a system call of the system under test's own, pthread_exit, exec): its decisions lie in
// memory that the witness shares, are replayed in a fresh process, and are a finding if that ends
// in the same way at the same decision.
#ifndef CORE_WITNESS_WITNESS_H
#define CORE_WITNESS_WITNESS_H

#include "core/engine/record.h"
#include "core/trace/trace.h"

#define SCT_KIND_PROCESS_END "process-end" // of violations that a witness finds

struct sct_witness_shared;

struct sct_witness {
    // What is run, and how; set by the caller.
    const struct sct_program *program;
    struct sct_engine_options engine;
    // The rest is the witness's own.
    struct sct_record *record; // of the campaign's process
    struct sct_record *fresh;  // of the fresh process
    struct sct_witness_shared *shared;
    int socket;
};

// How the campaign's process ended.
struct sct_death {
    // Inside an execution: outcome, kind, machine, message and decisions. NULL: outside, and the
    // difference says how.
    const struct sct_trace *trace;
    uint64_t iteration, executions; // as told by sct_witness_note
    // A fresh process ends in the same way at the same decision, or has a violation there: then
    // that is what the trace tells.
    bool is_reproduced;
    const struct error *difference; // if it does not
};

// Forks, and runs campaign([context]) there. Never returns in the witness: it ends the process as
// the campaign's ended, or, if that was inside an execution or by a signal other than those below,
// with the status of on_death, which reports it. In the campaign's process returns the status of
// [campaign]. SIGINT, SIGTERM and SIGHUP go on to the campaign's process. Without memory or
// processes: the campaign without a witness.
int sct_witness_run(struct sct_witness *witness, int (*campaign)(void *context),
                    int (*on_death)(void *context, const struct sct_death *death), void *context);

// In the campaign's process, whose signal handlers are in place: [engine] records where the witness
// can read it, and signals that were held until now are delivered.
void sct_witness_watch(struct sct_witness *witness, struct sct_engine *engine);

// In the campaign's process: the iteration that begins, and how many were counted before it.
void sct_witness_note(struct sct_witness *witness, uint64_t iteration, uint64_t executions);

// In the campaign's process: whether a fresh process replays [text], the text of a trace, as
// recorded; if not, what differs. True if there is no witness.
bool sct_witness_confirms(struct sct_witness *witness, const char *text, struct error *difference);

#endif
