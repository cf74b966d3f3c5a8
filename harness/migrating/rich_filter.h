// Filters of the default test: every comparison, on every kind of name, with every type of literal,
// alone and put together.
//
// What a filter may name beside the keys and the properties that rows have: properties that no row
// has, literals of another type than the property, and the protocol's own names, of which the
// application must see nothing.
#ifndef HARNESS_MIGRATING_RICH_FILTER_H
#define HARNESS_MIGRATING_RICH_FILTER_H

#include "model/table/filter.h"

// Strings to compare with: the keys that the execution uses.
struct filter_keys {
    const char *const *partitions;
    const char *const *rows;
    uint32_t partition_count, row_count;
};

// The names of the properties that some rows have beside isHappy.
#define MOOD "mood" // a string, of the following
#define AGE "age"   // an int32
#define ODD "odd"   // of any type (rich_value.h)

enum { MOOD_COUNT = 3 };
extern const char *const moods[MOOD_COUNT];

// A comparison, or an and/or of up to four, any of them below a not. In the execution's arena;
// draws choices, no scheduling point.
const struct ct_filter *rich_filter(const struct filter_keys *keys);

#endif
