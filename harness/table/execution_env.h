// What every environment of a protocol within an execution has in common: arenas, locks and latches
// are the engine's, and are forgotten with the execution as a whole.
#ifndef HARNESS_TABLE_EXECUTION_ENV_H
#define HARNESS_TABLE_EXECUTION_ENV_H

#include "core/engine/sync.h"
#include "model/table/env.h"

// A lock of the environment.
struct ct_lock {
    struct sct_mutex mutex;
    struct sct_access access; // what taking it touches; unknown, unless its creator says more
};

// All of struct ct_env_ops that does not depend on whose environment it is. NULL, and the caller's
// to add: annotate, lock_acquire, start, now, sleep; and observed and forget, if states are
// compared. Of these functions only [latch_wait] suspends; none is a scheduling point.
extern const struct ct_env_ops execution_env_ops;

#endif
