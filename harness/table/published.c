// The published transport: calls are requests and replies through mailboxes, exactly as the
// published harness sends them, so that its detection rates can be compared.
//
// A call is a request to the host (a scheduling point after the send), its reply (again), and a
// message of the caller to itself on taking the reply (again): configuration messages queued
// meanwhile come first. A machine's activities share one task; they hand control to each other
// without a scheduling point.
#include "harness/table/transport.h"

void published_call(struct client *client, struct remote_call *call, uint32_t kind,
                    const char *label, const char *where) {
    call->client = client;
    call->waiter = sct_self();
    call->request.kind = kind;
    sct_send(client->host->machine, &call->request, label, where);
    sct_park(label);
}

void published_reply(struct remote_call *call, const char *label) {
    call->reply.kind = MESSAGE_REPLY;
    sct_send(call->client->machine, &call->reply, label, NULL);
}

static uint32_t kind_of(const struct request *request) {
    if (request->kind == REQUEST_ANNOTATE)
        return MESSAGE_ANNOTATION;
    return request_is_annotatable(request) ? MESSAGE_ANNOTATABLE_CALL : MESSAGE_FREE_CALL;
}

static void published_request(struct client *client, struct request *request) {
    struct remote_call call;
    call.payload = request;
    published_call(client, &call, kind_of(request), request->label, request->where);
}

void published_serve(struct tables_host *host) {
    const uint32_t table_calls =
        SCT_KIND_BIT(MESSAGE_ANNOTATABLE_CALL) | SCT_KIND_BIT(MESSAGE_FREE_CALL);
    for (;;) {
        bool is_ready = !host->tables->awaits_annotation;
        // Calls stay in the mailbox until the annotation has come; annotations and messages of the
        // protocol are taken in any state.
        uint32_t taken = is_ready ? UINT32_MAX : ~table_calls;
        struct sct_message *message = sct_receive(taken, is_ready, "the next request");
        if (message->kind >= MESSAGE_USER) {
            host->on_message(host, message);
            continue;
        }
        struct remote_call *call = MESSAGE_OF(struct remote_call, request, message);
        tables_serve(host->tables, call->payload);
        published_reply(call, "reply");
    }
}

void published_client_loop(struct client *client,
                           void (*on_message)(struct client *client, struct sct_message *message)) {
    for (;;) {
        struct sct_message *message = sct_receive(UINT32_MAX, true, "the next message");
        // The reply is not acted upon at once: it goes through the mailbox once more, as in the
        // published harness, and what was queued before it comes first.
        if (message->kind == MESSAGE_REPLY) {
            struct remote_call *call = MESSAGE_OF(struct remote_call, reply, message);
            call->resume.kind = MESSAGE_CONTINUE;
            sct_send(client->machine, &call->resume, "continue", NULL);
        } else if (message->kind == MESSAGE_CONTINUE) {
            sct_wake(MESSAGE_OF(struct remote_call, resume, message)->waiter);
        } else {
            on_message(client, message);
        }
    }
}

// ---- The environment ---------------------------------------------------------------------------

static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    (void)env;
    (void)where;
    sct_mutex_acquire(&lock->mutex, "a lock");
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    (void)env;
    sct_activity_start(name, function, argument);
}

const struct transport transport_published = {
    .request = published_request,
    .lock_acquire = lock_acquire,
    .start = start,
};
