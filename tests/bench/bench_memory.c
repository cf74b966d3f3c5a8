// What a memory costs: atomics under each model, with their scheduling points and without; accesses
// of plain variables under race detection. Prints lines of a name and nanoseconds of CPU time;
// scripts/bench repeats it and takes medians. Not a test.
#define _POSIX_C_SOURCE 200809L // clock_gettime
#include "core/engine/execution.h"
#include "core/memory/location.h"
#include "core/memory/race.h"
#include "core/threads/atomic.h"
#include "core/threads/thread.h"

#include <stdio.h>
#include <time.h>

enum { EXECUTIONS = 200, OPERATIONS = 2000, WORDS = 512 };

static double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct sct_atomic x, y;
static enum sct_order order_of_loads, order_of_stores;
static uint64_t words[WORDS];

// ---- Programs ----------------------------------------------------------------------------------

// In turn stores to one atomic and loads from the other.
static void *use_atomics(void *argument) {
    struct sct_atomic *mine = argument ? &x : &y, *other = argument ? &y : &x;
    for (uint64_t i = 0; i < OPERATIONS / 2; i++) {
        sct_atomic_store_explicit(mine, i, order_of_stores);
        sct_atomic_load_explicit(other, order_of_loads);
    }
    return NULL;
}

static void two_threads(void *unused) {
    (void)unused;
    sct_atomic_init(&x, "x", 0);
    sct_atomic_init(&y, "y", 0);
    sct_thread_create("a", use_atomics, &x);
    sct_thread_create("b", use_atomics, NULL);
}

// The same without scheduling points.
static void use_locations(void *unused) {
    (void)unused;
    struct sct_location *location = sct_location_new(8, 0);
    for (uint64_t i = 0; i < OPERATIONS; i++) {
        sct_location_store(location, i, order_of_stores);
        sct_location_load(location, order_of_loads);
    }
}

static void use_words(void *unused) {
    (void)unused;
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        uintptr_t address = (uintptr_t)&words[i * 7 % WORDS];
        sct_shadow_access(address, 8, SCT_PLAIN_READ, HERE);
        sct_shadow_access(address, 8, SCT_PLAIN_WRITE, HERE);
    }
}

static void one_task(void (*function)(void *)) {
    sct_task_start(sct_machine_create("a"), "main", function, NULL);
}

static void with_locations(void *unused) {
    (void)unused;
    one_task(use_locations);
}

static void with_words(void *unused) {
    (void)unused;
    one_task(use_words);
}

// ---- Measuring ---------------------------------------------------------------------------------

static void measure(const char *name, void (*setup)(void *), struct sct_memory *memory) {
    struct error error;
    struct sct_program program = {.setup = setup, .memory = memory};
    struct sct_strategy *strategy = sct_strategy_new("random", &error);
    ASSERT(strategy);
    struct sct_engine *engine = sct_engine_open(&(struct sct_engine_options){.steps_max = 100000});
    if (memory && setup == with_words)
        sct_shadow_add(memory, (uintptr_t)words, sizeof words);
    for (uint64_t seed = 0; seed < 10; seed++)
        sct_engine_run(engine, &program, strategy, seed);
    double start = cpu_seconds();
    for (uint64_t seed = 0; seed < EXECUTIONS; seed++)
        ASSERT(sct_engine_run(engine, &program, strategy, seed)->outcome == SCT_PASSED);
    double seconds = cpu_seconds() - start;
    printf("%s_ns %.1f\n", name, seconds * 1e9 / (2.0 * OPERATIONS * EXECUTIONS));
    sct_engine_close(engine);
    sct_strategy_free(strategy);
    sct_memory_free(memory);
}

static struct sct_memory *memory_of(enum sct_memory_model model, enum sct_races races) {
    return sct_memory_new(&(struct sct_memory_options){.model = model, .races = races});
}

int main(void) {
    order_of_loads = order_of_stores = SCT_SEQ_CST;
    measure("atomic_without_memory", two_threads, NULL);
    measure("atomic_sc", two_threads, memory_of(SCT_MEMORY_SC, SCT_RACES_OFF));
    measure("atomic_tso", two_threads, memory_of(SCT_MEMORY_TSO, SCT_RACES_OFF));
    measure("atomic_c11", two_threads, memory_of(SCT_MEMORY_C11, SCT_RACES_OFF));
    measure("location_c11", with_locations, memory_of(SCT_MEMORY_C11, SCT_RACES_OFF));
    order_of_loads = SCT_ACQUIRE;
    order_of_stores = SCT_RELEASE;
    measure("atomic_c11_acquire_release", two_threads, memory_of(SCT_MEMORY_C11, SCT_RACES_OFF));
    order_of_loads = order_of_stores = SCT_RELAXED;
    measure("atomic_c11_relaxed", two_threads, memory_of(SCT_MEMORY_C11, SCT_RACES_OFF));
    measure("location_c11_relaxed", with_locations, memory_of(SCT_MEMORY_C11, SCT_RACES_OFF));
    measure("plain_access_races_off", with_words, memory_of(SCT_MEMORY_C11, SCT_RACES_OFF));
    measure("plain_access_races_on", with_words, memory_of(SCT_MEMORY_C11, SCT_RACES_FIRST));
    return 0;
}
