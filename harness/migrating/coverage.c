#include "harness/migrating/coverage.h"
#include "model/migrating/entity.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

// ---- What is expected --------------------------------------------------------------------------

#define ANY (~0u)
#define ONE(value) (1u << (value))
#define STREAM_READS (ONE(OPERATION_STREAM_READ) | ONE(OPERATION_MOVED_STREAM_READ))
#define QUERIES (ONE(OPERATION_QUERY) | ONE(OPERATION_FILTERED_QUERY))
#define ROW_OR_END (ONE(OUTCOME_ROW) | ONE(OUTCOME_END))
#define CONDITIONAL (ONE(OPERATION_REPLACE) | ONE(OPERATION_MERGE) | ONE(OPERATION_DELETE))
#define SUCCESS_412_OR_ROW (ONE(OUTCOME_SUCCESS) | ONE(OUTCOME_412) | ONE(OUTCOME_ROW))

static const struct coverage_rule rules[] = {
#define CELLS(expectation, operations, outcomes, states, partitions, why) \
    {expectation, {operations, outcomes, states, partitions}, why},
#include "harness/migrating/coverage.def"
#undef CELLS
};

// ---- Cells -------------------------------------------------------------------------------------

const char *const migrating_operation_names[OPERATION_COUNT] = {
    "Insert",         "Replace", "Merge",         "Delete",     "InsertOrReplace", "InsertOrMerge",
    "DeleteIfExists", "Query",   "FilteredQuery", "StreamRead", "MovedStreamRead",
};

static const char *const outcome_names[OUTCOME_COUNT] = {
    "success", "404", "409", "412", "row", "end", "400", "500", "unknown", "error",
};

const char *const migrating_state_names[MT_STATE_COUNT] = {
    "USE_OLD_HIDE_METADATA", "PREFER_OLD", "PREFER_NEW", "USE_NEW_WITH_TOMBSTONES",
    "USE_NEW_HIDE_METADATA",
};

static const char *const partition_names[PARTITION_STATE_COUNT] = {"POPULATED", "SWITCHED", "none"};

static uint64_t counts[OPERATION_COUNT][OUTCOME_COUNT][MT_STATE_COUNT][PARTITION_STATE_COUNT];

const struct coverage migrating_coverage = {
    .axes = {{"operation", migrating_operation_names, OPERATION_COUNT},
             {"outcome", outcome_names, OUTCOME_COUNT},
             {"state", migrating_state_names, MT_STATE_COUNT},
             {"partition", partition_names, PARTITION_STATE_COUNT}},
    .counts = &counts[0][0][0][0],
    .rules = rules,
    .rule_count = sizeof rules / sizeof rules[0],
};

uint64_t migrating_coverage_of(struct coverage_cell cell) {
    return counts[cell.operation][cell.outcome][cell.state][cell.partition];
}

// Row-major, in the order of the axes.
static void reach(struct coverage_cell cell) {
    size_t index = (size_t)cell.operation * OUTCOME_COUNT + cell.outcome;
    index = index * MT_STATE_COUNT + cell.state;
    coverage_reach(&migrating_coverage, index * PARTITION_STATE_COUNT + cell.partition);
}

// ---- Calls -------------------------------------------------------------------------------------

// By a look at every row: there are few, and a first character settles most.
static enum mt_partition_state partition_state(const struct call_view *view,
                                               const char *partition) {
    for (size_t i = view->old_rows.count; i-- > 0;) {
        const struct ct_row *row = view->old_rows.rows[i];
        if (row->key.row[0] == MT_META_ROW[0] && ct_string_equal(row->key.row, MT_META_ROW) &&
            ct_string_equal(row->key.partition, partition))
            return mt_partition_state_of(row);
    }
    return MT_PARTITION_NONE;
}

static enum coverage_outcome outcome_of(struct ct_outcome outcome) {
    if (outcome.kind == CT_SUCCEEDED)
        return OUTCOME_SUCCESS;
    if (outcome.kind == CT_UNKNOWN)
        return OUTCOME_UNKNOWN;
    switch (outcome.status) {
    case CT_STATUS_BAD_REQUEST:
        return OUTCOME_400;
    case CT_STATUS_NOT_FOUND:
        return OUTCOME_404;
    case CT_STATUS_CONFLICT:
        return OUTCOME_409;
    case CT_STATUS_PRECONDITION_FAILED:
        return OUTCOME_412;
    case CT_STATUS_SERVER_ERROR:
        return OUTCOME_500;
    case CT_STATUS_NONE:
    case CT_STATUS_OK:
    case CT_STATUS_CREATED:
    case CT_STATUS_NO_CONTENT:
    case CT_STATUS_TOO_LARGE:
        break;
    }
    return OUTCOME_ERROR;
}

static enum coverage_operation operation_of(const struct ct_operation *operation) {
    return ct_is_delete_if_exists(operation) ? OPERATION_DELETE_IF_EXISTS
                                             : (enum coverage_operation)operation->type;
}

_Static_assert((int)OPERATION_DELETE == (int)CT_DELETE &&
                   (int)OPERATION_INSERT_OR_MERGE == (int)CT_INSERT_OR_MERGE,
               "the operations of batches are numbered as enum ct_op_type");

void migrating_cover_batch(const struct call_view *view, const struct ct_batch *batch,
                           struct ct_outcome outcome) {
    if (!sct_marks_are_counting)
        return;
    struct coverage_cell cell = {
        .outcome = outcome_of(outcome),
        .state = view->state,
        .partition = partition_state(view, batch->operations[0].entity->key.partition),
    };
    for (size_t i = 0; i < batch->count; i++) {
        cell.operation = operation_of(&batch->operations[i]);
        // A refusal is of one operation; it says nothing of the others of that batch.
        if (outcome.kind == CT_SUCCEEDED || i == outcome.op_index)
            reach(cell);
    }
}

void migrating_cover_query(const struct call_view *view, const struct ct_filter *filter,
                           struct ct_outcome outcome) {
    if (!sct_marks_are_counting)
        return;
    bool is_filtered = filter->kind != CT_FILTER_COMPARE;
    reach((struct coverage_cell){
        .operation = is_filtered ? OPERATION_FILTERED_QUERY : OPERATION_QUERY,
        .outcome = outcome_of(outcome),
        .state = view->state,
        .partition = partition_state(view, ct_filter_partition(filter)),
    });
}

void migrating_cover_read(const struct call_view *view, enum mt_state opened, const char *partition,
                          const struct ct_row *row) {
    if (!sct_marks_are_counting)
        return;
    reach((struct coverage_cell){
        .operation = opened < view->state ? OPERATION_MOVED_STREAM_READ : OPERATION_STREAM_READ,
        .outcome = row ? OUTCOME_ROW : OUTCOME_END,
        .state = view->state,
        .partition = partition_state(view, row ? row->key.partition : partition),
    });
}
