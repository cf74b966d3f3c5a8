// Who sees that the program waits in the kernel for what nobody brings about: a call that is not
// under control (accept, poll, a read of a pipe that only the program writes) keeps all threads.
#ifndef CORE_POSIX_WATCHDOG_H
#define CORE_POSIX_WATCHDOG_H

// To be called when an execution begins. From the first one of a process on, two seconds by the
// clock without a scheduling point and without work of the processor are a violation of kind `hang`
// that names the call.
void posix_watchdog_begin(void);

#endif
