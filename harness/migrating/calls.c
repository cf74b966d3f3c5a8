// Atomic calls of an application: each is recorded, made, logged and compared with the reference.
#include "core/engine/monitor.h"
#include "harness/migrating/answers.h"
#include "harness/migrating/checks.h"
#include "harness/migrating/forbidden.h"
#include "harness/migrating/situations.h"
#include "harness/table/kinds.h"
#include "model/table/batch.h"

#include <string.h>

// ---- Checks ------------------------------------------------------------------------------------

// A call with an unknown outcome may have happened, and then with success, or not.
static void check_unknown(const struct call_record *call) {
    sct_check(!call->is_linearized || call->outcome.kind == CT_SUCCEEDED, KIND_OUTCOME_MISMATCH,
              "a batch that was not answered was done; the reference table refuses it");
}

// A call that a server error befell has not happened. No other may fail so.
// What was annotated as a linearization point has changed the reference: to tell the application
// then that nothing was done is bug UnknownTakenForNotDone.
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
    // A lost answer may also end as a server error: where a look at the row has proved that nothing
    // was done.
    bool has_failed = app_met_server_error(app, actual->outcome) ||
                      (has_lost_answer && ct_failed_with(actual->outcome, CT_STATUS_SERVER_ERROR));
    sct_check(!is_unknown || (has_lost_answer && call->kind == CALL_BATCH), KIND_CALL_FAILED,
              "the outcome of a call is unknown, but every answer came");
    if (app_ignores_annotations(app)) { // what else would say that it has ended so?
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
    // From here on the answer is known, so the reference must have had its turn, and must have said
    // the same.
    sct_check(call->is_linearized, KIND_NO_LINEARIZATION_POINT,
              "a call ended without a linearization point%s%s", actual->outcome.message ? ": " : "",
              actual->outcome.message ? actual->outcome.message : "");
    bool is_batch_success = call->kind == CALL_BATCH && actual->outcome.kind == CT_SUCCEEDED;
    // Two checks, for the results pass through two hands: what was reported at the linearization
    // point goes to the reference, what the application gets comes from the end of the call.
    if (call->reported)
        sct_check(is_batch_success &&
                      answer_same_results(call->reported, actual->results, call->batch.count),
                  KIND_RESULTS_MISMATCH,
                  "a batch's results differ from those reported at its linearization point");
    struct answer expected = {call->outcome, call->results, call->rows};
    if (!answer_same(call, actual, &expected))
        answer_report_mismatch(call, actual, &expected);
}

// The log must know of it: a condition may match an ETag that no call has returned.
struct ct_rows app_peek_rows(struct app *app) {
    struct ct_rows rows = client_peek_rows(&app->client, HERE);
    if (app->world->log)
        table_log_peek(app->world->log, rows);
    return rows;
}

// Logged before the first request and after the last: the history's intervals hold the real ones,
// so the checker can only be too mild.
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
    // A list, since a hook of a published case makes a call in the midst of another one. Each finds
    // its own by the strand that runs it.
    call->next = app->client.calls;
    app->client.calls = call;
    app_take_view(app, app->mirror.current); // for a call that is refused before it subscribes
}

static void end_call(struct app *app, const struct call_record *call) {
    struct call_record **link = &app->client.calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    app->client.faults.stall_before = 0; // it had fewer backend calls
    app->noticed.requests = 0;
    app_call_ended(app);
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

// What is forbidden is refused at once: nothing is asked of anybody, and nothing linearizes. Not
// inlined: what it has on the stack would lie beneath every other call, and searches copy stacks.
__attribute__((noinline)) static void execute_forbidden(struct app *app, struct ct_batch *batch,
                                                        struct ct_outcome expected_outcome) {
    size_t subscriptions = app->subscriptions, requests = app->client.requests;
    struct answer answer = {0};
    struct answer expected = {.outcome = expected_outcome};
    struct call_record call = {.kind = CALL_BATCH, .batch = *batch};
    begin_call(app, &call);
    answer.results = execute(app, batch, &answer.outcome);
    if (!answer_same(&call, &answer, &expected))
        answer_report_mismatch(&call, &answer, &expected);
    // A refusal costs nothing: no subscription, no request to a table.
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
        app_note_call("execute", batch, NULL);
    log_call(app, &call);
    struct answer answer = {0};
    answer.results = execute(app, batch, &answer.outcome);
    log_return(app, &call, &answer);
    if (sct_narrating())
        answer_note_return(&call, &answer);
    migrating_cover_batch(&app->view, batch, answer.outcome);
    migrating_count_situations(app, &call, answer.outcome);
    mark_call(app);
    end_call(app, &call);
    check_call(app, &call, &answer);
    *results = answer.results;
    return answer.outcome;
}

static bool must_be_refused(const struct app *app, const struct ct_batch *batch,
                            struct ct_outcome *refusal) {
    const struct tables *tables = &app->world->tables;
    size_t forbidden;
    if (forbidden_ill_formed(batch)) {
        *refusal = ct_program_error("the batch is ill-formed");
        return true;
    }
    *refusal = ct_storage_error(CT_STATUS_BAD_REQUEST, 0);
    if (!forbidden_expected(batch, tables->options.limits, &forbidden))
        return false;
    refusal->op_index = forbidden;
    return true;
}

void app_execute(struct app *app, struct ct_batch *batch) {
    struct ct_outcome refusal;
    if (must_be_refused(app, batch, &refusal)) {
        if (sct_narrating())
            app_note_call("forbidden execute", batch, NULL);
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
    if (!answer_same(&call, &answer, &expected))
        answer_report_mismatch(&call, &answer, &expected);
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
        app_note_call("query", NULL, filter);
    log_call(app, &call);
    struct answer answer = {0};
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a query to return");
    answer.outcome = ct_query(app->table, filter, sct_arena(), &answer.rows);
    sct_monitor_cold(&monitor);
    log_return(app, &call, &answer);
    if (sct_narrating())
        answer_note_return(&call, &answer);
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
            app_note_call("forbidden query", NULL, filter);
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
