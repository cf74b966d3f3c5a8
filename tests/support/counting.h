// Campaigns whose marks and counters count the executions that count: hooks of
// struct sct_campaign_options.
#ifndef TESTS_SUPPORT_COUNTING_H
#define TESTS_SUPPORT_COUNTING_H

#include "core/campaign/marks.h"
#include "core/engine/execution.h"

static inline void begin_counting(void *context, uint64_t iteration) {
    (void)context;
    (void)iteration;
    sct_marks_count(true);
}

static inline void end_counting(void *context, uint64_t iteration,
                                const struct sct_result *result) {
    (void)context;
    (void)iteration;
    (void)result;
    sct_marks_count(false);
}

#endif
