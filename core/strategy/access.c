#include "core/strategy/access.h"

const struct sct_access sct_access_none = {.mode = SCT_ACCESS_NONE};
const struct sct_access sct_access_unknown = {.mode = SCT_ACCESS_UNKNOWN, .high = UINT64_MAX};

bool sct_accesses_race(const struct sct_access *a, const struct sct_access *b) {
    if (a->mode == SCT_ACCESS_NONE || b->mode == SCT_ACCESS_NONE)
        return false;
    if (a->mode == SCT_ACCESS_UNKNOWN || b->mode == SCT_ACCESS_UNKNOWN)
        return true;
    // Two reads commute. Ranges, and not numbers alone: a query touches all keys between two, and a
    // step of a batch the ends of what it writes.
    if (sct_access_is_read(a) && sct_access_is_read(b))
        return false;
    return a->object == b->object && a->low <= b->high && b->low <= a->high;
}
