// The one clock of the tree: for limits of time, rates and what a user is told. Nothing that is
// recorded or decided within an execution may depend on it.
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stdint.h>

// Seconds of the monotonic clock since some moment before the process began; safe in a handler of
// signals.
double clock_seconds(void);

// The same in nanoseconds.
uint64_t clock_nanoseconds(void);

#endif
