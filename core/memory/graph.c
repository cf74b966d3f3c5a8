// Execution graphs: which store each load has read, and in which order the stores of each location
// stand. Two executions with the same graph differ in the order of steps alone.
#include "core/base/rng.h"
#include "core/memory/model.h"

// Of one location: the stores in their order, but for one that is alone.
static uint64_t order_of(const struct sct_location *location) {
    uint64_t order = 0;
    ASSERT(location->count > 0 && location->stores);
    for (uint32_t i = 1; i < location->count; i++)
        order = rng_mix(order ^ location->stores[i]->event);
    return order;
}

uint64_t sct_memory_graph(void) {
    const struct sct_memory_moment *now = sct_memory_state()->now;
    uint64_t graph = now->graph_reads;
    ASSERT(now->table.bucket_count == 0 || now->table.buckets);
    // The table's order depends on addresses, which a sum does not see.
    for (uint32_t i = 0; i < now->table.bucket_count; i++)
        for (const struct sct_location *at = now->table.buckets[i]; at; at = at->next)
            graph += order_of(at);
    return graph;
}
