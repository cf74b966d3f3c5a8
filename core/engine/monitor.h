// Liveness monitors: what was promised and must happen some time.
//
// A monitor is hot while something that was promised ("a query to return") has not happened, and
// cold otherwise. No finite execution shows that it never happens; but under a fair scheduler what
// can happen does. So after options.fair_after scheduling points every execution becomes a random
// walk, whatever its strategy (prefix and fair tail: Fair-PCT of Coyote; what the tail does is the
// system's doing, not the scheduler's), and a promise that was open before the tail began and still
// is at the step bound is a violation of kind `livelock`. An execution that reaches the bound
// without such a promise is merely long: SCT_STEP_LIMIT, no verdict. Once nothing can run, a
// promise that is still open is a `deadlock`, even if nobody waits for it.
//
// How sure that is: if from wherever the tail leads what is awaited happens within m more points
// with probability p at least, then a tail of T points misses it with probability (1-p)^(T/m) at
// most. Choose steps_max such that half of it is many times the longest proper execution: for m of
// that length and p = 1/2, a tail of 20 m gives a false alarm in one of 10^6 executions that get so
// far at all. A tail shorter than options.livelock_points gives no verdict.
//
// Without a promise there is one livelock that the engine sees by itself: that through the whole
// tail, of 1,000 points at least, nothing has changed, since all who run only look (read, give way,
// fail to exchange) again and again. What a program's tasks share without declaring it
// (sct_access_none) it cannot see: loops that yield for as long and change only that are long, too.
//
// Monitors take constant time, no heap and no choices, and are no scheduling points: executions
// with and without them are the same.
//
// Stability: stays within 0.2.
#ifndef CORE_ENGINE_MONITOR_H
#define CORE_ENGINE_MONITOR_H

#include "core/base/api.h"
#include "core/engine/machine.h"

// Storage is the caller's: in the arena, or on a coroutine's stack if it is cold before the
// function returns. All zero: cold.
struct sct_monitor {
    const char *what;            // NULL: cold
    struct sct_machine *machine; // whose code promised it
    struct sct_task *task;
    uint32_t since;                   // it became hot after so many decisions
    bool is_of_tail;                  // that was in the fair tail
    struct sct_monitor *next, **link; // all hot ones, in the order of becoming hot
};

// Makes [monitor], which is cold (asserted), hot: the running machine promises [what], a constant
// string that completes "waits for". For code of a machine, not for setup and finish.
// sct_machine_stop makes the machine's monitors cold: the dead promise nothing.
SCT_API void sct_monitor_hot(struct sct_monitor *monitor, const char *what);

// It has happened; for code of any machine. Nothing if it is cold.
SCT_API void sct_monitor_cold(struct sct_monitor *monitor);

// The running step has changed nothing, though it was said to write: an exchange that failed, a
// store of the value that was there.
void sct_changed_nothing(void);

#endif
