#include "core/engine/sync.h"
#include "core/engine/state.h"

// Recognises a thing across executions: by who made it, and how many were made before.
__attribute__((noinline, cold)) static struct digest identify_in(struct sct_engine *engine) {
    unsigned slot = sct_running_slot(engine);
    uint64_t signature = slot < SCT_TASKS_MAX ? engine->identities[slot].signature : 0;
    return digest_fold((struct digest){signature, 0}, ++engine->made[slot]);
}

static inline struct digest identify(void) {
    bool is_asked_for = sct_keeps_digests(sct_engine_now) || sct_is_reducing(sct_engine_now);
    return is_asked_for ? identify_in(sct_engine_now) : (struct digest){0, 0};
}

// A thing changes from [old_value] to [new_value]; at rest it is 0.
__attribute__((noinline, cold)) static void
change_in(struct sct_engine *engine, struct digest identity, size_t old_value, size_t new_value) {
    if (old_value != 0)
        digest_subtract(&engine->sync, digest_fold(identity, old_value));
    if (new_value != 0)
        digest_add(&engine->sync, digest_fold(identity, new_value));
}

static inline void change(struct digest identity, size_t old_value, size_t new_value) {
    if (sct_keeps_digests(sct_engine_now))
        change_in(sct_engine_now, identity, old_value, new_value);
}

static inline void touch(struct digest identity) {
    sct_step_touches(sct_engine_now, SCT_ACCESS_SYNC, identity.low);
}

// A change that commutes with others of its kind, but not with a look at the thing: a "read".
static inline void touch_to_count(struct digest identity) {
    if (sct_is_reducing(sct_engine_now))
        sct_reducer_touch(sct_engine_now->reducer, &(struct sct_access){.mode = SCT_ACCESS_READ,
                                                                        .object = SCT_ACCESS_SYNC,
                                                                        .low = identity.low,
                                                                        .high = identity.low});
}

static void empty(struct sct_waiters *waiters) {
    waiters->first = NULL;
    waiters->last = &waiters->first;
}

void sct_waiters_init(struct sct_waiters *waiters) {
    empty(waiters);
    if (sct_is_reducing(sct_engine_now)) // where states are compared it is not part of them
        waiters->identity = identify();
}

static void wait(struct sct_waiters *waiters, const char *waits_for) {
    struct sct_strand *self = sct_self();
    self->next_waiting = NULL;
    *waiters->last = self;
    waiters->last = &self->next_waiting;
    struct sct_engine *engine = sct_engine_now;
    struct digest before = {0, 0};
    if (sct_keeps_digests(engine))
        before = engine->observed[sct_running_slot(engine)];
    sct_park_quietly(waits_for);
    if (sct_keeps_digests(engine)) // that it waited makes no difference
        engine->observed[sct_running_slot(engine)] = before;
}

void sct_waiters_wait(struct sct_waiters *waiters, const char *waits_for) {
    touch(waiters->identity);
    wait(waiters, waits_for);
    touch(waiters->identity);
}

static void wake(struct sct_waiters *waiters) {
    struct sct_strand *strand = waiters->first;
    empty(waiters);
    while (strand) {
        struct sct_strand *next = strand->next_waiting;
        sct_wake_quietly(strand);
        strand = next;
    }
}

void sct_waiters_wake(struct sct_waiters *waiters) {
    touch(waiters->identity);
    wake(waiters);
}

void sct_mutex_init(struct sct_mutex *mutex) {
    mutex->holder = NULL;
    empty(&mutex->waiters);
    mutex->identity = identify();
}

void sct_mutex_acquire(struct sct_mutex *mutex, const char *waits_for) {
    touch(mutex->identity);
    while (mutex->holder)
        wait(&mutex->waiters, waits_for);
    touch(mutex->identity);
    struct sct_strand *self = sct_self();
    mutex->holder = self;
    mutex->next_held = self->held;
    mutex->link_held = &self->held;
    if (self->held)
        self->held->link_held = &mutex->next_held;
    self->held = mutex;
    change(mutex->identity, 0, 1);
}

static void free_mutex(struct sct_mutex *mutex) {
    touch(mutex->identity);
    *mutex->link_held = mutex->next_held;
    if (mutex->next_held)
        mutex->next_held->link_held = mutex->link_held;
    mutex->holder = NULL;
    change(mutex->identity, 1, 0);
    wake(&mutex->waiters);
}

void sct_mutex_release(struct sct_mutex *mutex) {
    REQUIRE(mutex->holder == sct_self(), "a mutex is released by somebody who does not hold it");
    free_mutex(mutex);
}

void sct_strand_free_mutexes(struct sct_strand *strand) {
    while (strand->held)
        free_mutex(strand->held);
}

void sct_latch_init(struct sct_latch *latch, size_t count) {
    latch->count = count;
    empty(&latch->waiters);
    latch->identity = identify();
    change(latch->identity, 0, count);
}

void sct_latch_count_down(struct sct_latch *latch) {
    ASSERT(latch->count > 0);
    touch_to_count(latch->identity);
    change(latch->identity, latch->count, latch->count - 1);
    if (--latch->count == 0)
        wake(&latch->waiters);
}

void sct_latch_wait(struct sct_latch *latch, const char *waits_for) {
    touch(latch->identity);
    while (latch->count > 0)
        wait(&latch->waiters, waits_for);
    touch(latch->identity);
}
