// Edges of happens-before: what one task has done before it lets go of something happens before
// what another does that takes it up.
//
// For whoever builds what tasks synchronise by (locks, messages, atomics): it tells its edges here,
// whether or not somebody keeps them. Nobody does unless the program has a memory (struct
// sct_program, core/memory/memory.h); then each call costs one test. No scheduling points, no
// choices.
//
// Stability: the library's own; it is here for its types.
#ifndef CORE_ENGINE_EDGE_H
#define CORE_ENGINE_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What was known to all who have let go of one thing so far; NULL: nobody has. In the arena.
struct sct_edge;

// Who keeps happens-before: the first member of its own structure. One per engine at a time.
struct sct_memory {
    // An execution begins; its arena is empty. What it keeps of the execution lies there.
    void (*begin)(struct sct_memory *memory);
    // The running code starts the task in [slot], called [name]: an edge from here to its first
    // step.
    void (*start)(struct sct_memory *memory, unsigned slot, const char *name);
    // The running task has let go of all it ever will, and does nothing more.
    void (*end)(struct sct_memory *memory);
    void (*release)(struct sct_memory *memory, struct sct_edge **edge);
    void (*acquire)(struct sct_memory *memory, const struct sct_edge *edge);
    // Whether an acquisition would tell the running task nothing new.
    bool (*knows)(const struct sct_memory *memory, const struct sct_edge *edge);
    // For searches by sleep sets (core/search/sleep.h). The time: how many stores there were, and
    // one. The step that begins may read only stores that come at [time] or later (0: all); the
    // execution is given up (SCT_PRUNED) where it reads another.
    uint64_t (*time)(const struct sct_memory *memory);
    void (*limit)(struct sct_memory *memory, uint64_t time);
    // The time of the store that the running step has read; 0: none, or one that no step has made.
    uint64_t (*source)(const struct sct_memory *memory);
    // Whether that was the only one by which the step could store: of a compare-exchange that has
    // succeeded, no other store of its location has the value that it expects.
    bool (*needs_source)(const struct sct_memory *memory);
    bool is_bounded; // it leaves out choices: then no search may leave out orders of steps
};

// Of the running execution; NULL: nobody keeps edges.
extern struct sct_memory *sct_memory_now;

// All that the running task has done so far happens before what is done after an acquisition of
// *[edge], which is made or added to.
static inline void sct_edge_release(struct sct_edge **edge) {
    if (__builtin_expect(sct_memory_now != NULL, 0))
        sct_memory_now->release(sct_memory_now, edge);
}

// The running task ends: it has released for the last time, and does nothing more that others see.
static inline void sct_edge_end(void) {
    if (__builtin_expect(sct_memory_now != NULL, 0))
        sct_memory_now->end(sct_memory_now);
}

// The other end of all releases of [edge] so far.
static inline void sct_edge_acquire(const struct sct_edge *edge) {
    if (__builtin_expect(sct_memory_now != NULL, 0) && edge)
        sct_memory_now->acquire(sct_memory_now, edge);
}

// Whether all of [edge] happens before what the running task does now, as far as somebody knows.
static inline bool sct_edge_is_known(const struct sct_edge *edge) {
    return !sct_memory_now || !edge || sct_memory_now->knows(sct_memory_now, edge);
}

#endif
