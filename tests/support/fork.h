// Processes of a test.
#ifndef TESTS_SUPPORT_FORK_H
#define TESTS_SUPPORT_FORK_H

#include "tests/support/test.h"

#include <sys/types.h>
#include <unistd.h>

// fork(), which is there or fails the test: of a process that is not there -1 is the number, and
// kill(-1, ...) ends everything that runs on the machine.
static inline pid_t fork_or_fail(void) {
    pid_t process = fork();
    assert_true(process >= 0);
    return process;
}

#endif
