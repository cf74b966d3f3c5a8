// Requests that end in time: a table none of whose requests outlives a lease.
//
// Whoever holds a lease may act as long as it lasts, and others count on it that he does nothing
// afterwards. He may be stopped at any point, and what he sends may be under way for long. So a
// look at the clock before a request is not enough: the table itself must refuse what comes too
// late.
//
// What is told as unknown (CT_UNKNOWN) by the table within may still be under way. The guard keeps
// it until the request's deadline has passed, so that whoever is told so, and ends what others wait
// for, knows that nothing comes after it.
#ifndef MODEL_CONFIG_GUARD_H
#define MODEL_CONFIG_GUARD_H

#include "bugs/bugs.h"
#include "model/table/env.h"

#include <stdatomic.h>

// A table whose requests can be bounded in time. Serves one thread at a time.
struct mt_bounded {
    struct ct_table *table;
    // Batches that [table] sends from now on have no effect at or after [time], of the env's clock.
    // (A table at a server has it translate the time, erring on the early side.)
    void (*set_deadline)(struct ct_table *table, uint64_t time);
    // Returns when no batch of anybody whose deadline had passed before can have an effect any
    // more. Fails with CT_STATUS_SERVER_ERROR. NULL: that is always so.
    struct ct_outcome (*fence)(struct ct_table *table);
};

// Durations in nanoseconds of a local clock. Clocks are compared by their rates alone, which differ
// from the true one by one in MT_DRIFT at most.
enum { MT_DRIFT = 100 };

// How long a lease of [length] may be used by its owner ...
static inline uint64_t mt_own_lease(uint64_t length) {
    return length - length / MT_DRIFT;
}

// ... and after what time without a sign of life others may take it for ended, if requests are
// under way for [request] at most (0: the table enforces deadlines exactly).
static inline uint64_t mt_foreign_lease(uint64_t length, uint64_t request) {
    return length + length / MT_DRIFT + request + 2; // clocks that are read twice are rounded twice
}

struct mt_lease {
    struct ct_env *env;
    _Atomic uint64_t end;     // of the env's clock; 0: none is held
    _Atomic uint64_t request; // no request is under way for longer
    struct bug_set *bugs;     // injected bugs, or NULL
};

// Whether the lease lasts.
bool mt_lease_holds(struct mt_lease *lease);

struct mt_guard {
    struct ct_table table; // first member
    struct mt_bounded inner;
    struct mt_lease *lease;
};

// [guard]'s interface becomes [inner] for the time of [lease]: once that has ended, requests are
// refused with CT_STATUS_SERVER_ERROR without being sent, and so are answers of reads that come
// later than that, since what they say may be of a time when the lease had ended. Its streams too.
void mt_guard_init(struct mt_guard *guard, const struct mt_bounded *inner, struct mt_lease *lease);

#endif
