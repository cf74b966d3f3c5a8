// Calls that the virtual table must refuse at once: what to expect, and how to draw one.
//
// A batch that the protocol cannot carry is answered 400; a query that does not target one
// partition is a program error. The expectations are written out anew, from the specification and
// the call alone: they are the oracle of the virtual table's own tests and share nothing with them.
#ifndef HARNESS_MIGRATING_FORBIDDEN_H
#define HARNESS_MIGRATING_FORBIDDEN_H

#include "model/table/filter.h"

// Room that a batch needs for [forbidden_spoil].
enum { FORBIDDEN_BATCH_ROOM = 100 };

// Whether [batch] must be refused over tables with [limits], and the index of the operation to be
// named.
bool forbidden_expected(const struct ct_batch *batch, struct ct_table_limits limits,
                        size_t *op_index);

// Turns a batch of distinct keys into one that must be refused, in a way that is drawn, or in two:
// then the first operation that is at fault must be named.
void forbidden_spoil(struct ct_batch *batch);

// Turns a batch into one that is ill-formed, in a way that is drawn: a program error. (Built by
// hand, for no builder would let it pass.)
void forbidden_break(struct ct_batch *batch);

// Whether [batch] is ill-formed.
bool forbidden_ill_formed(const struct ct_batch *batch);

// Whether a query with [filter] must be refused.
bool forbidden_query_expected(const struct ct_filter *filter);

// A filter that must be refused: [partition] and [rest] (may be NULL) put together in a way that is
// drawn. The first one is an "or".
const struct ct_filter *forbidden_filter(const char *partition, const struct ct_filter *rest);

#endif
