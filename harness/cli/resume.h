// What a checkpoint says of its campaign: the options that define it.
#ifndef HARNESS_CLI_RESUME_H
#define HARNESS_CLI_RESUME_H

#include "harness/cli/options.h"

// Appends the options that define the campaign, one a line, as they stand on a command line; [seed]
// is the one that is used.
void resume_describe(const struct options *options, uint64_t seed, struct text *text);

// Sets those options from the text of the checkpoint at options->resume; strings point into
// [text], which is changed.
bool resume_options(char *text, struct options *options, struct error *error);

#endif
