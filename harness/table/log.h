// The log of one execution: what the applications asked of a table and what they were answered, in
// real-time order, and nothing else. What it means is checked by harness/table/log_check.h.
//
// Everything lives in the arena the log was begun with. Batches are copied, for executing one
// changes it; whatever else is passed must live, unchanged, as long as the log. No scheduling
// points, no choices.
#ifndef HARNESS_TABLE_LOG_H
#define HARNESS_TABLE_LOG_H

#include "core/base/digest.h"
#include "model/table/table.h"

// An atomic call.
struct logged_call {
    uint32_t number; // of calls so far
    enum { LOGGED_BATCH, LOGGED_QUERY } kind;
    struct ct_batch batch;          // with its original If-Match values; no key twice
    const struct ct_filter *filter; // LOGGED_QUERY
    bool has_returned;              // else it may have happened or not, and so may it still
    // If it has; CT_STATUS_SERVER_ERROR: it did not happen; CT_UNKNOWN: it did and was a success,
    // or it did not.
    struct ct_outcome outcome;
    const struct ct_op_result *results; // of a batch that succeeded
    struct ct_rows rows;                // of a query that succeeded
};

struct logged_read {
    struct logged_read *next; // of its stream
    uint32_t number;          // of reads so far
    struct logged_stream *stream;
    const struct ct_row *row; // NULL: the end
};

struct logged_stream {
    const struct ct_filter *filter;
    struct logged_read *first, **link;
};

struct log_event {
    struct log_event *next;
    enum log_event_kind {
        LOG_CALL,
        LOG_RETURN,
        LOG_OPEN, // of a stream
        LOG_READ, // and the return of each read
        LOG_PEEK, // somebody learned ETags beside the interface
        LOG_SETTLED,
    } kind;
    union {
        struct logged_call *call;
        struct logged_stream *stream;
        const struct logged_read *read;
        struct ct_rows rows;
    } as;
};

struct table_log {
    struct arena *arena;
    struct ct_rows initial; // the contents before the first call
    struct log_event *first, **link;
    uint32_t call_count, read_count;
    uint32_t row_count; // of operations and rows logged, repetitions included: a measure of size
    const struct log_event *settled; // behind it no ETag changes by itself; NULL: they may always
    bool has_final;                  // the end is known:
    struct ct_rows final;            // the contents after the last event
};

// Begins the log of a table that contains [initial].
void table_log_init(struct table_log *log, struct arena *arena, struct ct_rows initial);

// An atomic call begins.
struct logged_call *table_log_batch(struct table_log *log, const struct ct_batch *batch);
struct logged_call *table_log_query(struct table_log *log, const struct ct_filter *filter);

// It returns: [results] of a batch, [rows] of a query that succeeded.
void table_log_return(struct table_log *log, struct logged_call *call, struct ct_outcome outcome,
                      const struct ct_op_result *results, struct ct_rows rows);

// A stream is about to be opened.
struct logged_stream *table_log_open(struct table_log *log, const struct ct_filter *filter);

// A read of it returns [row], or NULL for the end. Reads that fail are not logged.
void table_log_read(struct table_log *log, struct logged_stream *stream, const struct ct_row *row);

// The ETags of [rows] become known to callers although no call has returned them: only ETags that
// somebody gave out can match.
void table_log_peek(struct table_log *log, struct ct_rows rows);

// From now on a row's ETag changes by writes alone: what moves the rows has ended.
void table_log_settle(struct table_log *log);

// That was not the last time: ETags may change by themselves, before and from now on.
void table_log_unsettle(struct table_log *log);

// For the comparison of states: of all that was logged.
struct digest table_log_digest(const struct table_log *log);

// Nothing happens any more, and the table contains [rows].
void table_log_final(struct table_log *log, struct ct_rows rows);

#endif
