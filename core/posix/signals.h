// Signals that the program sends to itself.
//
// They never reach the kernel. A signal goes to a thread that waits for it (sigwait, pause), if
// there is one; else to the thread that it is sent to: a handler runs at once in the thread that
// sends to itself. Waiting for signals is no deadlock. What comes from outside does not come.
#ifndef CORE_POSIX_SIGNALS_H
#define CORE_POSIX_SIGNALS_H

#include "core/posix/thread.h"

// To be called before the first execution: what constructors have set is there in each; and when an
// execution begins.
void posix_signals_save(void);
void posix_signals_begin(void);

// The signals that main has blocked when it begins.
uint64_t posix_signals_mask(void);

#endif
