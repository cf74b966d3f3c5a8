// Processes of a test.
#ifndef TESTS_SUPPORT_FORK_H
#define TESTS_SUPPORT_FORK_H

#include "tests/support/test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

// fork(), which is there or fails the test: of a process that is not there -1 is the number, and
// kill(-1, ...) ends everything that runs on the machine. It ends with the test: one that waits for
// ever would outlive a test that fails, and hold what it writes to open, which CTest waits for.
static inline pid_t fork_or_fail(void) {
    pid_t parent = getpid(), process = fork();
    assert_true(process >= 0);
    if (process == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
        _exit(99);
    return process;
}

#endif
