// Campaigns and replays as text.
#include "core/threads/atomic.h"
#include "harness/report/campaign/report.h"
#include "harness/report/campaign/report_coverage.h"
#include "harness/report/plain.h"

#include <inttypes.h>

static const char *red(const struct campaign_report *run) {
    return run->use_color ? "\033[1;31m" : "";
}

static const char *green(const struct campaign_report *run) {
    return run->use_color ? "\033[1;32m" : "";
}

static const char *plain(const struct campaign_report *run) {
    return run->use_color ? "\033[0m" : "";
}

static void print_line(FILE *out, const char *name, const char *text) {
    fprintf(out, "  %-10s ", name);
    plain_put(out, text);
    fprintf(out, "\n");
}

static void print_group(FILE *out, const struct campaign_report *run, const struct sct_group *group,
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
        report_paths(out, 10, trace, run->call);
}

static void print_story(FILE *out, const struct campaign_report *run) {
    if (run->story)
        report_write_text(out, &run->look, run->story);
}

static void print_groups(FILE *out, const struct campaign_report *run,
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

// What a clean campaign says: with a higher rate it would have failed 95 times of 100.
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

double report_executions_per_second(const struct sct_campaign *campaign) {
    double executions = (double)(campaign->iterations_run - campaign->iterations_resumed);
    return campaign->elapsed_seconds > 0 ? executions / campaign->elapsed_seconds : 0;
}

// ---- Text of systematic searches ---------------------------------------------------------------

const char *report_bound_name(const struct sct_path *path) {
    return path->bound_kind == SCT_BOUND_DELAYS ? "delays" : "preemptions";
}

// What the search leaves out although it went to the end.
static void print_limits(FILE *out, const struct campaign_report *run,
                         const struct sct_campaign *campaign) {
    const struct sct_path *path = campaign->search.path;
    if (path->bound_kind != SCT_BOUND_NONE && path->meets_bound)
        fprintf(out, " with at most %" PRIu32 " %s", path->bound, report_bound_name(path));
    if (campaign->step_limit_hits > 0)
        fprintf(out, " up to the step bound of %" PRIu32, run->steps_max);
}

double report_states_per_second(const struct sct_campaign *campaign) {
    const struct sct_searched *search = &campaign->search;
    double states = (double)(search->states_met - search->states_resumed);
    return campaign->elapsed_seconds > 0 ? states / campaign->elapsed_seconds : 0;
}

static void print_states(FILE *out, const struct campaign_report *run,
                         const struct sct_campaign *campaign) {
    const struct sct_explorer *explorer = run->explorer;
    if (!explorer)
        return;
    fprintf(out,
            "%" PRIu64 " states by %" PRIu64 " transitions, %.0f states/s, %.1f bytes each; two of "
            "them taken for one with probability %.1g\n"
            "%" PRIu64 " executions ended in a state that was met before%s%s\n",
            campaign->search.states_met, campaign->search.transitions,
            report_states_per_second(campaign), sct_explorer_bytes_each(explorer),
            sct_states_collision(campaign->search.states_met), campaign->search.pruned,
            run->is_reduced ? ", or one with nothing left to try" : "",
            campaign->search.is_cache_full ? ", the last for want of room in the cache" : "");
}

static void print_search(FILE *out, const struct campaign_report *run,
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
                search->bounds_completed - 1, report_bound_name(path));
    else
        fprintf(out, "not even all executions without %s were tried", report_bound_name(path));
    fprintf(out, "; %" PRIu64 " were run again with a larger bound\n", search->repeated);
    if (campaign->groups)
        fprintf(out, "the first violation needs %" PRIu32 " %s\n", campaign->groups->bound,
                report_bound_name(path));
}

static void print_counts(FILE *out, const struct sct_campaign *campaign) {
    double seconds = campaign->elapsed_seconds;
    fprintf(out,
            "%" PRIu64 " executions (%s%" PRIu64 " distinct) in %.2f s, %.0f/s; %" PRIu64
            " violations, %" PRIu64 " cut off at the step bound\n",
            campaign->iterations_run, campaign->distinct_is_estimate ? "about " : "",
            campaign->distinct_behaviours, seconds, report_executions_per_second(campaign),
            campaign->violations, campaign->step_limit_hits);
    if (campaign->distinct_is_estimate)
        fprintf(out, "how many are distinct is an estimate (standard error 0.8 %%): they were more "
                     "than are kept\n");
    if (campaign->iterations_resumed > 0)
        fprintf(out, "%" PRIu64 " of the executions are from the checkpoint\n",
                campaign->iterations_resumed);
    if (campaign->checks_unknown > 0)
        fprintf(out, "%" PRIu64 " checks reached a limit: their verdict is unknown\n",
                campaign->checks_unknown);
}

void report_campaign_text(FILE *out, const struct campaign_report *run,
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
    if (sct_orders_are_unshown())
        fprintf(out, "orders weaker than seq_cst are used: all that they allow beside is not shown "
                     "here\n");
    if (is_systematic)
        print_search(out, run, campaign);
    else if (campaign->iterations_run > campaign->step_limit_hits)
        print_meaning(out, campaign);
    if (run->conclusion)
        fputs(run->conclusion, out);
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
    if (report->conclusion)
        fputs(report->conclusion, out);
}
