// Calls that are not under control: said, never silent.
#define _GNU_SOURCE // pthread_timedjoin_np
#include "core/posix/hook.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

// The child would have one thread, the one that has called it, and the engine of its parent with
// all of its tasks.
HOOK pid_t fork(void) {
    if (posix_controls())
        posix_refuse("fork()", WHERE);
    return REAL(fork)();
}

// The tester would be gone, too.
HOOK int execve(const char *path, char *const arguments[], char *const environment[]) {
    if (posix_controls())
        posix_refuse("execve()", WHERE);
    return REAL(execve)(path, arguments, environment);
}

HOOK int execv(const char *path, char *const arguments[]) {
    if (posix_controls())
        posix_refuse("execv()", WHERE);
    return REAL(execv)(path, arguments);
}

HOOK int execvp(const char *file, char *const arguments[]) {
    if (posix_controls())
        posix_refuse("execvp()", WHERE);
    return REAL(execvp)(file, arguments);
}

// Points at which a thread may be cancelled are many calls that are none here.
HOOK int pthread_cancel(pthread_t thread) {
    if (posix_controls())
        posix_refuse("pthread_cancel()", WHERE);
    return REAL(pthread_cancel)(thread);
}

HOOK int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline) {
    if (posix_controls())
        posix_refuse("pthread_timedjoin_np()", WHERE);
    return REAL(pthread_timedjoin_np)(thread, result, deadline);
}

// Its stack is the engine's, and where it lies may differ from run to run.
HOOK int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) {
    if (posix_controls())
        posix_refuse("pthread_getattr_np()", WHERE);
    return REAL(pthread_getattr_np)(thread, attributes);
}

// Its name is the system's: other processes could take part. The mode and value are there only if
// the semaphore may be made; what is not there is not looked at.
HOOK sem_t *sem_open(const char *name, int flags, ...) {
    if (posix_controls())
        posix_refuse("sem_open()", WHERE);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    unsigned value = va_arg(arguments, unsigned);
    va_end(arguments);
    return REAL(sem_open)(name, flags, mode, value);
}

// Where threads run, and how important they are, is the scheduler's.
HOOK int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set) {
    return posix_controls() ? 0 : REAL(pthread_setaffinity_np)(thread, bytes, set);
}

HOOK int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters) {
    return posix_controls() ? 0 : REAL(pthread_setschedparam)(thread, policy, parameters);
}
