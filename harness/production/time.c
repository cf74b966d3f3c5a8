#include "harness/production/time.h"

#include "core/engine/inside.h"

enum { PARTS = 100 };

struct sleeper {
    uint64_t at;
    struct sct_waiters waiters;
    struct sleeper *next;
};

// All whose time has come, in one step: who of them goes on first is then a choice like any other.
static void wake(struct world_time *time) {
    while (time->first && time->first->at <= time->now) {
        struct sleeper *sleeper = time->first;
        time->first = sleeper->next;
        sct_waiters_wake(&sleeper->waiters);
    }
}

static void run(void *argument) {
    struct world_time *time = argument;
    static const struct sct_awaited step = {
        .label = "time passes", .waits_for = "nothing else to run", .where = HERE};
    for (;;) {
        // Time is no competitor of the other tasks: whoever is to be slow is made so by a fault
        // that is drawn, which costs fewer choices than a clock that may tick at each step.
        sct_await(&time->idle, &step, SCT_WAIT_IDLE, false);
        if (!time->first)
            return; // nobody sleeps: it is over, or stuck
        time->now = time->first->at;
        // Two executions that come to the same instant by other ways are one from here on.
        sct_forget((struct digest){0, 0}, &time->now, sizeof time->now); // all that it goes by
        sct_check(time->limit == 0 || time->now <= time->limit, SCT_KIND_LIVELOCK,
                  "after %llu ms not everything has ended",
                  (unsigned long long)(time->now / 1000000));
        if (sct_narrating())
            sct_note("it is %llu ms", (unsigned long long)(time->now / 1000000));
        wake(time);
    }
}

void world_time_start(struct world_time *time) {
    sct_queue_init(&time->idle);
    sct_task_start(sct_machine_create("time"), "time", run, time);
}

// The list is sorted, and whoever sleeps for the same instant stands in the order of arrival.
// Linear in the number of sleepers, which are a few for each process.
void world_time_sleep(struct world_time *time, uint64_t at) {
    if (time->now >= at)
        return;
    struct sleeper sleeper = {.at = at};
    sct_waiters_init(&sleeper.waiters);
    struct sleeper **link = &time->first;
    while (*link && (*link)->at <= at)
        link = &(*link)->next;
    sleeper.next = *link;
    *link = &sleeper;
    while (time->now < at)
        sct_waiters_wait(&sleeper.waiters, "a time to come");
}

struct digest world_time_digest(const struct world_time *time) {
    struct digest digest = {time->now, 0};
    for (const struct sleeper *sleeper = time->first; sleeper; sleeper = sleeper->next)
        digest = digest_fold(digest, sleeper->at);
    return digest;
}

uint64_t local_clock_now(const struct local_clock *clock) {
    // Rounded down, and the inverse up: who sleeps until a local time finds it there when he wakes.
    return clock->offset + clock->time->now * clock->rate / PARTS;
}

uint64_t local_clock_true(const struct local_clock *clock, uint64_t local) {
    if (local <= clock->offset)
        return 0;
    return ((local - clock->offset) * PARTS + clock->rate - 1) / clock->rate;
}
