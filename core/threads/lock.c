#include "core/threads/lock.h"
#include "core/engine/state.h"

static const char acquire_verb[] = "acquire";

// ---- Mutexes -----------------------------------------------------------------------------------

static void become(struct sct_lock *lock) {
    if (sct_comparing())
        sct_object_become(&lock->object, (struct digest){sct_object_party(lock->holder), 1});
}

static void explain(const void *thing, struct text *text) {
    sct_object_tell_party(((const struct sct_lock *)thing)->holder, "hold", text);
}

void sct_lock_init(struct sct_lock *lock, const char *name) {
    sct_object_init(&lock->object, "lock", name);
    lock->object.explain = explain;
    lock->holder = NULL;
    sct_queue_init(&lock->waiters);
    become(lock);
}

void sct_lock_destroy_at(struct sct_lock *lock, const char *where) {
    sct_object_point(&lock->object, "destroy", SCT_ACCESS_WRITE, where);
    SCT_OBJECT_REQUIRE(!lock->holder, &lock->object, "is destroyed while it is held");
    // In the queue is also who can go on already, and has not been chosen since.
    SCT_OBJECT_REQUIRE(sct_queue_count(&lock->waiters) == 0, &lock->object,
                       "is destroyed while somebody waits for it");
    sct_object_destroy(&lock->object);
}

// Whoever still waits cannot go on now, and must not be enabled: a step that is chosen gets
// somewhere.
static void take(struct sct_lock *lock) {
    ASSERT(!lock->holder);
    lock->holder = sct_self();
    sct_edge_acquire(lock->object.edge);
    become(lock);
    sct_queue_grant(&lock->waiters, false);
}

static void give_back(struct sct_lock *lock) {
    ASSERT(lock->holder);
    lock->holder = NULL;
    sct_edge_release(&lock->object.edge);
    become(lock);
    sct_queue_grant(&lock->waiters, true);
}

// No point of its own before the wait: to come to the lock and to take it are one step, enabled
// while it is free.
static bool acquire(struct sct_lock *lock, const char *where, enum sct_patience patience) {
    sct_object_check(&lock->object);
    SCT_OBJECT_REQUIRE(lock->holder != sct_self(), &lock->object,
                       "is acquired by the one who holds it");
    const struct sct_wait wait = {&lock->object, acquire_verb, where, patience};
    if (!sct_object_wait(&lock->waiters, &wait, !lock->holder))
        return false;
    take(lock);
    return true;
}

void sct_lock_acquire_at(struct sct_lock *lock, const char *where) {
    acquire(lock, where, SCT_WAIT_FOR_EVER);
}

bool sct_lock_acquire_timed_at(struct sct_lock *lock, const char *where) {
    return acquire(lock, where, SCT_WAIT_TIMED);
}

bool sct_lock_try_at(struct sct_lock *lock, const char *where) {
    sct_object_point(&lock->object, "try", SCT_ACCESS_WRITE, where);
    bool is_free = !lock->holder;
    sct_object_learn(is_free);
    if (is_free)
        take(lock);
    return is_free;
}

void sct_lock_release_at(struct sct_lock *lock, const char *where) {
    sct_object_point(&lock->object, "release", SCT_ACCESS_WRITE, where);
    SCT_OBJECT_REQUIRE(lock->holder, &lock->object, "is released although nobody holds it");
    SCT_OBJECT_REQUIRE(lock->holder == sct_self(), &lock->object,
                       "is released by another than its holder");
    give_back(lock);
}

// ---- Condition variables -----------------------------------------------------------------------

void sct_condition_allow_spurious(void) {
    ASSERT(sct_engine_inside());
    sct_engine_now->now.wakes_spuriously = true;
}

void sct_condition_init(struct sct_condition *condition, const char *name) {
    sct_object_init(&condition->object, "condition", name);
    condition->lock = NULL;
    sct_queue_init(&condition->waiters);
    if (sct_comparing()) // who waits is in the states of tasks
        sct_object_become(&condition->object, (struct digest){0, 4});
}

void sct_condition_destroy_at(struct sct_condition *condition, const char *where) {
    sct_object_point(&condition->object, "destroy", SCT_ACCESS_WRITE, where);
    SCT_OBJECT_REQUIRE(sct_queue_count(&condition->waiters) == 0, &condition->object,
                       "is destroyed while somebody waits for it");
    sct_object_destroy(&condition->object);
}

static void check_lock(const struct sct_condition *condition, const struct sct_lock *lock) {
    SCT_OBJECT_REQUIRE(lock->holder == sct_self(), &condition->object,
                       "is waited for without its lock");
    // Another lock is allowed once nobody waits any more (POSIX says it is bound while somebody
    // does).
    SCT_OBJECT_REQUIRE(condition->lock == lock || sct_queue_count(&condition->waiters) == 0,
                       &condition->object, "is waited for with two locks");
}

// Whether it was signalled.
static bool wait_for_signal(struct sct_condition *condition, struct sct_lock *lock,
                            const char *where, enum sct_patience patience) {
    struct sct_object *object = &condition->object;
    // To let go of the lock and to wait is one step: a signal cannot fall between the two.
    sct_object_point_both(object, &lock->object, "wait", where);
    check_lock(condition, lock);
    // For those who signal: it is the lock whose queue they move somebody to.
    condition->lock = lock;
    give_back(lock);
    const struct sct_wait wait = {object, "wake", where, patience};
    bool was_signalled = sct_object_wait(&condition->waiters, &wait, false);
    // A signal has moved it to the queue of the lock, from where it comes back when that is free.
    // So it is enabled only when it can have the lock, and to be woken is no step of its own.
    if (was_signalled)
        take(lock);
    else
        // Nobody has moved it there: it comes to the lock like anybody else, in a step of its own.
        acquire(lock, where, SCT_WAIT_FOR_EVER);
    return was_signalled;
}

void sct_condition_wait_at(struct sct_condition *condition, struct sct_lock *lock,
                           const char *where) {
    // Most programs look again in a loop, where this costs executions and finds nothing: only those
    // that ask for it have such ends of a wait.
    bool may_be_spurious = sct_engine_now->now.wakes_spuriously;
    wait_for_signal(condition, lock, where,
                    may_be_spurious ? SCT_WAIT_SPURIOUS : SCT_WAIT_FOR_EVER);
}

bool sct_condition_wait_timed_at(struct sct_condition *condition, struct sct_lock *lock,
                                 const char *where) {
    // A wait that has given up may say that it was woken: to its caller that is a spurious end.
    return wait_for_signal(condition, lock, where, SCT_WAIT_TIMED) ||
           (sct_engine_now->now.wakes_spuriously && sct_choose(2, "wake up spuriously"));
}

// The wait of number [index] ends: what it waits for now is the lock.
static void signal_one(struct sct_condition *condition, uint32_t index) {
    struct sct_lock *lock = condition->lock;
    ASSERT(lock);
    // The lock may have been destroyed since: who waits would come back to nothing.
    sct_object_check(&lock->object);
    sct_object_move(sct_queue_at(&condition->waiters, index), &lock->waiters, &lock->object,
                    acquire_verb, !lock->holder);
}

void sct_condition_signal_at(struct sct_condition *condition, const char *where) {
    sct_object_point(&condition->object, "signal", SCT_ACCESS_WRITE, where);
    // Whoever POSIX allows: any of them, not the one that has waited longest.
    uint32_t count = sct_queue_count(&condition->waiters);
    if (count > 0)
        signal_one(condition, sct_choose(count, "who is woken"));
}

void sct_condition_broadcast_at(struct sct_condition *condition, const char *where) {
    sct_object_point(&condition->object, "broadcast", SCT_ACCESS_WRITE, where);
    // In whatever order: all of them end up with the lock, whose queue gives none a turn before
    // others.
    while (sct_queue_count(&condition->waiters) > 0)
        signal_one(condition, 0);
}
