// Coverage of the migration protocol: operation x outcome x client state x partition state.
//
// Each operation of a batch that succeeds is counted as such, of one that is refused the operation
// that it was refused for. The partition state is what the old table really holds when the call
// begins, whatever the client believes. A read of a stream counts under the configuration at its
// machine when the read begins and under the partition of the row it gives; at the end, of the
// stream's place. It is a call of its own kind once that configuration is a later one than the
// stream was opened in.
#ifndef HARNESS_MIGRATING_COVERAGE_H
#define HARNESS_MIGRATING_COVERAGE_H

#include "harness/subject/coverage.h"
#include "model/config/config.h"
#include "model/migrating/state.h"

enum coverage_operation {
    OPERATION_INSERT, // as enum ct_op_type
    OPERATION_REPLACE,
    OPERATION_MERGE,
    OPERATION_DELETE,
    OPERATION_INSERT_OR_REPLACE,
    OPERATION_INSERT_OR_MERGE,
    OPERATION_DELETE_IF_EXISTS,
    OPERATION_QUERY,
    OPERATION_FILTERED_QUERY,
    OPERATION_STREAM_READ,
    OPERATION_MOVED_STREAM_READ, // the machine was in an earlier state when it was opened
    OPERATION_COUNT,
};

enum coverage_outcome {
    OUTCOME_SUCCESS,
    OUTCOME_404,
    OUTCOME_409,
    OUTCOME_412,
    OUTCOME_ROW,
    OUTCOME_END,
    OUTCOME_400,
    OUTCOME_500,
    OUTCOME_UNKNOWN,
    OUTCOME_ERROR, // internal or of the program
    OUTCOME_COUNT,
};

enum { PARTITION_STATE_COUNT = MT_PARTITION_NONE + 1 };

// The counts of all applications of this process.
extern const struct coverage migrating_coverage;

// Of its axes; the operations of batches are the first ones.
extern const char *const migrating_operation_names[OPERATION_COUNT];
extern const char *const migrating_state_names[MT_STATE_COUNT];

struct coverage_cell {
    enum coverage_operation operation;
    enum coverage_outcome outcome;
    enum mt_state state;
    enum mt_partition_state partition;
};

uint64_t migrating_coverage_of(struct coverage_cell cell);

// What a call found when it began.
struct call_view {
    enum mt_state state;
    struct ct_rows old_rows; // all of the old table
};

// To be called at the end of each call.
void migrating_cover_batch(const struct call_view *view, const struct ct_batch *batch,
                           struct ct_outcome outcome);
void migrating_cover_query(const struct call_view *view, const struct ct_filter *filter,
                           struct ct_outcome outcome);

// A read of a stream that was opened in state [opened] and stands in [partition]; [row] is NULL at
// the end.
void migrating_cover_read(const struct call_view *view, enum mt_state opened, const char *partition,
                          const struct ct_row *row);

#endif
