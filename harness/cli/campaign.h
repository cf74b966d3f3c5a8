// Campaigns: what the command does unless it is told otherwise.
#ifndef HARNESS_CLI_CAMPAIGN_H
#define HARNESS_CLI_CAMPAIGN_H

#include "core/jobs/checkpoint.h"
#include "harness/cli/command.h"

// Runs, reports; the exit status. [checkpoint] is the one of --resume, open and read, or closed.
int campaign_command(const struct command *command, const struct options *options,
                     struct sct_checkpoint *checkpoint);

#endif
