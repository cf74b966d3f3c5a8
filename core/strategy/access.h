// What the steps of tasks touch, and so whether the order of two steps can matter. The one thing
// that strategies and reductions know of the system under test.
//
// Stability: stays within 0.2.
#ifndef CORE_STRATEGY_ACCESS_H
#define CORE_STRATEGY_ACCESS_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stdint.h>

enum sct_access_mode {
    SCT_ACCESS_NONE,    // touches nothing that other tasks can see
    SCT_ACCESS_READ,    // reads keys low..high of object
    SCT_ACCESS_WRITE,   // may change keys low..high of object
    SCT_ACCESS_UNKNOWN, // may touch anything
    // A location of which a load may also read older stores, and a store need not become the
    // newest (core/memory): as a read, a write and a write, except where a search knows better.
    SCT_ACCESS_LOAD,
    SCT_ACCESS_STORE,
    SCT_ACCESS_UPDATE, // loads and stores
    // One more comes to where so many are waited for, and is not the last of them: as a write, but
    // where a search knows better.
    SCT_ACCESS_ARRIVE,
    SCT_ACCESS_ARRIVE_LATE, // the last but one, after whom whoever comes is the last
};

// What a pending step touches: a closed range of keys of one object. The mapping of real keys to
// integers must be monotone; where it is not injective it makes steps look dependent, never
// independent.
struct sct_access {
    enum sct_access_mode mode;
    uint32_t object;
    uint64_t low, high;
};

SCT_API extern const struct sct_access sct_access_none;
SCT_API extern const struct sct_access sct_access_unknown;

static inline bool sct_access_is_read(const struct sct_access *access) {
    return access->mode == SCT_ACCESS_READ || access->mode == SCT_ACCESS_LOAD;
}

// Whether it is of a location.
static inline bool sct_access_is_weak(const struct sct_access *access) {
    return access->mode >= SCT_ACCESS_LOAD && access->mode <= SCT_ACCESS_UPDATE;
}

static inline bool sct_access_is_arrival(const struct sct_access *access) {
    return access->mode >= SCT_ACCESS_ARRIVE;
}

// Whether the order of two steps can matter: same object, overlapping keys, not both reads.
bool sct_accesses_race(const struct sct_access *a, const struct sct_access *b);

#endif
