// The command line over a subject that is neither a model nor a suite: a program that can change.
#define _GNU_SOURCE // mkdtemp
#include "tests/support/test.h"

#include "core/engine/machine.h"
#include "harness/cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int enter_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/test-subject-XXXXXX");
    return !mkdtemp(folder) || chdir(folder) != 0;
}

static int leave_folder(void **state) {
    (void)state;
    char line[100];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    return chdir("/") != 0 || system(line) != 0;
}

static void setup(void *context) {
    (void)context;
    sct_check(sct_choose(3, "number") != 2, "two", "it is two");
}

#define RUN(binding, ...) run(binding, (const char *const[]){"program", __VA_ARGS__, NULL})

static int run(const char *binding, const char *const *arguments) {
    static const struct subject_test test = {.name = "main", .program = {.setup = setup}};
    const struct subject subject = {.name = "program",
                                    .summary = "",
                                    .tests = (const struct subject_test *const[]){&test, NULL},
                                    .steps_max = 100,
                                    .binding = binding};
    char *argv[10] = {NULL};
    int argc = 0;
    for (; arguments[argc]; argc++)
        argv[argc] = (char *)(uintptr_t)arguments[argc];
    return command_run(
        &(struct command){.name = "program",
                          .call = {"program", NULL},
                          .subjects = (const struct subject *const[]){&subject, NULL},
                          .front = FRONT_PROGRAM,
                          .help = ""},
        argc, argv);
}

// A trace and a checkpoint are of the build that made them, and of no other.
static void test_subject_binding(void **state) {
    (void)state;
    assert_int_equal(RUN("build 1", "--trace", "t", "-q"), 1);
    assert_int_equal(system("grep -q '^binding build 1$' t"), 0);
    assert_int_equal(RUN("build 1", "--replay", "t", "--minimize", "-q"), 1);
    assert_int_equal(RUN("build 1", "--replay", "t.min", "-q"), 1);
    assert_int_equal(RUN("build 2", "--replay", "t"), 2);
    assert_int_equal(RUN(NULL, "--replay", "t"), 2);
    assert_int_equal(RUN("build 1", "-i", "0", "--checkpoint", "c", "-q"), 0);
    assert_int_equal(RUN("build 1", "--resume", "c", "-q"), 0);
    assert_int_equal(RUN("build 2", "--resume", "c"), 2);
    assert_int_equal(RUN(NULL, "--trace", "u", "-q"), 1);
    assert_int_not_equal(system("grep -q '^binding' u"), 0);
    assert_int_equal(RUN("build 1", "--replay", "u"), 2);
}

// There is one test of it, so none can be chosen.
static void test_subject_options(void **state) {
    (void)state;
    assert_int_equal(RUN(NULL, "--test", "main"), 2);
    assert_int_equal(RUN(NULL, "--bug", "1"), 2);
    assert_int_equal(RUN(NULL, "--model", "program"), 2);
    assert_int_equal(RUN(NULL, "--require-coverage"), 2);
    assert_int_equal(RUN(NULL, "--strategy", "dfs", "-q", "--trace", "t"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subject_binding),
        cmocka_unit_test(test_subject_options),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
