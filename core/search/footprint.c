#include "core/search/footprint.h"
#include "core/base/assert.h"

static bool is_same(const struct sct_access *a, const struct sct_access *b) {
    return a->mode == b->mode && a->object == b->object && a->low == b->low && a->high == b->high;
}

void sct_footprint_add(struct sct_footprint *print, const struct sct_access *access) {
    ASSERT(print->count <= SCT_TOUCHES_MAX);
    if (access->mode == SCT_ACCESS_NONE || print->is_unknown)
        return;
    // A loop over one variable touches it often. Few accesses: no table would be faster.
    for (uint32_t i = 0; i < print->count; i++)
        if (is_same(&print->accesses[i], access))
            return;
    // More than there is room for may be anything: too much dependence costs executions, too little
    // would lose some.
    if (access->mode == SCT_ACCESS_UNKNOWN || print->count == SCT_TOUCHES_MAX) {
        print->is_unknown = true;
        return;
    }
    print->accesses[print->count++] = *access;
    print->objects |= sct_footprint_object(access);
}

void sct_footprint_join(struct sct_footprint *print, const struct sct_footprint *other) {
    ASSERT(print != other);
    print->is_unknown = print->is_unknown || other->is_unknown;
    print->has_stopped = print->has_stopped || other->has_stopped;
    for (uint32_t i = 0; i < other->count; i++)
        sct_footprint_add(print, &other->accesses[i]);
}

// Of two accesses that race.
static enum sct_dependence dependence(const struct sct_access *later,
                                      const struct sct_access *step) {
    if (sct_access_is_arrival(later) && sct_access_is_arrival(step))
        return step->mode == SCT_ACCESS_ARRIVE_LATE ? SCT_DEPENDENT : SCT_INDEPENDENT;
    if (!sct_access_is_weak(later) || !sct_access_is_weak(step))
        return SCT_DEPENDENT;
    // A store that comes later finds its place among the others whatever they were; a load that
    // comes later may read the step's store, which it could not have before.
    bool reads = later->mode != SCT_ACCESS_STORE, stores = step->mode != SCT_ACCESS_LOAD;
    return reads && stores ? SCT_READS_IT : SCT_INDEPENDENT;
}

enum sct_dependence sct_footprint_after(const struct sct_footprint *later,
                                        const struct sct_footprint *step) {
    // Where more than accesses is at stake the order matters either way.
    if (later->has_stopped || step->has_stopped || later->is_unknown || step->is_unknown)
        return sct_footprints_depend(later, step) ? SCT_DEPENDENT : SCT_INDEPENDENT;
    if (!(later->objects & step->objects))
        return SCT_INDEPENDENT;
    enum sct_dependence most = SCT_INDEPENDENT;
    for (uint32_t i = 0; i < later->count; i++)
        for (uint32_t k = 0; k < step->count; k++) {
            if (!sct_accesses_race(&later->accesses[i], &step->accesses[k]))
                continue;
            enum sct_dependence one = dependence(&later->accesses[i], &step->accesses[k]);
            most = one > most ? one : most;
        }
    return most;
}

bool sct_footprints_depend(const struct sct_footprint *a, const struct sct_footprint *b) {
    if (a->has_stopped || b->has_stopped)
        return true;
    // What touches nothing depends on nobody, not even on a step that may have touched anything.
    if (a->is_unknown)
        return b->is_unknown || b->count > 0;
    if (b->is_unknown)
        return a->count > 0;
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (sct_accesses_race(&a->accesses[i], &b->accesses[k]))
                return true;
    return false;
}
