// Reports about one execution, made from its story: a page, a text, logs for other tools.
#ifndef HARNESS_REPORT_EXECUTION_REPORT_H
#define HARNESS_REPORT_EXECUTION_REPORT_H

#include "core/trace/trace.h"
#include "harness/report/execution/story.h"

#include <stdio.h>

// How the user calls the command, for lines that can be copied to a shell: what stands before the
// options of such a line, and what stands last, from its space on; NULL: nothing.
struct report_call {
    const char *command, *arguments;
};

static inline const char *report_call_end(struct report_call call) {
    return call.arguments ? call.arguments : "";
}

// What a report about one execution is of, for headings and for the command that runs it again.
struct execution_report {
    struct subject_run what;
    const struct sct_trace *trace; // the recording; its decisions are not looked at
    const char *trace_path;        // where it is; NULL or "": nowhere
    bool is_minimized;             // it was found as another one and then made smaller:
    const char *original_path;     // where that is; NULL or "": nowhere
    char *const *explanation;      // why it fails, in sentences
    size_t explanation_count;      // 0: nobody asked
    struct report_call call;
};

// Writes to the file; the stream's error flag tells of failures.
typedef void (*report_writer)(FILE *out, const struct execution_report *run,
                              const struct story *story);

// A page for people: one file, nothing else is loaded (page.c).
void report_write_page(FILE *out, const struct execution_report *run, const struct story *story);

// A log with vector clocks, for ShiViz (export_shiviz.c).
void report_write_shiviz(FILE *out, const struct execution_report *run, const struct story *story);

// Trace Event JSON, for Perfetto and chrome://tracing. A step takes one millisecond.
void report_write_chrome(FILE *out, const struct execution_report *run, const struct story *story);

// How much of the story a text tells.
struct report_text_options {
    bool use_color;
    bool shows_all; // every step; else the last ones
    unsigned width; // columns
};

// Expected against actual, the last steps by machine, and where everyone stands.
void report_write_text(FILE *out, const struct report_text_options *options,
                       const struct story *story);

// The word for a note's class: "call", "return", "point", ...; "note" for plain ones.
const char *report_note_word(enum sct_note_class note);

// The index of the first step of those that led to the violation in a narrower sense: where the
// blamed machine began what it was doing. 0 if that is not known.
uint32_t report_beginning(const struct story *story);

// Where a trace is and the line that replays it, each behind its name in [width] columns.
void report_paths(FILE *out, int width, const char *path, struct report_call call);

#endif
