// Virtual time: what clocks say in an execution.
//
// Time begins at the same instant in every execution. It goes on by a microsecond whenever somebody
// looks at a clock, by its length with every sleep, and to the deadline with every wait that times
// out. The processor's time is no part of it.
#ifndef CORE_POSIX_TIME_H
#define CORE_POSIX_TIME_H

#include "core/engine/wait.h"

#include <stdbool.h>
#include <time.h>

// Whether [deadline], absolute on [clock], has passed.
bool posix_is_past(clockid_t clock, const struct timespec *deadline);

// How a wait until [deadline], which has not passed, may end. One that no program lives to see (the
// greatest there is, the end of a type's range: more than 146 years from the begin of the clock) is
// none: who is not woken waits for ever.
enum sct_patience posix_patience(const struct timespec *deadline);

// A wait until [deadline] has timed out.
void posix_time_reaches(clockid_t clock, const struct timespec *deadline);

// The deadline that is [length] from now on [clock].
struct timespec posix_deadline_after(clockid_t clock, const struct timespec *length);

// Whether the nanoseconds of [deadline] are in order; if not the calls that take it fail.
bool posix_is_deadline(const struct timespec *deadline);

#endif
