// Slow calls: a process is suspended in the middle of an atomic call while others go on.
//
// A protocol's windows lie between the backend calls of one call. That somebody else makes a whole
// call in such a window, or reaches the next state of the migration, is rare if every step is drawn
// alone. A slow call stands still before one of its backend calls until others have done so. It
// never waits for what cannot come while it lasts, so no execution ends here: a process that itself
// waits for a state which this call keeps from being pushed, for the end of the migration or in a
// slow call of its own is not waited for. It narrows the schedules and adds none. Direct delivery
// only.
#ifndef HARNESS_MIGRATING_SLOW_CALL_H
#define HARNESS_MIGRATING_SLOW_CALL_H

#include "harness/migrating/app.h"

// The next atomic call of [app] stands still before its [backend_call]-th backend call, from 1 on;
// not at all if it has not so many.
void slow_call_next(struct app *app, size_t backend_call, enum slowness slowness);

// The next atomic call of [app] stands still in its [window]-th window, from 1 on: before a write,
// or a query's read, that follows another backend call of it. With SLOW_CHANGE it goes on when a
// row that it names has changed, with SLOW_MARK when the state of its partition has: what it has
// read does not know. If no other application can go on then, the next window counts.
void slow_call_in_window(struct app *app, size_t window, enum slowness slowness);

// Before a call in [partition] (NULL: not for SLOW_MARK): if a state is held for it, the same at
// once.
void slow_call_begin_late(struct app *app, enum slowness slowness, const char *partition);

// The next stream of [app] stands still before its [backend_call]-th backend call, wherever that
// is: while it is opened, read, or moved to another state. The migrator counts as another who can
// go on, until a push waits for one that stands still.
void slow_call_in_stream(struct app *app, size_t backend_call, enum slowness slowness);

// [app] (the migrator, too) stands still after its next lost answer, before it looks what was done:
// SLOW_ONE_CALL or SLOW_ALL.
void slow_call_after_loss(struct app *app, enum slowness slowness);

#endif
