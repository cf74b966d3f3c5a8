// Sampling finds what weak memory allows, and minimisation leaves of its stale reads and early
// stores only those that the failure needs.
#include "tests/core/memory/algorithms.h"

#include "core/trace/minimize.h"

static const struct orders weak_peterson = {SCT_RELEASE, SCT_ACQUIRE, SCT_RELAXED},
                           weak_fence = {.fence = SCT_ACQ_REL}, no_fence = {.fence = SCT_RELAXED},
                           relaxed_store = {SCT_RELAXED, SCT_ACQUIRE, SCT_RELAXED};

static const struct subject {
    const char *name;
    void (*setup)(void *);
    const struct orders *orders;
    uint32_t budget;      // executions within which every strategy finds it
    uint32_t weak_needed; // weak choices but 0; two where a preemption is saved by it
} subjects[] = {
    {"peterson", set_up_peterson, &weak_peterson, 200, 1},
    {"dekker", set_up_dekker, &weak_fence, 200, 1},
    {"seqlock", set_up_seqlock, &no_fence, 400, 1},
    {"deque", set_up_deque, &weak_fence, 2000, 1},
    {"double-checked lock", set_up_lazy, &relaxed_store, 200, 0},
};

enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static struct sct_program program_of(const struct subject *subject) {
    return (struct sct_program){.setup = subject->setup,
                                .context = (void *)(uintptr_t)subject->orders,
                                .memory = sct_memory_new(&(struct sct_memory_options){
                                    .model = SCT_MEMORY_C11, .races = SCT_RACES_FIRST})};
}

// The first seed from [from] on whose execution fails.
static uint64_t find(struct sct_strategy *strategy, const struct sct_program *program,
                     uint64_t from) {
    uint64_t seed = from;
    while (run_with(strategy, program, seed)->outcome != SCT_VIOLATED)
        seed++;
    return seed;
}

static void test_stale_reads_are_found(void **state) {
    (void)state;
    static const char *const specs[] = {"random", "pct:3", "pos", "urw", "delay:3"};
    for (int i = 0; i < SUBJECTS; i++) {
        struct sct_program program = program_of(&subjects[i]);
        for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
            struct sct_strategy *strategy = new_strategy(specs[k]);
            strategy->calibration.decisions_max = 12;
            uint64_t worst = 0, sum = 0;
            for (uint64_t start = 0; start < 20; start++) {
                uint64_t tries = find(strategy, &program, start * 100000) - start * 100000 + 1;
                worst = tries > worst ? tries : worst;
                sum += tries;
            }
            print_message("%s, %s: mean %.1f, worst %u of 20 seeds\n", subjects[i].name, specs[k],
                          (double)sum / 20, (unsigned)worst);
            assert_true(worst <= subjects[i].budget);
            sct_strategy_free(strategy);
        }
        sct_memory_free(program.memory);
    }
}

static uint32_t count_weak(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < sct_engine_last_result(engine)->decision_count; i++) {
        struct sct_decision decision = sct_engine_decision(engine, i);
        count += decision.kind == SCT_DECISION_VALUE && decision.answer > 0;
    }
    return count;
}

// Minimises one execution after the other from [seed] on, up to the first that fails; returns how
// many deviations that had.
static uint32_t minimise_from(const struct sct_program *program, struct sct_strategy *strategy,
                              uint64_t seed, struct sct_minimum *minimum) {
    struct sct_minimize_options options = {
        .program = program, .start = strategy, .start_seed = seed, .seed = 1};
    struct sct_plan plan = {0};
    while (!sct_minimize(engine, &options, &plan, minimum))
        options.start_seed++;
    sct_plan_free(&plan);
    return minimum->before.deviations;
}

static void test_stale_reads_are_minimised(void **state) {
    (void)state;
    for (int i = 0; i < SUBJECTS; i++) {
        struct sct_program program = program_of(&subjects[i]);
        struct sct_strategy *strategy = new_strategy("random");
        uint32_t before = 0, after = 0;
        for (uint64_t from = 0; from < 5; from++) {
            struct sct_minimum minimum;
            before += minimise_from(&program, strategy, from * 1000, &minimum);
            after += minimum.now.deviations;
            uint32_t weak = count_weak(), needed = subjects[i].weak_needed;
            if (weak < needed || weak > 2 * needed || minimum.now.deviations > 4)
                fail_msg("%s: %u weak choices of %u deviations left", subjects[i].name, weak,
                         minimum.now.deviations);
        }
        print_message("%s: %.1f deviations before, %.1f after\n", subjects[i].name,
                      (double)before / 5, (double)after / 5);
        sct_strategy_free(strategy);
        sct_memory_free(program.memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_stale_reads_are_found),
        ENGINE_TEST(test_stale_reads_are_minimised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
