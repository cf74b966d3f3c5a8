// The state cache of a search by several processes: what core/search/states.h is for one, in memory
// that forked processes share.
//
// Whoever enters a state first searches what follows from it, or gives it away to be searched; all
// others pass it over, whatever the number of points they have left: what one of them would search
// again is being searched already. So together they search everything, each state once, unless an
// execution is cut off at the limit of points: then nobody can tell whether a shorter way to one of
// its states would have led further, and the search must not claim to be exhausted. A larger budget
// of a bound does enter a state again, as in core/search/states.h.
//
// Open addressing without locks: an entry is claimed, then written, and never changes but for its
// budget. A process that is killed between the two keeps those waiting that come to its entry; the
// search cannot go on without that process anyway. The table is small at first, so that what is
// used of the memory lies close together. When it fills up it asks to grow, and there is room
// enough until everybody has come to a halt for that.
#ifndef CORE_SEARCH_SHARED_STATES_H
#define CORE_SEARCH_SHARED_STATES_H

#include "core/search/states.h"

// Of a reduced search, what a state says of who is still to be tried there: a mark for each task,
// by what it is. Two tasks may have the same mark.
enum { SCT_STATE_MARKS = 30 };

struct sct_shared_head;

struct sct_shared_states {
    struct sct_shared_head *head;
    struct sct_bucket *tables[2]; // one of them is used; room for the largest each
    uint64_t limit;               // of the bytes, also while both are used
};

// A cache of at most [bytes] bytes, at least one bucket, shared with all processes forked from now
// on. FAIL_RESOURCE if there are none.
void sct_shared_states_init(struct sct_shared_states *states, uint64_t bytes);

// Frees the memory in this process only.
void sct_shared_states_deinit(struct sct_shared_states *states);

// Forgets all entries; the table keeps its size. Nobody may be using them.
void sct_shared_states_clear(struct sct_shared_states *states);

// Whether the table is to grow soon, and may.
bool sct_shared_states_wants_growth(const struct sct_shared_states *states);

// Makes the table larger. Nobody may be using it.
void sct_shared_states_grow(struct sct_shared_states *states);

// The state of [key] will be met soon.
void sct_shared_states_prefetch(const struct sct_shared_states *states, struct digest key);

// Meets a state with [bound] left of the bound, at most SCT_BOUND_MAX. No allocation.
enum sct_visit sct_shared_states_visit(struct sct_shared_states *states, struct digest key,
                                       uint32_t bound);

// The same in a reduced search, where those with [asleep], marks below 2^SCT_STATE_MARKS, are not
// tried; and in *[left] the marks of those who had not been tried there by anybody (all, of a new
// state), of whom this one tries those who are awake. Not for tables that know bounds.
enum sct_visit sct_shared_states_visit_asleep(struct sct_shared_states *states, struct digest key,
                                              uint32_t asleep, uint32_t *left);

// How many entries there are.
uint64_t sct_shared_states_count(const struct sct_shared_states *states);

// How many entries a cache of so many bytes can hold at least.
uint64_t sct_shared_states_capacity(uint64_t bytes);

// Bytes of the table for each entry that it can hold.
double sct_shared_states_bytes_each(const struct sct_shared_states *states);

// The entry at place *[place] or after it, and *[place] behind it; false if there is none. From
// place 0 on until then: all entries, if nobody enters any meanwhile.
bool sct_shared_states_next(const struct sct_shared_states *states, uint64_t *place,
                            struct digest *key, uint32_t *bound);

#endif
