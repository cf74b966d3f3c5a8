// Shadow memory: who has accessed each plain variable, and whether that happened before.
//
// A cell stands for 8 bytes, or for what the program says it stands for. It remembers up to
// SCT_SLOTS accesses {thread, bytes, kind, epoch, place}. An access races with one in a slot if the
// bytes overlap, the threads differ, one of the two writes, not both are atomic, and the slot's
// epoch is not known to the thread. Values do not matter. What does not fit replaces an access that
// happened before and is covered, else one in turn: only there, and where history was pushed out
// like that, a race may be missed; none is reported that is none. (After FastTrack, PLDI 2009, and
// ThreadSanitizer's shadow cells.)
//
// Not scheduling points, no choices; nothing in the final check. Cells are reset when first touched
// in an execution. No heap on the way.
//
// Stability: the library's own; it is here for its types.
#ifndef CORE_MEMORY_SHADOW_H
#define CORE_MEMORY_SHADOW_H

#include "core/memory/memory.h"

#include <stddef.h>

enum { SCT_SLOTS = 4, SCT_PLAIN_STAMP = 1 };

// Two bits.
enum sct_access_kind {
    SCT_PLAIN_READ = 0,
    SCT_PLAIN_WRITE = 1,
    SCT_ATOMIC_READ = 2, // volatile counts as atomic, too
    SCT_ATOMIC_WRITE = 3,
};

struct sct_cell {
    // Of the execution, an even number, and SCT_PLAIN_STAMP if one of its accesses was not atomic;
    // 0: nothing.
    uint64_t stamp;
    uint64_t accesses[SCT_SLOTS];
    const void *places[SCT_SLOTS];
};

// ---- Cells of one's own ------------------------------------------------------------------------

// A cell without accesses, in the arena.
struct sct_cell *sct_cell_new(void);

// The running thread accesses, at [place] (a string of HERE or an address of code, as is usual in
// this program), what [cell] stands for; [name] is what it is called in reports.
void sct_cell_access(struct sct_cell *cell, enum sct_access_kind kind, const void *place,
                     const char *name);

// ---- Regions -----------------------------------------------------------------------------------

// The memory of the program that has shadow: its segments, its heap, its stacks. At most
// SCT_REGIONS_MAX, apart from each other (asserted). Reserves 9 bytes of addresses for each byte
// (FAIL_RESOURCE). Lasts as long as the memory; may be called outside of executions.
enum { SCT_REGIONS_MAX = 1024 };
void sct_shadow_add(struct sct_memory *memory, uintptr_t base, size_t bytes);

// The running thread accesses bytes at [address]. Without a region there: nothing. More than 8
// bytes are an access of each cell.
void sct_shadow_access(uintptr_t address, size_t bytes, enum sct_access_kind kind,
                       const void *place);

// The accesses to that range are forgotten: it is another variable from now on.
void sct_shadow_forget(uintptr_t address, size_t bytes);

#endif
