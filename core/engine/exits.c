// Ends of the process that the system under test asks for become violations.
//
// These functions take the place of the C library's in every program that has the engine. Outside
// of executions they do what theirs do. They are weak: who has a meaning of its own for exit (a
// program under test that ends) defines it.
#define _GNU_SOURCE // RTLD_NEXT, syscall
#include "core/engine/state.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSTEAD __attribute__((weak, visibility("default")))

void sct_exit_now(int status) {
    for (;;) // not the C library's: that one is what is taken the place of
        syscall(SYS_exit_group, status);
}

// Leaves the execution, if one runs.
static void refuse(const char *call) {
    if (!sct_engine_inside())
        return;
    // Even where it was meant: the campaign's process must go on, and what the other machines would
    // have done is lost with it.
    char message[64];
    snprintf(message, sizeof message, "the process was to end here: %s", call);
    sct_violate(sct_engine_now, SCT_KIND_EXIT, NULL, message);
}

static void refuse_status(const char *function, int status) {
    char call[32];
    snprintf(call, sizeof call, "%s(%d)", function, status);
    refuse(call);
}

// What the C library does.
_Noreturn static void end_as_usual(const char *function, int status) {
    void (*usual)(int);
    // Looked up when it is needed, as this ends the process anyway.
    *(void **)&usual = dlsym(RTLD_NEXT, function);
    if (usual)
        usual(status);
    sct_exit_now(status);
}

INSTEAD void exit(int status) {
    refuse_status("exit", status);
    end_as_usual("exit", status);
}

INSTEAD void quick_exit(int status) {
    refuse_status("quick_exit", status);
    end_as_usual("quick_exit", status);
}

// Nothing is called on the way, in signal handlers and forked processes too.
INSTEAD void _exit(int status) {
    refuse_status("_exit", status);
    sct_exit_now(status);
}

INSTEAD void _Exit(int status) {
    refuse_status("_Exit", status);
    sct_exit_now(status);
}

INSTEAD pid_t fork(void) {
    static pid_t (*usual)(void);
    if (sct_engine_inside())
        sct_violate(sct_engine_now, SCT_KIND_EXIT, NULL,
                    "a second process was to begin here: fork()");
    if (!usual)
        *(void **)&usual = dlsym(RTLD_NEXT, "fork");
    return usual();
}

// Of what forks inside the C library (daemon): the campaign is the parent's.
static void end_child(void) {
    if (sct_engine_inside())
        sct_exit_now(1);
}

void sct_exits_watch(void) {
    static bool is_watching;
    // Once in a process, however many engines it opens: there is no call that takes such a handler
    // back.
    if (!is_watching)
        is_watching = pthread_atfork(NULL, NULL, end_child) == 0;
}
