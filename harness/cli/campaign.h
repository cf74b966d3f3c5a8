// Campaigns: what the command does unless it is told otherwise.
#ifndef HARNESS_CLI_CAMPAIGN_H
#define HARNESS_CLI_CAMPAIGN_H

#include "harness/cli/options.h"

// Runs, reports; the exit status. --resume completes [options].
int campaign_command(struct options *options);

#endif
