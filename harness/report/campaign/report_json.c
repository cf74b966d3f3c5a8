// Campaigns and replays as one object of JSON.
#include "harness/report/campaign/report.h"
#include "harness/report/campaign/report_coverage.h"
#include "harness/report/json.h"

#include <inttypes.h>
#include <jansson.h>

static json_t *json_variant(const struct variant *variant) {
    if (!variant)
        return json_null();
    return json_pack("{s:i, s:s}", "id", variant->number, "name", variant->name);
}

static json_t *json_rate(const struct sct_rate *rate) {
    return json_pack("{s:f, s:f, s:f}", "estimate", rate->estimate, "low95", rate->low95, "high95",
                     rate->high95);
}

static json_t *json_strategy(const struct sct_strategy *strategy) {
    char buffer[SCT_TRACE_NAME_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    sct_strategy_format(strategy, &text);
    return json_string(buffer);
}

static json_t *json_group(const struct sct_group *group, const struct group_trace *trace) {
    json_t *object = json_object();
    json_object_set_new(object, "iteration", value_number(group->iteration));
    json_object_set_new(object, "strategy", json_strategy(group->strategy));
    json_object_set_new(object, "kind", json_string(group->violation.kind));
    json_object_set_new(object, "machine", value_text(group->violation.machine));
    json_object_set_new(object, "message", value_text(group->violation.message));
    json_object_set_new(object, "remark",
                        *group->violation.remark ? value_text(group->violation.remark)
                                                 : json_null());
    json_object_set_new(object, "decisions", value_number(group->decision_count));
    json_object_set_new(object, "trace",
                        trace && *trace->path ? value_text(trace->path) : json_null());
    return object;
}

static json_t *json_groups(const struct campaign_report *run, const struct sct_campaign *campaign) {
    json_t *array = json_array();
    const struct group_trace *trace = run->traces;
    for (const struct sct_group *group = campaign->groups; group; group = group->next) {
        json_t *object = json_group(group, trace);
        json_object_set_new(object, "count", value_number(group->count));
        json_array_append_new(array, object);
        trace = trace ? trace->next : NULL;
    }
    return array;
}

static json_t *json_strategies(const struct sct_campaign *campaign) {
    json_t *array = json_array();
    for (size_t i = 0; i < campaign->share_count; i++) {
        const struct sct_share *share = &campaign->shares[i];
        json_t *object = json_object();
        json_object_set_new(object, "name", json_strategy(share->strategy));
        json_object_set_new(object, "iterations_run", value_number(share->iterations_run));
        json_object_set_new(object, "violations", value_number(share->violations));
        if (share->iterations_run > 0 && !campaign->search.path) {
            struct sct_rate rate = sct_rate_fixed(share->violations, share->iterations_run);
            json_object_set_new(object, "failure_rate", json_rate(&rate));
        }
        json_array_append_new(array, object);
    }
    return array;
}

static void set_identity(json_t *object, const struct campaign_report *run,
                         const struct sct_campaign *campaign) {
    json_object_set_new(object, "tool", json_string("mtcheck"));
    json_object_set_new(object, "schema_version", json_integer(1));
    json_object_set_new(object, "version", json_string(MTCHECK_VERSION));
    json_object_set_new(object, "commit", json_string(run->commit));
    json_object_set_new(object, "probe", value_digits("%016" PRIx64, run->probe));
    json_object_set_new(object, "model", json_string(run->what.subject->name));
    json_object_set_new(object, "test", json_string(run->what.test->name));
    json_object_set_new(object, "strategy", json_string(run->strategy));
    json_object_set_new(object, "fingerprint", value_digits("%016" PRIx64, campaign->fingerprint));
    // As text: 64 bits are more than a double keeps, by which many readers take numbers.
    json_object_set_new(object, "seed", value_digits("%" PRIu64, run->seed));
    json_object_set_new(object, "bug", json_variant(run->what.variant));
    json_object_set_new(object, "max_steps", value_number(run->steps_max));
    json_object_set_new(object, "keep_going", json_boolean(run->keep_going));
    json_object_set_new(object, "shard",
                        json_pack("{s:I, s:I}", "index", (json_int_t)run->shard_index, "count",
                                  (json_int_t)run->shard_count));
}

// What shards have seen cannot be added up without it.
static void set_sketch(json_t *object, const struct sct_sketch *sketch) {
    char text[SCT_SKETCH_REGISTERS + 1];
    sct_sketch_write(sketch, text);
    json_object_set_new(object, "distinct_sketch", json_string(text));
}

static void set_counts(json_t *object, const struct campaign_report *run,
                       const struct sct_campaign *campaign) {
    json_object_set_new(object, "iterations",
                        run->iterations == SCT_UNLIMITED ? json_null()
                                                         : value_number(run->iterations));
    json_object_set_new(object, "iterations_run", value_number(campaign->iterations_run));
    json_object_set_new(object, "violations", value_number(campaign->violations));
    json_object_set_new(object, "step_limit_hits", value_number(campaign->step_limit_hits));
    json_object_set_new(object, "checks_unknown", value_number(campaign->checks_unknown));
    json_object_set_new(object, "exhausted", json_boolean(campaign->search.is_exhausted));
    json_object_set_new(object, "elapsed_seconds", json_real(campaign->elapsed_seconds));
    json_object_set_new(object, "executions_per_second",
                        json_real(report_executions_per_second(campaign)));
    json_object_set_new(object, "decisions", value_number(campaign->decisions));
    json_object_set_new(object, "distinct_behaviours", value_number(campaign->distinct_behaviours));
    json_object_set_new(object, "distinct_is_estimate",
                        json_boolean(campaign->distinct_is_estimate));
    if (run->shard_count > 1 && campaign->sketch)
        set_sketch(object, campaign->sketch);
}

static json_t *json_bound(const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    const struct sct_path *path = search->path;
    if (path->bound_kind == SCT_BOUND_NONE)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "kind", json_string(report_bound_name(path)));
    json_object_set_new(object, "limit", value_number(path->bound_limit));
    json_object_set_new(object, "completed",
                        search->bounds_completed > 0 ? value_number(search->bounds_completed - 1)
                                                     : json_null());
    json_object_set_new(object, "leaves_out", json_boolean(path->meets_bound));
    json_object_set_new(object, "first_violation",
                        campaign->groups ? value_number(campaign->groups->bound) : json_null());
    return object;
}

static void set_states(json_t *object, const struct sct_explorer *explorer,
                       const struct sct_campaign *campaign) {
    json_object_set_new(object, "pruned", value_number(campaign->search.pruned));
    json_object_set_new(object, "states", value_number(campaign->search.states_met));
    json_object_set_new(object, "states_per_second", json_real(report_states_per_second(campaign)));
    json_object_set_new(object, "bytes_per_state", json_real(sct_explorer_bytes_each(explorer)));
    json_object_set_new(object, "transitions", value_number(campaign->search.transitions));
    json_object_set_new(object, "collision_probability",
                        json_real(sct_states_collision(campaign->search.states_met)));
    json_object_set_new(object, "cache_full", json_boolean(campaign->search.is_cache_full));
}

static json_t *json_exhaustive(const struct campaign_report *run,
                               const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    json_t *object = json_object();
    json_object_set_new(object, "executions", value_number(search->executions));
    json_object_set_new(object, "repeated", value_number(search->repeated));
    json_object_set_new(object, "estimate",
                        search->estimate > 0 ? json_real(search->estimate) : json_null());
    json_object_set_new(object, "up_to_step_limit", json_boolean(campaign->step_limit_hits > 0));
    json_object_set_new(object, "bound", json_bound(campaign));
    if (run->is_reduced)
        json_object_set_new(object, "blocked_executions", value_number(search->pruned));
    if (run->explorer)
        set_states(object, run->explorer, campaign);
    return object;
}

static void set_minimized(json_t *object, const struct minimized *minimized) {
    if (!minimized)
        return;
    json_object_set_new(object, "minimized", minimized_json(minimized));
    json_object_set_new(object, "explanation", explanation_json(&minimized->explanation));
}

void report_campaign_json(FILE *out, const struct campaign_report *run,
                          const struct sct_campaign *campaign) {
    json_t *object = json_object();
    set_identity(object, run, campaign);
    set_counts(object, run, campaign);
    // A systematic search draws no sample: there is no rate.
    bool is_systematic = campaign->search.path;
    json_object_set_new(object, "failure_rate",
                        is_systematic ? json_null() : json_rate(&campaign->rate));
    if (is_systematic)
        json_object_set_new(object, "exhaustive", json_exhaustive(run, campaign));
    json_object_set_new(object, "strategies", json_strategies(campaign));
    json_object_set_new(object, "first_violation",
                        campaign->groups ? json_group(campaign->groups, run->traces) : json_null());
    json_object_set_new(object, "violation_groups", json_groups(run, campaign));
    set_minimized(object, run->minimized);
    json_object_set_new(object, "coverage", report_coverage_json(run));
    json_object_set_new(object, "interrupted", json_boolean(campaign->was_interrupted));
    if (run->failure)
        json_object_set_new(object, "failure", value_text(run->failure));
    json_print(out, object);
}

static json_t *json_trace_violation(const struct sct_trace *trace) {
    if (trace->outcome != SCT_VIOLATED)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "iteration", value_number(trace->iteration));
    json_object_set_new(object, "strategy", value_text(trace->strategy));
    json_object_set_new(object, "kind", value_text(trace->kind));
    json_object_set_new(object, "machine", value_text(trace->machine));
    json_object_set_new(object, "message", value_text(trace->message));
    json_object_set_new(object, "decisions", value_number(trace->decision_count));
    return object;
}

// Where a tolerant replay left the recording, and how it ended.
static void set_tolerant(json_t *object, const struct replay_report *report) {
    const struct sct_tolerant *tolerant = report->tolerant;
    if (!tolerant)
        return;
    json_object_set_new(object, "left_at",
                        tolerant->has_left ? value_number(tolerant->left_at) : json_null());
    json_object_set_new(object, "left",
                        tolerant->has_left ? value_text(tolerant->where.text) : json_null());
    json_object_set_new(object, "violation", json_trace_violation(report->execution));
}

void report_replay_json(FILE *out, const struct replay_report *report) {
    const struct sct_trace *trace = report->trace;
    json_t *object = json_object();
    json_object_set_new(object, "tool", json_string("mtcheck"));
    json_object_set_new(object, "schema_version", json_integer(1));
    json_object_set_new(object, "version", json_string(MTCHECK_VERSION));
    json_object_set_new(object, "model", value_text(trace->model));
    json_object_set_new(object, "test", value_text(trace->test));
    json_object_set_new(object, "reproduced", json_boolean(report->is_confirmed));
    json_object_set_new(object, "difference",
                        report->is_confirmed ? json_null() : value_text(report->difference));
    json_object_set_new(object, "recorded_violation", json_trace_violation(trace));
    set_tolerant(object, report);
    set_minimized(object, report->minimized);
    if (report->explanation)
        json_object_set_new(object, "explanation", explanation_json(report->explanation));
    json_print(out, object);
}
