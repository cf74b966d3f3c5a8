// Inputs: the published data set and the published random program.
#ifndef HARNESS_MIGRATING_WORKLOAD_H
#define HARNESS_MIGRATING_WORKLOAD_H

#include "harness/migrating/app.h"

// The published Choice(count): ceil(log2 count) fair bits, most significant first, to v; v if
// v < count, else v - count. Not uniform: Choice(3) is 1/2, 1/4, 1/4. Consumes that many choices.
size_t published_choice(void *context, size_t count);

// Uniform; one choice.
size_t uniform_choice(void *context, size_t count);

// Puts the published rows "0" true, "1" false, "3" false, "4" true into the old table.
void load_published_rows(struct world *world);

// The published random machine: one stream, or two atomic calls.
void random_program(struct app *app);

// The one partition of the published data set is "".
#define THE_PARTITION ""
#define IS_HAPPY "isHappy"

struct ct_property is_happy(bool value);

#endif
