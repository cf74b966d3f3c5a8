#define _GNU_SOURCE // clock_gettime
#include "core/campaign.h"
#include "core/base/hash.h"
#include "core/base/map.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t sct_execution_seed(uint64_t seed, uint64_t iteration) {
    return rng_mix(rng_mix(seed) + iteration);
}

struct sct_calibration sct_calibrate(struct sct_engine *engine, const struct sct_program *program,
                                     const char *name, const struct sct_strategy *strategy,
                                     uint64_t seed) {
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%s ", name);
    sct_strategy_format(strategy, &text);
    uint64_t base = rng_mix(seed ^ hash_bytes(text.data, text.length));
    struct error error;
    struct sct_strategy *random = sct_strategy_new("random", &error);
    ASSERT(random);
    struct sct_calibration calibration = {.decisions_max = 1, .tasks_max = 1};
    for (uint64_t i = 0; i < SCT_CALIBRATION_RUNS; i++) {
        const struct sct_result *result =
            sct_engine_run(engine, program, random, sct_execution_seed(base, i));
        if (result->schedule_count > calibration.decisions_max)
            calibration.decisions_max = result->schedule_count;
        if (result->task_count > calibration.tasks_max)
            calibration.tasks_max = result->task_count;
    }
    sct_strategy_free(random);
    return calibration;
}

// ---- Grouping of violations --------------------------------------------------------------------

struct grouping {
    char *key;
    struct sct_group *group;
    UT_hash_handle hh;
};

// The end of a quoted or braced text that begins at [text]; [text] itself if none does.
static const char *skip_value(const char *text) {
    const char *end = *text == '\''  ? strchr(text + 1, '\'')
                      : *text == '{' ? strchr(text, '}')
                                     : NULL;
    return end ? end : text;
}

// The kind and the message without numbers, punctuation and what is quoted or in braces, so that
// violations which differ only in values share a key.
static char *pattern_of(const struct sct_violation *violation) {
    size_t bytes = strlen(violation->kind) + strlen(violation->message) + 2;
    char *pattern = malloc(bytes);
    if (!pattern)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: grouping of violations");
    char *out = stpcpy(pattern, violation->kind);
    *out++ = '\n';
    for (const char *in = violation->message; *in; in++) {
        const char *end = skip_value(in);
        if (end != in)
            in = end;
        else if (isalpha((unsigned char)*in))
            *out++ = *in;
    }
    *out = '\0';
    return pattern;
}

static struct sct_group *new_group(const struct sct_result *result, uint64_t iteration) {
    struct sct_group *group = calloc(1, sizeof *group);
    if (!group)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: grouping of violations");
    group->violation = result->violation;
    group->iteration = iteration;
    group->decision_count = result->decision_count;
    return group;
}

// The state of one sct_campaign_run.
struct run {
    const struct sct_campaign_options *options;
    struct sct_campaign *campaign;
    struct grouping *groupings;
    struct sct_group **last_group;
    struct sct_seen seen;
    struct timespec start;
};

static void count_violation(struct run *run, const struct sct_result *result, uint64_t iteration) {
    run->campaign->violations++;
    char *pattern = pattern_of(&result->violation);
    struct grouping *grouping;
    HASH_FIND_STR(run->groupings, pattern, grouping);
    if (grouping) {
        free(pattern);
        grouping->group->count++;
        return;
    }
    grouping = calloc(1, sizeof *grouping);
    if (!grouping)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: grouping of violations");
    grouping->key = pattern;
    grouping->group = new_group(result, iteration);
    grouping->group->count = 1;
    *run->last_group = grouping->group;
    run->last_group = &grouping->group->next;
    HASH_ADD_KEYPTR(hh, run->groupings, grouping->key, strlen(grouping->key), grouping);
    if (run->options->on_violation)
        run->options->on_violation(run->options->context, iteration, result);
}

static void free_groupings(struct run *run) {
    struct grouping *grouping, *next;
    HASH_ITER(hh, run->groupings, grouping, next) {
        HASH_DEL(run->groupings, grouping);
        free(grouping->key);
        free(grouping);
    }
}

// ---- The loop ----------------------------------------------------------------------------------

static double seconds_since(const struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}

static void account(struct run *run, const struct sct_result *result, uint64_t iteration) {
    struct sct_campaign *campaign = run->campaign;
    campaign->iterations_run++;
    campaign->decisions += result->decision_count;
    campaign->points += result->point_count;
    campaign->distinct_behaviours += sct_seen_add(&run->seen, result->fingerprint);
    // A sum of mixed terms: the same in whatever order the executions were run.
    campaign->fingerprint +=
        rng_mix(rng_mix(iteration) ^ result->fingerprint ^ (uint64_t)result->outcome);
    if (result->outcome == SCT_STEP_LIMIT)
        campaign->step_limit_hits++;
    if (result->outcome == SCT_VIOLATED)
        count_violation(run, result, iteration);
}

static bool should_stop(const struct run *run) {
    const struct sct_campaign_options *options = run->options;
    if (options->interrupted && *options->interrupted) {
        run->campaign->was_interrupted = true;
        return true;
    }
    if (run->campaign->violations > 0 && !options->keep_going)
        return true;
    return options->seconds_max > 0 && seconds_since(&run->start) >= options->seconds_max;
}

static void summarise(struct run *run) {
    struct sct_campaign *campaign = run->campaign;
    campaign->elapsed_seconds = seconds_since(&run->start);
    uint64_t runs = campaign->iterations_run;
    if (runs == 0)
        campaign->rate = (struct sct_rate){.high95 = 1};
    else if (campaign->violations > 0 && !run->options->keep_going)
        campaign->rate = sct_rate_until_first(runs);
    else
        campaign->rate = sct_rate_fixed(campaign->violations, runs);
}

void sct_campaign_run(struct sct_engine *engine, const struct sct_campaign_options *options,
                      struct sct_campaign *campaign) {
    *campaign = (struct sct_campaign){0};
    struct run run = {.options = options, .campaign = campaign, .last_group = &campaign->groups};
    sct_seen_init(&run.seen);
    clock_gettime(CLOCK_MONOTONIC, &run.start);
    for (uint64_t i = 0; i < options->iterations && !should_stop(&run); i++) {
        uint64_t iteration = options->first_iteration + i;
        const struct sct_result *result =
            sct_engine_run(engine, options->program, options->strategy,
                           sct_execution_seed(options->seed, iteration));
        account(&run, result, iteration);
    }
    summarise(&run);
    free_groupings(&run);
    sct_seen_deinit(&run.seen);
}

void sct_campaign_free(struct sct_campaign *campaign) {
    for (struct sct_group *group = campaign->groups; group;) {
        struct sct_group *next = group->next;
        free(group);
        group = next;
    }
    campaign->groups = NULL;
}
