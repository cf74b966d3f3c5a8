// A kernel thread of the tester looks twice a second: it stops nobody, and sends its signal only
// when the verdict stands, so that no call of the program is ever interrupted in vain.
#define _GNU_SOURCE // pthread_getcpuclockid, tgkill
#include "core/posix/watchdog.h"
#include "core/engine/execution.h"
#include "core/posix/hook.h"
#include "core/posix/images.h"
#include "core/posix/symbols.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    LOOK_MS = 500,
    BLOCKED_LOOKS = 4,
    BUSY_NS = 2 * 1000 * 1000, // between two looks: it works, if slowly
    STACK_WORDS = 64,          // of the C library's frames, between the kernel and the program
    VERDICT_SIGNAL = SIGSTKFLT // which Linux itself never sends
};

// What the watcher calls are the C library's functions themselves, looked up for it: to a hook it
// would be the program.
static struct {
    pid_t process; // that it watches; 0: none
    pid_t thread;
    clockid_t clock; // of the thread's work
    __typeof__(&clock_gettime) look_at_clock;
    __typeof__(&nanosleep) sleep;
    __typeof__(&syscall) call_system;
} watched;

// Whether the instruction before [address], which is in the program, is a call. x86-64 (Intel SDM,
// 2A, CALL): e8 and four bytes; ff 15 and four bytes, through a table; ff /2 through a register.
// Reading backwards may take other bytes for one. AArch64 (Arm ARM, C6.2): BL, BLR.
static bool is_behind_call(uintptr_t address) {
#if defined(__x86_64__)
    const unsigned char *code = (const unsigned char *)address;
    return code[-5] == 0xe8 || (code[-6] == 0xff && code[-5] == 0x15) ||
           (code[-2] == 0xff && (code[-1] & 0xf8) == 0xd0);
#else
    uint32_t code = ((const uint32_t *)address)[-1];
    return (code & 0xfc000000) == 0x94000000 || (code & 0xfffffc1f) == 0xd63f0000;
#endif
}

static uintptr_t program_counter(const ucontext_t *registers) {
#if defined(__x86_64__)
    return (uintptr_t)registers->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)registers->uc_mcontext.pc;
#endif
}

// The return address into the program of the call that was interrupted: the C library's functions
// have no frame pointers, so it is looked for. NULL: there is none.
static const void *caller_of(const ucontext_t *registers) {
#if defined(__x86_64__)
    const uintptr_t *word = (const uintptr_t *)registers->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    const uintptr_t *word = (const uintptr_t *)registers->uc_mcontext.sp;
#endif
    // The kernel does not touch the user's stack in a call: the first such word from its pointer on
    // is the return address, unless a buffer of the C library's holds an old one.
    for (int i = 0; i < STACK_WORDS; i++)
        if (posix_is_program_code((const void *)word[i]) && is_behind_call(word[i]))
            return (const void *)word[i];
    return NULL;
}

static void on_verdict(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    // In the program's thread, while it is in a call of the system: nothing is half done there but
    // that, and the execution is left for good.
    if (!sct_engine_inside())
        return; // it has just gone on
    const void *caller = caller_of(context);
    uintptr_t offset;
    char message[256];
    posix_enter_tool();
    const char *function = posix_symbol(program_counter(context), &offset);
    const char *where = caller ? posix_place(caller) : "?";
    posix_leave_tool();
    snprintf(message, sizeof message,
             "it is blocked in the kernel, in %s (at %s), which is not under control: nobody else "
             "can run",
             function ? function + strspn(function, "_") : "a call", where);
    sct_violation_by_signal(SCT_KIND_HANG, message, context);
}

static int64_t work_done(void) {
    // The thread's own, not the process's: this thread works, too.
    struct timespec time = {0, 0};
    ASSERT(watched.look_at_clock);
    watched.look_at_clock(watched.clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Whether it waits, by the system's own word: on a busy machine a thread may be without a processor
// for seconds, which looks the same.
static bool is_asleep(void) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)watched.thread);
    int file = (int)watched.call_system(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return true; // without /proc: nobody says otherwise
    long bytes = watched.call_system(SYS_read, file, line, sizeof line - 1);
    watched.call_system(SYS_close, file);
    line[bytes > 0 ? bytes : 0] = '\0';
    // The name stands in brackets, and may have any in it: the state is behind the last one
    // (proc(5)).
    const char *name_end = strrchr(line, ')');
    return !name_end || strncmp(name_end, ") S", 3) == 0;
}

static void *watch(void *unused) {
    uint64_t last_progress = 0;
    int64_t last_work = 0;
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    // To block is neither to get on (steps, decisions) nor to work: a long computation works, and a
    // program that waits for its turn on a loaded machine does not stand still at four looks in a
    // row unless it gets no time for two seconds.
    for (int looks = 0;;) {
        watched.sleep(&pause, NULL);
        uint64_t new_progress = sct_engine_progress();
        int64_t new_work = work_done();
        bool is_still = sct_engine_inside() && new_progress == last_progress &&
                        new_work - last_work < BUSY_NS && is_asleep();
        looks = is_still ? looks + 1 : 0;
        last_progress = new_progress;
        last_work = new_work;
        if (looks < BLOCKED_LOOKS)
            continue;
        looks = 0;
        watched.call_system(SYS_tgkill, watched.process, watched.thread, VERDICT_SIGNAL);
    }
    return unused;
}

void posix_watchdog_begin(void) {
    // A process that was forked (workers, --isolate) has no watcher yet: threads are not inherited.
    if (__builtin_expect(watched.process == getpid(), 1))
        return;
    ASSERT(posix_world.in_tool > 0);
    watched.process = getpid();
    watched.thread = (pid_t)REAL(syscall)(SYS_gettid);
    pthread_getcpuclockid(REAL(pthread_self)(), &watched.clock);
    // NODEFER: the handler does not return, and must leave the signal as it was. RESTART: if it
    // does, the program has noticed nothing.
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART,
                               .sa_sigaction = on_verdict};
    sigaction(VERDICT_SIGNAL, &action, NULL);
    watched.look_at_clock = REAL(clock_gettime);
    watched.sleep = REAL(nanosleep);
    watched.call_system = REAL(syscall);
    sigset_t all, before;
    sigfillset(&all);
    REAL(pthread_sigmask)(SIG_SETMASK, &all, &before); // the watcher's from its first step on
    pthread_t watcher;
    if (REAL(pthread_create)(&watcher, NULL, watch, NULL) != 0)
        fail_at(FAIL_RESOURCE, HERE, "the system gives no thread to watch the program");
    REAL(pthread_sigmask)(SIG_SETMASK, &before, NULL);
    REAL(pthread_detach)(watcher);
}
