#include "core/run/runner.h"
#include "harness/cli/command.h"

#include <stdlib.h>

enum { DEFAULT_STEPS = 10000 };

static const char help[] = "Runs a test again and again under a scheduler that controls every "
                           "step, checks each\nexecution, and keeps a trace of one that fails.\n";

static struct subject_test subject_test_of(const struct sct_test *test) {
    return (struct subject_test){
        .name = test->name,
        .summary = test->summary,
        .program = test->program,
        .steps_max = test->steps_max,
        .is_reducible = test->is_reducible,
    };
}

static void *new_array(size_t count, size_t bytes) {
    void *array = calloc(count, bytes);
    if (!array)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: %zu tests", count);
    return array;
}

int sct_run(int argc, char **argv, const struct sct_suite *suite) {
    ASSERT(suite->test_count >= 1);
    struct subject_test *tests = new_array(suite->test_count, sizeof *tests);
    const struct subject_test **list = new_array(suite->test_count + 1, sizeof *list);
    for (size_t i = 0; i < suite->test_count; i++) {
        tests[i] = subject_test_of(&suite->tests[i]);
        list[i] = &tests[i];
    }
    const struct subject subject = {
        .name = suite->name, .summary = "", .tests = list, .steps_max = DEFAULT_STEPS};
    int status =
        command_run(&(struct command){.name = suite->name,
                                      .call = argc > 0 ? argv[0] : suite->name,
                                      .subjects = (const struct subject *const[]){&subject, NULL},
                                      .front = FRONT_SUITE,
                                      .help = help},
                    argc, argv);
    free(list);
    free(tests);
    return status;
}
