#include "harness/cli/minimize.h"
#include "core/base/grow.h"
#include "harness/cli/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void show_progress(void *context, const struct sct_minimum *minimum) {
    const struct minimize_job *job = context;
    if (job->shows_progress)
        fprintf(stderr,
                "\rminimizing: %" PRIu64 " tries, %" PRIu32 " deviations, %" PRIu32
                " preemptions, %" PRIu32 " operations\033[K",
                minimum->tries, minimum->now.deviations, minimum->now.preemptions,
                minimum->now.operations);
}

// ---- The trace ---------------------------------------------------------------------------------

// The original's name and ".min"; a pipe or device takes both.
static void name_trace(const char *original, char *path, size_t bytes) {
    struct stat status;
    bool is_special = stat(original, &status) == 0 && !S_ISREG(status.st_mode);
    struct text text = text_in(path, bytes);
    text_add(&text, "%s%s", original, is_special ? "" : ".min");
}

// Writes the engine's last run under the header of the original.
static void write_trace(const struct minimize_job *job, struct minimized *minimized) {
    struct sct_trace bound = *job->header;
    bound.storage = NULL;
    sct_trace_capture(&bound, job->engine, sct_engine_last_result(job->engine));
    sct_trace_copy(&minimized->trace, &bound);
    sct_trace_free(&bound);
    char *text = sct_trace_format(&minimized->trace);
    struct error error = {"the original has no file"};
    name_trace(job->path, minimized->path, sizeof minimized->path);
    if (!*job->path || !sct_trace_write(minimized->path, text, &error)) {
        complain("%s; here is the minimized trace:", error.text);
        fputs(text, stderr);
        minimized->path[0] = '\0';
    }
    free(text);
}

// ---- What was removed --------------------------------------------------------------------------

// The values of an execution that are not the first alternative: what for.
struct named_value {
    char name[120];
    size_t place; // among them
};

static int compare_values(const void *a, const void *b) {
    const struct named_value *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : left->place < right->place ? -1 : left->place > right->place;
}

// By name.
static struct named_value *list_values(const struct sct_engine *engine, size_t *count) {
    uint32_t decisions = sct_engine_last_result(engine)->decision_count;
    struct named_value *values = grow_new(decisions, sizeof *values, "the list of values");
    *count = 0;
    for (uint32_t i = 0; i < decisions; i++) {
        struct sct_decision decision = sct_engine_decision(engine, i);
        if (decision.kind != SCT_DECISION_VALUE || decision.answer == 0)
            continue;
        struct named_value *value = &values[*count];
        struct text text = text_in(value->name, sizeof value->name);
        text_add(&text, "%s", decision.label);
        value->place = (*count)++;
    }
    if (*count > 0)
        qsort(values, *count, sizeof *values, compare_values);
    return values;
}

// How many of the values from number [first] on have its name.
static size_t count_alike(const struct named_value *values, size_t count, size_t first) {
    size_t end = first;
    while (end < count && strcmp(values[end].name, values[first].name) == 0)
        end++;
    return end - first;
}

// What was asked for more often, by where it was first.
struct lost_value {
    size_t place;
    size_t times;
    const char *name;
};

static int compare_lost(const void *a, const void *b) {
    const struct lost_value *left = a, *right = b;
    return left->place < right->place ? -1 : left->place > right->place;
}

// Lists what [before] has more often than [after] in [lost], which has room; returns how many.
// Both lists are sorted by name: a merge, linear in both.
static size_t list_lost(const struct named_value *before, size_t before_count,
                        const struct named_value *after, size_t after_count,
                        struct lost_value *lost) {
    size_t count = 0, at = 0, had;
    for (size_t i = 0; i < before_count; i += had) {
        had = count_alike(before, before_count, i);
        while (at < after_count && strcmp(after[at].name, before[i].name) < 0)
            at++;
        bool is_there = at < after_count && strcmp(after[at].name, before[i].name) == 0;
        size_t has = is_there ? count_alike(after, after_count, at) : 0;
        if (had > has)
            lost[count++] = (struct lost_value){before[i].place, had - has, before[i].name};
    }
    if (count > 0)
        qsort(lost, count, sizeof *lost, compare_lost);
    return count;
}

// What [before] has more often than [after].
static void tell_lost_values(struct text *text, const struct named_value *before,
                             size_t before_count, const struct named_value *after,
                             size_t after_count) {
    struct lost_value *lost = grow_new(before_count, sizeof *lost, "the list of values");
    size_t count = list_lost(before, before_count, after, after_count, lost);
    for (size_t i = 0; i < count; i++) {
        text_add(text, "%s%s", i > 0 ? ", " : "", lost[i].name);
        if (lost[i].times > 1)
            text_add(text, " x%zu", lost[i].times);
    }
    free(lost);
}

// Compares the original and the minimum; runs both. Of a long one that was left nothing is told.
static void tell_removed(const struct minimize_job *job, const struct sct_plan *before,
                         const struct sct_plan *after, struct minimized *minimized) {
    struct sct_episodes old_story, new_story;
    size_t old_count, new_count;
    sct_engine_stop(job->engine, job->interrupted, 0);
    sct_episodes_tell(job->engine, job->program, before, NULL, &old_story);
    struct named_value *old_values = list_values(job->engine, &old_count);
    sct_episodes_tell(job->engine, job->program, after, NULL, &new_story);
    struct named_value *new_values = list_values(job->engine, &new_count);
    sct_engine_stop(job->engine, NULL, 0);
    struct text machines = text_in(minimized->machines, sizeof minimized->machines);
    struct text values = text_in(minimized->values, sizeof minimized->values);
    if (sct_engine_last_result(job->engine)->outcome != SCT_STOPPED) {
        explain_lost_machines(&machines, &old_story, &new_story);
        tell_lost_values(&values, old_values, old_count, new_values, new_count);
    }
    free(old_values);
    free(new_values);
    sct_episodes_free(&old_story);
    sct_episodes_free(&new_story);
}

// ---- The job -----------------------------------------------------------------------------------

// In what is left of the time, but not nothing: of a minimum there is little to run.
static void explain_minimum(const struct minimize_job *job, const struct sct_plan *plan,
                            struct minimized *minimized) {
    double left = minimize_seconds_max - minimized->minimum.elapsed_seconds;
    const struct explaining explaining = {
        .engine = job->engine,
        .program = job->program,
        .what = job->what,
        .plan = plan,
        .limits = {.seconds_max = left > 1 ? left : 1,
                   .interrupted = job->interrupted,
                   .progress = job->shows_progress ? explain_show_progress : NULL},
    };
    explain(&explaining, &minimized->explanation);
    if (job->shows_progress)
        explain_clear_progress();
}

// What the original does, as a plan. False: it is long, and was left.
static bool record(const struct minimize_job *job, struct sct_plan *plan) {
    sct_engine_stop(job->engine, job->interrupted, 0);
    const struct sct_result *result =
        sct_plan_record(job->engine, job->program, job->start, 0, plan);
    sct_engine_stop(job->engine, NULL, 0);
    return result->outcome != SCT_STOPPED;
}

bool minimize_trace(const struct minimize_job *job, struct minimized *minimized) {
    struct sct_plan before = {0}, after = {0};
    *minimized = (struct minimized){0};
    bool is_failing = record(job, &before) && sct_minimize(job->engine,
                                                           &(struct sct_minimize_options){
                                                               .program = job->program,
                                                               .start = job->start,
                                                               .seed = job->header->seed,
                                                               .seconds_max = minimize_seconds_max,
                                                               .interrupted = job->interrupted,
                                                               .progress = show_progress,
                                                               .context = (void *)(uintptr_t)job,
                                                           },
                                                           &after, &minimized->minimum);
    if (job->shows_progress)
        fprintf(stderr, "\r\033[K");
    if (is_failing) {
        write_trace(job, minimized);
        tell_removed(job, &before, &after, minimized);
        explain_minimum(job, &after, minimized);
    }
    sct_plan_free(&before);
    sct_plan_free(&after);
    return is_failing;
}
