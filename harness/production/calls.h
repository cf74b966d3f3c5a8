// The calls of an application process, recorded in the world's log.
#ifndef HARNESS_PRODUCTION_CALLS_H
#define HARNESS_PRODUCTION_CALLS_H

#include "harness/production/process.h"

// Rows that the workload writes: so many partitions, so many keys in each.
enum { CALLS_PARTITIONS = 2, CALLS_KEYS = 3 };

extern const char *const calls_partitions[CALLS_PARTITIONS];
extern const char *const calls_keys[CALLS_KEYS];

struct application {
    struct process *process;
    struct ct_table *table; // the virtual table
    struct ct_rows seen;    // of its last query
    uint32_t keys;          // so many of each partition are used
};

// One call, drawn: a batch, a query or a stream. Server errors are taken for what they are.
void calls_make(struct application *application);

// One call of a small test: row 0 written or deleted, or all rows read.
void calls_make_small(struct application *application);

// Row [key] of the first partition, which says who has written it.
struct ct_row *calls_row(uint32_t key, const char *by);

// The batch that puts [count] rows into the old table before anybody runs; logged as initial.
void calls_load(struct production *world, uint32_t keys);

#endif
