// What tasks learn of the tables, and what the tables hold, for the comparison of states.
#include "harness/table/transport.h"
#include "model/table/row.h"

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

struct digest tables_digest(const struct tables *tables) {
    struct digest digest = ct_memory_digest(tables->reference);
    for (int i = 0; i < TABLE_COUNT; i++)
        digest = digest_fold_digest(digest, ct_memory_digest(tables->backend[i]));
    struct digest streams = {tables->awaits_annotation, 0};
    for (const struct client_stream *stream = tables->streams; stream; stream = stream->next) {
        struct digest of_stream = digest_fold_digest(ct_memory_stream_digest(stream->backend),
                                                     (struct digest){stream->table->id, 0});
        const char *reader = sct_machine_name(stream->table->client->machine);
        digest_add(&streams, digest_fold_text(of_stream, reader));
    }
    return digest_fold_digest(digest, streams);
}
