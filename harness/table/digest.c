// What tasks learn of the tables, and what the tables hold, for the comparison of states.
#include "harness/table/describe.h"
#include "harness/table/log.h"
#include "harness/table/transport.h"
#include "model/table/row.h"

enum { FILTER_BYTES = 2000 };

// Without the message, which only people read.
static struct digest outcome_digest(struct ct_outcome outcome) {
    uint64_t words[] = {outcome.kind, outcome.status, outcome.op_index};
    return digest_of(words, sizeof words);
}

static struct digest fold_results(struct digest digest, const struct ct_op_result *results,
                                  size_t count) {
    for (size_t i = 0; i < count; i++)
        digest = digest_fold_text(digest_fold(digest, results[i].status), results[i].etag);
    return digest;
}

struct digest request_digest(const struct request *request) {
    struct digest digest = digest_fold(outcome_digest(request->outcome), request->kind);
    if (request->outcome.kind != CT_SUCCEEDED)
        return digest;
    switch (request->kind) {
    case REQUEST_EXECUTE:
        return fold_results(digest, request->as.execute.results, request->as.execute.batch->count);
    case REQUEST_QUERY:
        return digest_fold_digest(digest, ct_rows_digest(*request->as.query.rows));
    case REQUEST_READ_STREAM:
        return *request->as.read.row
                   ? digest_fold_digest(digest, ct_row_digest(*request->as.read.row))
                   : digest;
    case REQUEST_PEEK_ROWS:
        return digest_fold_digest(digest, ct_rows_digest(*request->as.peek.rows));
    case REQUEST_PEEK_VALID:
        return digest_fold(digest, *request->as.valid.is_valid);
    case REQUEST_PEEK_REVISION: // whoever keeps it shows the window since then (struct app)
    case REQUEST_OPEN_STREAM:
    case REQUEST_ANNOTATE:
        return digest;
    }
    return digest;
}

struct digest call_digest(const struct call_record *call) {
    // What was to be its linearization point was not done, and not answered: it has no outcome yet.
    if (!call->is_linearized)
        return (struct digest){0};
    struct digest digest = outcome_digest(call->outcome);
    if (call->outcome.kind != CT_SUCCEEDED)
        return digest;
    if (call->kind == CALL_QUERY)
        return digest_fold_digest(digest, ct_rows_digest(call->rows));
    digest = fold_results(digest, call->results, call->batch.count);
    for (size_t i = 0; i < call->batch.count; i++)
        digest = digest_fold_digest(digest, ct_row_digest(call->results[i].entity));
    return digest;
}

// ---- The log -----------------------------------------------------------------------------------

static struct digest filter_digest(struct digest digest, const struct ct_filter *filter) {
    char buffer[FILTER_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_filter(&text, filter);
    // Filters are compared by their text, which says all of them.
    ASSERT(text.length + 4 < sizeof buffer); // else it may have been cut
    return digest_fold_text(digest, buffer);
}

static struct digest logged_call_digest(const struct logged_call *call) {
    struct digest digest = {call->number, call->kind};
    if (call->kind == LOGGED_QUERY)
        return filter_digest(digest, call->filter);
    for (size_t i = 0; i < call->batch.count; i++) {
        digest = digest_fold(digest, call->batch.operations[i].type);
        digest = digest_fold_digest(digest, ct_row_digest(call->batch.operations[i].entity));
    }
    return digest;
}

static struct digest logged_return_digest(const struct logged_call *call) {
    struct digest digest = digest_fold(outcome_digest(call->outcome), call->number);
    if (call->outcome.kind != CT_SUCCEEDED)
        return digest;
    if (call->kind == LOGGED_QUERY)
        return digest_fold_digest(digest, ct_rows_digest(call->rows));
    return fold_results(digest, call->results, call->batch.count);
}

static struct digest event_digest(const struct log_event *event) {
    switch (event->kind) {
    case LOG_CALL:
        return logged_call_digest(event->as.call);
    case LOG_RETURN:
        return logged_return_digest(event->as.call);
    case LOG_OPEN:
        return filter_digest((struct digest){0, 0}, event->as.stream->filter);
    case LOG_READ:
        return event->as.read->row ? ct_row_digest(event->as.read->row) : (struct digest){0, 0};
    case LOG_PEEK:
        return ct_rows_digest(event->as.rows);
    case LOG_SETTLED:
        break;
    }
    return (struct digest){0, 0};
}

struct digest table_log_digest(const struct table_log *log) {
    struct digest digest = ct_rows_digest(log->initial);
    for (const struct log_event *event = log->first; event; event = event->next)
        digest = digest_fold_digest(digest_fold(digest, event->kind), event_digest(event));
    return digest;
}

// ---- The tables --------------------------------------------------------------------------------

static struct digest stream_digest(const struct client_stream *stream) {
    struct digest_words words = digest_words(ct_memory_stream_digest(stream->backend));
    digest_words_add(&words, stream->table->id);
    digest_words_add_text(&words, sct_machine_name(stream->table->client->machine));
    return digest_words_end(&words);
}

void tables_add(const struct tables *tables, struct digest_words *words) {
    digest_words_add_digest(words, ct_memory_digest(tables->reference));
    for (int i = 0; i < TABLE_COUNT; i++)
        digest_words_add_digest(words, ct_memory_digest(tables->backend[i]));
    // Added up, so that the order in which streams were opened does not count.
    struct digest streams = {tables->awaits_annotation, 0};
    for (const struct client_stream *stream = tables->streams; stream; stream = stream->next)
        digest_add(&streams, stream_digest(stream));
    digest_words_add_digest(words, streams);
}

struct digest tables_digest(const struct tables *tables) {
    struct digest_words words = digest_words((struct digest){0, 0});
    tables_add(tables, &words);
    return digest_words_end(&words);
}
