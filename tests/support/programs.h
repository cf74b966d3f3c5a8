// An engine and the means to run small programs, for the tests of core/.
//
// Programs are setup functions that start tasks; machines tell what they do with text_add(&story,
// ...) and claim with sct_check; the test looks at the result and at the story afterwards.
#ifndef TESTS_SUPPORT_PROGRAMS_H
#define TESTS_SUPPORT_PROGRAMS_H

#include "tests/support/test.h"

#include "core/engine/execution.h"

#include <string.h>

// A set of the slots below 64 that [bits] says, while the block lasts.
#define SLOTS(bits) (&(struct sct_slots){.words = {bits}})

static struct sct_engine *engine;

// What the machines of the last execution told.
static char story_buffer[4096];
static struct text story;

static inline int open_engine(void **state) {
    (void)state;
    const struct sct_engine_options options = {.catch_signals = false};
    engine = sct_engine_open(&options);
    return 0;
}

// An engine that catches faults, and hangs after 200 ms. Not a cmocka setup: cmocka installs signal
// handlers of its own between the setup and the test.
static inline void open_catching_engine(void) {
    const struct sct_engine_options options = {.hang_ms = 200, .catch_signals = true};
    engine = sct_engine_open(&options);
}

static inline int close_engine(void **state) {
    (void)state;
    sct_engine_close(engine);
    return 0;
}

#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

static inline struct sct_strategy *new_strategy(const char *spec) {
    struct error error = {{0}};
    struct sct_strategy *strategy = sct_strategy_new(spec, &error);
    if (!strategy)
        fail_msg("%s", error.text);
    return strategy;
}

static inline const struct sct_result *run_with(struct sct_strategy *strategy,
                                                const struct sct_program *program, uint64_t seed) {
    story = text_in(story_buffer, sizeof story_buffer);
    return sct_engine_run(engine, program, strategy, seed);
}

static inline const struct sct_result *run_random(void (*setup)(void *), uint64_t seed) {
    const struct sct_program program = {.setup = setup};
    struct sct_strategy *strategy = new_strategy("random");
    const struct sct_result *result = run_with(strategy, &program, seed);
    sct_strategy_free(strategy);
    return result;
}

static inline void stay_begin(struct sct_strategy *strategy) {
    (void)strategy;
}

static inline unsigned stay_pick(struct sct_strategy *strategy,
                                 const struct sct_schedule_point *point) {
    (void)strategy;
    return sct_alternative_slot(point, 0);
}

static inline uint32_t stay_choose(struct sct_strategy *strategy, uint32_t count) {
    (void)strategy;
    (void)count;
    return 0;
}

// Runs with the first alternative everywhere: the current task goes on while it can, then the next
// one by order of creation.
static inline const struct sct_result *run_stay_program(const struct sct_program *program) {
    static const struct sct_strategy_ops ops = {
        .name = "stay",
        .size = sizeof(struct sct_strategy),
        .begin = stay_begin,
        .pick = stay_pick,
        .choose = stay_choose,
    };
    struct sct_strategy strategy = {.ops = &ops};
    return run_with(&strategy, program, 0);
}

static inline const struct sct_result *run_stay(void (*setup)(void *)) {
    const struct sct_program program = {.setup = setup};
    return run_stay_program(&program);
}

// ---- For machines ------------------------------------------------------------------------------

// A machine with one task called "main".
static inline struct sct_machine *start(const char *name, void (*function)(void *),
                                        void *argument) {
    struct sct_machine *machine = sct_machine_create(name);
    sct_task_start(machine, "main", function, argument);
    return machine;
}

static inline void step(const char *label) {
    sct_point(label, "here:1", &sct_access_unknown);
}

// ---- Programs that many tests need ------------------------------------------------------------

static inline void two_points(void *argument) {
    (void)argument;
    step("first");
    step("second");
}

static inline void two_walkers(void *context) {
    (void)context;
    start("a", two_points, NULL);
    start("b", two_points, NULL);
}

// Claims about a value below 40: one in four is wrong, in three ways that differ in more than
// values.
static inline void check_verdict(uint32_t value) {
    sct_check(value >= 6, "wrong-answer", "row %u of '%u' was {%u}", value, value, value);
    sct_check(value >= 8, "wrong-answer", "the table is empty after %u steps", value);
    sct_check(value >= 10, "other-kind", "row %u of '%u' was {%u}", value, value, value);
}

static inline void step_forever(void *argument) {
    (void)argument;
    for (;;)
        step("again");
}

static inline void endless_tasks(void *context) {
    (void)context;
    start("a", step_forever, NULL);
    start("b", step_forever, NULL);
}

// ---- For tests ---------------------------------------------------------------------------------

static inline void assert_passed(const struct sct_result *result) {
    if (result->outcome == SCT_VIOLATED)
        fail_msg("%s: %s: %s", result->violation.machine, result->violation.kind,
                 result->violation.message);
    assert_int_equal(result->outcome, SCT_PASSED);
}

static inline void assert_violation(const struct sct_result *result, const char *kind,
                                    const char *machine, const char *message) {
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, kind);
    assert_string_equal(result->violation.machine, machine);
    assert_string_equal(result->violation.message, message);
}

#endif
