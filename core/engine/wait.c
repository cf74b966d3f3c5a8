#include "core/engine/wait.h"
#include "core/engine/state.h"

// Of those that may end sooner or later.
static const char *const patience_labels[] = {
    [SCT_WAIT_TIMED] = "time out",
    [SCT_WAIT_SPURIOUS] = "wake up spuriously",
    [SCT_WAIT_IDLE] = NULL,
};

// What the task of [waiting] does when it is chosen next.
static void announce(struct sct_engine *engine, struct sct_waiting *waiting,
                     const struct sct_awaited *step) {
    struct sct_slot *slot = &engine->slots[waiting->strand->task->slot];
    ASSERT(step->label && step->waits_for);
    waiting->access = step->access;
    waiting->thing = step->thing;
    waiting->explain = step->explain;
    waiting->strand->waits_for = step->waits_for;
    slot->label = step->label;
    slot->where = step->where;
    slot->access = &waiting->access;
}

bool sct_await(struct sct_queue *queue, const struct sct_awaited *step, enum sct_patience patience,
               bool can_go_on) {
    struct sct_engine *engine = sct_engine_running();
    struct sct_strand *self = engine->self;
    // Nobody else runs in setup and final check: what cannot go on now never will.
    if (!engine->now.current) {
        sct_check(can_go_on, SCT_KIND_DEADLOCK, "an atomic phase waits for %s", step->waits_for);
        return true;
    }
    ASSERT(!self->is_activity && !self->waiting);
    // A choice that is made when the wait begins: at its end there would be a second way on, and a
    // search would have to try both at every step of others in between.
    struct sct_waiting waiting = {
        .strand = self,
        .is_granted = can_go_on,
        .may_give_up = patience_labels[patience] && sct_choose(2, patience_labels[patience]),
        .is_timed = patience == SCT_WAIT_TIMED,
        .is_idle = patience == SCT_WAIT_IDLE,
    };
    sct_queue_append(queue, &waiting);
    ASSERT(!self->waits_for);
    self->waiting = &waiting;
    announce(engine, &waiting, step);
    sct_waiting_enable(engine, &waiting);
    sct_reschedule(engine);
    ASSERT(self->waiting == &waiting);
    // Chosen while it can go on, and still so: nobody runs between being chosen and this.
    ASSERT(waiting.is_granted || waiting.may_give_up);
    self->waits_for = NULL;
    self->waiting = NULL;
    sct_queue_take_out(&waiting);
    if (sct_keeps_digests(engine)) // until now its state was that it waits (explore.c)
        sct_observe(&waiting.is_granted, sizeof waiting.is_granted);
    return waiting.is_granted;
}

void sct_queue_move(struct sct_waiting *waiting, struct sct_queue *queue,
                    const struct sct_awaited *step, bool can_go_on) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(waiting->strand->waiting == waiting);
    ASSERT(waiting->queue != queue);
    sct_queue_take_out(waiting);
    sct_queue_append(queue, waiting);
    if (sct_keeps_digests(engine)) { // what it waits for now is another thing
        struct digest *observed = &engine->seats[waiting->strand->task->slot].observed;
        *observed = digest_fold_text(*observed, step->label);
    }
    waiting->is_granted = can_go_on;
    // What it waits for now has no end of its own (a condition's timed wait, once signalled, waits
    // for the lock as long as it takes).
    waiting->may_give_up = waiting->is_timed = waiting->is_idle = false;
    announce(engine, waiting, step);
    sct_waiting_enable(engine, waiting);
}

// Whoever wakes it has taken it out.
void sct_linger(struct sct_queue *queue, const char *waits_for) {
    struct sct_engine *engine = sct_engine_running();
    struct sct_waiting waiting = {.strand = engine->self};
    ASSERT(!engine->self->waiting);
    sct_queue_append(queue, &waiting);
    struct digest before = {0, 0};
    if (sct_keeps_digests(engine))
        before = *sct_running_digest(engine);
    sct_park_quietly(engine, waits_for);
    if (sct_keeps_digests(engine) && !engine->seam.observes_all)
        *sct_running_digest(engine) = before; // that it waited makes no difference
}

// An activity that is woken runs at once, and may queue again: so the queue is emptied first.
void sct_queue_wake_all(struct sct_queue *queue) {
    struct sct_waiting *waiting = queue->first;
    sct_queue_init(queue);
    while (waiting) {
        ASSERT(!waiting->strand->waiting);        // it lingers, and awaits no step
        struct sct_waiting *next = waiting->next; // its frame may be gone afterwards
        sct_wake_quietly(sct_engine_now, waiting->strand);
        waiting = next;
    }
}
