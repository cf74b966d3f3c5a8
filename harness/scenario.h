// Models and scenarios: what the command can run. One file and one registry line each.
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include "bugs/bugs.h"
#include "core/engine/execution.h"
#include "core/engine/machine.h"
#include "harness/subject/coverage.h"
#include "harness/subject/panels.h"

// How much a line of the narration says to somebody who wants to understand a failure.
enum retold {
    RETOLD_NOTHING, // leave it out
    RETOLD_DETAIL,  // what did not change anything: may be left out or only counted
    RETOLD_ACT,
};

struct scenario {
    const char *model;
    const char *name;
    const char *summary;
    // The parts of struct sct_program; the context is the struct bug_set of injected bugs.
    void (*setup)(void *bugs);
    void (*finish)(void *bugs);
    void (*review)(void *bugs, const struct sct_violation *violation, struct text *remark);
    void (*digest)(void *bugs, struct digest *state); // NULL: its states cannot be compared
    bool is_copyable;                                 // see struct sct_program
    // Whether its steps touch no more than they declare, so that searches may leave out orders of
    // independent ones (core/search/search.h).
    bool is_reducible;
    const struct coverage *coverage; // what its executions count in
    bool reaches_all;                // meant to reach every cell that can be reached
    // For reports and explanations; all may be NULL.
    void (*show)(struct panel_sink *sink); // the state of the running execution (panels.h)
    // What its words mean; also the names of machines and the kinds of violation. A word may be
    // several, "one, other"; "-N" in it stands for a number. "the system": what it is for.
    const struct term *terms;
    // Puts [note], a line of class [about], into words with the machine as the unsaid subject
    // ("asks the old table for ..."). Not asked about what only the checking said. NULL: the notes
    // are words enough.
    enum retold (*retell)(struct text *text, enum sct_note_class about, const char *note);
    // What a machine does in the step of a label, with the machine as the unsaid subject: "lock",
    // "takes a lock". NULL, or not among them: the label is words enough.
    const struct term *steps;
};

struct model {
    const char *name;
    const char *summary;
    enum bug_model bugs;
    const char *default_test;
    // Default of --max-steps. Half of it, the shortest fair tail that gives a verdict of livelock,
    // is many times the longest proper execution.
    uint32_t steps_max;
};

// The registries (models.def, scenarios.def); NULL after the last.
const struct model *model_at(size_t index);
const struct scenario *scenario_at(size_t index);

const struct model *model_find(const char *name);
const struct scenario *scenario_find(const struct model *model, const char *name);

// The scenario as the engine runs it, with the bugs of [bugs] injected.
struct sct_program scenario_program(const struct scenario *scenario, struct bug_set *bugs);

#endif
