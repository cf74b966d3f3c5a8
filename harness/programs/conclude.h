// What a campaign of a program means beside what every report says: whether it is a proof; under
// which memory models its violation happens; which stronger orders would forbid it.
#ifndef HARNESS_PROGRAMS_CONCLUDE_H
#define HARNESS_PROGRAMS_CONCLUDE_H

#include "harness/programs/options.h"
#include "harness/subject/subject.h"

// Before the command runs.
void conclude_begin(const struct program_command *command, const char *name);

// struct subject_test
const char *conclude(const struct subject_end *end);

// The status for main, where the command has ended with [status].
int conclude_status(int status);

#endif
