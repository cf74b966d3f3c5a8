// Sleep sets (Godefroid, 1996, chapter 5): a task whose step was tried at a state is not tried
// again after steps that are independent of it. Internal to core/: search.h is for users,
// and says what a step is, what it touches and what is assumed of it.
//
// With a state cache (core/search/explore.h) they leave out transitions, never states. The
// published combination (Godefroid, Holzmann, Pirottin: State-Space Caching Revisited, CAV 1992)
// keeps with each state who slept when it was searched, and searches it again for whoever is awake
// the next time. Here that is not needed, because of what the cache knows anyway: a state is
// complete when its search has ended and below it there was no cut, that is nothing stopped at the
// limit of points or at a state that was met before and was not complete (it may be on the path
// still). So:
//   - a task that was tried goes to sleep only if there was no cut below its steps;
//   - a state that was met before ends the execution, whoever sleeps or slept.
//
// Lemma. When a state s becomes complete all its successors have been met and are complete. By
// induction over the time at which states become complete. A step that was tried at s led to a
// state that was new and then became complete, or was complete. A task t that slept at s had been
// tried at a state a on the path to s, without a cut: what its step leads to from a was complete
// then. The steps w on the path from a to s are independent of t, so t followed by w leads to where
// w followed by t does, to the successor of s by t; and its states are, one after the other,
// successors of states that had become complete before.
//
// Theorem. Every state that can be reached is met, and so is every violation and every end. For
// each state that is met, each enabled task was either tried there when it was searched, or slept,
// and then what it leads to was met by the lemma. (A violation or an end counts as a state without
// successors; a step after w is the same violation as before, since w touches nothing that it
// does.) Where there is a cycle or a cut, tasks stay awake above it. Without that rule states are
// lost: in a model of this search, in 16 of 40,000 random automata.
//
// What it rests on beside the assumptions of search.h:
//   - A task sleeps with all its values: all were tried, and what any of them touches can wake it.
//   - Two independent steps lead to the same key of the cache in either order. What a task has
//     observed is changed by its own steps only; what a program adds must be of contents, and in no
//     order that comes from independent steps.
//   - No bound on delays or preemptions: the order that is kept may cost more (asserted).
// The limit of points is no condition: whatever it stops is a cut.
//
// With a memory (core/memory, c11) dependence is less than a race. Let z be a step that was tried
// at a prefix p, and w the steps of others after p, none of which z depends on but by locations
// (modes LOAD, STORE, UPDATE): not by an order of SEQ_CST, for which their places stand, nor
// otherwise. An execution is a graph: which store each load has read, and the order of the stores
// of each location. So:
//   - z stores only: it sleeps on, whatever w loads and stores;
//   - z loads, w stores nothing there: it sleeps on;
//   - z loads and w stores: z is half awake. It is tried again, but reads only stores of w.
//
// Lemma. If p, w, z leads to a graph in which z reads, if anything, a store x of p, then p, z, w
// leads to the same graph. What z may read is bounded by what its thread knows, and only its own
// steps change that; after p it knows of no fewer stores as the oldest one, and x is there, not yet
// updated. Where z stores, let it go where the stores of w will leave it room: each of them went to
// its place beside z's in the first execution or z went beside it; none of w's threads knows of z,
// since none has read it and no fence tells of it, so z bounds neither what they may read nor where
// they may store; and z goes between no update and what that has read, in neither execution. Times
// of SEQ_CST are compared with those of fences alone, and between accesses of one location: all of
// these are places, on which z does not depend. Messages and clocks are functions of the graph.
//
// So what z may do after w and what is not among its half-awake alternatives was reached from p, z,
// which was searched to its end: the theorem's proof (or Godefroid's, without a cache, by the same
// induction) goes through with this lemma in place of commutation. A sleeper half awake that any
// other step depends on wakes wholly; tried again, it sleeps with the new prefix. There is no cache
// with a memory. What a step half awake may not read is barred from its choice; where nothing is
// left, the execution is given up.
//
// Free steps. A step that touches nothing commutes with all steps of others, now and later: where
// one can be taken, taking it first is enough (a persistent set of one). A task whose pending step
// declares nothing is taken so; if the step, with any of its values, touches something after all,
// or the execution does not get beyond it, the node's other tasks are tried as well; so are those
// of all nodes above a step that stops a machine. Without a state cache only: states would become
// complete without all their successors. No more than SCT_FREE_STEPS_MAX in a row, so that a task
// that does nothing for ever keeps nobody waiting.
//
// Arrivals. Who comes to a barrier for n learns whether it is the n-th of its round, and the order
// of the others decides nothing: two arrivals commute where neither is the last. That is a matter
// of where they come: z, which was not the last at p, would be it behind n - 1 others. So the last
// but one says that it is (SCT_ACCESS_ARRIVE_LATE) and wakes every arrival that sleeps; the last
// one's is a write, which all arrivals depend on; the other ones wake none. As long as z sleeps
// each step of w commutes with z where it is taken: an arrival is the (n - 2)th of the round at
// most, z the (n - 1)th. That is all that the proofs ask of w. (Independence in a state: Katz,
// Peled: Defining Conditional Independence Using Collapses, TCS 101, 1992.) Who waits is granted
// its step for good by the last one: that step touches nothing.
//
// Twins. Tasks of one kin (sct_kin) that are still alike at a node, as nothing that a step of
// theirs has done until then can be told from its not being done, go to sleep together: when one
// was tried there, to the end, they all sleep, with what its step has touched, for theirs would
// touch the same. The argument. Exchanging two tasks of a kin, from their beginning, makes of an
// execution one of the program again, with the same verdict, only that names are exchanged; the
// searches' claim is now that of every execution such an image is met. Let s be the exchanges among
// those that are alike at a prefix p: they leave p as it is. What is met is, for each execution w
// from p that does not begin with what sleeps, s(w) for one such s, below p. Who is alike below p
// is so at p, too (the numbers of things, which tell nobody anything, and steps that touch nothing
// aside; those who begin in one step are alike from then on), and twins sleep and wake at the same
// nodes, so who sleeps stays who sleeps under s. With that both inductions go through:
//   - w can begin with the step of t, which was tried: below that, s(w) is met for an s that leaves
//     t where it is.
//   - w can begin with that of a twin of t: exchange the two.
//   - dpor: the step z of t, tried first, depends on a step x before it in w. Below z s(v, x) was
//     run, for an s that leaves z as it is; its race asks at p for the first of s(v), so s(w) is
//     met below p.
// The last is why tasks are alike only until their first step that leaves a trace. Two that have
// read the same are alike again behind both reads, but not between them: s would exchange what
// comes behind a read with what comes before, where no race asks for it. (By sleep sets alone they
// could be merged there, too.) What a value draws is not merged: two stores whose places in the
// order are drawn, not scheduled, are placed both ways.
// Tasks with kin begin before others go on, so that all are alike when the first one moves.
//
// Several processes share a reduced search by parts of its tree (core/search/parts.h), which also
// has what takes the theorem's place where they have a cache in common.
//
// What sleeps is enabled: a step that disabled it would touch what it touches. So where nothing can
// run, and time passes, nobody sleeps. Memory is one record per decision of the path, and grows
// only when a path is longer than all before. A step costs one comparison of footprints for each
// that sleeps.
#ifndef CORE_SEARCH_SLEEP_H
#define CORE_SEARCH_SLEEP_H

#include "core/search/footprint.h"
#include "core/strategy/path.h"
#include "core/strategy/slots.h"

struct sct_engine;

enum { SCT_FREE_STEPS_MAX = 8 };

#define SCT_NO_FRAME UINT32_MAX // more than an enumerator holds

struct sct_sleeper {
    unsigned slot;
    bool is_half_awake;         // it may be tried again, reading newer stores alone
    uint64_t since;             // stores from this time on are newer: the node's when it was tried
    struct sct_footprint print; // of its step, whatever its values
};

// A scheduling decision on the path; at the index of its frame.
struct sct_sleep_node {
    uint64_t enabled;
    uint64_t todo;  // what is to be tried here, but for those who sleep; what was tried included
    uint64_t tried; // to the end
    uint64_t cuts;  // of the path when it took that slot
    unsigned current;
    bool gives_way;
    bool is_given;       // what is left to be tried here is left to others (core/search/parts.h)
    uint32_t end;        // frames of the path when the step that it takes was over
    uint32_t free_steps; // how many nodes, this one the last, had one taken alone; 0: not this one
    unsigned slot;       // that it takes now
    uint64_t time;       // of the next store, of programs with a memory
    uint32_t first, count;           // who sleeps here, in the stack of sleepers
    uint64_t twins;                  // of it: they go to sleep with it
    struct sct_footprint slot_print; // of its step, over all values tried so far
};

// Of the running execution; with the first [asleep_count] of the sleepers of now all that a
// snapshot has to keep.
struct sct_sleep_moment {
    const bool *is_unfinished; // see sct_touch_while
    uint32_t node;             // the frame of the decision that the running step began with
    uint32_t last_node;        // the frame of the last decision, or none
    uint32_t asleep_count;
    uint64_t moved;             // slots whose tasks have twins no more
    unsigned slot;              // of the running step
    uint32_t begin;             // of the path, when it began
    bool is_running;            // a step
    struct sct_footprint print; // of the running step so far
};

struct sct_sleep {
    struct sct_path *path;
    bool takes_free_steps; // alone
    bool takes_loads_last; // where several could be first
    bool merges_twins;
    uint64_t wanted;    // slots that are to be tried at the present point, if they are awake
    bool has_late_stop; // a machine was stopped below a free step whose node is given away
    bool has_diverged;  // a step has touched more than the last time
    struct sct_sleep_moment now;
    struct sct_sleeper asleep[SCT_REDUCED_TASKS_MAX];
    struct sct_sleep_node *nodes;
    uint32_t node_capacity;
    struct sct_sleeper *sleepers; // of all nodes on the path, one after the other
    uint32_t sleeper_capacity;
};

// For a search along [path], whose turns are taken here from now on. FAIL_RESOURCE without memory.
void sct_sleep_init(struct sct_sleep *sleep, struct sct_path *path);

void sct_sleep_deinit(struct sct_sleep *sleep);

// An execution begins, from the beginning.
void sct_sleep_begin(struct sct_sleep *sleep);

// The running step touches [access] too; nothing in setup.
void sct_sleep_touch(struct sct_sleep *sleep, const struct sct_access *access);

// The running step stops a machine: it depends on all others.
void sct_sleep_stop(struct sct_sleep *sleep);

// The running step, if there is one, is over: those who slept and depend on it wake up.
void sct_sleep_close(struct sct_sleep *sleep);

// The execution has ended within the running step, whose effects nobody saw.
void sct_sleep_break(struct sct_sleep *sleep);

// The present point: ends the execution if there is nobody to try, else prepares the decision that
// comes (if there is more than one task to choose from), so that the path takes the first of them.
void sct_sleep_point(struct sct_sleep *sleep, struct sct_engine *engine);

// The marks (core/search/shared_states.h) of those who sleep at the present point.
uint32_t sct_sleep_marks(const struct sct_sleep *sleep, const struct sct_engine *engine);

// At the present point only tasks with one of [marks] are to be tried, and sleep.
void sct_sleep_restrict(struct sct_sleep *sleep, const struct sct_engine *engine, uint32_t marks);

// The record of the decision frames[index], of which there may be no record yet.
struct sct_sleep_node *sct_sleep_node(struct sct_sleep *sleep, uint32_t index);

// The sleepers of [node], the last on the path so far, with room for [count] more.
struct sct_sleeper *sct_sleep_sleepers(struct sct_sleep *sleep, const struct sct_sleep_node *node,
                                       uint32_t count);

// Whether the step that [node] has taken is tried alone there, as long as it is known to be free.
bool sct_sleep_is_alone(const struct sct_sleep_node *node);

// The task in [slot] begins the next step. Leaves the execution if the path has met others here.
void sct_sleep_open(struct sct_sleep *sleep, struct sct_engine *engine, unsigned slot);

#endif
