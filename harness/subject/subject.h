// Subjects: what can be run. A model of this project with its tests and optional bugs, somebody's
// suite of tests (core/run/runner.h), a program of one's own.
//
// The command line (harness/cli) and the reports (harness/report) know subjects only. All that is
// optional may be NULL. A subject and what it points to are constant while a command runs.
#ifndef HARNESS_SUBJECT_SUBJECT_H
#define HARNESS_SUBJECT_SUBJECT_H

#include "core/engine/execution.h"
#include "core/engine/machine.h"
#include "harness/subject/coverage.h"
#include "harness/subject/panels.h"

struct sct_campaign;

// How much a line of the narration says to somebody who wants to understand a failure.
enum retold {
    RETOLD_NOTHING, // leave it out
    RETOLD_DETAIL,  // what did not change anything: may be left out or only counted
    RETOLD_ACT,
};

// What reports and explanations know of a test besides what happened; tests of a subject share it.
struct subject_view {
    const struct coverage *coverage; // what its executions count in
    // The state of the running execution (panels.h); [context] is its own (sct_context).
    void (*show)(const void *context, struct panel_sink *sink);
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
    bool has_places; // the places of steps are the system's own, and are told with them
    // The line of source at the place of a step, or NULL; NULL: nobody knows.
    const char *(*source)(const char *where);
};

struct subject_end {
    struct sct_engine *engine; // for further executions: nobody else needs it any more; NULL: none
                               // here, as they would end the process
    const struct sct_campaign *campaign; // NULL: a replay
    const char *kind;                    // of the violation, the first one; NULL: there is none
    bool is_told;  // to somebody: else only what the status depends on is asked for
    bool explains; // an explanation is asked for
};

struct subject_test {
    const char *name;
    const char *summary; // NULL: none
    // Its context is the test's own, or that of the subject's variants.
    struct sct_program program;
    uint32_t steps_max; // 0: the subject's
    // Whether its steps touch no more than they declare, so that searches may leave out orders of
    // independent ones (core/search/search.h).
    bool is_reducible;
    // Each execution is to be in a process of its own, since the test leaves something behind that
    // the next one would find.
    bool is_isolated;
    bool reaches_all; // meant to reach every cell of the coverage that can be reached
    const struct subject_view *view;
    // What it means beside what every report says that a campaign or a replay ended so: lines of
    // text, valid until the process ends, or NULL. NULL: nothing.
    const char *(*conclude)(const struct subject_end *end);
};

// Something about the programs that can be switched on, one thing at a time: an optional bug.
struct variant {
    size_t index;     // among the subject's
    int number;       // as on the command line; unique within a subject
    const char *name; // as on the command line; NULL: there is no such variant
    const char *kind;
    const char *summary; // what it changes
};

struct subject_variants {
    // The [index]-th; its name is NULL after the last.
    struct variant (*at)(size_t index);
    bool are_built_in; // else none can be switched on in this build
    // A new context for the programs of the subject's tests; freed with free(). [on] NULL: none.
    void *(*open)(const struct variant *on);
    // How often executions in that context have passed a place of each variant, on or not: in the
    // order of the variants, always growing.
    const uint64_t *(*passes)(const void *context);
};

struct subject {
    const char *name;
    const char *summary;
    const struct subject_test *const *tests; // at least one; NULL after the last
    const char *default_test;                // NULL: the first
    // Default of --max-steps. Half of it is the shortest fair tail that gives a verdict of
    // livelock: many times the longest proper execution.
    uint32_t steps_max;
    const struct subject_variants *variants;
    // One line that says what else traces and checkpoints are of, if the same name may stand for
    // different programs: a build, arguments. Those of another binding are refused.
    const char *binding;
};

// One test of a subject as it is run.
struct subject_run {
    const struct subject *subject;
    const struct subject_test *test;
    const struct variant *variant; // that is on; NULL: none
    const uint64_t *passes;        // of its places, so far, in the context that runs; NULL: none
};

// Among [subjects], NULL after the last; NULL if there is none of that name.
const struct subject *subject_find(const struct subject *const *subjects, const char *name);

// [name] NULL: the default. NULL if there is none of that name.
const struct subject_test *subject_test(const struct subject *subject, const char *name);

// By decimal number or by exact name; [variant].name is NULL if there is none.
struct variant subject_variant(const struct subject *subject, const char *number_or_name);

// How many there are.
size_t subject_variant_count(const struct subject *subject);

// Default of --max-steps for [test].
uint32_t subject_steps(const struct subject *subject, const struct subject_test *test);

// The test as the engine runs it. [context] is of the subject's variants, if it has them.
struct sct_program subject_program(const struct subject *subject, const struct subject_test *test,
                                   void *context);

// The view of [test], with all members NULL if it has none.
const struct subject_view *subject_view(const struct subject_test *test);

#endif
