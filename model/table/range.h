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

// Bounds that lie apart from each other, in ascending order.
struct ct_bounds_list {
    const struct ct_bounds *bounds;
    size_t count;
};

// The same of row keys alone, with the gaps between them: those of an "or" of keys are the keys.
// The list is in [arena].
struct ct_bounds_list ct_filter_row_bounds(struct arena *arena, const struct ct_filter *filter);

#endif
