#include "harness/migrating/situations.h"
#include "model/table/batch.h"
#include "model/table/row.h"

enum { OPERATIONS = OPERATION_DELETE_IF_EXISTS + 1 };

#define ANY (~0u)
#define ONE(value) (1u << (value))

static const struct coverage_rule rules[] = {
    {COVERAGE_IMPOSSIBLE,
     {ONE(OPERATION_DELETE_IF_EXISTS), ANY, ONE(SENT_TOGETHER_LIMITED), ANY},
     "such tables refuse it"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_USE_OLD_HIDE_METADATA), ANY, ONE(MEANWHILE_CHANGED)},
     "a batch is one backend call in the first state"},
};

static const char *const sending_names[SENDING_COUNT] = {"alone", "together", "alone-limited",
                                                         "together-limited"};

static const char *const meanwhile_names[MEANWHILE_COUNT] = {"nothing", "changed", "fault"};

bool migrating_counts_situations;
static uint64_t counts[OPERATIONS][MT_STATE_COUNT][SENDING_COUNT][MEANWHILE_COUNT];

const struct coverage migrating_situations = {
    .axes = {{"operation", migrating_operation_names, OPERATIONS},
             {"state", migrating_state_names, MT_STATE_COUNT},
             {"sending", sending_names, SENDING_COUNT},
             {"meanwhile", meanwhile_names, MEANWHILE_COUNT}},
    .counts = &counts[0][0][0][0],
    .rules = rules,
    .rule_count = sizeof rules / sizeof rules[0],
};

// Rows are immutable, and shared between revisions.
static bool has_changed(const struct app *app, const struct call_record *call, struct ct_key key) {
    const struct ct_memory_table *reference = app->world->tables.reference;
    if (call->first_revision == call->last_revision)
        return false;
    return ct_rows_find(ct_memory_rows_at(reference, call->first_revision), key) !=
           ct_rows_find(ct_memory_rows_at(reference, call->last_revision), key);
}

static enum meanwhile meanwhile_of(const struct app *app, const struct call_record *call,
                                   struct ct_outcome outcome, struct ct_key key) {
    if (outcome.kind == CT_UNKNOWN || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
        return MEANWHILE_FAULT;
    return has_changed(app, call, key) ? MEANWHILE_CHANGED : MEANWHILE_NOTHING;
}

void migrating_count_situations(const struct app *app, const struct call_record *call,
                                struct ct_outcome outcome) {
    const struct ct_batch *batch = &call->batch;
    bool is_limited = app->world->tables.options.limits.no_delete_if_exists;
    enum sending sending = (batch->count > 1 ? SENT_TOGETHER : SENT_ALONE) +
                           (is_limited ? SENT_ALONE_LIMITED : SENT_ALONE);
    for (size_t i = 0; i < batch->count && sct_marks_are_counting && migrating_counts_situations;
         i++) {
        const struct ct_operation *operation = &batch->operations[i];
        enum coverage_operation kind = ct_is_delete_if_exists(operation)
                                           ? OPERATION_DELETE_IF_EXISTS
                                           : (enum coverage_operation)operation->type;
        counts[kind][app->view.state][sending]
              [meanwhile_of(app, call, outcome, operation->entity->key)]++;
    }
}
