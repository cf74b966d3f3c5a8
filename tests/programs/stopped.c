// A thread that gets no processor for three seconds is no hang: it does not wait in the kernel.
// Here a debugger stops it, which for whoever looks on is the same.
//     stopped COMMAND...: runs it, and lets the first process of it that stops go on after that.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOPPED_SECONDS = 3, NOT_STOPPED = 125 };

// By numbers of system calls, since raise() never reaches the kernel under control. Of the process
// it is one thread that a debugger then holds.
static void stop(void) {
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP);
}

// What is told of a child of the child's: an event of ptrace(2), or a signal that it is to get.
static int answer(int status, unsigned *stops) {
    int number = WSTOPSIG(status);
    if (status >> 16 != 0)
        return 0;
    if (number != SIGSTOP)
        return number;
    if ((*stops)++ == 0)
        sleep(STOPPED_SECONDS);
    return 0;
}

static int attend(char **command) {
    int status;
    unsigned stops = 0;
    pid_t child = fork();
    if (child == 0) {
        stop();
        execv(command[0], command);
        _exit(127);
    }
    waitpid(child, &status, WUNTRACED);
    ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACEFORK);
    kill(child, SIGCONT);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFSTOPPED(status))
            ptrace(PTRACE_CONT, pid, NULL, (long)answer(status, &stops));
        else if (pid == child)
            break;
    }
    if (stops == 0)
        return NOT_STOPPED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_STOPPED;
}

int main(int argc, char **argv) {
    if (argc > 1)
        return attend(argv + 1);
    stop();
    return 0;
}
