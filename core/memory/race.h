// Data races: two accesses to the same bytes by two threads, at least one of them a write, not both
// atomic, and nothing that orders them.
//
// Stability: provisional: what is known of a race grows.
#ifndef CORE_MEMORY_RACE_H
#define CORE_MEMORY_RACE_H

#include "core/base/api.h"
#include "core/base/text.h"
#include "core/memory/shadow.h"

#define SCT_KIND_DATA_RACE "data-race"

struct sct_race_side {
    uint32_t thread; // its number
    const char *thread_name;
    enum sct_access_kind kind;
    const void *place;
};

struct sct_race {
    struct sct_race_side earlier, later; // in the order of execution; later is the running thread
    const char *name;                    // of a cell of one's own; NULL: it is memory
    uintptr_t address;                   // of the first byte that both touch, or 0
    uint32_t bytes;                      // that both touch, within one cell
    // The earlier thread let go of something after its access that the later one has not taken up
    // (unlocked, posted, released). False: it has not synchronised since at all.
    bool earlier_has_released;
};

// One line, without places and addresses: what a violation says.
void sct_race_describe(const struct sct_race *race, struct text *text);

// What would order the two, one line.
void sct_race_advise(const struct sct_race *race, struct text *text);

// "read", "write", "atomic read", "atomic write".
const char *sct_access_kind_name(enum sct_access_kind kind);

#endif
