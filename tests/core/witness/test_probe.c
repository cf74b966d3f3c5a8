#include "tests/support/programs.h"

#include "core/witness/probe.h"

#include <signal.h>

static const struct sct_engine_options options = {.catch_signals = true, .hang_ms = 200};

static uint32_t sides;

static void roll(void *argument) {
    (void)argument;
    step("before");
    sct_choose(sides, "die");
}

static void two_rolls(void *context) {
    (void)context;
    start("a", roll, NULL);
    start("b", roll, NULL);
}

static uint64_t probe_of(uint32_t count) {
    const struct sct_program program = {.setup = two_rolls};
    sides = count;
    return sct_probe(&program, &options);
}

// The same again, and another where one choice has another number of alternatives.
static void test_probe_tells_builds_apart(void **state) {
    (void)state;
    uint64_t first = probe_of(6);
    assert_true(first != 0);
    assert_true(probe_of(6) == first);
    assert_true(probe_of(7) != first);
}

static void stop(void *argument) {
    (void)argument;
    raise(SIGKILL);
}

static void stopping(void *context) {
    (void)context;
    start("a", stop, NULL);
}

// A process that ends before has no probe; this one goes on.
static void test_probe_of_what_ends_its_process(void **state) {
    (void)state;
    const struct sct_program program = {.setup = stopping};
    assert_true(sct_probe(&program, &options) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe_tells_builds_apart),
        cmocka_unit_test(test_probe_of_what_ends_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
