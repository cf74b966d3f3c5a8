// The state cache of a systematic search: which states were met, so that what follows from a state
// is searched once (Musuvathi, Qadeer: CHESS, MSR-TR-2007-12; no stack is looked at: the state of a
// deterministic task is what it has observed, see sct_observe).
//
// An entry is the digest of a state and the budget with which it was searched: how many scheduling
// points were left to the limit, and how much of the bound. A state is met again if it was there
// with at least the present budget. When everything below a state has been searched without coming
// to the limit of points, no limit would have made a difference, and its points become unlimited.
// States that are still on the path count too: what leads back to one of them is a cycle, and all
// that follows is searched from there.
//
// Open addressing in a table that grows up to a limit; nothing is dropped, so it can be full.
#ifndef CORE_SEARCH_STATES_H
#define CORE_SEARCH_STATES_H

#include "core/base/digest.h"

// 2^24 - 1 means: no limit. Larger numbers of points count as one less than that.
enum { SCT_POINTS_UNLIMITED = (1 << 24) - 1 };

struct sct_budget {
    uint32_t points;
    uint32_t bound; // at most SCT_BOUND_MAX
};

struct sct_bucket;

struct sct_states {
    struct sct_bucket *buckets;
    uint32_t *tags; // a word for each of them
    uint64_t bucket_count;
    uint64_t count;    // entries
    uint64_t capacity; // the most entries of a table of this size
    uint64_t bytes;    // that the table may take
    uint64_t limit;    // of the same, also while there are two tables
};

enum sct_visit {
    SCT_VISIT_NEW,   // or with more budget than before: to be searched
    SCT_VISIT_KNOWN, // searched, or being searched, with this budget or more
    SCT_VISIT_FULL,  // new, and there is no room in a table of this size
};

// A cache of at most [bytes] bytes, or one bucket if that is more. A small one is made at once.
// FAIL_RESOURCE if there are none.
void sct_states_init(struct sct_states *states, uint64_t bytes);

void sct_states_deinit(struct sct_states *states);

// Forgets all entries; the table keeps its size.
void sct_states_clear(struct sct_states *states);

// The state of [key] will be met soon.
void sct_states_prefetch(const struct sct_states *states, struct digest key);

// Meets a state. In *[entry] its entry's number, from 1 on, and in *[is_complete] whether it is
// known without a limit of points. No allocation.
enum sct_visit sct_states_visit(struct sct_states *states, struct digest key,
                                struct sct_budget budget, uint64_t *entry, bool *is_complete);

// Everything below the entry has been searched, whatever the limit of points.
void sct_states_complete(struct sct_states *states, uint64_t entry);

// Whether the limit allows a larger table.
bool sct_states_can_grow(const struct sct_states *states);

// Makes [larger], which has room for more, with all entries of [states]; both are then to be
// deinitialised. FAIL_RESOURCE if there is no memory.
void sct_states_grow(const struct sct_states *states, struct sct_states *larger);

// The number in [larger] of an [entry] of [states].
uint64_t sct_states_moved(const struct sct_states *states, const struct sct_states *larger,
                          uint64_t entry);

// Bytes of the table for each entry that it can hold.
double sct_states_bytes_each(const struct sct_states *states);

// The probability that two different states of [count] had the same digest.
double sct_states_collision(uint64_t count);

#endif
