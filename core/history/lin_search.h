// The search for one linearization of one part of a history: what core/history/linearize.c uses,
// and nobody else.
#ifndef CORE_HISTORY_LIN_SEARCH_H
#define CORE_HISTORY_LIN_SEARCH_H

#include "core/history/lin_memory.h"
#include "core/history/linearize.h"

struct lin_part {
    const struct sct_operation *operations; // of the whole history
    const uint32_t *events;                 // of the part: index * 2, + 1 for a return
    uint32_t event_count;
    uint32_t cut;      // events at this position and later have not happened
    uint32_t *scratch; // one element for every operation of the whole history
};

struct lin_found {
    enum lin_verdict verdict;
    enum lin_limit limit;
    uint64_t steps, configurations;
    const uint32_t *order; // in [memory]; not LIN_LINEARIZABLE: the one that came furthest
    uint32_t order_count;
    const uint64_t *state; // after them; LIN_LINEARIZABLE: NULL if there was no room to tell it
    uint32_t blocked;      // not LIN_LINEARIZABLE: the operation whose return was not passed
    bool is_first;         // it is known that none later can be passed
};

// Searches with at most [steps_max] steps.
void lin_search(struct lin_memory *memory, const struct lin_spec *spec, const struct lin_part *part,
                uint64_t steps_max, struct lin_found *found);

#endif
