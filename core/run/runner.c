#include "core/run/runner.h"
#include "core/base/grow.h"
#include "core/trace/trace.h"
#include "harness/cli/command.h"
#include "harness/cli/status.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_STEPS = 10000 };

static const char help[] = "Runs a test again and again under a scheduler that controls every "
                           "step, checks each\nexecution, and keeps a trace of one that fails.\n";

// What the labels of core/threads do not say themselves.
static const struct term steps[] = {{"thread", "begins"}, {NULL, NULL}};
static const struct subject_view view = {.steps = steps};

// What a suite says of a test; the rest of what a subject may have (variants, coverage, panels) is
// left out, as a test's author can have each as a test or a mark.
static struct subject_test subject_test_of(const struct sct_test *test) {
    ASSERT(test->name && test->program.setup);
    return (struct subject_test){
        .name = test->name,
        .summary = test->summary,
        .program = test->program,
        .steps_max = test->steps_max,
        .is_reducible = test->is_reducible,
        .view = &view,
    };
}

// What traces, names of files and command lines can hold: a trace has them between spaces and line
// ends, and its file is called by them. Other bytes, those of UTF-8 too, are left alone.
static bool check_name(const char *what, const char *name) {
    size_t length = 0;
    while ((unsigned char)name[length] > ' ' && name[length] != 0x7f && name[length] != '/')
        length++;
    if (length > 0 && length < SCT_TRACE_NAME_BYTES && name[length] == '\0')
        return true;
    complain("%s '%s': expected a name of 1 to %d characters without spaces and slashes", what,
             name, SCT_TRACE_NAME_BYTES - 1);
    return false;
}

// All that is wrong is said at once. An author's mistake, but known only when the program runs, so
// it is a line and a status, as for any other input.
static bool check_suite(const struct sct_suite *suite) {
    bool is_good = check_name("suite", suite->name);
    for (size_t i = 0; i < suite->test_count; i++) {
        is_good = check_name("test", suite->tests[i].name) && is_good;
        for (size_t j = 0; j < i; j++)
            if (strcmp(suite->tests[i].name, suite->tests[j].name) == 0) {
                complain("test '%s': expected names that differ", suite->tests[i].name);
                is_good = false;
            }
    }
    return is_good;
}

int sct_run(int argc, char **argv, const struct sct_suite *suite) {
    ASSERT(suite->test_count >= 1);
    ASSERT(suite->tests);
    // First: what is wrong with the suite is complained of in its name.
    status_begin(suite->name);
    if (!check_suite(suite))
        return EXIT_USAGE;
    // On the heap: there may be thousands (one for each number of threads, say). They live as long
    // as the command, in workers as in the process that forks them.
    struct subject_test *tests = grow_new(suite->test_count, sizeof *tests, "tests");
    // NULL ends it: grow_new gives zeros.
    const struct subject_test **list = grow_new(suite->test_count + 1, sizeof *list, "tests");
    for (size_t i = 0; i < suite->test_count; i++) {
        tests[i] = subject_test_of(&suite->tests[i]);
        list[i] = &tests[i];
    }
    const struct subject subject = {
        .name = suite->name, .summary = "", .tests = list, .steps_max = DEFAULT_STEPS};
    int status =
        command_run(&(struct command){.name = suite->name,
                                      .call = {argc > 0 ? argv[0] : suite->name, NULL},
                                      .subjects = (const struct subject *const[]){&subject, NULL},
                                      .front = FRONT_SUITE,
                                      .help = help},
                    argc, argv);
    free(list);
    free(tests);
    return status;
}
