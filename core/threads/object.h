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
// Time is virtual and has no length: a timed wait ends early because the strategy says that it may
// (a value choice when it begins) or because otherwise nothing could run any more.
#ifndef CORE_THREADS_OBJECT_H
#define CORE_THREADS_OBJECT_H

#include "core/engine/machine.h"

// The object of every sct_access to a primitive; its keys are the numbers of objects.
#define SCT_ACCESS_PRIMITIVES UINT32_MAX

struct sct_label;

struct sct_object {
    const char *kind;         // "lock", ...: a constant
    const char *name;         // the user's; NULL: destroyed
    uint64_t execution;       // in which it was initialised
    uint32_t number;          // in the order of initialisation, from 0
    struct sct_label *labels; // of its steps, made when first needed
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

// As [sct_object_point], for a step that may also change [other].
void sct_object_point_both(struct sct_object *object, struct sct_object *other, const char *verb,
                           const char *where);

// "[verb] NAME", for messages; valid until the end of the execution.
const char *sct_object_label(struct sct_object *object, const char *verb);

_Noreturn void sct_object_misused(const struct sct_object *object, const char *what);

// A violation that says "KIND 'NAME' [what]".
#define SCT_OBJECT_REQUIRE(condition, object, what) \
    (__builtin_expect(!!(condition), 1) ? (void)0 : sct_object_misused((object), (what)))

// ---- Queues ------------------------------------------------------------------------------------

// How a wait may end besides being granted.
enum sct_patience {
    SCT_WAIT_FOR_EVER,
    SCT_WAIT_TIMED,    // it may time out
    SCT_WAIT_SPURIOUS, // it may end for no reason, but need not, ever
};

// A place in a queue, in the frame of the one who waits.
struct sct_waiting {
    struct sct_strand *strand;
    struct sct_access access; // of the step that it waits to take
    bool is_granted;          // what it waits for is there
    bool may_give_up;         // it may go on without that
    bool is_timed;            // it may give up once nothing else can run
    struct sct_queue *queue;
    struct sct_waiting *next, **link;
};

// Those who wait for the same, in the order of arrival. Stopped ones are passed over.
struct sct_queue {
    struct sct_waiting *first, **last;
};

void sct_queue_init(struct sct_queue *queue);

// What the step is that waits: "[verb] NAME" of [object].
struct sct_wait {
    struct sct_object *object;
    const char *verb, *where;
    enum sct_patience patience;
};

// Scheduling point that is at the same time a wait in [queue]: the task can take the step while
// granted, which it is at first if [can_go_on]. True if it was granted when it was chosen, false if
// it gave up. First consumes a value choice, unless it waits for ever: alternative 0 is not to give
// up of its own accord. In setup and finish, where nobody else can run, not to be granted at first
// is a deadlock.
bool sct_queue_wait(struct sct_queue *queue, const struct sct_wait *wait, bool can_go_on);

// Those in [queue] can go on from now on, or can no longer. Not a scheduling point.
void sct_queue_grant(struct sct_queue *queue, bool can_go_on);

// How many wait in [queue].
uint32_t sct_queue_count(const struct sct_queue *queue);

// The one number [index] (asserted to exist) of [queue].
struct sct_waiting *sct_queue_at(const struct sct_queue *queue, uint32_t index);

// [waiting] goes to the end of [queue], to take the step "[verb] NAME" of [object] for which it is
// now granted or not; it will not give up. Not a scheduling point.
void sct_queue_move(struct sct_waiting *waiting, struct sct_queue *queue, struct sct_object *object,
                    const char *verb, bool can_go_on);

#endif
