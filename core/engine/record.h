// Records: the decisions of the present execution. In shared memory another process can read them
// even when the one that makes them has ended.
#ifndef CORE_ENGINE_RECORD_H
#define CORE_ENGINE_RECORD_H

#include "core/engine/execution.h"

struct sct_record {
    volatile uint32_t is_running; // an execution is
    uint32_t capacity;            // of decisions
    uint32_t words[];             // a decision each (core/engine/state.h), then 0
};

// For executions of that many scheduling points. Shared: with the processes that are forked later.
// FAIL_RESOURCE without memory.
struct sct_record *sct_record_new(uint32_t steps_max, bool is_shared);
void sct_record_free(struct sct_record *record); // NULL is allowed

// Room for the decisions of so many points.
uint32_t sct_record_capacity(uint32_t points);

// How many decisions there are.
uint32_t sct_record_count(const struct sct_record *record);

// The index-th, without machine and place; the label is "?".
struct sct_decision sct_record_decision(const struct sct_record *record, uint32_t index);

// The executions of [engine], which has that steps_max at most, are recorded in [record] from now
// on, until the engine is closed; the last one's decisions are forgotten. Not in two processes at
// once: see sct_engine_forked.
void sct_engine_record_in(struct sct_engine *engine, struct sct_record *record);

#endif
