// Panels: what a system under test shows of itself in reports, as named tables of text.
//
// A scenario's hook [show] writes them when a report asks, between two steps of an execution. It
// looks only: no scheduling point, no choice, nothing from the execution's arena. To reports the
// cells mean nothing but what stands here.
#ifndef HARNESS_SUBJECT_PANELS_H
#define HARNESS_SUBJECT_PANELS_H

#include <stddef.h>

enum panel_kind {
    PANEL_TABLE, // rows of contents; shown at the selected step, with what changed
    PANEL_ASIDE, // the same, of what is not contents: what changes in it is not told elsewhere
    PANEL_TRACK, // rows of NAME, VALUE; shown over time, a band for each name
};

// A word of the system's vocabulary and what it means. In lists the last is NULL, NULL.
struct term {
    const char *word, *meaning;
};

// A column whose name begins with "~" holds words about the row, not contents.
struct panel_form {
    const char *name;
    enum panel_kind kind;
    const char *summary;        // one sentence for those who do not know the system
    const char *const *columns; // NULL-terminated
    size_t key_count;           // the first so many cells say which row it is
    // PANEL_TRACK: the values there can be, in their order, and each in a few words. NULL: unknown.
    const struct term *values;
    // PANEL_TRACK: a letter or digit for each of [values], for where there is no room for more, so
    // chosen that it cannot be taken for another number of the system's. NULL: numbered from 1.
    const char *signs;
};

// Where panels are written to; the report's.
struct panel_sink;

// Begins the contents of a panel. [form] is a constant; the panels of one scenario always come in
// the same order.
void panel_begin(struct panel_sink *sink, const struct panel_form *form);

// The next cell, row by row.
void panel_cell(struct panel_sink *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
