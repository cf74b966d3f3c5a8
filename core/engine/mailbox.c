#include "core/engine/state.h"

// What it says is a function of what the sender has observed and said so far.
static void sign(struct sct_engine *engine, struct sct_message *message) {
    // So contents are never digested: two messages of senders that know the same, of one kind, say
    // the same. The sender counts it as said, or two messages in a row would be one.
    message->digest = digest_fold(*sct_running_digest(engine), message->kind);
    *sct_running_digest(engine) = message->digest;
}

__attribute__((noinline)) static void watch_post(struct sct_engine *engine, struct sct_machine *to,
                                                 struct sct_message *message, const char *label) {
    if (engine->listener)
        sct_tell_sent(message, to, label);
    sct_step_touches(engine, SCT_ACCESS_MAILBOXES, to->index);
    sct_edge_release(&message->edge);
    if (sct_keeps_digests(engine))
        sign(engine, message);
}

static inline void post(struct sct_engine *engine, struct sct_machine *to,
                        struct sct_message *message, const char *label) {
    ASSERT(message->kind < 32);
    ASSERT(!*to->last);
    message->next = NULL;
    message->sender = engine->now.current ? engine->now.current->machine : NULL;
    message->edge = NULL;
    if (sct_is_watched(engine))
        watch_post(engine, to, message, label);
    *to->last = message;
    to->last = &message->next;
    // Enabled by what it can take only: it would wake up to park again, a decision for nothing.
    if (to->receiver && (to->receives & SCT_KIND_BIT(message->kind)))
        sct_enable(engine, to->receiver);
}

void sct_post(struct sct_machine *to, struct sct_message *message) {
    post(sct_engine_running(), to, message, "message");
}

void sct_send(struct sct_machine *to, struct sct_message *message, const char *label,
              const char *where) {
    struct sct_engine *engine = sct_engine_running();
    // Sent before the point, not at it: who is chosen there may find the message already. The order
    // of two senders is decided at the points that lead here.
    post(engine, to, message, label);
    sct_point_in(engine, label, where, &sct_access_unknown);
}

// The first of these kinds: those of one kind are taken in the order in which they were sent.
static struct sct_message *take(struct sct_machine *machine, uint32_t kinds) {
    struct sct_message **link = machine->passed, *message;
    // Who wants none of what was passed by goes on behind it: what nobody takes may be much, and
    // would be looked at by everybody.
    if (kinds & machine->skipped) {
        link = &machine->first;
        machine->skipped = 0;
    }
    for (; (message = *link) && !(kinds & SCT_KIND_BIT(message->kind)); link = &message->next) {
        machine->skipped |= SCT_KIND_BIT(message->kind);
        sct_engine_now->passed_messages++;
    }
    machine->passed = link;
    if (!message)
        return NULL;
    *link = message->next;
    // It was the last: the next one is appended where it stood.
    if (machine->last == &message->next)
        machine->last = link;
    return message;
}

// The running task, the machine's receiver, waits until a message of [kinds] is there.
static struct sct_message *wait_for_message(struct sct_engine *engine, struct sct_machine *machine,
                                            uint32_t kinds, const char *label) {
    struct sct_task *task = engine->now.current;
    struct digest before = {0, 0};
    if (sct_keeps_digests(engine))
        before = *sct_running_digest(engine);
    struct sct_message *message;
    do {
        ASSERT(!machine->receiver);
        // One of its tasks at a time, so that it is clear whom a message enables.
        machine->receiver = task;
        machine->receives = kinds;
        sct_park_quietly(engine, label);
        ASSERT(machine->receiver == task);
        machine->receiver = NULL;
        sct_step_touches(engine, SCT_ACCESS_MAILBOXES, machine->index);
        if (sct_keeps_digests(engine) && !engine->seam.observes_all)
            *sct_running_digest(engine) = before; // that it waited makes no difference
    } while (!(message = take(machine, kinds)));
    return message;
}

__attribute__((noinline)) static void watch_receive(struct sct_engine *engine,
                                                    const struct sct_machine *machine,
                                                    const struct sct_message *message) {
    sct_edge_acquire(message->edge);
    if (sct_keeps_digests(engine))
        sct_observe_digest(message->digest);
    if (engine->listener)
        sct_tell_taken(message, machine);
}

struct sct_message *sct_receive(uint32_t kinds, bool may_idle, const char *label) {
    struct sct_engine *engine = sct_engine_running();
    struct sct_task *task = engine->now.current;
    ASSERT(task && engine->self == &task->own);
    ASSERT(kinds != 0);
    struct sct_machine *machine = task->machine;
    sct_step_touches(engine, SCT_ACCESS_MAILBOXES, machine->index);
    struct sct_message *message = take(machine, kinds);
    if (!message) {
        task->is_idle = may_idle;
        message = wait_for_message(engine, machine, kinds, label);
        task->is_idle = false;
    }
    if (sct_is_watched(engine))
        watch_receive(engine, machine, message);
    return message;
}

void sct_call(struct sct_machine *to, struct sct_call *call, const char *label, const char *where) {
    call->caller = sct_self();
    // Set before the call is sent: it may be answered before this one runs again.
    call->is_answered = false;
    ASSERT(!call->caller->is_activity);
    sct_send(to, &call->message, label, where);
    sct_step_touches(sct_engine_now, SCT_ACCESS_WAITS, 0);
    // Answered before the wait has begun: there is nobody to be woken.
    if (!call->is_answered)
        sct_park_quietly(sct_engine_now, label);
    sct_edge_acquire(call->message.edge);
}

void sct_answer(struct sct_call *call) {
    ASSERT(!call->is_answered);
    struct sct_engine *engine = sct_engine_running();
    sct_step_touches(engine, SCT_ACCESS_WAITS, 0);
    if (sct_keeps_digests(engine)) { // the caller learns what the answerer knows
        struct digest *caller = &engine->seats[call->caller->task->slot].observed;
        *caller = digest_fold_digest(*caller, *sct_running_digest(engine));
    }
    // The flag first: whoever is woken looks at it.
    call->is_answered = true;
    sct_edge_release(&call->message.edge);
    if (call->caller->waits_for)
        sct_wake_quietly(engine, call->caller);
}
