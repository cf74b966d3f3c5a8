// The usual way, dual write: clean with all its rules, and each rule that is left out is missed.
#define MODEL_NAME "dual-write"
#include "tests/harness/run.h"

enum { CLEAN = ARENA_POISONS ? 2000 : 30000, MEASURED = 20000 };

// So many of MEASURED executions of random, seed 1, were [found] to fail; at the lower 95 % bound
// of that rate [budget] executions all miss with a probability below 1e-6.
static const struct rule {
    enum bug bug;
    uint64_t found, budget;
} rules[] = {
#define BUG_CASE(symbol, test, strategy, kind, found, budget) {BUG_##symbol, found, budget},
#include "tests/harness/dual_bug_cases.def"
#undef BUG_CASE
};
enum { RULES = sizeof rules / sizeof rules[0] };

static void test_clean(void **state) {
    struct run run;
    (void)state;
    run_open(&run, "default", NO_BUG, "random", 2);
    for (uint64_t i = 0; i < CLEAN; i++)
        run_passing(&run, i);
    run_close(&run);
}

static void test_every_rule_is_needed(void **state) {
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        struct run run;
        struct search search;
        struct sct_rate rate = sct_rate_fixed(rules[i].found, MEASURED);
        assert_true(sct_miss_probability(rate.low95, rules[i].budget) < 1e-6);
        run_open(&run, "default", rules[i].bug, "random", 3);
        run_search(&run, NULL, 0, rules[i].budget, &search);
        if (!search.is_found)
            fail_msg("bug %d is not found", (int)rules[i].bug);
        assert_string_equal(search.trace.kind, "not-linearizable");
        sct_trace_free(&search.trace);
        run_close(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_every_rule_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
