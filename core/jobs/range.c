#define _GNU_SOURCE // strdup
#include "core/jobs/range.h"
#include "core/base/grow.h"
#include "core/campaign/marks.h"

#include <stdio.h>
#include <string.h>

// ---- Writing -----------------------------------------------------------------------------------

// The numbers of a campaign, in a fixed order, for writing and for adding alike.
enum { SUMS = 13 };

// The bytes, in this order: whether the campaign goes on; the sums; for each strategy of a
// portfolio its own two; the first execution that did not repeat; groups, each behind a 1, then 0;
// fingerprints behind their number; counters; marks. All but the fingerprints are sums, or are
// found in the first range that has them: added in their order they are what one process had.

static void list_sums(struct sct_campaign *campaign, uint64_t *sums[SUMS]) {
    struct sct_searched *search = &campaign->search;
    uint64_t *const all[SUMS] = {
        &campaign->iterations_run, &campaign->violations, &campaign->step_limit_hits,
        &campaign->decisions,      &campaign->points,     &campaign->fingerprint,
        &campaign->checks_unknown, &search->executions,   &search->pruned,
        &search->repeated,         &search->restored,     &search->states_met,
        &search->transitions,
    };
    memcpy(sums, all, sizeof all);
}

static void add_groups(struct sct_bytes *bytes, const struct sct_group *first) {
    for (const struct sct_group *group = first; group; group = group->next) {
        ASSERT(group->pattern && group->count > 0);
        sct_bytes_add_number(bytes, 1);
        sct_bytes_add_text(bytes, group->pattern);
        sct_bytes_add_text(bytes, group->record);
        sct_bytes_add_text(bytes, group->violation.kind);
        sct_bytes_add_text(bytes, group->violation.where);
        sct_bytes_add_text(bytes, group->violation.machine);
        sct_bytes_add_text(bytes, group->violation.message);
        sct_bytes_add_text(bytes, group->violation.remark);
        sct_bytes_add_number(bytes, group->iteration);
        sct_bytes_add_number(bytes, group->decision_count);
        sct_bytes_add_number(bytes, group->bound);
        sct_bytes_add_number(bytes, group->count);
    }
    sct_bytes_add_number(bytes, 0);
}

// Most are 0: index and value of the others, from 1 on.
static void add_counters(struct sct_bytes *bytes, const struct sct_counters *counters) {
    ASSERT(counters->values || counters->count == 0);
    for (size_t i = 0; i < counters->count; i++) {
        if (counters->values[i] == 0)
            continue;
        sct_bytes_add_number(bytes, i + 1);
        sct_bytes_add_number(bytes, counters->values[i]);
    }
    sct_bytes_add_number(bytes, 0);
}

// By name: another build may have met them in another order.
static void add_marks(struct sct_bytes *bytes) {
    for (const struct sct_mark *mark = NULL; (mark = sct_marks_next(mark));) {
        if (mark->count == 0)
            continue;
        sct_bytes_add_text(bytes, mark->name);
        sct_bytes_add_number(bytes, mark->count);
    }
    sct_bytes_add_text(bytes, NULL);
}

static void add_campaign(struct sct_bytes *bytes, struct sct_campaign *campaign) {
    ASSERT(campaign->share_count <= SCT_SHARES_MAX);
    ASSERT(campaign->violations <= campaign->iterations_run);
    uint64_t *sums[SUMS];
    list_sums(campaign, sums);
    for (int i = 0; i < SUMS; i++)
        sct_bytes_add_number(bytes, *sums[i]);
    for (size_t i = 0; i < campaign->share_count; i++) {
        sct_bytes_add_number(bytes, campaign->shares[i].iterations_run);
        sct_bytes_add_number(bytes, campaign->shares[i].violations);
    }
    sct_bytes_add_number(bytes, campaign->unrepeatable.is_found);
    sct_bytes_add_number(bytes, campaign->unrepeatable.iteration);
    sct_bytes_add_text(bytes, campaign->unrepeatable.difference.text);
    add_groups(bytes, campaign->groups);
}

// ---- Running -----------------------------------------------------------------------------------

static void before_counted(void *context, uint64_t iteration) {
    const struct sct_range_hooks *hooks = context;
    if (hooks->present_iteration)
        *hooks->present_iteration = iteration;
    if (hooks->whole->before_counted)
        hooks->whole->before_counted(hooks->whole->context, iteration);
}

static void after_counted(void *context, uint64_t iteration, const struct sct_result *result) {
    const struct sct_range_hooks *hooks = context;
    if (hooks->fingerprints && result->outcome != SCT_STOPPED)
        sct_bytes_add_number(hooks->fingerprints, result->fingerprint);
    if (hooks->whole->after_counted)
        hooks->whole->after_counted(hooks->whole->context, iteration, result);
}

static char *record(void *context, uint64_t iteration, const struct sct_result *result) {
    const struct sct_campaign_options *whole = ((struct sct_range_hooks *)context)->whole;
    return whole->record ? whole->record(whole->context, iteration, result) : NULL;
}

struct sct_campaign_options sct_range_describe(struct sct_range_hooks *hooks) {
    ASSERT(hooks->whole);
    // Findings and progress are for the whole to tell, when the range is added in its turn.
    struct sct_campaign_options own = *hooks->whole;
    own.before_counted = before_counted;
    own.after_counted = after_counted;
    own.record = record;
    own.on_violation = NULL;
    own.on_progress = NULL;
    own.context = hooks;
    return own;
}

void sct_range_clear(const struct sct_range_options *options) {
    sct_marks_reset();
    for (size_t i = 0; i < options->counter_arrays; i++)
        memset(options->counters[i].values, 0, options->counters[i].count * sizeof(uint64_t));
}

static void write_range(const struct sct_range_options *options, struct sct_campaign *campaign,
                        bool goes_on, const struct sct_bytes *fingerprints,
                        struct sct_bytes *bytes) {
    sct_bytes_add_number(bytes, goes_on);
    add_campaign(bytes, campaign);
    sct_bytes_add_number(bytes, fingerprints->size / sizeof(uint64_t));
    sct_bytes_add(bytes, fingerprints->data, fingerprints->size);
    for (size_t i = 0; i < options->counter_arrays; i++)
        add_counters(bytes, &options->counters[i]);
    add_marks(bytes);
}

void sct_range_write(const struct sct_range_options *options, struct sct_campaign *campaign,
                     struct sct_bytes *bytes) {
    write_range(options, campaign, true, &(struct sct_bytes){0}, bytes);
}

bool sct_range_run(struct sct_engine *engine, const struct sct_range_options *options,
                   const struct sct_range *range, struct sct_bytes *bytes) {
    const struct sct_campaign_options *whole = options->campaign;
    uint64_t step = whole->iteration_step ? whole->iteration_step : 1;
    ASSERT(range->iterations > 0);
    ASSERT(!whole->iterations || range->first < whole->iterations);
    struct sct_bytes fingerprints = {0};
    struct sct_range_hooks hooks = {whole, &fingerprints, options->present_iteration};
    struct sct_campaign_options own = sct_range_describe(&hooks);
    own.first_iteration = whole->first_iteration + range->first * step;
    own.iterations = range->iterations;
    own.seconds_max = range->seconds_max;
    // From 0, so that what they are afterwards is what this range has added.
    sct_range_clear(options);
    struct sct_campaign campaign;
    sct_campaign_run(engine, &own, &campaign);
    ASSERT(campaign.iterations_run <= range->iterations);
    // Each execution has one, in their order: the sum of the whole counts those it has not seen.
    ASSERT(fingerprints.size == campaign.iterations_run * sizeof(uint64_t));
    bool goes_on = campaign.iterations_run == range->iterations && !campaign.was_interrupted &&
                   !campaign.unrepeatable.is_found &&
                   (campaign.violations == 0 || whole->keep_going);
    bytes->size = 0;
    write_range(options, &campaign, goes_on, &fingerprints, bytes);
    sct_bytes_free(&fingerprints);
    sct_campaign_free(&campaign);
    return goes_on;
}

// ---- Adding ------------------------------------------------------------------------------------

static char *copy(const char *text) {
    return grow_text(text, "a group of violations");
}

// A copy of "kind NUL where NUL", which a violation only points to.
// In one allocation, which the group owns: texts of a campaign of one process are constants or live
// in it, those of a range end with the bytes.
static void keep_texts(struct sct_group *group, const char *kind, const char *where) {
    ASSERT(!group->texts);
    size_t kind_size = strlen(kind) + 1, where_size = where ? strlen(where) + 1 : 0;
    group->texts = grow_new(1, kind_size + where_size, "a group of violations");
    memcpy(group->texts, kind, kind_size);
    group->violation.kind = group->texts;
    if (where)
        group->violation.where = memcpy(group->texts + kind_size, where, where_size);
}

// Where a group is added to.
struct target {
    const struct sct_range_options *options;
    struct sct_sum *sum;
    void (*on_new_group)(void *context, const struct sct_group *group);
};

static void take_group(struct sct_reader *source, const struct target *target) {
    const char *pattern = sct_take_text(source), *made = sct_take_text(source);
    const char *kind = sct_take_text(source), *where = sct_take_text(source);
    const char *machine = sct_take_text(source), *message = sct_take_text(source);
    const char *remark = sct_take_text(source);
    uint64_t iteration = sct_take_number(source), decisions = sct_take_number(source);
    uint64_t bound = sct_take_number(source), count = sct_take_number(source);
    if (source->is_bad || !pattern || !kind || !machine || !message || !remark) {
        source->is_bad = true;
        return;
    }
    struct sct_group *group = sct_groups_find(&target->sum->groups, pattern);
    if (group) {
        group->count += count;
        return;
    }
    // New to the whole, although the worker had it first: ranges are added in their order, so the
    // number and the record are those that one process would have kept.
    group = sct_groups_append(&target->sum->groups, copy(pattern));
    group->record = copy(made);
    keep_texts(group, kind, where);
    snprintf(group->violation.machine, sizeof group->violation.machine, "%s", machine);
    snprintf(group->violation.message, sizeof group->violation.message, "%s", message);
    snprintf(group->violation.remark, sizeof group->violation.remark, "%s", remark);
    const struct sct_campaign_options *campaign = target->options->campaign;
    iteration += target->options->iteration_offset;
    group->iteration = iteration;
    group->bound = (uint32_t)bound;
    // A pointer does not travel: which strategy ran is a function of the iteration's number.
    group->strategy = sct_strategy_for(campaign->strategy, iteration);
    group->decision_count = (uint32_t)decisions;
    group->count = count;
    if (target->on_new_group)
        target->on_new_group(campaign->context, group);
}

static void take_unrepeatable(struct sct_reader *source, const struct target *target) {
    struct sct_campaign *campaign = target->sum->campaign;
    bool is_found = sct_take_number(source) != 0;
    uint64_t iteration = sct_take_number(source) + target->options->iteration_offset;
    const char *difference = sct_take_text(source);
    if (!is_found)
        return;
    campaign->unrepeatable.is_found = true;
    campaign->unrepeatable.iteration = iteration;
    error_set(&campaign->unrepeatable.difference, "%s", difference ? difference : "");
}

static void take_campaign(struct sct_reader *source, const struct target *target) {
    struct sct_campaign *campaign = target->sum->campaign;
    ASSERT(campaign->share_count <= SCT_SHARES_MAX);
    uint64_t *sums[SUMS];
    list_sums(campaign, sums);
    for (int i = 0; i < SUMS; i++)
        *sums[i] += sct_take_number(source);
    for (size_t i = 0; i < campaign->share_count; i++) {
        campaign->shares[i].iterations_run += sct_take_number(source);
        campaign->shares[i].violations += sct_take_number(source);
    }
    take_unrepeatable(source, target);
    while (sct_take_number(source) == 1)
        take_group(source, target);
}

static void take_fingerprints(struct sct_reader *source, struct sct_sum *sum) {
    // How many distinct there are is no sum: each is looked for among those of all ranges before.
    uint64_t count = sct_take_number(source);
    for (uint64_t i = 0; i < count && !source->is_bad; i++)
        sum->campaign->distinct_behaviours += sct_seen_add(&sum->seen, sct_take_number(source));
}

static void take_counters(struct sct_reader *source, const struct sct_counters *counters) {
    // A place of 0 ends the list; a bad source gives 0 for ever, so this ends too.
    uint64_t place;
    while ((place = sct_take_number(source)) != 0) {
        uint64_t value = sct_take_number(source);
        if (place > counters->count) {
            source->is_bad = true;
            return;
        }
        counters->values[place - 1] += value;
    }
}

static void take_marks(struct sct_reader *source) {
    const char *name;
    while ((name = sct_take_text(source)))
        sct_marks_add(name, sct_take_number(source));
}

bool sct_range_add(const struct sct_range_options *options, struct sct_reader *range,
                   struct sct_sum *sum, void (*on_new_group)(void *, const struct sct_group *),
                   bool *goes_on) {
    ASSERT(range->at <= range->end && !range->is_bad);
    ASSERT(sum->campaign);
    struct target target = {options, sum, on_new_group};
    *goes_on = sct_take_number(range) == 1;
    take_campaign(range, &target);
    take_fingerprints(range, sum);
    for (size_t i = 0; i < options->counter_arrays; i++)
        take_counters(range, &options->counters[i]);
    take_marks(range);
    return !range->is_bad && range->at == range->end;
}
