// Source-set DPOR (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014, algorithm 1; after Flanagan,
// Godefroid, POPL 2005): an alternative is tried only where a race of an execution asks for it.
// Stands on sleep sets (core/search/sleep.h), whose nodes say what is still to be tried. Internal
// to core/: search.h is for users, and says what is assumed of a program.
//
// Where the theorem ends, everything is tried: an execution that is stopped within a step (a
// violation, the limit of steps) or stops a machine says nothing of steps not yet taken, so all
// alternatives along its path are added, and only sleep sets reduce there. Executions that end
// because every task that could run sleeps (SCT_PRUNED) are counted apart; the wakeup trees of that
// paper would have none.
//
// Its records are of the whole execution, so every prefix is run again. Memory is one record per
// step of the longest execution and grows between steps only when an execution is longer than all
// before.
#ifndef CORE_SEARCH_DPOR_H
#define CORE_SEARCH_DPOR_H

#include "core/search/sleep.h"

struct sct_dpor;

// On [sleep], whose search has no cache (asserted). FAIL_RESOURCE without memory.
struct sct_dpor *sct_dpor_new(struct sct_sleep *sleep);

void sct_dpor_free(struct sct_dpor *dpor);

// An execution begins, from the beginning.
void sct_dpor_begin(struct sct_dpor *dpor);

// What the running step (or setup) does: starts the task in [slot], wakes it, enables it, or stops
// a machine; or nothing can run, and time passes. See struct sct_seam.
void sct_dpor_start(struct sct_dpor *dpor, unsigned slot, uint64_t signature);
void sct_dpor_wake(struct sct_dpor *dpor, unsigned slot);
void sct_dpor_grant(struct sct_dpor *dpor, unsigned slot);
void sct_dpor_stop(struct sct_dpor *dpor);
void sct_dpor_time_passes(struct sct_dpor *dpor);

// The same moments as in sleep.h, each after the sleep sets have had theirs.
void sct_dpor_close(struct sct_dpor *dpor);
void sct_dpor_point(struct sct_dpor *dpor, const struct sct_engine *engine);
void sct_dpor_open(struct sct_dpor *dpor, const struct sct_engine *engine, unsigned slot);

// After an execution, before its path is moved on: looks for races, and asks for what they want.
void sct_dpor_end(struct sct_dpor *dpor, const struct sct_engine *engine);

#endif
