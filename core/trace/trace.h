// Traces: an execution as data, and as text.
//
// The text is line oriented, versioned and ends in a checksum. It says what was run (model, test,
// bug, and of some a binding: opaque here), how it was found, and what happened. Replaying it needs
// the program and the decisions only. A decision has a line
//     INDEX schedule|value COUNT ANSWER MACHINE LABEL
// but two or more (up to SCT_TRACE_DEFAULTS_MAX) that follow each other and were answered by
// default, the first alternative, have one together:
//     INDEX default N: sCOUNT MACHINE LABEL; vCOUNT MACHINE LABEL; ...
// (s: schedule, v: value). In version 1, which is read as well, all have the first form.
#ifndef CORE_TRACE_TRACE_H
#define CORE_TRACE_TRACE_H

#include "core/engine/execution.h"

enum {
    SCT_TRACE_VERSION = 2,
    SCT_TRACE_DEFAULTS_MAX = 8,
    SCT_TRACE_NAME_BYTES = 96,
    SCT_TRACE_BINDING_BYTES = 256,
    SCT_TRACE_BYTES_MAX = 1 << 30,
};

struct sct_trace {
    // What was run.
    char model[SCT_TRACE_NAME_BYTES];
    char test[SCT_TRACE_NAME_BYTES];
    char bug[SCT_TRACE_NAME_BYTES]; // "none", or the bug's name
    // What else it is of, of programs that can change under the same name: a build, arguments.
    // Empty, and then not in the text: nothing.
    char binding[SCT_TRACE_BINDING_BYTES];
    uint32_t steps_max;
    // How it was found; if it was minimised since, how the original was.
    char strategy[SCT_TRACE_NAME_BYTES];
    struct sct_calibration calibration;
    uint64_t seed;
    uint64_t iteration;
    // What happened. [outcome] is never SCT_DIVERGED.
    enum sct_outcome outcome;
    char kind[SCT_TRACE_NAME_BYTES]; // SCT_VIOLATED only, as the next two
    char machine[SCT_TRACE_NAME_BYTES];
    char message[1024];
    uint64_t fingerprint;
    uint32_t decision_count;
    struct sct_decision *decisions; // machine NULL: the label says it all
    char *storage;                  // what labels point into, if it was read or copied
};

// Fills in what happened from the engine's last run. The decisions are copied (malloc); their
// texts are those of the engine and of the program, until the next execution.
void sct_trace_capture(struct sct_trace *trace, const struct sct_engine *engine,
                       const struct sct_result *result);

// Makes [to] a copy of [from] that owns all its texts.
void sct_trace_copy(struct sct_trace *to, const struct sct_trace *from);

// Whether [trace] tells of that violation, or of one of that [kind], in the words of its text: one
// line each, cut where there is no more room.
bool sct_trace_is_of(const struct sct_trace *trace, const struct sct_violation *violation);
bool sct_trace_is_of_kind(const struct sct_trace *trace, const char *kind);

// "schedule" or "value", as in the text of a trace.
const char *sct_decision_kind_name(enum sct_decision_kind kind);

// Frees what the trace owns.
void sct_trace_free(struct sct_trace *trace);

// The text of [trace], with malloc, NUL-terminated.
char *sct_trace_format(const struct sct_trace *trace);

// Parses [text] ([length] bytes, taken over as the trace's storage whatever the result). The error
// names the line, what was found and what was expected.
bool sct_trace_parse(char *text, size_t length, struct sct_trace *trace, struct error *error);

// Writes [text] to [path]: all or nothing if that is a regular file, and on disk on return
// (core/base/file.h).
bool sct_trace_write(const char *path, const char *text, struct error *error);

bool sct_trace_read(const char *path, struct sct_trace *trace, struct error *error);

#endif
