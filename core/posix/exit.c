#define _GNU_SOURCE // quick_exit
#include "core/posix/exit.h"
#include "core/engine/inside.h"
#include "core/posix/files.h"
#include "core/posix/heap.h"
#include "core/posix/hook.h"
#include "core/posix/moment.h"
#include "core/posix/thread.h"
#include "core/posix/twins.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- Verdicts ----------------------------------------------------------------------------------

void posix_violate(const char *kind, const char *where, const char *format, ...) {
    // On the stack: nothing is allocated where the heap itself may be what is wrong.
    char message[1024];
    va_list arguments;
    ASSERT(sct_engine_inside());
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (where)
        sct_violation(kind, "%s (at %s)", message, where);
    sct_violation(kind, "%s", message);
}

// ---- Handlers ----------------------------------------------------------------------------------

// atexit of glibc is a static function in the program that calls __cxa_atexit, on which C++'s
// destructors of static objects come too (Itanium C++ ABI, "DSO object destruction API"): so there
// is one list, in the order of registration. The image, for dlclose, is not looked at.
struct handler {
    void (*function)(void *); // called without an argument by those who do not want it
    void *argument;
};

enum { HANDLERS_MAX = 256 };

struct handlers {
    size_t count;
    struct handler list[HANDLERS_MAX];
};

static struct handlers exit_handlers, quick_handlers;
static struct handlers first_exit_handlers, first_quick_handlers; // of constructors

void posix_exit_save(void) {
    ASSERT(!posix_world.is_open);
    first_exit_handlers = exit_handlers;
    first_quick_handlers = quick_handlers;
}

static void begin(struct handlers *handlers, const struct handlers *first) {
    ASSERT(first->count <= HANDLERS_MAX);
    // As many as there are, not the whole list of 4 KiB: this is paid by every execution.
    handlers->count = first->count;
    memcpy(handlers->list, first->list, first->count * sizeof first->list[0]);
}

void posix_exit_begin(void) {
    begin(&exit_handlers, &first_exit_handlers);
    begin(&quick_handlers, &first_quick_handlers);
    ASSERT(posix_world.in_tool > 0);
    posix_world.exiting = NULL;
}

static void visit_handlers(struct handlers *handlers, posix_tell *tell, void *to) {
    tell(to, &handlers->count, sizeof handlers->count);
    tell(to, handlers->list, handlers->count * sizeof handlers->list[0]);
}

void posix_exit_tell(posix_tell *tell, void *to) {
    visit_handlers(&exit_handlers, tell, to);
    visit_handlers(&quick_handlers, tell, to);
}

static int add(struct handlers *handlers, void (*function)(void *), void *argument) {
    ASSERT(handlers->count <= HANDLERS_MAX);
    if (handlers->count == HANDLERS_MAX)
        // As glibc's where memory is short: atexit hands it on as its failure.
        return -1;
    handlers->list[handlers->count++] = (struct handler){function, argument};
    return 0;
}

// The last one first; they may register more.
static void run_handlers(struct handlers *handlers) {
    ASSERT(posix_controls());
    while (handlers->count > 0) {
        // Taken off before it runs: it may add another one in its place.
        struct handler handler = handlers->list[--handlers->count];
        handler.function(handler.argument);
    }
}

// ---- Ends --------------------------------------------------------------------------------------

// The step that ends the program touches everything: whatever the others would have done is not
// done. Where all others have ended there is nothing to
// be stopped, and it is the same who is the last.
_Noreturn static void stop_all(void) {
    ASSERT(posix_controls());
    if (sct_reducing() && posix_world.living > 1)
        sct_touch(&sct_access_unknown);
    sct_end();
}

// [flushes]: what the program has written to its streams is shown; else it is lost (_exit, POSIX).
_Noreturn static void leave(int status, bool flushes) {
    // Of the status a parent sees its low eight bits (wait, POSIX).
    const struct posix_options *options = &posix_world.options;
    ASSERT(posix_controls());
    if (options->expects_exit && (status & 0xff) != options->exit_status)
        sct_violation(POSIX_KIND_EXIT_STATUS, "the program ends with status %d, expected %d",
                      status & 0xff, options->exit_status);
    if (options->finds_leaks)
        posix_heap_find_leaks();
    posix_files_end(flushes);
    // As the tester: what is called may allocate, and that is not the program's heap to see.
    if (posix_world.on_pass) {
        posix_enter_tool();
        posix_world.on_pass();
        posix_leave_tool();
    }
    stop_all();
}

_Noreturn static void end_by(struct handlers *handlers, int status) {
    struct posix_thread *self = posix_self();
    ASSERT(posix_controls());
    // While somebody else is at it this thread has nothing more to do, unless that one ends in a
    // handler. Its own handlers may exit, too: what is left of them is run then, as glibc does.
    while (posix_world.exiting && posix_world.exiting != self) {
        self->awaits_exit = true;
        sct_park("the end of the program");
    }
    posix_world.exiting = self;
    posix_twins_end();
    // What handlers do, in whatever order they came to be registered, is not declared.
    if (sct_reducing() && handlers->count > 0)
        sct_touch(&sct_access_unknown);
    run_handlers(handlers);
    leave(status, handlers == &exit_handlers);
}

void posix_exit_left(const struct posix_thread *self) {
    if (posix_world.exiting != self)
        return;
    posix_world.exiting = NULL;
    for (struct posix_thread *thread = posix_first_thread(); thread; thread = thread->next)
        if (thread->awaits_exit) {
            thread->awaits_exit = false;
            sct_wake(thread->strand);
        }
}

void posix_exit(int status) {
    end_by(&exit_handlers, status);
}

_Noreturn HOOK void exit(int status) {
    if (!posix_controls())
        REAL(exit)(status);
    posix_exit(status);
}

_Noreturn HOOK void quick_exit(int status) {
    if (!posix_controls())
        REAL(quick_exit)(status);
    end_by(&quick_handlers, status);
}

_Noreturn HOOK void _exit(int status) {
    if (!posix_controls())
        REAL(_exit)(status);
    leave(status, false);
}

_Noreturn HOOK void _Exit(int status) {
    if (!posix_controls())
        REAL(_Exit)(status);
    leave(status, false);
}

// A program that is going to be under control registers here from its first constructor on; its
// handlers run in each execution, and not when the process ends.
static bool has_handlers(void) {
    return posix_controls() || (posix_world.is_recording && !sct_engine_inside());
}

int __cxa_atexit(void (*function)(void *), void *argument, void *image);
HOOK int __cxa_atexit(void (*function)(void *), void *argument, void *image) {
    return has_handlers() ? add(&exit_handlers, function, argument)
                          : REAL(__cxa_atexit)(function, argument, image);
}

int __cxa_at_quick_exit(void (*function)(void *), void *image);
HOOK int __cxa_at_quick_exit(void (*function)(void *), void *image) {
    return has_handlers() ? add(&quick_handlers, function, NULL)
                          : REAL(__cxa_at_quick_exit)(function, image);
}

_Noreturn HOOK void abort(void) {
    if (!posix_controls())
        REAL(abort)();
    posix_violate(SCT_KIND_CRASH, WHERE, "SIGABRT: abort() was called");
}

// As other tools have it: of executions in which [condition] is 0 here, what comes behind is of no
// interest.
void __VERIFIER_assume(int condition);
HOOK void __VERIFIER_assume(int condition) {
    if (condition == 0 && posix_controls())
        sct_block();
}

void __assert_fail(const char *expression, const char *file, unsigned line, const char *function)
    __attribute__((noreturn));
void __assert(const char *expression, const char *file, int line) __attribute__((noreturn));

_Noreturn HOOK void __assert_fail(const char *expression, const char *file, unsigned line,
                                  const char *function) {
    if (!posix_controls())
        REAL(__assert_fail)(expression, file, line, function);
    // Without folders: two builds of the same source in two places have the same message.
    const char *slash = strrchr(file, '/');
    sct_violation(SCT_KIND_ASSERTION, "%s (%s:%u, %s)", expression, slash ? slash + 1 : file, line,
                  function ? function : "?");
}

_Noreturn HOOK void __assert(const char *expression, const char *file, int line) {
    __assert_fail(expression, file, (unsigned)line, NULL);
}
