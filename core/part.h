// Parts of a campaign as bytes: what a range of iterations added up to, so that another process, or
// a later one, can add it to the whole. Sums are the same whatever the parts.
//
// The bytes hold numbers of 64 bits, the lowest byte first, and texts with their lengths: the same
// on every machine. They carry no checksum; see core/checkpoint.h.
#ifndef CORE_PART_H
#define CORE_PART_H

#include "core/campaign.h"

// Bytes that grow; zero is empty. Freed with sct_bytes_free. FAIL_RESOURCE without memory.
struct sct_bytes {
    unsigned char *data;
    size_t size, capacity;
};

void sct_bytes_add(struct sct_bytes *bytes, const void *data, size_t size);

void sct_bytes_add_number(struct sct_bytes *bytes, uint64_t number);

void sct_bytes_free(struct sct_bytes *bytes);

// Counters of the system under test's own: sums over the executions that count.
struct sct_counters {
    uint64_t *values;
    size_t count;
};

// What is summed up beside the campaign: these arrays, and all marks.
struct sct_part_options {
    const struct sct_campaign_options *campaign;
    const struct sct_counters *counters;
    size_t counter_arrays;
    volatile uint64_t *present_iteration; // told before each execution that counts; may be NULL
};

// Runs the [iterations] iterations of the campaign that begin with its [first]-th, and writes what
// they added up to into [bytes], which is emptied before. Counters and marks begin at 0 and are
// left as the part left them. Ends early as a campaign does. [seconds_max] as there. Whether the
// campaign may go on behind this part.
bool sct_part_run(struct sct_engine *engine, const struct sct_part_options *options, uint64_t first,
                  uint64_t iterations, double seconds_max, struct sct_bytes *bytes);

// Adds a part to [sum], counters and marks included. Calls [on_new_group] for each group that is
// new. Whether the bytes are a part; if not, [sum] is spoilt. *[goes_on] as of sct_part_run.
bool sct_part_add(const struct sct_part_options *options, const unsigned char *bytes, size_t size,
                  struct sct_sum *sum, void (*on_new_group)(void *, const struct sct_group *),
                  bool *goes_on);

#endif
