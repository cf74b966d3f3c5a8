// Virtual time for processes whose clocks run at different rates.
//
// Steps take no time. Time passes when nothing can run any more: then it goes on to the next
// instant for which somebody sleeps. So whoever is to be slow must be made to stand still, and
// everything that is due at the same instant comes in every order.
#ifndef HARNESS_PRODUCTION_TIME_H
#define HARNESS_PRODUCTION_TIME_H

#include "core/engine/sync.h"

struct sleeper;

struct world_time {
    uint64_t now;          // nanoseconds, of the true clock
    uint64_t limit;        // what has not ended by then never will: a livelock; 0: none
    struct sleeper *first; // by the time they sleep for
    struct sct_queue idle;
};

// Starts the machine of the clock.
void world_time_start(struct world_time *time);

// Suspends the running task until [at].
void world_time_sleep(struct world_time *time, uint64_t at);

// For the comparison of states: the present, and the instants to come, those of the dead included.
struct digest world_time_digest(const struct world_time *time);

// A clock that gains [rate] parts of 100 a unit on the true one, and began at [offset].
struct local_clock {
    const struct world_time *time;
    uint64_t offset;
    uint32_t rate; // 99, 100 or 101
};

uint64_t local_clock_now(const struct local_clock *clock);

// The first instant of the true clock at which [clock] says [local] or more.
uint64_t local_clock_true(const struct local_clock *clock, uint64_t local);

#endif
