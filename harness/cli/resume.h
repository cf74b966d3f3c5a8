// What a checkpoint says of its campaign: the program and the options that fix the campaign.
#ifndef HARNESS_CLI_RESUME_H
#define HARNESS_CLI_RESUME_H

#include "core/jobs/checkpoint.h"
#include "harness/cli/command.h"

// Appends the checkpoint's text of a campaign of [subject]; [seed] is the one that is used.
void resume_describe(const struct subject *subject, const struct options *options, uint64_t seed,
                     struct text *text);

// Opens the checkpoint at options->resume, which were parsed from the command line, and parses
// that once more, together with what the checkpoint says. The strings of [options] point into
// [checkpoint] too.
bool resume_open(const struct command *command, int argc, char **argv,
                 struct sct_checkpoint *checkpoint, struct options *options, struct error *error);

#endif
