// The memory of a search: which configurations it has been in. Used by core/history/lin_search.c
// alone.
//
// A configuration is a key (what of the operations that returned is linearized, and the state) and
// the set of operations that never returned and were used. A configuration that has used fewer of
// them can do all that one of the same key can that has used more: the latter need not be searched.
#ifndef CORE_HISTORY_LIN_MEMO_H
#define CORE_HISTORY_LIN_MEMO_H

#include "core/history/lin_memory.h"
#include "core/history/linearize.h"

// Open addressing: a slot is the upper half of the key's hash and the number of an entry, which is
// the first of a list of all entries of that key. Entries grow downwards from the memory's high
// end.
struct lin_memo {
    struct lin_memory *memory;
    const struct lin_spec *spec;
    uint64_t *slots; // 0: empty
    uint32_t slot_count, slots_used;
    uint32_t entry_count;
    uint32_t set_words;   // of an entry: link and first index (one word), bits of the key,
    uint32_t state_words; //   state,
    uint32_t used_words;  //   operations used that never returned
    uint64_t *entries_end;
};

enum lin_memo_answer { LIN_MEMO_NEW, LIN_MEMO_KNOWN, LIN_MEMO_FULL };

// False without memory.
bool lin_memo_init(struct lin_memo *memo, struct lin_memory *memory, const struct lin_spec *spec,
                   uint32_t set_words, uint32_t used_words);

static inline uint32_t lin_memo_entry_words(const struct lin_memo *memo) {
    return memo->set_words + memo->state_words + memo->used_words;
}

// Adds the configuration [entry], the upper half of whose first word is 0, unless one is there that
// can do as much. Adds to [steps] what it cost.
enum lin_memo_answer lin_memo_add(struct lin_memo *memo, const uint64_t *entry, uint64_t *steps);

#endif
