// What the engine costs without a model: the raw context switch, and executions of a tiny program.
// Prints lines of a name and a number; scripts/bench repeats it and takes medians. Not a test.
#include "core/base/assert.h"
#include "core/campaign/campaign.h"
#include "core/coro/coro.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    SWITCHES = 100 * 1000 * 1000,
    EXECUTIONS = 100 * 1000,
    TASKS = 3,
    POINTS = 70, // of each task
};

// ---- Two coroutines in turn --------------------------------------------------------------------

struct turn {
    struct sct_coro *self, *other;
};

static void take_turns(void *argument) {
    struct turn *turn = argument;
    for (;;)
        sct_coro_switch(turn->self, turn->other);
}

// What others on the machine do takes none of it.
static double processor_seconds(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

static void measure_switch(void) {
    struct sct_coro_pool pool;
    sct_coro_pool_init(&pool, 64 * 1024, 64 * 1024);
    struct sct_coro home = {0};
    struct turn turn = {.other = &home};
    turn.self = sct_coro_take(&pool, take_turns, &turn);
    double start = processor_seconds();
    for (int i = 0; i < SWITCHES / 2; i++)
        sct_coro_switch(&home, turn.self);
    double seconds = processor_seconds() - start;
    printf("switch_ns %.3f\n", seconds * 1e9 / SWITCHES);
    printf("switches_per_second %.0f\n", SWITCHES / seconds);
    sct_coro_pool_deinit(&pool);
}

// ---- Three tasks that do nothing, POINTS times -------------------------------------------------

static void task(void *unused) {
    (void)unused;
    for (int i = 0; i < POINTS; i++)
        sct_point("step", HERE, &sct_access_unknown);
}

static void setup(void *unused) {
    static const char *const names[TASKS] = {"first", "second", "third"};
    (void)unused;
    for (int i = 0; i < TASKS; i++)
        sct_task_start(sct_machine_create(names[i]), names[i], task, NULL);
}

static void measure_campaign(const char *spec) {
    struct error error;
    struct sct_program program = {.setup = setup};
    struct sct_strategy *strategy = sct_strategy_new(spec, &error);
    ASSERT(strategy);
    struct sct_engine *engine = sct_engine_open(&(struct sct_engine_options){0});
    sct_calibrate(engine, &program, "bench", strategy, 1);
    struct sct_campaign_options options = {
        .program = &program,
        .strategy = strategy,
        .seed = 1,
        .iterations = EXECUTIONS,
    };
    struct sct_campaign campaign;
    double start = processor_seconds();
    sct_campaign_run(engine, &options, &campaign);
    double seconds = processor_seconds() - start;
    ASSERT(campaign.violations == 0);
    printf("%s_executions_per_second %.0f\n", spec, (double)campaign.iterations_run / seconds);
    printf("%s_points_per_second %.0f\n", spec, (double)campaign.points / seconds);
    sct_campaign_free(&campaign);
    sct_engine_close(engine);
    sct_strategy_free(strategy);
}

int main(void) {
    measure_switch();
    measure_campaign("random");
    measure_campaign("pct:3");
    return 0;
}
