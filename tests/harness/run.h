// Campaigns of tests as the command runs them, through the library.
#ifndef TESTS_HARNESS_RUN_H
#define TESTS_HARNESS_RUN_H

#include "tests/support/test.h"

#include "core/campaign/campaign.h"
#include "core/trace/replay.h"
#include "bugs/bugs.h"
#include "harness/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MODEL_NAME // tests/CMakeLists.txt has some programs for each model
#define MODEL_NAME "migrating-table"
#endif

// A test, a strategy that has been calibrated, and the injected bugs.
struct run {
    struct sct_engine *engine;
    struct subject_run what;
    struct variant variant; // that is on
    struct sct_strategy *strategy;
    struct bug_set bugs;
    struct sct_program program;
    uint64_t seed;
};

#define NO_BUG BUG_COUNT

// Opens the engine: one run at a time.
static inline void run_open(struct run *run, const char *test, enum bug bug, const char *strategy,
                            uint64_t seed) {
    const struct subject *model = subject_find(models, MODEL_NAME);
    struct error error = {{0}};
    char name[200];
    *run = (struct run){.seed = seed};
    assert_non_null(model);
    run->what = (struct subject_run){.subject = model, .test = subject_test(model, test)};
    assert_non_null(run->what.test);
    run->engine = sct_engine_open(
        &(struct sct_engine_options){.steps_max = model->steps_max, .catch_signals = true});
    run->strategy = sct_strategy_new(strategy, &error);
    assert_non_null(run->strategy);
    run->program = subject_program(model, run->what.test, &run->bugs);
    if (bug != NO_BUG) {
        bug_set_inject(&run->bugs, bug);
        run->variant = subject_variant(model, bug_info(bug)->name);
        run->what.variant = &run->variant;
        run->what.passes = &run->bugs.reached[bug];
    }
    snprintf(name, sizeof name, "%s/%s", model->name, test);
    sct_calibrate(run->engine, &run->program, name, run->strategy, seed);
}

static inline void run_close(struct run *run) {
    sct_strategy_free(run->strategy);
    sct_engine_close(run->engine);
}

// Runs iteration number [iteration], which must pass.
static inline void run_passing(struct run *run, uint64_t iteration) {
    const struct sct_result *result = sct_engine_run(run->engine, &run->program, run->strategy,
                                                     sct_execution_seed(run->seed, iteration));
    if (result->outcome == SCT_VIOLATED)
        print_error("%s\n", result->violation.message);
    assert_int_equal(result->outcome, SCT_PASSED);
}

// The header of a trace of this run.
static inline struct sct_trace run_describe(const struct run *run, uint64_t iteration) {
    struct sct_trace trace = {.steps_max = run->what.subject->steps_max,
                              .calibration = run->strategy->calibration,
                              .seed = run->seed,
                              .iteration = iteration};
    const char *bug = "none";
    for (int i = 0; i < BUG_COUNT; i++)
        if (run->bugs.on >> i & 1)
            bug = bug_info((enum bug)i)->name;
    struct text text = text_in(trace.strategy, sizeof trace.strategy);
    sct_strategy_format(run->strategy, &text);
    snprintf(trace.model, sizeof trace.model, "%s", MODEL_NAME);
    snprintf(trace.test, sizeof trace.test, "%s", run->what.test->name);
    snprintf(trace.bug, sizeof trace.bug, "%s", bug);
    return trace;
}

// The search for a violation of one kind.
struct search {
    const struct run *run;
    const char *kind; // NULL: any
    volatile sig_atomic_t is_found;
    struct sct_trace trace; // of the first one, if found
};

static inline void search_look(void *context, uint64_t iteration, const struct sct_result *result) {
    struct search *search = (struct search *)context;
    if (search->is_found || (search->kind && strcmp(result->violation.kind, search->kind) != 0))
        return;
    search->trace = run_describe(search->run, iteration);
    sct_trace_capture(&search->trace, search->run->engine, result);
    search->is_found = 1;
}

// Runs [count] iterations from [first] on until one has a violation of [kind] (NULL: any), whose
// trace is captured. The caller frees it if search->is_found.
static inline struct sct_campaign run_search(struct run *run, const char *kind, uint64_t first,
                                             uint64_t count, struct search *search) {
    struct sct_campaign campaign;
    *search = (struct search){.run = run, .kind = kind};
    sct_campaign_run(run->engine,
                     &(struct sct_campaign_options){.program = &run->program,
                                                    .strategy = run->strategy,
                                                    .seed = run->seed,
                                                    .first_iteration = first,
                                                    .iterations = count,
                                                    .keep_going = true,
                                                    .interrupted = &search->is_found,
                                                    .on_violation = search_look,
                                                    .context = search},
                     &campaign);
    sct_campaign_free(&campaign);
    return campaign;
}

// Replays [trace] in [run], whose bugs are injected as they were; whether it was confirmed.
static inline bool run_replay(struct run *run, const struct sct_trace *trace,
                              struct error *difference) {
    struct sct_replay replay;
    sct_replay_init(&replay, trace);
    const struct sct_result *result = sct_engine_run(run->engine, &run->program, &replay.base, 0);
    return sct_replay_confirms(&replay, result, difference);
}

#endif
