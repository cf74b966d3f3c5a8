// Tolerant replay: follows a recording as far as it fits a system that has changed since.
//
// A decision is recognised by its words, the machine and the label. For a value, the next recorded
// one of the same words within SCT_TOLERANT_REACH decisions answers; if there is none, or its
// answer does not fit, the first alternative does. For the turn, the recorded machine gets it: at a
// step that the recording has later what lies between is skipped, at one that it does not have the
// recording waits. If the machine is not enabled, the running one goes on, or else the first
// enabled.
#ifndef CORE_TRACE_TOLERANT_H
#define CORE_TRACE_TOLERANT_H

#include "core/trace/trace.h"

enum { SCT_TOLERANT_REACH = 64 };

struct sct_tolerant {
    struct sct_strategy base; // pass &tolerant.base to sct_engine_run
    const struct sct_trace *trace;
    uint32_t position; // in the recording
    // Where the execution first differed from the recording.
    bool has_left;
    uint32_t left_at;   // decision of the execution
    struct error where; // in words: what was recorded, what was met
};

// [trace] must outlive the replay.
void sct_tolerant_init(struct sct_tolerant *tolerant, const struct sct_trace *trace);

// To be called after the execution: whether it ended with decisions left in the recording counts as
// leaving it.
void sct_tolerant_finish(struct sct_tolerant *tolerant, const struct sct_result *result);

// Whether the execution ended with the recorded kind of violation, or without one if the recording
// has none. False and one line (what was recorded, what happened) if not.
bool sct_tolerant_confirms(const struct sct_tolerant *tolerant, const struct sct_result *result,
                           struct error *difference);

#endif
