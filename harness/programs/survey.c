#include "harness/programs/survey.h"
#include "core/base/assert.h"
#include "core/jobs/process.h"
#include "core/posix/races.h"
#include "core/posix/world.h"

#include <unistd.h>

// Each race is written down when it is found: what ends the process does not lose it.
static void write_new(int out, uint32_t *written) {
    for (; *written < posix_survey_count(); ++*written)
        if (write(out, posix_survey_at(*written), sizeof(struct posix_surveyed)) < 0)
            _exit(1);
}

// In a process of its own: an execution may end it, and the campaign is to begin in a fresh one.
static void run(void *unused, unsigned index, int channel) {
    struct error error;
    (void)unused;
    (void)index;
    posix_world.is_surveying = true;
    const struct sct_program program = posix_program();
    const struct sct_engine_options options = {
        .stack_bytes = program.stack_bytes, .steps_max = POSIX_STEPS_MAX, .catch_signals = true};
    struct sct_engine *engine = sct_engine_open(&options);
    struct sct_strategy *strategy = sct_strategy_new("random", &error);
    uint32_t written = 0;
    for (uint64_t i = 0; i < SURVEY_EXECUTIONS; i++) {
        // The seed is fixed: which races are scheduling points must not differ between two runs of
        // a campaign.
        sct_engine_run(engine, &program, strategy, sct_execution_seed(1, i));
        write_new(channel, &written);
    }
    _exit(0);
}

void survey_races(void) {
    const struct sct_work work = {.run = run};
    struct sct_worker worker = {0, -1};
    struct posix_surveyed race;
    struct error error;
    if (!sct_worker_start(&worker, 0, &work, &error))
        fail_at(FAIL_RESOURCE, HERE, "the survey of races: %s", error.text);
    while (read(worker.channel, &race, sizeof race) == (ssize_t)sizeof race)
        posix_survey_add(&race);
    sct_workers_dismiss(&worker, 1);
}
