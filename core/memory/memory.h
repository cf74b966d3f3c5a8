// Memory as a program under control sees it: which stores a load may read, what happens before
// what, and which accesses race.
//
//   sc   sequential consistency: a load reads the newest store. Orders matter for happens-before
//        alone.
//   tso  what x86 shows (Owens, Sarkar, Sewell, TPHOLs 2009): loads may overtake the thread's own
//        earlier stores. Of programs as they are written: what a compiler reorders is not shown.
//   c11  what C11 allows, repaired as RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017), for
//        executions in which no load reads a store that comes after it: load buffering is not
//        shown, as RC11 forbids it.
//
// An execution stays one sequence of steps. Under tso and c11 a load is a value choice among the
// stores that it may read, the newest first, and a store under c11 one among the places in the
// modification order that it may take, the end first; none where there is one alternative. So the
// answer 0 everywhere is sequential consistency, and a minimised trace has the stale reads and
// early stores that its failure needs, no others.
//
// A memory belongs to a program (struct sct_program) and serves all its executions. Locks and the
// like tell it their edges (core/engine/edge.h), atomics their operations (location.h), plain
// variables their accesses (shadow.h). Outside of executions nothing here may be called but new and
// free. In setup one thread, number 0, makes everything; in the final check and the review all is
// known, a load reads the newest store, and nothing races.
//
// Stability: provisional: models, options and what is shown of them grow.
#ifndef CORE_MEMORY_MEMORY_H
#define CORE_MEMORY_MEMORY_H

#include "core/base/api.h"
#include "core/engine/edge.h"
#include "core/engine/machine.h"
#include "core/memory/order.h"

#include <stdint.h>

enum sct_memory_model { SCT_MEMORY_SC, SCT_MEMORY_TSO, SCT_MEMORY_C11 };

enum sct_races {
    SCT_RACES_OFF,
    SCT_RACES_FIRST, // a race is a violation of kind `data-race`
    SCT_RACES_ALL,   // the execution goes on; on_race is told of each pair of places once
};

struct sct_race; // race.h

// Why a read may take a store, or may not.
enum sct_readability {
    SCT_READABLE_NEWEST, // nothing has been stored behind it
    SCT_READABLE_OLDER,  // nothing behind it is known to the thread
    SCT_HIDDEN_BY_OWN,   // it may not: the thread itself has stored behind it,
    SCT_HIDDEN_BY_READ,  // has read something behind it,
    SCT_HIDDEN_BY_EDGE,  // or knows by what it has synchronised with that somebody has
    SCT_HIDDEN_BY_ORDER, // by the order of SEQ_CST, or that of all steps (sc) or of buffers (tso)
    SCT_HIDDEN_BY_TAKER, // another read-modify-write has taken it
    SCT_HIDDEN_BY_BOUND, // it is older than the history that is asked for
};

// A store to the location of a read.
struct sct_readable {
    uint64_t value;
    enum sct_readability why;
    bool is_taken;   // the read has taken it
    bool is_initial; // it was there before all others; then there is nothing of:
    uint32_t thread; // its number
    uint32_t step;   // which of the steps of its thread has made it, from 1
    const void *place;
};

enum { SCT_READABLES_MAX = 8 };

struct sct_memory_options {
    enum sct_memory_model model;
    enum sct_races races;
    // A relaxed store of a thread that made a release store to the location before is in its
    // release sequence (C11); otherwise only read-modify-writes are (C20).
    bool has_c11_release_sequences;
    // Under c11: what RC11 has of SEQ_CST exactly, in place of the order of execution, which shows
    // a few graphs less where accesses of SEQ_CST and weaker ones to one location mix. For small
    // programs: the cost of an operation grows with the execution, which has at most 512 of them.
    bool is_exact;
    uint32_t history;   // stores that a load chooses from, the newest; 0: all
    uint32_t stale_max; // answers but 0 per execution to such choices; 0: no limit
    // Told of each race that counts, in the execution; NULL: nobody. May end the execution.
    void (*on_race)(void *context, const struct sct_race *race);
    // Told of each load and read-modify-write, while somebody listens (sct_narrating): the stores
    // of its location, the newest first, at most SCT_READABLES_MAX; NULL: nobody.
    void (*on_load)(void *context, const struct sct_readable *stores, uint32_t count);
    // Whether a race is to be passed over; NULL: none is.
    bool (*ignores_race)(void *context, const struct sct_race *race);
    void *context;
};

// From now on it knows which cells of the shadow an execution has touched, for snapshots
// (core/search/snapshot.h): tells of each, as it is now; those that were told of are there again,
// and the others are as if they had not been touched.
void sct_memory_keep_cells(struct sct_memory *memory);
void sct_memory_visit_cells(const struct sct_memory *memory,
                            void (*tell)(void *to, void *cell, size_t bytes), void *to);
void sct_memory_returned(struct sct_memory *memory);

// A memory, with malloc (FAIL_RESOURCE without). The options are copied.
SCT_API struct sct_memory *sct_memory_new(const struct sct_memory_options *options);

SCT_API void sct_memory_free(struct sct_memory *memory);

const char *sct_memory_model_name(enum sct_memory_model model);

// The number of the running thread, and the name of thread [number].
uint32_t sct_memory_thread(void);
const char *sct_memory_thread_name(uint32_t number);

enum sct_atomic_kind { SCT_LOADS, SCT_STORES, SCT_UPDATES, SCT_FENCES };

// What the step of an atomic operation touches, for strategies and searches, under the memory of
// the running execution: the mode of its access to the location, and beside that the place that it
// has in an order of many locations, of which [low] to [high] are the keys of its own (mode NONE:
// none). A fence has no location. A compare-exchange may be a load until it is known to succeed,
// but has its place as an update.
enum sct_access_mode sct_memory_mode(enum sct_atomic_kind operation);
struct sct_access sct_memory_place(enum sct_atomic_kind operation, enum sct_order order,
                                   uint64_t low, uint64_t high);

// Whether the memory of the running execution shows what orders weaker than SEQ_CST allow: c11.
bool sct_memory_shows_orders(void);

// A number for the graph of the running execution so far: which store each load has read, and in
// which order the stores of each location with an address stand. Threads are numbered in the order
// in which they were started.
uint64_t sct_memory_graph(void);

// A fence of [order] in the running thread; none if it is relaxed. Not a scheduling point: one of
// order SEQ_CST belongs after one, the others need none.
void sct_memory_fence(enum sct_order order);

#endif
