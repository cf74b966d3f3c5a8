// What a step touches, or several steps in place of each other: the accesses that were declared at
// its scheduling point and named on the way (sct_touch). Internal to core/; knows no engine.
#ifndef CORE_SEARCH_FOOTPRINT_H
#define CORE_SEARCH_FOOTPRINT_H

#include "core/strategy/access.h"

// A step that names more than so many accesses counts as touching anything.
enum { SCT_TOUCHES_MAX = 12 };

struct sct_footprint {
    uint32_t count;
    bool is_unknown;  // anything
    bool has_stopped; // a machine: even steps that touch nothing may be lost
    uint64_t objects; // of the accesses, by their last six bits
    struct sct_access accesses[SCT_TOUCHES_MAX];
};

static inline void sct_footprint_clear(struct sct_footprint *print) {
    print->count = 0;
    print->is_unknown = print->has_stopped = false;
    print->objects = 0;
}

// The bit of an access in [objects]: two steps without one in common touch nothing in common, which
// is so of most, and known without a look at each pair.
static inline uint64_t sct_footprint_object(const struct sct_access *access) {
    return UINT64_C(1) << access->object % 64;
}

static inline bool sct_footprint_is_empty(const struct sct_footprint *print) {
    return print->count == 0 && !print->is_unknown && !print->has_stopped;
}

void sct_footprint_add(struct sct_footprint *print, const struct sct_access *access);

void sct_footprint_join(struct sct_footprint *print, const struct sct_footprint *other);

// Whether the order of two steps may matter. Steps that touch nothing depend on none, but on those
// that stop a machine.
bool sct_footprints_depend(const struct sct_footprint *a, const struct sct_footprint *b);

// How a step may depend on one before it.
enum sct_dependence {
    SCT_INDEPENDENT, // or whatever it could do after that one, it could do before it
    SCT_READS_IT,    // it may read what that one has stored, and else do what it could before
    SCT_DEPENDENT,
};

// How [later] depends on [step], which has stores of locations (core/memory).
enum sct_dependence sct_footprint_after(const struct sct_footprint *later,
                                        const struct sct_footprint *step);

#endif
