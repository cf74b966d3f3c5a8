// Threads of the program.
#ifndef CORE_POSIX_THREAD_H
#define CORE_POSIX_THREAD_H

#include "core/threads/thread.h"

#include <pthread.h>
#include <stdbool.h>

enum { POSIX_KEYS_MAX = 128, POSIX_NAME_BYTES = 16 };

struct posix_kin;
struct posix_value;
struct posix_ending;

// In the arena; a pthread_t is its address.
struct posix_thread {
    struct sct_thread *thread;
    struct sct_strand *strand; // NULL: it has not begun
    void *(*function)(void *);
    int (*function_of_c11)(void *); // in its place
    void *argument;
    char given_name[POSIX_NAME_BYTES];
    unsigned block; // of thread-local variables; 0: the process's own, main's
    bool is_main, is_detached, has_ended, is_joined;
    bool awaits_exit;             // parked until whoever exits has ended
    struct posix_ending *endings; // destructors of thread_local objects, the last first
    void *cleanups;               // of pthread_cleanup_push, the last first; see cleanup.c
    void *result;                 // of one that has ended, or is on the way out
    struct posix_value *values;   // by key; NULL: none was set
    const void *locals;           // the thread pointer that finds its thread-local variables
    const char *stack_top;        // of what is the program's on its stack
    struct posix_kin *kin;        // see twins.h; NULL: nobody asks
    struct posix_loop *loop;      // see await.h; NULL: it has not looked at anything yet
    struct posix_thread *next;    // of all threads, the last created first
    // Signals, number N as bit N - 1: those it blocks, those that wait to be unblocked, and those
    // it waits for, as [machine].
    uint64_t mask, pending, awaited;
    struct sct_machine *machine;
};

// To be called when an execution begins: nobody lives.
void posix_threads_begin(void);

// Creates a thread: [shape] says function, argument and whether it is main, or detached. Not a
// scheduling point.
struct posix_thread *posix_thread_create(const struct posix_thread *shape);

// The running thread, and all of them, ended ones too.
struct posix_thread *posix_self(void);
struct posix_thread *posix_first_thread(void);

// The thread that [id] stands for, in the call that returns to [caller]; a violation if it was
// never created.
struct posix_thread *posix_thread_of(pthread_t id, const void *caller);

// Ends the running thread: what was pushed for cleaning up is run, then destructors.
_Noreturn void posix_thread_exit(void *result);

// The same, when nothing is left to clean up.
_Noreturn void posix_thread_leave(void);

// cleanup.c: goes on at the last place that [self] has to clean up, if there is one.
void posix_clean_up(struct posix_thread *self);

#endif
