#include "harness/migrating/app.h"
#include "core/engine/monitor.h"
#include "harness/migrating/forbidden.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <string.h>

enum { TEXT_BYTES = 440 }; // two of them and some words fit into a violation's message

// ---- The migrator ------------------------------------------------------------------------------

// Whether a server error befell the call that ends with [outcome], which then must be that.
static bool met_server_error(struct app *app, struct ct_outcome outcome) {
    if (!client_take_server_error(&app->client))
        return false;
    sct_check(ct_failed_with(outcome, CT_STATUS_SERVER_ERROR) && outcome.op_index == 0,
              KIND_FAULT_HIDDEN, "a backend call failed with a server error; the call did not");
    return true;
}

// Whether the migration is to be gone on with: a fault has met it.
static bool must_go_on(struct app *app, struct ct_outcome outcome) {
    bool has_lost_answer = client_take_lost_answer(&app->client);
    return met_server_error(app, outcome) ||
           (has_lost_answer && ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
}

void app_migrate(struct app *app) {
    struct table_log *log = app->world->log;
    app->client.may_linearize = false;
    if (log)
        table_log_unsettle(log); // it may have ended before, and died since
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the migration to end");
    struct ct_outcome outcome = mt_migrate(app->instance);
    while (must_go_on(app, outcome)) // "in theory you should be able to call this again"
        outcome = mt_migrate(app->instance);
    sct_monitor_cold(&monitor);
    if (outcome.kind == CT_SUCCEEDED) {
        if (log)
            table_log_settle(log);
        app->world->has_migrated = true;
        sct_waiters_wake(&app->world->migrated);
        return;
    }
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_outcome(&text, outcome, NULL, 0);
    sct_violation(outcome.kind == CT_PROGRAM_ERROR ? SCT_KIND_PROGRAM_ERROR : KIND_CALL_FAILED,
                  "the migration ended with %s", buffer);
}

// ---- Checks ------------------------------------------------------------------------------------

static bool same_results(const struct ct_op_result *a, const struct ct_op_result *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (a[i].status != b[i].status || !ct_string_equal(a[i].etag, b[i].etag) ||
            !ct_row_equal(a[i].entity, b[i].entity))
            return false;
    return true;
}

static bool same_rows(struct ct_rows a, struct ct_rows b) {
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++)
        if (!ct_row_equal(a.rows[i], b.rows[i]))
            return false;
    return true;
}

static bool same_error(struct ct_outcome a, struct ct_outcome b) {
    return a.kind == b.kind && a.status == b.status && a.op_index == b.op_index;
}

// An atomic call's outcome with its payload, to be compared and described.
struct answer {
    struct ct_outcome outcome;
    const struct ct_op_result *results; // batches
    struct ct_rows rows;                // queries
};

static void describe_call_answer(struct text *text, const struct call_record *call,
                                 const struct answer *answer) {
    if (answer->outcome.kind != CT_SUCCEEDED) {
        describe_outcome(text, answer->outcome, NULL, 0);
    } else if (call->kind == CALL_QUERY) {
        describe_rows(text, answer->rows);
    } else {
        describe_outcome(text, answer->outcome, answer->results, call->batch.count);
        for (size_t i = 0; i < call->batch.count; i++) {
            text_add(text, " ");
            describe_row(text, answer->results[i].entity);
        }
    }
}

static bool same_answer(const struct call_record *call, const struct answer *a,
                        const struct answer *b) {
    if (a->outcome.kind != CT_SUCCEEDED || b->outcome.kind != CT_SUCCEEDED)
        return same_error(a->outcome, b->outcome);
    if (call->kind == CALL_QUERY)
        return same_rows(a->rows, b->rows);
    return same_results(a->results, b->results, call->batch.count);
}

static void note_answer_as(enum sct_note_class about, const struct call_record *call,
                           const struct answer *answer) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    if (answer->outcome.kind == CT_SUCCEEDED && call->kind == CALL_QUERY) {
        note_rows(about, answer->rows);
        return;
    }
    bool has_results = answer->outcome.kind == CT_SUCCEEDED;
    describe_outcome(&text, answer->outcome, NULL, 0);
    sct_note_as(about, "%s", buffer);
    for (size_t i = 0; has_results && i < call->batch.count; i++) {
        text = text_in(buffer, sizeof buffer);
        text_add(&text, "%d etag %s ", (int)answer->results[i].status,
                 answer->results[i].etag ? answer->results[i].etag : "none");
        describe_row(&text, answer->results[i].entity);
        sct_note_as(about, "%s", buffer);
    }
}

_Noreturn static void report_mismatch(const struct call_record *call, const struct answer *actual,
                                      const struct answer *expected) {
    char got[TEXT_BYTES], wanted[TEXT_BYTES];
    struct text got_text = text_in(got, sizeof got);
    struct text wanted_text = text_in(wanted, sizeof wanted);
    describe_call_answer(&got_text, call, actual);
    describe_call_answer(&wanted_text, call, expected);
    if (sct_narrating()) {
        note_answer_as(SCT_NOTE_EXPECTED, call, expected);
        note_answer_as(SCT_NOTE_ACTUAL, call, actual);
    }
    sct_violation(KIND_OUTCOME_MISMATCH, "a %s returned %s; the reference table says %s",
                  call->kind == CALL_QUERY ? "query" : "batch", got, wanted);
}

// Without annotations there is nothing more to compare with.
static bool ignores_annotations(const struct app *app) {
    return app->world->tables.options.ignores_annotations;
}

// A call with an unknown outcome may have happened, and then with success, or not.
static void check_unknown(const struct call_record *call) {
    sct_check(!call->is_linearized || call->outcome.kind == CT_SUCCEEDED, KIND_OUTCOME_MISMATCH,
              "a batch that was not answered was done; the reference table refuses it");
}

// A call that a server error befell has not happened. No other may fail so.
static void check_failed(const struct call_record *call) {
    sct_check(!call->is_linearized, KIND_OUTCOME_MISMATCH,
              "a call failed with a server error after its linearization point");
}

// The checks after an atomic call, in the published order but for the first, which the others need.
static void check_call(struct app *app, const struct call_record *call,
                       const struct answer *actual) {
    sct_check(actual->outcome.kind != CT_PROGRAM_ERROR, SCT_KIND_PROGRAM_ERROR, "%s",
              actual->outcome.message);
    bool is_unknown = actual->outcome.kind == CT_UNKNOWN;
    bool has_lost_answer = client_take_lost_answer(&app->client);
    if (is_unknown) // that a read which followed has failed is no news
        client_take_server_error(&app->client);
    bool has_failed = met_server_error(app, actual->outcome) ||
                      (has_lost_answer && ct_failed_with(actual->outcome, CT_STATUS_SERVER_ERROR));
    sct_check(!is_unknown || (has_lost_answer && call->kind == CALL_BATCH), KIND_CALL_FAILED,
              "the outcome of a call is unknown, but every answer came");
    if (ignores_annotations(app)) { // what else would say that it has ended so?
        sct_check(actual->outcome.kind != CT_INTERNAL_ERROR, KIND_CALL_FAILED, "a call failed: %s",
                  actual->outcome.message);
        return;
    }
    if (is_unknown) {
        check_unknown(call);
        return;
    }
    if (has_failed) {
        check_failed(call);
        return;
    }
    sct_check(call->is_linearized, KIND_NO_LINEARIZATION_POINT,
              "a call ended without a linearization point%s%s", actual->outcome.message ? ": " : "",
              actual->outcome.message ? actual->outcome.message : "");
    bool is_batch_success = call->kind == CALL_BATCH && actual->outcome.kind == CT_SUCCEEDED;
    if (call->reported)
        sct_check(is_batch_success &&
                      same_results(call->reported, actual->results, call->batch.count),
                  KIND_RESULTS_MISMATCH,
                  "a batch's results differ from those reported at its linearization point");
    struct answer expected = {call->outcome, call->results, call->rows};
    if (!same_answer(call, actual, &expected))
        report_mismatch(call, actual, &expected);
}

struct ct_rows app_peek_rows(struct app *app) {
    struct ct_rows rows = client_peek_rows(&app->client, HERE);
    if (app->world->log)
        table_log_peek(app->world->log, rows);
    return rows;
}

static void log_call(const struct app *app, struct call_record *call) {
    struct table_log *log = app->world->log;
    if (log && call->kind == CALL_BATCH)
        call->logged = table_log_batch(log, &call->batch);
    else if (log)
        call->logged = table_log_query(log, call->filter);
}

static void log_return(const struct app *app, const struct call_record *call,
                       const struct answer *answer) {
    if (call->logged)
        table_log_return(app->world->log, call->logged, answer->outcome, answer->results,
                         answer->rows);
}

static void begin_call(struct app *app, struct call_record *call) {
    sct_count_operation();
    call->owner = sct_self();
    call->next = app->client.calls;
    app->client.calls = call;
    app_take_view(app, app->mirror.current); // for a call that is refused before it subscribes
}

static void call_ended(struct app *app) {
    app->calls_ended++;
    world_wake_others(app->world);
}

static void end_call(struct app *app, const struct call_record *call) {
    struct call_record **link = &app->client.calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    app->client.faults.stall_before = 0; // it had fewer backend calls
    call_ended(app);
}

static void note_call(const char *what, const struct ct_batch *batch,
                      const struct ct_filter *filter) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    if (batch)
        describe_batch(&text, batch);
    else
        describe_filter(&text, filter);
    sct_note_as(SCT_NOTE_CALL, "calls %s: %s", what, buffer);
}

static void note_answer(const struct call_record *call, const struct answer *answer) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    describe_call_answer(&text, call, answer);
    sct_note_as(SCT_NOTE_RETURN, "its call returns %s", buffer);
}

// ---- Calls -------------------------------------------------------------------------------------

static void mark_call(const struct app *app) {
    if (app->mirror.current != app->view.state)
        MARK("a call ends in a later state of its machine");
}

static const struct ct_op_result *execute(struct app *app, struct ct_batch *batch,
                                          struct ct_outcome *outcome) {
    struct ct_op_result *results = ARENA_ARRAY(sct_arena(), struct ct_op_result, batch->count);
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a batch to return");
    *outcome = ct_execute(app->table, batch, sct_arena(), results);
    sct_monitor_cold(&monitor);
    return results;
}

// What is forbidden is refused at once: nothing is asked of anybody, and nothing linearizes.
static void execute_forbidden(struct app *app, struct ct_batch *batch,
                              struct ct_outcome expected_outcome) {
    size_t subscriptions = app->subscriptions, requests = app->client.requests;
    struct answer answer = {0};
    struct answer expected = {.outcome = expected_outcome};
    struct call_record call = {.kind = CALL_BATCH, .batch = *batch};
    begin_call(app, &call);
    answer.results = execute(app, batch, &answer.outcome);
    if (!same_answer(&call, &answer, &expected))
        report_mismatch(&call, &answer, &expected);
    sct_check(app->subscriptions == subscriptions && app->client.requests == requests,
              KIND_FORBIDDEN_EXECUTED, "a batch was refused after it had begun");
    end_call(app, &call);
    app_release_state(app); // no subscription has done so
}

static struct ct_outcome call_execute(struct app *app, struct ct_batch *batch,
                                      const struct ct_op_result **results) {
    struct call_record call = {.kind = CALL_BATCH, .batch = ct_batch_copy(sct_arena(), batch)};
    begin_call(app, &call);
    if (sct_narrating())
        note_call("execute", batch, NULL);
    log_call(app, &call);
    struct answer answer = {0};
    answer.results = execute(app, batch, &answer.outcome);
    log_return(app, &call, &answer);
    if (sct_narrating())
        note_answer(&call, &answer);
    migrating_cover_batch(&app->view, batch, answer.outcome);
    mark_call(app);
    end_call(app, &call);
    check_call(app, &call, &answer);
    *results = answer.results;
    return answer.outcome;
}

static bool must_be_refused(const struct ct_batch *batch, struct ct_outcome *refusal) {
    size_t forbidden;
    if (forbidden_ill_formed(batch)) {
        *refusal = ct_program_error("the batch is ill-formed");
        return true;
    }
    *refusal = ct_storage_error(CT_STATUS_BAD_REQUEST, 0);
    if (!forbidden_expected(batch, &forbidden))
        return false;
    refusal->op_index = forbidden;
    return true;
}

void app_execute(struct app *app, struct ct_batch *batch) {
    struct ct_outcome refusal;
    if (must_be_refused(batch, &refusal)) {
        if (sct_narrating())
            note_call("forbidden execute", batch, NULL);
        execute_forbidden(app, batch, refusal);
        return;
    }
    const struct ct_op_result *results;
    call_execute(app, batch, &results);
}

static void query_forbidden(struct app *app, const struct ct_filter *filter) {
    size_t subscriptions = app->subscriptions, requests = app->client.requests;
    struct answer answer = {0};
    const struct answer expected = {.outcome = ct_program_error("the query has no one partition")};
    struct call_record call = {.kind = CALL_QUERY, .filter = filter};
    begin_call(app, &call);
    answer.outcome = ct_query(app->table, filter, sct_arena(), &answer.rows);
    if (!same_answer(&call, &answer, &expected))
        report_mismatch(&call, &answer, &expected);
    sct_check(app->subscriptions == subscriptions && app->client.requests == requests,
              KIND_FORBIDDEN_EXECUTED, "a query was refused after it had begun");
    end_call(app, &call);
    app_release_state(app); // no subscription has done so
}

static struct ct_outcome call_query(struct app *app, const struct ct_filter *filter,
                                    struct ct_rows *rows) {
    struct call_record call = {.kind = CALL_QUERY, .filter = filter};
    begin_call(app, &call);
    if (sct_narrating())
        note_call("query", NULL, filter);
    log_call(app, &call);
    struct answer answer = {0};
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a query to return");
    answer.outcome = ct_query(app->table, filter, sct_arena(), &answer.rows);
    sct_monitor_cold(&monitor);
    log_return(app, &call, &answer);
    if (sct_narrating())
        note_answer(&call, &answer);
    migrating_cover_query(&app->view, filter, answer.outcome);
    mark_call(app);
    end_call(app, &call);
    check_call(app, &call, &answer);
    *rows = answer.rows;
    return answer.outcome;
}

struct ct_rows app_query(struct app *app, const struct ct_filter *filter) {
    struct ct_rows rows = {.count = 0};
    if (forbidden_query_expected(filter)) {
        if (sct_narrating())
            note_call("forbidden query", NULL, filter);
        query_forbidden(app, filter);
        return rows;
    }
    call_query(app, filter, &rows);
    return rows;
}

// ---- The checked table -------------------------------------------------------------------------

static struct app *app_of_table(struct ct_table *table) {
    return MESSAGE_OF(struct app, checked, table);
}

static struct ct_outcome checked_execute(struct ct_table *table, const char *where,
                                         struct ct_batch *batch, struct arena *arena,
                                         struct ct_op_result *results) {
    const struct ct_op_result *done;
    (void)where;
    (void)arena; // everything lives in the execution's
    struct ct_outcome outcome = call_execute(app_of_table(table), batch, &done);
    if (outcome.kind == CT_SUCCEEDED)
        memcpy(results, done, batch->count * sizeof *results);
    return outcome;
}

static struct ct_outcome checked_query(struct ct_table *table, const char *where,
                                       const struct ct_filter *filter, struct arena *arena,
                                       struct ct_rows *rows) {
    (void)where;
    (void)arena; // as above
    return call_query(app_of_table(table), filter, rows);
}

static struct ct_outcome checked_open_stream(struct ct_table *table, const char *where,
                                             const struct ct_filter *filter,
                                             struct ct_stream **stream) {
    struct ct_table *inner = app_of_table(table)->table;
    return inner->ops->open_stream(inner, where, filter, stream);
}

static void checked_close(struct ct_table *table) {
    ct_close(app_of_table(table)->table);
}

struct ct_table *app_checked_table(struct app *app) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = checked_execute,
                                            .query = checked_query,
                                            .open_stream = checked_open_stream,
                                            .close = checked_close};
    app->checked.ops = &ops;
    return &app->checked;
}

// ---- Streams -----------------------------------------------------------------------------------

static void check_stream_outcome(struct ct_outcome outcome) {
    sct_check(outcome.kind != CT_PROGRAM_ERROR, SCT_KIND_PROGRAM_ERROR, "%s", outcome.message);
    sct_check(outcome.kind == CT_SUCCEEDED, KIND_CALL_FAILED, "a stream failed: %s",
              outcome.message ? outcome.message : "storage error");
}

static void check_continuation(bool has_key, struct ct_key key, const struct ct_row *row) {
    sct_check(has_key, KIND_CONTINUATION_KEY_INVALID,
              "a stream without continuation key returned row '%s' '%s'", row->key.partition,
              row->key.row);
    sct_check(ct_key_compare(key, row->key) <= 0, KIND_CONTINUATION_KEY_INVALID,
              "the continuation key '%s' '%s' lies behind the next row '%s' '%s'", key.partition,
              key.row, row->key.partition, row->key.row);
}

// A stream being read.
struct reader {
    struct app *app;
    struct ct_stream *stream;
    const struct ct_filter *filter;
    struct logged_stream *logged; // NULL: streams are not logged
    size_t start;                 // the reference's revision when it was opened
    enum mt_state opened;         // in which state
};

// What the stream might have returned; there may be several.
static void note_valid_reads(const struct reader *reader, struct ct_key from, const char *actual) {
    char buffer[TEXT_BYTES];
    struct ct_valid_rows valid = ct_memory_valid_rows(
        reader->app->world->tables.reference, reader->start, reader->filter, from, sct_arena());
    for (size_t i = 0; i < valid.count; i++) {
        struct text text = text_in(buffer, sizeof buffer);
        describe_row(&text, valid.rows[i]);
        sct_note_as(SCT_NOTE_EXPECTED, "%s%s", i > 0 ? "or " : "", buffer);
    }
    if (valid.may_end)
        sct_note_as(SCT_NOTE_EXPECTED, "%sthe end", valid.count > 0 ? "or " : "");
    sct_note_as(SCT_NOTE_ACTUAL, "%s", actual);
}

_Noreturn static void report_invalid_read(const struct reader *reader, struct ct_key from,
                                          const struct ct_row *row) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    if (row)
        describe_row(&text, row);
    else
        text_add(&text, "the end");
    if (sct_narrating())
        note_valid_reads(reader, from, buffer);
    sct_violation(
        KIND_STREAM_READ_INVALID,
        "a stream that stands at '%s' '%s' returned %s, which is right at no instant since "
        "it was opened",
        from.partition, from.row, buffer);
}

static void cover_read(const struct reader *reader, struct ct_key from, const struct ct_row *row) {
    const struct app *app = reader->app;
    migrating_cover_read(&app->view, reader->opened, from.partition, row);
    if (app->mirror.current != app->view.state)
        MARK("a read of a stream ends in a later state of its machine");
    if (app->view.state > reader->opened + 1)
        MARK("a stream outlives two changes of state");
}

static struct ct_outcome open_stream(struct reader *reader) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a stream to open");
    struct ct_outcome outcome = ct_open_stream(reader->app->table, reader->filter, &reader->stream);
    sct_monitor_cold(&monitor);
    return outcome;
}

static struct ct_outcome read_stream(struct ct_stream *stream, const struct ct_row **row) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a read of a stream to return");
    struct ct_outcome outcome = ct_stream_read(stream, row);
    sct_monitor_cold(&monitor);
    return outcome;
}

static void close_stream(struct ct_stream *stream) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a stream to close");
    ct_stream_close(stream);
    sct_monitor_cold(&monitor);
}

// Whether a server error befell the stream's change of state: no read succeeds any more.
static bool has_failed_for_ever(struct app *app, struct ct_stream *stream,
                                struct ct_outcome outcome) {
    const struct ct_row *row = NULL;
    if (!app->client.faults.failed || !ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
        return false;
    app->client.faults.failed = NULL;
    return ct_failed_with(read_stream(stream, &row), CT_STATUS_SERVER_ERROR);
}

static void note_read(const struct ct_row *row) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    if (row)
        describe_row(&text, row);
    sct_note_as(SCT_NOTE_RETURN, "its stream gives %s%s", row ? "" : "the end", buffer);
}

// Reads one row at or behind *[from] and moves *[from] behind it. False at the end.
static bool read_checked(struct reader *reader, struct ct_key *from) {
    struct app *app = reader->app;
    struct ct_stream *stream = reader->stream;
    struct ct_key key = {NULL, NULL};
    const struct ct_row *row = NULL;
    bool has_key = ct_stream_continuation_key(stream, &key);
    sct_check(!has_key || ct_key_compare(key, *from) >= 0, KIND_CONTINUATION_KEY_INVALID,
              "the continuation key '%s' '%s' lies before the stream's place '%s' '%s'",
              key.partition, key.row, from->partition, from->row);
    app_take_view(app, app->mirror.current);
    struct ct_outcome outcome = read_stream(stream, &row);
    if (met_server_error(app, outcome))
        return true; // it stands where it stood
    if (has_failed_for_ever(app, stream, outcome))
        return false;
    check_stream_outcome(outcome);
    if (sct_narrating())
        note_read(row);
    cover_read(reader, *from, row);
    if (reader->logged)
        table_log_read(app->world->log, reader->logged, row);
    if (!client_peek_valid(&app->client, HERE, reader->start, reader->filter, *from, row) &&
        !ignores_annotations(app))
        report_invalid_read(reader, *from, row);
    if (!row)
        return false;
    check_continuation(has_key, key, row);
    *from = ct_key_next(row->key, sct_arena());
    app->seen.from = *from;
    app->seen.digested = 0;
    return true;
}

// From here on the stream's answers depend on what becomes of the reference.
static void begin_reading(struct reader *reader) {
    struct app *app = reader->app;
    reader->start = client_peek_revision(&app->client, HERE);
    app->reads = true;
    app->client.touches = &app->access; // the stream's state is shared from now on
    app->world->tables.watchers++;
    app->seen = (struct ct_memory_window){.table = app->world->tables.reference,
                                          .start = reader->start,
                                          .filter = reader->filter,
                                          .from = ct_key_first()};
}

static void end_reading(struct app *app) {
    app->reads = false;
    app->world->tables.watchers--;
}

// Rows that were read are done with; the stream's own state is its subscription's.
static void forget_rows(struct digest mark, struct ct_key from) {
    if (!sct_comparing())
        return;
    struct digest place = digest_fold_text(digest_fold_text(mark, from.partition), from.row);
    sct_forget(mark, &place, sizeof place);
}

static void no_pause(struct app *app) {
    (void)app;
}

void app_stream(struct app *app, const struct ct_filter *filter) {
    app_stream_slowly(app, filter, no_pause, READ_TO_END);
}

void app_stream_slowly(struct app *app, const struct ct_filter *filter,
                       void (*pause)(struct app *app), uint32_t reads) {
    if (sct_narrating())
        note_call("stream", NULL, filter);
    sct_count_operation();
    struct reader reader = {.app = app, .filter = filter};
    begin_reading(&reader);
    if (app->world->log)
        reader.logged = table_log_open(app->world->log, filter);
    struct ct_outcome outcome = open_stream(&reader);
    if (met_server_error(app, outcome)) {
        end_reading(app);
        return;
    }
    check_stream_outcome(outcome);
    reader.opened = app->view.state;
    struct ct_key from = ct_key_first();
    struct digest mark = sct_observed();
    pause(app);
    while (reads > 0 && read_checked(&reader, &from)) {
        reads -= reads < READ_TO_END;
        forget_rows(mark, from);
        pause(app);
    }
    if (reads == 0)
        MARK("a stream is closed before its end");
    end_reading(app);
    forget_rows(mark, ct_key_first());
    app_release_state(app);
    close_stream(reader.stream);
    call_ended(app);
}
