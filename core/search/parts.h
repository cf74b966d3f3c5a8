// How a search with sleep sets shares its tree. Internal to core/: search.h is for users.
//
// As without a reduction (core/strategy/path.h) one part of a tree is all leaves from some leaf on
// up to the last that its path would still come to, and a piece of it is given away at its right
// end. What is different: at a node, what was tried before sleeps in all that is tried after it,
// and what is tried there at all may depend on what is seen below. So a part takes along the nodes
// of its path: who sleeps there, with what footprints, and what was tried. All else of a node is a
// function of the prefix, as the order is in which tasks are tried. Then the parts together have
// the leaves of one process, each once, and in their order:
//   - An alternative is tried with all that was tried before it asleep. Who sleeps with what its
//     step touched needs all of the step's values. So a path is parted at a decision only where
//     what its present alternative draws in its step has been drawn to the last, or at one of these
//     draws: then what is given away has all that are left of them, the node's other alternatives,
//     and whatever else is left above it. Nobody needs what the others see of the same step.
//   - What is tried at a node is known when it is parted, but where a free step was taken alone
//     (core/search/sleep.h): its step may touch something yet, which is known as soon as its values
//     are drawn to the last, so that no path is parted before that; or a machine may be stopped
//     anywhere below. So when a path is parted below such a node, the node itself is a guard: a
//     part that nobody searches until all that is below it has been, and then only if a machine was
//     stopped there. A path above which something is left is not parted below such a node: then all
//     below it comes before all that is left, and so the guard does.
//   - Stores have the same times in each process, which are functions of the prefix, too.
// A step that touches what it did not touch in the process that ran it before (keys that are
// addresses, say) is found when a prefix is run: the execution diverges.
//
// With a state cache (core/search/shared_states.h) there is no order in which states become
// complete, and the condition of the theorem of sleep.h cannot be asked for: without it states
// would be lost, also where there are no cycles (three tasks each of which sleeps where another one
// waits to be tried). So a state keeps who slept whenever it was met: Z, which is all tasks before
// it is met for the first time. Who comes with the sleepers S tries those of Z who are awake, in
// one step leaves Z and S in its place, and goes on with as many asleep (Godefroid, Holzmann,
// Pirottin, CAV 1992; Godefroid's thesis, chapter 5). This needs no order in time:
//
// Claim. If a state s is met with sleepers S, and w are steps that are possible from s, none of
// those that could come first in w being of a task of S, then the state that w leads to is met. By
// induction over the length of w; let I be the tasks whose steps could come first. Of the meetings
// of s up to this one take the last, k, before which one of I was left (in Z): this one, or one
// that left none of I, as then its Z and S does not. Those of I in Z are tried in k, and whoever of
// I sleeps on in k would be in Z and S. Let t be the first of them that is tried. In what it leads
// to sleep those who slept in k or were tried in k before t and are independent of t. One of these
// that could come first in the rest of w could come first in w: it would be in I, but nobody of I
// slept, nor was tried before t. So the claim holds for the rest of w. From the beginning, where
// nobody sleeps, every state is met, and by this claim whoever tries what, and when. A mark that
// several tasks have leaves more of them in Z, which are tried once more.
#ifndef CORE_SEARCH_PARTS_H
#define CORE_SEARCH_PARTS_H

#include "core/base/bytes.h"
#include "core/search/sleep.h"

// Takes a part: [path], and in [known] what the search knows of it. A guard, or the piece that is
// given away. Both are the caller's.
typedef void sct_take_part(void *context, const struct sct_path *path,
                           const struct sct_bytes *known, bool is_guard);

// Whether there is, between two executions, a place where the path can be parted so that both
// parts have alternatives left.
bool sct_sleep_can_part(const struct sct_sleep *sleep);

// Gives the right end of the path's part away; before it the guards that it makes necessary, from
// the root on, each right of all that is below it.
void sct_sleep_part(struct sct_sleep *sleep, sct_take_part *take, void *context);

// Appends what is known of the path, where it stands.
void sct_sleep_write(const struct sct_sleep *sleep, struct sct_bytes *bytes);

// Reads it for the path, which was read before, and then stands at its first leaf. False if the
// bytes are none of it.
bool sct_sleep_read(struct sct_sleep *sleep, struct sct_reader *reader);

#endif
