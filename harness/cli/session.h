// Sessions: what a campaign and a replay have in common. What is run, by which engine; and
// what can be done with one failing execution, whoever found it.
#ifndef HARNESS_CLI_SESSION_H
#define HARNESS_CLI_SESSION_H

#include "core/witness/witness.h"
#include "harness/cli/command.h"
#include "harness/cli/inspect.h"
#include "harness/cli/minimize.h"
#include "harness/cli/progress.h"
#include "harness/report/campaign/report.h"

#include <stdio.h>

struct session {
    const struct command *command;
    const struct options *options;
    struct campaign_report run;
    struct variant variant; // that is on, if run.what.variant is set
    void *context;          // of the programs of a subject with variants; owned
    size_t variant_count;
    const uint64_t *passing;    // how often the places of each variant were passed so far
    uint64_t *passes, *reached; // by variant: before this execution, and by those that count; owned
    struct sct_program program;
    struct sct_engine *engine;
    struct sct_strategy *strategy;
    struct sct_search *search;       // of a systematic strategy; else NULL
    struct sct_shared_states shared; // of a search by several processes
    uint32_t steps_max;
    char strategy_text[SCT_TRACE_NAME_BYTES];
    struct group_trace **last_trace;
    uint64_t trace_count;
    struct sct_trace first; // of the violations, or the single execution that is told about
    struct progress progress;
    struct sct_checkpoint *checkpoint; // the caller's; without a file: there is none
    struct sct_witness witness;        // sees what this process cannot
    uint64_t counted;                  // executions, for the witness
    // The first violation that a fresh process did not have.
    struct {
        bool is_found;
        uint64_t iteration;
        struct error difference;
    } unconfirmed;
};

// What is run: first the test, then the variant. False, with the reason, if there is no such thing.
// [subject] and [test] NULL: the default; [variant] NULL: none.
bool session_choose_test(struct session *session, const char *subject, const char *test,
                         struct error *error);
bool session_choose_variant(struct session *session, const char *variant, struct error *error);

// [steps_max] 0: the test's default.
void session_open_engine(struct session *session, uint32_t steps_max);

// Whether what the options ask for can be had of executions that are in processes of their own.
bool session_check_isolation(const struct session *session, struct error *error);

// Runs [run]([session]) in a process of its own with a witness beside it, see there; [steps_max] as
// of session_open_engine.
int session_run_watched(struct session *session, uint32_t steps_max, int (*run)(void *session),
                        int (*on_death)(void *session, const struct sct_death *death));

// See core/witness/probe.h.
uint64_t session_probe(const struct session *session);

// Ends all that was begun.
void session_end(struct session *session);

bool session_uses_color(const struct options *options);

// How many iterations are asked for: a systematic search has no limit unless it is given one.
uint64_t session_iterations(const struct session *session);

// Standard output, unless that is for one JSON object only; and what sct_engine_narrate needs to
// write there.
FILE *session_narration(const struct session *session);
void session_narrate(void *stream, uint32_t decision, const char *machine, const char *line);

// The reports about an execution whose trace is at [trace_path] (NULL or "": nowhere), to be begun.
struct inspection session_inspection(struct session *session, const char *trace_path);

// Makes [inspection], of the original, one of what it was minimised to, which must outlive it.
void session_inspect_minimized(struct inspection *inspection, const struct minimized *minimized);

// --minimize: see minimize_trace. [start] leads to the failure that [header] tells of, whose trace
// is at [path].
// Whether a line about progress on standard error is wanted and seen.
bool session_shows_progress(const struct session *session);

bool session_minimize(struct session *session, struct sct_strategy *start,
                      const struct sct_trace *header, const char *path,
                      struct minimized *minimized);

#endif
