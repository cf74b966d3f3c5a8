// The promises of MigratingTable have monitors. They are kept, so no run shows them; here
// executions are cut off so early that every one of them is sometimes open: a tail of a few points
// makes it a "livelock", whose message names it.
#include "tests/harness/run.h"

static const char *const promises[] = {
    "a batch to return", "a query to return",    "a stream to open", "a read of a stream to return",
    "a push to end",     "the migration to end",
};
enum { PROMISES = sizeof promises / sizeof promises[0], RUNS = 1000 };

static void count_promises(struct run *run, uint64_t seen[PROMISES]) {
    for (uint64_t i = 0; i < RUNS; i++) {
        const struct sct_result *result =
            sct_engine_run(run->engine, &run->program, run->strategy, sct_execution_seed(1, i));
        if (result->outcome != SCT_VIOLATED)
            continue;
        assert_string_equal(result->violation.kind, SCT_KIND_LIVELOCK);
        bool is_migrator = strcmp(result->violation.machine, "migrator") == 0;
        for (size_t p = 0; p < PROMISES; p++) {
            char text[100];
            snprintf(text, sizeof text, "waits for %s since", promises[p]);
            const char *place = strstr(result->violation.message, text);
            seen[p] += place != NULL;
            // The message begins with what the blamed machine has promised.
            if (place == result->violation.message)
                assert_int_equal(is_migrator, p >= PROMISES - 2);
        }
    }
}

static void check_scenario(const char *test) {
    struct run run;
    uint64_t seen[PROMISES] = {0};
    run_open(&run, test, NO_BUG, "random", 1);
    for (uint32_t steps = 40; steps <= 280; steps += 40) {
        sct_engine_close(run.engine);
        run.engine = sct_engine_open(
            &(struct sct_engine_options){.steps_max = steps, .fair_after = steps - 3});
        count_promises(&run, seen);
    }
    run_close(&run);
    for (size_t p = 0; p < PROMISES; p++)
        if (seen[p] == 0)
            fail_msg("%s: never seen open: %s", test, promises[p]);
}

// Each call, each push and the migration, under both transports.
static void test_every_promise_has_a_monitor(void **state) {
    (void)state;
    check_scenario("default");
    check_scenario("fast16");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_promise_has_a_monitor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
