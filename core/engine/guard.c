// Faults and hangs of the system under test become violations.
//
// A fatal signal while an execution runs leaves the coroutine for the engine's stack and the
// campaign goes on. On the engine's own stack it is the tool's own failure. A timer of CPU time
// notices an execution that meets no scheduling point and makes no choice for too long.
#define _GNU_SOURCE // siginfo_t, SA_ONSTACK, itimers
#include "core/engine/state.h"
#include "core/base/clock.h"
#include "core/base/grow.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { TICK_MS = 100, STOP_TICKS = 3, STACK_BYTES = 64 * 1024 };

#if ARENA_POISONS
// What the sanitizers find inside an execution is a finding like any other fault: they abort, and
// the handlers below are not theirs. (The sanitizers look these functions up by name, from
// libraries of their own: hidden ones they do not find.)
#define FOR_SANITIZERS __attribute__((visibility("default")))
FOR_SANITIZERS const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "abort_on_error=1:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
           "handle_abort=0:use_sigaltstack=0";
}
FOR_SANITIZERS const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) {
    return "abort_on_error=1:print_stacktrace=1";
}
#endif

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { FAULT_COUNT = sizeof fault_signals / sizeof fault_signals[0] };

static struct sigaction old_actions[FAULT_COUNT];
static struct sigaction old_timer_action;
static stack_t old_stack;
static char *handler_stack;
static uint64_t last_progress;
static unsigned idle_ticks;
static volatile uint64_t faulty_execution; // the last that ended by a signal

static const char *signal_name(int number) {
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV: invalid memory access";
    case SIGBUS:
        return "SIGBUS: invalid memory access";
    case SIGFPE:
        return "SIGFPE: arithmetic fault";
    case SIGILL:
        return "SIGILL: illegal instruction";
    case SIGABRT:
        return "SIGABRT: abort() was called";
    default:
        return "fatal signal";
    }
}

_Noreturn static void die(const char *what) {
    static const char prefix[] = "mtcheck: internal error: ";
    static const char suffix[] = " (not of the system under test)\n";
    // No stdio in a handler: the fault may have come with its lock held.
    ssize_t ignored = write(STDERR_FILENO, prefix, sizeof prefix - 1);
    ignored += write(STDERR_FILENO, what, strlen(what));
    ignored += write(STDERR_FILENO, suffix, sizeof suffix - 1);
    (void)ignored;
    sct_exit_now(3);
}

static void on_fault(int number, siginfo_t *info, void *context) {
    struct sct_engine *engine = sct_engine_now;
    // A code of 0 or less: a process has sent it (sigaction(2)). abort() sends it to its own.
    bool is_from_elsewhere = info->si_code <= 0 && info->si_pid != getpid();
    // Somebody's kill(1) is no finding, and the tool's own fault must not look like one.
    if (!sct_engine_inside() || is_from_elsewhere)
        die(signal_name(number));
    if (faulty_execution == engine->executions)
        die("a second fault while the first one was handled");
    faulty_execution = engine->executions;
    // Below a stack lies its guard page: who touches that has used all of it.
    struct sct_frame frame = sct_frame_of_signal(context);
    bool is_memory = number == SIGSEGV || number == SIGBUS;
    if (is_memory && sct_coro_in_guard(&engine->pool, info->si_addr))
        sct_violate_at(engine, SCT_KIND_STACK_OVERFLOW, NULL, "the stack of a coroutine overflowed",
                       frame);
    sct_violate_at(engine, SCT_KIND_CRASH, NULL, signal_name(number), frame);
}

uint64_t sct_engine_progress(void) {
    const volatile struct sct_engine *engine = sct_engine_now;
    return engine ? engine->executions + engine->now.point_count + engine->now.decision_count : 0;
}

void sct_engine_stop(struct sct_engine *engine, const volatile sig_atomic_t *wish, double at) {
    ASSERT(engine == sct_engine_now && !engine->self);
    engine->stop.wish = wish;
    engine->stop.at = at;
    engine->stop.ticks = 0;
}

bool sct_engine_should_stop(const struct sct_engine *engine) {
    return (engine->stop.wish && *engine->stop.wish) ||
           (engine->stop.at > 0 && clock_seconds() >= engine->stop.at);
}

bool sct_is_stopped(const struct sct_engine *engine) {
    return engine->stop.ticks >= STOP_TICKS;
}

// Not left from here: the program may be in the middle of a call, with a lock of the library's. Its
// next point is looked at (point_bound), which costs the others nothing.
static void look_for_stop(struct sct_engine *engine) {
    if (!engine || !sct_engine_should_stop(engine))
        return;
    engine->stop.ticks++;
    if (sct_is_stopped(engine))
        engine->now.point_bound = 0;
}

static void on_tick(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    struct sct_engine *engine = sct_engine_now;
    look_for_stop(engine);
    // CPU time, not time: a machine that is busy with other things hangs nobody. What moves no
    // count between two ticks may have moved just before the first, so one tick more is waited for.
    uint64_t progress = sct_engine_progress();
    idle_ticks = sct_engine_inside() && progress == last_progress ? idle_ticks + 1 : 0;
    last_progress = progress;
    if (idle_ticks * TICK_MS < engine->options.hang_ms)
        return;
    idle_ticks = 0;
    sct_violate_at(engine, SCT_KIND_HANG, NULL,
                   "it runs and runs without a scheduling point (endless loop)",
                   sct_frame_of_signal(context));
}

void sct_guard_start_timer(void) {
    struct timeval interval = {.tv_usec = TICK_MS * 1000};
    // Time in user mode alone (setitimer(2)): a call that sleeps in the kernel is no endless loop,
    // and is not noticed.
    struct itimerval timer = {.it_interval = interval, .it_value = interval};
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

// Handlers leave by switching stacks and never return: the signal must not stay blocked
// (SA_NODEFER), and they need a stack of their own, since the coroutine's may be full.
void sct_guard_install(struct sct_engine *engine) {
    (void)engine;
    ASSERT(!handler_stack); // one engine at a time
    faulty_execution = 0;
    handler_stack = grow_new(1, STACK_BYTES, "the stack of the signal handlers");
    stack_t stack = {.ss_sp = handler_stack, .ss_size = STACK_BYTES};
    sigaltstack(&stack, &old_stack);
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = on_fault;
    for (int i = 0; i < FAULT_COUNT; i++)
        sigaction(fault_signals[i], &action, &old_actions[i]);
    // Ticks come at any time, in the middle of the program's system calls too, which go on then
    // (SA_RESTART); faults are of the instruction that runs.
    struct sigaction tick = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
    sigemptyset(&tick.sa_mask);
    tick.sa_sigaction = on_tick;
    sigaction(SIGVTALRM, &tick, &old_timer_action);
    // A mask is inherited. With its signal blocked a fault ends the process, whatever its handler
    // is, and no tick ever comes.
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGVTALRM);
    for (int i = 0; i < FAULT_COUNT; i++)
        sigaddset(&unblocked, fault_signals[i]);
    sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
    sct_guard_start_timer();
    sct_exits_watch();
}

void sct_guard_remove(void) {
    ASSERT(handler_stack);
    // The timer first: a tick that came after its handler was gone would end the process.
    struct itimerval off = {0};
    setitimer(ITIMER_VIRTUAL, &off, NULL);
    sigaction(SIGVTALRM, &old_timer_action, NULL);
    for (int i = 0; i < FAULT_COUNT; i++)
        sigaction(fault_signals[i], &old_actions[i], NULL);
    sigaltstack(&old_stack, NULL);
    free(handler_stack);
    handler_stack = NULL;
}
