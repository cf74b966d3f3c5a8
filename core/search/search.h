// Systematic search: one object for all that a search along a strategy's path knows and does.
//
// The strategy (dfs) goes through the tree of all choices. What may be added to it:
//   a state cache  what follows from a state is searched once (core/search/states.h)
//   a reduction    of executions that differ only in the order of steps which do not depend on each
//                  other (a Mazurkiewicz trace) one is enough:
//     sleep  sleep sets (Godefroid, 1996): a task whose step was tried at a state is not tried
//            again after independent steps. All alternatives are still begun; each trace is
//            completed once. With a cache they leave out transitions, never states
//            (core/search/sleep.h has the theorem).
//     dpor   source-set DPOR with sleep sets: an alternative is tried only where a race of an
//            execution asks for it (core/search/dpor.h).
//   snapshots      of a program that can be copied: an execution goes on from the last decision
//                  that it shares with the one before (core/search/snapshot.h)
//
// A search with any of them finds the same final states, deadlocks and violations as one without,
// if the program keeps what it promises:
//   - With a cache: its digest is of all that tasks share, and they observe what they read of it
//     (struct sct_program), if it says that they do. The engine adds what it knows itself: tasks,
//     mailboxes, monitors, the things of sync.h and the primitives of core/threads.
//   - With a reduction: a step goes from one scheduling point to the next of its task. It touches
//     what was declared at the point where it begins, or at its task's start, and what it names on
//     the way ([sct_touch]). The engine itself names mutexes, latches, queues, mailboxes, the ends
//     of threads, monitors, and whatever is numbered in the order of creation; starting and waking
//     order steps as well. Nothing else which tasks share is read or written in a step: then two
//     steps that are not dependent (sct_accesses_race) commute. Value choices are explored to the
//     last wherever their step is taken.
//   - With snapshots: is_copyable.
#ifndef CORE_SEARCH_SEARCH_H
#define CORE_SEARCH_SEARCH_H

#include "core/engine/execution.h"
#include "core/search/explore.h"

enum sct_reduction { SCT_REDUCE_NONE, SCT_REDUCE_SLEEP, SCT_REDUCE_DPOR };

struct sct_search;

// For snapshot_bytes: every prefix is run again.
#define SCT_NO_SNAPSHOTS SIZE_MAX

struct sct_search_options {
    const struct sct_program *program;
    struct sct_strategy *strategy; // systematic: it has a path, where the search stands
    enum sct_reduction reduction;
    uint64_t cache_bytes;             // of a state cache; 0: none
    struct sct_shared_states *shared; // in its place, of several processes, the caller's; or NULL
    bool forgets_nothing;  // sct_forget does nothing: more states, all that was reached is the same
    size_t snapshot_bytes; // 0: what is usually enough, if the program can be copied
};

// What goes with what: false with a reason, in words for the one who asked for it.
//   - A search wants a systematic strategy; it begins where its path stands.
//   - A cache wants a program with a digest, and without a memory (core/engine/edge.h).
//   - Not dpor with a cache: a known state hides races of the executions below it, so that
//     backtrack points are lost (Yang, Chen, Gopalakrishnan, Kirby, SPIN 2008).
//   - Not a reduction with a cache, where tasks do not say what they read: each step counts as
//     having read everything, so two independent ones leave other states in the other order.
//   - Not a reduction with a bound: the execution kept for a trace may be one beyond it (Coons,
//     Musuvathi, McKinley, OOPSLA 2013).
//   - Not a cache with a memory (core/memory/memory.h), whose histories are in no digest; nor a
//     reduction with a memory that bounds stale reads, for the same reason as any bound.
bool sct_search_check(const struct sct_search_options *options, struct error *error);

// A search as [options] say, which are checked (asserted); strategy, program and shared states must
// outlive it. A reduced one wants a fresh path. FAIL_RESOURCE without memory.
struct sct_search *sct_search_open(const struct sct_search_options *options);

// NULL is allowed.
void sct_search_close(struct sct_search *search);

// Runs the execution where the path stands, and takes note of how it ended. The caller then moves
// the path on (sct_path_advance). Nobody may watch tasks; with a listener no snapshots are used.
const struct sct_result *sct_search_run(struct sct_search *search, struct sct_engine *engine,
                                        uint64_t seed);

// The path was moved elsewhere, not on: nothing of the last executions is kept to go back to.
void sct_search_leap(struct sct_search *search);

// Sleep sets, of which parts of a tree take along what is known of their paths: how several
// processes share a search is otherwise a matter of paths alone. NULL: not reduced, or by dpor,
// whose nodes get alternatives from whatever is found below them; such a search is of one process.
struct sct_sleep *sct_search_sleep(struct sct_search *search);

const struct sct_search_options *sct_search_options(const struct sct_search *search);

// What it knows of states; NULL without a cache.
const struct sct_explorer *sct_search_explorer(const struct sct_search *search);

// The states that it has in common with other processes; NULL: none, or no search.
struct sct_shared_states *sct_search_shared(const struct sct_search *search);

// How many executions went on from a snapshot.
uint64_t sct_search_restored(const struct sct_search *search);

#endif
