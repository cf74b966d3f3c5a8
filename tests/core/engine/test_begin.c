// Programs whose tasks begin quietly (begins_quietly of struct sct_program).
#include "tests/support/programs.h"

#include "core/engine/wait.h"

static void walk(void *argument) {
    const char *name = argument;
    text_add(&story, "%s begins; ", name);
    step("walk");
    text_add(&story, "%s walks; ", name);
}

static void set_up_walkers(void *context) {
    (void)context;
    start("a", walk, "a");
    start("b", walk, "b");
    text_add(&story, "set up; ");
}

// All begin when setup has ended, in the order of their creation, and nobody is asked.
static void test_begin_when_setup_ends(void **state) {
    (void)state;
    const struct sct_program program = {.setup = set_up_walkers, .begins_quietly = true};
    const struct sct_result *result = run_stay_program(&program);
    assert_passed(result);
    assert_string_equal(story_buffer, "set up; a begins; b begins; a walks; b walks; ");
    assert_int_equal(result->decision_count, 1);
    assert_int_equal(result->point_count, 3); // b goes on alone, and the last one finds nobody
}

static void create(void *argument) {
    (void)argument;
    step("create");
    start("b", walk, "b");
    text_add(&story, "a has created; ");
    step("go on");
    text_add(&story, "a goes on; ");
}

static void set_up_creator(void *context) {
    (void)context;
    start("a", create, NULL);
}

// Who is created later begins when the step of its creator ends, which still ran last.
static void test_begin_when_the_creating_step_ends(void **state) {
    (void)state;
    const struct sct_program program = {.setup = set_up_creator, .begins_quietly = true};
    const struct sct_result *result = run_stay_program(&program);
    assert_passed(result);
    assert_string_equal(story_buffer, "a has created; b begins; a goes on; b walks; ");
    assert_int_equal(result->decision_count, 1);
}

static void stop(void *argument) {
    (void)argument;
    step("stop");
    sct_machine_stop(start("b", walk, "b"));
    step("go on");
}

static void set_up_stop(void *context) {
    (void)context;
    start("a", stop, NULL);
}

// Who is stopped before that never begins.
static void test_begin_of_a_stopped_machine(void **state) {
    (void)state;
    const struct sct_program program = {.setup = set_up_stop, .begins_quietly = true};
    assert_passed(run_stay_program(&program));
    assert_string_equal(story_buffer, "");
}

static struct sct_queue queue;

static void wait_for_end(void *argument) {
    (void)argument;
    sct_linger(&queue, "the end");
    text_add(&story, "woken; ");
}

static void wake(void *argument) {
    (void)argument;
    step("wake");
    sct_queue_wake(&queue);
}

static void set_up_waiter(void *context) {
    (void)context;
    sct_queue_init(&queue);
    start("a", wait_for_end, NULL);
    start("b", wake, NULL);
}

// To begin may be to wait.
static void test_begin_with_a_wait(void **state) {
    (void)state;
    const struct sct_program program = {.setup = set_up_waiter, .begins_quietly = true};
    const struct sct_result *result = run_stay_program(&program);
    assert_passed(result);
    assert_string_equal(story_buffer, "woken; ");
    assert_int_equal(result->decision_count, 0);
}

// ---- What is not quiet -------------------------------------------------------------------------

static void draw(void *argument) {
    (void)argument;
    sct_choose(2, "anything");
    step("draw");
}

static void set_up_draw(void *context) {
    (void)context;
    start("a", draw, NULL);
}

static void make(void *argument) {
    (void)argument;
    sct_machine_create("c");
    step("make");
}

static void set_up_make(void *context) {
    (void)context;
    start("a", make, NULL);
}

static void end(void *argument) {
    (void)argument;
}

static void set_up_end(void *context) {
    (void)context;
    start("a", end, NULL);
}

static void test_begin_with_what_others_can_tell(void **state) {
    (void)state;
    void (*const setups[])(void *) = {set_up_draw, set_up_make, set_up_end};
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        const struct sct_program program = {.setup = setups[i], .begins_quietly = true};
        assert_violation(run_stay_program(&program), SCT_KIND_PROGRAM_ERROR, "a",
                         "a task of a program with begins_quietly draws, makes or starts "
                         "something, or ends, before its first scheduling point");
        const struct sct_program plain = {.setup = setups[i]};
        assert_passed(run_stay_program(&plain));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_begin_when_setup_ends),
        ENGINE_TEST(test_begin_when_the_creating_step_ends),
        ENGINE_TEST(test_begin_of_a_stopped_machine),
        ENGINE_TEST(test_begin_with_a_wait),
        ENGINE_TEST(test_begin_with_what_others_can_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
