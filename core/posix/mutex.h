// Mutexes of the program, for condition variables.
#ifndef CORE_POSIX_MUTEX_H
#define CORE_POSIX_MUTEX_H

#include "core/threads/lock.h"

#include <pthread.h>

struct posix_mutex {
    struct sct_lock lock;
    int type;       // PTHREAD_MUTEX_NORMAL, ...
    uint32_t depth; // recursive ones: how often they are held beyond once
    bool is_robust;
    bool has_dead_owner;   // it was held by a thread that has ended: what it guards may be anything
    bool is_unrecoverable; // and that was not mended
};

// The record of [mutex], which is made if the mutex was initialised statically. A violation if it
// was not initialised at all.
struct posix_mutex *posix_mutex_of(pthread_mutex_t *mutex, const char *where);

// The running thread, which has [mutex] since now, has it indeed (0, or EOWNERDEAD), or gives it
// back, as it is of no use any more (POSIX, pthread_mutex_consistent): a scheduling point, and
// ENOTRECOVERABLE.
int posix_mutex_taken(struct posix_mutex *mutex, const char *where);

// The running thread ends: the robust mutexes that it holds are released for others.
void posix_mutexes_abandon(void);

#endif
