// Faults of the default test, drawn per execution within a budget.
//
// A server error: one backend call of one client fails and is not executed.
#ifndef HARNESS_MIGRATING_FAULTS_H
#define HARNESS_MIGRATING_FAULTS_H

#include "harness/migrating/app.h"

// Draws what befalls the applications of [world], which are all there: most often nothing. In
// setup, before machines run.
void faults_draw(struct world *world);

#endif
