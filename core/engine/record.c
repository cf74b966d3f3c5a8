#include "core/engine/record.h"
#include "core/base/reserve.h"
#include "core/engine/state.h"

// Values are decisions without a scheduling point: they get as much again.
uint32_t sct_record_capacity(uint32_t points) {
    ASSERT(points <= SCT_STEPS_LIMIT);
    return points * 2 + 64;
}

static size_t record_bytes(uint32_t capacity) {
    return sizeof(struct sct_record) + sizeof(uint32_t) * ((size_t)capacity + 1);
}

struct sct_record *sct_record_new(uint32_t steps_max, bool is_shared) {
    uint32_t capacity = sct_record_capacity(steps_max);
    struct sct_record *record =
        reserve_new(record_bytes(capacity), is_shared, "the decisions of an execution");
    // Shared, it outlives the process that writes it: who is killed in an execution leaves the
    // decisions that led there. The kernel gives zeros, which end the list.
    record->capacity = capacity;
    ASSERT(record->words[0] == 0);
    return record;
}

void sct_record_free(struct sct_record *record) {
    if (record)
        reserve_free(record, record_bytes(record->capacity));
}

uint32_t sct_record_count(const struct sct_record *record) {
    uint32_t count = 0;
    // No count is stored: it could be one behind the words when the process is killed. No packed
    // decision is 0, as each has two alternatives at least.
    while (count < record->capacity && record->words[count] != 0)
        count++;
    return count;
}

struct sct_decision sct_record_decision(const struct sct_record *record, uint32_t index) {
    ASSERT(index < record->capacity);
    struct sct_decision decision = sct_unpack(record->words[index]);
    ASSERT(record->words[index] != 0);
    decision.label = "?"; // labels are addresses of the process that wrote it
    return decision;
}

void sct_engine_record_in(struct sct_engine *engine, struct sct_record *record) {
    ASSERT(!engine->self && record->capacity >= engine->decision_capacity);
    ASSERT(record != engine->own_record);
    sct_record_free(engine->own_record);
    engine->own_record = NULL;
    engine->record = record;
    // What was decided stays behind in the old one.
    engine->now.decision_count = 0;
}
