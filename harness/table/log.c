#include "harness/table/log.h"

#include "model/table/batch.h"

void table_log_init(struct table_log *log, struct arena *arena, struct ct_rows initial) {
    *log = (struct table_log){.arena = arena, .initial = initial};
    log->row_count = (uint32_t)initial.count;
    log->link = &log->first;
}

static struct log_event *add_event(struct table_log *log, enum log_event_kind kind) {
    struct log_event *event = ARENA_NEW(log->arena, struct log_event);
    event->kind = kind;
    *log->link = event;
    log->link = &event->next;
    return event;
}

static struct logged_call *add_call(struct table_log *log, struct logged_call value) {
    struct logged_call *call = ARENA_NEW(log->arena, struct logged_call);
    *call = value;
    // Numbers are dense, so a checker keeps what it knows of calls in an array.
    call->number = log->call_count++;
    log->row_count += (uint32_t)value.batch.count;
    add_event(log, LOG_CALL)->as.call = call;
    return call;
}

struct logged_call *table_log_batch(struct table_log *log, const struct ct_batch *batch) {
    struct ct_batch copy = ct_batch_copy(log->arena, batch);
    return add_call(log, (struct logged_call){.kind = LOGGED_BATCH, .batch = copy});
}

struct logged_call *table_log_query(struct table_log *log, const struct ct_filter *filter) {
    return add_call(log, (struct logged_call){.kind = LOGGED_QUERY, .filter = filter});
}

void table_log_return(struct table_log *log, struct logged_call *call, struct ct_outcome outcome,
                      const struct ct_op_result *results, struct ct_rows rows) {
    ASSERT(!call->has_returned);
    call->has_returned = true;
    call->outcome = outcome;
    call->results = results;
    call->rows = rows;
    log->row_count += (uint32_t)rows.count;
    add_event(log, LOG_RETURN)->as.call = call;
}

struct logged_stream *table_log_open(struct table_log *log, const struct ct_filter *filter) {
    struct logged_stream *stream = ARENA_NEW(log->arena, struct logged_stream);
    stream->filter = filter;
    stream->link = &stream->first;
    add_event(log, LOG_OPEN)->as.stream = stream;
    return stream;
}

void table_log_read(struct table_log *log, struct logged_stream *stream, const struct ct_row *row) {
    struct logged_read *read = ARENA_NEW(log->arena, struct logged_read);
    read->stream = stream;
    read->row = row;
    read->number = log->read_count++;
    log->row_count++;
    *stream->link = read;
    stream->link = &read->next;
    add_event(log, LOG_READ)->as.read = read;
}

void table_log_peek(struct table_log *log, struct ct_rows rows) {
    add_event(log, LOG_PEEK)->as.rows = rows;
}

// The event stays in the log when it is taken back (unsettle): it is then one that [settled] does
// not name.
void table_log_settle(struct table_log *log) {
    ASSERT(!log->settled);
    log->settled = add_event(log, LOG_SETTLED);
}

void table_log_unsettle(struct table_log *log) {
    log->settled = NULL;
}

void table_log_final(struct table_log *log, struct ct_rows rows) {
    ASSERT(!log->has_final);
    log->has_final = true;
    log->final = rows;
}
