#include "core/engine/state.h"

#include <stdlib.h>

static void unlink_strand(struct sct_engine *engine, struct sct_strand *strand) {
    ASSERT(*strand->link == strand);
    *strand->link = strand->next;
    if (strand->next)
        strand->next->link = strand->link;
    else
        engine->now.strands_end = strand->link;
}

static void end_strand(struct sct_engine *engine, struct sct_strand *strand) {
    ASSERT(!strand->is_stopped && !strand->waiting);
    unlink_strand(engine, strand);
    sct_coro_give_back(&engine->pool, strand->coro);
}

void sct_task_end(struct sct_engine *engine, const struct sct_task *task) {
    ASSERT(sct_slots_have(&engine->now.alive, task->slot));
    ASSERT(engine->seats[task->slot].task == task);
    sct_slots_remove(&engine->now.enabled, task->slot);
    sct_slots_remove(&engine->now.alive, task->slot);
    engine->now.unbegun_count -= task->is_unbegun;
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell(engine, (struct sct_event){.kind = SCT_EVENT_TASK_ENDED,
                                            .machine = task->machine->name,
                                            .text = task->own.name});
    if (__builtin_expect(engine->on_task_end != NULL, 0))
        engine->on_task_end(engine->on_task_end_context, &engine->slots[task->slot].identity,
                            engine->slots[task->slot].steps);
}

struct sct_strand *sct_strands_stop(struct sct_engine *engine, const struct sct_machine *machine) {
    // A list of its own, by the same pointers: they are in no other from now on.
    struct sct_strand *stopped = NULL;
    for (struct sct_strand *strand = engine->now.strands, *next; strand; strand = next) {
        next = strand->next;
        if (strand->task->machine != machine)
            continue;
        unlink_strand(engine, strand);
        ASSERT(!strand->is_stopped);
        // Its coroutine is not given back: others may hold pointers into its frames.
        strand->is_stopped = true;
        strand->next = stopped;
        stopped = strand;
    }
    return stopped;
}

void sct_task_exit(void) {
    struct sct_engine *engine = sct_engine_now;
    struct sct_task *task = engine->now.current;
    ASSERT(task && engine->self == &task->own);
    // It runs on a coroutine that is free already, which nobody can take before the switch: no task
    // is started in between.
    end_strand(engine, engine->self);
    sct_task_end(engine, task);
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
    ASSERT(self->is_activity && self->resumer);
    // As in sct_task_exit: what is free here is not taken by anybody before the switch.
    end_strand(engine, self);
    engine->self = self->resumer;
    sct_coro_switch(self->coro, self->resumer->coro);
}

void sct_strand_begin(struct sct_engine *engine, struct sct_strand *strand, struct sct_task *task,
                      const char *name, void (*function)(void *), void *argument) {
    ASSERT(function && name && task && !*engine->now.strands_end);
    // One by one: to clear it first takes longer than this, and tasks begin all the time.
    strand->task = task;
    strand->resumer = NULL;
    strand->function = function;
    strand->argument = argument;
    strand->name = name;
    strand->waits_for = NULL;
    strand->waiting = NULL;
    strand->next = NULL;
    strand->held = NULL;
    strand->edge = NULL;
    strand->is_activity = strand != &task->own;
    strand->is_stopped = false;
    // At the end: reports tell of everybody in the order of their creation, the same in every
    // execution.
    strand->link = engine->now.strands_end;
    *engine->now.strands_end = strand;
    engine->now.strands_end = &strand->next;
    strand->coro =
        sct_coro_take(&engine->pool, strand->is_activity ? activity_main : task_main, strand);
    if (engine->program->has_clear_stacks)
        sct_coro_clear_stack(strand->coro);
}

struct sct_strand *sct_self(void) {
    return sct_engine_running()->self;
}

void sct_use_thread_pointer(void *thread_pointer) {
    sct_coro_use_thread_pointer(sct_engine_running()->self->coro, thread_pointer);
}

uint32_t sct_steps(void) {
    const struct sct_engine *engine = sct_engine_running();
    return engine->slots[engine->now.current->slot].steps;
}

void sct_stack_bounds(const void **low, size_t *bytes) {
    const struct sct_coro *coro = sct_self()->coro;
    *low = coro->stack_low;
    *bytes = coro->stack_bytes;
}

void sct_strand_stack(const struct sct_strand *strand, const void **low, size_t *bytes) {
    const struct sct_coro *coro = strand->coro;
    ASSERT(coro);
    const char *end = coro->stack_low + coro->stack_bytes;
    const char *pointer = strand == sct_self() ? __builtin_frame_address(0) : coro->stack_pointer;
    // It may run on a stack of its own making, or be where nobody says (ucontext).
    if (pointer < coro->stack_low || pointer >= end)
        pointer = coro->stack_low;
    *low = pointer;
    *bytes = (size_t)(end - pointer);
}

uintptr_t sct_strand_bottom(const struct sct_strand *strand, bool (*is_inside)(const void *code)) {
    const struct sct_coro *coro = strand->coro;
    ASSERT(coro);
    if (strand != sct_self())
        return sct_coro_bottom(coro, is_inside);
    return sct_frames_bottom(sct_frame_here(), coro->stack_low, coro->stack_low + coro->stack_bytes,
                             is_inside);
}

void sct_block(void) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(engine->now.current && !engine->self->is_activity);
    // Not a deadlock: an execution that goes against what is assumed is none of the program's.
    engine->now.has_blocked = true;
    sct_slots_remove(&engine->now.enabled, engine->now.current->slot);
    engine->self->waits_for = "what it assumes";
    sct_reschedule(engine);
    fail_at(FAIL_ASSERTION, HERE, "a blocked task goes on");
}

void sct_park(const char *waits_for) {
    struct sct_engine *engine = sct_engine_running();
    sct_step_touches(engine, SCT_ACCESS_WAITS, 0);
    sct_park_quietly(engine, waits_for);
}

void sct_park_quietly(struct sct_engine *engine, const char *waits_for) {
    struct sct_strand *self = engine->self;
    sct_check(engine->now.current, SCT_KIND_DEADLOCK, "an atomic phase waits for %s", waits_for);
    self->waits_for = waits_for;
    sct_observe_text(engine, waits_for);
    if (self->is_activity) {
        // An activity has no turn of its own: where it waits, whoever runs it goes on.
        engine->self = self->resumer;
        sct_coro_switch(self->coro, self->resumer->coro);
    } else {
        // What it does next begins with being woken; what it declared before is done.
        struct sct_slot *slot = &engine->slots[self->task->slot];
        slot->label = waits_for;
        slot->where = NULL;
        slot->access = sct_is_reducing(engine) ? engine->now.after_wait : &sct_access_unknown;
        sct_slots_remove(&engine->now.enabled, self->task->slot);
        sct_reschedule(engine);
    }
    self->waits_for = NULL;
    sct_edge_acquire(self->edge);
}

// Gives control to the activity [strand] until it waits or ends.
static void run_activity(struct sct_engine *engine, struct sct_strand *strand) {
    struct sct_strand *self = engine->self;
    ASSERT(strand->is_activity && strand->task == engine->now.current);
    // Activities are nested calls that may pause: each knows who resumed it, and gives control back
    // there. No scheduling point lies between, so an activity is part of that one's step.
    strand->resumer = self;
    engine->self = strand;
    sct_coro_switch(self->coro, strand->coro);
}

void sct_wake(struct sct_strand *strand) {
    struct sct_engine *engine = sct_engine_running();
    sct_step_touches(engine, SCT_ACCESS_WAITS, 0);
    sct_wake_quietly(engine, strand);
}

void sct_wake_quietly(struct sct_engine *engine, struct sct_strand *strand) {
    // Whoever keeps a pointer to who waits need not know that its machine was stopped.
    if (__builtin_expect(strand->is_stopped, 0))
        return;
    ASSERT(strand->waits_for);
    // Before it runs: an activity takes the edge up within this call.
    sct_edge_release(&strand->edge);
    // An activity runs at once, inside the step of whoever wakes it; a task when it is chosen.
    if (strand->is_activity)
        run_activity(engine, strand);
    else
        sct_enable(engine, strand->task);
}

void sct_activity_start(const char *name, void (*function)(void *), void *argument) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(engine->now.current);
    struct sct_strand *strand = ARENA_ARRAY(&engine->arena, struct sct_strand, 1);
    sct_strand_begin(engine, strand, engine->now.current, name, function, argument);
    run_activity(engine, strand);
}
