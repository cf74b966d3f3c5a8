#define _GNU_SOURCE // getopt_long, sigaction
#include "core/run/runner.h"
#include "core/campaign/campaign.h"
#include "core/trace/minimize.h"
#include "core/trace/replay.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_VIOLATION = 1,
    EXIT_USAGE = 2,
    EXIT_TOOL_FAILED = 3,
    EXIT_NOT_REPRODUCED = 4,
    EXIT_INTERRUPTED = 130,
};

enum { REPEAT_EVERY = 1000, DEFAULT_STEPS = 10000, PATH_BYTES = 4096, MINIMIZE_SECONDS = 30 };

// One call of sct_run.
struct session {
    const struct sct_suite *suite;
    const char *command;
    // The options.
    const char *test_name, *strategy_spec, *trace_path, *replay_path, *list;
    uint64_t iterations, seed, only_iteration, steps_max;
    bool has_only_iteration, keeps_going, is_verbose, minimizes, helps;
    // What runs.
    const struct sct_test *test;
    struct sct_engine *engine;
    struct sct_strategy *strategy;
    uint32_t traces_written;
    // The first violation's, to be minimised; the text is owned. An empty path: it has no file.
    char *first_trace;
    char first_path[PATH_BYTES];
};

static const char *suite_name; // for on_failure

// Failures outside an execution: the tool's own.
static void on_failure(enum fail_kind kind, const char *where, const char *message) {
    const char *what = kind == FAIL_RESOURCE ? "" : "internal error: ";
    fprintf(stderr, "%s: %s%s (%s)\n", suite_name, what, message, where);
    _exit(EXIT_TOOL_FAILED);
}

// A system under test that calls exit() must not end the run with a status of its own.
static void on_exit_call(void) {
    if (!sct_engine_inside())
        return;
    fprintf(stderr, "%s: the system under test called exit()\n", suite_name);
    _exit(EXIT_TOOL_FAILED);
}

static volatile sig_atomic_t interrupted;

// The second one ends the process: the default action is back.
static void on_interrupt(int number) {
    interrupted = 1;
    signal(number, SIG_DFL);
}

// ---- Options -----------------------------------------------------------------------------------

enum option_id {
    OPTION_TEST = 256,
    OPTION_STRATEGY,
    OPTION_MAX_STEPS,
    OPTION_KEEP_GOING,
    OPTION_ONLY_ITERATION,
    OPTION_TRACE,
    OPTION_REPLAY,
    OPTION_MINIMIZE,
    OPTION_LIST
};

static const struct option options[] = {
    {"test", required_argument, NULL, OPTION_TEST},
    {"iterations", required_argument, NULL, 'i'},
    {"seed", required_argument, NULL, 's'},
    {"strategy", required_argument, NULL, OPTION_STRATEGY},
    {"max-steps", required_argument, NULL, OPTION_MAX_STEPS},
    {"keep-going", no_argument, NULL, OPTION_KEEP_GOING},
    {"only-iteration", required_argument, NULL, OPTION_ONLY_ITERATION},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"replay", required_argument, NULL, OPTION_REPLAY},
    {"minimize", no_argument, NULL, OPTION_MINIMIZE},
    {"verbose", no_argument, NULL, 'v'},
    {"list", required_argument, NULL, OPTION_LIST},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "      --test NAME         which test (default: the first of --list tests)\n"
    "  -i, --iterations N      executions to try, or 'unlimited' (default 100000)\n"
    "  -s, --seed S            seed of the campaign (default 1)\n"
    "      --strategy SPEC     how the schedule is chosen (default portfolio)\n"
    "      --max-steps N       scheduling points after which an execution is cut off\n"
    "      --keep-going        do not stop at the first violation; group them\n"
    "      --only-iteration I  run iteration I alone\n"
    "      --trace FILE        where the trace of the first violation goes\n"
    "                          (default SUITE-TEST-SEED-ITERATION.trace)\n"
    "      --replay FILE       run exactly that trace\n"
    "      --minimize          shrink the first failing trace, or that of --replay, while it\n"
    "                          fails the same way: to FILE.min\n"
    "  -v, --verbose           narrate (with --replay and --only-iteration)\n"
    "      --list WHAT         tests or strategies\n"
    "  -h, --help              this text\n";

static bool parse_number(const char *name, const char *text, uint64_t min, uint64_t max,
                         uint64_t *number, struct error *error) {
    bool is_number = *text && strspn(text, "0123456789") == strlen(text);
    errno = 0;
    *number = is_number ? strtoull(text, NULL, 10) : 0;
    if (is_number && errno == 0 && *number >= min && *number <= max)
        return true;
    return error_set(
        error, "option --%s: expected a number from %" PRIu64 " to %" PRIu64 ", found '%.200s'",
        name, min, max, text);
}

static bool set_option(struct session *session, int id, const char *value, struct error *error) {
    switch (id) {
    case OPTION_TEST:
        session->test_name = value;
        return true;
    case 'i':
        session->iterations = SCT_UNLIMITED;
        return strcmp(value, "unlimited") == 0 ||
               parse_number("iterations", value, 0, INT64_MAX, &session->iterations, error);
    case 's':
        return parse_number("seed", value, 0, UINT64_MAX, &session->seed, error);
    case OPTION_STRATEGY:
        session->strategy_spec = value;
        return true;
    case OPTION_MAX_STEPS:
        return parse_number("max-steps", value, 1, SCT_STEPS_LIMIT, &session->steps_max, error);
    case OPTION_KEEP_GOING:
        session->keeps_going = true;
        return true;
    case OPTION_ONLY_ITERATION:
        session->has_only_iteration = true;
        return parse_number("only-iteration", value, 0, INT64_MAX, &session->only_iteration, error);
    case OPTION_TRACE:
        session->trace_path = value;
        return true;
    case OPTION_REPLAY:
        session->replay_path = value;
        return true;
    case OPTION_MINIMIZE:
        session->minimizes = true;
        return true;
    case 'v':
        session->is_verbose = true;
        return true;
    case OPTION_LIST:
        session->list = value;
        return strcmp(value, "tests") == 0 || strcmp(value, "strategies") == 0 ||
               error_set(error, "option --list: expected 'tests' or 'strategies', found '%.200s'",
                         value);
    case 'h':
        session->helps = true;
        return true;
    default:
        return false;
    }
}

static bool parse_options(struct session *session, int argc, char **argv, struct error *error) {
    int id;
    opterr = 0;
    optind = 1;
    while ((id = getopt_long(argc, argv, "i:s:vh", options, NULL)) != -1)
        if (id == '?')
            return error_set(error, "option '%.200s': unknown, or not well formed (see --help)",
                             argv[optind - 1]);
        else if (!set_option(session, id, optarg, error))
            return false;
    return optind == argc ||
           error_set(error, "unexpected argument '%.200s' (see --help)", argv[optind]);
}

// The test called [name], or the first.
static bool choose_test(struct session *session, const char *name, struct error *error) {
    const struct sct_suite *suite = session->suite;
    session->test = name ? NULL : &suite->tests[0];
    for (size_t i = 0; i < suite->test_count && !session->test; i++)
        if (strcmp(suite->tests[i].name, name) == 0)
            session->test = &suite->tests[i];
    return session->test || error_set(error, "unknown test '%.200s' (see --list tests)", name);
}

// ---- Traces ------------------------------------------------------------------------------------

static struct sct_trace describe_trace(const struct session *session, uint64_t iteration) {
    const struct sct_strategy *strategy = sct_strategy_for(session->strategy, iteration);
    struct sct_trace trace = {
        .bug = "none",
        .steps_max = (uint32_t)session->steps_max,
        .calibration = strategy->calibration,
        .seed = session->seed,
        .iteration = iteration,
    };
    snprintf(trace.model, sizeof trace.model, "%s", session->suite->name);
    snprintf(trace.test, sizeof trace.test, "%s", session->test->name);
    struct text text = text_in(trace.strategy, sizeof trace.strategy);
    sct_strategy_format(strategy, &text);
    return trace;
}

static void choose_path(const struct session *session, uint64_t iteration, char *path) {
    struct text text = text_in(path, PATH_BYTES);
    if (session->trace_path && session->traces_written == 0)
        text_add(&text, "%s", session->trace_path);
    else if (session->trace_path)
        text_add(&text, "%s.%u", session->trace_path, session->traces_written + 1);
    else
        text_add(&text, "%s-%s-%" PRIu64 "-%" PRIu64 ".trace", session->suite->name,
                 session->test->name, session->seed, iteration);
}

static void tell_trace(const struct session *session, const char *path, uint32_t decision_count) {
    printf("  trace       %s (%" PRIu32 " decisions)\n"
           "  replay      %s --replay %s --verbose\n",
           path, decision_count, session->command, path);
}

// Writes the engine's last run under the header of [trace], whose decisions it does not look at.
// The text; freed by the caller. If it cannot be written it goes to standard error.
static char *write_last_run(const struct session *session, const struct sct_trace *header,
                            const char *path) {
    const struct sct_result *result = sct_engine_last_result(session->engine);
    struct sct_trace trace = *header;
    struct error error = {"its original has no file"};
    trace.storage = NULL;
    sct_trace_capture(&trace, session->engine, result);
    char *text = sct_trace_format(&trace);
    if (*path && sct_trace_write(path, text, &error))
        tell_trace(session, path, result->decision_count);
    else
        fprintf(stderr, "%s: %s; here it is:\n%s", suite_name, error.text, text);
    sct_trace_free(&trace);
    return text;
}

// Writes the trace before anything else is done with it.
static void save_trace(struct session *session, uint64_t iteration) {
    struct sct_trace header = describe_trace(session, iteration);
    char path[PATH_BYTES];
    choose_path(session, iteration, path);
    char *text = write_last_run(session, &header, path);
    if (session->traces_written++ > 0) {
        free(text);
        return;
    }
    session->first_trace = text;
    struct text first_path = text_in(session->first_path, sizeof session->first_path);
    text_add(&first_path, "%s", path);
}

static void on_violation(void *context, uint64_t iteration, const struct sct_result *result) {
    struct session *session = context;
    char buffer[SCT_TRACE_NAME_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    sct_strategy_format(sct_strategy_for(session->strategy, iteration), &text);
    printf("%s/%s: %s in %s\n  what        %s\n  found       iteration %" PRIu64 ", seed %" PRIu64
           ", strategy %s\n",
           session->suite->name, session->test->name, result->violation.kind,
           result->violation.machine, result->violation.message, iteration, session->seed, buffer);
    if (*result->violation.remark)
        printf("  remark      %s\n", result->violation.remark);
    save_trace(session, iteration);
    fflush(stdout);
}

// ---- Minimising --------------------------------------------------------------------------------

// The original's name and ".min"; a pipe or device takes both.
static void choose_small_path(const char *original, char *path) {
    struct stat status;
    bool is_special = stat(original, &status) == 0 && !S_ISREG(status.st_mode);
    struct text text = text_in(path, PATH_BYTES);
    text_add(&text, "%s%s", original, is_special ? "" : ".min");
}

static void tell_minimum(const struct sct_minimum *minimum) {
    const struct sct_measures *before = &minimum->before, *now = &minimum->now;
    printf("minimized in %" PRIu64 " tries%s\n", minimum->tries,
           minimum->was_interrupted ? " (interrupted: the best so far)"
           : minimum->reached_limit ? " (the limit: perhaps not the minimum)"
                                    : "");
    if (before->operations > 0)
        printf("  operations  %" PRIu32 ", before %" PRIu32 "\n", now->operations,
               before->operations);
    printf("  preemptions %" PRIu32 ", before %" PRIu32 "\n", now->preemptions,
           before->preemptions);
    printf("  deviations  %" PRIu32 ", before %" PRIu32 " (answers that are not the default)\n",
           now->deviations, before->deviations);
}

// Shrinks the failure that [trace], at [original], is of. False if it was interrupted.
static bool minimize(const struct session *session, const struct sct_trace *trace,
                     const char *original) {
    struct sct_plan plan = {0};
    struct sct_minimum minimum = {.tries = 0};
    struct sct_replay replay;
    char path[PATH_BYTES];
    sct_replay_init(&replay, trace);
    const struct sct_minimize_options minimize_options = {
        .program = &session->test->program,
        .start = &replay.base,
        .seed = trace->seed,
        .seconds_max = MINIMIZE_SECONDS,
        .interrupted = &interrupted,
    };
    if (sct_minimize(session->engine, &minimize_options, &plan, &minimum)) {
        tell_minimum(&minimum);
        choose_small_path(original, path);
        free(write_last_run(session, trace, *original ? path : ""));
    }
    sct_plan_free(&plan);
    return !minimum.was_interrupted;
}

// --minimize after a campaign.
static bool minimize_first(struct session *session) {
    struct sct_trace trace;
    struct error error;
    char *text = session->first_trace; // taken over by the trace
    session->first_trace = NULL;
    bool is_good = sct_trace_parse(text, strlen(text), &trace, &error);
    ASSERT(is_good);
    bool is_whole = minimize(session, &trace, session->first_path);
    sct_trace_free(&trace);
    return is_whole;
}

// ---- Campaigns and replays ---------------------------------------------------------------------

static void narrate(void *context, uint32_t decision, const char *machine, const char *line) {
    fprintf(context, "%5" PRIu32 "  %-12s %s\n", decision, machine, line);
}

static uint32_t usual_steps(const struct sct_test *test) {
    return test->steps_max ? test->steps_max : DEFAULT_STEPS;
}

static void open_engine(struct session *session) {
    session->engine = sct_engine_open(&(struct sct_engine_options){
        .steps_max = (uint32_t)session->steps_max,
        .livelock_points = usual_steps(session->test) / 2, // half are the fair tail
        .catch_signals = true,
    });
}

static int report_campaign(const struct session *session, const struct sct_campaign *campaign) {
    if (campaign->unrepeatable.is_found) {
        fprintf(stderr, "%s: iteration %" PRIu64 " did not repeat: %s\n", suite_name,
                campaign->unrepeatable.iteration, campaign->unrepeatable.difference.text);
        return EXIT_TOOL_FAILED;
    }
    printf("%s/%s: %s in %" PRIu64 " executions (%" PRIu64 " different) and %.1f s\n",
           session->suite->name, session->test->name,
           campaign->violations > 0 ? "violated" : "no violation", campaign->iterations_run,
           campaign->distinct_behaviours, campaign->elapsed_seconds);
    if (campaign->step_limit_hits > 0)
        printf("  cut off     %" PRIu64 " executions, after %" PRIu64 " scheduling points\n",
               campaign->step_limit_hits, session->steps_max);
    if (campaign->checks_unknown > 0)
        printf("  unknown     %" PRIu64 " checks reached a limit and have no verdict\n",
               campaign->checks_unknown);
    for (const struct sct_group *group = campaign->groups; group && session->keeps_going;
         group = group->next)
        printf("  group       %" PRIu64 " times: %s: %s\n", group->count, group->violation.kind,
               group->violation.message);
    if (campaign->violations == 0 && campaign->iterations_run > 0)
        printf("  excluded    a failure rate above %.3g, at 95 %%\n", campaign->rate.high95);
    if (campaign->was_interrupted)
        return EXIT_INTERRUPTED;
    return campaign->violations > 0 ? EXIT_VIOLATION : EXIT_CLEAN;
}

static int run_campaign(struct session *session) {
    char name[256];
    struct text text = text_in(name, sizeof name);
    text_add(&text, "%s/%s", session->suite->name, session->test->name);
    sct_calibrate(session->engine, &session->test->program, name, session->strategy, session->seed);
    if (session->has_only_iteration && session->is_verbose)
        sct_engine_narrate(session->engine, narrate, stdout);
    struct sct_campaign campaign;
    sct_campaign_run(session->engine,
                     &(struct sct_campaign_options){
                         .program = &session->test->program,
                         .strategy = session->strategy,
                         .seed = session->seed,
                         .first_iteration = session->only_iteration,
                         .iterations = session->has_only_iteration ? 1 : session->iterations,
                         .keep_going = session->keeps_going,
                         .repeat_every = session->has_only_iteration ? 0 : REPEAT_EVERY,
                         .interrupted = &interrupted,
                         .on_violation = on_violation,
                         .context = session,
                     },
                     &campaign);
    sct_engine_narrate(session->engine, NULL, NULL);
    bool is_whole = true;
    if (session->minimizes && session->first_trace && !campaign.unrepeatable.is_found)
        is_whole = minimize_first(session);
    int status = report_campaign(session, &campaign);
    sct_campaign_free(&campaign);
    free(session->first_trace);
    return is_whole || status != EXIT_VIOLATION ? status : EXIT_INTERRUPTED;
}

static int campaign_command(struct session *session) {
    struct error error;
    session->strategy = sct_strategy_new(session->strategy_spec, &error);
    if (!session->strategy) {
        fprintf(stderr, "%s: %s\n", suite_name, error.text);
        return EXIT_USAGE;
    }
    open_engine(session);
    int status = run_campaign(session);
    sct_engine_close(session->engine);
    sct_strategy_free(session->strategy);
    return status;
}

static int report_replay(const struct sct_replay *replay, const struct sct_result *result) {
    const struct sct_trace *trace = replay->trace;
    struct error difference;
    if (!sct_replay_confirms(replay, result, &difference)) {
        printf("not reproduced: %s\n", difference.text);
        return EXIT_NOT_REPRODUCED;
    }
    if (trace->outcome != SCT_VIOLATED) {
        printf("reproduced: ended as recorded after %" PRIu32 " decisions\n",
               trace->decision_count);
        return EXIT_CLEAN;
    }
    printf("reproduced: %s in %s after %" PRIu32 " decisions\n  what        %s\n", trace->kind,
           trace->machine, trace->decision_count, trace->message);
    return EXIT_VIOLATION;
}

static int replay_trace(struct session *session, const struct sct_trace *trace) {
    session->steps_max = trace->steps_max;
    open_engine(session);
    if (session->is_verbose)
        sct_engine_narrate(session->engine, narrate, stdout);
    struct sct_replay replay;
    sct_replay_init(&replay, trace);
    const struct sct_result *result =
        sct_engine_run(session->engine, &session->test->program, &replay.base, 0);
    int status = report_replay(&replay, result);
    sct_engine_narrate(session->engine, NULL, NULL);
    if (session->minimizes && status == EXIT_VIOLATION &&
        !minimize(session, trace, session->replay_path))
        status = EXIT_INTERRUPTED;
    sct_engine_close(session->engine);
    return status;
}

static int replay_command(struct session *session) {
    struct sct_trace trace;
    struct error error;
    bool good =
        sct_trace_read(session->replay_path, &trace, &error) &&
        (strcmp(trace.model, session->suite->name) == 0 ||
         error_set(&error, "trace '%.200s': it is of %.96s", session->replay_path, trace.model)) &&
        choose_test(session, trace.test, &error);
    int status = EXIT_USAGE;
    if (good)
        status = replay_trace(session, &trace);
    else
        fprintf(stderr, "%s: %s\n", suite_name, error.text);
    sct_trace_free(&trace);
    return status;
}

// ---- The command -------------------------------------------------------------------------------

static int list_command(const struct session *session) {
    const struct sct_suite *suite = session->suite;
    bool of_tests = strcmp(session->list, "tests") == 0;
    for (size_t i = 0; of_tests && i < suite->test_count; i++)
        printf("%-24s %s\n", suite->tests[i].name,
               suite->tests[i].summary ? suite->tests[i].summary : "");
    for (size_t i = 0; !of_tests && sct_strategy_at(i); i++)
        printf("%-24s %s\n", sct_strategy_at(i)->name, sct_strategy_at(i)->summary);
    return EXIT_CLEAN;
}

static int help_command(const struct session *session) {
    printf("usage: %s [OPTION]...\n%s", session->command, help);
    return EXIT_CLEAN;
}

static int run_session(struct session *session) {
    if (session->helps)
        return help_command(session);
    if (session->list)
        return list_command(session);
    if (session->replay_path)
        return replay_command(session);
    if (session->steps_max == 0)
        session->steps_max = usual_steps(session->test);
    return campaign_command(session);
}

static void install_handlers(const struct sct_suite *suite) {
    static bool is_registered;
    suite_name = suite->name;
    fail_handler_set(on_failure);
    if (!is_registered)
        atexit(on_exit_call);
    is_registered = true;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int sct_run(int argc, char **argv, const struct sct_suite *suite) {
    ASSERT(suite->test_count >= 1);
    install_handlers(suite);
    struct session session = {
        .suite = suite,
        .command = argc > 0 ? argv[0] : suite->name,
        .strategy_spec = "portfolio",
        .iterations = 100000,
        .seed = 1,
    };
    struct error error;
    if (!parse_options(&session, argc, argv, &error) ||
        !choose_test(&session, session.test_name, &error)) {
        fprintf(stderr, "%s: %s\n", suite->name, error.text);
        return EXIT_USAGE;
    }
    int status = run_session(&session);
    if (fflush(stdout) == 0)
        return status;
    fprintf(stderr, "%s: cannot write the report: %s\n", suite->name, strerror(errno));
    return status == EXIT_CLEAN ? EXIT_TOOL_FAILED : status;
}
