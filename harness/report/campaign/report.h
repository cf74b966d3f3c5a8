// Reports about a campaign, and about what became of a replay, as text or JSON.
#ifndef HARNESS_REPORT_CAMPAIGN_REPORT_H
#define HARNESS_REPORT_CAMPAIGN_REPORT_H

#include "core/campaign/campaign.h"
#include "core/trace/tolerant.h"
#include "core/trace/trace.h"
#include "harness/report/execution/minimized.h"
#include "harness/report/execution/report.h"
#include "harness/report/output.h"

#include <stdio.h>

struct campaign_report {
    struct subject_run what;
    struct report_call call;
    const uint64_t *reached; // how often executions that count passed a place of each variant
    const char *strategy;
    const char *commit; // of the program
    uint64_t seed;
    uint64_t probe;      // of core/witness/probe.h
    uint64_t iterations; // asked for
    uint64_t shard_index, shard_count;
    uint32_t steps_max;
    bool keep_going;
    const char *failure; // of the tool, which ended the campaign too early; NULL: none
    bool is_reduced;     // by partial orders
    const struct sct_explorer *explorer; // of a search with a state cache; else NULL
    struct group_trace *traces;          // where each group's trace is, in the order of the groups
    const struct story *story;           // of the first violation, minimised if it was
    struct report_text_options look;
    const struct minimized *minimized; // the first of them; NULL: it was not
    const char *conclusion;            // of the test (harness/subject/subject.h); NULL: none
    bool use_color;
    bool shows_coverage; // in text; always in JSON
};

// Where a trace went; [path] is empty if it could not be written.
struct group_trace {
    char path[REPORT_PATH_MAX + 32];
    struct group_trace *next;
};

void report_campaign_text(FILE *out, const struct campaign_report *run,
                          const struct sct_campaign *campaign);

void report_campaign_json(FILE *out, const struct campaign_report *run,
                          const struct sct_campaign *campaign);

// What replaying a trace gave.
struct replay_report {
    struct report_call call;
    const struct sct_trace *trace;
    bool is_confirmed;
    const char *difference;                // unless confirmed
    const struct sct_tolerant *tolerant;   // NULL: the replay was strict
    const struct sct_trace *execution;     // what happened: the trace unless that was left
    const struct minimized *minimized;     // NULL: it was not
    const struct explanation *explanation; // NULL: none
    const struct story *story;             // of the execution, minimised if it was; NULL: not told
    const char *conclusion;                // of the test; NULL: none
    struct report_text_options look;
};

// Of this process: what came from a checkpoint took none of its time.
double report_executions_per_second(const struct sct_campaign *campaign);
double report_states_per_second(const struct sct_campaign *campaign);

// "delays" or "preemptions".
const char *report_bound_name(const struct sct_path *path);

void report_replay_text(FILE *out, const struct replay_report *report);
void report_replay_json(FILE *out, const struct replay_report *report);

#endif
