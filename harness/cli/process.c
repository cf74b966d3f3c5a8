#define _GNU_SOURCE // sigaction
#include "harness/cli/process.h"
#include "core/base/clock.h"
#include "core/engine/execution.h"
#include "harness/cli/status.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STACK_BYTES = 512 * 1024 }; // five times of what campaigns and reports were seen to need

static const double same_signal_seconds = 0.2;

volatile sig_atomic_t process_interrupted;

// Failures outside an execution: the tool's own.
static void on_tool_failure(enum fail_kind kind, const char *where, const char *message) {
    const char *what = kind == FAIL_RESOURCE ? "" : "internal error: ";
    complain("%s%s (%s)", what, message, where);
    _exit(EXIT_TOOL_FAILED);
}

// A system under test that calls exit() must not end the tool with a status of its own.
// atexit, for exit() cannot be caught otherwise; _exit is the witness's to see.
static void on_exit_call(void) {
    if (!sct_engine_inside())
        return;
    complain("the system under test called exit()");
    _exit(EXIT_TOOL_FAILED);
}

// The second one ends the process; but what sends a signal to a process and then to its group, such
// as timeout(1), sends one.
// The first one only asks: what was found so far is written. Only what may be done in a handler is
// done.
static void on_interrupt(int number) {
    static double first_at;
    double now = clock_seconds();
    if (!process_interrupted) {
        process_interrupted = 1;
        first_at = now;
    } else if (now - first_at > same_signal_seconds) {
        signal(number, SIG_DFL);
        raise(number); // as soon as it is not blocked any more
    }
}

void process_catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) // see nohup(1)
        sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); // a file that grows too large is an error of the write
}

// A closed standard stream would make the next file that is opened take its number, and the report
// go into it.
void process_open_streams(void) {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            // What is written to standard output must fail: a report that nobody gets is an error.
            (void)!open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

bool process_has_stack(struct error *error) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= STACK_BYTES)
        return true;
    rlim_t most = limit.rlim_max;
    limit.rlim_cur = STACK_BYTES;
    return (most >= STACK_BYTES && setrlimit(RLIMIT_STACK, &limit) == 0) ||
           error_set(error, "the stack may have %llu KiB (ulimit -s): expected %d or more",
                     (unsigned long long)most / 1024, STACK_BYTES / 1024);
}

void process_watch_failures(void) {
    static bool is_registered;
    fail_handler_set(on_tool_failure);
    if (!is_registered)
        atexit(on_exit_call);
    is_registered = true;
}
