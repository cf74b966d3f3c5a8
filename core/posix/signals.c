#define _GNU_SOURCE // sighandler_t
#include "core/posix/signals.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 65, SIGNAL_MESSAGE = 1 };
_Static_assert(SIGNALS - 1 <= 64, "a set of signals fits into a number");
_Static_assert(SIGNALS == _NSIG, "they are those of the system");

static struct sigaction actions[SIGNALS], first_actions[SIGNALS];
static uint64_t first_mask; // main's
static uint64_t pending;    // sent to the process; all threads that lived had it blocked

// Signals as bits: number N is bit N - 1.
static uint64_t bit(int number) {
    ASSERT(number > 0 && number < SIGNALS);
    return UINT64_C(1) << (number - 1);
}

static uint64_t bits_of(const sigset_t *set) {
    uint64_t bits = 0;
    for (int number = 1; number < SIGNALS; number++)
        bits |= sigismember(set, number) == 1 ? bit(number) : 0;
    return bits;
}

static void put_bits(sigset_t *set, uint64_t bits) {
    sigemptyset(set);
    for (int number = 1; number < SIGNALS; number++)
        if (bits & bit(number))
            sigaddset(set, number);
}

void posix_signals_save(void) {
    sigset_t mask;
    ASSERT(!posix_world.is_open);
    memcpy(first_actions, actions, sizeof actions);
    // Main's is that of the process: what a parent has blocked stays blocked across exec (POSIX).
    sigprocmask(SIG_SETMASK, NULL, &mask);
    first_mask = bits_of(&mask);
}

void posix_signals_begin(void) {
    ASSERT(posix_world.in_tool > 0);
    memcpy(actions, first_actions, sizeof actions);
    pending = 0;
}

uint64_t posix_signals_mask(void) {
    return first_mask;
}

// ---- Delivery ----------------------------------------------------------------------------------

// On the way to a thread that waits for it.
struct signal_message {
    struct sct_message message;
    int number;
};

static bool is_signal(int number) {
    return number > 0 && number < SIGNALS;
}

// Those of which signal(7) says that they are ignored, or that a process goes on.
static bool is_ignored(int number) {
    ASSERT(is_signal(number));
    void (*handler)(int) = actions[number].sa_handler;
    bool is_harmless =
        number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
    return handler == SIG_IGN || (handler == SIG_DFL && is_harmless);
}

// The running thread handles it.
static void handle(int number, const char *where) {
    // A copy: the handler may install another one for its own signal.
    const struct sigaction action = actions[number];
    if (is_ignored(number))
        return;
    if (action.sa_handler == SIG_DFL)
        posix_violate(SCT_KIND_CRASH, where, "signal %d (%s) ends the program", number,
                      strsignal(number));
    ASSERT(posix_controls());
    struct posix_thread *self = posix_self();
    uint64_t mask = self->mask;
    // Blocked while it is handled: one that comes meanwhile waits, as the kernel has it.
    self->mask |= bits_of(&action.sa_mask) | (action.sa_flags & SA_NODEFER ? 0 : bit(number));
    if ((unsigned)action.sa_flags & SA_RESETHAND)
        actions[number].sa_handler = SIG_DFL;
    // A handler runs in the middle of whatever the thread does, and must leave its errno alone;
    // most do not, and the kernel does not help them either. Here it is put back, so that a call
    // whose hook sends the signal returns its own.
    siginfo_t info = {.si_signo = number, .si_code = SI_TKILL};
    int error = errno;
    if (action.sa_flags & SA_SIGINFO)
        action.sa_sigaction(number, &info, NULL);
    else
        action.sa_handler(number);
    errno = error;
    self->mask = mask; // whatever the handler has made of it (sigaction(2))
}

static bool send_to_waiter(struct posix_thread *thread, int number) {
    if (!(thread->awaited & bit(number)))
        return false;
    // By the mailbox of its machine: to receive is the one wait that may last for ever without a
    // deadlock, as that for a signal may.
    ASSERT(thread->machine && !thread->has_ended);
    struct signal_message *message = ARENA_NEW(sct_arena(), struct signal_message);
    message->message.kind = SIGNAL_MESSAGE;
    message->number = number;
    thread->awaited = 0; // it has one
    sct_post(thread->machine, &message->message);
    return true;
}

// Where it does not wait it would be interrupted between any two instructions, of which there are
// no points: such a program is refused, not run with less than all its schedules.
static void send_to_thread(struct posix_thread *thread, int number, const char *where) {
    ASSERT(posix_controls() && is_signal(number));
    // Before the mask: who waits for a signal by sigwait has blocked it (POSIX).
    if (thread->has_ended || send_to_waiter(thread, number))
        return;
    if (thread->mask & bit(number))
        thread->pending |= bit(number);
    else if (thread == posix_self())
        handle(number, where);
    else if (!is_ignored(number))
        posix_refuse("a signal to another thread that does not wait for it", where);
}

// A thread that has it unblocked; NULL: none.
static struct posix_thread *find_open(int number) {
    struct posix_thread *thread = posix_first_thread();
    while (thread && (thread->has_ended || (thread->mask & bit(number))))
        thread = thread->next;
    return thread;
}

// To any thread that has it unblocked (POSIX): of those that wait for it the last created is taken,
// which is one of the choices that the system has.
static void send_to_process(int number, const char *where) {
    ASSERT(posix_controls());
    for (struct posix_thread *thread = posix_first_thread(); thread; thread = thread->next)
        if (!thread->has_ended && send_to_waiter(thread, number))
            return;
    struct posix_thread *taker =
        posix_self()->mask & bit(number) ? find_open(number) : posix_self();
    if (!taker)
        pending |= bit(number);
    else if (taker == posix_self() || actions[number].sa_handler == SIG_DFL)
        handle(number, where); // or the end of the program, whoever takes it
    else if (!is_ignored(number))
        posix_refuse("a signal to another thread that does not wait for it", where);
}

// A signal of [set] that was sent while it was blocked, the lowest; 0: none.
static int take_pending(uint64_t set) {
    struct posix_thread *self = posix_self();
    uint64_t ready = (self->pending | pending) & set;
    if (!ready)
        return 0;
    // The lowest first, as signal(7) has it for real-time signals; of the others the order is left
    // open. Sent twice while it was blocked it comes once.
    int number = __builtin_ctzll(ready) + 1;
    ASSERT(is_signal(number));
    if (self->pending & bit(number))
        self->pending &= ~bit(number);
    else
        pending &= ~bit(number);
    return number;
}

static void handle_pending(const char *where) {
    ASSERT(posix_controls());
    struct posix_thread *self = posix_self();
    // Asked anew each time: a handler may have sent more.
    for (int number; (number = take_pending(~self->mask)) != 0;)
        handle(number, where);
}

// ---- Waiting -----------------------------------------------------------------------------------

// The next signal of [set] that comes, or has come; others run meanwhile.
static int wait_for(uint64_t set, const char *where) {
    ASSERT(posix_controls());
    sct_point("wait for a signal", where, &sct_access_unknown);
    struct posix_thread *self = posix_self();
    int number = take_pending(set);
    if (number != 0)
        return number;
    self->machine = sct_machine_self();
    ASSERT(self->awaited == 0); // who waits does nothing else
    self->awaited = set;
    struct sct_message *message = sct_receive(SCT_KIND_BIT(SIGNAL_MESSAGE), true, "a signal");
    ASSERT(self->awaited == 0 && message->kind == SIGNAL_MESSAGE);
    return ((struct signal_message *)message)->number;
}

// As pause, with [mask] meanwhile.
static int wait_for_handler(uint64_t mask, const char *where) {
    ASSERT(posix_controls());
    // Any signal that is not blocked and does something wakes it; one that is ignored does not.
    struct posix_thread *self = posix_self();
    uint64_t before = self->mask, set = ~mask;
    for (int number = 1; number < SIGNALS; number++)
        set &= is_ignored(number) ? ~bit(number) : ~UINT64_C(0);
    // The mask is in force while it waits and while the handler runs, and is put back before the
    // call returns: that is what sigsuspend is for.
    int number = wait_for(set, where);
    self->mask = mask;
    handle(number, where);
    self->mask = before;
    errno = EINTR;
    return -1;
}

// ---- Hooks: what signals do --------------------------------------------------------------------

// A program that is going to be under control has its handlers here from its first constructor on.
static bool has_actions(void) {
    return posix_controls() || (posix_world.is_recording && !posix_world.is_open);
}

HOOK int sigaction(int number, const struct sigaction *restrict action,
                   struct sigaction *restrict old) {
    if (!has_actions())
        return REAL(sigaction)(number, action, old);
    if (!is_signal(number) || (action && (number == SIGKILL || number == SIGSTOP))) {
        errno = EINVAL;
        return -1;
    }
    struct sigaction before = actions[number];
    if (action)
        actions[number] = *action;
    if (old)
        *old = before;
    return 0;
}

HOOK sighandler_t signal(int number, sighandler_t handler) {
    if (!has_actions())
        return REAL(signal)(number, handler);
    // As glibc's, which has the meaning of BSD (signal(2)): the handler stays installed.
    const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old;
    return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static int change_mask(int how, const sigset_t *set, sigset_t *old, const char *where) {
    ASSERT(posix_controls());
    struct posix_thread *self = posix_self();
    uint64_t before = self->mask, bits = set ? bits_of(set) : 0;
    // Without a set [how] means nothing, and is not looked at (POSIX).
    if (set && how == SIG_BLOCK)
        self->mask |= bits;
    else if (set && how == SIG_UNBLOCK)
        self->mask &= ~bits;
    else if (set && how == SIG_SETMASK)
        self->mask = bits;
    else if (set)
        return EINVAL;
    if (old)
        put_bits(old, before);
    // At least one before the call returns (POSIX, pthread_sigmask); here all.
    handle_pending(where);
    return 0;
}

HOOK int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old) {
    return posix_controls() ? change_mask(how, set, old, WHERE)
                            : REAL(pthread_sigmask)(how, set, old);
}

HOOK int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old) {
    if (!posix_controls())
        return REAL(sigprocmask)(how, set, old);
    int error = change_mask(how, set, old, WHERE);
    if (error != 0) // what succeeds leaves errno as it is
        errno = error;
    return error == 0 ? 0 : -1;
}

HOOK int sigpending(sigset_t *set) {
    if (!posix_controls())
        return REAL(sigpending)(set);
    put_bits(set, posix_self()->pending | pending);
    return 0;
}

// ---- Hooks: sending ----------------------------------------------------------------------------

HOOK int raise(int number) {
    if (!posix_controls())
        return REAL(raise)(number);
    if (!is_signal(number))
        return EINVAL;
    sct_point("raise a signal", WHERE, &sct_access_unknown);
    send_to_thread(posix_self(), number, WHERE);
    return 0;
}

HOOK int kill(pid_t process, int number) {
    if (!posix_controls())
        return REAL(kill)(process, number);
    // 0 is the whole group of the process, of which nobody else takes part.
    if (process != getpid() && process != 0)
        posix_refuse("kill() of another process", WHERE);
    if (number != 0 && !is_signal(number)) {
        errno = EINVAL;
        return -1;
    }
    sct_point("send a signal", WHERE, &sct_access_unknown);
    if (number != 0)
        send_to_process(number, WHERE);
    return 0;
}

HOOK int pthread_kill(pthread_t id, int number) {
    if (!posix_controls())
        return REAL(pthread_kill)(id, number);
    if (number != 0 && !is_signal(number))
        return EINVAL;
    sct_point("send a signal", WHERE, &sct_access_unknown);
    if (number != 0)
        send_to_thread(posix_thread_of(id, CALLER), number, WHERE);
    return 0;
}

// ---- Hooks: waiting ----------------------------------------------------------------------------

HOOK int sigwait(const sigset_t *restrict set, int *restrict number) {
    if (!posix_controls())
        return REAL(sigwait)(set, number);
    *number = wait_for(bits_of(set), WHERE);
    return 0;
}

HOOK int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info) {
    if (!posix_controls())
        return REAL(sigwaitinfo)(set, info);
    int number = wait_for(bits_of(set), WHERE);
    if (info)
        *info = (siginfo_t){.si_signo = number, .si_code = SI_TKILL};
    return number;
}

HOOK int pause(void) {
    return posix_controls() ? wait_for_handler(posix_self()->mask, WHERE) : REAL(pause)();
}

HOOK int sigsuspend(const sigset_t *mask) {
    return posix_controls() ? wait_for_handler(bits_of(mask), WHERE) : REAL(sigsuspend)(mask);
}
