// What the primitives of threads are made of: objects with names, and queues of those who wait.
//
// For whoever builds a further primitive; users of threads want thread.h, lock.h and their like. An
// object belongs to the execution in which it was initialised. Its storage is the caller's (static,
// in the arena, or in a frame that outlives its use) and may be used again by the next execution.
// Misuse of an object is a violation of kind `program-error`, blamed on the machine that does it.
//
// The rule of all primitives: a step begins with a scheduling point and has its effect after it,
// and a task is enabled exactly while the step that it is about to take can be taken, so every step
// that is chosen gets somewhere. Waiting is for tasks, not for activities (a program error).
//
// Stability: the library's own; it is here for its types.
#ifndef CORE_THREADS_OBJECT_H
#define CORE_THREADS_OBJECT_H

#include "core/engine/edge.h"
#include "core/engine/wait.h"

// The object of every sct_access to a primitive; its keys are the numbers of objects.
#define SCT_ACCESS_PRIMITIVES UINT32_MAX

struct sct_label;

struct sct_object {
    const char *kind;         // "lock", ...: a constant
    const char *name;         // the user's; NULL: destroyed
    uint64_t execution;       // that had begun when it was initialised
    uint32_t number;          // in the order of initialisation, from 0
    struct sct_label *labels; // of its steps, made when first needed
    sct_explain_wait explain; // of a [struct sct_object]; NULL: who waits for it is not told why
    struct sct_edge *edge;    // from those who let go of it to those who take it
    // Where states are compared: who it is, and what it has added to the state.
    struct digest identity, added;
};

// [name] must live as long as the execution. Not a scheduling point.
void sct_object_init(struct sct_object *object, const char *kind, const char *name);

// From now on every use of [object] is a program error, until it is initialised again.
void sct_object_destroy(struct sct_object *object);

// Violates unless [object] was initialised in this execution and not destroyed.
void sct_object_check(const struct sct_object *object);

// Scheduling point before the step "[verb] NAME" on [object]: its access is [mode] of the object.
// [verb] is a constant. Checks the object before and after.
void sct_object_point(struct sct_object *object, const char *verb, enum sct_access_mode mode,
                      const char *where);

// The running step touches [object] too, in another way than was said before it.
void sct_object_touch(const struct sct_object *object, enum sct_access_mode mode);

// As [sct_object_point], for a step that may also change [other].
void sct_object_point_both(struct sct_object *object, struct sct_object *other, const char *verb,
                           const char *where);

// From now on the object behaves as [state] says, a digest of contents that differs where a later
// step on it may go another way; where states are compared (sct_comparing), at its initialisation
// and after every change. Tasks that wait need not be in it, but what an operation returns is for
// the task to observe (sct_object_learn).
void sct_object_become(struct sct_object *object, struct digest state);

// The running task has learnt [value] from an operation.
void sct_object_learn(uint64_t value);

// Adds ", which NAME [verb]s" to [text], and whether it has ended since; for sct_explain_wait.
// Nothing if [strand] is NULL.
void sct_object_tell_party(const struct sct_strand *strand, const char *verb, struct text *text);

// Recognises [strand] (or NULL) across executions, for [sct_object_become].
uint64_t sct_object_party(const struct sct_strand *strand);

// "[verb] NAME", for messages; valid until the end of the execution.
const char *sct_object_label(struct sct_object *object, const char *verb);

SCT_NORETURN void sct_object_misused(const struct sct_object *object, const char *what);

// A violation that says "KIND 'NAME' [what]".
#define SCT_OBJECT_REQUIRE(condition, object, what) \
    (__builtin_expect(!!(condition), 1) ? (void)0 : sct_object_misused((object), (what)))

// ---- Queues ------------------------------------------------------------------------------------

// The step that waits: "[verb] NAME" of [object].
struct sct_wait {
    struct sct_object *object;
    const char *verb, *where;
    enum sct_patience patience;
};

// Waits in [queue] for [wait] to be granted, as sct_await does (core/engine/wait.h). Program error:
// the caller is an activity.
bool sct_object_wait(struct sct_queue *queue, const struct sct_wait *wait, bool can_go_on);

// As [sct_object_wait], for what is granted once and for good: to searches that step touches
// nothing.
void sct_object_pass(struct sct_queue *queue, const struct sct_wait *wait);

// Moves [waiting] to [queue], as sct_queue_move does, to take the step "[verb] NAME" of [object].
void sct_object_move(struct sct_waiting *waiting, struct sct_queue *queue,
                     struct sct_object *object, const char *verb, bool can_go_on);

#endif
