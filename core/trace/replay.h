// Replay: a strategy that answers as a recording did, and notices when the execution differs.
#ifndef CORE_TRACE_REPLAY_H
#define CORE_TRACE_REPLAY_H

#include "core/trace/trace.h"

struct sct_replay {
    struct sct_strategy base; // pass &replay.base to sct_engine_run
    const struct sct_trace *trace;
    uint32_t position; // decisions answered so far
    // If base.diverged: what was asked instead of decision [position] of the recording.
    enum sct_decision_kind asked_kind;
    uint32_t asked_count;
};

// [trace] must outlive the replay.
void sct_replay_init(struct sct_replay *replay, const struct sct_trace *trace);

// Compares the result of replaying with the recording. False and one line (the step, what was
// recorded, what happened) unless outcome, violation and every decision's kind, number of
// alternatives and answer are the same (labels are not compared).
bool sct_replay_confirms(const struct sct_replay *replay, const struct sct_result *result,
                         struct error *difference);

#endif
