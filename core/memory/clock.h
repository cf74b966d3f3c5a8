// Vector clocks: for each thread, up to which of its epochs something is known.
//
// Threads are numbered by their start in the execution, from 0 (setup and finish). One whose
// creator knows all that an ended one has done may go on with that one's number, in later epochs;
// otherwise clocks grow: SCT_TASKS_MAX live at a time, SCT_THREADS_MAX numbers are in an execution.
// An entry that is not there is 0, before every epoch; a clock is as long as the last thread that
// it knows of (rounded up), so programs of few threads have short ones. All memory is the arena's.
// Knows no engine. (Lamport 1978; Fidge, Mattern 1988; epochs after FastTrack, PLDI 2009.)
#ifndef CORE_MEMORY_CLOCK_H
#define CORE_MEMORY_CLOCK_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// One more is a violation of kind `out-of-memory` (FAIL_LIMIT).
enum { SCT_THREADS_MAX = 1024 };

// Lengths are multiples of it: loops over eight at a time become vectors.
enum { SCT_CLOCK_BLOCK = 8 };

struct sct_clock {
    uint32_t length;
    uint32_t *epochs; // by number of thread
};

static inline uint32_t sct_clock_at(const struct sct_clock *clock, uint32_t thread) {
    return thread < clock->length ? clock->epochs[thread] : 0;
}

// Whether [epoch] of [thread] is in [clock]: what was done in it happened before.
static inline bool sct_clock_has(const struct sct_clock *clock, uint32_t thread, uint32_t epoch) {
    return epoch <= sct_clock_at(clock, thread);
}

// Entry [thread] becomes [epoch], which is not less than it was.
void sct_clock_set(struct sct_clock *clock, struct arena *arena, uint32_t thread, uint32_t epoch);

// [clock] knows what [other] knows, too.
void sct_clock_join(struct sct_clock *clock, struct arena *arena, const struct sct_clock *other);

// Whether [clock] knows all that [other] knows.
bool sct_clock_covers(const struct sct_clock *clock, const struct sct_clock *other);

// A copy of its own: what is let go of is kept as it was then, while the clock goes on.
static inline struct sct_clock sct_clock_copy(const struct sct_clock *clock, struct arena *arena) {
    ASSERT(clock->length % SCT_CLOCK_BLOCK == 0);
    if (clock->length == 0)
        return (struct sct_clock){0, NULL};
    uint32_t *epochs = ARENA_ARRAY(arena, uint32_t, clock->length);
    // Block by block: a call of memcpy costs more than what there is to copy, mostly one block.
    for (uint32_t i = 0; i < clock->length; i += SCT_CLOCK_BLOCK)
        memcpy(epochs + i, clock->epochs + i, SCT_CLOCK_BLOCK * sizeof *epochs);
    return (struct sct_clock){clock->length, epochs};
}

#endif
