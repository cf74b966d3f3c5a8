// Parts in which every value that is read can have come about in one way only, for what was written
// and appended was so once: decided in n log n, without a search. What core/history/linearize.c
// tries first, and nobody else uses.
//
// Of such a part one knows which writes a read has seen, and all that was appended since, in order.
// A write, the appends that were read behind it and the reads of all that are a chain; what nobody
// read is a chain of its own. A chain has a zone: from the first return in it to the last call. If
// the return comes first (a forward zone), the chain lasts through all of it; else all of it can
// take effect at any one instant of its (backward) zone, from that call to that return. The part is
// linearizable if in no chain an operation returned before one that precedes it was called, no two
// forward zones overlap, and none has a backward zone within: Gibbons and Korach's clusters (1997),
// which are a write and its reads, in a row.
#ifndef CORE_HISTORY_LIN_UNIQUE_H
#define CORE_HISTORY_LIN_UNIQUE_H

#include "core/history/lin_search.h"

// As [lin_search], with as many steps as operations looked at. Of a failure it finds the first
// return with which the part cannot be linearized. False, and nothing done, if the part is not so,
// or there is not enough memory.
bool lin_unique(struct lin_memory *memory, const struct lin_spec *spec, const struct lin_part *part,
                struct lin_found *found);

#endif
