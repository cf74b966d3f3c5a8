#include "core/memory/clock.h"

enum { BLOCK = 8 }; // lengths are multiples of it: loops over eight at a time become vectors

static void lengthen(struct sct_clock *clock, struct arena *arena, uint32_t length) {
    if (length > SCT_THREADS_MAX)
        fail_at(FAIL_LIMIT, HERE, "more than %d threads in an execution", SCT_THREADS_MAX);
    length = (length + BLOCK - 1) / BLOCK * BLOCK;
    ASSERT(length > clock->length);
    uint32_t *epochs = ARENA_ARRAY(arena, uint32_t, length);
    if (clock->length > 0)
        memcpy(epochs, clock->epochs, clock->length * sizeof *epochs);
    memset(epochs + clock->length, 0, (length - clock->length) * sizeof *epochs);
    *clock = (struct sct_clock){length, epochs};
}

void sct_clock_set(struct sct_clock *clock, struct arena *arena, uint32_t thread, uint32_t epoch) {
    if (thread >= clock->length)
        lengthen(clock, arena, thread + 1);
    // Clocks only grow: what was known once stays known.
    ASSERT(epoch >= clock->epochs[thread]);
    clock->epochs[thread] = epoch;
}

void sct_clock_join(struct sct_clock *clock, struct arena *arena, const struct sct_clock *other) {
    ASSERT(clock != other && other->length % BLOCK == 0);
    if (other->length > clock->length)
        lengthen(clock, arena, other->length);
    for (uint32_t i = 0; i < other->length; i += BLOCK)
        for (uint32_t k = i; k < i + BLOCK; k++)
            clock->epochs[k] =
                clock->epochs[k] < other->epochs[k] ? other->epochs[k] : clock->epochs[k];
}

bool sct_clock_covers(const struct sct_clock *clock, const struct sct_clock *other) {
    ASSERT(clock->length % BLOCK == 0 && other->length % BLOCK == 0);
    // The other may be longer: what is not in this one is before every epoch.
    for (uint32_t i = 0; i < other->length; i++)
        if (other->epochs[i] > sct_clock_at(clock, i))
            return false;
    return true;
}

// What is let go of is kept as it was then, while the clock it was taken from goes on.
struct sct_clock sct_clock_copy(const struct sct_clock *clock, struct arena *arena) {
    ASSERT(clock->length % BLOCK == 0);
    if (clock->length == 0)
        return (struct sct_clock){0, NULL};
    uint32_t *epochs = ARENA_ARRAY(arena, uint32_t, clock->length);
    // Block by block: a call of memcpy costs more than what there is to copy, mostly one block.
    for (uint32_t i = 0; i < clock->length; i += BLOCK)
        memcpy(epochs + i, clock->epochs + i, BLOCK * sizeof *epochs);
    return (struct sct_clock){clock->length, epochs};
}
