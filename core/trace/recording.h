// Recordings: what a listener hears of one execution, kept beyond its end.
//
// Nobody else listens in order to keep: episodes (core/trace/episodes.h) and the stories of reports
// are views of a recording.
#ifndef CORE_TRACE_RECORDING_H
#define CORE_TRACE_RECORDING_H

#include "core/base/arena.h"
#include "core/engine/listener.h"

struct sct_heard {
    struct sct_event event; // its strings are the recording's; the identity is for comparing only
    uint64_t task;          // the signature of the task whose turn it is; 0: setup or final check
    bool has_grown;         // the counter, since the event before: in the turn before this event
};

struct sct_recording_options {
    size_t bytes;            // of addresses, for strings
    const uint64_t *counter; // something of the program that has no events; NULL: nothing
    uint32_t first_decision; // events before this one are left out
    // Called with each event that is kept, inside the execution and bound as a listener is: for
    // what can be seen only then. [heard] lives during the call. NULL: nobody.
    void (*watch)(void *context, const struct sct_heard *heard);
    void *context;
};

enum { SCT_RECORDING_TEXTS = 256 };

struct sct_recording {
    struct sct_recording_options options;
    struct sct_heard *events;
    uint32_t count, capacity;
    uint32_t turns_left_out;
    bool has_grown;     // the counter, behind the last event
    struct arena arena; // all strings; whoever watches may keep there what belongs to them
    uint64_t counted;
    const char *texts[SCT_RECORDING_TEXTS]; // some that are there already
};

// Listens to [engine] from now on, into [recording], which stays in its place. To be freed with
// sct_recording_free. FAIL_RESOURCE without memory, FAIL_LIMIT with too many bytes of strings.
void sct_recording_start(struct sct_recording *recording, struct sct_engine *engine,
                         const struct sct_recording_options *options);

// The execution has ended; stops listening.
void sct_recording_stop(struct sct_recording *recording, struct sct_engine *engine);

void sct_recording_free(struct sct_recording *recording);

// [text], which may be NULL, for as long as the recording lives.
const char *sct_recording_text(struct sct_recording *recording, const char *text);

#endif
