#include "core/threads/barrier.h"
#include "core/engine/inside.h"

// It outlives its end: those who are let through leave one by one, while others may already wait in
// the next.
struct sct_round {
    struct sct_queue queue;
    struct sct_edge *edge; // from all who have come to all who go on
};

// From the arena, as many as there are rounds: a round that is over is still waited in by those who
// have not been chosen since.
static void begin_round(struct sct_barrier *barrier) {
    ASSERT(barrier->arrived == 0 || barrier->arrived == barrier->count);
    barrier->arrived = 0;
    barrier->round = ARENA_NEW(sct_arena(), struct sct_round);
    sct_queue_init(&barrier->round->queue);
}

static void become(struct sct_barrier *barrier) {
    if (sct_comparing())
        sct_object_become(&barrier->object, (struct digest){barrier->arrived, 3});
}

static void explain(const void *thing, struct text *text) {
    const struct sct_barrier *barrier = thing;
    text_add(text, " (%u of %u have come)", barrier->arrived, barrier->count);
}

void sct_barrier_init(struct sct_barrier *barrier, const char *name, uint32_t count) {
    sct_object_init(&barrier->object, "barrier", name);
    barrier->object.explain = explain;
    SCT_OBJECT_REQUIRE(count > 0, &barrier->object, "counts nobody");
    barrier->count = count;
    barrier->arrived = 0;
    begin_round(barrier);
    become(barrier);
}

void sct_barrier_destroy_at(struct sct_barrier *barrier, const char *where) {
    sct_object_point(&barrier->object, "destroy", SCT_ACCESS_WRITE, where);
    // Those who were let through and have not gone on since are no obstacle: they are in a round
    // that is over, and need only that.
    SCT_OBJECT_REQUIRE(barrier->arrived == 0, &barrier->object,
                       "is destroyed while somebody waits for it");
    sct_object_destroy(&barrier->object);
}

// Searches are told what the order of arrivals decides: who is the last one (core/search/sleep.h).
static void touch_arrival(const struct sct_barrier *barrier) {
    if (barrier->arrived == barrier->count)
        sct_object_touch(&barrier->object, SCT_ACCESS_WRITE);
    else if (barrier->arrived + 1 == barrier->count)
        sct_object_touch(&barrier->object, SCT_ACCESS_ARRIVE_LATE);
}

bool sct_barrier_wait_at(struct sct_barrier *barrier, const char *where) {
    enum sct_access_mode mode = sct_reducing() ? SCT_ACCESS_ARRIVE : SCT_ACCESS_WRITE;
    sct_object_point(&barrier->object, "arrive at", mode, where);
    // Kept: when this one goes on the barrier has another.
    struct sct_round *round = barrier->round;
    // All release before any acquires: so everything before the barrier happens before everything
    // behind it.
    sct_edge_release(&round->edge);
    ASSERT(barrier->arrived < barrier->count);
    bool is_last = ++barrier->arrived == barrier->count;
    touch_arrival(barrier);
    // As pthread_barrier_wait tells one of them that it is the serial thread: it may do more.
    sct_object_learn(is_last);
    // The next round begins before anybody is let through: who is fast and comes back must not meet
    // the old one.
    if (is_last)
        begin_round(barrier);
    become(barrier);
    if (is_last) {
        sct_queue_grant(&round->queue, true);
    } else {
        const struct sct_wait wait = {&barrier->object, "pass", where, SCT_WAIT_FOR_EVER};
        sct_object_pass(&round->queue, &wait);
    }
    // The last one, too: it has waited for nobody, but goes on behind all of them.
    sct_edge_acquire(round->edge);
    return is_last;
}
