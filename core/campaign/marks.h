// Sometimes marks: named places of which a campaign says how often they were reached.
//
// A property that must always hold proves nothing where it is never tried. MARK("name") in a
// harness says: this should happen sometimes. A mark is listed when it is first reached; two places
// may share a name. Counts are sums over the executions that count (see sct_marks_count), so they
// do not depend on the order of executions. For code above the engine; everything runs on one
// thread.
//
// Stability: MARK stays within 0.2; the rest is the library's own.
#ifndef CORE_CAMPAIGN_MARKS_H
#define CORE_CAMPAIGN_MARKS_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sct_mark {
    const char *name;
    uint64_t count;
    struct sct_mark *next; // the list is the library's: see sct_marks_next
    bool is_listed, is_indexed;
};

// Whether what happens now counts: not so in calibrations, repetitions and replays.
SCT_API extern bool sct_marks_are_counting;

// Begins or ends counting, which is off at first.
void sct_marks_count(bool is_counting);

// All counts become 0.
void sct_marks_reset(void);

// The listed marks by name, those of one name side by side; NULL after the last. [mark] NULL: the
// first.
const struct sct_mark *sct_marks_next(const struct sct_mark *mark);

// How often names were compared so far: what keeping the list costs.
uint64_t sct_marks_comparisons(void);

// How often the marks called [name] were reached together.
uint64_t sct_marks_reached(const char *name);

// Adds what another process has counted for the marks called [name].
void sct_marks_add(const char *name, uint64_t count);

// Puts [mark], which is not listed, into the list. Allocates nothing.
SCT_API void sct_mark_list(struct sct_mark *mark);

static inline void sct_mark_reach(struct sct_mark *mark) {
    if (!sct_marks_are_counting)
        return;
    if (!mark->is_listed)
        sct_mark_list(mark);
    mark->count++;
}

// This place was reached. No scheduling point, no choices. [mark_name] is a constant.
#define MARK(mark_name)                                     \
    do {                                                    \
        static struct sct_mark mark_ = {.name = mark_name}; \
        sct_mark_reach(&mark_);                             \
    } while (0)

#endif
