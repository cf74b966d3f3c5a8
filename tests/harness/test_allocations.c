// After the first executions an execution asks neither the heap nor the operating system for
// memory. The linker wraps the allocating functions (tests/CMakeLists.txt); not under
// AddressSanitizer, which has an allocator of its own.
#include "tests/harness/run.h"

#include <sys/mman.h>

static size_t calls;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);

void *__wrap_malloc(size_t bytes) {
    calls++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    calls++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
    calls++;
    return __real_realloc(memory, bytes);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    calls++;
    return __real_mmap(address, bytes, protection, flags, file, offset);
}

// The warm-up must meet the execution with most tasks: each maps a stack that is then kept.
enum { WARM_UP = 20000, MEASURED = 3000 };

static void run_many(struct run *run, uint64_t first, uint64_t count) {
    for (uint64_t i = first; i < first + count; i++)
        sct_engine_run(run->engine, &run->program, run->strategy, sct_execution_seed(run->seed, i));
}

static void check_scenario(const char *test, enum bug bug, const char *strategy) {
    struct run run;
    run_open(&run, test, bug, strategy, 1);
    assert_true(calls > 0); // the counter works
    run_many(&run, 0, WARM_UP);
    calls = 0;
    run_many(&run, WARM_UP, MEASURED);
    size_t measured = calls;
    run_close(&run);
    assert_int_equal(measured, 0);
}

// Thousands of executions of fast16 and default under both strategies allocate nothing.
static void test_no_allocation(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    check_scenario("fast16", NO_BUG, "random");
    check_scenario("fast16", NO_BUG, "pct:3");
    check_scenario("default", NO_BUG, "random");
    check_scenario("default", NO_BUG, "pct:3");
}

// Nor do executions that end in the middle, with machines suspended in their calls.
static void test_no_allocation_with_violations(void **state) {
    (void)state;
    if (ARENA_POISONS)
        skip();
    check_scenario("fast16", BUG_MISSING_ANNOTATION, "random");
    check_scenario("default", BUG_QUERY_STREAMED_LOCK, "pct:3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation),
        cmocka_unit_test(test_no_allocation_with_violations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
