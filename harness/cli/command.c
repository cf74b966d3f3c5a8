#include "harness/cli/command.h"
#include "harness/cli/campaign.h"
#include "harness/cli/history.h"
#include "harness/cli/mpi.h"
#include "harness/cli/process.h"
#include "harness/cli/replay.h"
#include "harness/cli/report.h"
#include "harness/cli/status.h"
#include "harness/cli/version.h"

#include <stdio.h>

static int list_command(const struct options *options) {
    struct error error;
    const struct model *model = model_find(options->model);
    if (!model) {
        error_set(&error, "unknown model '%.200s' (see --list models)", options->model);
        return status_usage(&error);
    }
    report_list(stdout, options, model);
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

int command_main(int argc, char **argv) {
    struct options options;
    struct error error;
    mpi_begin(&argc, &argv);
    process_watch_failures();
    if (!options_parse(argc, argv, &options, &error))
        return status_usage(&error);
    bool is_campaign = !options.help && !options.version && !options.list &&
                       !options.check_history && !options.replay && !options.has_only_iteration;
    if (mpi_is_worker() && !is_campaign)
        return EXIT_CLEAN;
    if (options.help) {
        fputs(options_help, stdout);
        return status_flush(EXIT_CLEAN);
    }
    if (options.version) {
        printf("%s\n", version_line);
        return status_flush(EXIT_CLEAN);
    }
    if (options.list)
        return list_command(&options);
    if (options.check_history)
        return history_command(&options);
    return options.replay ? replay_command(&options) : campaign_command(&options);
}
