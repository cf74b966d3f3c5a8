#include "harness/cli/report.h"
#include "core/threads/atomic.h"
#include "core/base/grow.h"
#include "harness/cli/report_coverage.h"
#include "harness/cli/version.h"
#include "harness/report/json.h"
#include "harness/report/plain.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// ---- Text --------------------------------------------------------------------------------------

static const char *red(const struct run_description *run) {
    return run->use_color ? "\033[1;31m" : "";
}

static const char *green(const struct run_description *run) {
    return run->use_color ? "\033[1;32m" : "";
}

static const char *plain(const struct run_description *run) {
    return run->use_color ? "\033[0m" : "";
}

static void print_line(FILE *out, const char *name, const char *text) {
    fprintf(out, "  %-10s ", name);
    plain_put(out, text);
    fprintf(out, "\n");
}

static void print_paths(FILE *out, const struct run_description *run, const char *path) {
    char plain[2 * OPTIONS_PATH_MAX], word[2 * OPTIONS_PATH_MAX];
    struct text plain_text = text_in(plain, sizeof plain), word_text = text_in(word, sizeof word);
    plain_add(&plain_text, path);
    plain_add_word(&word_text, path);
    fprintf(out, "  trace      %s\n  replay     %s --replay %s --verbose\n", plain, run->call,
            word);
}

static void print_group(FILE *out, const struct run_description *run, const struct sct_group *group,
                        const char *trace, uint64_t violations) {
    fprintf(out, "%sviolation%s: ", red(run), plain(run));
    plain_put(out, group->violation.kind);
    fprintf(out, " in ");
    plain_put(out, group->violation.machine);
    fprintf(out, "\n");
    print_line(out, "what", group->violation.message);
    if (*group->violation.remark)
        print_line(out, "remark", group->violation.remark);
    if (group->violation.where)
        print_line(out, "where", group->violation.where);
    char strategy[SCT_TRACE_NAME_BYTES];
    struct text text = text_in(strategy, sizeof strategy);
    sct_strategy_format(group->strategy, &text);
    fprintf(out, "  iteration  %" PRIu64 " (%s), %" PRIu32 " decisions", group->iteration, strategy,
            group->decision_count);
    if (violations > 1)
        fprintf(out, "; the first of %" PRIu64 " like it", group->count);
    fprintf(out, "\n");
    if (trace && *trace)
        print_paths(out, run, trace);
}

static void print_story(FILE *out, const struct run_description *run) {
    if (run->story)
        report_write_text(out, &run->look, run->story);
}

static void print_groups(FILE *out, const struct run_description *run,
                         const struct sct_campaign *campaign) {
    const struct group_trace *trace = run->traces;
    for (const struct sct_group *group = campaign->groups; group; group = group->next) {
        print_group(out, run, group, trace ? trace->path : NULL, campaign->violations);
        trace = trace ? trace->next : NULL;
        if (group == campaign->groups && !run->minimized)
            print_story(out, run);
    }
}

// A line for each strategy of a portfolio.
static void print_shares(FILE *out, const struct sct_campaign *campaign) {
    for (size_t i = 0; campaign->share_count > 1 && i < campaign->share_count; i++) {
        const struct sct_share *share = &campaign->shares[i];
        char buffer[SCT_TRACE_NAME_BYTES];
        struct text text = text_in(buffer, sizeof buffer);
        sct_strategy_format(share->strategy, &text);
        fprintf(out, "  %-12s %10" PRIu64 " executions, %" PRIu64 " violations\n", buffer,
                share->iterations_run, share->violations);
    }
}

static void print_meaning(FILE *out, const struct sct_campaign *campaign) {
    const struct sct_rate *rate = &campaign->rate;
    if (campaign->violations > 0) {
        fprintf(out, "failure rate %.4g %% (95 %% confidence: %.4g %% to %.4g %%)\n",
                rate->estimate * 100, rate->low95 * 100, rate->high95 * 100);
        return;
    }
    fprintf(
        out,
        "a failure rate above %.3g %% is excluded at 95 %% confidence; a bug that shows in one\n"
        "execution of 100,000 would have been missed with probability %.3g\n",
        rate->high95 * 100,
        sct_miss_probability(1e-5, campaign->iterations_run - campaign->step_limit_hits));
}

// Of this process: what came from a checkpoint took none of its time.
static double executions_per_second(const struct sct_campaign *campaign) {
    double executions = (double)(campaign->iterations_run - campaign->iterations_resumed);
    return campaign->elapsed_seconds > 0 ? executions / campaign->elapsed_seconds : 0;
}

// ---- Text of systematic searches ---------------------------------------------------------------

static const char *bound_name(const struct sct_path *path) {
    return path->bound_kind == SCT_BOUND_DELAYS ? "delays" : "preemptions";
}

// What the search leaves out although it went to the end.
static void print_limits(FILE *out, const struct run_description *run,
                         const struct sct_campaign *campaign) {
    const struct sct_path *path = campaign->search.path;
    if (path->bound_kind != SCT_BOUND_NONE && path->meets_bound)
        fprintf(out, " with at most %" PRIu32 " %s", path->bound, bound_name(path));
    if (campaign->step_limit_hits > 0)
        fprintf(out, " up to the step bound of %" PRIu32, run->steps_max);
}

static double states_per_second(const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    double states = (double)(search->states_met - search->states_resumed);
    return campaign->elapsed_seconds > 0 ? states / campaign->elapsed_seconds : 0;
}

static void print_states(FILE *out, const struct run_description *run,
                         const struct sct_campaign *campaign) {
    const struct sct_explorer *explorer = run->explorer;
    if (!explorer)
        return;
    fprintf(out,
            "%" PRIu64 " states by %" PRIu64 " transitions, %.0f states/s, %.1f bytes each; two of "
            "them taken for one with probability %.1g\n"
            "%" PRIu64 " executions ended in a state that was met before%s%s\n",
            campaign->search.states_met, campaign->search.transitions, states_per_second(campaign),
            sct_explorer_bytes_each(explorer), sct_states_collision(campaign->search.states_met),
            campaign->search.pruned, run->is_reduced ? ", or one with nothing left to try" : "",
            campaign->search.is_cache_full ? ", the last for want of room in the cache" : "");
}

static void print_search(FILE *out, const struct run_description *run,
                         const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    const struct sct_path *path = search->path;
    fprintf(out, "%s",
            !search->is_exhausted ? "not exhausted"
            : run->is_reduced
                ? "exhausted: these are all executions but for the order of independent steps"
                : "exhausted: these are all executions");
    if (search->is_exhausted)
        print_limits(out, run, campaign);
    else if (search->is_cut)
        fprintf(out,
                ": what was cut off at the step bound of %" PRIu32
                " may be reached by fewer steps\nelsewhere; give a larger --max-steps, or "
                "one process and no checkpoint",
                run->steps_max);
    else if (search->estimate > 0)
        fprintf(out, ": about %.3g executions%s in all, as far as can be told", search->estimate,
                path->bound_kind != SCT_BOUND_NONE ? " within this bound" : "");
    fprintf(out, "\n");
    print_states(out, run, campaign);
    if (run->is_reduced && !run->explorer)
        fprintf(out,
                "%" PRIu64 " executions completed; %" PRIu64
                " blocked: they could only have repeated others\n",
                search->executions, search->pruned);
    if (path->bound_kind == SCT_BOUND_NONE)
        return;
    if (search->bounds_completed > 0)
        fprintf(out, "all executions with at most %" PRIu32 " %s were tried",
                search->bounds_completed - 1, bound_name(path));
    else
        fprintf(out, "not even all executions without %s were tried", bound_name(path));
    fprintf(out, "; %" PRIu64 " were run again with a larger bound\n", search->repeated);
    if (campaign->groups)
        fprintf(out, "the first violation needs %" PRIu32 " %s\n", campaign->groups->bound,
                bound_name(path));
}

static void print_counts(FILE *out, const struct sct_campaign *campaign) {
    double seconds = campaign->elapsed_seconds;
    fprintf(out,
            "%" PRIu64 " executions (%" PRIu64 " distinct) in %.2f s, %.0f/s; %" PRIu64
            " violations, %" PRIu64 " cut off at the step bound\n",
            campaign->iterations_run, campaign->distinct_behaviours, seconds,
            executions_per_second(campaign), campaign->violations, campaign->step_limit_hits);
    if (campaign->iterations_resumed > 0)
        fprintf(out, "%" PRIu64 " of the executions are from the checkpoint\n",
                campaign->iterations_resumed);
    if (campaign->checks_unknown > 0)
        fprintf(out, "%" PRIu64 " checks reached a limit: their verdict is unknown\n",
                campaign->checks_unknown);
}

void report_campaign_text(FILE *out, const struct run_description *run,
                          const struct sct_campaign *campaign) {
    bool is_systematic = campaign->search.path;
    print_groups(out, run, campaign);
    if (run->minimized) {
        minimized_print(out, run->minimized, run->call);
        print_story(out, run);
    }
    bool is_clean = campaign->violations == 0 && !run->failure;
    const char *verdict = is_clean ? "clean" : campaign->violations ? "failed" : "incomplete";
    fprintf(out, "%s%s%s: %s %s", is_clean ? green(run) : red(run), verdict, plain(run),
            run->what.subject->name, run->what.test->name);
    if (run->what.variant)
        fprintf(out, ", bug %d %s", run->what.variant->number, run->what.variant->name);
    fprintf(out, ", %s", run->strategy);
    if (!is_systematic)
        fprintf(out, ", seed %" PRIu64, run->seed);
    fprintf(out, "\n");
    print_counts(out, campaign);
    print_shares(out, campaign);
    if (run->shows_coverage)
        report_coverage_text(out, run);
    else if (!subject_view(run->what.test)->coverage)
        report_marks_text(out);
    if (sct_atomics_are_used())
        fprintf(out, "atomics are sequentially consistent here: weaker orders are not tried\n");
    if (is_systematic)
        print_search(out, run, campaign);
    else if (campaign->iterations_run > campaign->step_limit_hits)
        print_meaning(out, campaign);
    if (campaign->was_interrupted)
        fprintf(out, "interrupted: this is what was found so far\n");
}

static void print_reproduced(FILE *out, const struct sct_trace *execution) {
    fprintf(out, "reproduced: ");
    plain_put(out, execution->kind);
    fprintf(out, " in ");
    plain_put(out, execution->machine);
    fprintf(out, " after %" PRIu32 " decisions\n", execution->decision_count);
    print_line(out, "what", execution->message);
}

static void print_difference(FILE *out, const char *what, const char *difference) {
    fprintf(out, "%s: ", what);
    plain_put(out, difference);
    fprintf(out, "\n");
}

// How a tolerant replay ended: as the recording says, or how else.
static void print_tolerant(FILE *out, const struct replay_report *report) {
    const struct sct_trace *execution = report->execution;
    if (report->tolerant->has_left) {
        fprintf(out, "left the recording at decision %" PRIu32, report->tolerant->left_at);
        print_difference(out, "", report->tolerant->where.text);
    }
    if (report->is_confirmed && execution->outcome == SCT_VIOLATED)
        print_reproduced(out, execution);
    else if (report->is_confirmed)
        fprintf(out, "reproduced: passed after %" PRIu32 " decisions\n", execution->decision_count);
    else
        print_difference(out, "not reproduced", report->difference);
}

static void print_strict(FILE *out, const struct replay_report *report) {
    const struct sct_trace *trace = report->trace;
    if (!report->is_confirmed)
        print_difference(out, "not reproduced", report->difference);
    else if (trace->outcome == SCT_VIOLATED)
        print_reproduced(out, trace);
    else
        fprintf(out, "reproduced: ended as recorded after %" PRIu32 " decisions\n",
                trace->decision_count);
}

void report_replay_text(FILE *out, const struct replay_report *report) {
    if (report->tolerant)
        print_tolerant(out, report);
    else
        print_strict(out, report);
    if (report->minimized)
        minimized_print(out, report->minimized, report->call);
    else if (report->explanation)
        explanation_print(out, report->explanation);
    if (report->story)
        report_write_text(out, &report->look, report->story);
}

// ---- JSON --------------------------------------------------------------------------------------

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

static json_t *json_groups(const struct run_description *run, const struct sct_campaign *campaign) {
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

static void set_identity(json_t *object, const struct run_description *run,
                         const struct sct_campaign *campaign) {
    json_object_set_new(object, "tool", json_string("mtcheck"));
    json_object_set_new(object, "schema_version", json_integer(1));
    json_object_set_new(object, "version", json_string(MTCHECK_VERSION));
    json_object_set_new(object, "commit", json_string(version_commit));
    json_object_set_new(object, "model", json_string(run->what.subject->name));
    json_object_set_new(object, "test", json_string(run->what.test->name));
    json_object_set_new(object, "strategy", json_string(run->strategy));
    json_object_set_new(object, "fingerprint", value_digits("%016" PRIx64, campaign->fingerprint));
    json_object_set_new(object, "seed", value_digits("%" PRIu64, run->seed));
    json_object_set_new(object, "bug", json_variant(run->what.variant));
    json_object_set_new(object, "max_steps", value_number(run->steps_max));
    json_object_set_new(object, "keep_going", json_boolean(run->keep_going));
    json_object_set_new(object, "shard",
                        json_pack("{s:I, s:I}", "index", (json_int_t)run->shard_index, "count",
                                  (json_int_t)run->shard_count));
}

static void set_counts(json_t *object, const struct run_description *run,
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
                        json_real(executions_per_second(campaign)));
    json_object_set_new(object, "decisions", value_number(campaign->decisions));
    json_object_set_new(object, "distinct_behaviours", value_number(campaign->distinct_behaviours));
}

static json_t *json_bound(const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    const struct sct_path *path = search->path;
    if (path->bound_kind == SCT_BOUND_NONE)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "kind", json_string(bound_name(path)));
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
    json_object_set_new(object, "states_per_second", json_real(states_per_second(campaign)));
    json_object_set_new(object, "bytes_per_state", json_real(sct_explorer_bytes_each(explorer)));
    json_object_set_new(object, "transitions", value_number(campaign->search.transitions));
    json_object_set_new(object, "collision_probability",
                        json_real(sct_states_collision(campaign->search.states_met)));
    json_object_set_new(object, "cache_full", json_boolean(campaign->search.is_cache_full));
}

static json_t *json_exhaustive(const struct run_description *run,
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

static void print_json(FILE *out, json_t *value) {
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    if (!text)
        grow_failed(0, "the report");
    fprintf(out, "%s\n", text);
    free(text);
    json_decref(value);
}

static void set_minimized(json_t *object, const struct minimized *minimized) {
    if (!minimized)
        return;
    json_object_set_new(object, "minimized", minimized_json(minimized));
    json_object_set_new(object, "explanation", explanation_json(&minimized->explanation));
}

void report_campaign_json(FILE *out, const struct run_description *run,
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
    print_json(out, object);
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
    print_json(out, object);
}

// ---- Listings ----------------------------------------------------------------------------------

// Prints one line, or appends one object to [array] if that is given. [kind] may be NULL.
static void list_entry(FILE *out, json_t *array, int id, const char *name, const char *kind,
                       const char *summary) {
    if (array) {
        json_t *object = json_pack("{s:s, s:s}", "name", name, "summary", summary);
        if (kind) {
            json_object_set_new(object, "id", json_integer(id));
            json_object_set_new(object, "kind", json_string(kind));
        }
        json_array_append_new(array, object);
    } else if (kind) {
        fprintf(out, "%2d  %-37s %-10s %s\n", id, name, kind, summary);
    } else {
        fprintf(out, "%-16s %s\n", name, summary);
    }
}

static void list_variants(FILE *out, json_t *array, const struct subject *subject) {
    for (size_t i = 0; i < subject_variant_count(subject); i++) {
        struct variant variant = subject->variants->at(i);
        list_entry(out, array, variant.number, variant.name, variant.kind, variant.summary);
    }
}

static void list_tests(FILE *out, json_t *array, const struct subject *subject) {
    for (const struct subject_test *const *test = subject->tests; *test; test++)
        list_entry(out, array, 0, (*test)->name, NULL, (*test)->summary ? (*test)->summary : "");
}

static void list_strategies(FILE *out, json_t *array) {
    for (size_t i = 0; sct_strategy_at(i); i++)
        list_entry(out, array, 0, sct_strategy_at(i)->name, NULL, sct_strategy_at(i)->summary);
}

static void list_subjects(FILE *out, json_t *array, const struct subject *const *subjects) {
    for (size_t i = 0; subjects[i]; i++)
        list_entry(out, array, 0, subjects[i]->name, NULL, subjects[i]->summary);
}

void report_list(FILE *out, const struct options *options, const struct subject *const *subjects,
                 const struct subject *subject) {
    json_t *array = options->format == FORMAT_JSON ? json_array() : NULL;
    if (strcmp(options->list, "bugs") == 0)
        list_variants(out, array, subject);
    else if (strcmp(options->list, "tests") == 0)
        list_tests(out, array, subject);
    else if (strcmp(options->list, "strategies") == 0)
        list_strategies(out, array);
    else
        list_subjects(out, array, subjects);
    if (array)
        print_json(out, array);
}
