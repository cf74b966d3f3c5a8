#include "core/memory/clock.h"

enum { BLOCK = SCT_CLOCK_BLOCK };

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
    if (__builtin_expect(other->length > clock->length, 0))
        lengthen(clock, arena, other->length);
    // Epochs are small; as numbers with a sign they are compared by the processors of all years.
    // (Without one x86-64 has no such instruction for vectors before SSE4.1.)
    for (uint32_t i = 0; i < other->length; i += BLOCK) {
        int32_t *to = (int32_t *)clock->epochs + i;
        const int32_t *from = (const int32_t *)other->epochs + i;
        for (uint32_t k = 0; k < BLOCK; k++)
            to[k] = to[k] < from[k] ? from[k] : to[k];
    }
}

bool sct_clock_covers(const struct sct_clock *clock, const struct sct_clock *other) {
    ASSERT(clock->length % BLOCK == 0 && other->length % BLOCK == 0);
    // The other may be longer: what is not in this one is before every epoch.
    for (uint32_t i = 0; i < other->length; i++)
        if (other->epochs[i] > sct_clock_at(clock, i))
            return false;
    return true;
}
