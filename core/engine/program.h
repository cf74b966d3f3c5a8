// Programs: what is run, as the engine sees it.
//
// Stability: fields may come; those that are there stay within 0.2.
#ifndef CORE_ENGINE_PROGRAM_H
#define CORE_ENGINE_PROGRAM_H

#include "core/base/api.h"
#include "core/base/digest.h"
#include "core/base/text.h"
#include "core/engine/edge.h"
#include "core/engine/result.h"

#include <stdbool.h>

// Memory outside of the arena and the stacks that executions of a program change.
struct sct_outside {
    // Tells [tell] of each range, as it is now; false: there is too much of it to be copied.
    bool (*visit)(void (*tell)(void *to, void *memory, size_t bytes), void *to);
    // The ranges have their former contents again, of which others may have been more.
    void (*returned)(void);
};

// Its functions get [context], or what its setup has put in its place (sct_context_set).
struct sct_program {
    // Creates machines and tasks. Runs before anything is scheduled, as one atomic step.
    void (*setup)(void *context);
    // Checks the end, once nothing can run and nothing is left unfinished; atomic. May be NULL.
    void (*finish)(void *context);
    void *context;
    // Adds to [remark] what a second opinion says of a violation; atomic, in an execution that has
    // ended, where machines may be suspended anywhere. Not after a crash, hang or the like, which
    // may have left anything behind. A fault of its own becomes the remark. May be NULL.
    void (*review)(void *context, const struct sct_violation *violation, struct text *remark);
    // Called when an execution is over, however it has ended, and outside of it: puts back what of
    // the process is its user's (a working folder). A fault in it is no finding. May be NULL.
    void (*leave)(void *context);
    // Adds to *[state] what tasks share, so that states can be compared: everything outside of
    // tasks, mailboxes, the things of sync.h and the primitives of core/threads that a task or the
    // final check may still read, in contents, never addresses. NULL: the program's states cannot
    // be compared.
    void (*digest)(void *context, struct digest *state);
    // Tasks say what they read of that (sct_observe). Otherwise each step counts as having read all
    // of it: sound whatever the program does, but with more states, and without end where a task
    // goes round in a loop.
    bool tasks_observe;
    // A task does nothing that another could tell before its first scheduling point or wait: it
    // draws no value, makes or starts nothing, reads and writes nothing that is shared, and does
    // not end. Then it comes there at once, when the step that starts it ends: to begin is no
    // decision and no state of its own, and a search has fewer of both. A program error where the
    // engine sees that it is not so.
    bool begins_quietly;
    // It says which tasks are of one kin (sct_kin, core/engine/inside.h), and a reduced search
    // without a state cache tries one only of those that are still alike: what the others would do
    // in its place is the same but for their names (core/search/sleep.h).
    bool has_twins;
    // All that an execution changes lies in the arena and on stacks of coroutines; statics are set
    // before the first choice and the same each time. A systematic search may then go back by
    // copying memory (core/search/snapshot.h).
    bool is_copyable;
    // What it changes elsewhere, and has copied; NULL: nothing.
    const struct sct_outside *outside;
    // How its atomics behave, and who looks for races (core/memory/memory.h). NULL: it is
    // sequentially consistent, and nobody does.
    struct sct_memory *memory;
    // A task begins with zeros on its stack, not with what another has left there: for code that
    // may read a variable that it has not set, and then reads the same in each execution.
    bool has_clear_stacks;
    // Bytes of stack that its tasks need: for whoever opens the engine. 0: what is usual.
    size_t stack_bytes;
};

// Of setup: what this execution's finish, review and digest get instead of the program's context:
// what setup has made in the arena, so that no static needs to hold it.
SCT_API void sct_context_set(void *context);

// What they get; of the last execution between two of them.
void *sct_context(void);

// The program that is being run, of setup, finish and review: a check of this execution reached a
// limit of its own and has no verdict. Counted; the execution goes on.
SCT_API void sct_check_gave_up(void);

#endif
