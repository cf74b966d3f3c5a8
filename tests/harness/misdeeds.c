// A suite whose tests do to their process what a system under test should not.
#define _GNU_SOURCE // syscall, alloca, quick_exit
#include "core/run/runner.h"
#include "core/engine/machine.h"

#include <alloca.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned executions; // nobody resets it

static void call_exit(void) {
    exit(0);
}

static void call_exit_at_once(void) {
    _exit(0);
}

static void call_fork(void) {
    if (fork() == 0)
        _exit(0);
}

static void end_by_system_call(void) {
    syscall(SYS_exit_group, 0);
}

static void kill_itself(void) {
    kill(getpid(), SIGKILL);
}

static void fail_after_others(void) {
    sct_check(executions < 20, "wrong", "something was left");
}

static void die_after_others(void) {
    if (executions >= 20)
        kill(getpid(), SIGKILL);
}

__attribute__((noinline)) static void write_beyond(void) {
    static volatile size_t place;
    volatile char array[16];
    for (place = 0; place < sizeof array + 200; place++)
        array[place] = (char)0xff;
}

static void allocate_much(void) {
    static volatile size_t bytes = 300 * 1024;
    volatile char *memory = alloca(bytes);
    memory[0] = 1;
}

static void use_after_free(void) {
    static volatile char *volatile memory; // where no compiler follows it
    memory = malloc(16);
    free((void *)(uintptr_t)memory);
    memory[0] = 1;
}

static void act(void *deed) {
    sct_point("before", HERE, &sct_access_unknown);
    if (sct_choose(8, "whether") == 7)
        (*(void (*const *)(void))deed)();
    sct_point("after", HERE, &sct_access_unknown);
}

static void setup(void *deed) {
    executions++;
    for (int i = 0; i < 2; i++) {
        struct sct_machine *machine = sct_machine_create(i == 0 ? "a" : "b");
        sct_task_start(machine, "main", act, deed);
    }
}

#define TEST(test, does)                                                    \
    {                                                                       \
        .name = test, .program = {.setup = setup, .context = &does##_deed } \
    }
#define DEED(does) static void (*does##_deed)(void) = does
DEED(call_exit);
DEED(call_exit_at_once);
DEED(call_fork);
DEED(end_by_system_call);
DEED(kill_itself);
DEED(fail_after_others);
DEED(die_after_others);
DEED(write_beyond);
DEED(allocate_much);
DEED(use_after_free);

int main(int argc, char **argv) {
    static const struct sct_test tests[] = {
        TEST("exit", call_exit),
        TEST("exit-at-once", call_exit_at_once),
        TEST("fork", call_fork),
        TEST("system-call", end_by_system_call),
        TEST("kill", kill_itself),
        TEST("left-over", fail_after_others),
        TEST("left-over-kill", die_after_others),
        TEST("beyond", write_beyond),
        TEST("alloca", allocate_much),
        TEST("freed", use_after_free),
    };
    return sct_run(argc, argv,
                   &(struct sct_suite){"misdeeds", tests, sizeof tests / sizeof *tests});
}
