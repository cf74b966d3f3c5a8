// A configuration service for preemptive threads: the protocol's own service behind one mutex.
//
// Three things are needed, all of them here. Every call of the service holds the mutex; a push that
// waits releases it (its latch waits on a condition of the same mutex); and a subscriber's apply
// runs without it, in a thread of its own, because it waits for the subscriber's lock, whose holder
// may be about to unsubscribe.
#ifndef MODEL_POSIX_GUARDED_CONFIG_H
#define MODEL_POSIX_GUARDED_CONFIG_H

#include "model/config/config.h"

#include <pthread.h>

enum { GUARDED_THREADS_MAX = 4096 };

struct guarded_config {
    struct mt_config config; // first member: what clients are given
    struct ct_env env;       // the service's
    struct arena arena;
    struct mt_config_service service;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t threads[GUARDED_THREADS_MAX]; // of the deliveries
    size_t thread_count;
};

void guarded_config_init(struct guarded_config *config, enum mt_state initial);

// Waits for all deliveries and frees everything.
void guarded_config_deinit(struct guarded_config *config);

#endif
