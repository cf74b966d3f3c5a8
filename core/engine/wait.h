// Waiting: those who wait for the same, in the order of arrival.
//
// For whoever builds a primitive. A queue serves two ways of waiting:
//   sct_await   The task stays one that the scheduler may choose: it is enabled exactly while what
//               it waits for is granted to it, so the point at which it goes on is the point before
//               its step, and every step that is chosen gets somewhere (core/threads). For tasks.
//   sct_linger  The running coroutine is parked until the next sct_queue_wake, and looks again then
//               (core/engine/sync.h). For tasks and activities.
// Who waits is passed over once its machine is stopped.
//
// Time is virtual and has no length: a timed wait ends early because the strategy says that it may
// (a value choice when it begins) or because otherwise nothing could run any more.
//
// Stability: the library's own; it is here for its types.
#ifndef CORE_ENGINE_WAIT_H
#define CORE_ENGINE_WAIT_H

#include "core/base/text.h"
#include "core/engine/machine.h"

struct sct_queue;

// Adds to [text] why who waits for [thing] must: ", which alice holds". Of an execution that has
// ended; for the report of a deadlock.
typedef void (*sct_explain_wait)(const void *thing, struct text *text);

// A place in a queue, in the frame of the one who waits.
struct sct_waiting {
    struct sct_strand *strand;
    struct sct_access access; // of the step that it waits to take
    bool is_granted;          // what it waits for is there
    bool may_give_up;         // it may go on without that
    bool is_timed;            // it may give up once nothing else can run
    bool is_idle;             // the same, once no timed one can either
    const void *thing;        // that it waits for, and who can tell more of it; may be NULL
    sct_explain_wait explain;
    struct sct_queue *queue;
    struct sct_waiting *next, **link;
};

struct sct_queue {
    struct sct_waiting *first, **last;
};

void sct_queue_init(struct sct_queue *queue);

// Those in [queue] can go on from now on, or can no longer. Not a scheduling point.
void sct_queue_grant(struct sct_queue *queue, bool can_go_on);

// How many wait in [queue].
uint32_t sct_queue_count(const struct sct_queue *queue);

// The one number [index] (asserted to exist) of [queue].
struct sct_waiting *sct_queue_at(const struct sct_queue *queue, uint32_t index);

// The step that waits: [label] names it, [waits_for] what it waits for; both are valid until the
// end of the execution, as [where] is (HERE, or NULL).
struct sct_awaited {
    const char *label, *waits_for, *where;
    struct sct_access access;
    const void *thing;        // for [explain]
    sct_explain_wait explain; // NULL: there is nothing to tell
};

// How a wait may end besides being granted.
enum sct_patience {
    SCT_WAIT_FOR_EVER,
    SCT_WAIT_TIMED,    // it may time out
    SCT_WAIT_SPURIOUS, // it may end for no reason, but need not, ever
    SCT_WAIT_IDLE,     // it ends once nothing else can run, one at a time
};

// Scheduling point that is at the same time a wait in [queue]: the task can take [step] while
// granted, which it is at first if [can_go_on]. True if it was granted when it was chosen, false if
// it gave up. First consumes a value choice, unless it waits for ever or is idle: alternative 0 is
// not to give up of its own accord. In setup and finish, where nobody else can run, not to be
// granted at first is a deadlock. Not for activities (asserted).
bool sct_await(struct sct_queue *queue, const struct sct_awaited *step, enum sct_patience patience,
               bool can_go_on);

// [waiting] goes to the end of [queue], to take [step], for which it is now granted or not; it will
// not give up. Not a scheduling point.
void sct_queue_move(struct sct_waiting *waiting, struct sct_queue *queue,
                    const struct sct_awaited *step, bool can_go_on);

// Parks the running coroutine until the next sct_queue_wake.
void sct_linger(struct sct_queue *queue, const char *waits_for);

// Wakes those who linger in [queue] now; who queues again meanwhile is not woken again. Mostly
// there are none, which is seen in line.
void sct_queue_wake_all(struct sct_queue *queue);
static inline void sct_queue_wake(struct sct_queue *queue) {
    if (queue->first)
        sct_queue_wake_all(queue);
}

#endif
