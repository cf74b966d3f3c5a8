// The direct transport: a scheduling point before each call, and nothing between a call and its
// annotation. Concurrent activities are tasks, so a configuration change may fall anywhere.
#include "core/engine/inside.h"
#include "harness/table/transport.h"

// Counts a backend call and tells whether it fails.
static bool meets_server_error(struct client *client, const struct request *request) {
    struct client_faults *faults = &client->faults;
    if (!request_is_backend_call(request))
        return false;
    // The death is a task of another machine, so this call is still served; it comes at some later
    // step.
    if (++faults->calls == faults->death_after)
        faults->die(client);
    if (faults->calls != faults->server_error_at)
        return false;
    faults->failed = sct_self();
    return true;
}

// Counts a batch and tells whether its answer is lost.
// Only batches: a read that is not answered has changed nothing and is a server error.
static bool loses_answer(struct client *client, const struct request *request) {
    struct client_faults *faults = &client->faults;
    if (request->kind != REQUEST_EXECUTE || (faults->may_lose && !faults->may_lose(request)) ||
        ++faults->writes != faults->lost_answer_at)
        return false;
    faults->lost = sct_self();
    return true;
}

static bool is_done_unanswered(const struct client_faults *faults) {
    if (faults->loss == LOSS_DRAWN)
        return sct_choose(2, "done, but not answered") == 1;
    return faults->loss == LOSS_OF_DONE;
}

// A request names what it touches when it is served: what was refused has changed nothing.
static void take_point(struct client *client, const char *label, const char *where,
                       const struct sct_access *access) {
    sct_point(label, where, sct_reducing() ? &sct_access_none : access);
    client_touch(client);
}

static void serve_when_ready(struct client *client, struct request *request) {
    struct tables_host *host = client->host;
    // Nothing lies between a call and its annotation here, so somebody waits only if one is missing
    // (bug MissingAnnotation): then all do, and the deadlock tells.
    while (host->tables->awaits_annotation)
        sct_waiters_wait(&host->ready, "the annotation of the last backend call");
    // An arrow that arrives in the step in which it begins.
    if (sct_narrating() && request_is_backend_call(request)) {
        sct_tell_sent(request, host->machine, request->label);
        sct_tell_taken(request, host->machine);
    }
    if (meets_server_error(client, request))
        tables_fail(request);
    else if (loses_answer(client, request))
        tables_lose(host->tables, request, is_done_unanswered(&client->faults));
    else
        tables_serve(host->tables, request);
}

static bool counts_for_stall(const struct client *client, const struct request *request) {
    if (client->faults.stalls_in_window)
        return request->call && request->call->has_begun &&
               (request->kind == REQUEST_EXECUTE || request->call->kind == CALL_QUERY);
    return request_is_backend_call(request);
}

// The caller stands still, if that is its lot here.
static void stall(struct client *client, const struct request *request) {
    struct client_faults *faults = &client->faults;
    if (faults->stall_after_loss && faults->lost == sct_self() &&
        request_is_backend_call(request)) {
        void (*stall_after_loss)(struct client * client) = faults->stall_after_loss;
        faults->stall_after_loss = NULL; // of that loss alone
        stall_after_loss(client);
    }
    if (faults->stall_before > 0 && (request->call || !client->may_linearize) &&
        counts_for_stall(client, request) && --faults->stall_before == 0)
        faults->stall(client);
    bool is_of_stream =
        request->kind == REQUEST_OPEN_STREAM || request->kind == REQUEST_READ_STREAM;
    if (is_of_stream && faults->stream_stall_before > 0 && --faults->stream_stall_before == 0)
        faults->stall_stream(client);
}

static void direct_request(struct client *client, struct request *request) {
    struct tables_host *host = client->host;
    if (request->kind == REQUEST_ANNOTATE) { // the same step as its call
        tables_serve(host->tables, request);
        if (sct_comparing() && request->as.annotation->linearization_point)
            sct_observe_digest(call_digest(request->call));
        // Who waits has met the tables between a call and its annotation, in steps that touch all.
        if (sct_waiters_any(&host->ready))
            sct_waiters_wake(&host->ready);
        return;
    }
    stall(client, request);
    const struct sct_access access = request_access(request);
    // The validity of a streamed read is judged at its very return.
    if (request->kind != REQUEST_PEEK_VALID)
        take_point(client, request->label, request->where, &access);
    serve_when_ready(client, request);
    if (sct_comparing())
        sct_observe_digest(request_digest(request));
}

// ---- The environment ---------------------------------------------------------------------------

// Which of two tasks gets a lock first matters: a scheduling point.
static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    struct client *client = (struct client *)env;
    take_point(client, "lock", where, &lock->access);
    sct_mutex_acquire(&lock->mutex, "a lock");
    client_touch(client); // it may have waited
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    const struct client *client = (struct client *)env;
    sct_task_start_with(client->machine, name, function, argument,
                        client->touches ? client->touches : &sct_access_unknown);
}

const struct transport transport_direct = {
    .request = direct_request,
    .lock_acquire = lock_acquire,
    .start = start,
};
