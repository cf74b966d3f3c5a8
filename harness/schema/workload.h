// The inputs of the schema upgrade: drawn per execution, small on purpose, so that servers meet.
//
// Every execution draws a profile (swarm testing, Groce et al., ISSTA 2012): how many keys there
// are, which entries exist, which operations are used, around which release they are made.
#ifndef HARNESS_SCHEMA_WORKLOAD_H
#define HARNESS_SCHEMA_WORKLOAD_H

#include "harness/schema/fleet.h"

// Draws the profile of [fleet]. In setup, before machines run, as [workload_load].
void workload_draw(struct fleet *fleet);

// Puts the drawn first entries, all at 1.0, into the empty [tables].
void workload_load(const struct fleet *fleet, struct tables *tables);

// How many operations a server makes in [release]. One choice or none.
uint32_t workload_draw_operations(const struct fleet *fleet, enum su_release release);

// Whether a server lags with its operations. One choice.
enum lag workload_draw_lag(void);

// Whether an operation waits for the worker to begin. One choice.
bool workload_draw_wait(void);

// An entry at 1.0, as the table may begin with.
struct ct_row *workload_first_entry(size_t key);

// Makes operation [errand] of server [index], checked. Scheduling points: those of its calls.
void workload_perform(struct fleet *fleet, size_t index, const struct errand *errand);

// Draws an operation of server [index] and makes it, checked. Scheduling points: those of its
// calls.
void workload_operate(struct fleet *fleet, size_t index);

#endif
