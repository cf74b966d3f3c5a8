// Batches that the virtual table must refuse with 400: what to expect, and how to draw one.
//
// The expectation is written out anew, from the specification and the batch alone: it is the oracle
// of mt_batch_is_forbidden and shares nothing with it.
#ifndef HARNESS_MIGRATING_FORBIDDEN_H
#define HARNESS_MIGRATING_FORBIDDEN_H

#include "model/table/table.h"

// Room that a batch needs for [forbidden_spoil].
enum { FORBIDDEN_BATCH_ROOM = 100 };

// Whether [batch] must be refused, and the index of the operation to be named.
bool forbidden_expected(const struct ct_batch *batch, size_t *op_index);

// Turns a batch of distinct keys into one that must be refused, in a way that is drawn.
void forbidden_spoil(struct ct_batch *batch);

#endif
