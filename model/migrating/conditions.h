// What of an application's filter the backend tables are asked.
//
// A row of the new table shadows its old version also if it does not match itself, so conditions on
// properties must not be sent there. A row's keys are the same in all its versions: conditions on
// them may be sent, and a point read stays one in both tables.
#ifndef MODEL_MIGRATING_CONDITIONS_H
#define MODEL_MIGRATING_CONDITIONS_H

#include "bugs/bugs.h"
#include "model/table/filter.h"

// The filter for a table whose rows are not shadowed, or are the ones that are: [filter] itself,
// unless it says "not" of metadata, of which a raw row has more than its exported form. Then its
// key conditions. (NULL stands for the empty filter throughout.)
const struct ct_filter *mt_backend_filter(struct arena *arena, struct bug_set *bugs,
                                          const struct ct_filter *filter);

// The conditions on keys that every row fulfils that matches [filter]; if this targets a partition,
// so do they. Comparisons of properties are taken out of ands; an or with one on a side says
// nothing.
const struct ct_filter *mt_key_conditions(struct arena *arena, struct bug_set *bugs,
                                          const struct ct_filter *filter);

#endif
