#include "core/engine/machine.h"
#include "core/base/hash.h"
#include "core/search/explore.h"
#include "core/engine/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sct_access sct_access_none = {.mode = SCT_ACCESS_NONE};
const struct sct_access sct_access_unknown = {.mode = SCT_ACCESS_UNKNOWN, .high = UINT64_MAX};

static inline uint64_t bit(const struct sct_task *task) {
    return UINT64_C(1) << task->slot;
}

static struct sct_engine *engine_inside(void) {
    struct sct_engine *engine = sct_engine_now;
    ASSERT(engine && engine->self);
    return engine;
}

struct arena *sct_arena(void) {
    return &engine_inside()->arena;
}

// ---- What is observed --------------------------------------------------------------------------

static struct digest *running_digest(struct sct_engine *engine) {
    return &engine->observed[sct_running_slot(engine)];
}

bool sct_comparing(void) {
    return sct_keeps_digests(sct_engine_now);
}

void sct_observe(const void *data, size_t bytes) {
    struct sct_engine *engine = engine_inside();
    if (sct_keeps_digests(engine))
        *running_digest(engine) = digest_fold_bytes(*running_digest(engine), data, bytes);
}

void sct_observe_digest(struct digest digest) {
    struct sct_engine *engine = engine_inside();
    if (sct_keeps_digests(engine))
        *running_digest(engine) = digest_fold_digest(*running_digest(engine), digest);
}

struct digest sct_observed(void) {
    struct sct_engine *engine = engine_inside();
    return sct_keeps_digests(engine) ? *running_digest(engine) : (struct digest){0, 0};
}

void sct_forget(struct digest mark, const void *data, size_t bytes) {
    struct sct_engine *engine = engine_inside();
    if (sct_keeps_digests(engine) && !engine->explorer->forgets_nothing)
        *running_digest(engine) = digest_fold_bytes(mark, data, bytes);
}

__attribute__((noinline, cold)) static void fold_text(struct sct_engine *engine, const char *text) {
    *running_digest(engine) = digest_fold_text(*running_digest(engine), text);
}

__attribute__((noinline, cold)) static void sign(struct sct_engine *engine,
                                                 struct sct_message *message) {
    // What it says is a function of what the sender has observed and said so far.
    message->digest = digest_fold(*running_digest(engine), message->kind);
    *running_digest(engine) = message->digest;
}

static inline void observe_text(struct sct_engine *engine, const char *text) {
    if (sct_keeps_digests(engine))
        fold_text(engine, text);
}

void sct_touch(const struct sct_access *access) {
    struct sct_engine *engine = engine_inside();
    if (sct_is_reducing(engine))
        sct_reducer_touch(engine->reducer, access);
}

bool sct_reducing(void) {
    return sct_is_reducing(engine_inside());
}

void sct_touch_after_waits(const struct sct_access *access) {
    engine_inside()->after_wait = access;
}

void sct_touch_while(const bool *is_unfinished) {
    struct sct_engine *engine = engine_inside();
    if (sct_is_reducing(engine))
        sct_reducer_touch_while(engine->reducer, is_unfinished);
}

// ---- Strands -----------------------------------------------------------------------------------

static void unlink_strand(struct sct_engine *engine, struct sct_strand *strand) {
    *strand->link = strand->next;
    if (strand->next)
        strand->next->link = strand->link;
    else
        engine->strands_end = strand->link;
}

static void end_strand(struct sct_engine *engine, struct sct_strand *strand) {
    unlink_strand(engine, strand);
    sct_coro_give_back(&engine->pool, strand->coro);
}

// The task's slot is free again.
static void end_task(struct sct_engine *engine, const struct sct_task *task) {
    engine->enabled &= ~bit(task);
    engine->alive &= ~bit(task);
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell(engine, (struct sct_event){.kind = SCT_EVENT_TASK_ENDED,
                                            .machine = task->machine->name,
                                            .text = task->own.name});
    if (__builtin_expect(engine->on_task_end != NULL, 0))
        engine->on_task_end(engine->on_task_end_context, &engine->identities[task->slot],
                            engine->steps[task->slot]);
}

void sct_task_exit(void) {
    struct sct_engine *engine = sct_engine_now;
    struct sct_task *task = engine->current;
    ASSERT(task && engine->self == &task->own);
    end_strand(engine, engine->self);
    end_task(engine, task);
    sct_reschedule(engine); // does not come back: the task is not enabled any more
    abort();
}

static void task_main(void *argument) {
    struct sct_strand *self = argument;
    if (__builtin_expect(sct_engine_now->listener != NULL, 0))
        sct_tell_turn(sct_engine_now);
    self->function(self->argument);
    ASSERT(sct_engine_now->self == self);
    sct_task_exit();
}

static void activity_main(void *argument) {
    struct sct_strand *self = argument;
    self->function(self->argument);
    struct sct_engine *engine = sct_engine_now;
    ASSERT(engine->self == self);
    end_strand(engine, self);
    engine->self = self->resumer;
    sct_coro_switch(self->coro, self->resumer->coro);
}

void sct_strand_init(struct sct_engine *engine, struct sct_strand *strand, struct sct_task *task,
                     const char *name, void (*function)(void *), void *argument) {
    *strand = (struct sct_strand){
        .task = task,
        .function = function,
        .argument = argument,
        .name = name,
        .is_activity = strand != &task->own,
        .link = engine->strands_end,
    };
    *engine->strands_end = strand;
    engine->strands_end = &strand->next;
    strand->coro =
        sct_coro_take(&engine->pool, strand->is_activity ? activity_main : task_main, strand);
}

struct sct_strand *sct_self(void) {
    return engine_inside()->self;
}

void sct_use_thread_pointer(void *thread_pointer) {
    sct_coro_use_thread_pointer(engine_inside()->self->coro, thread_pointer);
}

void sct_park(const char *waits_for) {
    sct_step_touches(engine_inside(), SCT_ACCESS_WAITS, 0);
    sct_park_quietly(waits_for);
}

void sct_park_quietly(const char *waits_for) {
    struct sct_engine *engine = engine_inside();
    struct sct_strand *self = engine->self;
    sct_check(engine->current, SCT_KIND_DEADLOCK, "an atomic phase waits for %s", waits_for);
    self->waits_for = waits_for;
    observe_text(engine, waits_for);
    if (self->is_activity) {
        engine->self = self->resumer;
        sct_coro_switch(self->coro, self->resumer->coro);
    } else {
        // What it does next begins with being woken; what it declared before is done.
        self->task->label = waits_for;
        self->task->where = NULL;
        engine->accesses[self->task->slot] =
            sct_is_reducing(engine) ? engine->after_wait : &sct_access_unknown;
        engine->enabled &= ~bit(self->task);
        sct_reschedule(engine);
    }
    self->waits_for = NULL;
}

// Gives control to the activity [strand] until it waits or ends.
static void run_activity(struct sct_engine *engine, struct sct_strand *strand) {
    struct sct_strand *self = engine->self;
    ASSERT(strand->is_activity && strand->task == engine->current);
    strand->resumer = self;
    engine->self = strand;
    sct_coro_switch(self->coro, strand->coro);
}

void sct_wake(struct sct_strand *strand) {
    sct_step_touches(engine_inside(), SCT_ACCESS_WAITS, 0);
    sct_wake_quietly(strand);
}

// The task in [slot] can go on.
static inline void enable(struct sct_engine *engine, const struct sct_task *task) {
    if (sct_is_reducing(engine) && !(engine->enabled & bit(task)))
        sct_reducer_wake(engine->reducer, task->slot);
    engine->enabled |= bit(task);
}

void sct_wake_quietly(struct sct_strand *strand) {
    struct sct_engine *engine = engine_inside();
    if (__builtin_expect(strand->is_stopped, 0))
        return;
    ASSERT(strand->waits_for);
    if (strand->is_activity)
        run_activity(engine, strand);
    else
        enable(engine, strand->task);
}

void sct_activity_start(const char *name, void (*function)(void *), void *argument) {
    struct sct_engine *engine = engine_inside();
    ASSERT(engine->current);
    struct sct_strand *strand = ARENA_NEW(&engine->arena, struct sct_strand);
    sct_strand_init(engine, strand, engine->current, name, function, argument);
    run_activity(engine, strand);
}

// ---- Machines and tasks ------------------------------------------------------------------------

struct sct_machine *sct_machine_create(const char *name) {
    struct sct_engine *engine = engine_inside();
    struct sct_machine *machine = ARENA_NEW(&engine->arena, struct sct_machine);
    sct_step_touches(engine, SCT_ACCESS_NUMBERS, 0);
    machine->name = name;
    machine->index = engine->machine_count++;
    machine->last = &machine->first;
    machine->next = engine->machines;
    engine->machines = machine;
    return machine;
}

const char *sct_machine_name(const struct sct_machine *machine) {
    return machine->name;
}

struct sct_machine *sct_machine_self(void) {
    struct sct_engine *engine = engine_inside();
    return engine->current ? engine->current->machine : NULL;
}

// The place of [name] among the names of the machine's tasks; the last one is shared by the rest.
static unsigned name_index(struct sct_machine *machine, const char *name) {
    unsigned i = 0;
    while (i < SCT_TASK_NAMES_MAX - 1 && machine->names[i].name && machine->names[i].name != name &&
           strcmp(machine->names[i].name, name) != 0)
        i++;
    if (!machine->names[i].name) {
        machine->names[i].name = name;
        machine->names[i].hash = rng_mix(machine->index + 1) ^ hash_bytes(name, strlen(name));
    }
    return i;
}

static struct sct_task_identity identify(const struct sct_engine *engine,
                                         struct sct_machine *machine, const char *name) {
    unsigned i = name_index(machine, name);
    return (struct sct_task_identity){
        .signature = rng_mix(machine->names[i].hash + machine->names[i].count++),
        .parent = engine->current ? engine->identities[engine->current->slot].signature : 0,
    };
}

__attribute__((noinline, cold)) static void tell_start(struct sct_engine *engine,
                                                       const struct sct_task *task) {
    sct_step_touches(engine, SCT_ACCESS_NUMBERS, 0);
    sct_reducer_task(engine->reducer, task->slot, engine->identities[task->slot].signature);
}

void sct_task_start(struct sct_machine *machine, const char *name, void (*function)(void *),
                    void *argument) {
    sct_task_start_with(machine, name, function, argument, &sct_access_unknown);
}

void sct_task_start_with(struct sct_machine *machine, const char *name, void (*function)(void *),
                         void *argument, const struct sct_access *access) {
    struct sct_engine *engine = engine_inside();
    REQUIRE(!engine->is_finishing, "a task is started in the final check: it would never run");
    if (engine->alive == UINT64_MAX)
        fail_at(FAIL_LIMIT, HERE, "more than %d tasks live at a time", SCT_TASKS_MAX);
    struct sct_task *task = ARENA_NEW(&engine->arena, struct sct_task);
    task->machine = machine;
    task->slot = (unsigned)__builtin_ctzll(~engine->alive);
    task->label = name;
    task->strand = &task->own;
    sct_strand_init(engine, &task->own, task, name, function, argument);
    engine->tasks[task->slot] = task;
    engine->steps[task->slot] = 0;
    engine->identities[task->slot] = identify(engine, machine, name);
    engine->accesses[task->slot] = sct_is_reducing(engine) ? access : &sct_access_unknown;
    engine->made[task->slot] = 0;
    if (sct_keeps_digests(engine)) {
        struct digest started = {engine->identities[task->slot].signature, 0};
        engine->observed[task->slot] = *running_digest(engine);
        digest_add(&engine->started, digest_fold(started, 0));
    }
    if (sct_is_reducing(engine))
        tell_start(engine, task);
    engine->alive |= bit(task);
    engine->enabled |= bit(task);
    engine->fresh |= bit(task);
    engine->task_count++;
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell(engine, (struct sct_event){.kind = SCT_EVENT_TASK_STARTED,
                                            .machine = machine->name,
                                            .text = name});
}

// Takes the strands of [machine] out of the list of the living, into one of their own.
static struct sct_strand *stop_strands(struct sct_engine *engine, struct sct_machine *machine) {
    struct sct_strand *stopped = NULL;
    for (struct sct_strand *strand = engine->strands, *next; strand; strand = next) {
        next = strand->next;
        if (strand->task->machine != machine)
            continue;
        unlink_strand(engine, strand);
        strand->is_stopped = true;
        strand->next = stopped;
        stopped = strand;
    }
    return stopped;
}

void sct_machine_stop(struct sct_machine *machine) {
    struct sct_engine *engine = engine_inside();
    ASSERT(!engine->is_finishing);
    if (sct_is_reducing(engine))
        sct_reducer_stop(engine->reducer);
    struct sct_strand *stopped = stop_strands(engine, machine);
    for (struct sct_strand *strand = stopped; strand; strand = strand->next) {
        if (strand->is_activity)
            continue;
        end_task(engine, strand->task);
        engine->fresh &= ~bit(strand->task); // nobody has seen it
    }
    machine->receiver = NULL;
    machine->first = NULL;
    machine->last = &machine->first;
    sct_cool_monitors(engine, machine);
    for (; stopped; stopped = stopped->next)
        sct_strand_free_mutexes(stopped);
    if (engine->current && engine->current->machine == machine)
        sct_reschedule(engine); // does not come back
}

void sct_point(const char *label, const char *where, const struct sct_access *access) {
    struct sct_engine *engine = engine_inside();
    struct sct_task *task = engine->current;
    if (!task)
        return; // setup and finish are atomic
    task->label = label;
    task->where = where;
    observe_text(engine, label);
    engine->accesses[task->slot] = access;
    sct_reschedule(engine);
}

// ---- Messages ----------------------------------------------------------------------------------

static void post(struct sct_machine *to, struct sct_message *message, const char *label) {
    struct sct_engine *engine = engine_inside();
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell_sent(message, to, label);
    ASSERT(message->kind < 32);
    sct_step_touches(engine, SCT_ACCESS_MAILBOXES, to->index);
    message->next = NULL;
    message->sender = sct_machine_self();
    if (sct_keeps_digests(engine))
        sign(engine, message);
    *to->last = message;
    to->last = &message->next;
    if (to->receiver && (to->receives & SCT_KIND_BIT(message->kind)))
        enable(engine, to->receiver);
}

void sct_post(struct sct_machine *to, struct sct_message *message) {
    post(to, message, "message");
}

void sct_send(struct sct_machine *to, struct sct_message *message, const char *label,
              const char *where) {
    post(to, message, label);
    sct_point(label, where, &sct_access_unknown);
}

static struct sct_message *take(struct sct_machine *machine, uint32_t kinds) {
    for (struct sct_message **link = &machine->first; *link; link = &(*link)->next) {
        struct sct_message *message = *link;
        if (!(kinds & SCT_KIND_BIT(message->kind)))
            continue;
        *link = message->next;
        if (machine->last == &message->next)
            machine->last = link;
        return message;
    }
    return NULL;
}

struct sct_message *sct_receive(uint32_t kinds, bool may_idle, const char *label) {
    struct sct_engine *engine = engine_inside();
    struct sct_task *task = engine->current;
    ASSERT(task && engine->self == &task->own);
    struct sct_machine *machine = task->machine;
    struct sct_message *message;
    struct digest before = {0, 0};
    if (sct_keeps_digests(engine))
        before = *running_digest(engine);
    sct_step_touches(engine, SCT_ACCESS_MAILBOXES, machine->index);
    while (!(message = take(machine, kinds))) {
        ASSERT(!machine->receiver);
        machine->receiver = task;
        machine->receives = kinds;
        task->is_idle = may_idle;
        sct_park_quietly(label);
        task->is_idle = false;
        machine->receiver = NULL;
        sct_step_touches(engine, SCT_ACCESS_MAILBOXES, machine->index);
        if (sct_keeps_digests(engine))
            *running_digest(engine) = before; // that it waited makes no difference
    }
    if (sct_keeps_digests(engine))
        sct_observe_digest(message->digest);
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell_taken(message, machine);
    return message;
}

void sct_call(struct sct_machine *to, struct sct_call *call, const char *label, const char *where) {
    call->caller = sct_self();
    call->is_answered = false;
    ASSERT(!call->caller->is_activity);
    sct_send(to, &call->message, label, where);
    sct_step_touches(sct_engine_now, SCT_ACCESS_WAITS, 0);
    if (!call->is_answered)
        sct_park_quietly(label);
}

void sct_answer(struct sct_call *call) {
    ASSERT(!call->is_answered);
    struct sct_engine *engine = engine_inside();
    sct_step_touches(engine, SCT_ACCESS_WAITS, 0);
    if (sct_keeps_digests(engine)) { // the caller learns what the answerer knows
        struct digest *caller = &engine->observed[call->caller->task->slot];
        *caller = digest_fold_digest(*caller, *running_digest(engine));
    }
    call->is_answered = true;
    if (call->caller->waits_for)
        sct_wake_quietly(call->caller);
}

void sct_count_operation(void) {
    engine_inside()->operation_count++;
}

// ---- Verdicts and narration --------------------------------------------------------------------

void sct_violation(const char *kind, const char *format, ...) {
    struct sct_engine *engine = engine_inside();
    char message[sizeof engine->result.violation.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    sct_violate(engine, kind, NULL, message);
}

void sct_end(void) {
    struct sct_engine *engine = engine_inside();
    REQUIRE(engine->current, "setup or the final check ends the execution");
    engine->has_ended_itself = true;
    sct_leave(engine, SCT_PASSED);
}
