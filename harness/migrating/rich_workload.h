// The inputs of the default test: drawn per execution, small on purpose, so that machines meet.
//
// Every execution draws a profile (swarm testing, Groce et al., ISSTA 2012): how many partitions
// and keys there are, which rows exist, which operations are used, in which states calls begin. All
// draws go through the choice function.
#ifndef HARNESS_MIGRATING_RICH_WORKLOAD_H
#define HARNESS_MIGRATING_RICH_WORKLOAD_H

#include "harness/migrating/app.h"

// Draws the profile of this execution and loads the initial rows. In setup, before machines run.
void rich_draw_profile(struct world *world);

// The program of an application under the drawn profile: one to three calls.
void rich_program(struct app *app);

#endif
