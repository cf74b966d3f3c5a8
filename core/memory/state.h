// What the files of core/memory share of a memory and of the running execution. Internal to it.
#ifndef CORE_MEMORY_STATE_H
#define CORE_MEMORY_STATE_H

#include "core/engine/state.h"
#include "core/memory/clock.h"
#include "core/memory/memory.h"
#include "core/memory/race.h"

// What somebody knows, or what was let go of at one point.
struct sct_edge {
    struct sct_clock known; // what happens before
    // Beside that, what coherence has to respect since fences of order SEQ_CST gave it. Empty in
    // programs without such fences.
    struct sct_clock extra;
    uint32_t fence_time; // of the last such fence that is known, on the count of SEQ_CST; 0: none
    // Of what was let go of at one point: the thread that has, and the epoch of its that ended
    // there. Epoch 0: of none, or of several.
    uint32_t thread, epoch;
};

// A thread as its memory sees it.
struct sct_party {
    uint32_t number;
    uint32_t event_count; // of its reads and stores so far
    const char *name;
    uint32_t first_epoch;       // those before are of the threads that had the number before
    bool has_ended;             // it does nothing more
    struct sct_party *previous; // that had the number; NULL: none
    struct sct_edge view;
    struct sct_edge *released; // at its last release fence; NULL: there was none
    struct sct_edge *pending;  // read by relaxed loads, for the next acquire fence; NULL: nothing
    // Under tso, as times of stores: what its loads have seen of memory at least; when its last own
    // store since a fence took effect, 0: there is none.
    uint64_t seen_time, store_time;
};

// The locations by address.
struct sct_location_table {
    struct sct_location **buckets; // lists of those whose word of 8 bytes belongs there
    uint32_t bucket_count, count;  // a power of two; 0: none yet
    uint64_t uses;                 // of locations, so far
    uint32_t overlaps;
    bool is_mixed; // there were two that overlap
};

// All that an execution changes, in its arena: the first thing there.
struct sct_memory_moment {
    struct arena *arena;
    struct sct_party *by_slot[SCT_TASKS_MAX + 1]; // of living tasks; the last: of setup and finish
    struct sct_party **parties;                   // by number, the last that had it
    uint32_t party_count, party_capacity;
    uint64_t stamp;          // of shadow cells that were touched in this execution
    uint32_t turn;           // of slots to be given up
    uint32_t stale_count;    // answers but 0 to weak choices
    uint32_t seq_cst_time;   // stores and fences of order SEQ_CST so far
    uint64_t read_from;      // the running step may read only stores of this time or later; 0: all
    bool has_source;         // the running step has read a store:
    uint64_t source_time;    // its time; 0: of no thread, it was there before
    bool needs_source;       // see struct sct_memory
    uint64_t store_count;    // stores so far: their times
    const void *place;       // of the running operation
    struct sct_cell **cells; // of the shadow that were touched, where they are kept
    uint32_t cell_count, cell_capacity;
    uint64_t graph_reads;  // a sum over the reads so far (graph.c)
    uint64_t last_time;    // see sct_location_last_time
    uint64_t passed;       // by the next operation: the time of a store, and one; 0: none
    uint64_t passed_value; // by the next operation, if:
    bool passes_value;
    struct sct_clock fences; // what threads knew at their fences of order SEQ_CST
    struct sct_location_table table;
    struct sct_events *events; // of a memory that is exact; else NULL
};

struct sct_region {
    uintptr_t base;
    size_t bytes;
    struct sct_cell *cells;
};

struct sct_place_pair {
    const void *first, *second;
};

struct sct_memory_state {
    struct sct_memory base;
    const struct sct_model *model;
    struct sct_memory_options options;
    struct sct_memory_moment *now;
    uint64_t stamps; // the last one that was given; even numbers
    struct sct_region regions[SCT_REGIONS_MAX];
    uint32_t region_count;
    const struct sct_region *last_region; // that was asked for; NULL: none
    struct sct_place_pair *told;          // races that on_race was told of
    uint32_t told_count, told_capacity;
    bool keeps_cells; // of each execution
};

static inline struct sct_memory_state *sct_memory_state(void) {
    return (struct sct_memory_state *)sct_memory_now;
}

static inline struct sct_party *sct_party_now(const struct sct_memory_state *memory) {
    return memory->now->by_slot[sct_running_slot(sct_engine_now)];
}

// The epoch in which [party] is.
static inline uint32_t sct_party_epoch(const struct sct_party *party) {
    return party->view.known.epochs[party->number];
}

// The thread that had [number] in [epoch].
static inline const struct sct_party *sct_party_at(const struct sct_memory_moment *now,
                                                   uint32_t number, uint32_t epoch) {
    const struct sct_party *party = now->parties[number];
    while (epoch < party->first_epoch && party->previous)
        party = party->previous;
    return party;
}

// Whether what was done in [epoch] of thread [number] was done by [party]; 0 is of whoever has it.
static inline bool sct_party_did(const struct sct_party *party, uint32_t number, uint32_t epoch) {
    return number == party->number && (epoch == 0 || epoch >= party->first_epoch);
}

// A new epoch of [party]: what comes is not part of what it has let go of.
static inline void sct_party_advance(struct sct_party *party) {
    party->view.known.epochs[party->number]++;
}

// In the final check and the review everything is known.
static inline bool sct_memory_is_over(void) {
    return sct_engine_now->is_finishing;
}

// Whether [edge] knows all of [other], as far as that is seen at once. Nobody knows of an epoch but
// by an edge from its end or a later one, and with the epoch comes all that its thread knew then.
static inline bool sct_edge_has(const struct sct_edge *edge, const struct sct_edge *other) {
    return other->epoch > 0 && sct_clock_has(&edge->known, other->thread, other->epoch);
}

struct sct_edge *sct_edge_copy(const struct sct_edge *edge, struct arena *arena);

// What [party] lets go of now; its epoch is to end.
static inline struct sct_edge *sct_edge_of(const struct sct_party *party, struct arena *arena) {
    const struct sct_edge *view = &party->view;
    struct sct_edge *edge = ARENA_ARRAY(arena, struct sct_edge, 1);
    *edge = (struct sct_edge){
        .known = sct_clock_copy(&view->known, arena),
        .fence_time = view->fence_time,
        .thread = party->number,
        .epoch = sct_party_epoch(party),
    };
    if (__builtin_expect(view->extra.length > 0, 0))
        edge->extra = sct_clock_copy(&view->extra, arena);
    return edge;
}

void sct_edge_join(struct sct_edge *edge, struct arena *arena, const struct sct_edge *other);

// shadow.c: gives the cells back.
void sct_region_unmap(const struct sct_region *region);

// race.c: passes it over, tells of it, or ends the execution, as the options say.
void sct_race_found(struct sct_memory_state *memory, const struct sct_race *race);

#endif
