// What there is: --list.
#ifndef HARNESS_CLI_LIST_H
#define HARNESS_CLI_LIST_H

#include "harness/cli/options.h"
#include "harness/subject/subject.h"

// The registry that options->list names: of [subjects], or of [subject].
void list_print(FILE *out, const struct options *options, const struct subject *const *subjects,
                const struct subject *subject);

#endif
