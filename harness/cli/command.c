#include "harness/cli/command.h"
#include "core/jobs/checkpoint_lock.h"
#include "harness/cli/campaign.h"
#include "harness/cli/history.h"
#include "harness/cli/mpi.h"
#include "harness/cli/process.h"
#include "harness/cli/replay.h"
#include "harness/cli/list.h"
#include "harness/cli/resume.h"
#include "harness/cli/status.h"
#include "harness/cli/version.h"
#include "harness/report/json.h"

#include <stdio.h>

static int list_command(const struct command *command, const struct options *options) {
    struct error error;
    const struct subject *subject =
        options->model ? subject_find(command->subjects, options->model) : command->subjects[0];
    if (!subject) {
        error_set(&error, "unknown model '%.200s' (see --list models)", options->model);
        return status_usage(&error);
    }
    list_print(stdout, options, command->subjects, subject);
    return status_flush(EXIT_CLEAN);
}

static int history_command(const struct options *options) {
    static const int statuses[] = {
        [LIN_LINEARIZABLE] = EXIT_CLEAN,
        [LIN_NOT_LINEARIZABLE] = EXIT_VIOLATION,
        [LIN_UNKNOWN] = EXIT_NO_VERDICT,
    };
    struct error error;
    enum lin_verdict verdict;
    if (!history_check(stdout, options, &verdict, &error))
        return status_usage(&error);
    return status_flush(statuses[verdict]);
}

static int help_command(const struct command *command) {
    printf("Usage: %s [OPTION]...\n%s\n", command->call.command, command->help);
    options_print_help(stdout, command->front);
    if (command->print_options)
        command->print_options(stdout);
    fputs("\n"
          "Exit status: 0 no violation; 1 violation found or reproduced; 2 usage or damaged file;\n"
          "3 the tool failed; 4 no verdict: a replay did not reproduce its trace, a check or a\n"
          "search reached its limit, or required coverage was not reached; 130 interrupted.\n",
          stdout);
    return status_flush(EXIT_CLEAN);
}

// Campaigns, which a checkpoint may define. Its lock is taken before it is read: what somebody else
// adds meanwhile would be missing here and written over.
static int run_campaign(const struct command *command, char **argv, const struct options *given) {
    struct options options = *given;
    struct sct_checkpoint checkpoint = {0};
    struct sct_checkpoint_lock lock = {.file = -1};
    struct error error;
    const char *path = given->resume ? given->resume : given->checkpoint;
    bool is_ready = !path || mpi_is_worker() || sct_checkpoint_lock(&lock, path, &error);
    is_ready =
        is_ready && (!given->resume || resume_open(command, argv, &checkpoint, &options, &error));
    int status = EXIT_USAGE;
    if (is_ready) {
        status = campaign_command(command, &options, &checkpoint);
    } else {
        // The other processes wait for the word of this one.
        mpi_agree(false);
        status_usage(&error);
    }
    sct_checkpoint_close(&checkpoint);
    sct_checkpoint_unlock(&lock);
    return status;
}

static int run(const struct command *command, int argc, char **argv) {
    struct options options;
    struct error error;
    json_allocates_or_fails();
    mpi_begin(&argc, &argv);
    process_watch_failures();
    if (!options_parse(command->front, argv, NULL, &options, &error))
        return status_usage(&error);
    bool is_campaign = !options.help && !options.version && !options.list &&
                       !options.check_history && !options.replay &&
                       !options_have(&options, OPTION_ONLY_ITERATION);
    if (mpi_is_worker() && !is_campaign)
        return EXIT_CLEAN;
    if (options.help)
        return help_command(command);
    if (options.version) {
        printf("%s\n", version_line);
        return status_flush(EXIT_CLEAN);
    }
    if (options.list)
        return list_command(command, &options);
    if (options.check_history)
        return history_command(&options);
    return options.replay ? replay_command(command, &options)
                          : run_campaign(command, argv, &options);
}

int command_run(const struct command *command, int argc, char **argv) {
    // Not inlined: what it keeps on the stack wants the room that is asked for here.
    // [volatile] keeps the compiler from seeing which function it is.
    int (*volatile run_with_room)(const struct command *, int, char **) = run;
    struct error error;
    ASSERT(command->subjects[0]);
    ASSERT(command->front == FRONT_MODELS || !command->subjects[1]); // --model chooses
    status_begin(command->name);
    process_open_streams();
    if (process_has_stack(&error))
        return run_with_room(command, argc, argv);
    complain("%s", error.text);
    return EXIT_TOOL_FAILED;
}
