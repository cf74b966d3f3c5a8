// The option --reduce: what it goes together with (core/search/search.h says why).
#ifndef HARNESS_CLI_REDUCTION_H
#define HARNESS_CLI_REDUCTION_H

#include "core/strategy/strategy.h"
#include "harness/cli/options.h"

// Whether [options] may reduce a search by [strategy] of [scenario], or ask for none; else the
// error says what contradicts what.
bool reduction_check(const struct options *options, const struct sct_strategy *strategy,
                     const struct scenario *scenario, struct error *error);

#endif
