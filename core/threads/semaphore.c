#include "core/threads/semaphore.h"
#include "core/engine/inside.h"

static void become(struct sct_semaphore *semaphore) {
    if (sct_comparing())
        sct_object_become(&semaphore->object, (struct digest){semaphore->value, 2});
}

void sct_semaphore_init(struct sct_semaphore *semaphore, const char *name, uint32_t value) {
    sct_object_init(&semaphore->object, "semaphore", name);
    SCT_OBJECT_REQUIRE(value <= SCT_SEMAPHORE_MAX, &semaphore->object,
                       "begins with too large a value");
    semaphore->value = value;
    sct_queue_init(&semaphore->waiters);
    become(semaphore);
}

void sct_semaphore_destroy_at(struct sct_semaphore *semaphore, const char *where) {
    sct_object_point(&semaphore->object, "destroy", SCT_ACCESS_WRITE, where);
    SCT_OBJECT_REQUIRE(sct_queue_count(&semaphore->waiters) == 0, &semaphore->object,
                       "is destroyed while somebody waits for it");
    sct_object_destroy(&semaphore->object);
}

static void set(struct sct_semaphore *semaphore, uint32_t value) {
    ASSERT(value <= SCT_SEMAPHORE_MAX);
    semaphore->value = value;
    become(semaphore);
    // Told all who wait, at every change: with a value of 1 they are all enabled, and the first of
    // them takes it.
    sct_queue_grant(&semaphore->waiters, value > 0);
}

static void take_one(struct sct_semaphore *semaphore) {
    ASSERT(semaphore->value > 0);
    sct_edge_acquire(semaphore->object.edge);
    set(semaphore, semaphore->value - 1);
}

bool sct_semaphore_wait_at(struct sct_semaphore *semaphore, const char *where,
                           enum sct_patience patience) {
    sct_object_check(&semaphore->object);
    const struct sct_wait wait = {&semaphore->object, "wait", where, patience};
    // One step: enabled while the value is positive, and when it is chosen it takes one.
    if (!sct_object_wait(&semaphore->waiters, &wait, semaphore->value > 0))
        return false;
    take_one(semaphore);
    return true;
}

bool sct_semaphore_try_at(struct sct_semaphore *semaphore, const char *where) {
    sct_object_point(&semaphore->object, "try", SCT_ACCESS_WRITE, where);
    // To have tried in vain is learnt, too: what the task does next depends on it.
    bool is_positive = semaphore->value > 0;
    sct_object_learn(is_positive);
    if (is_positive)
        take_one(semaphore);
    return is_positive;
}

void sct_semaphore_post_at(struct sct_semaphore *semaphore, const char *where) {
    sct_object_point(&semaphore->object, "post", SCT_ACCESS_WRITE, where);
    SCT_OBJECT_REQUIRE(semaphore->value < SCT_SEMAPHORE_MAX, &semaphore->object,
                       "is posted beyond its largest value");
    // What this one has done happens before what anybody does who takes up later, not only the one
    // whose turn the post makes possible (POSIX says no more than that either).
    sct_edge_release(&semaphore->object.edge);
    set(semaphore, semaphore->value + 1);
}

uint32_t sct_semaphore_value_at(struct sct_semaphore *semaphore, const char *where) {
    sct_object_point(&semaphore->object, "value", SCT_ACCESS_READ, where);
    sct_object_learn(semaphore->value);
    return semaphore->value;
}
