#include "core/threads/thread.h"
#include "core/engine/state.h"
#include "core/threads/object.h"

struct sct_thread {
    struct sct_object object;
    void *(*function)(void *);
    void *argument;
    void *result;
    bool has_ended, is_detached, is_joined;
    struct sct_queue joiners;
};

static void become(struct sct_thread *thread) {
    if (!sct_comparing())
        return;
    uint64_t flags = (uint64_t)thread->has_ended | (uint64_t)thread->is_detached << 1 |
                     (uint64_t)thread->is_joined << 2;
    sct_object_become(&thread->object, (struct digest){(uintptr_t)thread->result, flags});
}

// Ended is it when it can be joined, a step before its task is over: what it does in between
// touches nothing of the program's.
static void end(struct sct_thread *thread, void *result) {
    ASSERT(!thread->has_ended);
    ASSERT(sct_thread_self() == thread);
    // Result first, then the edge, then the flag: whoever joins finds all three.
    thread->result = result;
    // What the thread has done happens before what follows a join of it.
    sct_edge_release(&thread->object.edge);
    // Behind the last release: its number among the clocks may go to a later thread whose creator
    // knows all of this one (core/memory/clock.h).
    sct_edge_end();
    thread->has_ended = true;
    become(thread);
    sct_step_touches(sct_engine_now, SCT_ACCESS_PRIMITIVES, thread->object.number);
    sct_queue_grant(&thread->joiners, true);
}

static void thread_main(void *argument) {
    struct sct_thread *thread = argument;
    end(thread, thread->function(thread->argument));
}

struct sct_thread *sct_thread_create(const char *name, void *(*function)(void *), void *argument) {
    return sct_thread_create_with(name, function, argument, &sct_access_unknown);
}

struct sct_thread *sct_thread_create_with(const char *name, void *(*function)(void *),
                                          void *argument, const struct sct_access *access) {
    REQUIRE(function, "a thread is created without a function");
    struct sct_thread *thread = ARENA_NEW(sct_arena(), struct sct_thread);
    sct_object_init(&thread->object, "thread", name);
    thread->function = function;
    thread->argument = argument;
    sct_queue_init(&thread->joiners);
    become(thread);
    // Last: strategies see it from now on, and whoever begins it finds the whole record.
    sct_task_start_with(sct_machine_create(name), "thread", thread_main, thread, access);
    return thread;
}

struct sct_thread *sct_thread_self(void) {
    const struct sct_strand *self = sct_engine_running()->self;
    // A task of a machine is no thread, though it may use what threads synchronise by.
    return self->task && self->task->own.function == thread_main ? self->task->own.argument : NULL;
}

void *sct_thread_argument(const struct sct_thread *thread) {
    return thread->argument;
}

bool sct_thread_is_known(const struct sct_thread *thread) {
    return thread->has_ended && sct_edge_is_known(thread->object.edge);
}

void sct_thread_take_up(const struct sct_thread *thread) {
    ASSERT(thread->has_ended);
    sct_edge_acquire(thread->object.edge);
}

const char *sct_thread_name(const struct sct_thread *thread) {
    return thread->object.name;
}

// Who joins or detaches it is checked at once, in the step that comes to the call.
static void touch_joining(const struct sct_thread *thread) {
    sct_step_touches(sct_engine_now, SCT_ACCESS_SYNC, thread->object.number);
}

void *sct_thread_join_at(struct sct_thread *thread, const char *where) {
    struct sct_object *object = &thread->object;
    sct_object_check(object);
    SCT_OBJECT_REQUIRE(thread != sct_thread_self(), object, "joins itself");
    touch_joining(thread);
    SCT_OBJECT_REQUIRE(!thread->is_detached, object, "is joined although it was detached");
    SCT_OBJECT_REQUIRE(!thread->is_joined, object, "is joined twice");
    // Before it waits: a second join is an error while the first one waits, too.
    thread->is_joined = true;
    become(thread);
    const struct sct_wait wait = {object, "join", where, SCT_WAIT_FOR_EVER};
    sct_object_wait(&thread->joiners, &wait, thread->has_ended);
    ASSERT(thread->has_ended);
    sct_edge_acquire(object->edge);
    sct_object_learn((uintptr_t)thread->result);
    return thread->result;
}

void sct_thread_detach(struct sct_thread *thread) {
    sct_object_check(&thread->object);
    touch_joining(thread);
    SCT_OBJECT_REQUIRE(!thread->is_detached, &thread->object, "is detached twice");
    SCT_OBJECT_REQUIRE(!thread->is_joined, &thread->object, "is detached although it was joined");
    thread->is_detached = true;
    become(thread);
}

void sct_thread_exit(void *result) {
    struct sct_thread *self = sct_thread_self();
    REQUIRE(self, "only a thread can be ended by sct_thread_exit");
    REQUIRE(!sct_self()->is_activity, "an activity ends its thread");
    end(self, result);
    // No frame of its own is returned through: what it owns is in the arena
    // (core/engine/machine.h).
    sct_task_exit();
}
