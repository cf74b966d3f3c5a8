// Machines: what code under test uses while it runs inside an execution.
//
// A machine is a named party with a mailbox. It runs one or more tasks; a task is what the
// scheduler chooses. Within a task, activities are further coroutines that share its turn: the task
// runs one of them at a time, and they hand control to each other without a scheduling decision.
// The tested system either uses one task per concurrent activity (free interleaving) or one task
// per machine with activities over the mailbox (the actor discipline).
//
// Everything runs on one thread: thread-local variables are shared by all, but each coroutine has
// an errno of its own. An execution may end while machines are suspended in the middle of
// a function; no clean-up code of theirs runs, so they own nothing but memory of [sct_arena].
// All functions here are called inside an execution only (asserted).
//
// Stability: what is marked stays within 0.2, with what is a scheduling point and how many choices
// it consumes; a new number of choices is told in CHANGES.
#ifndef CORE_ENGINE_MACHINE_H
#define CORE_ENGINE_MACHINE_H

#include "core/base/api.h"
#include "core/base/arena.h"
#include "core/base/digest.h"
#include "core/engine/edge.h"
#include "core/strategy/access.h"

#include <stdbool.h>
#include <stdint.h>

struct sct_machine;
struct sct_task;
struct sct_strand; // a coroutine of a machine: a task's own, or an activity

enum { SCT_CHOICES_MAX = 32767 };

// The arena of this execution: allocate freely, nothing is freed before the end.
SCT_API struct arena *sct_arena(void);

// ---- Machines and tasks ------------------------------------------------------------------------

// A machine without tasks. [name] must live as long as the execution. Not a scheduling point.
SCT_API struct sct_machine *sct_machine_create(const char *name);

SCT_API const char *sct_machine_name(const struct sct_machine *machine);

// The machine whose code is running.
SCT_API struct sct_machine *sct_machine_self(void);

// A new task of [machine] that will run [function]([argument]) when first scheduled. Strategies see
// it from now on. At most SCT_TASKS_MAX live at a time (FAIL_LIMIT), in a reduced search
// SCT_REDUCED_TASKS_MAX (FAIL_RESOURCE). Not in the final check (a program error). Not a scheduling
// point.
SCT_API void sct_task_start(struct sct_machine *machine, const char *name, void (*function)(void *),
                            void *argument);

// Ends [machine] where it is, as a process dies: all its tasks and activities are gone, no clean-up
// code of theirs runs, the messages in its mailbox are lost. What others know of it stays good:
// its stacks are kept to the end of the execution, so messages that it sent may still be read and
// answered and latches counted down, to no effect on it; in queues of sync.h its places are passed
// over; mutexes that it holds are freed, and whoever waits for them is woken; its monitors
// (core/engine/monitor.h) become cold. It may be started again: new tasks are the machine come
// back. Not a scheduling point; does not return if the running code is the machine's. Not in the
// final check.
SCT_API void sct_machine_stop(struct sct_machine *machine);

// ---- Scheduling points and choices -------------------------------------------------------------

// Scheduling point: lets any enabled task run first. [label] names the step that follows when this
// task is chosen (a constant string, e.g. "old.execute"), [where] its place in the source (HERE),
// [access] what it touches; both pointers must stay valid until the call returns. Consumes one
// scheduling choice if at least two tasks are enabled.
SCT_API void sct_point(const char *label, const char *where, const struct sct_access *access);

// Scheduling point at which the task gives way, as whoever looks again and again should: the
// default, alternative 0, is the next task that can run, and to stay is the last alternative.
// Touches nothing. In setup and finish nothing.
SCT_API void sct_yield(const char *where);

// For searches that leave out orders of independent steps (core/search/search.h): the running step
// touches [access] too, beside what was declared at the point where it began. Not a scheduling
// point; nothing elsewhere, in setup and in the final check.
SCT_API void sct_touch(const struct sct_access *access);

// One of [count] alternatives, 0 .. count-1, decided by the strategy; 1 <= count <=
// SCT_CHOICES_MAX. Consumes one value choice unless count is 1. Not a scheduling point.
SCT_API uint32_t sct_choose(uint32_t count, const char *label);

// ---- Waiting -----------------------------------------------------------------------------------

// The running coroutine, for [sct_wake].
SCT_API struct sct_strand *sct_self(void);

// Suspends the running coroutine until somebody wakes it. A task's own coroutine is then disabled
// and another task is scheduled; an activity returns control to whoever started or woke it.
// [waits_for] is told in the report of a deadlock; a constant string.
SCT_API void sct_park(const char *waits_for);

// Ends a [sct_park]; nothing if its machine was stopped. A task's coroutine becomes enabled. An
// activity (which must be one of this task) continues at once, and control comes back when it next
// waits or ends. Not a scheduling point.
SCT_API void sct_wake(struct sct_strand *strand);

// Starts an activity of the running task: runs [function] until it first waits or ends, then
// returns. Not a scheduling point (what the function does may be).
void sct_activity_start(const char *name, void (*function)(void *), void *argument);

// ---- Messages ----------------------------------------------------------------------------------

// Header of a message; the first member of the sender's own structure, in memory that lasts
// until nobody reads it (sct_arena). The sender sets [kind], sending sets the rest. One sending
// each: it links the message into a mailbox. The receiver may keep it.
struct sct_message {
    struct sct_message *next;
    uint32_t kind; // 0..31, the receiver's vocabulary
    struct sct_machine *sender;
    struct digest digest;  // of what the sender had observed; for the state cache
    struct sct_edge *edge; // from the sender; of a call, from the one who answered, too
};

#define SCT_KIND_BIT(kind) (UINT32_C(1) << (kind))

// Puts [message] at the end of the mailbox of [to], at once: what anybody sends there later comes
// after it. So messages are neither late nor overtaken nor lost; a network where they may be is the
// program's to model (core/TUTORIAL.md). If [to] is stopped the message waits for it to come back.
// Not a scheduling point.
SCT_API void sct_post(struct sct_machine *to, struct sct_message *message);

// As [sct_post], followed by a scheduling point.
SCT_API void sct_send(struct sct_machine *to, struct sct_message *message, const char *label,
                      const char *where);

// Takes the oldest message whose kind is in the set [kinds] from the running machine's mailbox;
// waits if there is none (then another task is scheduled). Other messages keep their place and
// order. For a task's own coroutine, one task per machine. With [may_idle] waiting here for ever is
// a proper end; without, it is a deadlock.
SCT_API struct sct_message *sct_receive(uint32_t kinds, bool may_idle, const char *label);

// A call: a message whose sender waits until the receiver has answered it. The first member of the
// caller's own structure, which also holds the answer.
struct sct_call {
    struct sct_message message; // to the receiver; [kind] is the caller's
    struct sct_strand *caller;
    bool is_answered;
};

// Sends [call] to [to] (a scheduling point, as in [sct_send]) and waits for [sct_answer]. For a
// task's own coroutine.
SCT_API void sct_call(struct sct_machine *to, struct sct_call *call, const char *label,
                      const char *where);

// Lets the caller of [call] continue. Not a scheduling point.
SCT_API void sct_answer(struct sct_call *call);

// Counts one operation of the application that this execution has begun: what a user of the system
// under test would call one call. A measure of an execution's size (struct sct_result), nothing
// else depends on it. Not a scheduling point.
SCT_API void sct_count_operation(void);

// ---- What is observed --------------------------------------------------------------------------

// A systematic search may compare states (core/search/states.h). A task is deterministic, so its
// state is what it has observed since it began: the engine notes choices, scheduling points, waits,
// what a message's sender and a task's creator had observed. What it reads of shared memory is for
// the task to say. Not a scheduling point; without a state cache it does nothing.

// The running task has learnt [data].
SCT_API void sct_observe(const void *data, size_t bytes);

// ---- Verdicts and narration --------------------------------------------------------------------

// Ends the execution with a violation of [kind] (a constant string of the closed list of the
// system's kinds) blamed on the running machine.
SCT_API SCT_NORETURN void sct_violation(const char *kind, const char *format, ...)
    __attribute__((cold, format(printf, 2, 3)));

// The same, found at [where] (HERE): reports name the place.
SCT_API SCT_NORETURN void sct_violation_at(const char *where, const char *kind, const char *format,
                                           ...) __attribute__((cold, format(printf, 3, 4)));

// The running task (asserted to be one) never goes on: what it assumes is not so, and of the
// execution only what the others do is of interest. Where nothing else can run it has passed,
// whatever is unfinished; the final check does not run.
SCT_NORETURN void sct_block(void);

#define sct_check(condition, ...) \
    (__builtin_expect(!!(condition), 1) ? (void)0 : sct_violation_at(HERE, __VA_ARGS__))

// Kinds of violation that the engine itself reports.
#define SCT_KIND_DEADLOCK "deadlock"
#define SCT_KIND_LIVELOCK "livelock" // see core/engine/monitor.h
#define SCT_KIND_ASSERTION "assertion"
#define SCT_KIND_PROGRAM_ERROR "program-error"
#define SCT_KIND_OUT_OF_MEMORY "out-of-memory"
#define SCT_KIND_CRASH "crash"
#define SCT_KIND_STACK_OVERFLOW "stack-overflow"
#define SCT_KIND_HANG "hang"
#define SCT_KIND_EXIT "exit" // exit, _exit, _Exit, quick_exit or fork was called

// Whether somebody listens to [sct_note]; ask first where preparing the text costs something.
bool sct_narrating(void);

// One line of the story of this execution, told only when somebody listens.
SCT_API void sct_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// What a line of the story is about, so that reports can set it off.
enum sct_note_class {
    SCT_NOTE_PLAIN,
    SCT_NOTE_CALL,     // the machine begins a call of the interface that is checked
    SCT_NOTE_RETURN,   // and that call returns
    SCT_NOTE_POINT,    // a linearization point: here a call takes effect
    SCT_NOTE_STATE,    // the machine enters another state
    SCT_NOTE_CHECK,    // of the checking alone: no step of the system's
    SCT_NOTE_FAULT,    // something that was made to go wrong
    SCT_NOTE_EXPECTED, // one line of what would have been right, before a violation
    SCT_NOTE_ACTUAL,   // one line of what there was instead
    SCT_NOTE_EVIDENCE, // one line of what else is known of a violation, before it
    SCT_NOTE_CHOICE,   // one store that a read could have taken, or not: for pages, in columns
};

void sct_note_as(enum sct_note_class about, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
