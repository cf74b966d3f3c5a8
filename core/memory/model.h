// Memory models: which stores of a location a thread may read, and where its own may go. One file
// and one table each; what is common to all, the edges that orders make among it, is in location.c.
// Internal to core/memory.
#ifndef CORE_MEMORY_MODEL_H
#define CORE_MEMORY_MODEL_H

#include "core/base/rng.h"
#include "core/memory/location.h"
#include "core/memory/state.h"

struct sct_store {
    uint64_t value;
    uint64_t time;            // of its execution: the count of stores
    const void *place;        // of its operation
    uint64_t event;           // which of its thread's it is (graph.c); 0: of none
    uint32_t thread, epoch;   // epoch 0: known to all
    uint32_t step;            // of its thread
    uint32_t seq_cst_time;    // 0: it is not of order SEQ_CST
    bool is_update;           // of a read-modify-write, which has read the store before it
    bool is_updated;          // by the store after it: nothing can come between
    bool is_release;          // of order RELEASE or stronger
    struct sct_edge *message; // for those who read it; never changed. NULL: nothing
    uint32_t reader_count;    // length of:
    uint32_t *reads;          // by thread: the first epoch in which it has read this; 0: never
};

struct sct_location {
    uint32_t bytes;
    uint32_t count, capacity;
    struct sct_store **stores; // in modification order
    uintptr_t address;         // of those in the table
    uint64_t last_use;
    struct sct_location *next; // in its bucket
};

// The bits of a value that a location of [bytes] bytes holds.
static inline uint64_t sct_location_mask(uint32_t bytes) {
    return bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1;
}

// location.c: forgets the history of [location]; its one store is of [value], by whoever runs.
void sct_location_reset(struct sct_location *location, uint64_t value);

// What is NULL does nothing.
struct sct_model {
    // The index of the oldest store that [party] may read by an access of [order]; it may read all
    // that are newer. (Of those, a read-modify-write those that no other has read.)
    uint32_t (*lowest)(const struct sct_memory_state *memory, const struct sct_party *party,
                       const struct sct_location *location, enum sct_order order);
    // Whether a store may go anywhere behind the oldest that its thread may read; else to the end.
    bool reorders_stores;
    // [party] has read stores[index] of [location].
    void (*on_load)(struct sct_memory_state *memory, struct sct_party *party,
                    const struct sct_location *location, uint32_t index);
    void (*on_store)(struct sct_party *party, const struct sct_store *store);
    // A fence of order SEQ_CST of [party], or what acts like one: before and after
    // read-modify-writes, after stores of that order.
    void (*drain)(struct sct_memory_state *memory, struct sct_party *party);
};

// For graph.c: a number for the next event of [party]. Which of its thread's it is says the same in
// every execution with the same graph; when it happened does not.
static inline uint64_t sct_graph_event(struct sct_party *party) {
    ASSERT(party->number < SCT_THREADS_MAX);
    return (uint64_t)party->number << 32 | ++party->event_count;
}

// [party] has read [store].
static inline void sct_graph_read(struct sct_memory_moment *now, struct sct_party *party,
                                  const struct sct_store *store) {
    // A sum, as reads of different threads come in any order. The factor (any large odd number)
    // keeps the two events apart, so that one mixing is enough for both.
    uint64_t read = sct_graph_event(party) * UINT64_C(0xd6e8feb86659fd93);
    now->graph_reads += rng_mix(read ^ ~store->event);
}

extern const struct sct_model sct_model_sc, sct_model_tso, sct_model_c11;

#endif
