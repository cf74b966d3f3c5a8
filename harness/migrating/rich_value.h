// Property values of the default test: a few of each type, so that they meet.
#ifndef HARNESS_MIGRATING_RICH_VALUE_H
#define HARNESS_MIGRATING_RICH_VALUE_H

#include "model/table/value.h"

// The property [name] with a drawn value, the same number in all types of numbers among them. One
// choice.
struct ct_property rich_value(const char *name);

#endif
