// The world of a protocol in a real program: POSIX threads, mutexes, the monotonic clock.
//
// One environment may serve all threads of a process. Arenas come from a pool and return to it, so
// a process that makes calls for ever has as many as it ever used at once, and of each keeps a
// small part in memory. What is started runs in a thread of its own or, where there can be no more
// threads, in the caller's: what does not end by itself is started with thread_env_start instead.
// Annotations say nothing here.
#ifndef MODEL_POSIX_THREAD_ENV_H
#define MODEL_POSIX_THREAD_ENV_H

#include "model/table/env.h"

#include <pthread.h>

struct pooled_arena;

struct thread_env {
    struct ct_env env; // first member
    size_t arena_bytes;
    size_t kept_bytes;         // of each arena stay in memory, at first 256 KiB; may be changed
    pthread_mutex_t mutex;     // of all below
    pthread_cond_t ended;      // a thread has
    struct pooled_arena *free; // arenas to be used again
    size_t arena_count;        // those in use included
    size_t thread_count;       // of those that run
};

// An environment whose arenas have room for [arena_bytes] each (addresses, not memory).
void thread_env_init(struct thread_env *env, size_t arena_bytes);

// Starts [function] in a thread of its own. False: there can be no more threads, and it is not run.
bool thread_env_start(struct thread_env *env, void (*function)(void *), void *argument);

// Waits until everything that was started has ended.
void thread_env_wait(struct thread_env *env);

// The same, and gives everything back. Locks, latches and arenas have been given back before.
void thread_env_deinit(struct thread_env *env);

// How many arenas there are, in use or not.
size_t thread_env_arenas(struct thread_env *env);

#endif
