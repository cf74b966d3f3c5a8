// What a checkpoint says of its campaign: the program and the options that fix the campaign.
#ifndef HARNESS_CLI_RESUME_H
#define HARNESS_CLI_RESUME_H

#include "core/jobs/checkpoint.h"
#include "harness/cli/command.h"

// Appends the checkpoint's text of a campaign of [subject]; [seed] is the one that is used, [probe]
// that of core/witness/probe.h.
void resume_describe(const struct subject *subject, const struct options *options, uint64_t seed,
                     uint64_t probe, struct text *text);

// Whether an opened checkpoint is of a build that has the same probe.
bool resume_fits(const struct sct_checkpoint *checkpoint, uint64_t probe, struct error *error);

// Opens the checkpoint at options->resume, which were parsed from the command line, and parses
// that once more, together with what the checkpoint says. The strings of [options] point into
// [checkpoint] too.
bool resume_open(const struct command *command, char **argv, struct sct_checkpoint *checkpoint,
                 struct options *options, struct error *error);

#endif
