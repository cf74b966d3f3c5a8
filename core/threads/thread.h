// Threads under control, with the semantics of POSIX: create, join, detach, exit.
//
// A thread is a machine with one task; its name is the one in traces and reports. Threads share
// memory as they like, but only what goes through primitives (lock.h, rwlock.h, semaphore.h,
// barrier.h, atomic.h) is interleaved: between two scheduling points a thread runs alone. Misuse is
// a violation of kind `program-error`. All functions are called inside an execution; creating and
// detaching also in its setup.
//
// POSIX                            here
// pthread_create, _join, _detach   sct_thread_create, _join, _detach
// pthread_exit, _self, sched_yield sct_thread_exit, _self, _yield
// pthread_mutex_t                  struct sct_lock (lock.h): acquire, try, acquire_timed, release
// pthread_cond_t                   struct sct_condition (lock.h): wait, wait_timed, signal, ...
// pthread_rwlock_t                 struct sct_rwlock (rwlock.h)
// sem_t                            struct sct_semaphore (semaphore.h)
// pthread_barrier_t                struct sct_barrier (barrier.h)
// atomic_uint_fast64_t             struct sct_atomic (atomic.h)
//
// Stability: stays within 0.2: names, arguments, what is a scheduling point.
#ifndef CORE_THREADS_THREAD_H
#define CORE_THREADS_THREAD_H

#include "core/base/api.h"
#include "core/engine/machine.h"

struct sct_thread; // in the arena: valid to the end of the execution

// A new thread that will run [function]([argument]) when first scheduled. [name] must live as long
// as the execution. At most SCT_TASKS_MAX live at a time (FAIL_LIMIT). Not a scheduling point.
SCT_API struct sct_thread *sct_thread_create(const char *name, void *(*function)(void *),
                                             void *argument);

// The same, for a thread whose first step, up to its first scheduling point or wait, touches
// [access] (sct_task_start_with).
struct sct_thread *sct_thread_create_with(const char *name, void *(*function)(void *),
                                          void *argument, const struct sct_access *access);

// What its function was given.
void *sct_thread_argument(const struct sct_thread *thread);

// Whether [thread] has ended and all that it did happens before what the running one does; and to
// make it so, of one that has ended, without a join.
bool sct_thread_is_known(const struct sct_thread *thread);
void sct_thread_take_up(const struct sct_thread *thread);

// The running thread; NULL in setup, finish and tasks that are no threads.
SCT_API struct sct_thread *sct_thread_self(void);

SCT_API const char *sct_thread_name(const struct sct_thread *thread);

// Scheduling point; then waits until [thread] has ended and returns what it returned. Program
// errors: to join oneself, a thread that was detached, or one that somebody has joined or joins.
#define sct_thread_join(thread) sct_thread_join_at((thread), HERE)
SCT_API void *sct_thread_join_at(struct sct_thread *thread, const char *where);

// Nobody will join [thread]. Program errors: it was detached or joined before. Not a scheduling
// point.
SCT_API void sct_thread_detach(struct sct_thread *thread);

// Ends the running thread as if its function had returned [result]. Locks that it holds stay held.
// Program error if it is not a thread. Not a scheduling point.
SCT_API SCT_NORETURN void sct_thread_exit(void *result);

// Scheduling point at which the thread gives way (sct_yield): for loops that wait for others.
#define sct_thread_yield() sct_yield(HERE)

#endif
