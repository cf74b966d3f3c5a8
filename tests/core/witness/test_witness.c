// Violations and ends that only a process beside the campaign's can judge.
#define _GNU_SOURCE // syscall
#include "tests/support/programs.h"
#include "tests/support/fork.h"

#include "core/witness/witness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 1000 };

// What the processes of a test tell it.
static struct told {
    bool is_confirmed, is_reproduced;
    int deaths;
    uint64_t iteration, executions;
    char message[256], difference[256];
    uint32_t decision_count;
} * told;

static int open_told(void **state) {
    (void)state;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED;
}

static int close_told(void **state) {
    (void)state;
    return munmap(told, sizeof *told);
}

#define WITNESS_TEST(name) cmocka_unit_test_setup_teardown(name, open_told, close_told)

// ---- Programs ----------------------------------------------------------------------------------

static int executions; // of this process: what nobody resets

static void (*deed)(void);

static void act(void *argument) {
    (void)argument;
    step("before");
    if (sct_choose(4, "whether") == 3)
        deed();
    step("after");
}

static void two_actors(void *context) {
    (void)context;
    executions++;
    start("a", act, NULL);
    start("b", act, NULL);
}

static const struct sct_program program = {.setup = two_actors};

static struct sct_witness witness;

// ---- The campaign ------------------------------------------------------------------------------

static void tell(const struct sct_result *result) {
    struct sct_trace trace = {.model = "m",
                              .test = "t",
                              .bug = "none",
                              .strategy = "random",
                              .steps_max = STEPS,
                              .calibration = {.decisions_max = 1, .tasks_max = 1}};
    sct_trace_capture(&trace, engine, result);
    char *text = sct_trace_format(&trace);
    struct error difference = {""};
    told->is_confirmed = sct_witness_confirms(&witness, text, &difference);
    snprintf(told->difference, sizeof told->difference, "%.200s", difference.text);
    free(text);
    sct_trace_free(&trace);
}

// Until something happens.
static int campaign(void *context) {
    (void)context;
    const struct sct_engine_options options = {.steps_max = STEPS, .catch_signals = true};
    engine = sct_engine_open(&options);
    sct_witness_watch(&witness, engine);
    struct sct_strategy *strategy = new_strategy("random");
    const struct sct_result *result = NULL;
    for (uint64_t i = 0; i < 1000 && !(result && result->outcome == SCT_VIOLATED); i++) {
        sct_witness_note(&witness, 10 + i, i);
        result = run_with(strategy, &program, i);
    }
    if (result->outcome == SCT_VIOLATED)
        tell(result);
    return 7;
}

static int on_death(void *context, const struct sct_death *death) {
    (void)context;
    told->deaths++;
    snprintf(told->difference, sizeof told->difference, "%.200s", death->difference->text);
    if (!death->trace)
        return 3;
    told->is_reproduced = death->is_reproduced;
    told->iteration = death->iteration;
    told->executions = death->executions;
    told->decision_count = death->trace->decision_count;
    snprintf(told->message, sizeof told->message, "%.200s", death->trace->message);
    return 9;
}

// The wait status of a process that runs such a campaign with a witness.
static int run_campaign_of(void (*of)(void)) {
    deed = of;
    executions = 0;
    memset(told, 0, sizeof *told);
    pid_t process = fork_or_fail();
    if (process == 0) {
        witness = (struct sct_witness){
            .program = &program,
            .engine = {.steps_max = STEPS, .catch_signals = true},
        };
        exit(sct_witness_run(&witness, campaign, on_death, NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    return status;
}

static void assert_status(int status, int expected) {
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

// ---- 1.3: violations ---------------------------------------------------------------------------

static void fail_always(void) {
    sct_violation("wrong", "it is");
}

static void test_violation_is_confirmed(void **state) {
    (void)state;
    assert_status(run_campaign_of(fail_always), 7);
    assert_true(told->is_confirmed);
    assert_int_equal(told->deaths, 0);
}

static void fail_later(void) {
    sct_check(executions < 20, "wrong", "something was left");
}

// It reproduces in the process that found it, and in no other.
static void test_violation_by_what_was_left(void **state) {
    (void)state;
    assert_status(run_campaign_of(fail_later), 7);
    assert_false(told->is_confirmed);
    assert_non_null(strstr(told->difference, "in a fresh process"));
}

static void crash_later(void) {
    if (executions >= 20)
        raise(SIGSEGV);
}

static void test_crash_by_what_was_left(void **state) {
    (void)state;
    assert_status(run_campaign_of(crash_later), 7);
    assert_false(told->is_confirmed);
}

// ---- 2.2: ends of the process ------------------------------------------------------------------

static void end_by_system_call(void) {
    syscall(SYS_exit_group, 0);
}

static void kill_itself(void) {
    kill(getpid(), SIGKILL);
}

static void terminate_itself(void) {
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
}

static void become_another(void) {
    execl("/bin/true", "true", (char *)NULL);
}

static void exit_thread(void) {
    pthread_exit(NULL);
}

static void assert_seen(void (*of)(void), const char *message) {
    assert_status(run_campaign_of(of), 9);
    assert_int_equal(told->deaths, 1);
    assert_true(told->is_reproduced);
    if (message)
        assert_string_equal(told->message, message);
    assert_int_equal(told->iteration, 10 + told->executions);
    assert_in_range(told->decision_count, 1, 10);
}

static void test_end_of_the_process(void **state) {
    (void)state;
    assert_seen(end_by_system_call, "the process ended inside the execution: exit status 0");
    assert_seen(kill_itself, "the process ended inside the execution: killed by signal 9 (Killed)");
    assert_seen(terminate_itself,
                "the process ended inside the execution: killed by signal 15 (Terminated)");
    assert_seen(become_another, "the process ended inside the execution: exit status 0");
}

// By a crash, by its end, or not at all: it must not go unseen.
static void test_end_of_the_thread(void **state) {
    (void)state;
    int status = run_campaign_of(exit_thread);
    assert_true(WIFEXITED(status));
    assert_true(told->deaths == 1 ? told->is_reproduced : told->is_confirmed);
}

static void kill_later(void) {
    if (executions >= 20)
        kill(getpid(), SIGKILL);
}

// Somebody else's signal, or what earlier executions left: no trace would show it.
static void test_end_that_does_not_reproduce(void **state) {
    (void)state;
    assert_status(run_campaign_of(kill_later), 9);
    assert_int_equal(told->deaths, 1);
    assert_false(told->is_reproduced);
    assert_true(*told->difference);
}

static void nothing(void) {
}

static int die_outside(void *context) {
    (void)context;
    raise(SIGKILL);
    return 7;
}

static void test_end_outside_of_executions(void **state) {
    (void)state;
    pid_t process = fork_or_fail();
    if (process == 0) {
        witness = (struct sct_witness){.program = &program, .engine = {.steps_max = STEPS}};
        exit(sct_witness_run(&witness, die_outside, on_death, NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_status(status, 3);
    assert_string_equal(told->difference,
                        "killed by signal 9 (Killed) while no execution was running");
}

static void test_status_of_the_campaign(void **state) {
    (void)state;
    assert_status(run_campaign_of(nothing), 7);
    assert_int_equal(told->deaths, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_violation_is_confirmed), WITNESS_TEST(test_violation_by_what_was_left),
        WITNESS_TEST(test_crash_by_what_was_left), WITNESS_TEST(test_end_of_the_process),
        WITNESS_TEST(test_end_of_the_thread),      WITNESS_TEST(test_end_that_does_not_reproduce),
        WITNESS_TEST(test_status_of_the_campaign), WITNESS_TEST(test_end_outside_of_executions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
