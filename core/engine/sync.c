#include "core/engine/sync.h"
#include "core/engine/inside.h"
#include "core/engine/state.h"

// Only where somebody asks: it numbers what the running task has made, which costs a hash.
static inline struct digest identify(void) {
    bool is_asked_for = sct_keeps_digests(sct_engine_now) || sct_is_reducing(sct_engine_now);
    return is_asked_for ? sct_identify(sct_engine_now) : (struct digest){0, 0};
}

// At rest a thing counts as nothing: so the state is the same whether it was made or not, and
// however often it was used.
static struct digest digest_at(struct digest identity, size_t value) {
    return value == 0 ? (struct digest){0, 0} : digest_fold(identity, value);
}

static inline void change(struct digest identity, size_t old_value, size_t new_value) {
    if (sct_keeps_digests(sct_engine_now))
        sct_note_change(sct_engine_now, digest_at(identity, old_value),
                        digest_at(identity, new_value));
}

static inline void touch(struct digest identity) {
    sct_step_touches(sct_engine_now, SCT_ACCESS_SYNC, identity.low);
}

// A change that commutes with others of its kind, but not with a look at the thing: a "read".
static inline void touch_to_count(struct digest identity) {
    if (sct_is_reducing(sct_engine_now))
        sct_step_touch(sct_engine_now, &(struct sct_access){.mode = SCT_ACCESS_READ,
                                                            .object = SCT_ACCESS_SYNC,
                                                            .low = identity.low,
                                                            .high = identity.low});
}

void sct_waiters_init(struct sct_waiters *waiters) {
    ASSERT(sct_engine_inside());
    sct_queue_init(&waiters->queue);
    if (sct_is_reducing(sct_engine_now)) // where states are compared it is not part of them
        waiters->identity = identify();
}

void sct_waiters_wait(struct sct_waiters *waiters, const char *waits_for) {
    touch(waiters->identity);
    // Twice touched: going to wait belongs to the step before, what comes after to the one that
    // begins when it is woken.
    sct_linger(&waiters->queue, waits_for);
    touch(waiters->identity);
}

void sct_waiters_wake(struct sct_waiters *waiters) {
    touch(waiters->identity);
    sct_queue_wake(&waiters->queue);
}

void sct_mutex_init(struct sct_mutex *mutex) {
    ASSERT(sct_engine_inside());
    mutex->holder = NULL;
    mutex->edge = NULL;
    sct_queue_init(&mutex->tasks);
    sct_queue_init(&mutex->activities);
    mutex->identity = identify();
}

// A task's own coroutine waits to take a step that is enabled exactly while the mutex is free: so
// it is chosen only when it gets the mutex, and to wait is one state, however often others come
// first.
static void await_mutex(struct sct_mutex *mutex, const char *waits_for) {
    struct sct_engine *engine = sct_engine_now;
    const struct sct_awaited step = {
        .label = waits_for,
        .waits_for = waits_for,
        .access = sct_is_reducing(engine) ? *engine->now.after_wait : sct_access_unknown,
    };
    struct digest before = {0, 0};
    if (sct_keeps_digests(engine)) {
        before = *sct_running_digest(engine);
        sct_observe_place(engine, waits_for);
        sct_observe_digest(mutex->identity); // which one
    }
    sct_await(&mutex->tasks, &step, SCT_WAIT_FOR_EVER, false);
    if (sct_keeps_digests(engine) && !engine->seam.observes_all)
        *sct_running_digest(engine) = before; // that it waited makes no difference
}

void sct_mutex_acquire(struct sct_mutex *mutex, const char *waits_for) {
    touch(mutex->identity);
    // An activity has no slot to be chosen by. It looks again when it is woken: another may have
    // come first.
    while (mutex->holder)
        if (sct_self()->is_activity)
            sct_linger(&mutex->activities, waits_for);
        else
            await_mutex(mutex, waits_for);
    touch(mutex->identity);
    sct_edge_acquire(mutex->edge);
    struct sct_strand *self = sct_self();
    ASSERT(!mutex->holder);
    mutex->holder = self;
    // What it holds is a list, for the day on which its machine is stopped.
    mutex->next_held = self->held;
    mutex->link_held = &self->held;
    if (self->held)
        self->held->link_held = &mutex->next_held;
    self->held = mutex;
    change(mutex->identity, 0, 1);
    sct_queue_grant(&mutex->tasks, false);
}

static void free_mutex(struct sct_mutex *mutex) {
    touch(mutex->identity);
    ASSERT(mutex->holder && *mutex->link_held == mutex);
    *mutex->link_held = mutex->next_held;
    if (mutex->next_held)
        mutex->next_held->link_held = mutex->link_held;
    mutex->holder = NULL;
    ASSERT(!mutex->next_held || *mutex->next_held->link_held == mutex->next_held);
    // Let go of before anybody is woken, who takes it up at once if it is an activity.
    sct_edge_release(&mutex->edge);
    change(mutex->identity, 1, 0);
    sct_queue_wake(&mutex->activities);
    // An activity that was woken has run, and may hold the mutex by now: then no task can have it.
    sct_queue_grant(&mutex->tasks, !mutex->holder);
}

void sct_mutex_release(struct sct_mutex *mutex) {
    REQUIRE(mutex->holder == sct_self(), "a mutex is released by somebody who does not hold it");
    free_mutex(mutex);
}

void sct_strand_free_mutexes(struct sct_strand *strand) {
    ASSERT(strand->is_stopped);
    while (strand->held)
        free_mutex(strand->held);
}

void sct_latch_init(struct sct_latch *latch, size_t count) {
    ASSERT(sct_engine_inside());
    latch->count = count;
    latch->edge = NULL;
    sct_queue_init(&latch->waiters);
    latch->identity = identify();
    change(latch->identity, 0, count);
}

void sct_latch_count_down(struct sct_latch *latch) {
    ASSERT(latch->count > 0);
    // Counting down twice gives the same in either order; only who waits sees whether it was one or
    // both.
    touch_to_count(latch->identity);
    sct_edge_release(&latch->edge);
    change(latch->identity, latch->count, latch->count - 1);
    if (--latch->count == 0)
        sct_queue_wake(&latch->waiters);
}

void sct_latch_wait(struct sct_latch *latch, const char *waits_for) {
    touch(latch->identity);
    while (latch->count > 0)
        sct_linger(&latch->waiters, waits_for);
    touch(latch->identity);
    sct_edge_acquire(latch->edge);
}
