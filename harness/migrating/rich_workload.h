// The applications of the default test: drawn per execution, small on purpose, so that machines
// meet. What they have in common is the execution's profile (rich_profile.h).
#ifndef HARNESS_MIGRATING_RICH_WORKLOAD_H
#define HARNESS_MIGRATING_RICH_WORKLOAD_H

#include "harness/migrating/app.h"

// The program of an application under the drawn profile: one to four calls, and sometimes reads of
// the backend tables before and after.
void rich_program(struct app *app);

#endif
