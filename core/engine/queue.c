#include "core/engine/state.h"
#include "core/engine/wait.h"

void sct_queue_init(struct sct_queue *queue) {
    queue->first = NULL;
    queue->last = &queue->first;
}

// Places lie in the frames of those who wait, so a queue needs no memory of its own; a stopped
// one's frame stays until the execution ends, and so may its place.
void sct_queue_append(struct sct_queue *queue, struct sct_waiting *waiting) {
    ASSERT(!*queue->last);
    waiting->queue = queue;
    waiting->next = NULL;
    // Each knows the pointer that points to it, so that it can leave from the middle in constant
    // time.
    waiting->link = queue->last;
    *queue->last = waiting;
    queue->last = &waiting->next;
}

void sct_queue_take_out(struct sct_waiting *waiting) {
    ASSERT(waiting->queue && *waiting->link == waiting);
    *waiting->link = waiting->next;
    if (waiting->next)
        waiting->next->link = waiting->link;
    else
        waiting->queue->last = waiting->link;
}

static bool is_living(const struct sct_waiting *waiting) {
    return !waiting->strand->is_stopped;
}

static struct sct_waiting *first_living(struct sct_waiting *waiting) {
    while (waiting && !is_living(waiting))
        waiting = waiting->next;
    return waiting;
}

// Who is granted its step, or gives up, is enabled; the step that brings that about is its cause
// only if it could not have gone on anyway.
void sct_waiting_enable(struct sct_engine *engine, const struct sct_waiting *waiting) {
    const struct sct_task *task = waiting->strand->task;
    if (!waiting->is_granted && !waiting->may_give_up) {
        sct_slots_remove(&engine->now.enabled, task->slot);
        return;
    }
    if (__builtin_expect(engine->seam.follows_causes, 0) &&
        !sct_slots_have(&engine->now.enabled, task->slot))
        engine->seam.calls->grant(engine->seam.search, task->slot);
    sct_slots_add(&engine->now.enabled, task->slot);
}

// All who wait are enabled, not the first: who comes to it is decided when one of them is chosen,
// and that one's step takes the right away from the rest.
void sct_queue_grant(struct sct_queue *queue, bool can_go_on) {
    for (struct sct_waiting *waiting = queue->first; waiting; waiting = waiting->next) {
        waiting->is_granted = can_go_on;
        if (is_living(waiting))
            sct_waiting_enable(sct_engine_now, waiting);
    }
}

uint32_t sct_queue_count(const struct sct_queue *queue) {
    uint32_t count = 0;
    for (const struct sct_waiting *waiting = queue->first; waiting; waiting = waiting->next)
        count += is_living(waiting);
    return count;
}

struct sct_waiting *sct_queue_at(const struct sct_queue *queue, uint32_t index) {
    struct sct_waiting *waiting = first_living(queue->first);
    ASSERT(index < sct_queue_count(queue));
    for (; waiting && index > 0; index--)
        waiting = first_living(waiting->next);
    ASSERT(waiting);
    return waiting;
}

// Of those who wait until nothing else can run, the one whose task has taken the fewest steps: all
// come to their turn. NULL: there is none.
static struct sct_waiting *find_idle(const struct sct_engine *engine) {
    struct sct_waiting *found = NULL;
    uint32_t fewest = UINT32_MAX;
    for (struct sct_strand *strand = engine->now.strands; strand; strand = strand->next) {
        struct sct_waiting *waiting = strand->waiting;
        if (!waiting || !waiting->is_idle || engine->slots[strand->task->slot].steps >= fewest)
            continue;
        found = waiting;
        fewest = engine->slots[strand->task->slot].steps;
    }
    return found;
}

bool sct_time_passes(struct sct_engine *engine) {
    ASSERT(sct_slots_are_empty(&engine->now.enabled));
    // All of them at once: which of them then does is the strategy's to say, as if the clock had
    // jumped far ahead.
    bool any = false;
    for (struct sct_strand *strand = engine->now.strands; strand; strand = strand->next) {
        struct sct_waiting *waiting = strand->waiting;
        if (!waiting || !waiting->is_timed)
            continue;
        waiting->may_give_up = any = true;
        sct_waiting_enable(engine, waiting);
    }
    // One at a time, and only where no clock can help: each of them waits for nothing else to run.
    struct sct_waiting *idle = any ? NULL : find_idle(engine);
    if (idle) {
        idle->may_give_up = any = true;
        sct_waiting_enable(engine, idle);
    }
    ASSERT(any != sct_slots_are_empty(&engine->now.enabled));
    if (any && engine->seam.follows_causes)
        engine->seam.calls->time_passes(engine->seam.search);
    return any;
}
