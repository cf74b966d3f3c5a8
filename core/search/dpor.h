// Reduction of a systematic search by partial orders: of executions that differ only in the order
// of steps which do not depend on each other (a Mazurkiewicz trace) one is enough.
//
//   sleep  sleep sets (Godefroid, 1996): a task whose step was tried at a state is not tried again
//          after independent steps. All alternatives are still begun; each trace is completed once.
//   dpor   source-set DPOR (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014, algorithm 1; after
//          Flanagan, Godefroid, POPL 2005) with sleep sets: an alternative is tried only where a
//          race of an execution asks for it.
//
// Both complete exactly one execution of every trace, so they find the same final states,
// deadlocks and violations as the whole tree. Executions that end because every task that could run
// sleeps (SCT_PRUNED) are counted apart; the wakeup trees of that paper would have none.
//
// A step goes from one scheduling point to the next of its task. It touches what was declared at
// the point where it begins, or at its task's start, and what it names on the way ([sct_touch]).
// The engine itself names mutexes, latches, queues, mailboxes, the ends of threads, monitors, and
// whatever is numbered in the order of creation; starting and waking order steps as well. The
// assumption is that nothing else which tasks share is read or written in it: then two steps that
// are not dependent (sct_accesses_race) commute. A program for which this does not hold loses
// executions. Value choices are explored to the last wherever their step is taken.
//
// Where the theorem ends, everything is tried: an execution that is stopped within a step (a
// violation, the limit of steps) or stops a machine says nothing of steps not yet taken, so all
// alternatives along its path are added, and only sleep sets reduce there.
//
// With a state cache (core/search/explore.h) sleep sets leave out transitions only: the same states
// are met, with the same ends and violations. core/search/sleep.h has the theorem and its
// conditions.
//
// Excluded (the caller must refuse them):
//   - dpor with the state cache: a known state hides races of the executions below it, so that
//     backtrack points are lost (Yang, Chen, Gopalakrishnan, Kirby, SPIN 2008);
//   - bounds: the execution kept for a trace may be one beyond the bound (Coons, Musuvathi,
//     McKinley, OOPSLA 2013).
//
// A search by sleep sets goes back by snapshots (core/search/snapshot.h), one by dpor runs every
// prefix again: its records are of the whole execution. Memory is one record per step of the
// longest execution and grows between steps only when an execution is longer than all before. Costs
// nothing where no reducer is installed.
#ifndef CORE_SEARCH_DPOR_H
#define CORE_SEARCH_DPOR_H

#include "core/engine/execution.h"

enum sct_reduction { SCT_REDUCE_NONE, SCT_REDUCE_SLEEP, SCT_REDUCE_DPOR };

struct sct_reducer;

// For a search along [path], a fresh one without bound, for dpor without cache (asserted).
// FAIL_RESOURCE without memory.
struct sct_reducer *sct_reducer_new(enum sct_reduction reduction, struct sct_path *path);

void sct_reducer_free(struct sct_reducer *reducer);

// Executions of [engine] from now on are chosen by [reducer]; NULL: by the strategy alone.
void sct_engine_reduce(struct sct_engine *engine, struct sct_reducer *reducer);

// Whether it leaves out transitions only, never states: sleep sets alone. Its search may have a
// cache, and go back by copying memory (core/search/snapshot.h).
bool sct_reducer_keeps_states(const struct sct_reducer *reducer);

// After every execution of the search, before its path is moved on: looks for races.
void sct_reducer_end(struct sct_reducer *reducer, const struct sct_engine *engine);

#endif
