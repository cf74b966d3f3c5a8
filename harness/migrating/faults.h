// Faults of the default test, drawn per execution within a budget.
//
// A server error: one backend call of one client fails and is not executed. A lost answer: one
// batch of one client is done, or is not, and nobody learns which. A death: one process dies at any
// scheduling point after a drawn number of its backend calls, or (the migrator's only) after it has
// sent a drawn push. Each of its calls has been executed and annotated, or never will be. An
// application stays away; the migrator is started again.
#ifndef HARNESS_MIGRATING_FAULTS_H
#define HARNESS_MIGRATING_FAULTS_H

#include "harness/migrating/app.h"

// Draws what befalls the applications of [world], which are all there: most often nothing. A
// migrator that dies in a push often does so in [busy_push], if that is a state that is pushed. In
// setup, before machines run.
void faults_draw(struct world *world, enum mt_state busy_push);

// Whether the batch of [request] marks a partition as POPULATED or SWITCHED.
bool faults_writes_mark(const struct request *request);

// The process of [app] dies at some scheduling point from now on. In setup, before machines run.
void faults_kill(struct app *app);

#endif
