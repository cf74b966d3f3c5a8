// What core/engine/execution.h promises of the heap: after the first executions the engine asks it
// for nothing. The C library's allocator is replaced by one that counts, which works with glibc
// only and not under AddressSanitizer, whose allocator is itself a replacement.
#include "tests/support/programs.h"

#include "core/engine/monitor.h"

#include <signal.h>
#include <stdlib.h>

#if defined(__GLIBC__) && !ARENA_POISONS

static unsigned long calls;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);

void *malloc(size_t bytes) {
    calls++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    calls++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
    calls++;
    return __libc_realloc(memory, bytes);
}

static void work(void *argument) {
    (void)argument;
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the work to be done");
    for (int i = 0; i < 20; i++) {
        arena_printf(sct_arena(), "line %d", i);
        step("work");
        sct_check(sct_choose(400, "die") != 0, "died", "in round %d", i);
    }
    ASSERT(sct_choose(10, "assert") != 0);
    if (sct_choose(10, "crash") == 0)
        raise(SIGSEGV);
    const volatile bool is_endless = sct_choose(30, "loop") == 0;
    while (is_endless) // for ever, or not at all
        step("again");
    sct_monitor_cold(&monitor);
}

static void three_tasks(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++)
        start("m", work, NULL);
}

// After 100 executions to warm up, 1,000 more, passing and violating ones, some of them livelocks,
// call no allocator; the counter itself is alive.
static void test_run_asks_the_heap_for_nothing(void **state) {
    open_catching_engine();
    const struct sct_program program = {.setup = three_tasks};
    struct sct_strategy *strategies[2];
    strategies[0] = new_strategy("random");
    strategies[1] = new_strategy("pct:3");
    uint64_t violations = 0, livelocks = 0;
    unsigned long before = calls;
    assert_true(before > 0);
    for (uint64_t i = 0; i < 2 * 1100; i++) {
        if (i == 2 * 100)
            before = calls;
        const struct sct_result *result = run_with(strategies[i % 2], &program, i);
        bool is_violated = result->outcome == SCT_VIOLATED;
        violations += is_violated;
        livelocks += is_violated && strcmp(result->violation.kind, SCT_KIND_LIVELOCK) == 0;
    }
    assert_int_equal(calls - before, 0);
    assert_true(livelocks > 10);
    assert_true(violations > 100);
    for (int i = 0; i < 2; i++)
        sct_strategy_free(strategies[i]);
    close_engine(state);
}

#else

static void test_run_asks_the_heap_for_nothing(void **state) {
    (void)state;
    skip();
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_run_asks_the_heap_for_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
