// Sequential consistency: memory has one value.
#include "core/memory/model.h"

static uint32_t lowest(const struct sct_memory_state *memory, const struct sct_party *party,
                       const struct sct_location *location, enum sct_order order) {
    (void)memory;
    (void)party;
    (void)order;
    ASSERT(location->count > 0);
    return location->count - 1;
}

const struct sct_model sct_model_sc = {.lowest = lowest};
