// Small histories of a table of two rows, as logs for the check and as operations for the one that
// tries everything (table_brute.h).
#ifndef TESTS_HARNESS_TABLE_SAMPLE_H
#define TESTS_HARNESS_TABLE_SAMPLE_H

#include "tests/support/test.h"

#include "harness/table/log.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"
#include "tests/harness/table_brute.h"

enum { EVENTS_MAX = 128 };

// ---- Histories as logs -------------------------------------------------------------------------

// An event of a history: of a call, or of a stream, whose reads are observations of its own.
struct event {
    enum event_kind { CALL, RETURN, OPEN, READ, SETTLE } kind;
    uint32_t index;       // of the operation, or the stream
    struct brute_row row; // READ: what it gave, or the end
    uint32_t key;         // READ: of the row
};

struct sample {
    struct brute_row initial[BRUTE_KEYS];
    struct brute_operation calls[BRUTE_OPERATIONS];
    uint32_t call_count, stream_count, read_count;
    bool is_filtered[4]; // of the streams
    struct event events[EVENTS_MAX];
    uint32_t event_count;
    uint32_t peeked[BRUTE_KEYS];
    bool has_final;
    struct brute_row final[BRUTE_KEYS];
};

static struct arena arena;

static const char *const row_keys[BRUTE_KEYS] = {"0", "1"};
static char etags[BRUTE_ETAGS][8];

static inline struct ct_row *row_of(uint32_t key, uint32_t bits, const char *etag) {
    static const char *const names[] = {"a", "b"};
    struct ct_property properties[2];
    size_t count = 0;
    for (uint32_t i = 0; i < 2; i++)
        if (bits >> i & 1)
            properties[count++] = ct_bool(names[i], true);
    return ct_row_new(&arena, (struct ct_key){"p", row_keys[key]}, etag, properties, count);
}

static inline struct ct_rows rows_of(const struct brute_row *seen) {
    const struct ct_row **rows = ARENA_ARRAY(&arena, const struct ct_row *, BRUTE_KEYS);
    size_t count = 0;
    for (uint32_t key = 0; key < BRUTE_KEYS; key++)
        if (seen[key].exists)
            rows[count++] = row_of(key, seen[key].bits, etags[seen[key].etag]);
    return (struct ct_rows){.rows = rows, .count = count};
}

static inline const struct ct_filter *filter_of(bool is_filtered, bool is_query) {
    const struct ct_filter *filter =
        is_filtered ? ct_filter_compare_bool(&arena, "a", CT_EQ, true) : NULL;
    return is_query ? ct_filter_and(&arena, ct_filter_in_partition(&arena, "p"), filter) : filter;
}

static inline struct ct_batch batch_of(const struct brute_operation *call) {
    static const enum ct_op_type types[] = {
        [INSERT] = CT_INSERT,
        [REPLACE] = CT_REPLACE,
        [MERGE] = CT_MERGE,
        [DELETE] = CT_DELETE,
        [INSERT_OR_REPLACE] = CT_INSERT_OR_REPLACE,
        [INSERT_OR_MERGE] = CT_INSERT_OR_MERGE,
    };
    struct ct_batch batch = ct_batch_new(&arena, call->count);
    for (uint32_t i = 0; i < call->count; i++) {
        const struct brute_change *change = &call->changes[i];
        const char *match = change->match == MATCH_ANY         ? CT_ANY_ETAG
                            : change->match == MATCH_IF_EXISTS ? CT_IF_EXISTS_ETAG
                            : change->match == NO_ETAG         ? NULL
                                                               : etags[change->match];
        ct_batch_add(&batch, types[change->type], row_of(change->key, change->bits, match));
    }
    return batch;
}

static inline void log_return(struct table_log *log, struct logged_call *logged,
                              const struct brute_operation *call, const struct ct_batch *batch) {
    struct ct_op_result *results = ARENA_ARRAY(&arena, struct ct_op_result, BRUTE_KEYS);
    if (call->kind == NOTHING || (call->kind == BATCH && call->status != 0)) {
        enum ct_status status =
            call->kind == NOTHING ? CT_STATUS_SERVER_ERROR : (enum ct_status)call->status;
        table_log_return(log, logged, ct_storage_error(status, call->failed_at), NULL,
                         (struct ct_rows){0});
        return;
    }
    for (uint32_t i = 0; call->kind == BATCH && i < call->count; i++) {
        const struct brute_change *change = &call->changes[i];
        bool is_delete = change->type == DELETE;
        struct ct_row *entity = batch->operations[i].entity;
        if (!is_delete)
            entity->etag = etags[change->etag];
        results[i] = (struct ct_op_result){
            .status = change->type == INSERT ? CT_STATUS_CREATED : CT_STATUS_NO_CONTENT,
            .etag = is_delete ? NULL : entity->etag,
            .entity = entity,
        };
    }
    table_log_return(log, logged, ct_success(), results,
                     call->kind == BATCH ? (struct ct_rows){0} : rows_of(call->seen));
}

static inline void log_sample(struct table_log *log, const struct sample *sample) {
    struct logged_call *logged[BRUTE_OPERATIONS];
    struct ct_batch batches[BRUTE_OPERATIONS];
    struct logged_stream *streams[4];
    table_log_init(log, &arena, rows_of(sample->initial));
    for (uint32_t etag = 1; etag < BRUTE_ETAGS; etag++) {
        struct brute_row rows[BRUTE_KEYS] = {{0}};
        for (uint32_t key = 0; key < BRUTE_KEYS; key++)
            rows[key] = (struct brute_row){sample->peeked[key] >> etag & 1, 0, etag};
        if (rows[0].exists || rows[1].exists)
            table_log_peek(log, rows_of(rows));
    }
    for (uint32_t i = 0; i < sample->event_count; i++) {
        const struct event *event = &sample->events[i];
        const struct brute_operation *call = &sample->calls[event->index];
        switch (event->kind) {
        case CALL:
            if (call->kind != OBSERVATION) {
                batches[event->index] = batch_of(call);
                logged[event->index] = table_log_batch(log, &batches[event->index]);
            } else {
                logged[event->index] = table_log_query(log, filter_of(call->is_filtered, true));
            }
            break;
        case RETURN:
            log_return(log, logged[event->index], call, &batches[event->index]);
            break;
        case OPEN:
            streams[event->index] =
                table_log_open(log, filter_of(sample->is_filtered[event->index], false));
            break;
        case READ:
            table_log_read(log, streams[event->index],
                           event->row.exists
                               ? row_of(event->key, event->row.bits, etags[event->row.etag])
                               : NULL);
            break;
        case SETTLE:
            table_log_settle(log);
            break;
        }
    }
    if (sample->has_final)
        table_log_final(log, rows_of(sample->final));
}

// ---- Histories for the other checker -----------------------------------------------------------

static inline struct brute_operation *add(struct brute_history *history) {
    assert_true(history->count < BRUTE_OPERATIONS);
    return &history->operations[history->count++];
}

// The observations of stream [index], one for every key that a read passes.
static inline void add_stream(struct brute_history *history, const struct sample *sample,
                              uint32_t index, uint32_t opened_at) {
    uint32_t place = 0; // the first key not passed
    for (uint32_t i = opened_at; i < sample->event_count; i++) {
        const struct event *event = &sample->events[i];
        if (event->kind != READ || event->index != index)
            continue;
        bool goes_back = event->row.exists && event->key < place;
        uint32_t end = event->row.exists ? event->key + 1 : BRUTE_KEYS;
        for (uint32_t key = goes_back ? event->key : place; key < end; key++) {
            struct brute_operation *seen = add(history);
            *seen = (struct brute_operation){.kind = OBSERVATION,
                                             .keys = 1u << key,
                                             .is_filtered = sample->is_filtered[index],
                                             .is_impossible = goes_back,
                                             .called_at = opened_at,
                                             .returned_at = i};
            if (event->row.exists && key == event->key) {
                seen->seen[key] = event->row;
                seen->is_impossible |= seen->is_filtered && !(event->row.bits & 1);
            }
        }
        place = end;
    }
}

static inline void add_final(struct brute_history *history, const struct sample *sample) {
    struct brute_operation *end = add(history);
    *end = (struct brute_operation){.kind = OBSERVATION,
                                    .keys = 3,
                                    .called_at = sample->event_count,
                                    .returned_at = sample->event_count + 1};
    memcpy(end->seen, sample->final, sizeof end->seen);
}

static inline bool brute_verdict(const struct sample *sample) {
    struct brute_history history = {.count = 0};
    uint32_t numbers[BRUTE_OPERATIONS] = {0};
    memcpy(history.initial, sample->initial, sizeof history.initial);
    memcpy(history.peeked, sample->peeked, sizeof history.peeked);
    for (uint32_t i = 0; i < sample->event_count; i++) {
        const struct event *event = &sample->events[i];
        if (event->kind == CALL) {
            numbers[event->index] = history.count;
            struct brute_operation *call = add(&history);
            *call = sample->calls[event->index];
            call->called_at = i;
            call->returned_at = UINT32_MAX;
            call->keys = 3;
            for (uint32_t key = 0; call->kind == OBSERVATION && key < BRUTE_KEYS; key++)
                call->is_impossible |=
                    call->is_filtered && call->seen[key].exists && !(call->seen[key].bits & 1);
        } else if (event->kind == RETURN) {
            history.operations[numbers[event->index]].returned_at = i;
        } else if (event->kind == OPEN) {
            add_stream(&history, sample, event->index, i);
        } else if (event->kind == SETTLE) {
            *add(&history) =
                (struct brute_operation){.kind = SETTLEMENT, .called_at = i, .returned_at = i};
        }
    }
    if (sample->has_final)
        add_final(&history, sample);
    return brute_is_linearizable(&history);
}

#endif
