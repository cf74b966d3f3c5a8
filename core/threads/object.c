#include "core/threads/object.h"
#include "core/engine/state.h"

#include <string.h>

// ---- Objects -----------------------------------------------------------------------------------

struct sct_label {
    const char *verb;
    const char *text;
    struct sct_label *next;
};

void sct_object_init(struct sct_object *object, const char *kind, const char *name) {
    ASSERT(sct_engine_inside());
    ASSERT(name);
    sct_step_touches(sct_engine_now, SCT_ACCESS_NUMBERS, 0);
    *object = (struct sct_object){
        .kind = kind,
        .name = name,
        .execution = sct_engine_now->executions,
        .number = sct_engine_now->object_count++,
    };
}

void sct_object_destroy(struct sct_object *object) {
    if (sct_engine_inside()) // who comes to wait looks at this without a step of its own
        sct_touch(&sct_access_unknown);
    object->name = NULL;
}

void sct_object_misused(const struct sct_object *object, const char *what) {
    sct_violation(SCT_KIND_PROGRAM_ERROR, "%s '%s' %s", object->kind, object->name, what);
}

void sct_object_check(const struct sct_object *object) {
    ASSERT(sct_engine_inside());
    sct_check(object->execution == sct_engine_now->executions, SCT_KIND_PROGRAM_ERROR,
              "a lock, thread or the like is used before it is initialised in this execution");
    sct_check(object->name, SCT_KIND_PROGRAM_ERROR, "a %s is used after it was destroyed",
              object->kind);
}

// Made once for each verb: the steps themselves format nothing.
const char *sct_object_label(struct sct_object *object, const char *verb) {
    for (const struct sct_label *label = object->labels; label; label = label->next)
        if (label->verb == verb)
            return label->text;
    size_t verb_bytes = strlen(verb), name_bytes = strlen(object->name);
    char *text = arena_alloc(sct_arena(), verb_bytes + name_bytes + 2);
    memcpy(text, verb, verb_bytes);
    text[verb_bytes] = ' ';
    memcpy(text + verb_bytes + 1, object->name, name_bytes + 1);
    struct sct_label *label = ARENA_NEW(sct_arena(), struct sct_label);
    *label = (struct sct_label){.verb = verb, .text = text, .next = object->labels};
    object->labels = label;
    return text;
}

static struct sct_access access_of(const struct sct_object *object, enum sct_access_mode mode) {
    return (struct sct_access){
        .mode = mode,
        .object = SCT_ACCESS_PRIMITIVES,
        .low = object->number,
        .high = object->number,
    };
}

static void take_point(struct sct_object *object, const char *verb, const char *where,
                       const struct sct_access *access) {
    sct_point(sct_object_label(object, verb), where, access);
    sct_object_check(object); // another task may have destroyed it meanwhile
}

void sct_object_point(struct sct_object *object, const char *verb, enum sct_access_mode mode,
                      const char *where) {
    sct_object_check(object);
    struct sct_access access = access_of(object, mode);
    take_point(object, verb, where, &access);
}

void sct_object_point_both(struct sct_object *object, struct sct_object *other, const char *verb,
                           const char *where) {
    sct_object_check(object);
    sct_object_check(other);
    struct sct_access access = access_of(object, SCT_ACCESS_WRITE);
    if (other->number < access.low)
        access.low = other->number;
    else
        access.high = other->number;
    take_point(object, verb, where, &access);
    sct_object_check(other);
}

// ---- Queues ------------------------------------------------------------------------------------

void sct_queue_init(struct sct_queue *queue) {
    queue->first = NULL;
    queue->last = &queue->first;
}

static void append(struct sct_queue *queue, struct sct_waiting *waiting) {
    waiting->queue = queue;
    waiting->next = NULL;
    waiting->link = queue->last;
    *queue->last = waiting;
    queue->last = &waiting->next;
}

static void take_out(struct sct_waiting *waiting) {
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

// Keeps the set of enabled tasks up to date.
static void enable(struct sct_engine *engine, const struct sct_waiting *waiting) {
    uint64_t bit = UINT64_C(1) << waiting->strand->task->slot;
    if (waiting->is_granted || waiting->may_give_up) {
        if (sct_is_reducing(engine) && !(engine->enabled & bit))
            sct_reducer_grant(engine->reducer, waiting->strand->task->slot);
        engine->enabled |= bit;
    } else {
        engine->enabled &= ~bit;
    }
}

// What the task of [waiting] does when it is chosen next.
static void announce(struct sct_engine *engine, struct sct_waiting *waiting,
                     struct sct_object *object, const char *verb) {
    struct sct_task *task = waiting->strand->task;
    waiting->access = access_of(object, SCT_ACCESS_WRITE);
    waiting->strand->waits_for = sct_object_label(object, object->kind);
    task->label = sct_object_label(object, verb);
    engine->accesses[task->slot] = &waiting->access;
}

static const char *const patience_labels[] = {
    [SCT_WAIT_TIMED] = "time out",
    [SCT_WAIT_SPURIOUS] = "wake up spuriously",
};

static bool wait_in_atomic_phase(const struct sct_wait *wait, bool can_go_on) {
    sct_check(can_go_on, SCT_KIND_DEADLOCK, "an atomic phase waits for %s",
              sct_object_label(wait->object, wait->object->kind));
    return true;
}

bool sct_queue_wait(struct sct_queue *queue, const struct sct_wait *wait, bool can_go_on) {
    struct sct_engine *engine = sct_engine_now;
    struct sct_strand *self = sct_self();
    if (!engine->current)
        return wait_in_atomic_phase(wait, can_go_on);
    REQUIRE(!self->is_activity, "an activity waits for a %s", wait->object->kind);
    struct sct_waiting waiting = {
        .strand = self,
        .is_granted = can_go_on,
        .may_give_up =
            wait->patience != SCT_WAIT_FOR_EVER && sct_choose(2, patience_labels[wait->patience]),
        .is_timed = wait->patience == SCT_WAIT_TIMED,
    };
    append(queue, &waiting);
    self->waiting = &waiting;
    self->task->where = wait->where;
    announce(engine, &waiting, wait->object, wait->verb);
    enable(engine, &waiting);
    sct_reschedule(engine);
    self->waits_for = NULL;
    self->waiting = NULL;
    take_out(&waiting);
    return waiting.is_granted;
}

void sct_queue_grant(struct sct_queue *queue, bool can_go_on) {
    for (struct sct_waiting *waiting = queue->first; waiting; waiting = waiting->next) {
        waiting->is_granted = can_go_on;
        if (is_living(waiting))
            enable(sct_engine_now, waiting);
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
    for (; waiting && index > 0; index--)
        waiting = first_living(waiting->next);
    ASSERT(waiting);
    return waiting;
}

void sct_queue_move(struct sct_waiting *waiting, struct sct_queue *queue, struct sct_object *object,
                    const char *verb, bool can_go_on) {
    struct sct_engine *engine = sct_engine_now;
    take_out(waiting);
    append(queue, waiting);
    sct_step_touches(engine, SCT_ACCESS_PRIMITIVES, object->number);
    waiting->is_granted = can_go_on;
    waiting->may_give_up = waiting->is_timed = false;
    announce(engine, waiting, object, verb);
    enable(engine, waiting);
}

bool sct_time_passes(struct sct_engine *engine) {
    bool any = false;
    for (struct sct_strand *strand = engine->strands; strand; strand = strand->next) {
        struct sct_waiting *waiting = strand->waiting;
        if (!waiting || !waiting->is_timed)
            continue;
        waiting->may_give_up = any = true;
        enable(engine, waiting);
    }
    if (any && sct_is_reducing(engine))
        sct_reducer_time_passes(engine->reducer);
    return any;
}
