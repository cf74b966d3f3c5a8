// The option --reduce: what it goes together with (core/search/search.h says why).
#ifndef HARNESS_CLI_REDUCTION_H
#define HARNESS_CLI_REDUCTION_H

#include "core/strategy/strategy.h"
#include "harness/cli/options.h"
#include "harness/subject/subject.h"

// Whether [options] may reduce a search by [strategy] of [test], or ask for none; else the
// error says what contradicts what.
bool reduction_check(const struct options *options, const struct sct_strategy *strategy,
                     const struct subject_test *test, struct error *error);

#endif
