// What the steps of tasks touch, and so whether the order of two steps can matter. The one thing
// that strategies and reductions know of the system under test.
#ifndef CORE_STRATEGY_ACCESS_H
#define CORE_STRATEGY_ACCESS_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stdint.h>

// So many tasks live at a time; sets of them are words of 64 bits, by slot.
enum { SCT_TASKS_MAX = 64 };

enum sct_access_mode {
    SCT_ACCESS_NONE,    // touches nothing that other tasks can see
    SCT_ACCESS_READ,    // reads keys low..high of object
    SCT_ACCESS_WRITE,   // may change keys low..high of object
    SCT_ACCESS_UNKNOWN, // may touch anything
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

// Whether the order of two steps can matter: same object, overlapping keys, not both reads.
bool sct_accesses_race(const struct sct_access *a, const struct sct_access *b);

#endif
