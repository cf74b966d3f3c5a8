#define _GNU_SOURCE // strdup
#include "harness/cli/session.h"
#include "harness/cli/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool session_uses_color(const struct options *options) {
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && isatty(STDOUT_FILENO);
}

bool session_choose_scenario(struct session *session, const char *model, const char *test,
                             struct error *error) {
    session->run.model = model_find(model);
    if (!session->run.model)
        return error_set(error, "unknown model '%.200s' (see --list models)", model);
    test = test ? test : session->run.model->default_test;
    session->run.scenario = scenario_find(session->run.model, test);
    if (!session->run.scenario)
        return error_set(error, "unknown test '%.200s' of model %s (see --list tests)", test,
                         session->run.model->name);
    session->program = scenario_program(session->run.scenario, &session->uncounted_bugs);
    return true;
}

bool session_choose_bug(struct session *session, const char *text, struct error *error) {
    enum bug bug;
    if (!text)
        return true;
    if (!bug_are_built_in())
        return error_set(error, "bug '%.200s': this mtcheck was built without optional bugs", text);
    if (!bug_find(session->run.model->bugs, text, &bug))
        return error_set(error, "unknown bug '%.200s' of model %s (see --list bugs)", text,
                         session->run.model->name);
    bug_set_inject(&session->bugs, bug);
    bug_set_inject(&session->uncounted_bugs, bug);
    session->run.bug = bug_info(bug);
    return true;
}

void session_open_engine(struct session *session, uint32_t steps_max) {
    session->steps_max = steps_max ? steps_max : session->run.model->steps_max;
    session->engine = sct_engine_open(&(struct sct_engine_options){
        .steps_max = session->steps_max,
        // With a smaller --max-steps proper executions may fill the tail: no verdict then.
        .livelock_points = session->run.model->steps_max / 2,
        .catch_signals = true,
    });
}

FILE *session_narration(const struct session *session) {
    return session->options->format == FORMAT_JSON ? stderr : stdout;
}

void session_narrate(void *context, uint32_t decision, const char *machine, const char *line) {
    fprintf(context, "%5" PRIu32 "  %-10s %s\n", decision, machine, line);
}

void session_parse(const char *text, struct sct_trace *trace) {
    struct error error;
    char *copy = strdup(text);
    if (!copy)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: a trace");
    bool is_good = sct_trace_parse(copy, strlen(copy), trace, &error);
    ASSERT(is_good);
}

struct inspection session_inspection(struct session *session, const char *trace_path) {
    return (struct inspection){
        .options = session->options,
        .run = {.model = session->run.model,
                .scenario = session->run.scenario,
                .bug = session->run.bug,
                .trace_path = trace_path,
                .command = inspect_command_name()},
        .engine = session->engine,
        .program = &session->program,
        .bugs = &session->uncounted_bugs,
    };
}

void session_inspect_minimized(struct inspection *inspection, const struct minimized *minimized) {
    inspection->run.original_path = inspection->run.trace_path;
    inspection->run.trace_path = minimized->path;
    inspection->run.is_minimized = true;
    inspection->run.explanation = minimized->explanation.lines;
    inspection->run.explanation_count = minimized->explanation.count;
}

bool session_minimize(struct session *session, struct sct_strategy *start,
                      const struct sct_trace *header, const char *path,
                      struct minimized *minimized) {
    const struct options *options = session->options;
    return minimize_trace(
        &(struct minimize_job){
            .engine = session->engine,
            .program = &session->program,
            .scenario = session->run.scenario,
            .start = start,
            .header = header,
            .path = path,
            .interrupted = &process_interrupted,
            .shows_progress = !options->quiet && isatty(STDERR_FILENO),
        },
        minimized);
}
