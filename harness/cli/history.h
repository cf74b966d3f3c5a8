// --check-history: reads a recorded history, checks it, and reports the verdict.
#ifndef HARNESS_CLI_HISTORY_H
#define HARNESS_CLI_HISTORY_H

#include "core/history/linearize.h"
#include "harness/cli/options.h"

#include <stdio.h>

// Checks the history that [options] name and reports to [out]. False with an error if it cannot be
// read.
bool history_check(FILE *out, const struct options *options, enum lin_verdict *verdict,
                   struct error *error);

#endif
