#include "core/history/history.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <stdlib.h>

void sct_history_init(struct sct_history *history) {
    *history = (struct sct_history){0};
}

void sct_history_deinit(struct sct_history *history) {
    ASSERT(history->operation_count <= history->operation_capacity);
    free(history->operations);
    free(history->events);
    *history = (struct sct_history){0};
}

void sct_history_clear(struct sct_history *history) {
    // The arrays stay: a history of every execution grows only to the largest one.
    ASSERT(history->event_count <= history->event_capacity);
    history->operation_count = 0;
    history->event_count = 0;
}

static uint32_t add_event(struct sct_history *history, uint32_t event) {
    ASSERT(event / 2 < history->operation_count);
    GROW(history->events, history->event_count + 1, history->event_capacity, "a history");
    history->events[history->event_count] = event;
    return history->event_count++;
}

uint32_t sct_history_call(struct sct_history *history, const struct sct_operation *call) {
    uint32_t index = history->operation_count;
    if (index >= SCT_HISTORY_OPERATIONS_MAX)
        fail_at(FAIL_RESOURCE, HERE, "a history has at most %d operations",
                SCT_HISTORY_OPERATIONS_MAX);
    GROW(history->operations, index + 1, history->operation_capacity, "a history");
    struct sct_operation *operation = &history->operations[history->operation_count++];
    // An index is twice in the events, at the call and at the return: time is a place among these.
    *operation = *call;
    // An event is twice the operation's index, with 1 more for the return: the log of both is one
    // array of numbers, and positions in it are the order of real time.
    operation->called_at = add_event(history, index * 2);
    operation->returned_at = SCT_NEVER;
    operation->has_output = false;
    operation->output = 0;
    return index;
}

void sct_history_return_unknown(struct sct_history *history, uint32_t index) {
    ASSERT(index < history->operation_count);
    ASSERT(history->operations[index].returned_at == SCT_NEVER);
    history->operations[index].returned_at = add_event(history, index * 2 + 1);
}

void sct_history_return(struct sct_history *history, uint32_t index, uint64_t output) {
    sct_history_return_unknown(history, index);
    history->operations[index].output = output;
    history->operations[index].has_output = true;
}
