// Stories: one execution as data, for reports that draw or sum up.
//
// A story is a view of what is heard while a recorded execution is replayed (story_listen, then
// story_end; core/trace/recording.h), and of what could be seen at each turn. A step is a turn of a
// machine: what it does from being scheduled to its next scheduling point. What a machine drew,
// said and sent in it are its items and arrows; the test's panels are looked at after each step.
// Step 0 is the setup. Everything is copied: a story outlives the execution.
#ifndef HARNESS_REPORT_EXECUTION_STORY_H
#define HARNESS_REPORT_EXECUTION_STORY_H

#include "core/trace/recording.h"
#include "harness/subject/subject.h"

// Steps of longer executions are kept from the end.
enum { STORY_STEPS_MAX = 50000, STORY_PANELS_MAX = 16, STORY_MACHINES_MAX = 64 };

#define STORY_NOWHERE UINT32_MAX

struct story_item {
    enum sct_event_kind kind; // value, note, task started or ended
    enum sct_note_class note; // notes only
    uint32_t machine;         // whose it is: an index of machines
    uint32_t decision;        // values: which decision
    uint32_t count, answer;   // values
    const char *text;
};

struct story_step {
    uint32_t machine;
    const char *label, *where; // where may be NULL
    const char *task;          // the name of the task or activity whose turn it is; "": of none
    uint32_t decision;         // the next one's number if this turn was not decided
    uint32_t count, answer;    // count 1: nobody had to decide
    const char *others;        // who else could have been chosen, a line each, or "":
                               // "machine", tab, "task", tab, "step", tab, what for it has waited
    bool has_waited;           // it begins after a wait, for what the label says
    uint32_t first_item, item_count;
    uint32_t *views; // by panel: index of its view after this step; NULL: not looked at
    bool is_marked;  // a place of the variant that is on was passed
};

struct story_arrow {
    uint32_t from, to; // machines
    uint32_t sent;     // in which step
    uint32_t taken;    // in which; STORY_NOWHERE: never
    const char *label;
    const void *identity;
};

// The contents of a panel: rows of form->columns many cells.
struct story_view {
    const char **cells;
    uint32_t row_count;
};

struct story_panel {
    const struct panel_form *form;
    uint32_t column_count;
    struct story_view *views; // only when it changed
    uint32_t view_count, view_capacity;
};

struct story_place { // see struct sct_standing
    const char *machine, *name, *label, *where, *waits_for;
    bool is_runnable, is_idle, was_running;
    const void *frames[SCT_FRAMES_MAX];
    uint32_t frame_count;
};

struct story {
    const struct subject_view *view;
    const char *machines[STORY_MACHINES_MAX];
    uint32_t machine_count;
    struct story_step *steps;
    uint32_t step_count, step_capacity;
    uint32_t skipped_steps; // before the first, if there were more than STORY_STEPS_MAX
    struct story_item *items;
    uint32_t item_count, item_capacity;
    struct story_arrow *arrows;
    uint32_t arrow_count, arrow_capacity;
    struct story_panel panels[STORY_PANELS_MAX];
    uint32_t panel_count;
    struct story_place *places;
    uint32_t place_count, place_capacity;
    enum sct_outcome outcome;
    struct sct_violation violation; // if the outcome is SCT_VIOLATED
    uint32_t decision_count;
    struct sct_recording recording; // all strings
    // While it listens.
    const struct sct_engine *engine;
    bool is_set_up; // the setup has ended
    struct panel_sink *sink;
};

// Listens to [engine] from now on. [what] will run, with [decisions_expected] decisions (for what
// to keep).
void story_listen(struct story *story, struct sct_engine *engine, const struct subject_run *what,
                  uint32_t decisions_expected);

// The execution has ended with [result]; stops listening.
void story_end(struct story *story, struct sct_engine *engine, const struct sct_result *result);

void story_free(struct story *story);

#endif
