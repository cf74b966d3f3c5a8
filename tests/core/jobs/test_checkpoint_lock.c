#define _GNU_SOURCE // mkdtemp
#include "tests/support/test.h"
#include "tests/support/fork.h"

#include "core/jobs/checkpoint_lock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/test-lock-XXXXXX");
    return !mkdtemp(folder) || chdir(folder) != 0;
}

static int remove_folder(void **state) {
    (void)state;
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static bool lock(struct sct_checkpoint_lock *held) {
    struct error error = {{0}};
    bool is_held = sct_checkpoint_lock(held, "c", &error);
    if (!is_held)
        assert_string_equal(error.text, "checkpoint 'c': another campaign is writing it");
    return is_held;
}

// Another process that holds the lock until it is killed.
static pid_t start_holder(void) {
    int told[2];
    char byte;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork_or_fail();
    if (child == 0) {
        struct sct_checkpoint_lock held;
        struct error error;
        bool is_held = sct_checkpoint_lock(&held, "c", &error);
        if (write(told[1], is_held ? "y" : "n", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(told[0]);
    close(told[1]);
    return child;
}

// One process at a time; that it was killed does not matter, and the lock's file does not stay.
static void test_lock_is_one_process(void **state) {
    (void)state;
    struct sct_checkpoint_lock held;
    for (int round = 0; round < 3; round++) {
        pid_t child = start_holder();
        assert_false(lock(&held));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_true(lock(&held));
        sct_checkpoint_unlock(&held);
        assert_int_not_equal(access("c.lock", F_OK), 0);
    }
}

// Children do not hold what their parent has locked.
static void test_lock_is_not_inherited(void **state) {
    (void)state;
    struct sct_checkpoint_lock held;
    assert_true(lock(&held));
    pid_t child = fork_or_fail();
    if (child == 0)
        for (;;)
            pause();
    sct_checkpoint_unlock(&held);
    assert_true(lock(&held));
    sct_checkpoint_unlock(&held);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

// A device needs none; a folder that is not there is an error.
static void test_lock_of_other_places(void **state) {
    (void)state;
    struct sct_checkpoint_lock held;
    struct error error = {{0}};
    assert_true(sct_checkpoint_lock(&held, "/dev/null", &error));
    sct_checkpoint_unlock(&held);
    assert_false(sct_checkpoint_lock(&held, "no/c", &error));
    assert_string_equal(error.text, "checkpoint 'no/c': No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_lock_is_one_process),
        TEST(test_lock_is_not_inherited),
        TEST(test_lock_of_other_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
