#define _POSIX_C_SOURCE 200809L // nanosleep
#include "model/faulty/faulty_table.h"

#include "model/table/batch.h"
#include "model/table/check.h"

#include <stdlib.h>
#include <time.h>

static struct ct_faulty_table *faulty(struct ct_table *table) {
    return (struct ct_faulty_table *)table;
}

// ---- Faults ------------------------------------------------------------------------------------

struct ct_fault ct_decide_fault_at(void *fault_at, uint64_t number, enum ct_call call) {
    const struct ct_fault_at *at = fault_at;
    (void)call;
    return number == at->number ? at->fault : (struct ct_fault){.kind = CT_NO_FAULT};
}

static void sleep_process(uint64_t nanoseconds) {
    const uint64_t second = 1000000000;
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / second),
                            .tv_nsec = (long)(nanoseconds % second)};
    // A signal leaves in [time] what is left of it.
    while (nanosleep(&time, &time) != 0)
        continue;
}

// Decides on the next call, and waits as long as it is late.
static enum ct_fault_kind begin_call(struct ct_faulty_table *table, enum ct_call call) {
    const struct ct_faulty_options *options = &table->options;
    // Counted over all threads, so that one fault befalls one call.
    uint64_t number = atomic_fetch_add(&table->calls, 1) + 1;
    struct ct_fault fault = {.kind = CT_NO_FAULT};
    if (options->decide)
        fault = options->decide(options->context, number, call);
    if (fault.delay > 0 && options->sleep)
        options->sleep(options->context, fault.delay);
    else if (fault.delay > 0)
        sleep_process(fault.delay);
    return fault.kind;
}

static struct ct_outcome server_error(void) {
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// ---- The table ---------------------------------------------------------------------------------

// Limits can only be added: what the inner table cannot do, this one cannot either.
static struct ct_table_limits limits(struct ct_table *base) {
    struct ct_table_limits added = faulty(base)->options.limits;
    struct ct_table_limits all = ct_limits(faulty(base)->options.inner);
    if (all.query_rows == 0 || (added.query_rows > 0 && added.query_rows < all.query_rows))
        all.query_rows = added.query_rows;
    all.no_delete_if_exists = all.no_delete_if_exists || added.no_delete_if_exists;
    return all;
}

// Of a batch whose answer nobody gets: a copy is executed, so that no entity changes.
static void execute_unseen(struct ct_table *inner, const char *where, const struct ct_batch *batch,
                           struct arena *arena) {
    struct ct_batch copy = ct_batch_copy(arena, batch);
    struct ct_op_result *results = ARENA_ARRAY(arena, struct ct_op_result, batch->count);
    inner->ops->execute(inner, where, &copy, arena, results);
}

static struct ct_outcome execute(struct ct_table *base, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct ct_table *inner = faulty(base)->options.inner;
    const char *error = ct_batch_program_error(batch);
    if (error) // nothing is sent
        return ct_program_error(error);
    size_t op_index;
    enum ct_error refused = ct_limits_check(limits(base), batch, &op_index);
    if (refused != CT_ERROR_NONE)
        return ct_refusal(refused, op_index);
    switch (begin_call(faulty(base), CT_CALL_EXECUTE)) {
    case CT_REFUSED:
        return server_error();
    // Either way the outcome is unknown; what differs is whether the inner table has done it.
    case CT_ANSWER_LOST:
        execute_unseen(inner, where, batch, arena);
        return ct_unknown("the answer was lost");
    case CT_REQUEST_LOST:
        return ct_unknown("the request was lost");
    case CT_NO_FAULT:
        break;
    }
    return inner->ops->execute(inner, where, batch, arena, results);
}

static struct ct_outcome query(struct ct_table *base, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    struct ct_table *inner = faulty(base)->options.inner;
    struct ct_rows found;
    // A read that is lost has changed nothing, so all faults of it are one.
    if (begin_call(faulty(base), CT_CALL_QUERY) != CT_NO_FAULT)
        return server_error();
    struct ct_outcome outcome = inner->ops->query(inner, where, filter, arena, &found);
    size_t count_max = limits(base).query_rows;
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    if (count_max > 0 && found.count > count_max)
        return ct_refusal(CT_ERROR_NOT_ONE_INSTANT, 0);
    *rows = found;
    return outcome;
}

static void close_table(struct ct_table *table) {
    (void)table;
}

// ---- Streams -----------------------------------------------------------------------------------

struct faulty_stream {
    struct ct_stream stream; // first, so that the interface is the stream
    struct ct_faulty_table *table;
    struct ct_stream *inner;
};

// After a fault the inner stream stands where it stood.
static struct ct_outcome read_stream(struct ct_stream *base, const char *where,
                                     const struct ct_row **row) {
    struct faulty_stream *stream = (struct faulty_stream *)base;
    if (begin_call(stream->table, CT_CALL_READ_STREAM) != CT_NO_FAULT)
        return server_error();
    return stream->inner->ops->read(stream->inner, where, row);
}

static bool continuation_key(struct ct_stream *base, const char *where, struct ct_key *key) {
    struct ct_stream *inner = ((struct faulty_stream *)base)->inner;
    return inner->ops->continuation_key(inner, where, key);
}

static void close_stream(struct ct_stream *base, const char *where) {
    struct faulty_stream *stream = (struct faulty_stream *)base;
    stream->inner->ops->close(stream->inner, where);
    free(stream);
}

static struct ct_outcome open_stream(struct ct_table *base, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream};
    static const struct ct_stream_ops ops_with_key = {.version = CT_STREAM_VERSION,
                                                      .read = read_stream,
                                                      .continuation_key = continuation_key,
                                                      .close = close_stream};
    struct ct_table *inner = faulty(base)->options.inner;
    if (begin_call(faulty(base), CT_CALL_OPEN_STREAM) != CT_NO_FAULT)
        return server_error();
    struct faulty_stream *opened = malloc(sizeof *opened);
    if (!opened)
        return server_error();
    struct ct_outcome outcome = inner->ops->open_stream(inner, where, filter, &opened->inner);
    if (outcome.kind != CT_SUCCEEDED) {
        free(opened);
        return outcome;
    }
    // A caller asks by the member whether there is such a key.
    opened->stream.ops = opened->inner->ops->continuation_key ? &ops_with_key : &ops;
    opened->table = faulty(base);
    *stream = &opened->stream;
    return outcome;
}

void ct_faulty_init(struct ct_faulty_table *table, const struct ct_faulty_options *options) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = execute,
                                            .query = query,
                                            .open_stream = open_stream,
                                            .close = close_table,
                                            .limits = limits};
    *table = (struct ct_faulty_table){.table = {.ops = &ops}, .options = *options};
}
