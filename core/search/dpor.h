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
// With a memory (core/memory, c11) two steps race by a location only where the earlier one loads
// and the later one stores, without happening after it: what a load could not have read because it
// came too early. Stores find their places, and loads that come later what they read, by choices,
// so neither needs another order; and happens-before is, beside the dependence by other things,
// what a step has read. So executions with the same graph (which store each load has read, the
// order of the stores of each location) count as one trace, and nearly each is run once: by
// tests/core/memory once for every graph, where the graph alone decides (--seq-cst exact).
//
// A race of z and a later x asks for an initial of those steps alone that x happens after and z
// does not, x the last. (Others between them may have read what they will not read in the execution
// that is wanted.) Two read-modify-writes want the same store: x has read z's only because z came
// first, so they race; a compare-exchange that failed for that reason counts as one (is_too_late of
// struct sct_exchange), and one that could only succeed because of z does not: no other store has
// the value that it expects, so before z it would fail, and store nothing that z could read. (In p,
// z, v, x below, if x can read in w what is not of z, that store is there; if z has taken it x
// expects its value, too.)
//
// Claim. Let p be a prefix that was searched to its end, and w steps that can come after p, closed
// under what they happen after, none of them what a sleeper of p would do if it were not woken.
// Then an execution was run from p, given up perhaps, of which the graph has w as a part. With w
// all of an execution and p the beginning this is: every graph is met. Proof, by induction over the
// length that executions can still have. Let t be the first task tried at p, fully awake if anybody
// is, and z its step.
//   - w has no step of t: then p, z, w is possible, z reading what it finds, and w is still none of
//     what sleeps after z, whose sleepers are among those of p. The same where z is in w and reads
//     nothing, or from p, and depends on nothing before it in w: it can come first (lemma of
//     sleep.h), and the rest of w is met below it.
//   - z depends on a step x of w before it, by what it reads or otherwise; x the first such. Let v
//     be what x happens after in w. Then p, z, v, x is possible, z reading something older: below
//     z an execution was run with z, v and x in it, whose races were looked at when it had ended,
//     given up or not. So an initial q of v, x is tried at p: it is in w and reads from p there, so
//     it does not sleep. It can come first, and the rest of w is met below it, where t sleeps, but
//     not z as it is in w, which reads what is newer.
//     (If x, a read-modify-write, can read in p, z, v only what z has stored, v is what it happens
//     after but for that. Should q's step then read from w and not from p, take it for z: what it
//     reads comes before it in w, so this ends.)
// Arrivals at a barrier for n (sleep.h): of one execution it is known who was the last of a round,
// and only that one depends on the others, so only it races with them. Let z be an arrival that is
// not the last at p. If w has n - 1 arrivals of its round without z, let z come behind them: who
// meets that meets w. So z is the last one in w, or nothing before it in w makes a difference. If
// it is the last one let x be the arrival before it, and v what the other arrivals of the round
// happen after, they included, without z and x. In p, z, v, x the last one is x, which comes after
// all of v and races with z: as above an initial of v, x is tried at p. (Who comes as the last but
// one wakes those who sleep, but races with none.)
//
// A task half awake that finds nothing new is one tried in vain: all others are tried then
// (sct_dpor_break). Tasks are begun first that do not load: what comes late has more to read, and
// fewer races. That is a matter of cost alone.
//
// Its records are of the whole execution, and those of a prefix stay where an execution goes on
// from a snapshot. Memory is one record per step of the longest execution and grows between steps
// only when an execution is longer than all before.
#ifndef CORE_SEARCH_DPOR_H
#define CORE_SEARCH_DPOR_H

#include "core/search/sleep.h"

struct sct_dpor;
struct sct_memory;

// Of the running execution; with the first so many slots all that a snapshot has to keep. (Its
// records of steps are those of the path, and stay.)
struct sct_dpor_moment {
    uint32_t step_count;
    uint32_t running; // the step, or none
    bool is_barrier_next, has_stopped;
    struct sct_dpor_slot {
        uint32_t process, last_step, waker, granter;
    } slots[SCT_REDUCED_TASKS_MAX];
};

struct sct_dpor_moment *sct_dpor_moment(struct sct_dpor *dpor);

// On [sleep], whose search has no cache (asserted), of a program with [memory], or none.
// FAIL_RESOURCE without memory.
struct sct_dpor *sct_dpor_new(struct sct_sleep *sleep, struct sct_memory *memory);

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

// The running step was given up: its task was tried in vain, so that all others are to be tried.
void sct_dpor_break(struct sct_dpor *dpor);

// The same moments as in sleep.h, each after the sleep sets have had theirs.
void sct_dpor_close(struct sct_dpor *dpor);
void sct_dpor_point(struct sct_dpor *dpor, const struct sct_engine *engine);
void sct_dpor_open(struct sct_dpor *dpor, const struct sct_engine *engine, unsigned slot);

// After an execution, before its path is moved on: looks for races, and asks for what they want.
void sct_dpor_end(struct sct_dpor *dpor, const struct sct_engine *engine);

#endif
