// Total store order, what x86 shows, told from the side of the loads. Stores take effect in the
// order of execution. A load may be earlier than the thread's own stores before it: it sees memory
// as it was at some time before the last of them, but not before what earlier loads have seen. Own
// stores that memory does not have at that time are read from the store buffer.
//
// Read-modify-writes, stores of order SEQ_CST and such fences wait until the buffer is empty.
#include "core/memory/model.h"

static bool is_own(const struct sct_party *party, const struct sct_store *store) {
    return sct_party_did(party, store->thread, store->epoch);
}

// The index of the thread's own last store in [location], or 0.
static uint32_t own_last(const struct sct_party *party, const struct sct_location *location) {
    ASSERT(location->count > 0);
    uint32_t index = location->count - 1;
    while (index > 0 && !is_own(party, location->stores[index]))
        index--;
    return index;
}

static uint32_t lowest(const struct sct_memory_state *memory, const struct sct_party *party,
                       const struct sct_location *location, enum sct_order order) {
    (void)memory;
    (void)order;
    ASSERT(location->count > 0);
    uint32_t index = location->count - 1;
    if (party->seen_time >= party->store_time)
        return index; // nothing is in the buffer: an earlier load is one that was scheduled earlier
    // Its own last store is in front of whatever memory has at that time, read from the buffer or
    // not: nothing before it can be read.
    uint32_t floor = own_last(party, location);
    while (index > floor && location->stores[index]->time > party->seen_time)
        index--;
    ASSERT(index >= floor);
    return index;
}

static void on_load(struct sct_memory_state *memory, struct sct_party *party,
                    const struct sct_location *location, uint32_t index) {
    (void)memory;
    ASSERT(index < location->count);
    const struct sct_store *store = location->stores[index];
    // What comes out of its own buffer tells nothing of how far memory has come.
    bool is_forwarded = is_own(party, store) && store->time > party->seen_time;
    if (!is_forwarded && party->seen_time < store->time)
        party->seen_time = store->time;
}

static void on_store(struct sct_party *party, const struct sct_store *store) {
    ASSERT(store->thread == party->number && store->time > party->store_time);
    party->store_time = store->time;
}

static void drain(struct sct_memory_state *memory, struct sct_party *party) {
    ASSERT(party->seen_time <= memory->now->store_count);
    party->seen_time = memory->now->store_count; // all there is: its own stores are in memory
}

const struct sct_model sct_model_tso = {
    .lowest = lowest, .on_load = on_load, .on_store = on_store, .drain = drain};
