// The keys that a filter can match: what a store that is ordered by key has to look at.
#ifndef MODEL_TABLE_RANGE_H
#define MODEL_TABLE_RANGE_H

#include "model/table/filter.h"

// Strings from [low] to [high], both included; NULL: without that end.
struct ct_bounds {
    const char *low, *high;
    bool is_empty; // there are none
};

struct ct_range {
    struct ct_bounds partition, row;
};

// Of partition keys and of row keys, each alone: every row that matches [filter] (NULL: all rows)
// has both keys in these bounds. Strings are the filter's. Conditions on keys that are joined by
// "and" narrow the bounds, those joined by "or" widen them; gt and lt count as ge and le.
struct ct_range ct_filter_range(const struct ct_filter *filter);

#endif
