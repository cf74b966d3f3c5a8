#define _GNU_SOURCE // unsetenv
// Where a program that mtcheck-cc has built begins. In an ordinary run nothing is different; if
// `mtcheck run` has started it (launch.c), main is the program that is tested.
#include "core/posix/hook.h"

#include "core/jobs/checkpoint.h"
#include "core/posix/heap.h"
#include "core/posix/images.h"
#include "core/posix/races.h"
#include "core/trace/trace.h"
#include "harness/cli/command.h"
#include "harness/programs/conclude.h"
#include "harness/programs/launch.h"
#include "harness/programs/options.h"
#include "harness/programs/survey.h"
#include "harness/programs/view.h"
#include "harness/report/execution/symbols.h"
#include "harness/report/plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_TOOL_FAILED = 3 };

static posix_main *program_main;

// Before the program's constructors, whose work is part of its first state.
__attribute__((constructor)) static void prepare(void) {
    posix_images_find();
    posix_world.is_recording = getenv(LAUNCH_VARIABLE) != NULL;
    if (posix_world.is_recording)
        posix_heap_open();
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// As somebody would write it for a shell.
static void add_word(struct text *text, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=+,@%";
    if (*word && word[strspn(word, plain)] == '\0')
        text_add(text, "%s", word);
    else
        plain_add_word(text, word);
}

static const char help[] =
    "Runs a program again and again under a scheduler that controls its "
    "threads, checks each\nexecution, and keeps a trace of one that fails.\n";

enum { NAME_BYTES = 32 };

static void name_test(char name[NAME_BYTES]) {
    snprintf(name, NAME_BYTES, "main-%08" PRIx32, posix_world_identity());
}

// The options that a search has of its own, unless they are given; those of proofs last.
// The identity of a test covers the options: a trace of a search is of other ones than a random
// campaign's.
static void use_options_of(unsigned search, const struct program_command *command) {
    struct program_command other = *command;
    other.options.is_exact = command->options.is_exact || search > 1;
    if (search > 0)
        program_options_search(&other);
    posix_world.options = other.options;
}

// A search that goes on has the options of searches; the checkpoint says whether it is one. What is
// wrong with it is told by whoever goes on.
static void use_options_of_resumed(struct program_command *command) {
    const char *path = program_command_value(command, "resume");
    struct sct_checkpoint checkpoint;
    struct error error;
    if (!path || !sct_checkpoint_open(&checkpoint, path, &error))
        return;
    if (strstr(checkpoint.text, "\n--strategy=dfs"))
        program_options_search(command);
    sct_checkpoint_close(&checkpoint);
}

// A trace is of the build, arguments and options that it was made with. Of others it is refused
// with one line.
// Tried with the options as given, then with those of a search, then with those of a proof: so
// `--replay` needs no options that the trace implies.
static bool check_trace(const struct program_command *command, char test[NAME_BYTES],
                        struct error *error) {
    const char *path = program_command_value(command, "replay");
    struct sct_trace trace;
    if (!path)
        return true;
    if (!sct_trace_read(path, &trace, error))
        return false;
    bool is_mine = strcmp(trace.test, test) == 0;
    for (unsigned search = 1; search <= 2 && !is_mine; search++) {
        use_options_of(search, command);
        name_test(test);
        is_mine = strcmp(trace.test, test) == 0;
    }
    if (!is_mine)
        error_set(error,
                  "trace '%.200s': of another build, other arguments or other options (it is of "
                  "%s/%s, this is %s)",
                  path, trace.model, trace.test, test);
    sct_trace_free(&trace);
    return is_mine;
}

// What `mtcheck run` is about: one test, the program's main with these arguments.
static int run_command(const char *name, const char *path, struct program_command *command) {
    char test_name[NAME_BYTES];
    struct error error;
    name_test(test_name);
    if (!check_trace(command, test_name, &error)) {
        fprintf(stderr, "%s: %s\n", name, error.text);
        return 2;
    }
    const struct subject_test test = {
        .name = test_name,
        .program = posix_program(),
        .view = &program_view,
        .is_reducible = true,
        .is_isolated = command->isolates,
        .conclude = conclude,
    };
    const struct subject subject = {.name = name,
                                    .summary = "",
                                    .tests = (const struct subject_test *const[]){&test, NULL},
                                    .steps_max = POSIX_STEPS_MAX};
    char call[6000], arguments[6000] = "";
    struct text call_text = text_in(call, sizeof call);
    struct text argument_text = text_in(arguments, sizeof arguments);
    text_add(&call_text, "mtcheck run ");
    add_word(&call_text, path);
    text_add(&call_text, "%s", command->fixed.data);
    for (int i = 1; i < command->argc; i++) {
        text_add(&argument_text, i == 1 ? " -- " : " ");
        add_word(&argument_text, command->argv[i]);
    }
    conclude_begin(command, name);
    int status =
        command_run(&(struct command){.name = name,
                                      .call = {call, arguments},
                                      .subjects = (const struct subject *const[]){&subject, NULL},
                                      .front = FRONT_PROGRAM,
                                      .help = help,
                                      .print_options = program_options_print_help},
                    command->rest_count, command->rest);
    return conclude_status(status);
}

static bool is_among(const struct program_command *command, const char *const *words) {
    for (int i = 1; i < command->rest_count; i++)
        for (const char *const *word = words; *word; word++)
            if (strncmp(command->rest[i], *word, strlen(*word)) == 0)
                return true;
    return false;
}

// Below the report of a campaign, as text; whether there were races.
static bool tell_surveyed(const struct program_command *command) {
    static const char *const others[] = {"--help", "-h",       "--version", "-V",
                                         "--list", "--replay", NULL};
    static const char *const silent[] = {"--quiet", "-q", "--format", NULL};
    if (posix_survey_count() == 0 || is_among(command, others))
        return false;
    if (is_among(command, silent))
        return true;
    printf("%" PRIu32 " pair%s of places race%s in a survey of %d executions; they are scheduling "
           "points here\n(--races first stops at the first one, with a trace)\n",
           posix_survey_count(), posix_survey_count() == 1 ? "" : "s",
           posix_survey_count() == 1 ? "s" : "", SURVEY_EXECUTIONS);
    for (uint32_t i = 0; i < posix_survey_count(); i++)
        printf("  %2" PRIu32 "  %s\n", i + 1, posix_survey_at(i)->text);
    return true;
}

// What is the reason if executions do not repeat, and may be one even if they do.
static void tell_changed(const struct program_command *command, const char *name, int status) {
    static const char *const others[] = {"--help",  "-h", "--version", "-V", "--list",
                                         "--quiet", "-q", "--format",  NULL};
    char buffer[400];
    struct text text = text_in(buffer, sizeof buffer);
    bool is_failure = status == STATUS_TOOL_FAILED;
    if ((!is_failure && is_among(command, others)) || !posix_images_find_changed(&text))
        return;
    if (!is_failure)
        printf("executions change %s, which is not put back\n", buffer);
    else
        fprintf(stderr,
                "%s: executions change %s, which is not put back: build that with mtcheck-cc, or "
                "run with --isolate fork\n",
                name, buffer);
}

static int run_under_control(int argc, char **argv) {
    struct program_command command;
    struct error error;
    const char *name = base_name(argv[0]);
    if (!program_command_parse(argc, argv, &command, &error)) {
        fprintf(stderr, "%s: %s\n", name, error.text);
        return 2;
    }
    // A program that starts others must not have them take themselves for tested.
    unsetenv(LAUNCH_VARIABLE);
    use_options_of_resumed(&command);
    posix_world.options = command.options;
    posix_world.is_isolated = command.isolates;
    symbols_use(posix_call);
    if (command.suppressions && !posix_suppressions_read(command.suppressions, &error)) {
        fprintf(stderr, "%s: %s\n", name, error.text);
        return 2;
    }
    posix_world_open(program_main, command.argc, command.argv);
    if (command.options.races == POSIX_RACES_ALL)
        survey_races();
    int status = run_command(name, argv[0], &command);
    tell_changed(&command, name, status);
    return tell_surveyed(&command) && status == 0 ? 1 : status;
}

// The process ends here: what the program has registered for its end ran in its executions.
static int start(int argc, char **argv, char **environment) {
    if (!posix_world.is_recording)
        return program_main(argc, argv, environment);
    posix_enter_tool();
    int status = run_under_control(argc, argv);
    fflush(stdout);
    _exit(status);
}

int __libc_start_main(posix_main *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*unload)(void), void *stack_end);
HOOK int __libc_start_main(posix_main *main, int argc, char **argv, void (*init)(void),
                           void (*fini)(void), void (*unload)(void), void *stack_end) {
    program_main = main;
    return REAL(__libc_start_main)(start, argc, argv, init, fini, unload, stack_end);
}
