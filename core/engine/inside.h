// What else code inside an execution may say and do, beside machine.h: for whoever builds what runs
// there (primitives, front ends, models of this project). Not installed.
//
// All functions are called inside an execution only (asserted, but for what is asked before each
// call of something: sct_reducing, sct_keys_matter, sct_comparing); none is a scheduling point.
#ifndef CORE_ENGINE_INSIDE_H
#define CORE_ENGINE_INSIDE_H

#include "core/engine/machine.h"

// ---- Tasks and coroutines ----------------------------------------------------------------------

// As [sct_task_start], for a task whose first step, up to its first scheduling point or wait,
// touches [access], which must stay valid until that begins. Otherwise it may touch anything. Only
// reduced searches (core/search/search.h) look at it.
void sct_task_start_with(struct sct_machine *machine, const char *name, void (*function)(void *),
                         void *argument, const struct sct_access *access);

// The tasks that are started from now on are of the kin [kin]; 0, as at first: of none. Those of
// one kin begin alike, are started within one step (or setup), and nothing tells them apart but
// what they do and when: whoever runs one of them in place of another, from the beginning, has the
// same execution but for their names. Searches that merge twins (core/search/search.h) rely on it.
void sct_kin(uint32_t kin);

// The running coroutine has thread-local variables of its own from now on: those that are found by
// [thread_pointer] (sct_coro_use_thread_pointer). Nobody else's are changed.
void sct_use_thread_pointer(void *thread_pointer);

// How many steps the running task has taken, the one that runs included.
uint32_t sct_steps(void);

// The stack that the running code is on: its lowest byte, and how many there are.
void sct_stack_bounds(const void **low, size_t *bytes);

// What [strand], which lives, uses of its stack: its lowest byte, and how many there are. The
// registers that calls keep are there, too, if it is suspended.
void sct_strand_stack(const struct sct_strand *strand, const void **low, size_t *bytes);

// Of [strand], which lives: the lowest byte of its stack that code uses of which [is_inside] says
// no (sct_frames_bottom); 0 if that is not known.
uintptr_t sct_strand_bottom(const struct sct_strand *strand, bool (*is_inside)(const void *code));

// Ends the execution as passed, whatever is unfinished: the program that is tested has ended by
// itself, as a process does at exit. The final check runs.
SCT_NORETURN void sct_end(void);

// ---- What steps touch --------------------------------------------------------------------------

// Whether somebody asks what steps touch; ask first where preparing that costs something. Where it
// holds a step may be declared to touch nothing, and name what it did touch when that is known: a
// write that was refused is a read.
bool sct_reducing(void);

// Whether somebody looks at the keys of what is declared at scheduling points; else all keys of the
// object may be, where they cost something to find out.
bool sct_keys_matter(void);

// From now on, to the end of the execution: what a step that begins with the end of a wait touches
// beside what it names. Otherwise it may touch anything. To be said in setup.
void sct_touch_after_waits(const struct sct_access *access);

// From now on, to the end of the execution: a step that begins or ends while *[is_unfinished] holds
// counts as touching everything. One flag per execution.
void sct_touch_while(const bool *is_unfinished);

// ---- Choices -----------------------------------------------------------------------------------

// As [sct_choose], where 0 is what would be without weak memory: strategies that sample answer 0
// more often, and always in the fair tail (core/engine/monitor.h).
uint32_t sct_choose_weak(uint32_t count, const char *label);

// The next choice is not to take those of its first 64 alternatives whose bits are set, not all of
// them, if a systematic search answers: what follows from them it has seen.
void sct_bar(uint64_t alternatives);

// ---- What is observed --------------------------------------------------------------------------

// Whether somebody compares states; ask first where preparing the data costs something.
bool sct_comparing(void);

// As [sct_observe].
void sct_observe_digest(struct digest digest);

// What the running task has observed so far, for [sct_forget].
struct digest sct_observed(void);

// What the running task does from now on depends on nothing it has observed since [mark] was taken
// but [data], which must also tell this place of the program from others. A zero mark: since ever,
// the knowledge of its creator included.
void sct_forget(struct digest mark, const void *data, size_t bytes);

// ---- Narration ---------------------------------------------------------------------------------

// Arrows of the story beside messages, told only when somebody listens. What is sent under
// [identity] (any address that is used once at a time) arrives where [sct_tell_taken] names it. No
// scheduling points.
void sct_tell_sent(const void *identity, const struct sct_machine *to, const char *label);
void sct_tell_taken(const void *identity, const struct sct_machine *by);

#endif
