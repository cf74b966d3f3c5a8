#include "harness/cli/replay.h"
#include "core/base/arena.h"
#include "core/jobs/process.h"
#include "core/trace/replay.h"
#include "core/trace/tolerant.h"
#include "harness/cli/break_at.h"
#include "harness/cli/process.h"
#include "harness/cli/session.h"
#include "harness/cli/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// A replay and what else was asked for about the execution.
struct replaying {
    struct session *session;
    const struct sct_trace *recording;
    const struct sct_trace *execution; // what happened: the recording, or else [left]
    struct sct_trace left;             // a tolerant replay's own way; owned
    struct sct_tolerant tolerant;
    struct minimized minimized;
    struct explanation explanation;
    struct inspection inspection;
    struct replay_report report;
};

// The engine's last run as a trace under the recording's header; not bound to the engine.
static void capture(const struct replaying *replaying, struct sct_trace *trace) {
    const struct sct_engine *engine = replaying->session->engine;
    struct sct_trace captured = *replaying->recording;
    captured.storage = NULL;
    // A run that passes has none of these; the recording's must not stay.
    captured.kind[0] = captured.machine[0] = captured.message[0] = '\0';
    sct_trace_capture(&captured, engine, sct_engine_last_result(engine));
    sct_trace_copy(trace, &captured);
    sct_trace_free(&captured);
}

// What a strict replay comes to.
struct confirmation {
    const struct replaying *replaying;
    bool is_confirmed;
    struct error difference;
};

static void confirm(void *context) {
    struct confirmation *confirmation = context;
    const struct session *session = confirmation->replaying->session;
    struct sct_replay replay;
    sct_replay_init(&replay, confirmation->replaying->recording);
    const struct sct_result *result =
        sct_engine_run(session->engine, &session->program, &replay.base, 0);
    confirmation->is_confirmed = sct_replay_confirms(&replay, result, &confirmation->difference);
}

static void confirm_there(void *context) {
    struct confirmation *confirmation = context;
    sct_engine_forked(confirmation->replaying->session->engine);
    confirm(confirmation);
}

// Isolated, what is told of the execution later is the first one of this process.
static void run_strictly(struct replaying *replaying, struct error *difference) {
    bool is_isolated = replaying->session->run.what.test->is_isolated &&
                       strcmp(replaying->recording->kind, SCT_KIND_PROCESS_END) != 0;
    struct confirmation own = {.replaying = replaying}, *confirmation = &own;
    if (is_isolated) {
        confirmation = sct_map_shared(sizeof *confirmation);
        *confirmation = own;
        // What stays if the process cannot say anything.
        error_set(&confirmation->difference, "the process ends before the execution does");
        sct_process_run(confirm_there, confirmation);
    } else {
        confirm(confirmation);
    }
    replaying->report.is_confirmed = confirmation->is_confirmed;
    *difference = confirmation->difference;
    if (is_isolated)
        munmap(confirmation, sizeof *confirmation);
}

static void run_tolerantly(struct replaying *replaying, struct error *difference) {
    struct session *session = replaying->session;
    struct sct_tolerant *tolerant = &replaying->tolerant;
    sct_tolerant_init(tolerant, replaying->recording);
    const struct sct_result *result =
        sct_engine_run(session->engine, &session->program, &tolerant->base, 0);
    sct_tolerant_finish(tolerant, result);
    replaying->report.is_confirmed = sct_tolerant_confirms(tolerant, result, difference);
    replaying->report.tolerant = tolerant;
    capture(replaying, &replaying->left);
    replaying->execution = replaying->report.execution = &replaying->left;
}

static void explain_replay(struct replaying *replaying, struct sct_strategy *strategy) {
    struct session *session = replaying->session;
    struct sct_plan plan = {0};
    sct_plan_record(session->engine, &session->program, strategy, 0, &plan);
    bool shows_progress = session_shows_progress(session);
    const struct explaining explaining = {
        .engine = session->engine,
        .program = &session->program,
        .what = &session->run.what,
        .plan = &plan,
        .limits = {.seconds_max = minimize_seconds_max,
                   .interrupted = &process_interrupted,
                   .progress = shows_progress ? explain_show_progress : NULL},
    };
    process_catch_interrupts();
    explain(&explaining, &replaying->explanation);
    if (shows_progress)
        explain_clear_progress();
    replaying->report.explanation = &replaying->explanation;
    sct_plan_free(&plan);
}

// --minimize and --explain; the former ends in an explanation too.
static void make_plain(struct replaying *replaying) {
    struct session *session = replaying->session;
    const struct options *options = session->options;
    struct sct_replay replay;
    sct_replay_init(&replay, replaying->execution);
    if (options->minimize && replaying->execution->outcome == SCT_VIOLATED) {
        process_catch_interrupts();
        if (session_minimize(session, &replay.base, replaying->execution, options->replay,
                             &replaying->minimized))
            replaying->report.minimized = &replaying->minimized;
    } else if (options->explain) {
        explain_replay(replaying, &replay.base);
    }
}

// What the options ask for about the replayed execution: files, and the details of the text report.
// False if something could not be written.
static bool inspect_replay(struct replaying *replaying) {
    struct session *session = replaying->session;
    const struct options *options = session->options;
    struct inspection *inspection = &replaying->inspection;
    bool is_failing = replaying->execution->outcome == SCT_VIOLATED;
    bool is_told = options->format != FORMAT_JSON && !options->quiet && is_failing;
    if (!(is_told || inspect_is_asked_for(options)))
        return true;
    *inspection = session_inspection(session, options->replay);
    inspection->run.explanation = replaying->explanation.lines;
    inspection->run.explanation_count = replaying->explanation.count;
    const struct minimized *minimized = replaying->report.minimized;
    if (minimized)
        session_inspect_minimized(inspection, minimized);
    bool is_done = inspect_trace(inspection, minimized ? &minimized->trace : replaying->execution);
    replaying->report.look = inspect_look(options, session_uses_color(options));
    replaying->report.look.shows_all = false; // the narration has told all
    replaying->report.story = is_told && inspection->has_story ? &inspection->story : NULL;
    return is_done;
}

static bool listen_to_replay(struct session *session, const struct sct_trace *trace,
                             struct error *error) {
    const struct options *options = session->options;
    FILE *out = options->verbose ? session_narration(session) : NULL;
    if (options_have(options, OPTION_BREAK_AT))
        return break_at(session->engine, trace, options->break_at, out, error);
    if (out)
        sct_engine_narrate(session->engine, session_narrate, out);
    return true;
}

static int report_replay(const struct replaying *replaying, bool is_inspected) {
    const struct options *options = replaying->session->options;
    const struct replay_report *report = &replaying->report;
    if (options->format == FORMAT_JSON)
        report_replay_json(stdout, report);
    else if (!options->quiet)
        report_replay_text(stdout, report);
    if (report->minimized && report->minimized->minimum.was_interrupted)
        return EXIT_INTERRUPTED;
    if (!report->is_confirmed)
        return EXIT_NO_VERDICT;
    if (replaying->execution->outcome == SCT_VIOLATED)
        return EXIT_VIOLATION;
    return is_inspected ? EXIT_CLEAN : EXIT_TOOL_FAILED;
}

static void conclude(struct replaying *replaying) {
    const struct options *options = replaying->session->options;
    const struct subject_test *test = replaying->session->run.what.test;
    bool is_failing =
        replaying->report.is_confirmed && replaying->execution->outcome == SCT_VIOLATED;
    if (!test->conclude || !is_failing || !(options->explain || options->minimize))
        return;
    replaying->report.conclusion = test->conclude(&(struct subject_end){
        .engine = replaying->session->engine,
        .kind = replaying->execution->kind,
        .is_told = options->format == FORMAT_TEXT && !options->quiet,
        .explains = true,
    });
}

static int replay_trace(struct session *session, const struct sct_trace *trace) {
    struct error difference = {{0}};
    struct replaying replaying = {
        .session = session,
        .recording = trace,
        .execution = trace,
        .report = {.call = session->command->call,
                   .trace = trace,
                   .execution = trace,
                   .difference = difference.text},
    };
    if (!listen_to_replay(session, trace, &difference))
        return status_usage(&difference);
    if (session->options->tolerant)
        run_tolerantly(&replaying, &difference);
    else
        run_strictly(&replaying, &difference);
    sct_engine_listen(session->engine, NULL, NULL);
    bool is_inspected = true;
    if (replaying.report.is_confirmed) {
        make_plain(&replaying);
        is_inspected = inspect_replay(&replaying);
    }
    conclude(&replaying);
    int status = report_replay(&replaying, is_inspected);
    inspect_end(&replaying.inspection);
    explanation_free(&replaying.explanation);
    minimized_free(&replaying.minimized);
    sct_trace_free(&replaying.left);
    return status;
}

// A trace of another build of the program would be replayed against other code.
static bool check_binding(const struct subject *subject, const struct sct_trace *trace,
                          struct error *error) {
    char binding[sizeof trace->binding];
    snprintf(binding, sizeof binding, "%s", subject->binding ? subject->binding : "");
    return strcmp(binding, trace->binding) == 0 ||
           error_set(error, "expected one of %s (%.80s), found one of (%.80s)", subject->name,
                     binding, trace->binding);
}

// ---- Of executions that end the process ---------------------------------------------------------

struct deadly {
    struct session session; // first: what the witness hands on
    const struct sct_trace *trace;
};

static int run_deadly(void *context) {
    struct deadly *deadly = context;
    session_open_engine(&deadly->session, deadly->trace->steps_max);
    return replay_trace(&deadly->session, deadly->trace);
}

// The witness has seen it end, and has made it do so again.
static int report_deadly(void *context, const struct sct_death *death) {
    struct deadly *deadly = context;
    const struct sct_trace *trace = deadly->trace;
    if (!death->trace) {
        complain("%s", death->difference->text);
        return EXIT_TOOL_FAILED;
    }
    struct error difference = *death->difference;
    // The same decisions and the same words: a death elsewhere is another one.
    bool is_same = death->is_reproduced && death->trace->fingerprint == trace->fingerprint &&
                   strcmp(death->trace->message, trace->message) == 0;
    if (!is_same && death->is_reproduced)
        error_set(&difference, "decision %" PRIu32 " of %" PRIu32 ": %.200s",
                  death->trace->decision_count, trace->decision_count, death->trace->message);
    struct replaying replaying = {
        .session = &deadly->session,
        .execution = trace,
        .report = {.call = deadly->session.command->call,
                   .trace = trace,
                   .execution = trace,
                   .is_confirmed = is_same,
                   .difference = difference.text},
    };
    return status_flush(report_replay(&replaying, true));
}

// A sanitizer reports once in a process, and ends it the second time: when what it has found is run
// again to tell of it. A debugger has its process to itself.
// Such a replay is run under a witness, in a process that may end.
static bool may_end_process(const struct sct_trace *trace, const struct options *options) {
    bool is_reported_once = ARENA_POISONS && strcmp(trace->kind, SCT_KIND_CRASH) == 0 &&
                            !options_have(options, OPTION_BREAK_AT);
    return is_reported_once || strcmp(trace->kind, SCT_KIND_PROCESS_END) == 0;
}

int replay_command(const struct command *command, const struct options *options) {
    struct sct_trace trace;
    struct deadly deadly = {.session = {.command = command, .options = options}, .trace = &trace};
    struct session *session = &deadly.session;
    struct error error, inner;
    if (!sct_trace_read(options->replay, &trace, &error)) {
        sct_trace_free(&trace);
        return status_usage(&error);
    }
    const char *variant = strcmp(trace.bug, "none") == 0 ? NULL : trace.bug;
    if (!session_choose_test(session, trace.model, trace.test, &inner) ||
        !check_binding(session->run.what.subject, &trace, &inner) ||
        !session_check_isolation(session, &inner) ||
        !session_choose_variant(session, variant, &inner)) {
        session_end(session);
        sct_trace_free(&trace);
        error_set(&error, "trace '%.200s': %.250s", options->replay, inner.text);
        return status_usage(&error);
    }
    int status = may_end_process(&trace, options)
                     ? session_run_watched(session, trace.steps_max, run_deadly, report_deadly)
                     : run_deadly(&deadly);
    session_end(session);
    sct_trace_free(&trace);
    return status_flush(status);
}
