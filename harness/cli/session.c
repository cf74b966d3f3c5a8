#define _GNU_SOURCE // isatty
#include "harness/cli/session.h"
#include "core/witness/probe.h"
#include "core/base/grow.h"
#include "core/jobs/process.h"
#include "harness/cli/process.h"
#include "harness/report/plain.h"
#include "harness/cli/version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool session_uses_color(const struct options *options) {
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    // As no-color.org has it: set and not empty.
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && isatty(STDOUT_FILENO);
}

static const char *kind_of_subject(const struct session *session) {
    return session->command->front == FRONT_MODELS ? "model " : "";
}

bool session_choose_test(struct session *session, const char *name, const char *test,
                         struct error *error) {
    struct subject_run *what = &session->run.what;
    const struct subject *const *subjects = session->command->subjects;
    what->subject = name ? subject_find(subjects, name) : subjects[0];
    if (!what->subject)
        return error_set(error, "unknown model '%.200s' (see --list models)", name);
    what->test = subject_test(what->subject, test);
    return what->test || error_set(error, "unknown test '%.200s' of %s%s (see --list tests)", test,
                                   kind_of_subject(session), what->subject->name);
}

bool session_choose_variant(struct session *session, const char *name, struct error *error) {
    struct subject_run *what = &session->run.what;
    ASSERT(what->test && !session->context);
    const struct subject_variants *variants = what->subject->variants;
    if (name && variants && !variants->are_built_in)
        return error_set(error, "bug '%.200s': this %s was built without optional bugs", name,
                         session->command->name);
    session->variant = name ? subject_variant(what->subject, name) : (struct variant){0};
    if (name && !session->variant.name)
        return error_set(error, "unknown bug '%.200s' of %s%s (see --list bugs)", name,
                         kind_of_subject(session), what->subject->name);
    what->variant = name ? &session->variant : NULL;
    session->context = variants ? variants->open(what->variant) : NULL;
    session->program = subject_program(what->subject, what->test, session->context);
    session->passing = session->context ? variants->passes(session->context) : NULL;
    if (name)
        what->passes = &session->passing[session->variant.index];
    session->variant_count = subject_variant_count(what->subject);
    session->passes = grow_new(session->variant_count + 1, sizeof(uint64_t), "counters");
    session->reached = grow_new(session->variant_count + 1, sizeof(uint64_t), "counters");
    session->run.reached = session->reached;
    session->run.commit = version_commit;
    return true;
}

static struct sct_engine_options engine_options(const struct session *session, uint32_t steps_max) {
    ASSERT(session->run.what.test);
    uint32_t usual = subject_steps(session->run.what.subject, session->run.what.test);
    return (struct sct_engine_options){
        .steps_max = steps_max ? steps_max : usual,
        .stack_bytes = session->program.stack_bytes,
        // With a smaller --max-steps proper executions may fill the tail: no verdict then.
        .livelock_points = usual / 2,
        .catch_signals = true,
    };
}

void session_open_engine(struct session *session, uint32_t steps_max) {
    ASSERT(!session->engine); // one at a time
    struct sct_engine_options options = engine_options(session, steps_max);
    session->steps_max = options.steps_max;
    session->engine = sct_engine_open(&options);
    sct_witness_watch(&session->witness, session->engine);
}

struct probing {
    const struct session *session;
    uint64_t *result;
};

static void probe(void *context) {
    const struct probing *probing = context;
    struct sct_engine_options options = engine_options(probing->session, 0);
    *probing->result = sct_probe(&probing->session->program, &options);
}

uint64_t session_probe(const struct session *session) {
    uint64_t result = 0, *shared = &result;
    if (session->run.what.test->is_isolated)
        shared = sct_map_shared(sizeof *shared);
    struct probing probing = {session, shared};
    // Isolated, the probe runs in a process that may end; what it found comes back in shared
    // memory.
    if (shared == &result) {
        probe(&probing);
        return result;
    }
    sct_process_run(probe, &probing);
    result = *shared;
    munmap(shared, sizeof *shared);
    return result;
}

bool session_check_isolation(const struct session *session, struct error *error) {
    const struct options *options = session->options;
    const char *option = options->minimize     ? "--minimize"
                         : options->explain    ? "--explain"
                         : options->tolerant   ? "--tolerant"
                         : options->checkpoint ? "--checkpoint"
                         : options->resume     ? "--resume"
                                               : NULL;
    ASSERT(session->run.what.test);
    return !session->run.what.test->is_isolated || !option ||
           error_set(error, "option %s: not of isolated executions, which share no process",
                     option);
}

int session_run_watched(struct session *session, uint32_t steps_max, int (*run)(void *session),
                        int (*on_death)(void *session, const struct sct_death *death)) {
    session->witness = (struct sct_witness){
        .program = &session->program,
        .engine = engine_options(session, steps_max),
    };
    return sct_witness_run(&session->witness, run, on_death, session);
}

void session_end(struct session *session) {
    if (session->engine)
        sct_engine_close(session->engine);
    free(session->context);
    free(session->passes);
    free(session->reached);
}

uint64_t session_iterations(const struct session *session) {
    bool is_limited = options_have(session->options, OPTION_ITERATIONS) || !session->strategy->path;
    return is_limited ? session->options->iterations : SCT_UNLIMITED;
}

FILE *session_narration(const struct session *session) {
    FILE *stream = session->options->format == FORMAT_JSON ? stderr : stdout;
    setvbuf(stream, NULL, _IOLBF, 0); // the execution may end the process
    return stream;
}

void session_narrate(void *context, uint32_t decision, const char *machine, const char *line) {
    fprintf(context, "%5" PRIu32 "  %-10s ", decision, machine);
    plain_put(context, line);
    fputc('\n', context);
}

struct inspection session_inspection(struct session *session, const char *trace_path) {
    return (struct inspection){
        .options = session->options,
        .run = {.what = session->run.what,
                .trace_path = trace_path,
                .call = session->command->call},
        .engine = session->engine,
        .program = &session->program,
    };
}

void session_inspect_minimized(struct inspection *inspection, const struct minimized *minimized) {
    inspection->run.original_path = inspection->run.trace_path;
    inspection->run.trace_path = minimized->path;
    inspection->run.is_minimized = true;
    inspection->run.explanation = minimized->explanation.lines;
    inspection->run.explanation_count = minimized->explanation.count;
}

bool session_shows_progress(const struct session *session) {
    return !session->options->quiet && isatty(STDERR_FILENO);
}

bool session_minimize(struct session *session, struct sct_strategy *start,
                      const struct sct_trace *header, const char *path,
                      struct minimized *minimized) {
    return minimize_trace(
        &(struct minimize_job){
            .engine = session->engine,
            .program = &session->program,
            .what = &session->run.what,
            .start = start,
            .header = header,
            .path = path,
            .interrupted = &process_interrupted,
            .shows_progress = session_shows_progress(session),
        },
        minimized);
}
