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
    // Numbers are given out in order: whoever makes two things in two tasks has another number in
    // the other order, and the steps depend on each other.
    sct_step_touches(sct_engine_now, SCT_ACCESS_NUMBERS, 0);
    *object = (struct sct_object){
        .kind = kind,
        .name = name,
        .execution = sct_engine_now->now.birth,
        .number = sct_engine_now->now.object_count++,
    };
    if (sct_keeps_digests(sct_engine_now))
        object->identity = sct_identify(sct_engine_now);
}

void sct_object_become(struct sct_object *object, struct digest state) {
    ASSERT(sct_comparing());
    // What it was goes out of the sum that all things make, and what it is comes in: nothing that
    // has not changed is looked at again.
    struct digest before = object->added;
    object->added = digest_fold_digest(object->identity, state);
    sct_note_change(sct_engine_now, before, object->added);
}

void sct_object_learn(uint64_t value) {
    if (sct_comparing())
        sct_observe(&value, sizeof value);
}

void sct_object_tell_party(const struct sct_strand *strand, const char *verb, struct text *text) {
    const struct sct_engine *engine = sct_engine_now;
    const struct sct_task *task = strand ? strand->task : NULL;
    if (!task)
        return;
    // A slot is given on when its task has ended: who sits there now may be another.
    bool lives =
        sct_slots_have(&engine->now.alive, task->slot) && engine->seats[task->slot].task == task;
    text_add(text, ", which %s %ss%s", task->machine->name, verb,
             lives ? "" : " although it has ended");
}

uint64_t sct_object_party(const struct sct_strand *strand) {
    if (!strand)
        return 0;
    const struct sct_task *task = strand->task; // NULL: it is that of setup or finish
    return task ? sct_engine_now->slots[task->slot].identity.signature : 1;
}

void sct_object_destroy(struct sct_object *object) {
    if (sct_engine_inside()) // who comes to wait looks at this without a step of its own
        sct_touch(&sct_access_unknown);
    if (sct_engine_inside() && sct_comparing())
        sct_object_become(object, digest_fold_text((struct digest){0, 0}, "destroyed"));
    object->name = NULL;
}

void sct_object_misused(const struct sct_object *object, const char *what) {
    sct_violation(SCT_KIND_PROGRAM_ERROR, "%s '%s' %s", object->kind, object->name, what);
}

void sct_object_check(const struct sct_object *object) {
    ASSERT(sct_engine_inside());
    // By the number of the execution: storage that is static still has the last one's contents.
    sct_check(object->execution == sct_engine_now->now.birth, SCT_KIND_PROGRAM_ERROR,
              "a lock, thread or the like is used before it is initialised in this execution");
    sct_check(object->name, SCT_KIND_PROGRAM_ERROR, "a %s is used after it was destroyed",
              object->kind);
}

// Made once for each verb: the steps themselves format nothing.
const char *sct_object_label(struct sct_object *object, const char *verb) {
    // By address: verbs are constants, and a second copy of one would make a second label only.
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

void sct_object_touch(const struct sct_object *object, enum sct_access_mode mode) {
    // A campaign that samples pays no more than this test.
    if (!sct_is_reducing(sct_engine_now))
        return;
    const struct sct_access access = access_of(object, mode);
    sct_touch(&access);
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
    // An access is one range: with two objects it covers what lies between, which is dependence too
    // much and never too little.
    if (other->number < access.low)
        access.low = other->number;
    else
        access.high = other->number;
    take_point(object, verb, where, &access);
    sct_object_check(other);
}

// ---- Queues ------------------------------------------------------------------------------------

// Who waits may outlive the frame that the object was in.
static void explain(const void *thing, struct text *text) {
    const struct sct_object *object = thing;
    if (object->execution == sct_engine_now->now.birth && object->name)
        object->explain(object, text);
}

// A write whatever it waits for: who gets there first changes what the others find.
static struct sct_awaited step_of(struct sct_object *object, const char *verb, const char *where) {
    return (struct sct_awaited){
        .label = sct_object_label(object, verb),
        .waits_for = sct_object_label(object, object->kind),
        .where = where,
        .access = access_of(object, SCT_ACCESS_WRITE),
        .thing = object,
        .explain = object->explain ? explain : NULL,
    };
}

// An activity has no slot to be chosen by.
static void check_waiter(const struct sct_wait *wait) {
    REQUIRE(!sct_self()->is_activity, "an activity waits for a %s", wait->object->kind);
}

bool sct_object_wait(struct sct_queue *queue, const struct sct_wait *wait, bool can_go_on) {
    check_waiter(wait);
    struct sct_awaited step = step_of(wait->object, wait->verb, wait->where);
    return sct_await(queue, &step, wait->patience, can_go_on);
}

void sct_object_pass(struct sct_queue *queue, const struct sct_wait *wait) {
    check_waiter(wait);
    struct sct_awaited step = step_of(wait->object, wait->verb, wait->where);
    ASSERT(wait->patience == SCT_WAIT_FOR_EVER);
    if (sct_reducing())
        step.access = sct_access_none;
    sct_await(queue, &step, SCT_WAIT_FOR_EVER, false);
}

void sct_object_move(struct sct_waiting *waiting, struct sct_queue *queue,
                     struct sct_object *object, const char *verb, bool can_go_on) {
    // Its place stays that of its own call: the one that moves it is somewhere else.
    unsigned slot = waiting->strand->task->slot;
    struct sct_awaited step = step_of(object, verb, sct_engine_now->slots[slot].where);
    sct_step_touches(sct_engine_now, SCT_ACCESS_PRIMITIVES, object->number);
    sct_queue_move(waiting, queue, &step, can_go_on);
}
