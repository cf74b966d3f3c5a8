// --replay: one recorded execution again, and what was asked for about it.
#ifndef HARNESS_CLI_REPLAY_H
#define HARNESS_CLI_REPLAY_H

#include "harness/cli/command.h"

// Replays, reports; the exit status.
int replay_command(const struct command *command, const struct options *options);

#endif
